import LMDB
import Ledger

extension ViewStore {
    /// What is wanted of every row of a table, in key order.
    ///
    /// Rows are read a few thousand at a time, each time in a read transaction of its own: a table of
    /// many people takes longer than one may last. So it is the state of one moment only for the
    /// holder of the engine lock, while nobody else folds. A row for which `wanted` is `nil` is
    /// passed over.
    ///
    /// - Throws: `ViewError`, `LMDBError`, and what `wanted` throws.
    package func collect<Row, Kept>(
        from table: (ViewTables) -> RowTable<Row>, _ wanted: (Row) throws -> Kept?
    ) throws -> [Kept] {
        try slices(of: table) {
            try $0.open($2, $1)
        } _: {
            try wanted($0)
        }
    }

    /// The same of the rows for which `isMeant`, which sees them with nothing of a person in them.
    ///
    /// Only those are opened.
    package func collect<Row, Kept>(
        from table: (ViewTables) -> RowTable<Row>, where isMeant: @Sendable (Row) -> Bool,
        _ wanted: (Row) throws -> Kept?
    ) throws -> [Kept] {
        try slices(of: table) { table, key, stored in
            guard isMeant(try table.unopened(stored, key)) else { return nil }
            return try table.open(stored, key)
        } _: {
            try wanted($0)
        }
    }

    /// The same without opening any of them.
    package func collect<Row, Kept>(
        unopenedFrom table: (ViewTables) -> RowTable<Row>, where isMeant: @Sendable (Row) -> Bool,
        _ wanted: (Row) -> Kept
    ) throws -> [Kept] {
        try slices(of: table) { table, key, stored in
            let row = try table.unopened(stored, key)
            return isMeant(row) ? row : nil
        } _: {
            wanted($0)
        }
    }

    /// The ids, or whatever else the keys of a table are, in their order.
    package func keys<Row>(of table: (ViewTables) -> RowTable<Row>) throws -> [[UInt8]] {
        var keys: [[UInt8]] = []
        repeat {
            let before = keys.count
            try read { tables, transaction in
                try table(tables).slice(after: keys.last, limit: Self.rowsPerRead, transaction) {
                    key, _ in keys.append(key.copy())
                }
            }
            if keys.count - before < Self.rowsPerRead { return keys }
        } while true
    }

    /// Rows are decoded on all cores, and asked for one after the other.
    private func slices<Row, Kept>(
        of table: (ViewTables) -> RowTable<Row>,
        _ decoded: @Sendable (RowTable<Row>, _ key: [UInt8], _ stored: [UInt8]) throws -> Row?,
        _ wanted: (Row) throws -> Kept?
    ) throws -> [Kept] {
        var kept: [Kept] = []
        var last: [UInt8]?
        repeat {
            var stored: [(key: [UInt8], value: [UInt8])] = []
            let rows = try read { tables, transaction in
                let table = table(tables)
                try table.slice(after: last, limit: Self.rowsPerRead, transaction) {
                    stored.append(($0.copy(), $1.copy()))
                }
                return table
            }
            last = stored.count < Self.rowsPerRead ? nil : stored.last?.key
            let found = try inParallel(stored) { try decoded(rows, $0.key, $0.value) }
            for case let row? in found { if let wanted = try wanted(row) { kept.append(wanted) } }
        } while last != nil
        return kept
    }

    private static var rowsPerRead: Int { 4_096 }
}

extension RowTable {
    /// Lends some rows behind a key, as they are stored.
    func slice(
        after key: [UInt8]?, limit: Int, _ transaction: borrowing ReadTransaction,
        _ body: (_ key: Span<UInt8>, _ stored: Span<UInt8>) throws -> Void
    ) throws {
        var left = limit
        try transaction.scan(self.table, key.map { .after($0) } ?? .all) { key, value in
            try body(key, value)
            left -= 1
            return left > 0 ? .next : .stop
        }
    }
}
