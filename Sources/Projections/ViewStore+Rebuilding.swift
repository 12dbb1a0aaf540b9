import LMDB
package import Ledger
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Rebuilding: a new generation beside the one that serves, and the change from one to the other.
extension ViewStore {
    package struct Progress: Sendable, Equatable {
        package var position: UInt64
        package var end: UInt64
        /// Over the last seconds.
        package var perSecond: Double
        package var secondsLeft: Double?
        /// The process that holds the engine lock, once nothing but the change of generations is left.
        package var waitingFor: Int32?

        package init(
            position: UInt64, end: UInt64, perSecond: Double, waitingFor: Int32? = nil
        ) {
            self.position = position
            self.end = end
            self.perSecond = perSecond
            secondsLeft = perSecond > 0 ? Double(end - min(end, position)) / perSecond : nil
            self.waitingFor = waitingFor
        }
    }

    /// Folds the whole log into a new generation and lets that one serve; the old one is removed.
    ///
    /// Appends and reads, and what the engine projects, go on meanwhile. Only for the last step, when
    /// all but the newest events are folded, is the engine lock taken, and waited for where another
    /// holds it. Reads go on in the old generation until the new one is named, and those that are under
    /// way end there: its environment closes with the last of them.
    ///
    /// A rebuild that was stopped, by `isCancelled` or with its process, left what it had folded. It is
    /// gone on from there where that stands on this log's history and this code folded it.
    ///
    /// `anew` begins with the first event even so. `isCancelled` is asked every few thousand events.
    ///
    /// - Throws: `ViewError.cancelled`; `ViewError.beingRebuilt` while another rebuild goes on;
    ///   `ViewError.otherHistory` when the log is not what its roots say.
    /// - Returns: what it did, and how long the engine had to wait for it.
    @discardableResult
    package func rebuild(
        anew: Bool = false, isCancelled: () -> Bool = { false },
        progress: (Progress) -> Void = { _ in }
    ) throws -> Rebuilt {
        try rebuild(
            anew: anew, holdsEngineLock: false, isCancelled: isCancelled, progress: progress)
    }

    func rebuild(
        anew: Bool = false, holdsEngineLock: Bool, isCancelled: () -> Bool = { false },
        progress: (Progress) -> Void
    ) throws -> Rebuilt {
        let lock = try directory.rebuildLock()
        defer { withExtendedLifetime(lock) {} }
        let old = try serving().number
        try directory.removeLeftovers(below: old)
        func attempt(anew: Bool, inPasses: Bool) throws -> Rebuilt {
            let fresh = try makeFresh(above: old, anew: anew)
            building.withLock { $0 = fresh }
            defer { building.withLock { $0 = nil } }
            return try complete(
                fresh, inPasses: inPasses, holdsEngineLock: holdsEngineLock,
                isCancelled: isCancelled, progress: progress)
        }
        func build(anew: Bool) throws -> Rebuilt {
            do {
                return try attempt(anew: anew, inPasses: true)
            } catch is CannotLoad {
                return try attempt(anew: true, inPasses: false)
            }
        }
        let rebuilt: Rebuilt
        do {
            rebuilt = try build(anew: anew)
        } catch ViewError.damagedRow where !anew {
            // What was left half-built is not worth a second look: the log has it all.
            rebuilt = try build(anew: true)
        }
        try directory.makeDurable()
        try directory.remove(old)
        return rebuilt
    }

    /// Folds until the end of the log is in sight, then takes the last step; closes what it leaves.
    private func complete(
        _ fresh: Generation, inPasses: Bool, holdsEngineLock: Bool, isCancelled: () -> Bool,
        progress: (Progress) -> Void
    ) throws -> Rebuilt {
        let clock = ContinuousClock()
        let began = clock.now
        do {
            let start = try fresh.folded()
            var pace = Pace(at: .zero, position: start)
            var noted: ContinuousClock.Instant?
            defer { directory.removeNote() }
            func tell(_ position: UInt64, _ end: UInt64, waitingFor process: Int32? = nil) {
                pace.reach(position, at: clock.now - began)
                let state = pace.progress(to: end, waitingFor: process)
                if noted.map({ clock.now - $0 > .milliseconds(500) }) ?? true {
                    directory.leave(BuilderNote(process: getpid(), progress: state))
                    noted = clock.now
                }
                progress(state)
            }
            func reach(_ position: UInt64, _ end: UInt64) throws {
                tell(position, end)
                if isCancelled() { throw ViewError.cancelled(position: position, end: end) }
            }
            let name = try directory.prepareToServe(fresh.number)
            func isStopped(_ folded: UInt64) -> Bool {
                tell(folded, log.end)
                return isCancelled()
            }
            let end = try log.refresh()
            try reach(start, end)
            if inPasses {
                try load(fresh, through: end, isStopped: isStopped, reach: { try reach($0, end) })
            }
            try catchUp(fresh, isStopped: isStopped, reach: reach)
            let lock =
                holdsEngineLock
                ? nil
                : try waitForEngineLock { process in
                    try catchUp(fresh, isStopped: isStopped, reach: reach)
                    tell(try fresh.position(), log.end, waitingFor: process)
                }
            defer { withExtendedLifetime(lock) {} }
            let lastStep = clock.now
            let position = try fold(into: fresh, through: try log.refresh())
            try serve(fresh, as: name)
            let rebuilt = Rebuilt(
                generation: fresh.number, position: position, resumedFrom: start,
                duration: clock.now - began, swap: clock.now - lastStep)
            tell(position, position)
            return rebuilt
        } catch {
            try fresh.environment.close()
            throw error
        }
    }

    /// Takes the engine lock; `meanwhile` runs again and again while a process holds it.
    private func waitForEngineLock(
        meanwhile: (_ process: Int32) throws -> Void
    ) throws -> EngineLock {
        while true {
            do {
                return try directory.engineLock()
            } catch EngineLockError.heldElsewhere(let process) {
                try meanwhile(process)
                usleep(5_000)
            }
        }
    }

    /// Folds until little is left for the last step, or until appends come faster than that.
    private func catchUp(
        _ fresh: Generation, isStopped: (_ folded: UInt64) -> Bool,
        reach: (_ position: UInt64, _ end: UInt64) throws -> Void
    ) throws {
        var rest = UInt64.max
        while true {
            let end = try log.refresh()
            let position = try fresh.position()
            try reach(position, end)
            let before = rest
            rest = end - min(end, position)
            guard rest > Self.lastStep, rest < before else { return }
            try fold(into: fresh, through: end, isStopped: isStopped, reach: { try reach($0, end) })
        }
    }

    /// Events that the last step may fold: a few milliseconds' worth.
    private static var lastStep: UInt64 { 100 }

    /// Opens what an earlier rebuild left, where it can be gone on with, or begins an empty one.
    private func makeFresh(above serving: Int, anew: Bool) throws -> Generation {
        let number = serving + 1
        func open() throws -> Generation {
            try Generation(
                number: number, at: directory.path(of: number), sealer: sealer, blind: blind)
        }
        if !anew, directory.holds(number) {
            do {
                let left = try open()
                if try fault(of: left) == nil { return left }
                try left.environment.close()
            } catch let error as LMDBError where error.code.isDamage {
                // As if it had not been there.
            }
        }
        try directory.remove(number)
        return try open()
    }

    package struct Verification: Sendable {
        package var position: UInt64
        package var serving: Hash
        package var rebuilt: Hash
        package var isIdentical: Bool { serving == rebuilt }
    }

    /// Folds the log beside the serving generation and compares the digests of their decrypted rows.
    ///
    /// Both at one position, whatever is appended meanwhile. Only for the holder of the engine lock.
    package func verify(progress: (Progress) -> Void = { _ in }) throws -> Verification {
        let end = try project()
        let serving = try serving()
        let clock = ContinuousClock()
        let began = clock.now
        func build(inPasses: Bool) throws -> (UInt64, Hash) {
            try directory.remove(directory.verifyPath)
            let fresh = try Generation(
                number: 0, at: directory.verifyPath, sealer: sealer, blind: blind)
            var pace = Pace(at: .zero, position: 0)
            func reach(_ position: UInt64) {
                pace.reach(position, at: clock.now - began)
                progress(pace.progress(to: end))
            }
            let built = Result {
                if inPasses { try load(fresh, through: end, reach: reach) }
                return (try fold(into: fresh, through: end, reach: reach), try fresh.digest())
            }
            try fresh.environment.close()
            try directory.remove(directory.verifyPath)
            return try built.get()
        }
        let (position, rebuilt): (UInt64, Hash)
        do {
            (position, rebuilt) = try build(inPasses: true)
        } catch is CannotLoad {
            (position, rebuilt) = try build(inPasses: false)
        }
        return Verification(position: position, serving: try serving.digest(), rebuilt: rebuilt)
    }
}
