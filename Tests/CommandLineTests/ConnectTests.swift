import Foundation
import Sandbox
import SandboxServer
import Testing

/// What `connect` refuses, and that it stores nothing then.
@Suite struct `Connecting` {
    private func refusal(_ town: Town, _ arguments: String..., secret: String = "right") throws
        -> String
    {
        let result = try Program.syncledger.run(
            ["connect"] + arguments + ["--ledger", town.ledger],
            environment: ["SYNCLEDGER_SECRET": secret])
        #expect(result.code == 1, "\(arguments) \(result.output)")
        #expect(result.output.isEmpty)
        #expect(try (town.json("connections") as? [Any])?.isEmpty == true, "\(arguments)")
        #expect(!FileManager.default.fileExists(atPath: town.ledger + "/secrets"))
        return result.error
    }

    @Test func `an address that is not encrypted, or holds a credential, is refused`() async throws
    {
        try await Town.open(SandboxWorld(seed: 1)) { town in
            try town.run("init")
            #expect(try refusal(town, "mautic").contains("--url https://"))
            #expect(
                try refusal(town, "mautic", "--url", "http://m.example").contains("not encrypted"))
            #expect(
                try refusal(town, "mautic", "--url", "m.example").contains("begin with https://"))
            #expect(try refusal(town, "mautic", "--url", "https://").contains("no host"))
            for url in [
                "https://admin:hunter2@m.example", "https://m.example/?apikey=hunter2",
                "https://m.example/#hunter2", "https://m.example@hunter2/",
            ] {
                let text = try refusal(town, "mautic", "--url", url)
                #expect(text.contains("SYNCLEDGER_SECRET"))
                #expect(!text.contains("hunter2"))
            }
            #expect(
                try refusal(town, "mautik", "--url", "https://m.example").contains(
                    "did you mean mautic?"))
            #expect(
                try refusal(town, "mautic", "--url", "https://m.example", "--direction", "up")
                    .contains("both, pull or push"))
            #expect(
                try refusal(town, "mautic", "--url", "https://m.example", "--create", "maybe")
                    .contains("always or never"))
        }
    }

    @Test func `a label is letters, digits and three signs, 40 at most`() throws {
        let scratch = try Scratch()
        func connect(_ label: String) throws -> Program.Result {
            try Program.syncledger.run(
                ["connect", "local", "--label", label, "--ledger", scratch("ledger")])
        }
        #expect(try Program.syncledger.run(["init", "--ledger", scratch("ledger")]).code == 0)
        for label in [
            "", " ", "two words", "a\u{1B}[31m", "a\u{202E}b", "a\u{200D}", "a,b", "a/b", "\"a\"",
            String(repeating: "x", count: 41),
        ] {
            let refused = try connect(label)
            #expect(refused.code == 1, "\(label)")
            #expect(refused.error.contains("--label is 1 to 40 letters"), "\(refused.error)")
        }
        #expect(try connect("Mautic-2_events.eu").code == 0)
        #expect(try connect(String(repeating: "x", count: 40)).code == 0)
    }

    @Test func `a wrong secret is found out before anything is stored`() async throws {
        try await Town.open(SandboxWorld(seed: 1)) { town in
            try town.run("init")
            let client = town.server.withWorld { $0.mautic.settings.clients[0].id }
            let crm = town.server.withWorld { $0.suiteCRM.settings.clientID }
            for (system, id) in [
                (SandboxWorld.System.mautic, client), (.suitecrm, crm), (.compass, ""),
            ] {
                let text = try refusal(
                    town, system.rawValue, "--url", town.ports.url(of: system), "--client-id", id,
                    secret: "hunter2")
                #expect(text.contains("nothing was stored"), "\(text)")
                #expect(text.contains("refused the"), "\(text)")
                #expect(!text.contains("hunter2"))
            }
            let nobody = try refusal(
                town, "mautic", "--url", "http://127.0.0.1:9", "--client-id", client)
            #expect(nobody.contains("mautic cannot be used"), "\(nobody)")
            let untried = try town.run(
                "connect", "mautic", "--url", "http://127.0.0.1:9", "--no-check", secret: "x")
            #expect(untried.code == 0, "\(untried.error)")
        }
    }

    @Test func `again, changes what is given and nothing else, and widening is approved anew`()
        async throws
    {
        try await Town.open(SandboxWorld(seed: 1)) { town in
            try town.connect()
            #expect(try town.run("apply").code == 0)
            func connect(_ options: String...) throws -> Program.Result {
                try Program.syncledger.run(
                    ["connect", "mautic"] + options + ["--ledger", town.ledger])
            }
            func mautic() throws -> [String: Any] {
                let rows = try town.json("connections") as? [[String: Any]]
                return try #require(rows?.first { $0["label"] as? String == "mautic" })
            }
            let narrower = try connect(
                "--direction", "pull", "--create", "never", "--scope", "tags has vip")
            #expect(narrower.code == 0, "\(narrower.error)")
            #expect(narrower.output.contains("mautic: direction both → pull"))
            #expect(narrower.output.contains("mautic: scope everybody → tags has vip"))
            #expect(narrower.output.contains("approved anew"), "of two scopes none is narrower")
            #expect(try mautic()["approved"] as? Bool == false)
            #expect(try mautic()["callsPerMinute"] as? Int == 1_000_000)

            #expect(try town.run("apply").code == 0)
            #expect(try mautic()["approved"] as? Bool == true, "a second approval counts")
            let slower = try connect("--calls-per-minute", "500000")
            #expect(slower.output.contains("calls-per-minute 1000000 → 500000"))
            #expect(!slower.output.contains("approved anew"))
            let row = try mautic()
            #expect(row["direction"] as? String == "pull" && row["create"] as? String == "never")
            #expect(row["scope"] as? String == "tags has vip" && row["approved"] as? Bool == true)

            #expect(try connect().output.contains("mautic stays as it was"))
            let wider = try connect("--direction", "both")
            #expect(wider.output.contains("approved anew"))
            #expect(try mautic()["approved"] as? Bool == false)
            #expect(try town.run("sync").code != 1)
        }
    }

    @Test func `local takes nothing that is for systems`() async throws {
        try await Town.open(SandboxWorld(seed: 1)) { town in
            try town.run("init")
            let text = try refusal(town, "local", "--scope", "tags has vip", "--create", "always")
            #expect(text.contains("local takes in files and has no --create, --scope"))
        }
    }

    @Test func `another address needs another name, the same one changes the connection`()
        async throws
    {
        try await Town.open(SandboxWorld(seed: 1)) { town in
            try town.connect()
            let moved = try town.run(
                "connect", "mautic", "--url", "https://other.example", "--no-check", secret: "x")
            #expect(moved.code == 1)
            #expect(moved.error.contains("another installation") && moved.error.contains("--label"))
            let taken = try town.run(
                "connect", "suitecrm", "--url", "https://other.example", "--label", "mautic",
                "--no-check", secret: "x")
            #expect(taken.code == 1)
            #expect(taken.error.contains("connection to mautic already"))
            #expect((try town.json("connections") as? [Any])?.count == 3)
            let again = try town.run(
                "connect", "mautic", "--url", town.ports.url(of: .mautic) + "/", "--no-check",
                "--direction", "pull", secret: "x")
            #expect(again.code == 0, "\(again.error)")
            #expect((try town.json("connections") as? [Any])?.count == 3)
            let second = try town.run(
                "connect", "mautic", "--url", "https://other.example", "--label", "mautic-events",
                "--no-check", secret: "x")
            #expect(second.code == 0, "\(second.error)")
            let labels = (try town.json("connections") as? [[String: Any]])?.compactMap {
                $0["label"] as? String
            }
            #expect(Set(labels ?? []) == ["compass", "mautic", "suitecrm", "mautic-events"])
        }
    }
}
