import LMDB
package import Ledger
import Model

/// One record as it stood once some event of the log was folded.
package struct RecordAsOf: Sendable {
    package var record: RecordRow
    /// Its objects then, in the order of its row.
    package var replicas: [ReplicaRow]
    /// How many events tell of it up to there.
    package var events: Int
}

extension ViewStore {
    /// A record and its objects as they stood once event `sequence` was folded; `nil` where no event
    /// up to there tells of the record.
    ///
    /// The events of the record and of every object that was ever linked to it are found by their
    /// tags and folded, in memory, by the code that folds the views: nothing is written, and the time
    /// it takes follows the record's own history, not the log's length. What a reference field points
    /// at is not looked up: its spelling is told, not the other record. Fields are read by the mapping
    /// that is in force now.
    ///
    /// - Throws: `LogError`, `LMDBError`, and `WireError` where one of the events makes no sense.
    package func record(_ id: RecordID, asOf sequence: UInt64) throws -> RecordAsOf? {
        let serving = try serving()
        let rows = FoldedRows(serving, isEmpty: true)
        // Which system a connection leads to never changes.
        let (connections, rules) = try serving.environment.read { transaction in
            (
                try serving.tables.connections.all(transaction),
                try Mapping.shipped.entities.map { entity in
                    let key = Array(entity.entity.utf8)
                    return (key, try serving.tables.rules.row(key, transaction))
                }
            )
        }
        for row in connections { rows.connections.put(row, RowKey(row.id)) }
        for case (let key, let row?) in rules { rows.rules.put(row, RowKey(key)) }
        let history = try history(of: id, upTo: sequence)
        var fold = try Fold(views: rows)
        for event in history { try fold.fold(event) }
        guard let row = try rows.records.row(RowKey(id)) else { return nil }
        return RecordAsOf(
            record: row,
            replicas: try row.replicas.compactMap { try rows.replicas.row(RowKey($0)) },
            events: history.count)
    }

    /// Every event up to a sequence that tells of a record or of an object that was linked to it by
    /// then, in order; `damaged` is told what is wrong with one that cannot be opened, and may throw it.
    func history(
        of record: RecordID, upTo sequence: UInt64,
        damaged: (any Error) throws -> Void = { throw $0 }
    ) throws -> [LoggedEvent] {
        var found: [UInt64: LoggedEvent] = [:]
        /// Opens what is tagged so; returns those that were not found before.
        func take(_ tag: Tag) throws -> [LoggedEvent] {
            let places = try log.sequences(tagged: tag).filter {
                $0 <= sequence && found[$0] == nil
            }
            let events = try places.compactMap { place -> LoggedEvent? in
                do {
                    guard let stored = try log.read(from: place, limit: 1).first else {
                        throw LogError.damaged(sequence: place)
                    }
                    return try sealer.open(stored, sequence: place)
                } catch {
                    try damaged(error)
                    return nil
                }
            }
            for event in events { found[event.sequence] = event }
            return events
        }
        var linked: Set<ReplicaID> = []
        for event in try take(Tag(.record, record)) {
            if case .linked(let payload) = event.event { linked.insert(payload.replica) }
        }
        var questions: Set<QuestionID> = []
        var others: Set<RecordID> = []
        for event in try linked.flatMap({ try take(Tag(.replica, $0)) }) {
            switch event.event {
            case .ambiguityRaised(let payload): questions.insert(payload.question)
            case .linked(let payload): others.insert(payload.record)
            default: break
            }
        }
        for question in questions { _ = try take(Tag(.question, question)) }
        // Commands to an object that was another record's then are tagged with that one.
        let streams = Set(linked.map(Stream.replica))
        for other in others where other != record {
            for event in try take(Tag(.record, other)) where !streams.contains(event.entry.stream) {
                found[event.sequence] = nil
            }
        }
        return found.values.sorted { $0.sequence < $1.sequence }
    }
}
