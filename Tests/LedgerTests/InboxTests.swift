import Foundation
import Testing

@testable import Ledger

@Suite struct InboxTests {
    private let inbox = Inbox<Int>()

    @Test func `what arrived is taken once, in its order`() {
        for number in 1...3 { inbox.put(number) }
        #expect(inbox.take() == 1)
        #expect(inbox.takeAll() == [2, 3])
        #expect(inbox.takeAll(within: .zero) == [])
    }

    @Test func `who waits gets what another thread puts in`() {
        let inbox = inbox
        Thread { for number in 1...1_000 { inbox.put(number) } }.start()
        var taken: [Int] = []
        while taken.count < 500 { taken += inbox.takeAll() }
        while taken.count < 1_000 { taken.append(inbox.take()) }
        #expect(taken == Array(1...1_000))
    }

    @Test func `patience ends when it is over and not earlier`() {
        let patience = Duration.milliseconds(3)
        let start = ContinuousClock.now
        #expect(inbox.takeAll(within: patience) == [])
        #expect(ContinuousClock.now - start >= patience)
    }
}
