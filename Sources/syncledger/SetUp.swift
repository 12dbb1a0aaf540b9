import ArgumentParser
import Connectors
import Engine
import Ledger
import Model
import Projections

struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a new ledger.",
        discussion: """
            The directory holds the log, its views and the sealed credentials. Keep master-1.key \
            somewhere safe as well: without it nothing personal in the ledger can be read again.
            """)

    @OptionGroup var common: Common
    @Option(help: "A name for people.") var name = "ledger"

    func run() throws {
        try Workplace.create(at: common.ledger, name: name)
        let id = try common.withWorkplace { "\($0.identity.id)" }
        common.show(
            .object([.init("ledger", .string(common.ledger)), .init("id", .string(id))]),
            [
                "Made the ledger \(common.ledger) (\(id)).",
                "Its master key is \(common.ledger)/master-1.key: back it up elsewhere.",
                "Next: syncledger connect mautic|suitecrm|compass --url https://…",
            ])
    }
}

struct Connections: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List what is connected.")
    @OptionGroup var common: Common

    func run() throws {
        try common.withWorkplace { workplace in
            let rows = try workplace.views.read { tables, transaction in
                try tables.connections.all(transaction)
            }.filter { !$0.isRemoved }
            common.show(
                .array(
                    rows.map { .object(members(of: $0)) }),
                rows.isEmpty
                    ? ["Nothing is connected yet: syncledger connect mautic --url https://…"]
                    : table(
                        rows.map { row in
                            [
                                row.configured.label, row.configured.url,
                                terms(row.configured) + state(row),
                            ]
                        }))
        }
    }

    private func state(_ row: ConnectionRow) -> String {
        if row.configured.url.isEmpty { return "takes in files: syncledger ingest" }
        return
            (row.configured.direction == .pull
            ? ""
            : row.unapproved(in: .shipped).isEmpty
                ? "writes approved, " : "not approved yet: see plan, ")
            + (row.lastSweep.map { "last swept \(text($0))" } ?? "never read")
    }

    /// What of a connection is not as it is by default.
    private func terms(_ connection: ConnectionConfigured) -> String {
        var words: [String] = []
        if connection.url.isEmpty { return "" }
        if connection.direction != .both { words.append("\(connection.direction.name) only") }
        if connection.create == .never { words.append("nobody is created") }
        if !connection.scope.isEmpty { words.append("only where \(connection.scope)") }
        return words.map { $0 + ", " }.joined()
    }
}

/// A connection for programs, wherever it is shown.
func members(of row: ConnectionRow) -> [JSON.Member] {
    [
        .init("connection", .string("\(row.id)")), .init("label", .string(row.configured.label)),
        .init("system", .string(row.systemName)), .init("url", .string(row.configured.url)),
        .init("direction", .string(row.configured.direction.name)),
        .init("create", .string(row.configured.create.name)),
        .init("scope", .string(row.configured.scope)),
        .init("callsPerMinute", .number("\(row.configured.callsPerMinute)")),
        .init("approved", .bool(row.unapproved(in: .shipped).isEmpty)),
        .init("lastSweep", json(row.lastSweep)),
    ]
}

extension ConnectionRow {
    /// The system that was connected; files come into a connection that spells as Compass does.
    var systemName: String { configured.url.isEmpty ? "local" : system.name }
}
