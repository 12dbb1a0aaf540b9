import ArgumentParser
import Engine
import Ledger
import Sandbox
import SandboxServer

#if canImport(Glibc)
    import Glibc
#endif

extension Lab {
    struct Sandbox: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Run a Mautic, a SuiteCRM and a Compass with invented people, accounts and deals on loopback.",
            discussion: "Stop it with Control-C; nothing is kept.")

        @Option(help: "How many people.") var people = 100
        @Option(help: "How many accounts.") var accounts = 12
        @Option(help: "How many deals.") var deals = 30
        @Option(help: "How many leads in SuiteCRM, beside those people.") var leads = 2
        @Option(help: "The seed: the same people again.") var seed: UInt64 = 1

        func run() async throws {
            let now = SandboxTime(microseconds: systemNow().microseconds)
            let world = SandboxWorld(
                seed: seed, people: people, accounts: accounts, deals: deals, leads: leads, at: now)
            let mautic = world.mautic.settings.clients[0]
            let suiteCRM = world.suiteCRM.settings
            let key = world.compass.settings.serviceKey
            let server = SandboxServer(world: world) {
                SandboxTime(microseconds: systemNow().microseconds)
            }
            try await server.run { ports in
                print(
                    """
                    \(people) people, \(accounts) accounts, \(deals) deals and \(leads) leads in three systems. Connect them with:
                      SYNCLEDGER_SECRET=\(mautic.secret) syncledger connect mautic --url \(ports.url(of: .mautic)) --client-id \(mautic.id)
                      SYNCLEDGER_SECRET=\(suiteCRM.clientSecret) syncledger connect suitecrm --url \(ports.url(of: .suitecrm)) --client-id \(suiteCRM.clientID)
                      SYNCLEDGER_SECRET=\(key) syncledger connect compass --url \(ports.url(of: .compass))
                    """)
                // Into a file or a pipe, too, for whoever reads the ports there.
                fflush(nil)
                while !Task.isCancelled { try await Task.sleep(for: .seconds(3_600)) }
            }
        }
    }
}
