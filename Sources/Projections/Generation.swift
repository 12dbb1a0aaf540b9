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

    /// The last event folded.
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
    func digest() throws -> Hash {
        var hash = SHA256()
        func add(_ bytes: [UInt8]) {
            hash.update(data: bigEndianBytes(UInt64(bytes.count)))
            hash.update(data: bytes)
        }
        func addRows<Row: ViewRow>(
            _ rows: RowTable<Row>, _ transaction: borrowing ReadTransaction
        ) throws {
            try rows.scan(transaction) { key, row in
                add(key)
                let (plain, sealed) = row.encodedWithParts()
                add(plain)
                for group in sealed {
                    add(group.subject.bytes)
                    add(SealedBody.bytes(of: group.values))
                }
                return .next
            }
        }
        try environment.read { transaction in
            try addRows(tables.replicas, transaction)
            try addRows(tables.records, transaction)
            try addRows(tables.commands, transaction)
            try addRows(tables.connections, transaction)
            try addRows(tables.conflicts, transaction)
            try addRows(tables.questions, transaction)
            try addRows(tables.rules, transaction)
            try addRows(tables.standings, transaction)
            try addRows(tables.parked, transaction)
            for table in [tables.lookups, tables.openCommands] {
                try transaction.scan(table) { key, value in
                    add(key.copy())
                    add(value.copy())
                    return .next
                }
            }
        }
        return Array(hash.finalize())
    }
}
