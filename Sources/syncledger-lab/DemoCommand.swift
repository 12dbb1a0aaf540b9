import ArgumentParser
import Connectors
import Engine
import Foundation
import Ledger
import Sandbox
import SandboxServer

extension Lab {
    struct Demo: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "The product's first minute: 1,000 messy people, 120 accounts and 300 deals in three systems, kept in step."
        )

        @Option(help: "How many people.") var people = 1_000
        @Option(help: "How many accounts.") var accounts = 120
        @Option(help: "How many deals.") var deals = 300
        @Option(help: "How many leads in SuiteCRM, beside those people.") var leads = 20
        @Option(help: "The seed: the same people and edits again.") var seed: UInt64 = 2_026
        @Option(help: "Keep the ledger here, to look around in afterwards.") var ledger: String?
        @Flag(help: "End with one JSON object.") var json = false

        func run() async throws {
            let now = SandboxTime(microseconds: systemNow().microseconds)
            let yesterday = now.adding(seconds: -86_400)
            let world = SandboxWorld(
                seed: seed, people: people, accounts: accounts, deals: deals, leads: leads,
                at: yesterday)
            let server = SandboxServer(world: world) {
                SandboxTime(microseconds: systemNow().microseconds)
            }
            let directory = ledger ?? NSTemporaryDirectory() + "syncledger-demo-\(getpid())"
            let keeps = ledger != nil
            let (seed, json) = (seed, json)
            let ok = try await server.run { ports in
                try await onItsOwnThread {
                    let demo = try DemoRun(
                        directory: directory, ports: ports, server: server, seed: seed)
                    return try demo.run(json: json, keeps: keeps)
                }
            }
            if !keeps { try FileManager.default.removeItem(atPath: directory) }
            if !ok { throw ExitCode.failure }
        }
    }
}

extension SandboxWorld {
    /// Three systems with invented people, companies and deals, and leads whom SuiteCRM alone knows.
    init(
        seed: UInt64, people: Int, accounts: Int, deals: Int, leads: Int, at time: SandboxTime
    ) {
        self.init(
            seed: seed,
            population: SandboxPopulation(
                seed: seed, people: people, accounts: accounts, deals: deals),
            at: time)
        for number in 0..<leads {
            suiteCRM.seedLead(
                SandboxPerson(
                    email: "lead.\(number)@example.org", firstName: "Lea",
                    lastName: "Lead \(number)", city: "Aarhus"), at: time)
        }
    }
}

/// The engine blocks its thread, so it gets one that nobody else waits for.
private func onItsOwnThread<R: Sendable>(
    _ body: @escaping @Sendable () throws -> R
) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        let thread = Thread { continuation.resume(with: Result { try body() }) }
        thread.stackSize = 8 << 20
        thread.start()
    }
}
