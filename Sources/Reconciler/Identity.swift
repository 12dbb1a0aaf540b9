package import Ledger
import Model
package import Projections

/// Which record an unlinked replica belongs to.
package enum Match: Sendable, Equatable {
    /// Join this record.
    case join(RecordID)
    /// These replicas, this one among them, become a new record.
    case found([ReplicaID])
    /// These could all be the same person; nobody is linked until a person says so.
    case ambiguous([ReplicaID])
}

/// Matches people by keys: exactly one on each side, or a question.
package struct Identity: Sendable {
    package init() {}

    /// Decides for one unlinked replica.
    ///
    /// `alike` are the other live replicas that hold the same key, at whatever system; `isTaken`
    /// tells whether a record has a live replica at the replica's connection already.
    package func match(
        _ replica: ReplicaRow, alike: [ReplicaRow], isTaken: (RecordID) throws -> Bool
    ) rethrows -> Match {
        let all = [replica] + alike.filter { $0.replica != replica.replica }
        let ids = all.map(\.replica).sorted()
        let perConnection = Dictionary(grouping: all, by: \.connection)
        if perConnection.values.contains(where: { $0.count > 1 }) { return .ambiguous(ids) }
        let records = Set(all.compactMap(\.record))
        guard let record = records.first else { return .found(ids) }
        if try records.count > 1 || isTaken(record) { return .ambiguous(ids) }
        return .join(record)
    }

    /// The question's id: the same people asked about, the same question.
    package static func question(_ replicas: [ReplicaID]) -> QuestionID {
        .derived("question", replicas.sorted().map(\.bytes))
    }

    /// The id of the record that begins with these replicas.
    package static func record(_ replicas: [ReplicaID], entity: String) -> RecordID {
        .derived("record", [Array(entity.utf8)] + replicas.sorted().map(\.bytes))
    }
}
