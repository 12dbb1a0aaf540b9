import LMDB

/// Re-derives everything that a ledger's log claims, and says what that covers.
///
/// Every entry is hashed again and held against the root of every commit; the hash tiles are made anew
/// from these hashes and compared; every body against the
/// length and SHA-256 in its entry; sequences are gapless and times grow; bundles' offsets fit; the
/// data keys of sealed parts are there; the index finds every event and has no other rows. It reads
/// only, opens nothing for writing, and needs no master key; appends may go on beside it. It goes on
/// behind damage, also where opening the ledger would refuse.
package struct Scrub: Sendable {
    private let directory: String
    private let ledger: LedgerID

    /// A scrub of the log in `log/`, the index in `index/` and the keys in `keys/` of a directory.
    package init(directory: String, ledger: LedgerID) {
        self.directory = directory
        self.ledger = ledger
    }

    /// Reads everything once; blocks, and takes memory that does not grow with the log.
    ///
    /// - Parameter progress: Is told the last sequence that was read, and the last that will be.
    /// - Returns: what was read, what is damaged, and what that does not cover.
    /// - Throws: `LMDBError` where the log cannot be opened at all, `LogError.newerFormat`,
    ///   `LogError.otherLedger`. Damage is no error; it stands in the report.
    package func run(
        progress: (_ position: UInt64, _ end: UInt64) -> Void = { _, _ in }
    ) throws -> ScrubReport {
        var report = ScrubReport()
        guard Environment.exists(at: directory + "/log") else {
            report.add(nil, "the log of this ledger is missing", fix: .log)
            return report
        }
        var options = Options()
        options.mapSize = 1 << 40
        options.readOnly = true
        let environment = try Environment(
            at: directory + "/log", tables: LogTables.names, optional: LogTables.optionalNames,
            options: options)
        defer { try? environment.close() }
        let tables = LogTables(environment)
        let (heads, tiles) = try environment.read { transaction in
            _ = try tables.isClaimed(transaction, by: ledger)
            return (
                try Heads(tables, transaction, &report), try TileAudit(tables, transaction)
            )
        }
        let keys = KeyAudit(directory: directory + "/keys")
        var events = EventAudit(tables: tables, heads: heads.sound, tiles: tiles, keys: keys)
        events.report = report
        var rows = RowAudit(events, tables: tables, size: heads.size)
        var index = Result { try IndexAudit(directory: directory + "/index") }
        while try rows.step(environment) {
            index = index.flatMap { audit in
                Result {
                    var audit = audit
                    try audit?.take(rows.found)
                    return audit
                }
            }
            progress(rows.position, heads.size)
        }
        report = try environment.read { try rows.finish($0) }
        switch index {
        case .success(var audit):
            audit?.finish(size: heads.size, &report)
        case .failure(let error):
            report.add(nil, "the index cannot be read (\(error))", fix: .index)
        }
        Self.nameLimits(&report)
        return report
    }

    /// Makes every hash tile anew from the entries, which must be sound; blocks until all are durable.
    ///
    /// Each commit makes a few, so appends may go on beside it, and what was made stays if it ends
    /// early.
    ///
    /// - Returns: the last event that stands in a tile.
    /// - Throws: `LMDBError`, `LogError.newerFormat`, `LogError.otherLedger`, `LogError.damaged`.
    package func mendTiles() throws -> UInt64 {
        var options = Options()
        options.mapSize = 1 << 40
        let environment = try Environment(
            at: directory + "/log", tables: LogTables.names, options: options)
        defer { try? environment.close() }
        let tables = LogTables(environment)
        _ = try environment.read { try tables.isClaimed($0, by: ledger) }
        while try environment.write({ try tables.removeTiles($0) }) {}
        var last: UInt64 = 0
        while true {
            let next = try environment.write { try tables.tile($0) }
            if next == last { return last }
            last = next
        }
    }

    private static func nameLimits(_ report: inout ScrubReport) {
        report.leaveOut("what sealed parts say: their bytes were compared, not opened")
        report.leaveOut("whether the views are what the log folds to: `projector verify` tells")
        report.leaveOut(
            "whether the log ends where it ended: one cut back to an earlier commit looks whole")
    }
}

/// Where the log ends by its own word.
private struct Heads {
    /// The last sequence; by the commits where the head cannot be read.
    var size: UInt64 = 0
    /// Those heads that the commits bear out.
    var sound: [LogHead] = []

    init(
        _ tables: LogTables, _ transaction: borrowing ReadTransaction,
        _ report: inout ScrubReport
    ) throws {
        for (key, name) in [(LogTables.headKey, "head"), (LogTables.beforeKey, "head before")] {
            guard let head = try? LogTables.head(transaction.bytes(tables.meta, key: key)),
                try head.size == 0
                    || transaction.bytes(tables.commits, key: bigEndianBytes(head.size))
                        == head.root
            else {
                report.add(nil, "the log's \(name) is not what its commits say", fix: .log)
                continue
            }
            sound.append(head)
            size = max(size, head.size)
        }
        let lastEvent = try transaction.lastKey(tables.events).flatMap { bigEndianInteger($0) } ?? 0
        try transaction.scan(tables.commits, reversed: true) { key, _ in
            guard let end = BigEndianKey(key)?.value else { return .next }
            if end != size, sound.count == 2 {
                report.add(nil, "the log's head is not its last commit", fix: .log)
            }
            // A spoilt number must not make us look for events that never were.
            size = max(size, min(end, lastEvent))
            return .stop
        }
    }
}
