import Foundation
import LMDB
import Testing

@testable import Ledger

/// Long readings: bounded pages, and scans that lend.
@Suite struct ReadingTests {
    let house: House

    init() throws {
        var options = Options()
        options.mapSize = 1 << 30
        options.quietAge = .seconds(3_600)
        house = try House(options: options)
    }

    @Test func `a page ends before the bytes do, but holds one event at least`() throws {
        let text = String(repeating: "x", count: 3_000)
        try house.append((1...9).map { Plain.draft($0, verb: $0 == 5 ? text : "small") })
        let all = try house.log.read(from: 1, limit: .max)
        let sizes = all.map { $0.bodies.reduce($0.entry.count) { $0 + $1.bytes.count } }
        #expect(sizes[4] > 3_000)
        #expect(try house.log.read(from: 1, limit: 99, bytes: sizes[..<3].reduce(0, +)).count == 3)
        #expect(try house.log.read(from: 1, limit: 99, bytes: 2_000).count == 4)
        #expect(try house.log.read(from: 5, limit: 99, bytes: 1) == [all[4]])
        var pages: [StoredEvent] = []
        while pages.count < 9 {
            pages += try house.log.read(from: UInt64(pages.count) + 1, limit: 4, bytes: 1_000)
        }
        #expect(pages == all)
    }

    @Test(arguments: [1, 2, 256, 257, 1_000, 5_000])
    func `a scan lends every event from anywhere, and stops when told`(first: Int) throws {
        try fill(5_000)
        try house.log.seal()
        var seen: [UInt64] = []
        try house.log.scan(from: UInt64(first)) { sequence, entry, bodies in
            let view = try EntryView(entry)
            let event = try StoredEvent(entry: entry, bodies: bodies)
            #expect(view.sequence == sequence && event.bodies.count == view.partCount)
            seen.append(sequence)
            return .next
        }
        #expect(seen == Array(UInt64(first)...5_000))
        var count = 0
        try house.log.scan(from: UInt64(first)) { _, _, _ in
            count += 1
            return count == 300 ? .stop : .next
        }
        #expect(count == min(300, 5_000 - first + 1))
    }

    @Test func `a scan goes on over what is sealed meanwhile, and pins no page for long`() throws {
        try fill(9_000)
        var seen: [UInt64] = []
        var lags: [Int] = []
        try house.log.scan(from: 1) { sequence, _, _ in
            seen.append(sequence)
            if [500, 3_000].contains(sequence) {
                try elsewhere { [house] in
                    try house.log.seal()
                    try house.append([Plain.draft(100_000 + Int(sequence))])
                }
                lags.append(try house.log.environment.oldestReaderLag())
            }
            if [2_100, 4_200].contains(sequence) {
                lags.append(try house.log.environment.oldestReaderLag())
            }
            return .next
        }
        #expect(seen == Array(1...9_002))
        #expect(lags == [2, 0, 2, 0])
        #expect(try house.log.environment.oldestReaderLag() == 0)
    }

    /// Runs on a thread of its own, for a write inside a read of the same thread traps.
    private func elsewhere(_ body: @escaping @Sendable () throws -> Void) throws {
        let done = Inbox<Result<Void, any Error>>()
        Thread.detachNewThread { done.put(Result { try body() }) }
        try done.take().get()
    }

    private func fill(_ count: Int) throws {
        for start in stride(from: 0, to: count, by: 1_000) {
            try house.append((start..<min(start + 1_000, count)).map { Plain.draft($0) })
        }
        // Behind what the last commit seals.
        try house.log.environment.write { _ in }
    }
}
