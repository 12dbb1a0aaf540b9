import Foundation
import LMDB
import Testing

@testable import Ledger

@Suite struct AppendTests {
    let house: House

    init() throws { house = try House() }

    @Test func `sequences have no gap and the root is that of all entries`() throws {
        #expect(try house.log.head().root == Merkle.emptyRoot)
        #expect(try house.append((1...5).map { Plain.draft($0) }) == [1, 2, 3, 4, 5])
        #expect(try house.append([Plain.draft(6)]) == [6])
        #expect(try house.append([]) == [])
        let events = try house.events()
        #expect(events.map(\.sequence) == [1, 2, 3, 4, 5, 6])
        #expect(events.map(\.entry.streamVersion) == [1, 2, 3, 4, 5, 6])
        #expect(try house.log.head().root == house.recomputedRoot())
        #expect(try house.log.root(at: 5) != nil)
        #expect(try house.log.root(at: 3) == nil)
        #expect(try house.log.root(atOrBefore: 4) == nil)
        #expect(try house.log.root(atOrBefore: 9)?.sequence == 6)
        #expect(house.log.end == 6)
    }

    @Test func `many callers share commits and each keeps its order`() async throws {
        let log = house.log
        let sealer = house.sealer
        let places = try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for caller in 0..<40 {
                group.addTask {
                    var places: [UInt64] = []
                    for number in 0..<10 {
                        let draft = Plain.draft(caller * 10 + number)
                        places += try await log.append(sealer.seal([draft])).sequences
                    }
                    return places
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(places.allSatisfy { $0 == $0.sorted() })
        #expect(places.flatMap(\.self).sorted() == Array(1...400))
        let commits = try log.environment.read { try $0.count(log.tables.commits) }
        #expect(commits < 400)
        #expect(try log.head().root == house.recomputedRoot())
    }

    @Test func `a condition on a stream's version holds or refuses the batch whole`() throws {
        let stream = Ledger.Stream.record(RecordID(high: 1, low: 1))
        try house.append([Plain.draft(1, stream: stream)], [.streamVersion(stream, 0)])
        let late = AppendCondition.streamVersion(stream, 0)
        #expect(throws: LogError.conditionFailed(late)) {
            try house.append([Plain.draft(2), Plain.draft(3, stream: stream)], [late])
        }
        #expect(house.log.end == 1)
        try house.append([Plain.draft(4, stream: stream)], [.streamVersion(stream, 1)])
        #expect(try house.log.version(of: stream) == 2)
    }

    @Test func `a condition on a tag sees the tail, the index and the same group`() throws {
        let tag = Ledger.Tag(.record, RecordID(high: 3, low: 3))
        let other = Ledger.Tag(.command, RecordID(high: 3, low: 3))
        let none = AppendCondition.noEvent(tag: tag, after: 0)
        try house.append([Plain.draft(1, tags: [tag])], [none])
        for _ in 0..<2 {
            #expect(throws: LogError.conditionFailed(none)) {
                try house.append([Plain.draft(2)], [none])
            }
            try house.log.flushIndex()
        }
        try house.append([Plain.draft(3)], [.noEvent(tag: other, after: 0)])
        try house.append([Plain.draft(4, tags: [tag])], [.noEvent(tag: tag, after: 1)])
        #expect(try house.log.sequences(tagged: tag) == [1, 3])
    }

    @Test func `in one commit a refused batch does not fail its neighbours`() async throws {
        let stream = Ledger.Stream.record(RecordID(high: 1, low: 1))
        let log = house.log
        let condition = AppendCondition.streamVersion(stream, 0)
        let drafts = try house.sealer.seal((1...4).map { Plain.draft($0, stream: stream) })
        let results = try await inOneCommit([
            (Array(drafts[0...1]), [condition]), ([drafts[2]], [condition]), ([drafts[3]], []),
        ])
        #expect(try results[0].get().sequences == [1, 2])
        #expect(throws: LogError.conditionFailed(condition)) { try results[1].get() }
        #expect(try results[2].get().sequences == [3])
        #expect(try house.events().map(\.entry.streamVersion) == [1, 2, 3])
        #expect(try log.head().root == house.recomputedRoot())
    }

    @Test func `in one commit the same event again gets its place, other content is a conflict`()
        async throws
    {
        let draft = try house.sealer.seal([Plain.draft(1)])
        let other = try house.sealer.seal([Plain.draft(1, verb: "other")])
        let results = try await inOneCommit([(draft, []), (draft, []), (other, [])])
        #expect(try results[0].get().sequences == [1])
        #expect(try results[1].get().sequences == [1])
        #expect(throws: LogError.idConflict(Plain.draft(1).id, sequence: 1)) {
            try results[2].get()
        }
        #expect(house.log.end == 1)
    }

    @Test func `the same event again gets its old place, other content is a conflict`() throws {
        try house.append([Plain.draft(1), Plain.draft(2)])
        for _ in 0..<2 {
            #expect(try house.append([Plain.draft(2), Plain.draft(1)]) == [2, 1])
            let id = Plain.draft(2).id
            #expect(throws: LogError.idConflict(id, sequence: 2)) {
                try house.append([Plain.draft(7), Plain.draft(2, verb: "other")])
            }
            let elsewhere = Ledger.Stream.run(RunID(high: 4, low: 4))
            #expect(throws: LogError.idConflict(id, sequence: 2)) {
                try house.append([Plain.draft(2, stream: elsewhere)])
            }
            #expect(house.log.end == 2)
            try house.log.flushIndex()
        }
        #expect(try house.append([Plain.draft(2), Plain.draft(3)]) == [2, 3])
        let stream = Plain.draft(1).stream
        #expect(try house.append([Plain.draft(1)], [.streamVersion(stream, 0)]) == [1])
    }

    @Test func `the same event twice in a batch stands once, other content refuses it`() throws {
        #expect(try house.append([Plain.draft(1), Plain.draft(1), Plain.draft(2)]) == [1, 1, 2])
        #expect(throws: LogError.idConflict(Plain.draft(3).id, sequence: 3)) {
            try house.append([Plain.draft(3), Plain.draft(3, verb: "other")])
        }
        #expect(house.log.end == 2)
    }

    @Test func `recorded-at grows even when the clock stands still or goes back`() throws {
        try house.append([Plain.draft(1), Plain.draft(2)])
        let noon = house.clock.now
        house.clock.now = noon.adding(seconds: -3600)
        try house.append([Plain.draft(3)])
        house.clock.now = noon.adding(seconds: 1)
        try house.append([Plain.draft(4)])
        let times = try house.events().map(\.recordedAt)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
        #expect(times[2] == Timestamp(microseconds: noon.microseconds + 2))
        #expect(times[3] == noon.adding(seconds: 1))
    }

    @Test func `readers who wait wake up when their event is durable`() async throws {
        let log = house.log
        let tasks = [UInt64(0), 1, 2].map { after in Task { await log.wait(after: after) } }
        try await { _ = try await log.append(house.sealer.seal([Plain.draft(1)])) }()
        #expect(await tasks[0].value >= 1)
        _ = try await log.append(house.sealer.seal([Plain.draft(2), Plain.draft(3)]))
        #expect(await tasks[1].value == 3)
        #expect(await tasks[2].value == 3)
        let cancelled = Task { await log.wait(after: 3) }
        cancelled.cancel()
        #expect(await cancelled.value == 3)
        let waiting = Task { await log.wait(after: 3) }
        try house.close()
        #expect(await waiting.value == 3)
        await #expect(throws: LMDBError.self) { try await log.append([]) }
    }

    @Test func `an entry or a batch beyond the limits is refused and nothing stands`() throws {
        let tags = (0..<3_000).map { Ledger.Tag(.cause, EventID(high: 1, low: UInt64($0))) }
        #expect(throws: LogError.self) {
            try house.append([Plain.draft(1), Plain.draft(2, tags: tags)])
        }
        let many = try house.sealer.seal([Plain.draft(3)])
        #expect(throws: LogError.self) {
            try house.log.append(Array(repeating: many[0], count: 49_001))
        }
        #expect(try house.log.head().size == 0)
        #expect(try house.append([Plain.draft(4)]) == [1])
    }

    @Test func `events with very many tags are indexed all the same`() throws {
        let drafts = (0..<60).map { number in
            Plain.draft(
                number,
                tags: (0..<1_000).map {
                    Ledger.Tag(.cause, EventID(high: UInt64(number), low: UInt64($0)))
                })
        }
        try house.append(drafts)
        try house.log.flushIndex()
        let tag = Ledger.Tag(.cause, EventID(high: 59, low: 999))
        #expect(try house.log.sequences(tagged: tag) == [60])
    }

    @Test func `large batches that queue together are split over commits`() async throws {
        let log = house.log
        let text = String(repeating: "x", count: 3 << 20)
        let batches = try (0..<24).map { number in
            try house.sealer.seal([Plain.draft(number, verb: text)])
        }
        let gate = Inbox<Void>()
        try log.environment.onWriter { gate.take() }
        let tasks = batches.map { batch in Task { try await log.append(batch) } }
        while log.queued < 24 { await Task.yield() }
        gate.put(())
        for task in tasks { _ = try await task.value }
        #expect(try log.head().size == 24)
    }
}

extension AppendTests {
    /// Keeps the writer busy until all batches are queued in their order, so that one commit takes
    /// them.
    private func inOneCommit(
        _ batches: [(drafts: [SealedDraft], conditions: [AppendCondition])]
    ) async throws -> [Result<Receipt, any Error>] {
        let log = house.log
        let gate = Inbox<Void>()
        try log.environment.onWriter { gate.take() }
        let tasks = batches.enumerated().map { number, batch in
            Task {
                while log.queued < number { await Task.yield() }
                return await outcome {
                    try await log.append(batch.drafts, conditions: batch.conditions)
                }
            }
        }
        while log.queued < batches.count { await Task.yield() }
        gate.put(())
        var results: [Result<Receipt, any Error>] = []
        for task in tasks { results.append(await task.value) }
        let commits = try log.environment.read { try $0.count(log.tables.commits) }
        #expect(commits == 1)
        return results
    }
}

/// What an operation came to.
func outcome<R>(_ body: () async throws -> R) async -> Result<R, any Error> {
    do { return .success(try await body()) } catch { return .failure(error) }
}
