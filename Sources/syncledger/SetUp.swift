import ArgumentParser
import Connectors
import Engine
import Ledger
import Model
import Projections

#if canImport(Glibc)
    import Glibc
#endif

struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a new ledger.",
        discussion: """
            The directory holds the log, its views and the sealed credentials. Keep master-1.key
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

struct Connect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Connect a system, or change how it is connected.",
        discussion: """
            The secret is read from SYNCLEDGER_SECRET, or asked for. It is stored sealed and never
            shown. Mautic and SuiteCRM need an OAuth2 client with the client-credentials grant;
            Compass needs its service key. `local` takes in files (see `ingest`).
            """)

    @OptionGroup var common: Common
    @Argument(help: "mautic, suitecrm, compass or local.") var system: String
    @Option(help: "Where it is, such as https://crm.example.com.") var url: String?
    @Option(help: "The OAuth2 client id.") var clientID = ""
    @Option(help: "both, pull (only read) or push (only written).") var direction = "both"
    @Option(help: "always or never: make people there who are missing.") var create = "always"
    @Option(help: "Calls a minute at most.") var callsPerMinute: UInt64 = 100
    @Flag(help: "Allow plain http, which anyone on the way can read.") var clearText = false

    func run() throws {
        try common.withWorkplace { workplace in
            let lock = try workplace.engineLock()
            defer { withExtendedLifetime(lock) {} }
            var configured = try configuration()
            let existing = try workplace.views.read { tables, transaction in
                try tables.connections.all(transaction)
            }.first { $0.configured.label == system && !$0.isRemoved }
            configured.connection = existing?.id ?? workplace.eventID().cast()
            if !configured.url.isEmpty {
                let credentials = Credentials(clientID: clientID, clientSecret: try secret())
                try workplace.keep(credentials, for: configured.connection)
                configured.credentialFingerprint = workplace.fingerprint(credentials)
            }
            var draft = Draft(
                id: workplace.eventID(), stream: .connection(configured.connection),
                event: .connectionConfigured(configured))
            draft.actor = Actor(.person)
            try workplace.append([draft])
            common.show(
                .object([.init("connection", .string("\(configured.connection)"))]),
                ["Connected \(system). Next: syncledger plan"])
        }
    }

    private func configuration() throws -> ConnectionConfigured {
        var configured = ConnectionConfigured()
        configured.label = system
        configured.callsPerMinute = callsPerMinute
        configured.allowsClearText = clearText
        if system == "local" {
            configured.system = .compass
            configured.direction = .pull
            configured.create = .never
            return configured
        }
        guard let kind = System(name: system) else {
            let near = nearest(system, in: System.real.map(\.name) + ["local"])
            throw Refusal(
                "there is no system \(system)" + (near.map { ", did you mean \($0)?" } ?? "")
                    + " Known are mautic, suitecrm, compass and local.")
        }
        configured.system = kind
        configured.url = try checkedURL()
        guard let way = ["both": Direction.both, "pull": .pull, "push": .push][direction] else {
            throw Refusal("--direction is both, pull or push, not \(direction)")
        }
        configured.direction = way
        guard let making = ["always": CreatePolicy.always, "never": .never][create] else {
            throw Refusal("--create is always or never, not \(create)")
        }
        configured.create = making
        return configured
    }

    private func checkedURL() throws -> String {
        guard let url else { throw Refusal("say where \(system) is with --url https://…") }
        if url.hasPrefix("https://") { return url }
        guard url.hasPrefix("http://") else {
            throw Refusal("\(url) is no web address: it must begin with https://")
        }
        let host = url.dropFirst(7).prefix { $0 != "/" && $0 != ":" }
        if clearText || host == "localhost" || host.hasPrefix("127.") { return url }
        throw Refusal(
            "\(url) is not encrypted, so anyone on the way can read people's data: use https://, or --clear-text if you accept that"
        )
    }

    private func secret() throws -> String {
        if let value = getenv("SYNCLEDGER_SECRET") { return String(cString: value) }
        guard isatty(0) == 1, let typed = getpass("Secret for \(system): ") else {
            throw Refusal("set SYNCLEDGER_SECRET to the client secret or service key of \(system)")
        }
        return String(cString: typed)
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
                    rows.map { row in
                        .object([
                            .init("id", .string("\(row.id)")),
                            .init("system", .string(row.system.name)),
                            .init("label", .string(row.configured.label)),
                            .init("url", .string(row.configured.url)),
                            .init("approved", .bool(row.writesApproved)),
                            .init(
                                "lastSweep",
                                row.lastSweep.map { .string("\($0)") } ?? .null),
                        ])
                    }),
                rows.isEmpty
                    ? ["Nothing is connected yet: syncledger connect mautic --url https://…"]
                    : rows.map { row in
                        "\(row.configured.label)  \(row.configured.url)  "
                            + (row.writesApproved
                                ? "writes approved" : "not approved yet: see plan")
                            + (row.lastSweep.map { ", last swept \($0)" } ?? ", never read")
                    })
        }
    }
}

struct Mapping: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show how each field is spelt in each system, and its law.")
    @OptionGroup var common: Common

    func run() throws {
        let mapping = EntityMapping.contact
        let rows = mapping.fields.map { field in
            [field.name, field.law.rawValue]
                + System.real.map { field.spellings[$0]?.attribute ?? "–" }
        }
        common.show(
            .array(
                mapping.fields.map { field in
                    .object(
                        [
                            .init("field", .string(field.name)),
                            .init("law", .string(field.law.rawValue)),
                        ]
                            + System.real.map { system in
                                .init(
                                    system.name,
                                    field.spellings[system].map { .string($0.attribute) } ?? .null)
                            })
                }), table([["field", "law", "compass", "mautic", "suitecrm"]] + rows))
    }
}

struct Ingest: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take in local changes from a file of JSON Lines.",
        discussion: """
            One object a line: {"id":"c-1","email":"ann@example.com","first_name":"Ann"}. A field that
            is left out says nothing; null and "" empty it. One bad line refuses the whole file.
            """)
    @OptionGroup var common: Common
    @Argument(help: "The file, or - for standard input.") var file: String
    @Option(help: "The connection it belongs to.") var into = "local"

    func run() throws {
        try common.withWorkplace { workplace in
            let lock = try workplace.engineLock()
            defer { withExtendedLifetime(lock) {} }
            let connection = try workplace.views.read { tables, transaction in
                try tables.connections.all(transaction)
            }.first { $0.configured.label == into && !$0.isRemoved }
            guard let connection else {
                throw Refusal("there is no connection \(into): run `syncledger connect \(into)`")
            }
            let bytes = try readFile(file == "-" ? "/dev/stdin" : file)
            let report = try workplace.ingest(bytes, into: connection.id)
            common.show(
                .object([
                    .init("lines", .number("\(report.lines)")),
                    .init("observed", .number("\(report.observed)")),
                    .init("unchanged", .number("\(report.unchanged)")),
                ]),
                [
                    "Took in \(report.lines) lines: \(report.observed) with news, \(report.unchanged) known already."
                ])
        }
    }
}

/// Columns padded to their widest cell.
func table(_ rows: [[String]]) -> [String] {
    let widths = (rows.first ?? []).indices.map { column in
        rows.map { $0[column].count }.max() ?? 0
    }
    return rows.map { row in
        zip(row, widths).map { cell, width in
            cell + String(repeating: " ", count: width - cell.count)
        }.joined(separator: "  ")
    }
}
