package import Ledger

extension Workplace {
    /// Reads a ledger's log again without opening the ledger, so also where that would refuse.
    ///
    /// - Throws: `WorkplaceError`, `LMDBError`, `LogError.newerFormat`, `LogError.otherLedger`.
    package static func scrub(
        at directory: String, progress: (_ position: UInt64, _ end: UInt64) -> Void
    ) throws -> ScrubReport {
        let identity = try LedgerFile(directory: directory)
        var report = try Scrub(directory: directory, ledger: identity.id).run(progress: progress)
        do {
            _ = try MasterKey(epoch: 1, bytes: try masterBytes(directory))
        } catch {
            report.add("the master key cannot be used", fix: "\(error)")
        }
        return report
    }

    /// Makes the hash tiles of a ledger's log anew, which must be sound but for them.
    ///
    /// - Returns: the last event that stands in a tile.
    /// - Throws: `WorkplaceError`, `LMDBError`, `LogError`.
    package static func mendTiles(at directory: String) throws -> UInt64 {
        let identity = try LedgerFile(directory: directory)
        return try Scrub(directory: directory, ledger: identity.id).mendTiles()
    }
}
