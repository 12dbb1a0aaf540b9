import ArgumentParser
import Connectors
import Engine
import Ledger
import Model
import Projections

#if canImport(Glibc)
    import Glibc
#endif

struct Connect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Connect a system, or change how it is connected.",
        discussion: """
            The secret is read from SYNCLEDGER_SECRET, or asked for. It is tried at the system, then
            stored sealed and never shown. Mautic and SuiteCRM need an OAuth2 client with the
            client-credentials grant; Compass needs its service key. `local` takes in files (see
            `ingest`). A second installation of one system is told apart by --label.

            Run for a connection that there is, it changes what is given and leaves the rest, the
            secret too. Where it widens what may be written, the first plan is to be approved anew.
            """)

    @OptionGroup var common: Common
    @Argument(help: "mautic, suitecrm, compass or local.") var system: String
    @Option(help: "Where it is, such as https://crm.example.com.") var url: String?
    @Option(help: "The OAuth2 client id.") var clientID: String?
    @Option(help: "Its name here, where one system is connected twice.") var label: String?
    @Option(help: "both, pull (only read) or push (only written); at first both.")
    var direction: String?
    @Option(help: "always or never: make there who and what is missing; at first always.")
    var create: String?
    @Option(
        help:
            "Which people belong there, such as 'tags has newsletter and city = Berlin'; '' for all."
    )
    var scope: String?
    @Option(help: "Calls a minute at most, 1 to 1,000,000; at first 100.") var callsPerMinute: Int?
    @Flag(
        inversion: .prefixedNo, help: "Allow plain http, which anyone on the way can read.")
    var clearText: Bool?
    @Flag(help: "Store it without trying the secret at the system.") var noCheck = false

    private var name: String { label ?? system }

    func run() throws {
        let kind = try kind()
        if let label { try Label.check(label) }
        try common.withWorkplace { workplace in
            let lock = try workplace.engineLock()
            defer { withExtendedLifetime(lock) {} }
            let before = try existing(workplace, kind)
            var configured = try configuration(
                of: kind, before?.configured,
                people: try workplace.mapping().entity(named: "contact"))
            if before == nil { configured.connection = workplace.eventID().cast() }
            if !configured.url.isEmpty {
                let credentials = try credentials(workplace, before)
                if !noCheck { try FirstCall(configured, credentials).tryOut() }
                try workplace.keep(credentials, for: configured.connection)
                configured.credentialFingerprint = workplace.fingerprint(credentials)
            }
            if configured != before?.configured {
                var draft = Draft(
                    id: workplace.eventID(), stream: .connection(configured.connection),
                    event: .connectionConfigured(configured))
                draft.actor = Actor(.person)
                try workplace.append([draft])
            }
            show(configured, before)
        }
    }

    private func show(_ configured: ConnectionConfigured, _ before: ConnectionRow?) {
        let changes = before.map { configured.changes(since: $0.configured) } ?? []
        let widens =
            before.map { !$0.approved.isEmpty && configured.widens($0.configured) } ?? false
        var lines = ["Connected \(name). Next: syncledger plan"]
        if before != nil {
            lines = changes.map { "\(name): \($0.name) \($0.before) → \($0.after)" }
            if changes.isEmpty { lines = ["\(name) stays as it was."] }
        }
        if widens {
            lines.append(
                "More may be written there now, so it is approved anew: syncledger plan, then syncledger apply"
            )
        }
        common.show(
            .object([
                .init("connection", .string("\(configured.connection)")),
                .init("label", .string(name)),
                .init("changed", .array(changes.map { .string($0.name) })),
                .init("approved", .bool(before?.approved.isEmpty == false && !widens)),
            ]), lines)
    }

    /// The system that is meant; `local` takes in files as Compass's people.
    private func kind() throws -> System {
        if system == "local" {
            let senseless = [
                ("--url", url != nil), ("--client-id", clientID != nil),
                ("--direction", direction != nil), ("--create", create != nil),
                ("--scope", scope != nil), ("--calls-per-minute", callsPerMinute != nil),
                ("--clear-text", clearText != nil),
            ].filter(\.1).map(\.0)
            guard senseless.isEmpty else {
                throw Refusal(
                    "local takes in files and has no \(senseless.joined(separator: ", "))")
            }
            return .compass
        }
        guard let kind = System(name: system) else {
            let near = nearest(system, in: System.real.map(\.name) + ["local"])
            throw Refusal(
                "there is no system \(system)" + (near.map { ", did you mean \($0)?" } ?? ";")
                    + " known are mautic, suitecrm, compass and local")
        }
        return kind
    }

    /// The connection of this name, if there is one and it means the same installation.
    private func existing(_ workplace: Workplace, _ kind: System) throws -> ConnectionRow? {
        let found = try workplace.views.read { tables, transaction in
            try tables.connections.all(transaction)
        }.first { $0.configured.label == name && !$0.isRemoved }
        guard let found else { return nil }
        let what = found.configured.url.isEmpty ? "local files" : found.system.name
        guard found.system == kind, found.configured.url.isEmpty == (system == "local") else {
            throw Refusal("\(name) is a connection to \(what) already: choose another --label")
        }
        guard url.map({ Address.isSame(found.configured.url, $0) }) ?? true else {
            throw Refusal(
                "\(name) is connected to \(found.configured.url) already, and another address is another installation, whose ids mean other people: connect it under a name of its own with --label NAME"
            )
        }
        return found
    }

    /// What was given, over what stood before.
    private func configuration(
        of kind: System, _ before: ConnectionConfigured?, people: EntityMapping
    ) throws -> ConnectionConfigured {
        var configured = before ?? ConnectionConfigured()
        configured.label = name
        configured.system = kind
        if system == "local" {
            configured.direction = .pull
            configured.create = .never
            return configured
        }
        if let callsPerMinute {
            guard (1...1_000_000).contains(callsPerMinute) else {
                throw Refusal(
                    "--calls-per-minute is a number from 1 to 1,000,000, not \(callsPerMinute)")
            }
            configured.callsPerMinute = UInt64(callsPerMinute)
        }
        if let clearText { configured.allowsClearText = clearText }
        let address = url ?? before?.url
        configured.url = try Address.checked(
            address, of: system, allowsClearText: configured.allowsClearText)
        if let direction {
            guard let way = [Direction.both, .pull, .push].first(where: { $0.name == direction })
            else {
                throw Refusal("--direction is both, pull or push, not \(direction)")
            }
            configured.direction = way
        }
        if let create {
            guard let making = [CreatePolicy.always, .never].first(where: { $0.name == create })
            else {
                throw Refusal("--create is always or never, not \(create)")
            }
            configured.create = making
        }
        if let scope {
            _ = try Scope(scope, of: people)
            configured.scope = scope
        }
        return configured
    }

    /// What was given, over what was stored; asked for only where nothing is stored.
    private func credentials(
        _ workplace: Workplace, _ before: ConnectionRow?
    ) throws -> Credentials {
        let stored = try before.flatMap { try workplace.readableSecrets()[$0.id] }
        let given = getenv("SYNCLEDGER_SECRET").map { String(cString: $0) }.flatMap {
            $0.isEmpty ? nil : $0
        }
        if given == nil, clientID == nil, let stored { return stored }
        return Credentials(
            clientID: clientID ?? stored?.clientID ?? "", clientSecret: try given ?? askedFor())
    }

    private func askedFor() throws -> String {
        guard isatty(0) == 1, let typed = getpass("Secret for \(name): ") else {
            throw Refusal("set SYNCLEDGER_SECRET to the client secret or service key of \(system)")
        }
        return String(cString: typed)
    }
}

extension ConnectionConfigured {
    /// What is not as it was, by the option's name.
    fileprivate func changes(
        since before: ConnectionConfigured
    ) -> [(name: String, before: String, after: String)] {
        func word(_ flag: Bool) -> String { flag ? "allowed" : "forbidden" }
        func word(_ scope: String) -> String { scope.isEmpty ? "everybody" : scope }
        return [
            ("url", before.url, url),
            ("direction", before.direction.name, direction.name),
            ("create", before.create.name, create.name),
            ("scope", word(before.scope), word(scope)),
            ("calls-per-minute", "\(before.callsPerMinute)", "\(callsPerMinute)"),
            ("clear-text", word(before.allowsClearText), word(allowsClearText)),
            ("secret", before.credentialFingerprint, credentialFingerprint),
        ].filter { $0.1 != $0.2 }.map { name, before, after in
            name == "secret" ? (name, "old", "new") : (name, before, after)
        }
    }
}
