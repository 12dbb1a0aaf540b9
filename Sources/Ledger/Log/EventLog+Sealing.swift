import LMDB
import Synchronization

/// When single events are sealed into bundles, and how many at a time.
///
/// The writer does it when it has been quiet, until less than 512 stand single. While appends come
/// one after the other it does it between their commits: behind each, 8,192 single events stand at
/// most. A log with more, as format 1 has, is made shorter by at least 4,096 a commit.
extension EventLog {
    private static var mostSingles: UInt64 { 8_192 }
    private static var eventsPerSealing: UInt64 {
        UInt64(LogTables.bundlesPerSealing * Bundle.mostEvents)
    }

    /// Seals the oldest full runs, 4,096 events at most, in a commit of their own; blocks until the
    /// disk has it.
    ///
    /// - Returns: whether more full runs stand single.
    /// - Throws: `LMDBError`, `LogError`; everything stands as before then, and reads as before.
    @discardableResult
    package func seal() throws -> Bool {
        guard LogTables.hasRun(sealed: sealed, of: end) else { return false }
        let last = try environment.write { try tables.seal($0) }
        sealedEnd.withLock { $0 = max($0, last) }
        return LogTables.hasRun(sealed: last, of: end)
    }

    /// The part that a commit of so many events takes in the sealing; on the writer's thread.
    ///
    /// A failure is not the append's, which is durable: what was to be sealed stays single.
    func sealShare(behind events: UInt64) {
        let goal = sealed + events + Self.eventsPerSealing
        while sealed < goal, end > sealed + Self.mostSingles {
            guard (try? seal()) == true else { return }
        }
    }

    private var sealed: UInt64 { sealedEnd.withLock { $0 } }
}
