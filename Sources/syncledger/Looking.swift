import ArgumentParser
import Connectors
import Engine
import Ledger
import Model
import Projections

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "How many people are in step, excluded or failing, and what waits for you.")
    @OptionGroup var common: Common

    func run() throws {
        try common.withWorkplace { workplace in
            let figures = try workplace.views.read { tables, transaction in
                let commands = try tables.commands.all(transaction)
                return [
                    ("people", try tables.records.all(transaction).count),
                    (
                        "conflicts",
                        try tables.conflicts.all(transaction).filter { $0.settledBy == nil }.count
                    ),
                    (
                        "questions",
                        try tables.questions.all(transaction).filter { !$0.isSettled }.count
                    ),
                    ("commands in doubt", commands.filter { $0.state == .uncertain }.count),
                    ("commands parked", commands.filter { $0.state == .parked }.count),
                    ("commands waiting", commands.filter { $0.state == .issued }.count),
                ]
            }
            let views = try workplace.views.status()
            common.show(
                .object(
                    figures.map { .init($0.0, .number("\($0.1)")) }
                        + [.init("events", .number("\(views.end)"))]),
                table(figures.map { [$0.0, "\($0.1)"] } + [["events", "\(views.end)"]]))
        }
    }
}

struct Conflicts: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Differences that wait for you, side by side.",
        subcommands: [List.self, Take.self, Keep.self, Delete.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show every open difference with all its sides.")
        @OptionGroup var common: Common

        func run() throws {
            try common.withWorkplace { workplace in
                let records = try workplace.views.read { tables, transaction in
                    try tables.records.all(transaction).filter { !$0.contests.isEmpty }
                }
                let gone = try deleted(workplace)
                let rows = records.flatMap { record in
                    record.contests.map { (record, $0) }
                }
                common.show(
                    .array(rows.map { json($0, $1) }),
                    rows.flatMap { lines($0, $1) } + gone
                        + (rows.isEmpty && gone.isEmpty ? ["Nothing waits for you."] : []))
            }
        }

        private func deleted(_ workplace: Workplace) throws -> [String] {
            try workplace.views.read { tables, transaction in
                let replicas = try tables.replicas.all(transaction)
                let living = Set(replicas.filter { $0.state == .live }.compactMap(\.record))
                return replicas.filter { row in
                    row.state == .gone && row.goneProof != .merged
                        && row.record.map(living.contains) ?? false
                }
            }.map { row in
                let record = row.record.map { "\($0)" } ?? ""
                return """
                    \(record)  deleted in \(row.system.name)
                      keep it:       syncledger conflicts keep \(record)
                      delete it too: syncledger conflicts delete \(record)
                    """
            }
        }

        private func lines(_ record: RecordRow, _ contest: ContestRow) -> [String] {
            var lines = ["\(record.record)  \(contest.field): \(contest.reason)"]
            let outcome = record.outcome(contest.field)
            if let outcome {
                lines.append("  stood        \(text(outcome.value?.value))")
            }
            for side in contest.sides {
                let name = side.system.name
                lines.append(
                    "  \(name)" + String(repeating: " ", count: max(1, 13 - name.count))
                        + text(side.content?.value))
            }
            lines.append(
                "  settle it: syncledger conflicts take \(record.record) \(contest.field) \(contest.sides.first?.system.name ?? "standing")"
            )
            return lines
        }

        private func json(_ record: RecordRow, _ contest: ContestRow) -> JSON {
            .object([
                .init("record", .string("\(record.record)")),
                .init("field", .string(contest.field)), .init("reason", .string(contest.reason)),
                .init(
                    "sides",
                    .array(
                        contest.sides.map { side in
                            .object([
                                .init("system", .string(side.system.name)),
                                .init("value", .string(text(side.content?.value))),
                            ])
                        })),
            ])
        }
    }

    struct Take: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Settle a field: one system's value stands, or what stood before.")
        @OptionGroup var common: Common
        @Argument(help: "The record.") var record: String
        @Argument(help: "The field.") var field: String
        @Argument(help: "mautic, suitecrm, compass, or standing.") var side: String

        func run() throws {
            guard let id = RecordID(record) else { throw PersonError.unknownRecord }
            let choice: Workplace.Choice
            if side == "standing" {
                choice = .standing
            } else if let system = System(name: side) {
                choice = .system(system)
            } else {
                throw Refusal("\(side) is no side: take mautic, suitecrm, compass or standing")
            }
            try common.withWorkplace { workplace in
                let lock = try workplace.engineLock()
                defer { withExtendedLifetime(lock) {} }
                try workplace.settle(id, field, as: choice)
            }
            common.show(
                .object([.init("settled", .bool(true))]),
                ["Settled. `syncledger sync` writes it to the others."])
        }
    }

    struct Keep: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep a person that was deleted somewhere.")
        @OptionGroup var common: Common
        @Argument(help: "The record.") var record: String
        func run() throws { try answer(common, record, keep: true) }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a person everywhere who was deleted somewhere.")
        @OptionGroup var common: Common
        @Argument(help: "The record.") var record: String
        func run() throws { try answer(common, record, keep: false) }
    }
}

private func answer(_ common: Common, _ record: String, keep: Bool) throws {
    guard let id = RecordID(record) else { throw PersonError.unknownRecord }
    try common.withWorkplace { workplace in
        let lock = try workplace.engineLock()
        defer { withExtendedLifetime(lock) {} }
        try workplace.answerDeletion(id, keep: keep)
    }
    common.show(
        .object([.init("settled", .bool(true))]), ["Settled. `syncledger sync` does the rest."])
}

struct Links: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Which objects are one person, and which could be.",
        subcommands: [List.self, Merge.self, Unlink.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show links and open questions.")
        @OptionGroup var common: Common
        @Flag(help: "Only the questions.") var questions = false

        func run() throws {
            try common.withWorkplace { workplace in
                let (asked, records, replicas) = try workplace.views.read { tables, transaction in
                    (
                        try tables.questions.all(transaction).filter { !$0.isSettled },
                        questions ? [] : try tables.records.all(transaction),
                        Dictionary(
                            uniqueKeysWithValues: try tables.replicas.all(transaction).map {
                                ($0.replica, $0)
                            })
                    )
                }
                func name(_ id: ReplicaID) -> String {
                    guard let row = replicas[id] else { return "\(id)" }
                    return "\(row.system.name) \(row.remoteIDText ?? "?")"
                }
                var lines = records.map { record in
                    "\(record.record)  " + record.replicas.map(name).joined(separator: " = ")
                }
                for question in asked {
                    lines.append("Could be one person:")
                    lines += question.raised.replicas.map { "  \($0)  \(name($0))" }
                    lines.append("  say which: syncledger links merge ID ID …")
                }
                common.show(
                    .object([
                        .init("records", .number("\(records.count)")),
                        .init(
                            "questions",
                            .array(
                                asked.map { question in
                                    .array(question.raised.replicas.map { .string("\($0)") })
                                })),
                    ]), lines.isEmpty ? ["Nothing is linked yet: syncledger plan"] : lines)
            }
        }
    }

    struct Merge: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say that these objects are one person.")
        @OptionGroup var common: Common
        @Argument(help: "Two or more object ids, as `links` shows them.") var objects: [String]

        func run() throws {
            let ids = objects.compactMap { ReplicaID($0) }
            guard ids.count == objects.count, ids.count > 1 else {
                throw PersonError.unknownReplica
            }
            try common.withWorkplace { workplace in
                let lock = try workplace.engineLock()
                defer { withExtendedLifetime(lock) {} }
                let question = try workplace.views.read { tables, transaction in
                    try tables.questions.all(transaction).first {
                        !$0.isSettled && Set(ids).isSubset(of: $0.raised.replicas)
                    }
                }
                try workplace.link(ids, answering: question?.raised.question)
            }
            common.show(.object([.init("linked", .bool(true))]), ["Linked."])
        }
    }

    struct Unlink: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take an object out of its record.")
        @OptionGroup var common: Common
        @Argument(help: "The object's id.") var object: String

        func run() throws {
            guard let id = ReplicaID(object) else { throw PersonError.unknownReplica }
            try common.withWorkplace { workplace in
                let lock = try workplace.engineLock()
                defer { withExtendedLifetime(lock) {} }
                try workplace.unlink(id)
            }
            common.show(.object([.init("unlinked", .bool(true))]), ["Unlinked."])
        }
    }
}

struct Commands: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The API calls that were wanted, and what became of them.")
    @OptionGroup var common: Common
    @Option(help: "issued, confirmed, refused, uncertain, superseded or parked.") var state: String?
    @Option(help: "How many, newest first.") var limit = 50

    func run() throws {
        if let state, !CommandRow.State.allCases.contains(where: { $0.name == state }) {
            throw Refusal(
                "--state is one of "
                    + CommandRow.State.allCases.map(\.name).joined(separator: ", "))
        }
        try common.withWorkplace { workplace in
            let rows = try workplace.views.read { tables, transaction in
                try tables.commands.all(transaction)
            }.filter { state == nil || $0.state.name == state }
                .sorted { $0.issuedAt > $1.issuedAt }.prefix(limit)
            common.show(
                .array(
                    rows.map { row in
                        .object([
                            .init("command", .string("\(row.issue.command)")),
                            .init("operation", .string(row.issue.operation.name)),
                            .init("state", .string(row.state.name)),
                            .init("reason", .string(row.reason)),
                            .init("record", .string("\(row.issue.record)")),
                            .init(
                                "attributes",
                                .array(row.issue.changes.map { .string($0.attribute) })
                            ),
                        ])
                    }),
                rows.isEmpty
                    ? ["No such commands."]
                    : rows.map { row in
                        "\(row.issue.command)  \(row.state.name)  \(row.issue.operation.name) "
                            + row.issue.changes.map(\.attribute).joined(separator: ", ")
                            + (row.reason.isEmpty ? "" : "  (\(row.reason))")
                    })
        }
    }
}

/// A value for people.
func text(_ value: Value?) -> String {
    switch value {
    case nil: "(erased)"
    case .null: "(empty)"
    case .text(let text): text.isEmpty ? "(empty)" : text
    case .number(let number): number
    case .bool(let flag): flag ? "yes" : "no"
    case .set(let elements): elements.isEmpty ? "(none)" : elements.joined(separator: ", ")
    case .bytes(let bytes): "\(bytes.count) bytes"
    case .unrecognized: "(of a newer version)"
    }
}
