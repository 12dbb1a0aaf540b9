import Crypto
import LMDB
import Ledger

/// One generation of views: an environment and its tables.
final class Generation: Sendable {
    let number: Int
    let environment: Environment
    let tables: ViewTables

    private static let frontierKey = Array("frontier".utf8)

    init(
        number: Int, at path: String, sealer: Sealer, blind: SymmetricKey, readOnly: Bool = false
    ) throws {
        self.number = number
        var options = Options()
        options.mapSize = 256 << 30
        options.readOnly = readOnly
        // Of a chunk of events; the rows of people in it are some ten thousand, what is said of each
        // event stands close together. Far from the 128 thousand pages that LMDB holds in one.
        options.maximumOperations = 600_000
        options.maximumBytes = 192 << 20
        environment = try Environment(at: path, tables: ViewTables.names, options: options)
        tables = ViewTables(environment, keys: sealer.keys, ledger: sealer.ledger, blind: blind)
    }

    /// The last event folded; while it is loaded, the one up to which it is.
    func position() throws -> UInt64 {
        try environment.read { try tables.position($0).sequence }
    }

    /// How many events it was folded from so far.
    func folded() throws -> UInt64 {
        let position = try environment.read { try tables.position($0) }
        return position.loading?.folded ?? position.sequence
    }

    /// The position and the tree's edge there, which commit together.
    ///
    /// - Throws: `ViewError.damagedRow` when the one does not fit the other.
    func state(
        _ transaction: borrowing some Reading & ~Copyable
    ) throws -> (PositionRow, MerkleFrontier) {
        let edge = try transaction.bytes(environment.table("meta"), key: Self.frontierKey)
        let position = try tables.position(transaction)
        let frontier = edge.flatMap { try? WireDecoder.decode(MerkleFrontier.self, from: $0) }
        guard position.sequence == 0 || frontier?.root == position.root else {
            throw ViewError.damagedRow(table: "meta")
        }
        return (position, frontier ?? MerkleFrontier())
    }

    /// How many events it was folded from; `nil` where it was from none, or cannot tell.
    func knownEntries() throws -> UInt64? {
        do {
            let known = try position()
            return known > 0 ? known : nil
        } catch is ViewError {
            return nil
        }
    }

    func setState(
        _ position: PositionRow, _ frontier: MerkleFrontier,
        _ transaction: borrowing WriteTransaction
    ) throws {
        try tables.positions.put(position, ViewTables.positionKey, transaction)
        try transaction.put(
            environment.table("meta"), key: Self.frontierKey, value: WireEncoder.encode(frontier))
    }

    /// SHA-256 over every table's decrypted rows, in key order.
    ///
    /// Read some at a time, each time in a read transaction of its own: of one moment only while nobody
    /// folds.
    func digest() throws -> Hash {
        var hash = SHA256()
        func add(_ bytes: [UInt8]) {
            hash.update(data: bigEndianBytes(UInt64(bytes.count)))
            hash.update(data: bytes)
        }
        func eachSlice(
            of table: Table, _ body: ([(key: [UInt8], value: [UInt8])]) throws -> Void
        ) throws {
            var last: [UInt8]?
            repeat {
                var stored: [(key: [UInt8], value: [UInt8])] = []
                try environment.read { transaction in
                    try transaction.scan(table, last.map { .after($0) } ?? .all) { key, value in
                        stored.append((key.copy(), value.copy()))
                        return stored.count < Self.rowsPerRead ? .next : .stop
                    }
                }
                try body(stored)
                last = stored.count < Self.rowsPerRead ? nil : stored.last?.key
            } while last != nil
        }
        func addRows<Row: ViewRow>(_ rows: RowTable<Row>) throws {
            try eachSlice(of: rows.table) { stored in
                let opened = try inParallel(stored) {
                    ($0.key, try rows.open($0.value, $0.key).encodedWithParts())
                }
                for (key, (plain, sealed)) in opened {
                    add(key)
                    add(plain)
                    for group in sealed {
                        add(group.subject.bytes)
                        add(SealedBody.bytes(of: group.values))
                    }
                }
            }
        }
        try addRows(tables.replicas)
        try addRows(tables.records)
        try addRows(tables.commands)
        try addRows(tables.connections)
        try addRows(tables.conflicts)
        try addRows(tables.questions)
        try addRows(tables.rules)
        try addRows(tables.standings)
        try addRows(tables.parked)
        for table in [tables.lookups, tables.openCommands] {
            try eachSlice(of: table) { stored in
                for row in stored {
                    add(row.key)
                    add(row.value)
                }
            }
        }
        return Array(hash.finalize())
    }

    private static var rowsPerRead: Int { 4_096 }
}
