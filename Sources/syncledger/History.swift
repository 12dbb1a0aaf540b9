import ArgumentParser
import Connectors
import Engine
import Ledger
import Model
import Projections

struct Log: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The events, oldest first.",
        discussion: "`--record ID` shows one person's history; `--from N` begins at an event.")
    @OptionGroup var common: Common
    @Option(help: "The first event.") var from: UInt64 = 1
    @Option(help: "How many.") var limit = 100
    @Option(help: "Only events of this record.") var record: String?

    func run() throws {
        try common.withWorkplace { workplace in
            let events: [LoggedEvent]
            if let record {
                guard let id = RecordID(record) else { throw PersonError.unknownRecord }
                events = try history(workplace, id)
            } else {
                events = try read(workplace, from: from, limit: limit)
            }
            common.show(
                .array(events.map { describe($0).json }),
                events.isEmpty ? ["No events."] : events.map { describe($0).line })
        }
    }
}

/// Every event of a record: its own and those of its replicas.
func history(_ workplace: Workplace, _ record: RecordID) throws -> [LoggedEvent] {
    let replicas = try workplace.views.read { tables, transaction in
        try tables.records.row(record.bytes, transaction)?.replicas ?? []
    }
    var sequences = Set(try workplace.log.sequences(tagged: Tag(.record, record)))
    for replica in replicas {
        sequences.formUnion(try workplace.log.sequences(tagged: Tag(.replica, replica)))
    }
    return try sequences.sorted().flatMap { try read(workplace, from: $0, limit: 1) }
}

func read(_ workplace: Workplace, from: UInt64, limit: Int) throws -> [LoggedEvent] {
    try workplace.log.read(from: from, limit: limit).enumerated().map { index, stored in
        try workplace.sealer.open(stored, sequence: from + UInt64(index))
    }
}

struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show an event, a record or a command.",
        discussion: "An event by its number or id; a record or command by its id.")
    @OptionGroup var common: Common
    @Argument(help: "What to show.") var what: String

    func run() throws {
        try common.withWorkplace { workplace in
            if let sequence = try sequence(workplace) {
                guard let event = try read(workplace, from: sequence, limit: 1).first else {
                    throw Refusal("there is no event \(what)")
                }
                let described = describe(event)
                return common.show(described.json, [described.line] + described.details)
            }
            guard let id = RecordID(what) else {
                throw Refusal("\(what) is no event number and no id")
            }
            if let record = try workplace.views.read({ tables, transaction in
                try tables.records.row(id.bytes, transaction)
            }) {
                return try showRecord(record, workplace)
            }
            throw Refusal("nothing in this ledger has the id \(what)")
        }
    }

    private func sequence(_ workplace: Workplace) throws -> UInt64? {
        if let number = UInt64(what) { return number }
        return try EventID(what).flatMap { try workplace.log.sequence(of: $0) }
    }

    private func showRecord(_ record: RecordRow, _ workplace: Workplace) throws {
        let replicas = try workplace.views.read { tables, transaction in
            try record.replicas.compactMap { try tables.replicas.row($0.bytes, transaction) }
        }
        let header = ["field", "stands", "law"] + replicas.map(\.system.name)
        let rows = workplace.mapping.fields.map { field in
            let outcome = record.outcome(field.name)
            return [field.name, outcome.map { text($0.value?.value) } ?? "–", outcome?.law ?? ""]
                + replicas.map { replica in
                    guard let branch = replica.branch(field) else { return "–" }
                    return text(branch.seenContent ?? .null)
                }
        }
        common.show(
            .object([
                .init("record", .string("\(record.record)")),
                .init(
                    "fields",
                    .object(
                        record.outcomes.map {
                            .init($0.field, .string(text($0.value?.value)))
                        })),
            ]),
            ["\(record.entity) \(record.record)"]
                + replicas.map {
                    "  \($0.system.name) \($0.remoteIDText ?? "?")  \($0.replica)"
                        + ($0.state == .gone ? "  gone" : "")
                } + table([header] + rows)
                + ["Its history: syncledger log --record \(record.record)"])
    }
}

/// An event for people and for programs.
func describe(_ logged: LoggedEvent) -> (line: String, details: [String], json: JSON) {
    let summary = summary(logged.event)
    let name = logged.event.name
    let line =
        "\(logged.sequence)  \(String(logged.recordedAt.description.prefix(19)))Z  \(name)"
        + (summary.isEmpty ? "" : "  \(summary)")
    let details = [
        "  id \(logged.id)", "  stream \(logged.entry.stream.kind) \(logged.entry.stream.id)",
        "  run \(logged.entry.run.map { "\($0)" } ?? "–")",
        "  caused by \(logged.entry.causation.map { "\($0)" } ?? "–")",
    ]
    let json = JSON.object([
        .init("sequence", .number("\(logged.sequence)")), .init("id", .string("\(logged.id)")),
        .init("type", .string(name)), .init("recordedAt", .string("\(logged.recordedAt)")),
        .init("summary", .string(summary)),
    ])
    return (line, details, json)
}

private func summary(_ event: Event) -> String {
    switch event {
    case .connectionConfigured(let event): "\(event.system.name) \(event.url)"
    case .observed(let event):
        "by \(event.road.name): "
            + event.attributes.map { "\($0.name)=\(text($0.value?.value))" }.joined(separator: ", ")
    case .gone(let event): event.proof == .merged ? "merged into another one" : "\(event.proof)"
    case .linked(let event): event.reason.name
    case .decided(let event):
        event.fields.map { field in
            "\(field.field) \(field.kind.name) (\(field.law))"
                + (field.outcome.map { " → \(text($0.value))" } ?? "")
        }.joined(separator: "; ")
    case .settled(let event):
        "\(event.field.field) → \(text(event.field.outcome?.value))"
    case .overtaken(let event): event.attributes.joined(separator: ", ")
    case .commandIssued(let event):
        "\(event.operation.name) "
            + event.changes.map { "\($0.attribute)=\(text($0.write?.value))" }
            .joined(separator: ", ")
    case .commandRefused(let event): event.reason
    case .commandUncertain(let event): event.reason
    case .commandSuperseded(let event): event.reason
    case .commandParked(let event): event.reason
    case .runStarted(let event): event.verb
    case .runFinished(let event):
        event.counts.filter { $0.value > 0 }.map { "\($0.name) \($0.value)" }
            .joined(separator: ", ")
    default: ""
    }
}

struct Projector: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The views: list, state, rebuild, verify.",
        subcommands: [List.self, State.self, Rebuild.self, Verify.self],
        defaultSubcommand: State.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The views and their rows.")
        @OptionGroup var common: Common
        func run() throws {
            try common.withWorkplace { workplace in
                let status = try workplace.views.status()
                common.show(
                    .object(status.rows.map { .init($0.table, .number("\($0.count)")) }),
                    table(status.rows.map { [$0.table, "\($0.count)"] }))
            }
        }
    }

    struct State: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status", abstract: "The generation that serves, and its position.")
        @OptionGroup var common: Common
        func run() throws {
            try common.withWorkplace { workplace in
                let status = try workplace.views.status()
                let root = status.root.map(hexadecimal).joined()
                common.show(
                    .object([
                        .init("generation", .number("\(status.generation)")),
                        .init("position", .number("\(status.position)")),
                        .init("end", .number("\(status.end)")), .init("root", .string(root)),
                    ]),
                    [
                        "generation \(status.generation), at event \(status.position) of \(status.end)",
                        "root \(root)",
                    ])
            }
        }
    }

    struct Rebuild: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fold the whole log into a fresh generation and swap it in.")
        @OptionGroup var common: Common
        func run() throws {
            try common.withWorkplace { workplace in
                let lock = try workplace.engineLock()
                defer { withExtendedLifetime(lock) {} }
                try workplace.views.rebuild()
                let status = try workplace.views.status()
                common.show(
                    .object([.init("generation", .number("\(status.generation)"))]),
                    ["Rebuilt \(status.position) events; generation \(status.generation) serves."])
            }
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Rebuild beside and compare every decrypted row.",
            discussion: "Exit code 2 when they differ; `projector rebuild` then mends it.")
        @OptionGroup var common: Common
        func run() throws {
            try common.withWorkplace { workplace in
                let lock = try workplace.engineLock()
                defer { withExtendedLifetime(lock) {} }
                let result = try workplace.views.verify()
                common.show(
                    .object([
                        .init("position", .number("\(result.position)")),
                        .init("identical", .bool(result.isIdentical)),
                    ]),
                    [
                        result.isIdentical
                            ? "Identical: \(result.position) events fold into the rows that serve."
                            : "The rows that serve differ from a rebuild: run `syncledger projector rebuild`."
                    ])
                if !result.isIdentical { throw somethingToDo }
            }
        }
    }
}
