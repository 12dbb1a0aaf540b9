import Foundation
import Synchronization
import Testing

@testable import LMDB

@Suite struct ReaderTests {
    let scratch = Scratch()

    @Test func `reads nest on one thread, each with its own snapshot`() throws {
        let (env, t) = try scratch.open()
        try env.read { outer in
            try Parallel { try env.store(t, 1, []) }.join()
            let inner = try env.read { try $0.count(t) }
            let before = try outer.count(t)
            #expect(before == 0)
            #expect(inner == 1)
        }
    }

    @Test func `a read inside a write sees what was there before`() throws {
        let (env, t) = try scratch.open()
        try env.write { txn in
            try txn.put(t, key: [1], value: [])
            let before = try env.read { try $0.count(t) }
            #expect(before == 0)
        }
    }

    @Test func `reads beside a busy writer never see half a transaction`() throws {
        let (env, t) = try scratch.open()
        let isOver = Signal()
        let readers = (0..<4).map { _ in
            Parallel {
                while !isOver.isGiven {
                    try env.read { txn in
                        let count = try txn.count(t)
                        var rows = 0
                        try txn.scan(t) { _, _ in
                            rows += 1
                            return .next
                        }
                        if count % 7 != 0 || rows != count { throw Refusal() }
                    }
                }
            }
        }
        for batch in 0..<100 {
            try env.write { txn in
                for number in 0..<7 {
                    let key = BigEndianKey(UInt64(batch * 7 + number))
                    try txn.put(t, key: key, value: [1], mode: .append)
                }
            }
        }
        isOver.give()
        for reader in readers { try reader.join() }
        #expect(try env.read { try $0.count(t) } == 700)
    }

    @Test func `reads one after the other share a reader slot`() throws {
        let (env, t) = try scratch.open()
        for _ in 0..<200 { _ = try env.read { try $0.count(t) } }
        let slots = try env.readerSlots()
        #expect(slots.count == 1)
        #expect(slots.first?.transaction == nil, "an idle slot must hold no snapshot")
    }

    @Test func `few slots are kept after many reads at once`() throws {
        let (env, _) = try scratch.open()
        try hold(40, env) {
            let used = try env.statistics().readersUsed
            #expect(used == 41)
        }
        #expect(try env.statistics().readersUsed <= 16)
    }

    @Test func `reads beyond the slots are refused, and pass again later`() throws {
        let (env, t) = try scratch.open { $0.maxReaders = 3 }
        try hold(3, env) {
            try expectCode(.readersFull) { try env.read { _ in } }
            // The writer needs no slot.
            try env.store(t, 1, [])
        }
        #expect(try env.read { try $0.count(t) } == 1)
    }

    /// Runs a body while that many reads are open on threads of their own.
    private func hold(_ count: Int, _ env: Environment, _ body: () throws -> Void) throws {
        let release = Signal()
        let begun = (0..<count).map { _ in Signal() }
        let reads = begun.map { begun in
            Parallel {
                try env.read { _ in
                    begun.give()
                    release.await()
                }
            }
        }
        for begun in begun { begun.await() }
        defer { release.give() }
        try body()
        release.give()
        for read in reads { try read.join() }
    }

    @Test func `a read that is too old refuses every verb, and the environment goes on`() throws {
        let (env, t) = try scratch.open { $0.readerAgeLimit = .milliseconds(30) }
        try env.store(t, 1, [])
        try env.read { txn in
            _ = try txn.count(t)
            Thread.sleep(forTimeInterval: 0.05)
            #expect(txn.age >= .milliseconds(30))
            try expectCode(.readerExpired) { _ = try txn.count(t) }
            try expectCode(.readerExpired) { _ = try txn.bytes(t, key: [1]) }
            try expectCode(.readerExpired) { try txn.scan(t) { _, _ in .next } }
        }
        #expect(try env.read { try $0.count(t) } == 1)
    }

    @Test func `a scan that takes too long is stopped`() throws {
        let (env, t) = try scratch.open { $0.readerAgeLimit = .milliseconds(30) }
        for number in 1...5 { try env.store(t, UInt64(number), []) }
        try expectCode(.readerExpired) {
            try env.read { txn in
                try txn.scan(t) { _, _ in
                    Thread.sleep(forTimeInterval: 0.02)
                    return .next
                }
            }
        }
    }

    @Test func `gauges show how far behind and how old the oldest read is`() throws {
        let (env, t) = try scratch.open()
        #expect(try env.oldestReaderLag() == 0)
        try env.read { _ in
            for number in 1...5 {
                try Parallel { try env.store(t, UInt64(number), []) }.join()
            }
            Thread.sleep(forTimeInterval: 0.03)
            let now = try env.statistics()
            #expect(now.oldestReaderLag == 5)
            #expect(now.readersUsed == 2)
            #expect(now.oldestReaderAge.map { $0 >= .milliseconds(20) } == true)
        }
        #expect(try env.oldestReaderLag() == 0)
        #expect(try env.statistics().oldestReaderAge == nil)
    }

    @Test func `pages are reused once no read holds them`() throws {
        let (env, t) = try scratch.open()
        @Sendable func churn() throws -> Int {
            for turn in 0..<200 {
                try env.store(t, 1, [UInt8](repeating: UInt8(turn), count: 9000))
            }
            return try env.statistics().pages
        }
        let free = try churn()
        #expect(try churn() <= free + 4)
        let held = try env.read { _ in
            let pages = Mutex(0)
            try Parallel { try pages.withLock { $0 = try churn() } }.join()
            return pages.withLock { $0 }
        }
        #expect(held > free + 400, "a parked read should have kept pages from being reused")
        #expect(try churn() <= held + 4)
    }

    @Test func `reader lines are parsed`() {
        let text = """
                pid     thread     txnid
                  42 7f00 17
                  43 7f01 -

            """
        let slots = Environment.parse(text)
        #expect(
            slots == [
                .init(process: 42, transaction: 17), .init(process: 43, transaction: nil),
            ])
        #expect(Environment.parse("(no active readers)\n").isEmpty)
    }
}
