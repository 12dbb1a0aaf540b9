import Ledger
import Model
import Projections
import Sandbox
import Simulation
import Testing

@testable import Engine

@Suite struct `Who is out of scope` {
    /// Mautic takes only who has the tag newsletter.
    private func world(_ seed: UInt64) throws -> World {
        let world = try World(directory: scratch(), seed: seed)
        try world.configure(.mautic) { $0.scope = "tags has newsletter" }
        var ann = person("ann@example.com", "Ann", "Lee", phone: nil)
        ann.tags = ["newsletter"]
        world.compass.seed(ann, at: world.time)
        world.compass.seed(person("bob@example.com", "Bob", "Ray", phone: nil), at: world.time)
        _ = try world.run(.sync, approve: true)
        return world
    }

    private func sync(_ world: World) throws {
        for _ in 0..<3 {
            world.pass(seconds: 300)
            _ = try world.run(.sync, sweep: true)
        }
        let report = try #require(try world.run(.sync))
        #expect(report.issued == 0 && report.decisions == 0, "\(report)")
        try expectStatusAgrees(world, report)
        #expect(try world.workplace.views.verify().isIdentical)
    }

    /// Ann's tag is taken away in Compass.
    private func letAnnOut(_ world: World) throws {
        world.compass.personEdits(try id(world, .compass, "Ann"), at: world.time) { $0.tags = [] }
        try sync(world)
    }

    private func names(_ world: World, _ system: System) -> Set<String> {
        Set(world.people(system).compactMap(\.person.firstName))
    }

    private func id(_ world: World, _ system: System, _ first: String) throws -> String {
        try #require(world.people(system).first { $0.person.firstName == first }).id
    }

    @Test func `is not made there, and the plan says so`() throws {
        let world = try world(51)
        defer { end(world) }
        try sync(world)
        #expect(names(world, .mautic) == ["Ann"])
        #expect(names(world, .suitecrm) == ["Ann", "Bob"])
        let report = try #require(try world.run(.sync))
        #expect(report.excluded == 0 && report.inSync == 2, "Bob is in step where he belongs")
    }

    @Test func `and known nowhere else is excluded, made nowhere, and counted the same by all`()
        throws
    {
        let world = try world(57)
        defer { end(world) }
        world.mautic.seed(person("eve@example.com", "Eve", "Poe", phone: nil), at: world.time)
        try sync(world)
        #expect(names(world, .suitecrm) == ["Ann", "Bob"])
        let report = try #require(try world.run(.sync))
        #expect(report.excluded == 1 && report.inSync == 2)
        try expectStatusAgrees(world, report)
    }

    @Test func `is made there as soon as somebody lets them in`() throws {
        let world = try world(52)
        defer { end(world) }
        world.compass.personEdits(try id(world, .compass, "Bob"), at: world.time) {
            $0.tags = ["newsletter"]
        }
        try sync(world)
        #expect(names(world, .mautic) == ["Ann", "Bob"])
    }

    @Test func `is told so, and after that neither heard nor written`() throws {
        let world = try world(53)
        defer { end(world) }
        world.pass(seconds: 60)
        try letAnnOut(world)
        let ann = try id(world, .mautic, "Ann")
        #expect(world.people(.mautic).first?.person.tags == [])
        world.mautic.personEdits(ann, at: world.time) { $0.city = "Bonn" }
        world.compass.personEdits(try id(world, .compass, "Ann"), at: world.time) {
            $0.jobTitle = "Head"
        }
        try sync(world)
        #expect(world.people(.mautic).first?.person.jobTitle == nil)
        #expect(world.people(.suitecrm).allSatisfy { $0.person.city == nil })
        #expect(
            world.people(.suitecrm).first { $0.person.firstName == "Ann" }?.person.jobTitle
                == "Head")
    }

    @Test func `is opted out all the same, on both sides`() throws {
        let world = try world(54)
        defer { end(world) }
        try letAnnOut(world)
        world.mautic.personOptsOut(try id(world, .mautic, "Ann"), at: world.time)
        try sync(world)
        #expect(
            world.people(.suitecrm).first { $0.person.firstName == "Ann" }?.person.emailOptOut
                == true)
    }

    @Test func `is not deleted with the others, and their going asks nobody`() throws {
        let world = try world(55)
        defer { end(world) }
        try letAnnOut(world)
        world.mautic.personDeletes(try id(world, .mautic, "Ann"), at: world.time)
        try sync(world)
        let report = try #require(try world.run(.sync))
        #expect(report.conflicted == 0)
        #expect(names(world, .suitecrm) == ["Ann", "Bob"])
    }

    @Test func `a scope that a newer version wrote lets nobody in`() throws {
        let world = try world(56)
        defer { end(world) }
        try world.configure(.mautic) { $0.scope = "tags like news%" }
        world.compass.personEdits(try id(world, .compass, "Ann"), at: world.time) {
            $0.jobTitle = "Head"
        }
        let before = world.people(.mautic).first?.person
        try sync(world)
        #expect(world.people(.mautic).first?.person == before)
    }
}
