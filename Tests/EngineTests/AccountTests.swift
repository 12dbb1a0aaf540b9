import Ledger
import Model
import Projections
import Sandbox
import Simulation
import Testing
import Transport

@testable import Engine

/// Compass's clients, Mautic's companies and SuiteCRM's accounts, found by their name.
@Suite struct `Accounts` {
    private func account(_ name: String, city: String? = nil) -> SandboxAccount {
        var account = SandboxAccount()
        account.name = name
        account.city = city
        return account
    }

    private func names(_ rows: [SandboxAccountRow]) -> [String] {
        rows.compactMap(\.account.name).sorted()
    }

    @Test func `of one name are one, and who is missing somewhere is made there`() throws {
        let world = try World(directory: scratch(), seed: 61)
        defer { end(world) }
        world.compass.seed(account("Acme", city: "Ulm"), at: world.time)
        world.suitecrm.seed(account("Acme"), at: world.time)
        world.suitecrm.seed(account("Globex", city: "Bonn"), at: world.time)
        world.compass.seed(account("Initech"), at: world.time)
        world.mautic.seed(account("Acme"), at: world.time)
        let report = try syncToRest(world)
        #expect(report.records == 3 && report.inSync == 3)
        let measured = try world.workplace.log.read(from: 1, limit: .max).enumerated().count {
            let event = try world.workplace.sealer.open($1, sequence: UInt64($0) + 1)
            if case .clockSkewMeasured = event.event { return true }
            return false
        }
        #expect(measured <= 3, "each clock once, however many entities are read")
        for rows in [
            world.compass.accountRows, world.suitecrm.accountRows, world.mautic.accountRows,
        ] {
            #expect(names(rows) == ["Acme", "Globex", "Initech"])
            #expect(rows.first { $0.account.name == "Acme" }?.account.city == "Ulm")
        }
    }

    private func seed(_ accounts: [(String, String?, String?, Int?)], _ world: World) {
        for (name, industry, country, employees) in accounts {
            var account = account(name)
            account.industry = industry
            account.country = country
            account.employees = employees
            world.compass.seed(account, at: world.time)
        }
    }

    private func sorted(_ rows: [SandboxAccountRow]) -> [SandboxAccount] {
        rows.map(\.account).sorted { $0.name ?? "" < $1.name ?? "" }
    }

    @Test func `have industry, country and employees, and tell Mautic those words that it has`()
        throws
    {
        let world = try World(directory: scratch(), seed: 63)
        defer { end(world) }
        seed(
            [
                ("Acme", "Banking", "Norway", 12), ("Globex", "Circus", "Polska", 0),
                ("Initech", "Not For Profit", "Réunion", nil),
            ], world)
        let report = try syncToRest(world)
        #expect(report.failing == 0 && report.waiting == 0, "\(report)")
        for rows in [world.suitecrm.accountRows, world.compass.accountRows] {
            let told = sorted(rows)
            #expect(told.map(\.industry) == ["Banking", "Circus", "Not For Profit"])
            #expect(told.map(\.country) == ["Norway", "Polska", "Réunion"])
            #expect(told.map(\.employees) == [12, 0, nil])
        }
        let told = sorted(world.mautic.accountRows)
        #expect(told.map(\.industry) == ["Banking", nil, "Not for Profit"])
        #expect(told.map(\.country) == ["Norway", nil, "Réunion"])
        #expect(told.map(\.employees) == [12, 0, nil])
        world.pass(seconds: 300)
        let company = try #require(world.mautic.accountRows.last { $0.account.name == "Initech" })
        world.mautic.personEditsAccount(company.id, at: world.time) {
            $0.industry = "Social Sector"
            $0.country = nil
        }
        _ = try syncToRest(world)
        let crm = sorted(world.suitecrm.accountRows)
        #expect(crm.map(\.industry) == ["Banking", "Circus", "Social Sector"])
        #expect(crm.map(\.country) == ["Norway", "Polska", nil])
        try checkRebuild(world)
    }

    /// The lines of the page on mapping files.
    @Test func `have a house's own words by lines of a mapping file`() throws {
        let world = try World(directory: scratch(), seed: 64)
        defer { end(world) }
        let lines = [
            ("lookup: industries", "lookup: {Bank: Banking, Press: Media}"),
            ("lookup: countries", "lookup: {Deutschland: Germany, Polska: Poland}"),
        ]
        var text = MappingFile.text(of: Mapping([.account]))
        for (list, own) in lines {
            #expect(text.contains(list))
            text = text.replacing(list, with: own)
        }
        try world.workplace.change(MappingFile(text).entities)
        seed([("Acme", "Bank", "Deutschland", 12), ("Globex", "Circus", "Polska", 3)], world)
        let report = try syncToRest(world)
        #expect(report.failing == 0 && report.waiting == 0, "\(report)")
        let told = sorted(world.mautic.accountRows)
        #expect(told.map(\.industry) == ["Banking", nil], "a word without another stays away")
        #expect(told.map(\.country) == ["Germany", "Poland"])
    }

    @Test
    func `keep a website and a description as people typed them, whatever Mautic makes of it`()
        throws
    {
        let world = try World(directory: scratch(), seed: 65)
        defer { end(world) }
        var acme = account("Acme")
        acme.website = "acme.example"
        acme.description = String(repeating: "Met", count: 100)
        world.compass.seed(acme, at: world.time)
        let report = try syncToRest(world)
        #expect(report.failing == 0 && report.refused == 0, "\(report)")
        func told() -> [[String?]] {
            [world.compass.accountRows, world.mautic.accountRows, world.suitecrm.accountRows].map {
                [$0.first?.account.website, $0.first?.account.description]
            }
        }
        let typed = [acme.website, acme.description]
        let first = [
            typed, ["http://acme.example", acme.description.map { String($0.prefix(191)) }],
        ]
        #expect(told() == first + [typed])
        world.pass(seconds: 300)
        #expect(try syncToRest(world, sweep: true).issued == 0)
        #expect(told() == first + [typed])
        let company = try #require(world.mautic.accountRows.first)
        world.mautic.personEditsAccount(company.id, at: world.time) {
            $0.website = "https://acme.example/en"
        }
        _ = try syncToRest(world)
        #expect(told().map(\.first) == Array(repeating: "https://acme.example/en", count: 3))
    }

    @Test func `follow edits both ways, by feed and by date window`() throws {
        let world = try World(directory: scratch(), seed: 62)
        defer { end(world) }
        world.compass.seed(account("Acme", city: "Ulm"), at: world.time)
        world.compass.seed(account("Globex"), at: world.time)
        _ = try syncToRest(world)
        world.pass(seconds: 300)
        let (client, crm) = (
            try #require(world.compass.accountRows.first { $0.account.name == "Acme" }),
            try #require(world.suitecrm.accountRows.first { $0.account.name == "Globex" })
        )
        world.compass.personEditsAccount(client.id, at: world.time) { $0.city = "Bonn" }
        world.suitecrm.personEditsAccount(crm.id, at: world.time) {
            $0.website = "https://g.example"
        }
        let company = try #require(
            world.mautic.accountRows.first { $0.account.name == "Globex" })
        world.mautic.personEditsAccount(company.id, at: world.time) { $0.phone = "+1-555-0177" }
        world.pass(seconds: 120)
        _ = try syncToRest(world)
        for rows in [
            world.compass.accountRows, world.suitecrm.accountRows, world.mautic.accountRows,
        ] {
            #expect(rows.first { $0.account.name == "Globex" }?.account.phone == "+1-555-0177")
            #expect(rows.first { $0.account.name == "Acme" }?.account.city == "Bonn")
        }
        #expect(
            world.suitecrm.accountRows.first { $0.account.name == "Acme" }?.account.city == "Bonn")
        #expect(
            world.compass.accountRows.first { $0.account.name == "Globex" }?.account.website
                == "https://g.example")
    }

    @Test func `and people are never taken for each other`() throws {
        let world = try World(directory: scratch(), seed: 63)
        defer { end(world) }
        world.compass.seed(account("Ann"), at: world.time)
        world.mautic.seed(person("ann@example.com", "Ann", "Lee", phone: nil), at: world.time)
        let report = try syncToRest(world, sweep: true)
        #expect(report.records == 2)
        #expect(world.people(.compass).count == 1 && world.people(.suitecrm).count == 1)
        #expect(names(world.suitecrm.accountRows) == ["Ann"])
    }

    @Test func `that are deleted are asked about, and kept are made again`() throws {
        let world = try World(directory: scratch(), seed: 64)
        defer { end(world) }
        world.compass.seed(account("Acme"), at: world.time)
        _ = try syncToRest(world)
        world.pass(seconds: 300)
        let row = try #require(world.suitecrm.accountRows.first)
        world.suitecrm.personDeletesAccount(row.id, at: world.time)
        let report = try #require(try world.run(.sync, sweep: true))
        #expect(report.gone == 1 && report.conflicted == 1)
        #expect(names(world.compass.accountRows) == ["Acme"])
        let record = try #require(
            try world.workplace.views.read { tables, transaction in
                try tables.replicas.all(transaction).first { $0.state == .gone }?.record
            })
        try world.workplace.answerDeletion(record, keep: true)
        world.pass(seconds: 300)
        _ = try syncToRest(world)
        #expect(names(world.suitecrm.accountRows) == ["Acme"])
        #expect(names(world.mautic.accountRows) == ["Acme"])
    }

    @Test(arguments: [400, 403, 404])
    func `that one system does not show keep nobody from being read, and are made nowhere blind`(
        status: Int
    ) throws {
        let world = try World(directory: scratch(), seed: 66)
        defer { end(world) }
        world.compass.seed(account("Acme"), at: world.time)
        world.suitecrm.seed(account("Globex"), at: world.time)
        world.mautic.seed(person("ann@example.com", "Ann", "Lee", phone: nil), at: world.time)
        world.instead = { request in
            request.url.contains("/rest/v1/clients")
                ? HTTPResponse(status: status, headers: [:], body: Array("{}".utf8)) : nil
        }
        let report = try #require(try world.run(.sync, sweep: true, approve: true))
        // What was never there is nothing that failed.
        #expect(report.failures.map(\.0) == (status == 404 ? [] : ["compass, accounts"]))
        #expect(report.notes.map(\.0) == (status == 404 ? ["compass, accounts"] : []))
        let unapproved = try world.workplace.views.read { tables, transaction in
            try tables.connections.all(transaction).flatMap { row in
                row.unapproved(in: .shipped).map { "\(row.system.name) \($0)" }
            }
        }
        #expect(unapproved == ["compass account"], "nobody has seen a plan of them")
        #expect(world.people(.compass).count == 1 && world.people(.suitecrm).count == 1)
        #expect(names(world.compass.accountRows) == ["Acme"])
        #expect(names(world.mautic.accountRows) == ["Globex"])
        world.instead = { _ in nil }
        world.pass(seconds: 300)
        _ = try syncToRest(world, sweep: true)
        #expect(names(world.compass.accountRows) == ["Acme", "Globex"])
    }

    @Test
    func `that are spelt in capitals somewhere are the same, and the spelling is asked about`()
        throws
    {
        let world = try World(directory: scratch(), seed: 67)
        defer { end(world) }
        world.compass.seed(account("Acme  Tools"), at: world.time)
        world.mautic.seed(account("ACME TOOLS"), at: world.time)
        let report = try #require(try world.run(.sync, approve: true))
        #expect(report.records == 1 && report.conflicted == 1 && report.refused == 0)
        #expect(world.mautic.accountRows.count == 1 && world.compass.accountRows.count == 1)
    }

    @Test func `are written by no approval that was given before there were any`() throws {
        let world = try World(directory: scratch(), seed: 68)
        defer { end(world) }
        world.compass.seed(account("Acme"), at: world.time)
        world.compass.seed(person("ann@example.com", "Ann", "Lee", phone: nil), at: world.time)
        let connections = try world.workplace.views.read { tables, transaction in
            try tables.connections.all(transaction)
        }
        try world.workplace.append(
            connections.map { row in
                var approved = WritesApproved()
                approved.connection = row.id
                return Draft(
                    id: world.workplace.eventID(), stream: .connection(row.id),
                    event: .writesApproved(approved))
            })
        let report = try #require(try world.run(.sync))
        try expectStatusAgrees(world, report)
        #expect(world.people(.mautic).count == 1 && world.people(.suitecrm).count == 1)
        #expect(world.mautic.accountRows.isEmpty && world.suitecrm.accountRows.isEmpty)
        _ = try syncToRest(world)
        #expect(names(world.mautic.accountRows) == ["Acme"])
        #expect(names(world.suitecrm.accountRows) == ["Acme"])
    }

    @Test func `that lose a value lose it everywhere`() throws {
        let world = try World(directory: scratch(), seed: 65)
        defer { end(world) }
        world.compass.seed(account("Acme", city: "Ulm"), at: world.time)
        _ = try syncToRest(world)
        world.pass(seconds: 300)
        let row = try #require(world.suitecrm.accountRows.first)
        world.suitecrm.personEditsAccount(row.id, at: world.time) { $0.city = nil }
        world.pass(seconds: 120)
        _ = try syncToRest(world)
        for rows in [world.compass.accountRows, world.mautic.accountRows] {
            #expect(rows.map { $0.account.city ?? "" } == [""])
        }
    }
}

/// Mautic's companies show no date, and their ids are handed out again after a restored backup.
@Suite struct `Companies of a Mautic restored from a backup` {
    private func named(_ name: String) -> SandboxAccount { SandboxAccount(name: name) }

    private func names(_ rows: [SandboxAccountRow]) -> [String] {
        rows.compactMap(\.account.name).sorted()
    }

    /// Acme in step, then Zeta everywhere, and then the backup from before it came.
    private func restored(_ seed: UInt64) throws -> World {
        let world = try World(directory: scratch(), seed: seed)
        world.compass.seed(named("Acme"), at: world.time)
        _ = try world.run(.sync, approve: true)
        world.pass(seconds: 300)
        let backup = world.mautic
        world.compass.seed(named("Zeta"), at: world.time)
        _ = try world.run(.sync, sweep: true)
        #expect(names(world.mautic.accountRows) == ["Acme", "Zeta"])
        for _ in 0..<3 {
            world.pass(seconds: 900)
            _ = try world.run(.sync)
        }
        world.mautic = backup
        return world
    }

    @Test(arguments: [false, true])
    func `are not taken for those that had their ids before`(sweep: Bool) throws {
        let world = try restored(71)
        defer { end(world) }
        world.pass(seconds: 60)
        world.mautic.seed(named("Xylo"), at: world.time)
        world.pass(seconds: 600)
        let report = try #require(try world.run(.sync, sweep: sweep))
        #expect(report.gone == 1 && report.conflicted == 1, "\(report)")
        for rows in [world.compass.accountRows, world.suitecrm.accountRows] {
            #expect(names(rows) == ["Acme", "Xylo", "Zeta"])
        }
        let gone = try world.workplace.views.read { tables, transaction in
            try tables.replicas.all(transaction).filter { $0.state == .gone }
        }
        #expect(gone.map(\.goneProof) == [.idReused])
        try world.workplace.answerDeletion(try #require(gone.first?.record), keep: true)
        world.pass(seconds: 300)
        _ = try world.run(.sync)
        #expect(names(world.mautic.accountRows) == ["Acme", "Xylo", "Zeta"])
        #expect(try world.workplace.views.verify().isIdentical)
    }

    @Test func `whose ids are their own are not asked about`() throws {
        let world = try World(directory: scratch(), seed: 72)
        defer { end(world) }
        world.compass.seed(named("Acme"), at: world.time)
        _ = try world.run(.sync, approve: true)
        for number in 0..<6 {
            world.pass(seconds: 45)
            world.mautic.seed(named("New \(number)"), at: world.time)
            world.pass(seconds: 1)
            let report = try #require(try world.run(.sync))
            #expect(report.gone == 0)
        }
        #expect(world.compass.accountRows.count == 7)
    }
}
