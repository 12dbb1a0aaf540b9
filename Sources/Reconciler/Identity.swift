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
    /// tells whether a record has a live replica of its kind at the replica's connection already.
    /// One that was converted is nobody to be asked about: it goes along with what is there, or
    /// stays alone.
    package func match(
        _ replica: ReplicaRow, alike: [ReplicaRow], isTaken: (RecordID) throws -> Bool
    ) rethrows -> Match {
        let all = [replica] + alike.filter { $0.replica != replica.replica }
        let ids = all.map(\.replica).sorted()
        let places = all.filter(\.isActive).map {
            KindPlace(connection: $0.connection, kind: $0.kind)
        }
        let records = Set(all.compactMap(\.record))
        let isClear =
            try Set(places).count == places.count && records.count < 2
            && records.allSatisfy { try !isTaken($0) }
        guard isClear else {
            return replica.isConverted ? .found([replica.replica]) : .ambiguous(ids)
        }
        return records.first.map(Match.join) ?? .found(ids)
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
