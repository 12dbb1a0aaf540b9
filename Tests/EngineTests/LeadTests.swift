import Ledger
import Model
import Projections
import Reconciler
import Sandbox
import Simulation
import Testing

@testable import Engine

/// SuiteCRM's leads: people who are not yet contacts there, until its interface converts them.
@Suite struct `Leads` {
    private let ann = SandboxPerson(
        email: "ann@example.com", firstName: "Ann", lastName: "Lee", city: "Köln")

    private func replicas(_ world: World) throws -> [ReplicaRow] {
        try world.workplace.views.read { tables, transaction in
            try tables.replicas.all(transaction)
        }
    }

    private func parts(_ world: World) throws -> [StandingRow.Part] {
        try world.workplace.views.read { tables, transaction in
            try tables.standings.all(transaction).flatMap(\.parts)
        }
    }

    @Test func `are people in the other systems, and no contacts in their own`() throws {
        let world = try World(directory: scratch(), seed: 301)
        defer { end(world) }
        world.suitecrm.seedLead(ann, at: world.time)
        let report = try syncToRest(world)
        #expect(report.records == 1 && report.inSync == 1)
        #expect(world.compass.rows.map(\.person.email) == ["ann@example.com"])
        #expect(world.mautic.rows.map(\.person.city) == ["Köln"])
        #expect(world.suitecrm.rows.isEmpty && world.suitecrm.leadRows.count == 1)
    }

    @Test func `are found by their address, and follow edits both ways`() throws {
        let world = try World(directory: scratch(), seed: 302)
        defer { end(world) }
        world.compass.seed(ann, at: world.time)
        let lead = world.suitecrm.seedLead(ann, at: world.time)
        _ = try syncToRest(world)
        #expect(world.suitecrm.rows.isEmpty)
        world.pass(seconds: 300)
        let row = try #require(world.compass.rows.first)
        world.compass.personEdits(row.id, at: world.time) {
            $0.city = "Bonn"
            $0.email = "ann@new.example"
        }
        world.suitecrm.personEditsLead(lead, at: world.time) { $0.jobTitle = "Buyer" }
        world.pass(seconds: 120)
        _ = try syncToRest(world)
        let now = try #require(world.suitecrm.leadRows.first).person
        #expect(now.city == "Bonn" && now.email == "ann@new.example")
        #expect(world.compass.rows.first?.person.jobTitle == "Buyer")
        #expect(world.suitecrm.rows.isEmpty && world.compass.rows.count == 1)
    }

    @Test func `say nothing and get nothing before a plan with them is approved`() throws {
        let world = try World(directory: scratch(), seed: 309)
        defer { end(world) }
        // As after an update of a program that knew no leads.
        for row in try world.workplace.views.read({ try $0.connections.all($1) }) {
            var approved = WritesApproved()
            approved.connection = row.id
            approved.entities = ["account", "contact", "deal"]
            try world.record(.writesApproved(approved), on: .connection(row.id))
        }
        var bea = ann
        bea.email = "bea@example.com"
        world.compass.seed(ann, at: world.time)
        world.suitecrm.seedLead(bea, at: world.time)
        let report = try #require(try world.run(.sync))
        #expect(report.records == 2 && report.issued == 2)
        #expect(world.compass.rows.count == 1 && world.mautic.rows.count == 1)
        world.pass(seconds: 300)
        let quiet = try #require(try world.run(.sync))
        #expect(quiet.issued == 0 && quiet.decisions == 0)
        try expectStatusAgrees(world, quiet)
        _ = try syncToRest(world, sweep: true)
        #expect(world.compass.rows.count == 2 && world.mautic.rows.count == 2)
    }

    @Test func `are opted out by their address`() throws {
        let world = try World(directory: scratch(), seed: 303)
        defer { end(world) }
        let row = world.compass.seed(ann, at: world.time)
        world.suitecrm.seedLead(ann, at: world.time)
        _ = try syncToRest(world)
        world.pass(seconds: 300)
        world.compass.personEdits(row, at: world.time) { $0.emailOptOut = true }
        world.pass(seconds: 120)
        _ = try syncToRest(world)
        #expect(world.suitecrm.leadRows.first?.person.emailOptOut == true)
    }

    @Test(arguments: [false, true])
    func `that are converted become a contact of the same record, whatever its address`(
        isReaddressed: Bool
    ) throws {
        let world = try World(directory: scratch(), seed: 304)
        defer { end(world) }
        let acme = world.suitecrm.seed(SandboxAccount(name: "Acme"), at: world.time)
        let lead = world.suitecrm.seedLead(ann, at: world.time)
        _ = try syncToRest(world)
        world.pass(seconds: 300)
        let converted = world.suitecrm.personConverts(lead, account: acme, at: world.time)
        let contact = try #require(converted)
        if isReaddressed {
            world.suitecrm.personEdits(contact, at: world.time) { $0.email = "ann@acme.example" }
        }
        world.pass(seconds: 120)
        let report = try syncToRest(world)
        #expect(report.newRecords == 0 && report.ambiguous == 0)
        let people = try replicas(world).filter { $0.entity == "contact" }
        #expect(people.count == 4 && Set(people.map(\.record)).count == 1)
        #expect(people.filter(\.isConverted).map(\.kind) == ["lead"])
        let reasons = try parts(world).filter { $0.bucket == .excluded }.map(\.reason)
        #expect(reasons.contains(Exclusion.converted.rawValue))
        // What is edited now is edited at the contact; the lead is as it was.
        world.pass(seconds: 300)
        world.suitecrm.personEdits(contact, at: world.time) { $0.city = "Essen" }
        world.suitecrm.personEditsLead(lead, at: world.time) { $0.city = "Ulm" }
        world.pass(seconds: 120)
        _ = try syncToRest(world)
        #expect(world.compass.rows.map(\.person.city) == ["Essen"])
        #expect(world.suitecrm.leadRows.first?.person.city == "Ulm")
        if isReaddressed {
            #expect(world.mautic.rows.map(\.person.email) == ["ann@acme.example"])
        }
        #expect(world.compass.rows.first?.person.account != nil)
    }

    @Test func `that were converted before anybody looked are nobody's question`() throws {
        let world = try World(directory: scratch(), seed: 305)
        defer { end(world) }
        world.compass.seed(ann, at: world.time)
        for _ in 0..<2 {
            let lead = world.suitecrm.seedLead(ann, at: world.time)
            world.suitecrm.personConverts(lead, at: world.time)
        }
        let first = try #require(world.suitecrm.rows.first)
        world.suitecrm.personDeletes(first.id, at: world.time)
        // And one whose contact is long gone: no person is made of it.
        var bea = ann
        bea.email = "bea@example.com"
        let old = world.suitecrm.seedLead(bea, at: world.time)
        let made = world.suitecrm.personConverts(old, at: world.time)
        let contact = try #require(made)
        world.suitecrm.personDeletes(contact, at: world.time)
        let report = try syncToRest(world)
        #expect(report.ambiguous == 0 && report.asked == 0)
        #expect(world.compass.rows.count == 1 && world.mautic.rows.count == 1)
        #expect(world.suitecrm.rows.count == 1)
    }

    @Test func `whose contact is deleted are asked about, and so are those deleted unconverted`()
        throws
    {
        let world = try World(directory: scratch(), seed: 306)
        defer { end(world) }
        var bea = ann
        bea.email = "bea@example.com"
        let lead = world.suitecrm.seedLead(ann, at: world.time)
        let other = world.suitecrm.seedLead(bea, at: world.time)
        _ = try syncToRest(world)
        world.pass(seconds: 300)
        let made = world.suitecrm.personConverts(lead, at: world.time)
        let contact = try #require(made)
        world.pass(seconds: 120)
        _ = try syncToRest(world)
        world.suitecrm.personDeletes(contact, at: world.time)
        world.suitecrm.personDeletesLead(other, at: world.time)
        world.pass(seconds: 300)
        let report = try #require(try world.run(.sync, sweep: true))
        #expect(report.gone == 2 && report.conflicted == 2)
        #expect(world.compass.rows.count == 2 && world.suitecrm.rows.isEmpty)
    }

    @Test func `that are deleted once they are converted say nothing`() throws {
        let world = try World(directory: scratch(), seed: 307)
        defer { end(world) }
        let lead = world.suitecrm.seedLead(ann, at: world.time)
        _ = try syncToRest(world)
        world.pass(seconds: 300)
        world.suitecrm.personConverts(lead, at: world.time)
        world.pass(seconds: 120)
        _ = try syncToRest(world)
        world.suitecrm.personDeletesLead(lead, at: world.time)
        world.pass(seconds: 300)
        let report = try #require(try world.run(.sync, sweep: true))
        #expect(report.gone == 1 && report.conflicted == 0)
        #expect(world.suitecrm.rows.count == 1 && world.compass.rows.count == 1)
        try expectStatusAgrees(world, report)
    }

    @Test
    func `that are deleted once converted say nothing, though their contact is gone or apart`()
        throws
    {
        let world = try World(directory: scratch(), seed: 310)
        defer { end(world) }
        let lead = world.suitecrm.seedLead(ann, at: world.time)
        _ = try syncToRest(world)
        world.pass(seconds: 300)
        let made = world.suitecrm.personConverts(lead, at: world.time)
        let contact = try #require(made)
        world.pass(seconds: 120)
        _ = try syncToRest(world)
        let row = try #require(try replicas(world).first { $0.remoteIDText == contact })
        try world.workplace.unlink(row.replica)
        world.suitecrm.personDeletesLead(lead, at: world.time)
        world.pass(seconds: 300)
        let report = try #require(try world.run(.sync, sweep: true))
        #expect(report.gone == 1 && report.conflicted == 0)
        try expectStatusAgrees(world, report)
    }

    @Test func `and contacts with one address are one person, both kept in step`() throws {
        let world = try World(directory: scratch(), seed: 308)
        defer { end(world) }
        world.suitecrm.seedLead(ann, at: world.time)
        let contact = world.suitecrm.seed(ann, at: world.time)
        _ = try syncToRest(world)
        world.pass(seconds: 300)
        world.suitecrm.personEdits(contact, at: world.time) { $0.city = "Bonn" }
        world.pass(seconds: 120)
        _ = try syncToRest(world)
        #expect(world.suitecrm.leadRows.first?.person.city == "Bonn")
        #expect(world.compass.rows.map(\.person.city) == ["Bonn"])
    }
}

extension `Leads` {
    /// A title that is blank at the contact, or the word that stands there for a blank.
    @Test(arguments: [nil, "Unknown"])
    func `that become contacts are told there what was not copied, and lose nothing`(
        blank: String?
    ) throws {
        let world = try World(directory: scratch(), seed: 309)
        defer { end(world) }
        let line = """
                whole_name:
                  derive: {join: [first_name, last_name]}
                  suitecrm: {attribute: department, direction: push}

            """
        let text = MappingFile.text(of: Mapping([.contact])).replacing(
            "suitecrm: {attribute: title,",
            with: "suitecrm: {default: Unknown, attribute: title,")
        try world.workplace.change(MappingFile(text + line).entities)
        var ann = ann
        ann.jobTitle = "Buyer"
        let lead = world.suitecrm.seedLead(ann, at: world.time)
        _ = try syncToRest(world)
        #expect(world.suitecrm.leadColumn("department", of: lead) == "Ann Lee")
        world.pass(seconds: 300)
        let converted = world.suitecrm.personConverts(lead, at: world.time)
        let contact = try #require(converted)
        // Whoever converts may leave fields out, and change others.
        world.suitecrm.personEdits(contact, at: world.time) {
            $0.jobTitle = blank
            $0.city = "Bonn"
        }
        world.pass(seconds: 120)
        _ = try syncToRest(world)
        #expect(world.suitecrm.column("department", of: contact) == "Ann Lee")
        for system in System.real {
            let person = try #require(world.people(system).first).person
            #expect(person.jobTitle == "Buyer" && person.city == "Bonn", "\(system.name)")
        }
        try checkRebuild(world)
    }
}
