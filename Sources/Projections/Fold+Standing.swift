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
    func foldStandings() throws {
        let records = touched.takeAll()
        guard !records.isEmpty else { return }
        let connections = try views.connections.all().filter { !$0.isRemoved }
        var judges: [String: StandingJudge] = [:]
        for entity in mapping.entities {
            let rules = try views.rules.row(RowKey(Array(entity.entity.utf8)))
            judges[entity.entity] = StandingJudge(
                mapping: entity, rules: rules, connections: connections)
        }
        for record in records {
            guard let row = try views.records.row(RowKey(record)),
                let judge = judges[row.entity]
            else { continue }
            let replicas = try (row.replicas + row.creating).compactMap {
                try views.replicas.row(RowKey($0))
            }
            let parked = try replicas.filter { replica in
                try replica.openCommands.contains {
                    try views.commands.row(RowKey($0))?.state == .parked
                }
            }.map(\.replica)
            let references = try References(
                of: row, replicas, judge.mapping, among: mapping, views)
            let standing = judge.standing(of: row, replicas, references, parked: Set(parked))
            if try views.standings.row(RowKey(record)) != standing {
                views.standings.put(standing, RowKey(record))
            }
        }
    }

    /// Where everybody stands is another question now; behind the passes over a log it is asked anyway.
    func touchAll() throws {
        guard views.pass == nil else { return }
        for key in try views.records.keys() { touched.insert(RecordID(bytes: key)) }
    }
}
