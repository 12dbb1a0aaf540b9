import LMDB
import Ledger
import Model

/// The records whose rows changed since their standings were last folded.
// A class, for one fold of one chunk only: its methods are not mutating.
final class TouchedRecords {
    private var records: Set<RecordID> = []

    func insert(_ record: RecordID?) {
        if let record { records.insert(record) }
    }

    func takeAll() -> [RecordID] {
        defer { records = [] }
        return records.sorted()
    }
}

/// Where each record stands: a function of its rows, so the same however the events were cut.
extension Fold {
    /// Brings the standings of every touched record up to date; once, at the end of a chunk.
    func foldStandings(_ transaction: borrowing WriteTransaction) throws {
        for record in touched.takeAll() {
            guard let row = try views.records.row(record.bytes, transaction) else { continue }
            var standing = StandingRow()
            standing.record = record
            standing.entity = row.entity
            let replicas = try (row.replicas + row.creating).compactMap {
                try views.replicas.row($0.bytes, transaction)
            }
            let isAlive = replicas.contains { $0.state == .live }
            for replica in replicas
            where replica.goneProof != .merged && !isReplaced(replica, replicas) {
                standing.parts.append(try part(replica, row, isAlive: isAlive, transaction))
            }
            for connection in row.refusedCreates {
                standing.parts.append(part(connection, .failing, "creating it there was refused"))
            }
            try views.standings.put(standing, record.bytes, transaction)
        }
    }

    /// Whether the record has another object where this one was.
    private func isReplaced(_ replica: ReplicaRow, _ replicas: [ReplicaRow]) -> Bool {
        replica.state == .gone
            && replicas.contains { $0.state == .live && $0.connection == replica.connection }
    }

    private func isParked(
        _ replica: ReplicaRow, _ transaction: borrowing WriteTransaction
    ) throws -> Bool {
        try replica.openCommands.contains {
            try views.commands.row($0.bytes, transaction)?.state == .parked
        }
    }

    private func part(
        _ replica: ReplicaRow, _ record: RecordRow, isAlive: Bool,
        _ transaction: borrowing WriteTransaction
    ) throws -> StandingRow.Part {
        if replica.state == .gone {
            return isAlive
                ? part(replica.connection, .failing, "deleted there: keep or delete?")
                : part(replica.connection, .excluded, "deleted everywhere")
        }
        if let connection = try views.connections.row(replica.connection.bytes, transaction),
            !Scope(of: connection.configured, mapping: mapping).admits(record, replica, mapping)
        {
            return part(replica.connection, .excluded, "it is out of scope there")
        }
        let contested = record.contests.filter { contest in
            !contest.freezesOnlyInputs
                || contest.sides.contains { $0.replica == replica.replica }
        }.map(\.field)
        if !contested.isEmpty {
            return part(
                replica.connection, .failing, "contested: " + contested.joined(separator: ", "))
        }
        if try isParked(replica, transaction) {
            return part(replica.connection, .failing, "a command was given up")
        }
        let refused = mapping.fields.filter { field in
            guard let version = replica.branch(field)?.refusedVersion else { return false }
            return version == record.outcome(field.name)?.version
        }.map(\.name)
        if !refused.isEmpty {
            return part(
                replica.connection, .failing, "refused: " + refused.joined(separator: ", "))
        }
        if !replica.openCommands.isEmpty {
            return part(replica.connection, .waiting, "a command is under way")
        }
        return part(replica.connection, .inSync, "")
    }

    private func part(
        _ connection: ConnectionID, _ bucket: StandingRow.Bucket, _ reason: String
    ) -> StandingRow.Part {
        var part = StandingRow.Part()
        part.connection = connection
        part.bucket = bucket
        part.reason = reason
        return part
    }
}
