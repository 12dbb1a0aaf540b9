import Ledger
import Model
import Projections
import Sandbox
import Simulation
import Testing

@testable import Engine

/// Compass's deals and SuiteCRM's opportunities, found by their name within their account.
@Suite struct `Deals` {
    private func names(_ rows: [SandboxDealRow]) -> [String] {
        rows.compactMap(\.deal.name).sorted()
    }

    @Test func `are made with their account, amount and day, once, and never in Mautic`() throws {
        let world = try World(directory: scratch(), seed: 91)
        defer { end(world) }
        let acme = world.compass.seed(SandboxAccount(name: "Acme"), at: world.time)
        world.compass.seed(
            SandboxDeal(
                name: "Relaunch", account: acme, amount: "1234.50", stage: "Prospecting",
                closeDate: "2027-01-31"), at: world.time)
        world.suitecrm.seed(
            SandboxDeal(name: "Support", amount: "99", stage: "Closed Won"), at: world.time)
        let report = try syncToRest(world)
        #expect(report.records == 3 && report.inSync == 3)
        let made = try #require(world.suitecrm.dealRows.first { $0.deal.name == "Relaunch" }).deal
        #expect(made.amount == "1234.5" && made.stage == "Prospecting")
        #expect(made.closeDate == "2027-01-31")
        #expect(made.account == world.suitecrm.accountRows.first?.id)
        #expect(names(world.compass.dealRows) == ["Relaunch", "Support"])
        #expect(world.mautic.accountRows.count == 1 && world.mautic.rows.isEmpty)
    }

    @Test func `without a day have the default day at the system that wants one, and nowhere else`()
        throws
    {
        let world = try World(directory: scratch(), seed: 97)
        defer { end(world) }
        let text = MappingFile.text(of: Mapping([.deal]))
        let file = text.replacing(
            "suitecrm: date_closed", with: "suitecrm: {attribute: date_closed, default: 2099-12-31}"
        )
        #expect(file != text)
        try world.workplace.change(MappingFile(file).entities)
        let row = world.compass.seed(SandboxDeal(name: "Relaunch", amount: "5"), at: world.time)
        func days() -> [String?] {
            [world.compass.dealRows, world.suitecrm.dealRows].map { $0.first?.deal.closeDate }
        }
        _ = try syncToRest(world)
        #expect(days() == [nil, "2099-12-31"])
        for (day, told) in [("2027-01-31", "2027-01-31"), (nil, "2099-12-31")] {
            world.pass(seconds: 300)
            world.compass.personEditsDeal(row, at: world.time) { $0.closeDate = day }
            _ = try syncToRest(world)
            #expect(days() == [day, told])
        }
    }

    @Test func `of one name are the same within one account, and others elsewhere`() throws {
        let world = try World(directory: scratch(), seed: 92)
        defer { end(world) }
        for name in ["Acme", "Globex"] {
            let client = world.compass.seed(SandboxAccount(name: name), at: world.time)
            let account = world.suitecrm.seed(SandboxAccount(name: name), at: world.time)
            world.compass.seed(
                SandboxDeal(name: "Support", account: client, amount: "10"), at: world.time)
            guard name == "Acme" else { continue }
            world.suitecrm.seed(
                SandboxDeal(name: "Support", account: account, amount: "10"), at: world.time)
        }
        let report = try syncToRest(world)
        #expect(report.ambiguous == 0 && report.asked == 0)
        #expect(world.compass.dealRows.count == 2 && world.suitecrm.dealRows.count == 2)
        let places = world.suitecrm.dealRows.map(\.deal.account)
        #expect(Set(places).count == 2)
    }

    @Test func `of one name on one side, with no account to tell them apart, are a question`()
        throws
    {
        let world = try World(directory: scratch(), seed: 93)
        defer { end(world) }
        world.compass.seed(SandboxDeal(name: "Support", amount: "10"), at: world.time)
        world.suitecrm.seed(SandboxDeal(name: "Support", amount: "10"), at: world.time)
        world.suitecrm.seed(SandboxDeal(name: "Support", amount: "20"), at: world.time)
        let report = try #require(try world.run(.sync, approve: true))
        #expect(report.asked == 3)
        #expect(world.compass.dealRows.count == 1 && world.suitecrm.dealRows.count == 2)
    }

    @Test func `are never joined across accounts, though one account is a question itself`() throws
    {
        let world = try World(directory: scratch(), seed: 96)
        defer { end(world) }
        let beta = world.compass.seed(SandboxAccount(name: "Beta"), at: world.time)
        world.compass.seed(
            SandboxDeal(name: "Renewal", account: beta, amount: "10"), at: world.time)
        let acme = world.suitecrm.seed(SandboxAccount(name: "Acme"), at: world.time)
        world.suitecrm.seed(SandboxAccount(name: "Acme"), at: world.time)
        world.suitecrm.seed(
            SandboxDeal(name: "Renewal", account: acme, amount: "20"), at: world.time)
        _ = try world.run(.sync, approve: true)
        world.pass(seconds: 300)
        let report = try #require(try world.run(.sync, sweep: true))
        #expect(report.decisions == 0 && report.issued == 0)
        #expect(world.compass.dealRows.map(\.deal.amount) == ["10"])
        #expect(world.suitecrm.dealRows.contains { $0.deal.amount == "20" })
        let records = try world.workplace.views.read { tables, transaction in
            try tables.records.all(transaction).filter { $0.entity == "deal" }
        }
        #expect(records.count == 1, "the other waits for its account")
        #expect(report.unlinked == 1, "and is counted")
        // Every object that was read stands in exactly one count.
        #expect(report.asked == 2 && report.apart == 0)
        let there = [
            world.compass.accountRows.count, world.compass.dealRows.count,
            world.mautic.accountRows.count, world.suitecrm.accountRows.count,
            world.suitecrm.dealRows.count,
        ].reduce(0, +)
        #expect(report.objects == there && report.objectsSeen.values.reduce(0, +) == there)
        let ofRecords = try world.workplace.views.read { tables, transaction in
            try tables.records.all(transaction).reduce(0) { $0 + $1.replicas.count }
        }
        #expect(report.objectsOfRecords == ofRecords)
    }

    @Test func `follow edits both ways, every digit of an amount`() throws {
        let world = try World(directory: scratch(), seed: 94)
        defer { end(world) }
        world.compass.seed(
            SandboxDeal(name: "Relaunch", amount: "1000", stage: "Prospecting"), at: world.time)
        world.compass.seed(
            SandboxDeal(name: "Support", amount: "50", stage: "Prospecting"), at: world.time)
        _ = try syncToRest(world)
        world.pass(seconds: 300)
        let (here, there) = (
            try #require(world.compass.dealRows.first { $0.deal.name == "Relaunch" }),
            try #require(world.suitecrm.dealRows.first { $0.deal.name == "Support" })
        )
        world.compass.personEditsDeal(here.id, at: world.time) {
            $0.amount = "12345678901.25"
            $0.closeDate = "2027-03-04"
        }
        world.suitecrm.personEditsDeal(there.id, at: world.time) { $0.stage = "Closed Won" }
        world.pass(seconds: 120)
        _ = try syncToRest(world)
        let relaunch = world.suitecrm.dealRows.first { $0.deal.name == "Relaunch" }?.deal
        #expect(relaunch?.amount == "12345678901.25" && relaunch?.closeDate == "2027-03-04")
        #expect(
            world.compass.dealRows.first { $0.deal.name == "Support" }?.deal.stage == "Closed Won")
        // A blank amount is SuiteCRM's 0, and stays blank here.
        world.compass.personEditsDeal(here.id, at: world.time) { $0.amount = nil }
        world.pass(seconds: 120)
        _ = try syncToRest(world, sweep: true)
        #expect(
            world.suitecrm.dealRows.first { $0.deal.name == "Relaunch" }?.deal.amount == "0")
        #expect(
            world.compass.dealRows.first { $0.deal.name == "Relaunch" }?.deal.amount == nil)
    }

    @Test func `that are deleted are asked about`() throws {
        let world = try World(directory: scratch(), seed: 95)
        defer { end(world) }
        world.compass.seed(SandboxDeal(name: "Relaunch", amount: "1000"), at: world.time)
        _ = try syncToRest(world)
        world.pass(seconds: 300)
        world.suitecrm.personDeletesDeal(
            try #require(world.suitecrm.dealRows.first).id, at: world.time)
        let report = try #require(try world.run(.sync, sweep: true))
        #expect(report.gone == 1 && report.conflicted == 1)
        #expect(world.compass.dealRows.count == 1)
    }
}
