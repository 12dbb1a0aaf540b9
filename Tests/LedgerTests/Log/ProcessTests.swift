import Foundation
import LMDB
import Synchronization
import Testing

@testable import Ledger

/// What holds between processes, and when one dies.
@Suite struct ProcessTests {
    @Test func `a log catches up with what another process appended`() async throws {
        let house = try House()
        try house.append((1...3).map { Plain.draft($0) })
        let path = house.scratch.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            let other = try House(at: Scratch(existing: path))
            let places = try other.append((4...13).map { Plain.draft($0, tags: [sharedTag]) })
            precondition(places == Array(4...13))
            let again = try other.append([Plain.draft(2)])
            precondition(again == [2])
            try other.close()
        }
        #expect(house.log.end == 3)
        let log = house.log
        let waiting = Task { await log.wait(after: 3) }
        #expect(try log.refresh() == 13)
        #expect(await waiting.value == 13)
        #expect(try log.sequences(tagged: sharedTag) == Array(4...13))
        #expect(try log.sequence(of: Plain.draft(9).id) == 9)
        #expect(try log.version(of: Plain.draft(1).stream) == 13)
    }

    @Test func `an append sees what another process appended, without being told`() async throws {
        let house = try House()
        try house.append((1...3).map { Plain.draft($0) })
        let path = house.scratch.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            let other = try House(at: Scratch(existing: path))
            try other.append([Plain.draft(4, tags: [sharedTag])])
            try other.log.flushIndex()
            try other.close()
        }
        // The same content has its place there already, other content is refused.
        #expect(try house.append([Plain.draft(4)]) == [4])
        #expect(throws: LogError.idConflict(Plain.draft(4).id, sequence: 4)) {
            try house.append([Plain.draft(4, verb: "other")])
        }
        let condition = AppendCondition.noEvent(tag: sharedTag, after: 3)
        #expect(throws: LogError.conditionFailed(condition)) {
            try house.append([Plain.draft(5)], [condition])
        }
        #expect(try house.append([Plain.draft(6)]) == [5])
        try house.log.flushIndex()
        #expect(try house.events().map(\.entry.streamVersion) == [1, 2, 3, 4, 5])
        #expect(try house.log.head().root == house.recomputedRoot())
        try house.close()
    }

    @Test(arguments: 0..<60)
    func `a process killed at any moment loses nothing that it acknowledged`(seed: Int) async throws
    {
        let scratch = try Scratch()
        let path = scratch.path
        // Several lives on one log.
        for life in 0..<2 {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = path as String, seed = seed as Int, life = life as Int] in
                try liveUntilKilled(path, seed: seed, life: life)
            }
        }
        let acknowledged = try acknowledgements(scratch)
        let house = try House(at: scratch)
        let events = try house.events()
        #expect(events.map(\.sequence) == Array(1...UInt64(max(events.count, 1))))
        #expect(!acknowledged.isEmpty)
        for (sequence, id) in acknowledged {
            let stands = sequence <= events.count && events[sequence - 1].id.low == UInt64(id)
            if !stands { Issue.record("event \(id) was acknowledged at \(sequence)") }
        }
        // Batches of three are whole or absent.
        #expect(events.count % 3 == 0)
        let head = try house.log.head()
        #expect(head.size == UInt64(events.count))
        #expect(head.root == (try house.recomputedRoot()))
        for event in events {
            #expect(try house.log.sequence(of: event.id) == event.sequence)
        }
        try house.close()
    }

    @Test(arguments: 0..<12)
    func `a process killed while it seals leaves every event once`(seed: Int) async throws {
        let scratch = try Scratch()
        let path = scratch.path
        let house = try House(at: scratch)
        for start in stride(from: 0, to: 3_000, by: 1_000) {
            try house.append((start..<start + 1_000).map { Plain.draft($0) })
        }
        let root = try house.log.head().root
        try house.close()
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, seed = seed as Int] in
            let house = try House(at: Scratch(existing: path))
            let begun = Atomic(false)
            let spins = seed * 40_000
            Thread {
                while !begun.load(ordering: .relaxed) {}
                for _ in 0..<spins where !begun.load(ordering: .relaxed) {}
                kill(getpid(), SIGKILL)
            }.start()
            begun.store(true, ordering: .relaxed)
            while try house.log.seal() {}
            while true { pause() }
        }
        let again = try House(at: scratch)
        #expect(try again.events().map(\.sequence) == Array(1...3_000))
        #expect(try again.recomputedRoot() == root)
        while try again.log.seal() {}
        #expect(try again.events().map(\.sequence) == Array(1...3_000))
        try again.close()
        let report = try Scrub(directory: path, ledger: again.ledger).run()
        #expect(report.isClean, "\(report.damages)")
        #expect(report.tiles == 11 + 1)
    }

    @Test func `a scrub beside a process that appends and seals finds nothing`() async throws {
        let house = try House()
        for start in stride(from: 0, to: 5_000, by: 1_000) {
            try house.append((start..<start + 1_000).map { Plain.draft($0) })
        }
        let isOver = Atomic(false)
        let ended = Inbox<Result<Void, any Error>>()
        let appending = Thread {
            ended.put(
                Result {
                    var next = 5_000
                    while !isOver.load(ordering: .relaxed) {
                        try house.append((next..<next + 50).map { Plain.draft($0) })
                        try house.log.seal()
                        next += 50
                    }
                })
        }
        appending.start()
        let path = house.scratch.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            for _ in 0..<5 {
                let ledger = LedgerID(high: 0x1ED6E2, low: 1)
                let report = try Scrub(directory: path, ledger: ledger).run()
                precondition(report.isClean && report.events >= 5_000, "\(report.damages)")
            }
        }
        isOver.store(true, ordering: .relaxed)
        try ended.take().get()
        try house.close()
    }

    @Test func `the engine lock says who holds it and goes with its holder`() async throws {
        let scratch = try Scratch()
        let path = scratch("engine.lock")
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let lock = try EngineLock(path: path)
            withExtendedLifetime(lock) { _ = kill(getpid(), SIGKILL) }
        }
        let lock = try EngineLock(path: path)
        let mine = getpid()
        await #expect(processExitsWith: .success) { [path = path as String, mine = mine as Int32] in
            do {
                _ = try EngineLock(path: path)
                exit(EXIT_FAILURE)
            } catch EngineLockError.heldElsewhere(let process) {
                precondition(process == mine)
            }
        }
        let error = #expect(throws: EngineLockError.self) { try EngineLock(path: path) }
        #expect(error?.description.contains("process \(mine)") == true)
        withExtendedLifetime(lock) {}
        #expect(throws: EngineLockError.self) { try EngineLock(path: scratch("none/lock")) }
    }

    @Test func `a lock that fails for another reason is not said to be held`() throws {
        let path = try Scratch()("lock")
        for code in [ENOLCK, ENOSYS, EBADF] {
            #expect(
                EngineLock.failure(code, path: path, -1)
                    == .cannotOpen(path: path, code: code))
        }
        #expect(EngineLock.failure(EWOULDBLOCK, path: path, -1) == .heldElsewhere(process: 0))
        // A device that can be locked but holds no process id.
        #expect(throws: EngineLockError.cannotOpen(path: "/dev/full", code: EINVAL)) {
            try EngineLock(path: "/dev/full")
        }
    }
}

let sharedTag = Ledger.Tag(.record, RecordID(high: 8, low: 8))

/// Appends from four threads until a fifth kills the process, after as many acknowledgements and as
/// long a while as the seed says.
private func liveUntilKilled(_ path: String, seed: Int, life: Int) throws {
    var random = SeededRandom(seed * 2 + life)
    let house = try House(at: Scratch(existing: path))
    let file = open(path + "/acknowledged", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    let acknowledged = Atomic(0)
    let wanted = 1 + random.below(12)
    let spins = random.below(200_000)
    let killer = Thread {
        while acknowledged.load(ordering: .relaxed) < wanted {}
        for _ in 0..<spins where acknowledged.load(ordering: .relaxed) < 0 {}
        kill(getpid(), SIGKILL)
    }
    killer.start()
    for caller in 0..<4 {
        Thread {
            for round in 0... {
                let first = life * 1_000_000 + caller * 100_000 + round * 3
                let drafts = (first..<first + 3).map { Plain.draft($0) }
                guard let places = try? house.append(drafts) else { abort() }
                let lines = zip(places, first...).map { "\($0) \($1)\n" }.joined()
                guard write(file, lines, lines.utf8.count) == lines.utf8.count else { abort() }
                acknowledged.add(1, ordering: .relaxed)
            }
        }.start()
    }
    while true { pause() }
}

private func acknowledgements(_ scratch: Scratch) throws -> [(sequence: Int, id: Int)] {
    let text = try String(contentsOfFile: scratch("acknowledged"), encoding: .utf8)
    return text.split(separator: "\n").compactMap { line in
        let words = line.split(separator: " ").compactMap { Int($0) }
        return words.count == 2 ? (words[0], words[1]) : nil
    }
}
