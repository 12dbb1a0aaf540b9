import Foundation
import Sandbox
import SandboxServer
import Testing

/// What every verb says of itself.
@Suite struct `Help` {
    static let verbs = [
        "init", "connect", "connections", "mapping", "policy", "ingest", "plan", "apply", "sync",
        "status",
        "conflicts", "links", "commands", "log", "show", "projector", "scrub", "house",
    ]
    static let groups = [
        "conflicts", "links", "commands", "mapping", "policy", "projector", "house",
    ]
    static let lower = [
        "conflicts list", "conflicts take", "conflicts set", "conflicts keep", "conflicts delete",
        "links list", "links merge", "links apart", "links unlink", "commands list",
        "commands retry", "mapping show", "mapping check", "mapping apply", "policy show",
        "policy set", "policy reset", "projector list",
        "projector status",
        "projector rebuild", "projector verify", "house status", "house sync",
    ]

    /// Lists the subcommands that a help text names.
    private func listed(_ help: String) -> [String] {
        help.split(separator: "\n", omittingEmptySubsequences: false)
            .drop { $0 != "SUBCOMMANDS:" }.dropFirst().prefix { !$0.isEmpty }
            .filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
            .compactMap { $0.split(separator: " ").first.map(String.init) }
    }

    @Test func `lists exactly the verbs there are`() throws {
        for arguments in [["--help"], ["help"], []] {
            let result = try Program.syncledger.run(arguments)
            #expect(result.code == 0)
            #expect(listed(result.output) == Self.verbs)
            #expect(result.output.contains("Exit codes: 0 done or clean, 1 error, 2"))
        }
        for verb in Self.groups {
            let listed = listed(try Program.syncledger.run([verb, "--help"]).output)
            #expect(
                listed.map { $0.replacing(",", with: "") }
                    == Self.lower.filter { $0.hasPrefix(verb) }.map {
                        String($0.dropFirst(verb.count + 1))
                    })
        }
    }

    @Test(arguments: verbs + lower)
    func `says what a verb does, and ends with 0`(verb: String) throws {
        let words = verb.split(separator: " ").map(String.init)
        let result = try Program.syncledger.run(words + ["--help"])
        #expect(result.code == 0)
        #expect(result.error.isEmpty)
        #expect(result.output.contains("OVERVIEW: "))
        #expect(result.output.contains("USAGE: syncledger \(verb)"))
        #expect(
            result.output.contains("--json")
                == !Self.groups.contains(verb))
        #expect(try Program.syncledger.run(["help"] + words).output == result.output)
        // These two have more options than a line of usage holds.
        let long = result.output.split(separator: "\n").map(String.init).filter { $0.count > 80 }
        let allowed = ["connect", "ingest"].map { "USAGE: syncledger \($0)" }
        #expect(long.allSatisfy { line in allowed.contains { line.hasPrefix($0) } }, "\(long)")
    }
}

/// Every verb on a small town with a difference, a doubt and a deletion in it.
@Suite(.serialized) struct `Verbs` {
    /// Ann agrees everywhere but for her mobile; two in Compass share one address, as does somebody
    /// in Mautic; Cem stands in two systems.
    private func world() -> SandboxWorld {
        var world = SandboxWorld(seed: 7)
        let time = Town.now().adding(seconds: -7_200)
        var ann = SandboxPerson(email: "ann@example.com", firstName: "Ann", lastName: "Lee")
        ann.mobile = "+1-555-0101"
        world.compass.seed(ann, at: time)
        ann.mobile = "+1-555-0102"
        world.mautic.seed(ann, at: time)
        for name in ["Bo", "Bea"] {
            world.compass.seed(
                SandboxPerson(email: "shared@example.com", firstName: name), at: time)
        }
        world.mautic.seed(SandboxPerson(email: "shared@example.com", firstName: "B."), at: time)
        let cem = SandboxPerson(email: "cem@example.com", firstName: "Cem")
        world.mautic.seed(cem, at: time)
        world.suiteCRM.seed(cem, at: time)
        return world
    }

    private func object(_ json: Any?) -> [String: Any] { json as? [String: Any] ?? [:] }
    private func array(_ json: Any?) -> [Any] { json as? [Any] ?? [] }

    @Test func `lead from first contact to everything settled, by exit code and JSON`()
        async throws
    {
        try await Town.open(world()) { town in
            try town.connect()
            try firstContact(town)
            try settleDifference(town)
            try settleDeletion(town)
            try settleDoubt(town)
            try readEverything(town)
        }
    }

    private func firstContact(_ town: Town) throws {
        #expect(try array(town.json("connections")).count == 3)
        let early = try town.run("sync").output
        #expect(early.contains("run `syncledger plan`, then `syncledger apply`"), "\(early)")
        #expect(early.contains("written to mautic, suitecrm, compass:"), "\(early)")
        let plan = try town.run("plan")
        #expect(plan.code == 2)
        #expect(plan.output.contains("nothing was written yet"))
        #expect(try object(town.json("plan"))["wouldWrite"] as? Int ?? 0 > 0)
        let applied = try town.run("apply", "--json")
        #expect(applied.code == 2, "the mobile, and two questions")
        #expect(try object(applied.json())["issued"] as? Int ?? 0 > 0)
        // Nothing happened since, but they wait still.
        let again = try town.run("sync")
        #expect(again.code == 2)
        #expect(again.output.contains("`syncledger conflicts` shows"))
        #expect(again.output.contains("`syncledger links --questions` asks"))
        let plannedAgain = try town.run("plan")
        #expect(plannedAgain.code == 2)
        #expect(plannedAgain.output.contains("1 wait for you: `syncledger conflicts`"))
        for verb in ["status", "conflicts", "links", "commands", "connections", "log"] {
            #expect(try town.run(verb).code == 0, "\(verb) only tells")
        }
    }

    private func settleDifference(_ town: Town) throws {
        let contest = object(array(object(try town.json("conflicts"))["fields"]).first)
        let record = contest["record"] as? String ?? ""
        #expect(contest["field"] as? String == "mobile")
        let sides = array(contest["sides"]).map(object)
        // SuiteCRM's object, made meanwhile without a mobile, may stand among them.
        #expect(
            Set(sides.compactMap { $0["system"] as? String }).isSuperset(of: ["compass", "mautic"]))
        #expect(
            Set(sides.compactMap { $0["value"] as? String }) == ["+1-555-0101", "+1-555-0102"])
        #expect(sides.allSatisfy { $0["seenAt"] is String && $0.keys.contains("base") })
        #expect(contest["choices"] as? [String] == sides.compactMap { $0["system"] as? String })
        #expect(contest["stood"] is NSNull)
        let shown = try town.run("conflicts").output
        #expect(shown.contains("syncledger conflicts take \(record) mobile"))
        #expect(shown.contains("\(record)  Ann Lee <ann@example.com>  mobile: "), "\(shown)")
        #expect(contest["person"] as? String == "Ann Lee <ann@example.com>")
        let log = try town.run("log", "--record", record).output
        #expect(log.contains("Ann Lee <ann@example.com>: by "), "\(log)")
        let commands = try town.run("commands").output
        #expect(commands.contains("create in suitecrm  Ann Lee <ann@example.com>"), "\(commands)")
        #expect(try town.run("conflicts", "set", record, "mobile", "+1-555-0103").code == 0)
        _ = try town.run("sync")
        let people = town.server.withWorld { $0 }
        for system in SandboxWorld.System.allCases {
            let ann = people.rows(of: system).first { $0.person.email == "ann@example.com" }
            #expect(ann?.person.mobile == "+1-555-0103", "\(system.rawValue)")
        }
        let fields = array(object(try town.json("show", record))["fields"]).map(object)
        let mobile = fields.first { $0["field"] as? String == "mobile" } ?? [:]
        #expect(mobile["stands"] as? String == "+1-555-0103")
        #expect(mobile["from"] as? String == "a person")
        #expect(array(mobile["sides"]).count == 3)
        #expect(mobile["contest"] is NSNull)
        let text = try town.run("show", record).output
        #expect(text.contains("a person") && text.contains("+1-555-0103"))
    }

    private func settleDeletion(_ town: Town) throws {
        town.server.withWorld { world in
            let cem = world.suiteCRM.rows.first { $0.person.firstName == "Cem" }
            world.suiteCRM.personDeletes(cem?.id ?? "", at: Town.now())
        }
        #expect(try town.run("sync", "--sweep").code == 2)
        let deletion = object(array(object(try town.json("conflicts"))["deletions"]).first)
        #expect(deletion["deletedIn"] as? String == "suitecrm")
        #expect(deletion["livesIn"] as? [String] == ["compass", "mautic"])
        #expect(deletion["choices"] as? [String] == ["keep", "delete"])
        let record = deletion["record"] as? String ?? ""
        #expect(try town.run("conflicts", "delete", record).code == 0)
        _ = try town.run("sync")
        let left = town.server.withWorld { world in
            SandboxWorld.System.allCases.flatMap { world.rows(of: $0) }
        }.filter { $0.person.firstName == "Cem" }
        #expect(left.isEmpty)
    }

    private func settleDoubt(_ town: Town) throws {
        let question = object(
            array(object(try town.json("links", "--questions"))["questions"]).first)
        let objects = array(question["objects"]).map(object)
        let asked = try town.run("links", "--questions").output
        #expect(asked.contains("  Bo <shared@example.com>"), "\(asked)")
        #expect(objects.count == 3)
        #expect(objects.allSatisfy { $0["remoteID"] is String && $0["system"] is String })
        let compass = objects.first { $0["system"] as? String == "compass" } ?? [:]
        let mautic = objects.first { $0["system"] as? String == "mautic" } ?? [:]
        let both = [compass, mautic].compactMap { $0["object"] as? String }
        #expect(both.count == 2)
        #expect(try town.run("links", "merge", both[0], both[1]).code == 0)
        let records = array(object(try town.json("links"))["records"]).map(object)
        #expect(records.contains { array($0["objects"]).count == 2 })
        #expect(try town.run("links", "unlink", both[1]).code == 0)
        #expect(try town.run("show", both[1]).code == 0)
    }

    /// Every verb that only reads, as JSON.
    private func readEverything(_ town: Town) throws {
        for verb in [
            ["status"], ["conflicts"], ["conflicts", "list"], ["links"], ["links", "list"],
            ["commands"], ["log"], ["connections"], ["mapping"], ["policy"], ["projector"],
            ["projector", "list"], ["projector", "status"], ["projector", "rebuild"],
            ["projector", "verify"],
        ] {
            let result = try Program.syncledger.run(verb + ["--json", "--ledger", town.ledger])
            #expect(result.code == 0, "\(verb) \(result.error)")
            #expect(throws: Never.self, "\(verb)") { try result.json() }
            #expect(result.error.isEmpty)
            let text = try Program.syncledger.run(verb + ["--ledger", town.ledger])
            #expect(text.code == 0 && !text.output.isEmpty)
        }
        try showEverything(town)
        let changes = try town.scratch.write(
            #"{"id":"c-1","email":"dee@example.com","first_name":"Dee"}"# + "\n",
            to: "changes.jsonl")
        #expect(try object(town.json("connect", "local"))["label"] as? String == "local")
        #expect(try object(town.json("ingest", changes))["observed"] as? Int == 1)
        #expect(try object(town.json("ingest", changes))["unchanged"] as? Int == 1)
        let piped = try Program.syncledger.run(
            ["ingest", "-", "--ledger", town.ledger],
            input: #"{"id":"c-2","email":"eve@example.com"}"#)
        #expect(piped.code == 0, "\(piped.error)")
        #expect(piped.output.contains("1 lines: 1 new, 0 changed, 0 known already"))
        try nothingIsCalledErased(town)
        let local = array(try town.json("connections")).map(object).first {
            $0["label"] as? String == "local"
        }
        #expect(local?["system"] as? String == "local")
        let log = try town.run("log", "--limit", "1000").output
        #expect(log.contains("connection configured  local: files"), "\(log)")
        #expect(log.contains("observed  local c-1 Dee <dee@example.com>: by import"), "\(log)")
    }

    private func nothingIsCalledErased(_ town: Town) throws {
        let links = array(object(try town.json("links"))["records"]).map(object)
        let objects = links.flatMap { array($0["objects"]) }.map { object($0)["object"] }
        let commands = array(try town.json("commands")).map { object($0)["command"] }
        let ids = (links.map { $0["record"] } + objects + commands).compactMap { $0 as? String }
        #expect(ids.count > 5)
        for id in ids {
            #expect(try !town.run("show", id).output.contains("(erased)"), "\(id)")
        }
        #expect(try !town.run("log", "--limit", "1000").output.contains("(erased)"))
    }

    private func showEverything(_ town: Town) throws {
        let event = object(try town.json("show", "1"))
        #expect(event["type"] as? String == "connection configured")
        #expect(
            try object(town.json("show", event["id"] as? String ?? ""))["sequence"] as? Int == 1)
        let command = object(array(try town.json("commands", "--limit", "1")).first)
        let shown = object(try town.json("show", command["command"] as? String ?? ""))
        #expect(array(shown["events"]).count > 1)
        #expect(!array(shown["changes"]).isEmpty || shown["operation"] as? String == "delete")
        let runs = array(shown["events"]).compactMap { self.object($0)["run"] as? String }
        let run = runs.first ?? ""
        #expect(try !array(object(town.json("show", run))["events"]).isEmpty)
        let connection = object(array(try town.json("connections")).first)
        #expect(
            try object(town.json("show", connection["connection"] as? String ?? ""))["url"]
                is String)
        let page = array(try town.json("log", "--from", "2", "--limit", "3")).map(object)
        #expect(page.compactMap { $0["sequence"] as? Int } == [2, 3, 4])
        #expect(
            try town.run("log", "--limit", "3").output.contains("More: syncledger log --from 4"))
    }
}
