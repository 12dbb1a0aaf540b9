import ArgumentParser
import Connectors
import Engine
import Ledger
import Projections

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "How many records are in step, excluded or failing, and what waits for you.")
    @OptionGroup var common: Common

    func run() throws {
        try common.withWorkplace { workplace in
            let overview = try Overview(workplace)
            common.show(overview.json, overview.lines)
        }
    }
}

/// Where everybody stands, counted from rows.
struct Overview {
    typealias Bucket = StandingRow.Bucket

    private var people: [Bucket: Int] = [:]
    private var systems: [(row: ConnectionRow, counts: [Bucket: Int])]
    /// Why people fail or are left out, by system.
    private var reasons: [String: Int] = [:]
    private var questions: Int
    private var lone: LoneObjects
    private var commands: [CommandRow.State: Int]
    private var views: ViewStore.Status

    init(_ workplace: Workplace) throws {
        var counts: [ConnectionID: [Bucket: Int]] = [:]
        var people: [Bucket: Int] = [:]
        var reasons: [String: Int] = [:]
        let views = workplace.views
        let connections = try views.read { tables, transaction in
            try tables.connections.all(transaction).filter { !$0.isRemoved }
        }
        let labels = Dictionary(
            connections.map { ($0.id, $0.configured.label) }, uniquingKeysWith: { one, _ in one })
        let _: [Never] = try views.collect(from: \.standings) { row in
            people[row.bucket, default: 0] += 1
            for part in row.parts {
                counts[part.connection, default: [:]][part.bucket, default: 0] += 1
                guard part.bucket == .failing || part.bucket == .excluded else { continue }
                reasons["\(labels[part.connection] ?? "?"): \(part.reason)", default: 0] += 1
            }
            return nil
        }
        self.people = people
        self.reasons = reasons
        systems = connections.map { ($0, counts[$0.id] ?? [:]) }
        lone = try LoneObjects(views)
        questions = try views.collect(unopenedFrom: \.questions, where: { !$0.isSettled }) { _ in
            ()
        }.count
        commands = try views.collect(unopenedFrom: \.commands, where: { _ in true }, \.state)
            .reduce(into: [:]) { $0[$1, default: 0] += 1 }
        self.views = try views.status()
    }

    private var total: Int { people.values.reduce(0, +) }

    /// One line for a table of several ledgers, and what its columns are.
    var row: [String] {
        let whole = systems.map(\.row.lastSweep)
        return ["\(total)"] + Bucket.allCases.map { "\(people[$0] ?? 0)" }
            + ["\(questions)", text(whole.contains(nil) ? nil : whole.compactMap(\.self).min())]
    }

    static let header =
        ["records"] + Bucket.allCases.map(\.name) + ["questions", "last read whole"]

    var lines: [String] {
        guard !systems.isEmpty else {
            return ["Nothing is connected yet: syncledger connect mautic --url https://…"]
        }
        let header = ["", "in sync", "waiting", "excluded", "failing", "last read whole"]
        let rows = systems.map { system in
            [system.row.configured.label]
                + Bucket.allCases.map { "\(system.counts[$0] ?? 0)" } + [text(system.row.lastSweep)]
        }
        let all = ["all (\(total))"] + Bucket.allCases.map { "\(people[$0] ?? 0)" } + [""]
        return table([header] + rows + [all])
            + reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(10).map {
                "  \($0.value) × \($0.key)"
            } + waiting
            + ["Views at event \(views.position) of \(views.end)."]
    }

    /// What only a person can end, each with the verb that does it.
    private var waiting: [String] {
        var lines: [String] = []
        func add(_ count: Int, _ words: String) {
            if count > 0 { lines.append("\(count) \(words)") }
        }
        add(people[.failing] ?? 0, "wait for you: syncledger conflicts")
        add(questions, "questions who is who are open: syncledger links --questions")
        add(lone.apart, "objects are kept apart by your word: syncledger links")
        add(lone.unlinked, unlinkedObjects)
        add(commands[.uncertain] ?? 0, "calls are in doubt: the next sync looks what they left")
        add(
            commands[.parked] ?? 0,
            "calls were given up: syncledger commands --state parked, then commands retry ID")
        add(views.parked, "events could not be folded: syncledger projector status")
        return lines.isEmpty ? ["Nothing waits for you."] : lines
    }

    var json: JSON {
        func buckets(_ counts: [Bucket: Int]) -> [JSON.Member] {
            Bucket.allCases.map { .init($0.key, .number("\(counts[$0] ?? 0)")) }
        }
        return .object(
            [.init("records", .number("\(total)"))] + buckets(people) + [
                .init("questions", .number("\(questions)")),
                .init("apart", .number("\(lone.apart)")),
                .init("unlinked", .number("\(lone.unlinked)")),
                .init("uncertain", .number("\(commands[.uncertain] ?? 0)")),
                .init("parked", .number("\(commands[.parked] ?? 0)")),
                .init("issued", .number("\(commands[.issued] ?? 0)")),
                .init("position", .number("\(views.position)")),
                .init("events", .number("\(views.end)")),
                .init("parkedEvents", .number("\(views.parked)")),
                .init(
                    "systems",
                    .array(
                        systems.map { system in
                            .object(
                                [
                                    .init("label", .string(system.row.configured.label)),
                                    .init("system", .string(system.row.systemName)),
                                    .init("lastSweep", syncledger.json(system.row.lastSweep)),
                                ] + buckets(system.counts))
                        })),
                .init(
                    "reasons",
                    .object(
                        reasons.sorted { $0.key < $1.key }.map {
                            .init($0.key, .number("\($0.value)"))
                        })),
            ])
    }
}

extension StandingRow.Bucket {
    /// Its name for programs.
    fileprivate var key: String {
        switch self {
        case .inSync: "inSync"
        case .waiting: "waiting"
        case .excluded: "excluded"
        case .failing: "failing"
        }
    }
}
