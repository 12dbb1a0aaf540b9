import ArgumentParser
import Connectors
import Engine
import Ledger
import Projections

struct Projector: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The views: list, status, rebuild, verify.",
        subcommands: [List.self, State.self, Rebuild.self, Verify.self],
        defaultSubcommand: State.self)

    /// What each projector answers, and the tables it keeps.
    ///
    /// Fields stand in the rows of the records and objects that they belong to.
    static let kept: [(name: String, answers: String, tables: [String])] = [
        ("mapping", "which objects are one record", ["records", "replicas", "lookups"]),
        ("fields", "what stands, what each system holds", ["records", "replicas"]),
        ("status", "where each connection and each record stands", ["connections", "standings"]),
        ("rules", "which laws, code and mapping decide", ["rules"]),
        ("conflicts", "what waits or waited for a person", ["conflicts", "questions"]),
        ("commands", "every call and its outcome", ["commands", "open_commands"]),
        ("parked", "events that could not be folded", ["parked"]),
        ("position", "the last event folded", ["meta"]),
    ]

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The projectors, their tables and rows.")
        @OptionGroup var common: Common
        func run() throws {
            try common.withWorkplace { workplace in
                let counts = Dictionary(
                    uniqueKeysWithValues: try workplace.views.status().rows.map {
                        ($0.table, $0.count)
                    })
                let rows = Projector.kept.map { projector in
                    [
                        projector.name, projector.answers,
                        projector.tables.map { "\($0) \(counts[$0] ?? 0)" }.joined(separator: ", "),
                    ]
                }
                common.show(
                    .array(
                        Projector.kept.map { projector in
                            .object([
                                .init("projector", .string(projector.name)),
                                .init("answers", .string(projector.answers)),
                                .init(
                                    "tables",
                                    .object(
                                        projector.tables.map {
                                            .init($0, .number("\(counts[$0] ?? 0)"))
                                        })),
                            ])
                        }), table([["projector", "answers", "rows"]] + rows))
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
                let progress = FoldProgress("verifying")
                defer { progress.clear() }
                let result = try workplace.views.verify(progress: progress.show)
                progress.clear()
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
