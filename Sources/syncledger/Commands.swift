import ArgumentParser
import Connectors
import Engine
import Ledger
import Projections

struct Commands: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The API calls that were wanted, and what became of them.",
        subcommands: [ListCommands.self, RetryCommand.self], defaultSubcommand: ListCommands.self)
}

struct RetryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Let what was given up or refused be decided anew by the next sync.")
    @OptionGroup var common: Common
    @Argument(help: "The command's id, as `commands` shows it.") var command: String

    func run() throws {
        guard let id = CommandID(command) else { throw PersonError.nothingToRetry }
        try common.withWorkplace { workplace in
            let lock = try workplace.engineLock()
            defer { withExtendedLifetime(lock) {} }
            try workplace.retry(id)
        }
        common.show(
            .object([.init("retried", .bool(true))]),
            ["Decided anew by the next `syncledger sync`."])
    }
}

struct ListCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show them, newest first.",
        usage: "syncledger commands list [options]")
    @OptionGroup var common: Common
    @Option(help: "issued, confirmed, refused, uncertain, superseded or parked.") var state: String?
    @Option(parsing: .unconditional, help: "How many, newest first.") var limit = 50

    func run() throws {
        guard (1...10_000).contains(limit) else {
            throw Refusal("--limit is a number from 1 to 10,000, not \(limit)")
        }
        if let state, !CommandRow.State.allCases.contains(where: { $0.name == state }) {
            throw Refusal(
                "--state is one of "
                    + CommandRow.State.allCases.map(\.name).joined(separator: ", "))
        }
        try common.withWorkplace { workplace in
            // Which of them the newest are is had without opening any.
            let newest = try workplace.views.collect(
                unopenedFrom: \.commands,
                where: { [state] in state == nil || $0.state.name == state }
            ) { (issuedAt: $0.issuedAt, id: $0.issue.command) }
            .sorted { $0.issuedAt > $1.issuedAt }.prefix(limit)
            let rows = try workplace.views.read { tables, transaction in
                try newest.compactMap { try tables.commands.row($0.id.bytes, transaction) }
            }
            let names = try Names(workplace)
            let persons = try rows.map { try names.person($0.issue.record) }
            common.show(
                .array(
                    zip(rows, persons).map { row, person in
                        .object([
                            .init("command", .string("\(row.issue.command)")),
                            .init("operation", .string(row.issue.operation.name)),
                            .init("state", .string(row.state.name)),
                            .init("reason", .string(row.reason)),
                            .init("record", .string("\(row.issue.record)")),
                            .init("person", .string(person)),
                            .init("connection", .string("\(row.issue.connection)")),
                            .init(
                                "label", .string(names.connection(row.issue.connection) ?? "")),
                            .init(
                                "attributes",
                                .array(row.issue.changes.map { .string($0.attribute) })
                            ),
                        ])
                    }),
                rows.isEmpty
                    ? ["No such commands."]
                    : zip(rows, persons).map { row, person in
                        "\(row.issue.command)  \(row.state.name)  \(row.issue.operation.name) in "
                            + (names.connection(row.issue.connection) ?? "?") + "  \(person)  "
                            + row.issue.changes.map(\.attribute).joined(separator: ", ")
                            + (row.reason.isEmpty ? "" : "  (\(row.reason))")
                    })
        }
    }
}
