import Foundation
import Ledger
import Model
import Projections
import Sandbox
import Simulation
import Testing

@testable import Engine

/// `tools/test --all` walks ten times as many worlds.
private let isLong = ProcessInfo.processInfo.environment["SYNCLEDGER_LONG_TESTS"] != nil

/// The seeds to walk; `SYNCLEDGER_SEED` walks one again and prints its events.
private let onlySeed = ProcessInfo.processInfo.environment["SYNCLEDGER_SEED"].flatMap(UInt64.init)

private func seeds(_ count: UInt64) -> [UInt64] {
    onlySeed.map { [$0] } ?? Array(0..<(isLong ? count * 10 : count))
}

@Suite struct `Crashes and lost answers` {
    /// A world with people in each system, approved and in step, then edited on all sides.
    private func world(_ seed: UInt64, leads: Int = 0) throws -> World {
        let world = try World(directory: scratch(), seed: seed)
        if Self.isDerived(seed) {
            let derived = """
                    client:
                      derive: {from: account, take: name, by: account, into: tags, prefix: "at "}
                    whole_name:
                      derive: {join: [first_name, last_name]}
                      suitecrm: {attribute: department, direction: push}
                    stage:
                      derive: {from: deal, take: stage, by: account, pick: [Closed Won, Negotiation]}
                      mautic:
                        attribute: stage
                        direction: push
                        lookup: {Prospecting: Lead, Negotiation: Prospect, Closed Won: Customer}

                """
            for name in Self.stages.values.sorted() { world.mautic.addStage(name, at: world.time) }
            let text = MappingFile.text(of: Mapping([.contact]))
            try world.workplace.change(MappingFile(text + derived).entities)
        }
        let accounts = seedAccounts(world)
        seedDeals(world, accounts)
        if seed % 3 == 0 {
            // A run that writes little at a time, and looks again in between.
            world.portion = 1 + Int(seed % 7)
            world.looksEverySeconds = 0.004
        }
        for index in 0..<12 {
            var one = person(
                "p\(index)@example.com", "First\(index)", "Last\(index)",
                phone: "+1-555-01\(10 + index)")
            func seed<Machine: SandboxMachine>(_ machine: inout Machine, _ system: System) {
                one.account = accounts[system]?[Self.firstAccount(index)]
                machine.seed(one, at: world.time)
            }
            if index % 3 != 0 { seed(&world.mautic, .mautic) }
            if index % 3 != 1 { seed(&world.suitecrm, .suitecrm) }
            if index % 4 == 0 { seed(&world.compass, .compass) }
        }
        for index in 0..<leads {
            world.suitecrm.seedLead(
                person("l\(index)@example.com", "First", "Lead\(index)", phone: nil),
                at: world.time)
        }
        return world
    }

    /// In every second world each person's account is a tag as well, SuiteCRM has whole names, and
    /// Mautic's stage is that of a deal.
    private static func isDerived(_ seed: UInt64) -> Bool { seed % 2 == 1 }

    /// Where each person works at first; two of three accounts are known to one system only.
    private static func firstAccount(_ index: Int) -> String {
        index % 4 == 0 || index % 3 == 2 ? "Hooli" : index % 3 == 1 ? "Globex" : "Initech"
    }

    private func seedAccounts(_ world: World) -> [System: [String: String]] {
        let (time, known) = (world.time, ["Hooli"])
        func seed<Machine: SandboxMachine>(
            _ machine: inout Machine, _ own: String
        ) -> [String: String] {
            Dictionary(
                uniqueKeysWithValues: (known + [own]).map {
                    ($0, machine.seed(SandboxAccount(name: $0), at: time))
                })
        }
        return [
            .compass: seed(&world.compass, "Acme"), .mautic: seed(&world.mautic, "Globex"),
            .suitecrm: seed(&world.suitecrm, "Initech"),
        ]
    }

    /// What Mautic calls the stages of deals.
    private static let stages = [
        "Prospecting": "Lead", "Negotiation": "Prospect", "Closed Won": "Customer",
    ]

    /// Two deals of the account that everybody knows, one on either side, and one of each that only
    /// one system knows.
    private func seedDeals(_ world: World, _ accounts: [System: [String: String]]) {
        for (name, account) in [("Relaunch", "Hooli"), ("Shop", "Acme")] {
            world.compass.seed(
                SandboxDeal(
                    name: name, account: accounts[.compass]?[account], amount: "50",
                    stage: "Prospecting"), at: world.time)
        }
        for (name, account) in [("Fair", "Hooli"), ("Print", "Initech")] {
            world.suitecrm.seed(
                SandboxDeal(
                    name: name, account: accounts[.suitecrm]?[account], amount: "100",
                    stage: "Prospecting"), at: world.time)
        }
    }

    /// A deal goes on in each round, and another is worth more.
    private func editDeals(_ world: World, _ round: Int) {
        if let row = world.compass.dealRows.first(where: { $0.deal.name == "Relaunch" }) {
            world.compass.personEditsDeal(row.id, at: world.time) {
                $0.stage = ["Negotiation", "Prospecting", "Closed Won"][round]
            }
        }
        if let row = world.suitecrm.dealRows.first(where: { $0.deal.name == "Print" }) {
            world.suitecrm.personEditsDeal(row.id, at: world.time) {
                $0.amount = "\(200 + round)"
                if round == 1 { $0.stage = "Negotiation" }
            }
        }
    }

    /// People type on all sides; whoever gets points, a new address or an opt-out differs by round, for
    /// a delta of unknown fate that somebody adds to is a question for a person.
    private func edit(_ world: World, _ round: Int, _ expected: inout Expected) throws {
        let time = world.time
        let linked = try linkedEverywhere(world)
        for (index, row) in world.mautic.rows.prefix(4).enumerated() {
            world.mautic.personEdits(row.id, at: time) {
                $0.city = "M\(round)-\(index)"
                $0.tags.append("m\(round)")
                if index == round { $0.points += 5 }
            }
            let name = row.person.lastName ?? ""
            expected.tags[name, default: []].insert("m\(round)")
            if index == round { expected.points[name, default: 0] += 5 }
        }
        for (index, row) in world.suitecrm.rows.suffix(4).enumerated() {
            let address = "new\(round)\(index)@example.com"
            world.suitecrm.personEdits(row.id, at: time) {
                $0.jobTitle = "S\(round)-\(index)"
                if index == round, linked.contains(row.id) { $0.email = address }
            }
            if index == round, linked.contains(row.id) {
                expected.emails[row.person.lastName ?? ""] = address
            }
        }
        let acme = world.compass.accountRows.first { $0.account.name == "Acme" }?.id
        let movable = world.compass.rows.filter { $0.person.lastName?.hasPrefix("Last") == true }
        for (index, row) in movable.prefix(3).enumerated()
        where index == round && linked.contains(row.id) {
            world.compass.personEdits(row.id, at: time) { $0.account = acme }
            expected.accounts[row.person.lastName ?? ""] = "Acme"
        }
        editDeals(world, round)
        let initech = world.suitecrm.accountRows.first { $0.account.name == "Initech" }?.id
        let lead = world.suitecrm.leadRows.first {
            linked.contains($0.id) && !expected.converted.contains($0.person.lastName ?? "")
        }
        if round < 2, let lead {
            world.suitecrm.personConverts(lead.id, account: initech, at: time)
            expected.converted.insert(lead.person.lastName ?? "")
            expected.accounts[lead.person.lastName ?? ""] = "Initech"
        }
        for (index, row) in world.compass.rows.suffix(3).enumerated() {
            world.compass.personEdits(row.id, at: time) { $0.mobile = "+1-555-01\(50 + index)" }
            guard index == round else { continue }
            world.compass.personOptsOut(row.id, at: time)
            expected.optOuts.insert(row.person.lastName ?? "")
        }
    }

    /// Who is known to be one person on all sides: a new address before that makes a stranger, or a
    /// question of first contact.
    private func linkedEverywhere(_ world: World) throws -> Set<String> {
        try world.workplace.views.read { tables, transaction in
            let whole = try tables.records.all(transaction).filter {
                $0.replicas.count == 3 && $0.outcome("email") != nil
            }
            return Set(
                try whole.flatMap(\.replicas).compactMap {
                    try tables.replicas.row($0.bytes, transaction)?.remoteIDText
                })
        }
    }

    /// What people typed that must stand on every side in the end, by last name.
    private struct Expected {
        var emails: [String: String] = [:]
        var points: [String: Int] = [:]
        var tags: [String: Set<String>] = [:]
        var optOuts: Set<String> = []
        var accounts: [String: String] = Dictionary(
            uniqueKeysWithValues: (0..<12).map { ("Last\($0)", firstAccount($0)) })
        /// The leads that became contacts in SuiteCRM.
        var converted: Set<String> = []

        init(leads: Int = 0) {
            for index in 0..<leads { accounts["Lead\(index)"] = "" }
        }
    }

    /// Who stands in a system, once: in SuiteCRM as a contact, or as a lead that is none yet.
    private func people(
        _ world: World, _ system: System, _ expected: Expected
    ) -> [SandboxRow] {
        guard system == .suitecrm else { return world.people(system) }
        return world.people(system)
            + world.suitecrm.leadRows.filter {
                !expected.converted.contains($0.person.lastName ?? "")
            }
    }

    /// Runs until nothing is left to do; at most a few times.
    private func settle(_ world: World) throws -> RunReport {
        for _ in 0..<6 {
            world.pass(seconds: 300)
            // A run that was cut short before it had read everything approved nothing.
            let report = try #require(try world.run(.sync, sweep: true, approve: true))
            if report.issued == 0, report.decisions == 0, report.failures.isEmpty { return report }
        }
        world.pass(seconds: 300)
        let last = try #require(try world.run(.sync, sweep: true))
        Issue.record("never quiet: \(last)")
        return last
    }

    /// What three unheard tries left to a person: let it go on.
    private func retryParked(_ world: World) throws {
        let parked = try world.workplace.views.read { tables, transaction in
            try tables.commands.all(transaction).filter { $0.state == .parked }
        }
        for row in parked { try world.workplace.retry(row.issue.command) }
    }

    private func expectInStep(
        _ world: World, people: Int, _ expected: Expected, seed: UInt64
    ) throws {
        func byName(_ system: System) -> [String: SandboxPerson] {
            let rows = self.people(world, system, expected)
            #expect(rows.count == people, "\(system.name)")
            let emails = rows.compactMap { $0.person.email?.lowercased() }
            #expect(Set(emails).count == people, "a duplicate in \(system.name)")
            return Dictionary(
                rows.map { ($0.person.lastName ?? "", $0.person) },
                uniquingKeysWith: { one, _ in one })
        }
        let (compass, mautic, suitecrm) = (byName(.compass), byName(.mautic), byName(.suitecrm))
        for (name, one) in compass {
            let email = one.email?.lowercased()
            if let wanted = expected.emails[name] { #expect(email == wanted, "\(name)") }
            for other in [mautic[name], suitecrm[name]] {
                let other = try #require(other, "\(name)")
                #expect(email == other.email?.lowercased(), "\(name)")
                #expect(Self.texts(of: one) == Self.texts(of: other), "\(name)")
                #expect(one.emailOptOut == other.emailOptOut, "\(name)")
            }
            #expect(one.emailOptOut == expected.optOuts.contains(name), "\(name)")
            #expect(one.points == expected.points[name] ?? 0, "\(name)")
            #expect(mautic[name]?.points == one.points, "\(name)")
            let account = expected.accounts[name] ?? ""
            let derived = Self.isDerived(seed) && !account.isEmpty ? ["at \(account)"] : []
            #expect(Set(one.tags) == (expected.tags[name] ?? []).union(derived), "\(name)")
            #expect(Set(mautic[name]?.tags ?? []) == Set(one.tags), "\(name)")
        }
        for row in world.suitecrm.rows where Self.isDerived(seed) {
            let names = [row.person.firstName, row.person.lastName].compactMap(\.self)
            let whole = world.suitecrm.column("department", of: row.id)
            #expect(whole == names.joined(separator: " "))
        }
        func accounts<Machine: SandboxMachine>(_ machine: Machine) -> [String: String] {
            let names = Dictionary(
                uniqueKeysWithValues: machine.accountRows.map { ($0.id, $0.account.name ?? "") })
            #expect(names.values.sorted() == ["Acme", "Globex", "Hooli", "Initech"])
            return Dictionary(
                machine.rows.map {
                    ($0.person.lastName ?? "", $0.person.account.flatMap { names[$0] } ?? "")
                }, uniquingKeysWith: { one, _ in one })
        }
        #expect(accounts(world.compass) == expected.accounts)
        #expect(accounts(world.mautic) == expected.accounts)
        let contacts = expected.accounts.filter {
            !$0.key.hasPrefix("Lead") || expected.converted.contains($0.key)
        }
        #expect(accounts(world.suitecrm) == contacts)
        expectDealsInStep(world, expected, seed: seed)
        #expect(try world.workplace.views.verify().isIdentical)
    }

    private func expectDealsInStep(_ world: World, _ expected: Expected, seed: UInt64) {
        func deals<Machine: SandboxDealMachine>(_ machine: Machine) -> Set<[String]> {
            let names = Dictionary(
                uniqueKeysWithValues: machine.accountRows.map { ($0.id, $0.account.name ?? "") })
            let rows = machine.dealRows.map { row in
                [
                    row.deal.name ?? "", row.deal.account.flatMap { names[$0] } ?? "",
                    row.deal.stage ?? "", row.deal.amount ?? "",
                ]
            }
            #expect(rows.count == 4)
            return Set(rows)
        }
        let wanted: Set = [
            ["Relaunch", "Hooli", "Closed Won", "50"], ["Shop", "Acme", "Prospecting", "50"],
            ["Fair", "Hooli", "Prospecting", "100"], ["Print", "Initech", "Negotiation", "202"],
        ]
        #expect(deals(world.compass) == wanted)
        #expect(deals(world.suitecrm) == wanted)
        guard Self.isDerived(seed) else { return }
        let stages = ["Hooli": "Customer", "Acme": "Lead", "Initech": "Prospect"]
        for row in world.mautic.rows {
            let account = expected.accounts[row.person.lastName ?? ""] ?? ""
            #expect(world.mautic.stageName(of: row.id) == stages[account], "\(account)")
        }
    }

    private func printEvents(_ world: World) throws {
        for (index, stored) in try world.workplace.log.read(from: 1, limit: .max).enumerated() {
            let event = try world.workplace.sealer.open(stored, sequence: UInt64(index) + 1)
            print(event.sequence, event.recordedAt, event.entry.stream.id.short, event.event)
        }
    }

    private static func texts(of person: SandboxPerson) -> [String] {
        [
            person.firstName, person.lastName, person.phone, person.mobile, person.jobTitle,
            person.street, person.city, person.postcode,
        ].map { $0 ?? "" }
    }

    @Test(arguments: seeds(30))
    func `a crash between any two steps loses nothing and makes nobody twice`(seed: UInt64) throws {
        let world = try world(seed, leads: 3)
        defer { end(world) }
        var random = IdentitySource(seed: seed, now: world.now)
        var expected = Expected(leads: 3)
        // Three lives, each cut short somewhere, with people typing in between.
        for life in 0..<3 {
            let last = Int(random.next() % 150) + 1
            let report = try world.run(
                .sync, sweep: life > 1, approve: true, stopping: { $0 >= last })
            if report == nil { try world.restart() }
            world.pass(seconds: 90)
            try edit(world, life, &expected)
        }
        let quiet = try settle(world)
        try expectStatusAgrees(world, quiet)
        #expect(quiet.issued == 0 && quiet.decisions == 0)
        #expect(quiet.uncertain == 0 && quiet.parked == 0)
        if onlySeed != nil { try printEvents(world) }
        try expectInStep(world, people: 15, expected, seed: seed)
    }

    @Test(arguments: seeds(16))
    func `answers lost before or after their effect end in the same people`(seed: UInt64) throws {
        let world = try world(seed, leads: 3)
        defer { end(world) }
        var random = IdentitySource(seed: seed &+ 1_000, now: world.now)
        var expected = Expected(leads: 3)
        world.fault = { _ in
            switch random.next() % 12 {
            case 0: .lostBefore
            case 1: .lostAfter
            default: .none
            }
        }
        for life in 0..<3 {
            let report = try #require(try world.run(.sync, approve: true))
            if report.failures.isEmpty { try expectStatusAgrees(world, report) }
            world.pass(seconds: 90)
            try edit(world, life, &expected)
        }
        world.fault = { _ in .none }
        try retryParked(world)
        let quiet = try settle(world)
        #expect(quiet.issued == 0 && quiet.decisions == 0)
        if onlySeed != nil { try printEvents(world) }
        try expectInStep(world, people: 15, expected, seed: seed)
    }

    @Test func `an opt-out anywhere reaches every system and is never lifted by another`() throws {
        let world = try world(7)
        defer { end(world) }
        _ = try world.run(.sync, approve: true)
        let row = try #require(world.mautic.rows.first)
        world.mautic.personOptsOut(row.id, at: world.time)
        _ = try settle(world)
        for system in System.real {
            let person = world.people(system).first {
                $0.person.email?.lowercased() == row.person.email?.lowercased()
            }
            #expect(person?.person.emailOptOut == true, "\(system.name)")
        }
    }

    @Test func `a contact that answers under another id is followed, not deleted`() throws {
        let world = try world(8)
        defer { end(world) }
        _ = try world.run(.sync, approve: true)
        world.pass(seconds: 120)
        let rows = world.mautic.rows
        let (old, new) = (rows[0], rows[1])
        let before = world.people(.suitecrm).count
        let isMerged = world.mautic.mauticMerges(old.id, into: new.id, at: world.time)
        #expect(isMerged)
        let report = try #require(try world.run(.sync, sweep: true))
        #expect(report.merged == 1)
        #expect(report.gone == 0)
        #expect(world.people(.suitecrm).count == before)
        #expect(world.mautic.rows.contains { $0.id == new.id })
    }

    @Test func `a deletion is asked about, and deleting nowhere else without a word`() throws {
        let world = try world(9)
        defer { end(world) }
        _ = try world.run(.sync, approve: true)
        world.pass(seconds: 120)
        let row = world.suitecrm.rows[0]
        world.suitecrm.personDeletes(row.id, at: world.time)
        let mautic = world.people(.mautic).count
        let report = try #require(try world.run(.sync, sweep: true))
        #expect(report.gone == 1)
        #expect(world.people(.mautic).count == mautic)
        #expect(world.people(.suitecrm).count == 11)
        let record = try #require(
            try world.workplace.views.read { tables, transaction in
                try tables.replicas.all(transaction).first { $0.state == .gone }?.record
            })
        try world.workplace.answerDeletion(record, keep: false)
        _ = try settle(world)
        #expect(world.people(.mautic).count == mautic - 1)
    }

    @Test func `who is kept after all is deleted nowhere, though deleting had begun`() throws {
        let world = try world(9)
        defer { end(world) }
        _ = try world.run(.sync, approve: true)
        world.pass(seconds: 120)
        world.suitecrm.personDeletes(world.suitecrm.rows[0].id, at: world.time)
        _ = try world.run(.sync, sweep: true)
        let record = try #require(
            try world.workplace.views.read { tables, transaction in
                try tables.replicas.all(transaction).first { $0.state == .gone }?.record
            })
        let mautic = world.people(.mautic).count
        let compass = world.people(.compass).count
        try world.workplace.answerDeletion(record, keep: false)
        try world.workplace.answerDeletion(record, keep: true)
        world.pass(seconds: 120)
        let report = try #require(try world.run(.sync))
        #expect(report.superseded == 2)
        #expect(world.people(.mautic).count == mautic)
        #expect(world.people(.compass).count == compass)
        #expect(world.people(.suitecrm).count == 12, "made there again")
    }
}
