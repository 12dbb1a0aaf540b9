import Connectors
import Engine
import Ledger
import Model
import Projections

/// Everything that waits for a person, with what is known of each side.
struct OpenConflicts {
    /// One side of a contested field.
    struct Side {
        /// The system, for programs and for `take`.
        var system: String
        /// Its connection's name, for people.
        var place: String
        var replica: ReplicaID
        var content: Sealed?
        /// The same for people.
        var shown: String
        /// What of this side was accounted for before the difference.
        var base: Value?
        var observation: EventID
        /// When we saw it.
        var seenAt: Timestamp?
    }

    struct Contest {
        var record: RecordID
        var person: String
        var field: String
        var reason: String
        var raisedAt: Timestamp?
        var stands: OutcomeRow?
        /// The same for people.
        var shown: String?
        var sides: [Side]
    }

    /// A person who is gone in one system and lives in others.
    struct Deletion {
        var record: RecordID
        var person: String
        var system: String
        var replica: ReplicaID
        /// Its id means somebody else there now.
        var isReused: Bool
        var lives: [String]

        var what: String {
            isReused
                ? "gone from \(system), which gave its id to somebody else (a restored backup?)"
                : "deleted in \(system)"
        }
    }

    private(set) var contests: [Contest] = []
    private(set) var deletions: [Deletion] = []

    var isEmpty: Bool { contests.isEmpty && deletions.isEmpty }

    init(_ workplace: Workplace) throws {
        let records = try workplace.views.collect(
            from: \.records, where: { !$0.contests.isEmpty }
        ) { $0 }
        let names = try Names(workplace)
        for record in records {
            let person = try names.person(record)
            let mapping = names.mapping[record.entity]
            // Of a field that is no longer mapped there is nothing to ask.
            for contest in record.contests where mapping?.field(contest.field) != nil {
                let sides = try contest.sides.map { side in
                    try Self.side(
                        side, contest.field, workplace.views.replica(side.replica), workplace, names
                    )
                }
                contests.append(
                    Contest(
                        record: record.record, person: person, field: contest.field,
                        reason: contest.reason,
                        raisedAt: contest.raisedAt, stands: record.outcome(contest.field),
                        shown: record.outcome(contest.field).map {
                            names.words($0.value?.value, of: mapping?.field(contest.field))
                        },
                        sides: sides))
            }
        }
        deletions = try Self.deletions(workplace.views, names)
    }

    private static func side(
        _ side: ContestRow.Side, _ field: String, _ replica: ReplicaRow?, _ workplace: Workplace,
        _ names: Names
    ) throws -> Side {
        let mapping = replica.flatMap { names.mapping[$0.entity]?.field(field) }
        let branch = mapping.flatMap { replica?.branch($0) }
        let seen = try workplace.log.sequence(of: side.observation).flatMap {
            try read(workplace, from: $0, limit: 1).first
        }
        return Side(
            system: replica.map(names.system) ?? side.system.name,
            place: replica.map(names.place) ?? side.system.name, replica: side.replica,
            content: side.content, shown: names.words(side.content?.value, of: mapping),
            base: branch?.accountedContent, observation: side.observation,
            seenAt: seen?.recordedAt)
    }

    private static func deletions(_ views: ViewStore, _ names: Names) throws -> [Deletion] {
        let deleted = try views.collect(
            from: \.replicas, where: { $0.isDeleted && $0.record != nil }
        ) { $0 }
        return try deleted.compactMap { row in
            guard let record = row.record else { return nil }
            let lives = try (views.record(record)?.replicas ?? []).compactMap(views.replica)
                .filter { $0.state == .live }
            guard !lives.isEmpty, !lives.contains(where: { $0.connection == row.connection })
            else { return nil }
            return Deletion(
                record: record, person: try names.person(record), system: names.system(row),
                replica: row.replica, isReused: row.goneProof == .idReused,
                lives: lives.sorted { $0.system < $1.system }.map(names.system))
        }
    }
}

extension OpenConflicts {
    var lines: [String] {
        contests.flatMap(lines(of:))
            + deletions.flatMap { deletion in
                [
                    "\(deletion.record)  \(deletion.person)  \(deletion.what), lives in "
                        + deletion.lives.joined(separator: " and "),
                    "  keep it:       syncledger conflicts keep \(deletion.record)",
                    "  delete it too: syncledger conflicts delete \(deletion.record)",
                ]
            }
    }

    private func lines(of contest: Contest) -> [String] {
        var lines = ["\(contest.record)  \(contest.person)  \(contest.field): \(contest.reason)"]
        if let stood = contest.shown { lines.append("  " + padded("stood", 13) + stood) }
        for side in contest.sides {
            lines.append(
                "  " + padded(side.place, 13) + side.shown
                    + (side.seenAt.map { "  (seen \(text($0)))" } ?? ""))
        }
        let first = contest.sides.first?.system ?? "standing"
        lines.append(
            "  settle it: syncledger conflicts take \(contest.record) \(contest.field) \(first)")
        return lines
    }

    var json: JSON {
        .object([
            .init("fields", .array(contests.map(json(of:)))),
            .init(
                "deletions",
                .array(
                    deletions.map { deletion in
                        .object([
                            .init("record", .string("\(deletion.record)")),
                            .init("person", .string(deletion.person)),
                            .init("deletedIn", .string(deletion.system)),
                            .init("object", .string("\(deletion.replica)")),
                            .init("livesIn", .array(deletion.lives.map { .string($0) })),
                            .init("choices", .array([.string("keep"), .string("delete")])),
                        ])
                    })),
        ])
    }

    private func json(of contest: Contest) -> JSON {
        let choices =
            contest.sides.map(\.system) + (contest.stands == nil ? [] : ["standing"])
        return .object([
            .init("record", .string("\(contest.record)")),
            .init("person", .string(contest.person)),
            .init("field", .string(contest.field)), .init("reason", .string(contest.reason)),
            .init("raisedAt", syncledger.json(contest.raisedAt)),
            .init("stood", contest.stands.map { syncledger.json($0.value?.value) } ?? .null),
            .init(
                "sides",
                .array(
                    contest.sides.map { side in
                        .object([
                            .init("system", .string(side.system)),
                            .init("object", .string("\(side.replica)")),
                            .init("value", syncledger.json(side.content?.value)),
                            .init("base", syncledger.json(side.base)),
                            .init("observation", .string("\(side.observation)")),
                            .init("seenAt", syncledger.json(side.seenAt)),
                        ])
                    })),
            .init("choices", .array(choices.map { .string($0) })),
        ])
    }
}
