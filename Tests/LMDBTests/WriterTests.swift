import Foundation
import Synchronization
import Testing

@testable import LMDB

@Suite struct WriterTests {
    let scratch = Scratch()

    @Test func `all writes run on one thread, which is nobody else's`() throws {
        let (env, t) = try scratch.open()
        let threads = Mutex<Set<pthread_t>>([])
        let callers = (0..<8).map { number in
            Parallel {
                for turn in 0..<20 {
                    try env.write { txn in
                        threads.withLock { _ = $0.insert(pthread_self()) }
                        try txn.put(t, key: BigEndianKey(UInt64(number * 100 + turn)), value: [])
                    }
                }
            }
        }
        for caller in callers { try caller.join() }
        #expect(threads.withLock { $0.count } == 1)
        #expect(threads.withLock { !$0.contains(pthread_self()) })
        #expect(try env.read { try $0.count(t) } == 160)
    }

    @Test func `writes of many threads follow one another`() throws {
        let (env, t) = try scratch.open()
        let callers = (0..<8).map { _ in
            Parallel {
                for _ in 0..<50 {
                    try env.write { txn in
                        let now = try txn.get(t, key: [1]) { $0.bigEndianInteger(at: 0) ?? 0 } ?? 0
                        let next = BigEndianKey(now + 1).bytes
                        try txn.put(t, key: [1], value: next.span.copy())
                    }
                }
            }
        }
        for caller in callers { try caller.join() }
        let total = try env.read { try $0.get(t, key: [1]) { $0.bigEndianInteger(at: 0) } }
        #expect(total == 400)
    }

    @Test func `a write inside a write traps instead of waiting for itself`() async {
        await #expect(processExitsWith: trap) { [path = scratch("env") as String] in
            let (env, t) = try open(at: path)
            try env.write { _ in try env.store(t, 1, []) }
        }
    }

    @Test func `a write inside a read traps, for growth would wait for the read`() async {
        await #expect(processExitsWith: trap) { [path = scratch("env") as String] in
            let (env, t) = try open(at: path)
            try env.read { _ in try env.store(t, 1, []) }
        }
    }

    @Test func `a write transaction used on another thread traps`() async {
        await #expect(processExitsWith: trap) { [path = scratch("env") as String] in
            let (env, t) = try open(at: path)
            try env.write { txn in
                nonisolated(unsafe) let access = txn.access
                try Parallel { _ = try access.count(t) }.join()
            }
        }
    }

    @Test func `a job on the writer's thread writes in place`() throws {
        let (env, t) = try scratch.open()
        let done = Signal()
        let seen = Mutex<[Bool]>([])
        try env.onWriter {
            let here = pthread_self()
            let isSame = try? env.write { txn in
                try txn.put(t, key: [1], value: [1])
                return pthread_self() == here
            }
            seen.withLock { $0 = [env.isOnWriter, isSame ?? false] }
            done.give()
        }
        #expect(done.await())
        #expect(seen.withLock { $0 } == [true, true])
        #expect(!env.isOnWriter)
    }

    @Test func `jobs run in the order they came`() throws {
        let (env, _) = try scratch.open()
        let order = Mutex<[Int]>([])
        for number in 0..<1000 { try env.onWriter { order.withLock { $0.append(number) } } }
        try env.write { _ in }
        #expect(order.withLock { $0 } == Array(0..<1000))
    }

    @Test func `a quiet job runs after each burst, and again while there is more`() throws {
        let (env, t) = try scratch.open { $0.quietAge = .zero }
        let rest = Monitor(0)
        try env.whenQuiet {
            let left = rest.update { rest in
                rest -= 1
                return rest
            }
            try? env.store(t, UInt64(max(left, 0)), [])
            return left > 0
        }
        for burst in 1...3 {
            rest.update { $0 = burst * 10 }
            try env.onWriter {}
            #expect(rest.wait(until: .now + .seconds(20)) { $0 <= 0 ? true : nil } == true)
            // Behind the job that runs last.
            try env.write { _ in }
        }
        #expect(try env.read { try $0.count(t) } == 30)
        try env.close()
    }

    @Test func `what waits comes before a quiet job, and closing ends one that has more`() throws {
        let (env, t) = try scratch.open { $0.quietAge = .zero }
        let begun = Signal()
        try env.whenQuiet {
            begun.give()
            return true
        }
        begun.await()
        for number in 0..<100 { try env.store(t, UInt64(number), []) }
        #expect(try env.read { try $0.count(t) } == 100)
        try env.close()
    }

    @Test func `a write that does not get its turn is given up, and never runs`() throws {
        let (env, t) = try scratch.open { $0.writerDeadline = .milliseconds(50) }
        let (begun, release) = (Signal(), Signal())
        try env.onWriter {
            begun.give()
            release.await()
        }
        begun.await()
        try expectCode(.writerBusy) { try env.store(t, 1, []) }
        #expect(try env.statistics().writerQueueLength == 1)
        release.give()
        // Behind the write that was given up, and without a deadline of its own.
        let hasPassed = Signal()
        try env.onWriter { hasPassed.give() }
        #expect(hasPassed.await())
        #expect(try env.everything(t).isEmpty)
    }

    @Test func `a gauge shows how long the writer has been at its job`() throws {
        let (env, _) = try scratch.open()
        let (begun, release) = (Signal(), Signal())
        try env.onWriter {
            begun.give()
            release.await()
        }
        begun.await()
        Thread.sleep(forTimeInterval: 0.05)
        let busy = try #require(env.writerBusyFor)
        #expect(busy >= .milliseconds(30))
        release.give()
        try env.write { _ in }
        // Between the job's result and the next look at the queue there is a moment.
        var patience = 1000
        while env.writerBusyFor != nil && patience > 0 {
            Thread.sleep(forTimeInterval: 0.001)
            patience -= 1
        }
        #expect(env.writerBusyFor == nil)
    }

    @Test func `close runs what is queued, and then refuses`() throws {
        let (env, t) = try scratch.open()
        let done = Atomic<Int>(0)
        for _ in 0..<100 { try env.onWriter { done.add(1, ordering: .relaxed) } }
        try env.close()
        #expect(done.load(ordering: .relaxed) == 100)
        try env.close()
        for use: () throws -> Void in [
            { try env.onWriter {} }, { try env.write { _ in } }, { try env.read { _ in } },
            { _ = try env.statistics() }, { try env.checkReaders() },
            { try env.copyCompacted(to: scratch("copy")) },
            { try env.scanRenewing(t) { _, _ in .next } },
        ] {
            let error = #expect(throws: LMDBError.self, performing: use)
            #expect(error?.code == .closed)
        }
    }

    @Test func `close waits for reads, but not for ever`() throws {
        let (env, _) = try scratch.open { $0.drainDeadline = .milliseconds(50) }
        let (begun, release) = (Signal(), Signal())
        let reading = Parallel {
            try env.read { _ in
                begun.give()
                release.await()
            }
        }
        begun.await()
        try expectCode(.transactionsStillOpen) { try env.close() }
        release.give()
        try reading.join()
        try env.close()
    }

    @Test func `close inside a transaction traps`() async {
        await #expect(processExitsWith: trap) { [path = scratch("env") as String] in
            let (env, _) = try open(at: path)
            try env.read { _ in try env.close() }
        }
    }

    @Test func `the last reference may go on the writer's thread`() throws {
        let done = Signal()
        do {
            let (env, t) = try scratch.open()
            let release = Signal()
            try env.onWriter {
                release.await()
                try? env.store(t, 1, [])
                done.give()
            }
            release.give()
        }
        #expect(done.await())
        // Let go of asynchronously, so the claim may take a moment to be free.
        var opened: (Environment, Table)?
        for _ in 0..<1000 where opened == nil {
            opened = try? scratch.open()
            Thread.sleep(forTimeInterval: 0.002)
        }
        let (env, t) = try #require(opened)
        #expect(try env.everything(t).count == 1)
    }
}
