import Ledger
import Model
import Projections
import Sandbox
import Simulation
import Testing
import Transport

@testable import Engine

/// A contact's account: Compass's client_id, SuiteCRM's account_id and Mautic's primary company.
@Suite struct `References` {
    private func world(_ seed: UInt64) throws -> World {
        try World(directory: scratch(), seed: seed)
    }

    private func ann(_ account: String? = nil) -> SandboxPerson {
        var ann = person("ann@example.com", "Ann", "Lee", phone: nil)
        ann.account = account
        return ann
    }

    /// The name of the account that a person has at each system; "" for none.
    private func accounts(_ world: World, of last: String = "Lee") -> [String] {
        [
            (System.compass, world.compass.accountRows), (.mautic, world.mautic.accountRows),
            (.suitecrm, world.suitecrm.accountRows),
        ].map { system, accounts in
            let row = world.people(system).first { $0.person.lastName == last }
            guard let row else { return "nobody" }
            return accounts.first { $0.id == row.person.account }?.account.name ?? ""
        }
    }

    @Test(arguments: [System.compass, .suitecrm, .mautic])
    func `are made after what they refer to, and reach every system`(from system: System) throws {
        let world = try world(81)
        defer { end(world) }
        let acme = SandboxAccount(name: "Acme")
        switch system {
        case .compass:
            world.compass.seed(ann(world.compass.seed(acme, at: world.time)), at: world.time)
        case .suitecrm:
            world.suitecrm.seed(ann(world.suitecrm.seed(acme, at: world.time)), at: world.time)
        default: world.mautic.seed(ann(world.mautic.seed(acme, at: world.time)), at: world.time)
        }
        let first = try #require(try world.run(.sync, approve: true))
        #expect(first.inSync == 2 && first.waiting == 0, "in one run: \(first)")
        let report = try syncToRest(world)
        #expect(report.records == 2 && report.inSync == 2)
        #expect(accounts(world) == ["Acme", "Acme", "Acme"])
        let calls = world.writeCalls
        #expect(calls <= 6, "two creates each, and no more: \(calls)")
    }

    @Test(arguments: [System.compass, .suitecrm, .mautic])
    func `follow who moves to another account, and who leaves`(at system: System) throws {
        let world = try world(82)
        defer { end(world) }
        let acme = world.compass.seed(SandboxAccount(name: "Acme"), at: world.time)
        world.compass.seed(SandboxAccount(name: "Globex"), at: world.time)
        world.compass.seed(ann(acme), at: world.time)
        _ = try syncToRest(world)
        for name in ["Globex", nil, "Acme"] {
            world.pass(seconds: 300)
            func move<Machine: SandboxMachine>(_ machine: inout Machine) {
                let target = machine.accountRows.first { $0.account.name == name && name != nil }?
                    .id
                guard let row = machine.rows.first else { return }
                machine.personEdits(row.id, at: world.time) { $0.account = target }
            }
            switch system {
            case .compass: move(&world.compass)
            case .suitecrm: move(&world.suitecrm)
            default: move(&world.mautic)
            }
            world.pass(seconds: 120)
            _ = try syncToRest(world, sweep: true)
            #expect(accounts(world) == Array(repeating: name ?? "", count: 3), "\(name ?? "none")")
        }
    }

    @Test func `that differ at first contact are asked about, by the accounts' records`() throws {
        let world = try world(83)
        defer { end(world) }
        let acme = world.compass.seed(SandboxAccount(name: "Acme"), at: world.time)
        let globex = world.suitecrm.seed(SandboxAccount(name: "Globex"), at: world.time)
        world.compass.seed(ann(acme), at: world.time)
        world.suitecrm.seed(ann(globex), at: world.time)
        let report = try #require(try world.run(.sync, approve: true))
        #expect(report.conflicted == 1)
        let record = try #require(
            try world.workplace.views.read { tables, transaction in
                try tables.records.all(transaction).first { !$0.contests.isEmpty }
            })
        #expect(record.contests.map(\.field) == ["account"])
        try world.workplace.settle(record.record, "account", as: .system(.suitecrm))
        world.pass(seconds: 300)
        _ = try syncToRest(world, sweep: true)
        #expect(accounts(world) == ["Globex", "Globex", "Globex"])
    }

    @Test func `to an account that is deleted at one system are not emptied elsewhere`() throws {
        let world = try world(84)
        defer { end(world) }
        let acme = world.compass.seed(SandboxAccount(name: "Acme"), at: world.time)
        world.compass.seed(ann(acme), at: world.time)
        _ = try syncToRest(world)
        world.pass(seconds: 300)
        let row = try #require(world.suitecrm.accountRows.first)
        world.suitecrm.personDeletesAccount(row.id, at: world.time)
        let asked = try #require(try world.run(.sync, sweep: true))
        #expect(asked.gone == 1 && asked.conflicted == 1)
        #expect(accounts(world) == ["Acme", "Acme", ""])
        let gone = try #require(
            try world.workplace.views.read { tables, transaction in
                try tables.replicas.all(transaction).first { $0.state == .gone }?.record
            })
        try world.workplace.answerDeletion(gone, keep: true)
        world.pass(seconds: 300)
        _ = try syncToRest(world, sweep: true)
        #expect(accounts(world) == ["Acme", "Acme", "Acme"])
    }

    @Test func `to what was made at last reach who was there already, in the same run`() throws {
        let world = try world(87)
        defer { end(world) }
        // Where it is made is decided only when a person has said what it is called.
        let acme = world.compass.seed(SandboxAccount(name: "Acme"), at: world.time)
        world.suitecrm.seed(SandboxAccount(name: "ACME"), at: world.time)
        world.compass.seed(ann(acme), at: world.time)
        world.mautic.seed(ann(), at: world.time)
        _ = try world.run(.sync, approve: true)
        #expect(accounts(world)[1] == "")
        let record = try #require(
            try world.workplace.views.read { tables, transaction in
                try tables.records.all(transaction).first { !$0.contests.isEmpty }?.record
            })
        try world.workplace.settle(record, "name", as: .system(.compass))
        world.pass(seconds: 300)
        let report = try #require(try world.run(.sync))
        #expect(report.waiting == 0, "\(report)")
        #expect(accounts(world) == ["Acme", "Acme", "Acme"])
        world.pass(seconds: 300)
        #expect(try #require(try world.run(.sync)).issued == 0)
    }

    @Test func `to what is refused wait for nobody`() throws {
        let world = try world(88)
        defer { end(world) }
        let acme = world.compass.seed(SandboxAccount(name: "Acme"), at: world.time)
        world.compass.seed(ann(acme), at: world.time)
        world.instead = { request in
            request.url.contains("/mautic/api/companies/new")
                ? HTTPResponse(
                    status: 422, headers: [:],
                    body: Array(#"{"errors":[{"code":422,"message":"x","details":[]}]}"#.utf8))
                : nil
        }
        let report = try #require(try world.run(.sync, approve: true))
        #expect(report.refused == 1)
        #expect(accounts(world) == ["Acme", "", "Acme"])
    }

    @Test func `stay where another company takes the old name, and end where a person ends them`()
        throws
    {
        let world = try world(89)
        defer { end(world) }
        let acme = world.compass.seed(SandboxAccount(name: "Acme"), at: world.time)
        world.compass.seed(ann(acme), at: world.time)
        _ = try syncToRest(world)
        world.pass(seconds: 300)
        world.compass.personEditsAccount(acme, at: world.time) { $0.name = "Acme Tools" }
        world.pass(seconds: 60)
        _ = try syncToRest(world)
        world.mautic.seed(SandboxAccount(name: "Acme"), at: world.time)
        world.pass(seconds: 300)
        _ = try syncToRest(world)
        #expect(accounts(world) == ["Acme Tools", "Acme Tools", "Acme Tools"])
        world.pass(seconds: 300)
        let row = try #require(world.mautic.rows.first)
        world.mautic.personEdits(row.id, at: world.time) { $0.account = nil }
        world.pass(seconds: 60)
        _ = try syncToRest(world)
        #expect(accounts(world) == ["", "", ""])
    }

    @Test func `are not emptied by a deletion that shows in a contact first`() throws {
        let world = try world(90)
        defer { end(world) }
        let acme = world.compass.seed(SandboxAccount(name: "Acme"), at: world.time)
        world.compass.seed(ann(acme), at: world.time)
        _ = try syncToRest(world)
        world.pass(seconds: 300)
        let (account, contact) = (
            try #require(world.suitecrm.accountRows.first),
            try #require(world.suitecrm.rows.first)
        )
        world.suitecrm.personDeletesAccount(account.id, at: world.time)
        world.suitecrm.personEdits(contact.id, at: world.time) { $0.jobTitle = "Head" }
        world.pass(seconds: 120)
        let report = try #require(try world.run(.sync))
        #expect(report.gone == 1 && report.conflicted == 1, "\(report)")
        #expect(accounts(world) == ["Acme", "Acme", ""])
        try expectStatusAgrees(world, report)
    }

    @Test func `follow the first move after a write of ours that told nothing`() throws {
        let world = try world(99)
        defer { end(world) }
        let acme = world.compass.seed(SandboxAccount(name: "Acme"), at: world.time)
        let globex = world.compass.seed(SandboxAccount(name: "Globex"), at: world.time)
        let id = world.compass.seed(ann(acme), at: world.time)
        _ = try syncToRest(world)
        world.pass(seconds: 300)
        world.compass.personEdits(id, at: world.time) { $0.account = globex }
        _ = try syncToRest(world)
        #expect(accounts(world) == ["Globex", "Globex", "Globex"])
        world.pass(seconds: 300)
        let company = world.mautic.accountRows.first { $0.account.name == "Acme" }?.id
        let row = try #require(world.mautic.rows.first)
        world.mautic.personEdits(row.id, at: world.time) { $0.account = company }
        world.pass(seconds: 120)
        _ = try syncToRest(world)
        #expect(accounts(world) == ["Acme", "Acme", "Acme"])
    }

    @Test func `to what is made nowhere else are a verdict and no error`() throws {
        let world = try world(85)
        defer { end(world) }
        try world.configure(.mautic) { $0.create = .never }
        let acme = world.compass.seed(SandboxAccount(name: "Acme"), at: world.time)
        world.compass.seed(ann(acme), at: world.time)
        world.mautic.seed(ann(), at: world.time)
        let report = try syncToRest(world, sweep: true)
        #expect(accounts(world) == ["Acme", "", "Acme"])
        #expect(report.inSync == 2 && report.failing == 0 && report.waiting == 0)
    }

    @Test func `stay where a company is renamed, though its people then show another name`() throws
    {
        let world = try world(86)
        defer { end(world) }
        let acme = world.compass.seed(SandboxAccount(name: "Acme"), at: world.time)
        world.compass.seed(ann(acme), at: world.time)
        _ = try syncToRest(world)
        world.pass(seconds: 300)
        let company = try #require(world.mautic.accountRows.first)
        world.mautic.personEditsAccount(company.id, at: world.time) { $0.name = "Acme Tools" }
        world.pass(seconds: 60)
        _ = try syncToRest(world)
        #expect(accounts(world) == ["Acme Tools", "Acme Tools", "Acme Tools"])
        let report = try syncToRest(world, sweep: true)
        #expect(report.inSync == 2)
        #expect(accounts(world) == ["Acme Tools", "Acme Tools", "Acme Tools"])
    }
}
