import LMDB
import Synchronization

/// When single events are sealed into bundles and get their hash tiles, and how many at a time.
///
/// The writer does it when it has been quiet, until less than 512 stand single. While appends come
/// one after the other it does it between their commits: behind each, 8,192 single events stand at
/// most. A log with more, as format 1 has, is made shorter by at least 4,096 a commit.
extension EventLog {
    private static var mostSingles: UInt64 { 8_192 }
    private static var eventsPerSealing: UInt64 {
        UInt64(LogTables.bundlesPerSealing * Bundle.mostEvents)
    }

    /// Seals the oldest full runs, 4,096 events at most, and makes the next hash tiles, of 8,192 at most,
    /// in a commit of their own; blocks until the disk has it.
    ///
    /// - Returns: whether more full runs stand single, or more tiles can be made.
    /// - Throws: `LMDBError`, `LogError`; everything stands as before then, and reads as before.
    @discardableResult
    package func seal() throws -> Bool {
        let before = tiled
        guard
            LogTables.hasRun(sealed: sealed, of: end) || LogTables.hasTile(tiled: before, of: end)
        else { return false }
        let (last, lastTiled) = try environment.write { transaction in
            (try tables.seal(transaction), try tables.tile(transaction))
        }
        sealedEnd.withLock { $0 = max($0, last) }
        tiledEnd.withLock { $0 = max($0, lastTiled) }
        // Where tiles cannot be made, trying again at once would not help.
        return LogTables.hasRun(sealed: last, of: end)
            || lastTiled > before && LogTables.hasTile(tiled: lastTiled, of: end)
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
    private var tiled: UInt64 { tiledEnd.withLock { $0 } }
}
