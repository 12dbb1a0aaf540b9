import Connectors
import Engine
import Ledger
import Model
import Projections

/// A record and a replica: what stands, why, and what each system holds.
extension Shown {
    init(_ record: RecordRow, _ workplace: Workplace) throws {
        let ids = record.replicas + record.creating
        let replicas = try workplace.views.read { tables, transaction in
            try ids.compactMap { try tables.replicas.row($0.bytes, transaction) }
        }
        try self.init(record, replicas, workplace)
    }

    init(_ record: RecordRow, _ replicas: [ReplicaRow], _ workplace: Workplace) throws {
        let all = try workplace.mapping()
        let mapping = all[record.entity]
        let references = try mapping.map {
            try References(of: record, replicas, $0, among: all, workplace.views)
        }
        let waits = try workplace.views.waits(
            of: record, replicas, references ?? References(), by: all)
        let shown = ShownRecord(
            record: record, replicas: replicas, fields: mapping?.fields ?? [],
            references: references ?? References(), waits: waits, names: try Names(workplace))
        self.init(json: shown.json, lines: shown.lines)
    }

    init(_ replica: ReplicaRow, _ workplace: Workplace) throws {
        let names = try Names(workplace)
        let branches = (names.mapping[replica.entity]?.fields ?? []).compactMap { field in
            replica.branch(field).map { (field, $0) }
        }
        let rows = branches.map { field, branch in
            [
                field.name, branch.spelling.attribute,
                text(replica[branch.spelling.attribute].seen),
                branch.hasChanged
                    ? text(replica[branch.spelling.attribute].accounted) : "the same",
            ]
        }
        self.init(
            json: .object(
                ShownRecord.members(of: replica, names) + [
                    .init(
                        "fields",
                        .array(
                            branches.map { field, branch in
                                .object([
                                    .init("field", .string(field.name)),
                                    .init("attribute", .string(branch.spelling.attribute)),
                                    .init("holds", syncledger.json(branch.seen)),
                                    .init("accounted", syncledger.json(branch.accounted)),
                                    .init("seenBy", .string("\(branch.seenBy)")),
                                ])
                            }))
                ]),
            lines: [
                "object \(replica.replica): \(names.object(replica)), \(replica.stateName)",
                "  record      \(replica.record.map { "\($0)" } ?? "–")",
            ] + table([["field", "attribute", "holds", "accounted"]] + rows))
    }
}

private struct ShownRecord {
    let record: RecordRow
    let replicas: [ReplicaRow]
    let fields: [FieldMapping]
    let references: References
    /// Why fields are not told somewhere as they stand.
    let waits: [FieldWait]
    let names: Names

    static func members(of replica: ReplicaRow, _ names: Names) -> [JSON.Member] {
        [
            .init("object", .string("\(replica.replica)")),
            .init("system", .string(names.system(replica))),
            .init("connection", .string("\(replica.connection)")),
            .init("remoteID", replica.remoteIDText.map { .string($0) } ?? .null),
            .init("state", .string(replica.stateName)),
            .init("record", replica.record.map { .string("\($0)") } ?? .null),
            .init("stamp", .string(replica.stamp)),
        ]
    }

    /// Who a field's outcome came from.
    private func author(_ outcome: OutcomeRow?) -> String {
        guard let outcome else { return "" }
        if outcome.settledByPerson { return "a person" }
        if let author = replicas.first(where: { $0.replica == outcome.author }) {
            return names.place(author)
        }
        return outcome.authorSystem == .unspecified ? "" : outcome.authorSystem.name
    }

    var lines: [String] {
        let header = ["field", "stands", "law", "from"] + replicas.map(names.place)
        let rows = fields.map { field in
            let outcome = record.outcome(field.name)
            return [
                field.name, outcome.map { names.words($0.value?.value, of: field) } ?? "–",
                outcome?.law ?? "",
                author(outcome),
            ]
                + replicas.map { replica in
                    replica.branch(field, references).map { branch in
                        replica[branch.spelling.attribute].seen == nil
                            ? "–"
                            : branch.refersToUnknown
                                ? text(replica[branch.spelling.attribute].seen)
                                : names.words(branch.seenContent, of: field)
                    } ?? "–"
                }
        }
        return ["\(record.entity) \(record.record)"]
            + replicas.map {
                "  \(names.object($0))  \($0.replica)"
                    + ($0.isActive ? "" : "  \($0.stateName)")
            } + table([header] + rows)
            + waits.map { wait in
                "\(wait.field) at \(place(wait.replica)): \(wait.wait.rawValue)"
            }
            + record.contests.map {
                "\($0.field) waits for you (\($0.reason)): syncledger conflicts"
            } + ["Its history: syncledger log --record \(record.record)"]
    }

    private func place(_ id: ReplicaID) -> String {
        replicas.first { $0.replica == id }.map(names.place) ?? ""
    }

    var json: JSON {
        .object([
            .init("record", .string("\(record.record)")), .init("entity", .string(record.entity)),
            .init("objects", .array(replicas.map { .object(Self.members(of: $0, names)) })),
            .init("fields", .array(fields.map(json(of:)))),
        ])
    }

    private func json(of field: FieldMapping) -> JSON {
        let outcome = record.outcome(field.name)
        return .object([
            .init("field", .string(field.name)),
            .init("stands", syncledger.json(outcome?.value?.value)),
            .init("version", .number("\(outcome?.version ?? 0)")),
            .init("law", .string(outcome?.law ?? "")), .init("from", .string(author(outcome))),
            .init("author", outcome?.author.map { .string("\($0)") } ?? .null),
            .init("decidedBy", outcome.map { .string("\($0.decidedBy)") } ?? .null),
            .init("changedAfter", syncledger.json(outcome?.evidence?.earliest)),
            .init("changedBefore", syncledger.json(outcome?.evidence?.latest)),
            .init("sides", .array(sides(of: field))),
            .init("contest", record.contest(field.name).map(json(of:)) ?? .null),
        ])
    }

    private func sides(of field: FieldMapping) -> [JSON] {
        replicas.compactMap { replica in
            guard let branch = replica.branch(field, references) else { return nil }
            return .object([
                .init("system", .string(names.system(replica))),
                .init("object", .string("\(replica.replica)")),
                .init("holds", syncledger.json(branch.seenContent)),
                .init("accounted", syncledger.json(branch.accountedContent)),
                .init(
                    "waits",
                    waits.first { $0.replica == replica.replica && $0.field == field.name }
                        .map { .string($0.wait.rawValue) } ?? .null),
            ])
        }
    }

    private func json(of contest: ContestRow) -> JSON {
        .object([
            .init("reason", .string(contest.reason)),
            .init("raisedAt", syncledger.json(contest.raisedAt)),
            .init("raisedBy", .string("\(contest.raisedBy)")),
            .init(
                "sides",
                .array(
                    contest.sides.map { side in
                        .object([
                            .init(
                                "system",
                                .string(
                                    replicas.first { $0.replica == side.replica }
                                        .map(names.system) ?? side.system.name)),
                            .init("object", .string("\(side.replica)")),
                            .init("value", syncledger.json(side.content?.value)),
                        ])
                    })),
        ])
    }
}
