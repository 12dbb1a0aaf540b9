import Engine
import Ledger
import Model
import Projections
import Sandbox
import Simulation
import Testing

/// Another mapping than the shipped one, over whole runs.
@Suite struct `Another mapping` {
    /// A world in which people are mapped otherwise: each pair is a text of the shipped file and what
    /// stands in its place.
    private func world(_ seed: UInt64, _ changes: [(String, String)]) throws -> World {
        let world = try World(directory: scratch(), seed: seed)
        try map(world, changes)
        return world
    }

    private func map(_ world: World, _ changes: [(String, String)]) throws {
        var text = MappingFile.text(of: Mapping([.contact]))
        for (from, to) in changes {
            #expect(text.contains(from), "\(from)")
            text = text.replacing(from, with: to, maxReplacements: 1)
        }
        try world.workplace.change(MappingFile(text).entities)
    }

    @discardableResult
    private func sync(_ world: World, approve: Bool = true) throws -> RunReport {
        world.pass(seconds: 600)
        return try #require(try world.run(.sync, sweep: true, approve: approve))
    }

    private func edit(
        _ world: World, _ system: System, _ edit: (inout SandboxPerson) -> Void
    ) throws {
        let row = try #require(world.people(system).first)
        switch system {
        case .mautic: world.mautic.personEdits(row.id, at: world.time, edit)
        case .suitecrm: world.suitecrm.personEdits(row.id, at: world.time, edit)
        default: world.compass.personEdits(row.id, at: world.time, edit)
        }
    }

    private func ann(_ change: (inout SandboxPerson) -> Void = { _ in }) -> SandboxPerson {
        var ann = person("ann@example.com", "Ann", "Lee", phone: nil)
        change(&ann)
        return ann
    }

    private func shown(_ world: World, _ system: System) -> SandboxPerson? {
        world.people(system).first?.person
    }

    @Test func `translates by lookup both ways`() throws {
        let world = try world(
            701,
            [
                (
                    "suitecrm: {attribute: title, longest: 100}",
                    "suitecrm: {attribute: title, lookup: {boss: Head of all, maker: Engineer}}"
                )
            ])
        defer { end(world) }
        world.compass.seed(ann { $0.jobTitle = "boss" }, at: world.time)
        try sync(world)
        #expect(shown(world, .suitecrm)?.jobTitle == "Head of all")
        #expect(shown(world, .mautic)?.jobTitle == "boss")
        try edit(world, .suitecrm) { $0.jobTitle = "Engineer" }
        try sync(world)
        #expect(shown(world, .compass)?.jobTitle == "maker")
        #expect(shown(world, .mautic)?.jobTitle == "maker")
        // A word that nobody foresaw is asked about, and told to nobody.
        try edit(world, .suitecrm) { $0.jobTitle = "Poet" }
        #expect(try sync(world).conflicted == 1)
        #expect(shown(world, .compass)?.jobTitle == "maker")
        // A content without a word there is not written there, and the rest is in step.
        try edit(world, .suitecrm) { $0.jobTitle = "Engineer" }
        try sync(world)
        try edit(world, .mautic) { $0.jobTitle = "clown" }
        try sync(world)
        #expect(shown(world, .compass)?.jobTitle == "clown")
        #expect(shown(world, .suitecrm)?.jobTitle == "Engineer")
        try checkRebuild(world)
    }

    @Test func `gives a blank a default that is told to nobody else`() throws {
        let world = try world(
            702,
            [
                (
                    "suitecrm: {attribute: last_name, longest: 100}",
                    "suitecrm: {attribute: last_name, longest: 100, default: Unknown, required: true}"
                )
            ])
        defer { end(world) }
        world.mautic.seed(ann { $0.lastName = nil }, at: world.time)
        let report = try sync(world)
        #expect(report.failing == 0 && report.waiting == 0)
        #expect(shown(world, .suitecrm)?.lastName == "Unknown")
        try sync(world)
        #expect(shown(world, .mautic)?.lastName == nil && shown(world, .compass)?.lastName == nil)
        try edit(world, .mautic) { $0.lastName = "Lee" }
        try sync(world)
        #expect(shown(world, .suitecrm)?.lastName == "Lee")
        try edit(world, .compass) { $0.lastName = nil }
        try sync(world)
        #expect(shown(world, .suitecrm)?.lastName == "Unknown")
        #expect(try sync(world).issued == 0)
    }

    @Test func `makes nobody who lacks what is required, and says so`() throws {
        let world = try world(
            703,
            [
                (
                    "suitecrm: {attribute: last_name, longest: 100}",
                    "suitecrm: {attribute: last_name, longest: 100, required: true}"
                )
            ])
        defer { end(world) }
        world.mautic.seed(ann { $0.lastName = nil }, at: world.time)
        try sync(world)
        #expect(world.people(.suitecrm).isEmpty && world.people(.compass).count == 1)
        let standings = try world.workplace.views.read { try $0.standings.all($1) }
        #expect(
            standings.flatMap(\.parts).contains { $0.reason == Exclusion.lacksRequired.rawValue })
        try edit(world, .mautic) { $0.lastName = "Lee" }
        try sync(world)
        #expect(shown(world, .suitecrm)?.lastName == "Lee")
        // Once it is there it is not emptied there.
        try edit(world, .mautic) { $0.lastName = nil }
        try sync(world)
        #expect(
            shown(world, .suitecrm)?.lastName == "Lee" && shown(world, .compass)?.lastName == nil)
    }

    @Test func `tells a constant to what is made, once`() throws {
        let world = try world(
            704,
            [
                (
                    "    street:\n",
                    "    source:\n      suitecrm: {attribute: department, constant: From Compass}\n    street:\n"
                )
            ])
        defer { end(world) }
        world.compass.seed(ann(), at: world.time)
        try sync(world)
        let row = try #require(world.people(.suitecrm).first)
        #expect(world.suitecrm.column("department", of: row.id) == "From Compass")
        #expect(try sync(world).issued == 0)
        try checkRebuild(world)
    }

    @Test func `writes nothing that was decided before it, until somebody realigns that`() throws {
        let shipped = "suitecrm: {attribute: primary_address_city, longest: 100}"
        let world = try world(
            716,
            [(shipped, "suitecrm: {attribute: primary_address_city, direction: pull}")])
        defer { end(world) }
        func seed(_ name: String, _ city: String) {
            var person = person("\(name)@example.com", name, "Lee", phone: nil)
            person.city = city
            world.compass.seed(person, at: world.time)
        }
        seed("ann", "Berlin")
        seed("bob", "Turin")
        try sync(world)
        func cities() -> [String] {
            world.people(.suitecrm).map { $0.person.city ?? "" }.sorted()
        }
        #expect(cities() == ["", ""])
        try map(world, [])
        let after = try sync(world)
        #expect(after.issued == 0 && after.realignable == 2 && after.waiting == 2, "\(after)")
        #expect(cities() == ["", ""])
        // What is decided from then on is told, and so is who is made or linked there.
        try edit(world, .compass) { $0.city = "Rome" }
        seed("cara", "Oslo")
        world.suitecrm.seed(
            person("dora@example.com", "Dora", "Lee", phone: nil), at: world.time)
        seed("dora", "Paris")
        try sync(world)
        #expect(cities() == ["", "Oslo", "Paris", "Rome"])
        #expect(try sync(world).realignable == 1)
        world.pass(seconds: 600)
        _ = try world.run(.sync, sweep: true, approve: true, realign: true)
        #expect(cities() == ["Oslo", "Paris", "Rome", "Turin"])
        let last = try sync(world)
        #expect(last.issued == 0 && last.realignable == 0 && last.waiting == 0, "\(last)")
        try checkRebuild(world)
    }

    @Test func `tells what was decided before it, and not told yet, in its own words`() throws {
        let world = try World(directory: scratch(), seed: 717)
        defer { end(world) }
        world.compass.seed(ann { $0.city = "Berlin" }, at: world.time)
        try sync(world)
        world.suitecrm.seed(ann { $0.email = "bob@example.com" }, at: world.time)
        let city = "suitecrm: {attribute: primary_address_city, longest: 100}"
        try map(world, [(city, "suitecrm: {attribute: primary_address_city, longest: 90}")])
        // Decided, and not approved: nobody was told.
        try edit(world, .compass) { $0.city = "Rome" }
        let decided = try sync(world, approve: false)
        #expect(decided.decisions > 0, "\(decided)")
        #expect(!world.people(.suitecrm).contains { $0.person.city == "Rome" })
        try map(world, [(city, "suitecrm: {attribute: primary_address_city, longest: 80}")])
        try sync(world)
        #expect(world.people(.suitecrm).contains { $0.person.city == "Rome" })
        let last = try sync(world)
        #expect(last.issued == 0 && last.realignable == 0 && last.waiting == 0, "\(last)")
        try checkRebuild(world)
    }

    @Test func `lets a field go one way only`() throws {
        let world = try world(
            705,
            [
                (
                    "suitecrm: {attribute: title, longest: 100}",
                    "suitecrm: {attribute: title, longest: 100, direction: push}"
                ),
                (
                    "mautic: {attribute: city, longest: 191}",
                    "mautic: {attribute: city, longest: 191, direction: pull}"
                ),
                (
                    "suitecrm: {attribute: phone_work, longest: 100}",
                    "suitecrm: {attribute: phone_work, longest: 100, only_create: true}"
                ),
            ])
        defer { end(world) }
        world.compass.seed(
            ann {
                $0.jobTitle = "Maker"; $0.city = "Ulm"; $0.phone = "1"
            }, at: world.time)
        try sync(world)
        #expect(
            shown(world, .suitecrm)?.jobTitle == "Maker" && shown(world, .suitecrm)?.phone == "1")
        #expect(shown(world, .mautic)?.city == nil, "it is only read there")
        try edit(world, .suitecrm) { $0.jobTitle = "Poet" }
        try edit(world, .mautic) { $0.city = "Bonn" }
        try edit(world, .compass) { $0.phone = "2" }
        try sync(world)
        #expect(shown(world, .compass)?.jobTitle == "Maker", "it is only written there")
        #expect(shown(world, .compass)?.city == "Bonn")
        #expect(shown(world, .suitecrm)?.phone == "1" && shown(world, .mautic)?.phone == "2")
    }

    @Test func `lets a blank say nothing where it is silent`() throws {
        let world = try world(
            706,
            [
                (
                    "mautic: {attribute: city, longest: 191}",
                    "mautic: {attribute: city, longest: 191, blank: silent}"
                )
            ])
        defer { end(world) }
        world.compass.seed(ann { $0.city = "Ulm" }, at: world.time)
        try sync(world)
        try edit(world, .mautic) { $0.city = nil }
        try sync(world)
        #expect(shown(world, .compass)?.city == "Ulm" && shown(world, .suitecrm)?.city == "Ulm")
        try edit(world, .mautic) { $0.city = "Bonn" }
        try sync(world)
        #expect(shown(world, .compass)?.city == "Bonn")
        try edit(world, .compass) { $0.city = nil }
        try sync(world)
        #expect(shown(world, .suitecrm)?.city == nil && shown(world, .mautic)?.city == "Bonn")
    }

    @Test func `says who belongs and who is made, entity by entity`() throws {
        let world = try world(
            707,
            [
                (
                    "  fields:\n",
                    "  create: {suitecrm: when phone is set}\n  scope: {mautic: tags has news}\n  fields:\n"
                )
            ])
        defer { end(world) }
        world.compass.seed(ann { $0.tags = ["news"] }, at: world.time)
        try sync(world)
        #expect(world.people(.mautic).count == 1 && world.people(.suitecrm).isEmpty)
        try edit(world, .compass) {
            $0.phone = "1"; $0.tags = []
        }
        try sync(world)
        #expect(world.people(.suitecrm).count == 1)
        let standings = try world.workplace.views.read { try $0.standings.all($1) }
        let report = try sync(world)
        #expect(report.failing == 0 && !standings.isEmpty)
    }

    @Test func `of a phone number tells every system the one form`() throws {
        let world = try world(
            708,
            [
                (
                    "mautic: {attribute: phone, longest: 191}",
                    "mautic: {attribute: phone, longest: 191, functions: [phone 49]}"
                ),
                (
                    "suitecrm: {attribute: phone_work, longest: 100}",
                    "suitecrm: {attribute: phone_work, longest: 100, functions: [phone 49]}"
                ),
                ("compass: phone", "compass: {attribute: phone, functions: [phone 49]}"),
            ])
        defer { end(world) }
        world.mautic.seed(ann { $0.phone = "030 / 123 45 67" }, at: world.time)
        world.suitecrm.seed(ann { $0.phone = "+49 30 1234567" }, at: world.time)
        let report = try sync(world)
        #expect(report.conflicted == 0)
        #expect(shown(world, .compass)?.phone == "+49301234567")
        #expect(
            shown(world, .mautic)?.phone == "030 / 123 45 67", "what says the same is left alone")
        #expect(try sync(world).issued == 0)
    }

    @Test func `writes nothing where it tells a system otherwise before that is approved`() throws {
        let world = try World(directory: scratch(), seed: 709)
        defer { end(world) }
        world.compass.seed(
            ann {
                $0.jobTitle = "boss"; $0.city = "Ulm"
            }, at: world.time)
        try sync(world)
        #expect(shown(world, .suitecrm)?.jobTitle == "boss")
        let change = [
            (
                "suitecrm: {attribute: title, longest: 100}",
                "suitecrm: {attribute: title, lookup: {boss: Head of all}}"
            ),
            (
                "    street:\n",
                "    unit:\n      compass: unit\n      suitecrm: department\n    street:\n"
            ),
            ("    description:\n      compass: description\n      suitecrm: description\n", ""),
        ]
        var text = MappingFile.text(of: Mapping([.contact]))
        for (from, to) in change { text = text.replacing(from, with: to, maxReplacements: 1) }
        let file = try MappingFile(text)
        let reach = try world.workplace.reach(of: file.entities[0])
        #expect(reach.added == ["unit"] && reach.removed == ["description"])
        #expect(reach.changed == ["title"] && reach.records == 1)
        #expect(reach.approvals.count == 2, "Mautic is told what it was told before")
        try world.workplace.change(file.entities)
        world.pass(seconds: 600)
        try edit(world, .compass) { $0.city = "Bonn" }
        var report = try sync(world, approve: false)
        #expect(report.issued == 1, "Mautic is told what it was told before")
        #expect(
            shown(world, .suitecrm)?.city == "Ulm", "not even what the mapping leaves as it was")
        #expect(shown(world, .suitecrm)?.jobTitle == "boss")
        report = try sync(world)
        #expect(shown(world, .suitecrm)?.city == "Bonn")
        #expect(try sync(world).issued == 0)
        try checkRebuild(world)
    }

    @Test func `is refused where an attribute would have another field's history`() throws {
        let world = try World(directory: scratch(), seed: 711)
        defer { end(world) }
        let text = MappingFile.text(of: Mapping([.contact]))
            .replacing("    street:\n", with: "    avenue:\n")
        let file = try MappingFile(text)
        #expect { try world.workplace.reach(of: file.entities[0]) } throws: {
            "\($0)".contains("street is the attribute of the field street")
        }
    }

    @Test func `keeps an attribute to the field that had it first, whatever ships since`() throws {
        let world = try World(directory: scratch(), seed: 731)
        defer { end(world) }
        let shipped = MappingFile.text(of: Mapping([.account]))
        let land = shipped.replacing("    country:\n", with: "    land:\n")
        #expect(land != shipped)
        try world.workplace.change(MappingFile(land).entities)
        let again = try #require(MappingFile(land).entities.first)
        #expect(try world.workplace.reach(of: again).isEmpty)
        let renamed = try #require(MappingFile(shipped).entities.first)
        #expect {
            _ = try world.workplace.reach(of: renamed)
        } throws: { "\($0)".contains("is the attribute of the field land") }
    }

    @Test func `that was set before a rule was made is still followed`() throws {
        let old = "mautic: {attribute: companynumber_of_employees, constant: many}"
        let text = MappingFile.text(of: Mapping([.account])).replacing(
            "mautic: companynumber_of_employees", with: old)
        #expect { try MappingFile(text) } throws: { "\($0)".contains("many cannot be read") }
        var event = EntityMapping.account.event
        for field in event.fields.indices where event.fields[field].field == "employees" {
            for place in event.fields[field].spellings.indices
            where event.fields[field].spellings[place].system == .mautic {
                event.fields[field].spellings[place].constant = "many"
            }
        }
        #expect(throws: Never.self) { try EntityMapping(event, shipped: .account) }
    }

    @Test func `is refused where a connection's own scope would name what is not there`() throws {
        let world = try World(directory: scratch(), seed: 710)
        defer { end(world) }
        try world.configure(.mautic) { $0.scope = "city = Ulm" }
        var contact = EntityMapping.contact
        contact.fields.removeAll { $0.name == "city" }
        #expect { try world.workplace.reach(of: contact) } throws: {
            "\($0)".contains("names a field city")
        }
    }
}
