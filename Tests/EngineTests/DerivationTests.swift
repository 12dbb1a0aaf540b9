import Ledger
import Model
import Projections
import Sandbox
import Simulation
import Testing

@testable import Engine

/// Fields that are taken from another record: a contact's tag from its account, its stage from a deal.
@Suite struct `Derived fields` {
    private static let tag = """
            client:
              derive: {from: account, take: name, by: account, into: tags, prefix: "client: "}
        """

    private static let stage = """
            stage:
              derive: {from: deal, take: stage, by: account, pick: [Closed Won, Negotiation]}
              suitecrm: {attribute: department, direction: push}
        """

    private static let latest = """
            stage:
              derive: {from: deal, take: stage, by: account, pick: greatest close_date}
              suitecrm: {attribute: department, direction: push}
        """

    private func world(_ seed: UInt64, _ fields: String...) throws -> World {
        let world = try World(directory: scratch(), seed: seed)
        try map(world, fields)
        return world
    }

    private func map(_ world: World, _ fields: [String]) throws {
        let text = MappingFile.text(of: Mapping([.contact]))
        let file = try MappingFile(text + fields.map { $0 + "\n" }.joined())
        try world.workplace.change(file.entities)
    }

    @discardableResult
    private func sync(_ world: World, realign: Bool = false) throws -> RunReport {
        world.pass(seconds: 600)
        return try #require(
            try world.run(.sync, sweep: true, approve: true, realign: realign))
    }

    private func ann(at account: String?) -> SandboxPerson {
        var ann = person("ann@example.com", "Ann", "Lee", phone: nil)
        ann.account = account
        return ann
    }

    private func tags(_ world: World, _ system: System) -> [String]? {
        world.people(system).first?.person.tags.sorted()
    }

    private func department(_ world: World) throws -> String? {
        let row = try #require(world.people(.suitecrm).first)
        return world.suitecrm.column("department", of: row.id).flatMap { $0.isEmpty ? nil : $0 }
    }

    @Test func `put an account's name among its contacts' tags, and follow it`() throws {
        let world = try world(801, Self.tag)
        defer { end(world) }
        let acme = world.compass.seed(SandboxAccount(name: "Acme"), at: world.time)
        var row = ann(at: acme)
        row.tags = ["vip"]
        world.compass.seed(row, at: world.time)
        let first = try sync(world)
        #expect(first.waiting == 0 && first.failing == 0, "in one run: \(first)")
        #expect(tags(world, .mautic) == ["client: Acme", "vip"])
        #expect(tags(world, .compass) == ["client: Acme", "vip"])
        #expect(try sync(world).issued == 0)
        // Renamed: the old name goes, and what people added stays.
        let compass = try #require(world.compass.accountRows.first)
        world.compass.personEditsAccount(compass.id, at: world.time) { $0.name = "Acme and Sons" }
        try sync(world)
        #expect(tags(world, .mautic) == ["client: Acme and Sons", "vip"])
        // Taken away by a person: it is theirs to take, and does not come again by itself.
        let mautic = try #require(world.people(.mautic).first)
        world.mautic.personEdits(mautic.id, at: world.time) { $0.tags = ["vip"] }
        try sync(world)
        #expect(tags(world, .compass) == ["vip"])
        #expect(try sync(world).issued == 0)
        // Whoever leaves the account loses its name.
        world.compass.personEditsAccount(compass.id, at: world.time) { $0.name = "Acme" }
        try sync(world)
        #expect(tags(world, .compass) == ["client: Acme", "vip"])
        let person = try #require(world.people(.compass).first)
        world.compass.personEdits(person.id, at: world.time) { $0.account = nil }
        try sync(world)
        #expect(tags(world, .compass) == ["vip"] && tags(world, .mautic) == ["vip"])
        #expect(try sync(world).issued == 0)
        try checkRebuild(world)
    }

    @Test func `take a contact's stage from the deal that the pick rule names`() throws {
        let world = try world(802, Self.stage)
        defer { end(world) }
        let acme = world.compass.seed(SandboxAccount(name: "Acme"), at: world.time)
        world.compass.seed(ann(at: acme), at: world.time)
        func deal(_ name: String, _ stage: String) -> String {
            world.compass.seed(
                SandboxDeal(name: name, account: acme, stage: stage), at: world.time)
        }
        let first = deal("One", "Prospecting")
        let report = try sync(world)
        #expect(report.waiting == 0 && report.failing == 0, "\(report)")
        #expect(try department(world) == "Prospecting")
        _ = deal("Two", "Negotiation")
        try sync(world)
        #expect(try department(world) == "Negotiation")
        world.compass.personEditsDeal(first, at: world.time) { $0.stage = "Closed Won" }
        try sync(world)
        #expect(try department(world) == "Closed Won")
        #expect(try sync(world).issued == 0)
        // A drift there is nobody's word, and is left alone.
        world.compass.personEditsDeal(first, at: world.time) { $0.account = nil }
        try sync(world)
        #expect(try department(world) == "Negotiation")
        try checkRebuild(world)
    }

    @Test func `put a contact into Mautic's stage of that name, and out of it`() throws {
        let world = try world(
            807,
            """
                stage:
                  derive: {from: deal, take: stage, by: account, pick: [Closed Won, Negotiation]}
                  mautic: {attribute: stage, direction: push, lookup: {Closed Won: Customer, Prospecting: Lead}}
            """)
        defer { end(world) }
        for name in ["Lead", "Customer"] { world.mautic.addStage(name, at: world.time) }
        let acme = world.compass.seed(SandboxAccount(name: "Acme"), at: world.time)
        world.compass.seed(ann(at: acme), at: world.time)
        let deal = world.compass.seed(
            SandboxDeal(name: "One", account: acme, stage: "Prospecting"), at: world.time)
        func stage() throws -> String? {
            world.mautic.stageName(of: try #require(world.people(.mautic).first).id)
        }
        let first = try sync(world)
        #expect(first.waiting == 0 && first.failing == 0, "in one run: \(first)")
        #expect(try stage() == "Lead")
        #expect(try sync(world).issued == 0)
        world.compass.personEditsDeal(deal, at: world.time) { $0.stage = "Closed Won" }
        try sync(world)
        #expect(try stage() == "Customer")
        // It is only told: what somebody chooses there is nobody's word here.
        world.mautic.personPuts(
            try #require(world.people(.mautic).first).id, in: "Lead", at: world.time)
        #expect(try sync(world).issued == 0)
        world.compass.personEditsDeal(deal, at: world.time) { $0.account = nil }
        try sync(world)
        #expect(try stage() == nil)
        #expect(try sync(world).issued == 0)
        try checkRebuild(world)
    }

    @Test func `told in other words later wait for realign where they were told before`() throws {
        func stage(_ won: String) -> String {
            """
                stage:
                  derive: {from: deal, take: stage, by: account, pick: [Closed Won, Negotiation]}
                  mautic: {attribute: stage, direction: push, lookup: {Closed Won: \(won)}}
            """
        }
        let world = try world(809, stage("Customer"))
        defer { end(world) }
        for name in ["Customer", "Client"] { world.mautic.addStage(name, at: world.time) }
        let acme = world.compass.seed(SandboxAccount(name: "Acme"), at: world.time)
        world.compass.seed(ann(at: acme), at: world.time)
        world.compass.seed(
            SandboxDeal(name: "One", account: acme, stage: "Closed Won"), at: world.time)
        try sync(world)
        let contact = try #require(world.people(.mautic).first).id
        #expect(world.mautic.stageName(of: contact) == "Customer")
        try map(world, [stage("Client")])
        #expect(try sync(world).issued == 0)
        #expect(world.mautic.stageName(of: contact) == "Customer")
        try sync(world, realign: true)
        #expect(world.mautic.stageName(of: contact) == "Client")
        #expect(try sync(world).issued == 0)
        try checkRebuild(world)
    }

    @Test func `go both ways where a stage is an ordinary field, and say where there is none`()
        throws
    {
        let world = try world(
            808,
            """
                lifecycle:
                  mautic: {attribute: stage}
                  suitecrm: {attribute: department}
            """)
        defer { end(world) }
        for name in ["Lead", "Customer"] { world.mautic.addStage(name, at: world.time) }
        world.suitecrm.seed(ann(at: nil), at: world.time)
        try sync(world)
        let contact = try #require(world.people(.mautic).first).id
        world.pass(seconds: 600)
        world.mautic.personPuts(contact, in: "Customer", at: world.time)
        try sync(world)
        #expect(try department(world) == "Customer")
        func type(_ text: String) throws -> RunReport {
            world.pass(seconds: 600)
            world.suitecrm.personTypes(
                text, into: "department", of: try #require(world.people(.suitecrm).first).id,
                at: world.time)
            return try sync(world)
        }
        _ = try type("Lead")
        #expect(world.mautic.stageName(of: contact) == "Lead")
        let refused = try type("Prospect")
        #expect(refused.failing == 1 && world.mautic.stageName(of: contact) == "Lead")
        #expect(try sync(world).issued == 0, "a refused value rests")
        _ = try type("")
        #expect(world.mautic.stageName(of: contact) == nil)
        #expect(try sync(world).issued == 0)
        try checkRebuild(world)
    }

    @Test func `take it from the latest`() throws {
        let world = try world(803, Self.latest)
        defer { end(world) }
        let acme = world.compass.seed(SandboxAccount(name: "Acme"), at: world.time)
        world.compass.seed(ann(at: acme), at: world.time)
        for (name, stage, day) in [("A", "Old", "2026-01-31"), ("B", "New", "2027-01-31")] {
            world.compass.seed(
                SandboxDeal(name: name, account: acme, stage: stage, closeDate: day),
                at: world.time)
        }
        try sync(world)
        #expect(try department(world) == "New")
    }

    @Test func `keep an element to which one field comes and which another leaves`() throws {
        let two = """
                aaa:
                  derive: {from: account, take: city, by: account, into: tags}
                bbb:
                  derive: {from: account, take: street, by: account, into: tags}
            """
        let world = try world(805, two)
        defer { end(world) }
        let acme = world.compass.seed(
            SandboxAccount(name: "Acme", street: "East", city: "North"), at: world.time)
        world.compass.seed(ann(at: acme), at: world.time)
        try sync(world)
        #expect(tags(world, .mautic) == ["East", "North"])
        world.compass.personEditsAccount(acme, at: world.time) {
            $0.city = "East"
            $0.street = "West"
        }
        try sync(world)
        #expect(tags(world, .mautic) == ["East", "West"])
    }

    @Test func `move nothing by a new mapping alone, until somebody realigns it`() throws {
        let world = try World(directory: scratch(), seed: 804)
        defer { end(world) }
        let acme = world.compass.seed(SandboxAccount(name: "Acme"), at: world.time)
        world.compass.seed(ann(at: acme), at: world.time)
        try sync(world)
        try map(world, [Self.tag])
        let report = try sync(world)
        #expect(report.realignable == 1 && report.decisions == 0)
        #expect(tags(world, .mautic) == [])
        try sync(world, realign: true)
        #expect(tags(world, .mautic) == ["client: Acme"])
        #expect(try sync(world).realignable == 0)
    }

    @Test(arguments: [
        ("derive: {from: account, take: name}", "needs `from`, `take` and `by`", "derive"),
        (
            "derive: {from: acount, take: name, by: account, into: tags}", "did you mean account?",
            "from"
        ),
        (
            "derive: {from: account, take: nam, by: account, into: tags}", "did you mean name?",
            "take"
        ),
        (
            "derive: {from: account, take: name, by: title, into: tags}", "title is no reference",
            "by"
        ),
        (
            "derive: {from: account, take: name, by: account, into: city}", "is no field of tags",
            "into"
        ),
        (
            "derive: {from: account, take: name, by: account, pick: [a], into: tags}",
            "leave out pick", "pick"
        ),
        (
            "derive: {from: deal, take: stage, by: account, into: tags}", "say which with pick",
            "derive"
        ),
        (
            "derive: {from: deal, take: stage, by: account, pick: newest, into: tags}",
            "pick is `greatest`", "pick"
        ),
        (
            "derive: {from: account, take: name, by: account}\n      mautic: x", "direction: push",
            "mautic"
        ),
        ("derive: {from: account, take: name, by: account}", "no system has it", "derive"),
        ("derive: {join: [first_name, points]}\n      mautic: x", "points is no field of", "join"),
        ("derive: {fro: account}", "did you mean from?", "fro"),
        (
            "mautic: {attribute: stage, constant: Lead}", "told only once somebody is there",
            "constant"
        ),
        (
            "mautic: {attribute: stage, default: Lead}", "told only once somebody is there",
            "default"
        ),
        ("mautic: {attribute: stage, functions: [lowercase]}", "told by its very name", "mautic"),
        ("kind: integer\n      mautic: {attribute: stage}", "told by its very name", "mautic"),
    ])
    func `that contradict themselves are refused, where it stands`(
        _ text: String, _ words: String, at place: String
    ) throws {
        let file =
            MappingFile.text(of: Mapping([.contact])) + "    client:\n      " + text + "\n"
        let lines = file.split(separator: "\n", omittingEmptySubsequences: false)
        #expect {
            try MappingFile(file)
        } throws: {
            guard let error = $0 as? MappingFileError, let line = error.line,
                let column = error.column
            else { return false }
            return error.message.contains(words)
                && lines[line - 1].dropFirst(column - 1).hasPrefix(place)
        }
    }
}
