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
            `ingest`). A second installation of one system is told apart by --label. Run for a
            connection that there is, it takes every option anew: what is not given is as by default.
            """)

    @OptionGroup var common: Common
    @Argument(help: "mautic, suitecrm, compass or local.") var system: String
    @Option(help: "Where it is, such as https://crm.example.com.") var url: String?
    @Option(help: "The OAuth2 client id.") var clientID = ""
    @Option(help: "Its name here, where one system is connected twice.") var label: String?
    @Option(help: "both, pull (only read) or push (only written).") var direction = "both"
    @Option(help: "always or never: make people there who are missing.") var create = "always"
    @Option(help: "Who belongs there, such as 'tags has newsletter and city = Berlin'.")
    var scope = ""
    @Option(help: "Calls a minute at most, 1 to 1,000,000.") var callsPerMinute = 100
    @Flag(help: "Allow plain http, which anyone on the way can read.") var clearText = false
    @Flag(help: "Store it without trying the secret at the system.") var noCheck = false

    private var name: String { label ?? system }

    func run() throws {
        try common.withWorkplace { workplace in
            let lock = try workplace.engineLock()
            defer { withExtendedLifetime(lock) {} }
            var configured = try configuration()
            configured.connection =
                try existing(workplace, configured) ?? workplace.eventID().cast()
            if !configured.url.isEmpty {
                let credentials = Credentials(clientID: clientID, clientSecret: try secret())
                if !noCheck { try FirstCall(configured, credentials).tryOut() }
                try workplace.keep(credentials, for: configured.connection)
                configured.credentialFingerprint = workplace.fingerprint(credentials)
            }
            var draft = Draft(
                id: workplace.eventID(), stream: .connection(configured.connection),
                event: .connectionConfigured(configured))
            draft.actor = Actor(.person)
            try workplace.append([draft])
            common.show(
                .object([
                    .init("connection", .string("\(configured.connection)")),
                    .init("label", .string(name)),
                ]), ["Connected \(name). Next: syncledger plan"])
        }
    }

    /// The connection of this name, if there is one and it means the same installation.
    private func existing(
        _ workplace: Workplace, _ configured: ConnectionConfigured
    ) throws -> ConnectionID? {
        let found = try workplace.views.read { tables, transaction in
            try tables.connections.all(transaction)
        }.first { $0.configured.label == name && !$0.isRemoved }
        guard let found else { return nil }
        guard found.system == configured.system else {
            throw Refusal(
                "\(name) is a connection to \(found.system.name) already: choose another --label")
        }
        guard Address.isSame(found.configured.url, configured.url) else {
            throw Refusal(
                "\(name) is connected to \(found.configured.url) already, and another address is another installation, whose ids mean other people: connect it under a name of its own with --label NAME"
            )
        }
        return found.id
    }

    private func configuration() throws -> ConnectionConfigured {
        var configured = ConnectionConfigured()
        if let label { try Label.check(label) }
        configured.label = name
        guard (1...1_000_000).contains(callsPerMinute) else {
            throw Refusal(
                "--calls-per-minute is a number from 1 to 1,000,000, not \(callsPerMinute)")
        }
        configured.callsPerMinute = UInt64(callsPerMinute)
        configured.allowsClearText = clearText
        if system == "local" {
            guard url == nil else { throw Refusal("local takes in files and has no --url") }
            configured.system = .compass
            configured.direction = .pull
            configured.create = .never
            return configured
        }
        guard let kind = System(name: system) else {
            let near = nearest(system, in: System.real.map(\.name) + ["local"])
            throw Refusal(
                "there is no system \(system)" + (near.map { ", did you mean \($0)?" } ?? ";")
                    + " known are mautic, suitecrm, compass and local")
        }
        configured.system = kind
        configured.url = try Address.checked(url, of: system, allowsClearText: clearText)
        guard let way = [Direction.both, .pull, .push].first(where: { $0.name == direction })
        else {
            throw Refusal("--direction is both, pull or push, not \(direction)")
        }
        configured.direction = way
        guard let making = [CreatePolicy.always, .never].first(where: { $0.name == create }) else {
            throw Refusal("--create is always or never, not \(create)")
        }
        configured.create = making
        _ = try Scope(scope, of: .contact)
        configured.scope = scope
        return configured
    }

    private func secret() throws -> String {
        if let value = getenv("SYNCLEDGER_SECRET") { return String(cString: value) }
        guard isatty(0) == 1, let typed = getpass("Secret for \(name): ") else {
            throw Refusal("set SYNCLEDGER_SECRET to the client secret or service key of \(system)")
        }
        return String(cString: typed)
    }
}
