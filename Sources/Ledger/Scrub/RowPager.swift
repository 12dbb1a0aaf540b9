import LMDB

/// Reads the rows of a table beside another scan, a page at a time.
struct RowPager {
    private let table: Table
    private let copiesValues: Bool
    private var last: [UInt8]?
    private var rows: ArraySlice<(key: [UInt8], value: [UInt8])> = []

    private static var page: Int { 1_024 }

    init(_ table: Table, copiesValues: Bool) {
        self.table = table
        self.copiesValues = copiesValues
    }

    /// The next row; it stays the next until it is dropped.
    mutating func next(
        _ transaction: borrowing ReadTransaction
    ) throws -> (key: [UInt8], value: [UInt8])? {
        if rows.isEmpty {
            var page: [(key: [UInt8], value: [UInt8])] = []
            try transaction.scan(table, last.map { .after($0) } ?? .all) { key, value in
                page.append((key.copy(), copiesValues ? value.copy() : []))
                return page.count < Self.page ? .next : .stop
            }
            rows = page[...]
            last = page.last?.key ?? last
        }
        return rows.first
    }

    mutating func drop() { rows.removeFirst() }
}
