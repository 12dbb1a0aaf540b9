import Crypto
package import LMDB
package import Ledger

/// The tables of one generation of views.
///
/// They are read in any transaction; only the fold writes them.
package struct ViewTables: Sendable {
    static let names = [
        "replicas", "records", "commands", "connections", "conflicts", "questions",
        "lookups", "open_commands", "rules", "standings", "parked", "meta",
    ]
    /// Grows when a projector folds differently: older generations are then rebuilt.
    package static var version: UInt64 { 17 }

    package let replicas: RowTable<ReplicaRow>
    package let records: RowTable<RecordRow>
    package let commands: RowTable<CommandRow>
    package let connections: RowTable<ConnectionRow>
    package let conflicts: RowTable<ConflictRow>
    package let questions: RowTable<QuestionRow>
    package let rules: RowTable<RulesRow>
    /// Where each record stands with each connection: the three buckets, and what is on its way.
    package let standings: RowTable<StandingRow>
    /// Events that could not be folded.
    package let parked: RowTable<ParkedRow>
    let positions: RowTable<PositionRow>
    let lookups: Table
    let openCommands: Table
    /// What makes every blind key.
    private let blinding: KeyedHash

    init(_ environment: Environment, keys: KeyRing, ledger: LedgerID, blind: SymmetricKey) {
        func rows<Row>(_ name: String) -> RowTable<Row> {
            RowTable(table: environment.table(name), keys: keys, ledger: ledger)
        }
        replicas = rows("replicas")
        records = rows("records")
        commands = rows("commands")
        connections = rows("connections")
        conflicts = rows("conflicts")
        questions = rows("questions")
        rules = rows("rules")
        standings = rows("standings")
        parked = rows("parked")
        positions = rows("meta")
        lookups = environment.table("lookups")
        openCommands = environment.table("open_commands")
        blinding = KeyedHash(key: blind)
    }

    // MARK: - Exact lookups through keys that only this ledger can make

    /// The replica that stands for a remote object.
    package func replica(
        remoteID: String, kind: String, connection: ConnectionID,
        _ transaction: borrowing some Reading & ~Copyable
    ) throws -> ReplicaID? {
        try transaction.bytes(
            lookups, key: remoteKey(remoteID, kind: kind, connection: connection)
        ).flatMap { ReplicaID(bytes: $0) }
    }

    /// The live replicas that hold a key's content, such as an e-mail.
    package func replicas(
        field: String, content: String, entity: String,
        _ transaction: borrowing some Reading & ~Copyable
    ) throws -> [ReplicaID] {
        try replicas(
            behind: contentKey(field: field, content: content, entity: entity), transaction)
    }

    /// The objects that live on as the one with this id.
    package func replicas(
        convertedInto remoteID: String, entity: String, connection: ConnectionID,
        _ transaction: borrowing some Reading & ~Copyable
    ) throws -> [ReplicaID] {
        try replicas(
            behind: successorKey(remoteID, entity: entity, connection: connection), transaction)
    }

    private func replicas(
        behind prefix: [UInt8], _ transaction: borrowing some Reading & ~Copyable
    ) throws -> [ReplicaID] {
        var found: [ReplicaID] = []
        try transaction.scan(lookups, .prefix(prefix)) { key, _ in
            if let replica = ReplicaID(bytes: key.copy().suffix(16)) { found.append(replica) }
            return .next
        }
        return found
    }

    /// Commands that are issued or uncertain.
    package func openCommandIDs(
        _ transaction: borrowing some Reading & ~Copyable
    ) throws -> [CommandID] {
        var found: [CommandID] = []
        try transaction.scan(openCommands) { key, _ in
            if let command = CommandID(bytes: key.copy()) { found.append(command) }
            return .next
        }
        return found
    }

    package func position(
        _ transaction: borrowing some Reading & ~Copyable
    ) throws -> PositionRow {
        try positions.row(Self.positionKey, transaction) ?? PositionRow()
    }

    func remoteKey(_ remoteID: String, kind: String, connection: ConnectionID) -> [UInt8] {
        blinded([UInt8(ascii: "r")], [Array(kind.utf8), connection.bytes, Array(remoteID.utf8)])
    }

    func successorKey(_ remoteID: String, entity: String, connection: ConnectionID) -> [UInt8] {
        blinded(
            [UInt8(ascii: "s")],
            [Array(entity.utf8), connection.bytes, Array(remoteID.lowercased().utf8)])
    }

    /// Alike is what differs by case or by the width of its gaps only.
    func contentKey(field: String, content: String, entity: String) -> [UInt8] {
        let plain = content.lowercased().split(whereSeparator: \.isWhitespace)
            .joined(separator: " ")
        return blinded(
            [UInt8(ascii: "c")], [Array(entity.utf8), Array(field.utf8), Array(plain.utf8)])
    }

    private func blinded(_ kind: [UInt8], _ parts: [[UInt8]]) -> [UInt8] {
        // In one piece: each piece costs more than copying it.
        var bytes: [UInt8] = []
        for part in [kind] + parts {
            bytes += bigEndianBytes(UInt64(part.count))
            bytes += part
        }
        return kind + blinding.code(of: bytes).prefix(24)
    }

    static let positionKey = Array("position".utf8)
}
