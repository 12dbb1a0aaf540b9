import Foundation
import LMDB
import Ledger
import Synchronization
import Testing

@testable import Projections

/// Rebuilds while others append, project and read, stopped and gone on with.
@Suite struct `A rebuild under way` {
    /// Five hundred seeds, fifty at a time; the median, since the machine may take its time with any one.
    @Test(arguments: 0..<10)
    func `stopped anywhere and gone on with ends with the content of one go`(part: Int) throws {
        var swaps: [Duration] = []
        for seed in part * 50..<part * 50 + 50 {
            do {
                swaps.append(try rebuildAmidTraffic(seed: seed))
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
        }
        try #require(swaps.count == 50)
        #expect(swaps.sorted()[25] < .milliseconds(50), "\(swaps)")
    }

    /// Stops a rebuild now and then while others append, project and read; answers how long the last
    /// change of generations took.
    private func rebuildAmidTraffic(seed: Int) throws -> Duration {
        var random = Seeded(seed)
        // Half of them in passes.
        let share = random.next(2) == 0 ? 64_000 : 1 + random.next(4)
        var swap: Duration?
        try withStand(chunk: 1 + random.next(6), share: share) { stand in
            var people = People(stand: stand, random: random)
            // Empty views would be built in passes at once.
            try stand.append([stand.configured(0)])
            try stand.views.project()
            try stand.append((1..<4).map(stand.configured) + people.batch(3 + random.next(9)))
            if random.next(4) > 0 { try stand.views.project() }
            let batches = (0..<1 + random.next(4)).map { _ in people.batch(1 + random.next(3)) }
            let traffic = Traffic(stand, appending: batches)
            var stops = random.next(3)
            var rebuilt: Rebuilt?
            while rebuilt == nil {
                // Asked a few times in each rebuild: before the first fold, and after each.
                var patience = stops > 0 ? random.next(8) : .max
                stops -= 1
                do {
                    rebuilt = try stand.views.rebuild(isCancelled: {
                        patience -= 1
                        return patience < 0
                    })
                } catch ViewError.cancelled(let position, let end) {
                    #expect(position <= end, "seed \(seed)")
                    #expect(
                        try stand.views.status().building?.position == position, "seed \(seed)")
                }
            }
            for problem in traffic.end() { Issue.record("seed \(seed): \(problem)") }
            #expect(stand.views.generation == 2, "seed \(seed)")
            #expect(rebuilt?.generation == 2, "seed \(seed)")
            #expect(try stand.views.project() == stand.log.end, "seed \(seed)")
            #expect(try stand.views.verify().isIdentical, "seed \(seed)")
            #expect(stand.told.reasons.isEmpty, "seed \(seed)")
            swap = rebuilt?.swap
        }
        return try #require(swap)
    }

    /// The median, since the machine may take its time with any one of them.
    @Test func `changes generations within 50 ms, and keeps no reader waiting longer`() throws {
        try withStand(chunk: 64) { stand in
            var people = People(stand: stand, random: Seeded(5))
            try stand.append([stand.configured()] + people.batch(300))
            try stand.views.project()
            var (swaps, waits): ([Duration], [Duration]) = ([], [])
            for round in 0..<31 {
                let later = people.batch(3)
                let reader = Waiting(stand.views)
                try stand.append(later)
                let rebuilt = try stand.views.rebuild(anew: true)
                waits.append(try reader.end())
                swaps.append(rebuilt.swap)
                #expect(stand.views.generation == round + 2)
            }
            #expect(swaps.sorted()[15] < .milliseconds(50), "\(swaps)")
            #expect(waits.sorted()[15] < .milliseconds(50), "\(waits)")
        }
    }

    @Test func `a read that is under way at the swap ends in the generation it began in`() throws {
        try withStand { stand in
            var people = People(stand: stand, random: Seeded(1))
            try stand.append([stand.configured()] + people.batch(40))
            try stand.views.project()
            let later = people.batch(10)
            weak var old: Generation?
            let (position, rows) = try stand.views.read { tables, transaction in
                old = try stand.views.serving()
                #expect(old != nil)
                let before = try tables.replicas.all(transaction)
                let (views, log, sealer) = (stand.views, stand.log, stand.sealer)
                let rebuilt = onThread {
                    _ = try log.append(try sealer.seal(later))
                    try views.rebuild()
                    // A read that begins now is of the new one.
                    return try views.read { try $0.position($1).sequence }
                }
                #expect(try rebuilt.get() == 51)
                #expect(try tables.replicas.all(transaction) == before)
                return (try tables.position(transaction).sequence, before.count)
            }
            #expect(position == 41)
            #expect(rows > 0)
            #expect(old == nil, "the old environment closes with its last reader")
            #expect(!FileManager.default.fileExists(atPath: stand.path("views/1")))
        }
    }

    @Test func `a reader in another process follows at its next read`() async throws {
        let stand = try Stand()
        var people = People(stand: stand, random: Seeded(2))
        try stand.append([stand.configured()] + people.batch(20))
        try stand.views.project()
        #expect(try stand.views.read { try $0.position($1).sequence } == 21)
        let path = stand.directory
        await #expect(processExitsWith: .success) { [path = path as String] in
            let other = try Stand(at: path)
            var people = People(stand: other, random: Seeded(3), first: 5_000)
            for _ in 0..<3 {
                try other.append(people.batch(5))
                try other.views.rebuild()
            }
            precondition(other.views.generation == 4)
            try other.close()
        }
        #expect(stand.views.generation == 1)
        #expect(try stand.views.read { try $0.position($1).sequence } == 36)
        #expect(stand.views.generation == 4)
        #expect(try stand.views.isSound())
        try stand.append(people.batch(3))
        #expect(try stand.views.project() == 39)
        #expect(try stand.views.verify().isIdentical)
        try stand.end()
    }

    @Test func `one that was stopped is named with its position, and goes on from there`() throws {
        try withStand(chunk: 10) { stand in
            var people = People(stand: stand, random: Seeded(4))
            try stand.append([stand.configured()] + people.batch(299))
            try stand.views.project()
            let digest = try stand.views.digest()
            #expect(try stand.views.status().building == nil)
            try stopRebuild(stand, at: 50)
            #expect(try stand.views.digest() == digest)
            for _ in 0..<2 {
                let left = try #require(try stand.views.status().building)
                #expect(left.generation == 2)
                #expect(left.position == 50)
                #expect(left.reason == nil)
                #expect(left.builder == nil)
                try stand.reopen()
            }
            let rebuilt = try stand.views.rebuild()
            #expect(rebuilt.resumedFrom == 50)
            #expect(rebuilt.events == 250)
            #expect(rebuilt.swap <= rebuilt.duration)
            #expect(try stand.views.status().building == nil)
            #expect(try stand.views.digest() == digest)
            try stopRebuild(stand, at: 30)
            #expect(try stand.views.rebuild(anew: true).resumedFrom == 0)
            #expect(try stand.views.digest() == digest)
        }
    }

    @Test func `others are told who is at it, and how far that is`() throws {
        try withStand(chunk: 10) { stand in
            var people = People(stand: stand, random: Seeded(8))
            try stand.append([stand.configured()] + people.batch(299))
            var told: ViewStore.Building?
            try stand.views.rebuild(progress: { progress in
                if progress.position == 10 { told = try? stand.views.status().building }
            })
            #expect(told?.builder?.process == getpid())
            #expect(told?.builder?.progress.end == 300)
            #expect(try stand.views.status().building == nil)
        }
    }

    @Test func `one of another history, version or of damaged rows is begun anew`() throws {
        try withStand(chunk: 10) { stand in
            var people = People(stand: stand, random: Seeded(5))
            for _ in 0..<6 { try stand.append(people.batch(50)) }
            try stand.views.project()
            let digest = try stand.views.digest()
            let changes: [(inout PositionRow) -> Void] = [
                { $0.version += 1 }, { $0.boundaryRoot[0] ^= 1 }, { $0.sequence = 1_000 },
            ]
            for change in changes {
                try stopRebuild(stand, at: 150)
                try stand.changePosition(of: stand.views.generation + 1, change)
                #expect(try stand.views.status().building?.reason != nil)
                #expect(try stand.views.rebuild().resumedFrom == 0)
                #expect(try stand.views.digest() == digest)
            }
        }
    }

    @Test func `a second one at the same time is refused`() throws {
        try withStand(chunk: 5) { stand in
            var people = People(stand: stand, random: Seeded(6))
            try stand.append([stand.configured()] + people.batch(299))
            var refusal: (any Error)?
            try stand.views.rebuild(progress: { progress in
                guard refusal == nil, progress.position > 0 else { return }
                do { try stand.views.rebuild() } catch { refusal = error }
            })
            #expect(refusal as? ViewError == .beingRebuilt(process: getpid()))
        }
    }

    @Test func `the engine's lock is waited for, and what is appended meanwhile is folded`() throws
    {
        try withStand { stand in
            var people = People(stand: stand, random: Seeded(7))
            try stand.append([stand.configured()] + people.batch(20))
            let more = people.batch(120)
            var lock: EngineLock? = try EngineLock(path: stand.path("engine.lock"))
            var waited: [ViewStore.Progress] = []
            let rebuilt = try stand.views.rebuild(progress: { progress in
                guard progress.waitingFor != nil else { return }
                waited.append(progress)
                if waited.count == 2 { try? stand.append(more) }
                if progress.position == 141 { lock = nil }
            })
            #expect(lock == nil)
            #expect(waited.first?.waitingFor == getpid())
            #expect(rebuilt.position == 141)
        }
    }

    /// Stops a rebuild once it has folded up to a position.
    private func stopRebuild(_ stand: Stand, at position: UInt64) throws {
        var reached: UInt64 = 0
        #expect(throws: ViewError.cancelled(position: position, end: stand.log.end)) {
            try stand.views.rebuild(isCancelled: { reached >= position }) { reached = $0.position }
        }
    }
}

/// Events about a few people, as a seed gives them.
struct People {
    private let stand: Stand
    private var random: Seeded
    private var number: Int

    init(stand: Stand, random: Seeded, first: Int = 1_000) {
        self.stand = stand
        self.random = random
        number = first
    }

    mutating func batch(_ count: Int) -> [Draft] { (0..<count).map { _ in draft() } }

    private mutating func draft() -> Draft {
        number += 1
        let person = random.next(4)
        switch random.next(6) {
        case 0, 1, 2: return stand.observed(person, "N\(random.next(4))", number)
        case 3: return stand.linked(person, number)
        case 4:
            let kind: DecisionKind = random.next(3) == 0 ? .contested : .moved
            return stand.decided(
                person, kind, "N\(random.next(4))", version: UInt64(number), number)
        default: return stand.gone(person, number)
        }
    }
}

/// A thread that appends and, where the lock is free, projects, and one that reads all the while.
private final class Traffic: Sendable {
    private let problems = Mutex<[String]>([])
    private let isOver = Atomic(false)
    private let threads = Monitor(2)

    init(_ stand: Stand, appending batches: [[Draft]]) {
        let (views, log, sealer) = (stand.views, stand.log, stand.sealer)
        let lock = stand.path("engine.lock")
        start {
            for batch in batches {
                _ = try log.append(try sealer.seal(batch))
                do {
                    let lock = try EngineLock(path: lock)
                    try withExtendedLifetime(lock) { _ = try views.project() }
                } catch EngineLockError.heldElsewhere {
                    // The rebuild is at its last step.
                }
            }
        }
        start { try self.readAll(views) }
    }

    /// Reads until it is over; nothing may be older than what was read before.
    private func readAll(_ views: ViewStore) throws {
        var position: UInt64 = 0
        var looks: [ReplicaID: UInt64] = [:]
        repeat {
            try views.read { tables, transaction in
                let now = try tables.position(transaction).sequence
                if now < position { complain("position \(now) after \(position)") }
                position = now
                for row in try tables.replicas.all(transaction) {
                    let look = max(row.lastLook, row.lastSettled)
                    if look > now { complain("a row of \(look) at \(now)") }
                    if look < looks[row.replica, default: 0] { complain("a stale row of \(look)") }
                    looks[row.replica] = look
                }
            }
        } while !isOver.load(ordering: .relaxed)
    }

    private func start(_ body: @escaping @Sendable () throws -> Void) {
        let thread = Thread {
            do { try body() } catch { self.complain("\(error)") }
            self.threads.update { $0 -= 1 }
        }
        thread.stackSize = 8 << 20
        thread.start()
    }

    private func complain(_ problem: String) { problems.withLock { $0.append(problem) } }

    /// Waits for both threads; what went wrong in them.
    func end() -> [String] {
        isOver.store(true, ordering: .relaxed)
        threads.wait { $0 == 0 ? () : nil }
        return problems.withLock { $0 }
    }
}

/// One who reads a record over and over, and how long a read took at most.
private final class Waiting: Sendable {
    private let isOver = Atomic(false)
    private let longest = Inbox<Result<Duration, any Error>>()

    init(_ views: ViewStore) {
        let thread = Thread { [self] in
            longest.put(
                Result {
                    var most = Duration.zero
                    while !isOver.load(ordering: .relaxed) {
                        let took = try ContinuousClock().measure {
                            _ = try views.read { try $0.position($1) }
                        }
                        most = max(most, took)
                    }
                    return most
                })
        }
        thread.stackSize = 8 << 20
        thread.start()
    }

    func end() throws -> Duration {
        isOver.store(true, ordering: .relaxed)
        return try longest.take().get()
    }
}

/// Runs something on a thread of its own and blocks until it is done.
private func onThread<R: Sendable>(
    _ body: @escaping @Sendable () throws -> R
) -> Result<R, any Error> {
    let done = Inbox<Result<R, any Error>>()
    let thread = Thread { done.put(Result { try body() }) }
    thread.stackSize = 8 << 20
    thread.start()
    return done.take()
}
