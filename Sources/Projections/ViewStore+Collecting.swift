import LMDB
import Ledger

extension ViewStore {
    /// What is wanted of every row of a table, in key order.
    ///
    /// Rows are opened a few thousand at a time, each time in a read transaction of its own: a table
    /// of many people takes longer than one may last. So it is the state of one moment only for the
    /// holder of the engine lock, while nobody else folds. A row for which `wanted` is `nil` is
    /// passed over.
    ///
    /// - Throws: `ViewError`, `LMDBError`, and what `wanted` throws.
    package func collect<Row, Kept>(
        from table: (ViewTables) -> RowTable<Row>, _ wanted: (Row) throws -> Kept?
    ) throws -> [Kept] {
        var kept: [Kept] = []
        var last: [UInt8]?
        repeat {
            last = try read { tables, transaction in
                try table(tables).slice(after: last, limit: Self.rowsPerRead, transaction) { row in
                    if let wanted = try wanted(row) { kept.append(wanted) }
                }
            }
        } while last != nil
        return kept
    }

    private static var rowsPerRead: Int { 4_096 }
}

extension RowTable {
    /// Walks some rows behind a key; returns the last of them where there may be more.
    fileprivate func slice(
        after key: [UInt8]?, limit: Int, _ transaction: borrowing ReadTransaction,
        _ body: (Row) throws -> Void
    ) throws -> [UInt8]? {
        var left = limit
        var last: [UInt8]?
        try scan(key.map { .after($0) } ?? .all, transaction) { key, row in
            try body(row)
            left -= 1
            last = key
            return left > 0 ? .next : .stop
        }
        return left > 0 ? nil : last
    }
}
