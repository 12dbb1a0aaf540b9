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

/// Where each record stands: a function of its rows, the connections and the rules, so the same
/// however the events were cut.
extension Fold {
    /// Brings the standings of every touched record up to date; once, at the end of a chunk.
    func foldStandings(_ transaction: borrowing WriteTransaction) throws {
        let records = touched.takeAll()
        guard !records.isEmpty else { return }
        let connections = try views.connections.all(transaction).filter { !$0.isRemoved }
        var judges: [String: StandingJudge] = [:]
        for entity in mapping.entities {
            let rules = try views.rules.row(Array(entity.entity.utf8), transaction)
            judges[entity.entity] = StandingJudge(
                mapping: entity, policy: Policy(from: rules?.policy), connections: connections)
        }
        for record in records {
            guard let row = try views.records.row(record.bytes, transaction),
                let judge = judges[row.entity]
            else { continue }
            let replicas = try (row.replicas + row.creating).compactMap {
                try views.replicas.row($0.bytes, transaction)
            }
            let parked = try replicas.filter { replica in
                try replica.openCommands.contains {
                    try views.commands.row($0.bytes, transaction)?.state == .parked
                }
            }.map(\.replica)
            let references = try References(
                of: row, replicas, judge.mapping, among: mapping, views, transaction)
            let standing = judge.standing(of: row, replicas, references, parked: Set(parked))
            try views.standings.put(standing, record.bytes, transaction)
        }
    }

    /// Where everybody stands is another question now.
    func touchAll(_ transaction: borrowing WriteTransaction) throws {
        for row in try views.records.all(transaction) { touched.insert(row.record) }
    }
}
