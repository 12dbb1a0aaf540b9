import LMDB
import Ledger

/// The rows that a fold adds to one table behind all others, and reads no more.
final class AppendedRows<Row: WireMessage> {
    private let table: RowTable<Row>
    private var added: [(key: [UInt8], row: Row?)] = []

    init(_ table: RowTable<Row>) { self.table = table }

    /// Adds a row; each key is above the last.
    func append(_ row: Row, _ key: [UInt8]) { added.append((key, row)) }

    /// What was added since it was last taken, sealed on all cores.
    func takeChanges() throws -> (table: Table, rows: [(key: [UInt8], value: [UInt8])]) {
        defer { added = [] }
        return (table.table, try inPieces(added) { [table] in try table.closed($0) })
    }
}
