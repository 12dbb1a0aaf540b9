import Ledger
import Model
import Projections
import Sandbox
import Simulation
import Testing

@testable import Engine

/// Names that one system has whole and the others in two parts.
@Suite struct `Whole names` {
    /// Compass has the whole name, here in its column `title`.
    private static let split = [
        (
            "compass: first_name",
            "compass: {attribute: title, functions: [split first], direction: pull}"
        ),
        (
            "compass: last_name",
            "compass: {attribute: title, functions: [split last], direction: pull}"
        ),
        ("      compass: title\n", ""),
    ]

    private static func text(_ changes: [(String, String)]) -> String {
        var text = MappingFile.text(of: Mapping([.contact]))
        for (from, to) in changes {
            #expect(text.contains(from), "\(from)")
            text = text.replacing(from, with: to, maxReplacements: 1)
        }
        return text
    }

    private func world(_ seed: UInt64, _ changes: [(String, String)]) throws -> World {
        let world = try World(directory: scratch(), seed: seed)
        try world.workplace.change(MappingFile(Self.text(changes)).entities)
        return world
    }

    @discardableResult
    private func sync(_ world: World, sweep: Bool = true, realign: Bool = false) throws -> RunReport
    {
        world.pass(seconds: 600)
        return try #require(
            try world.run(.sync, sweep: sweep, approve: true, realign: realign))
    }

    private func ada(_ name: String) -> SandboxPerson {
        var ada = person("ada@example.com", "", "", phone: nil)
        (ada.firstName, ada.lastName, ada.jobTitle) = (nil, nil, name)
        return ada
    }

    private func name(_ world: World, _ system: System) -> [String?] {
        let shown = world.people(system).first?.person
        return [shown?.firstName, shown?.lastName].map { $0?.isEmpty == true ? nil : $0 }
    }

    private func edit(_ world: World, _ name: String?) throws {
        let row = try #require(world.people(.compass).first)
        world.compass.personEdits(row.id, at: world.time) { $0.jobTitle = name }
    }

    private func checkRebuild(_ world: World) throws {
        let before = try world.workplace.views.digest()
        try world.workplace.views.rebuild(anew: true)
        #expect(try world.workplace.views.digest() == before)
    }

    @Test func `are told in their parts, and each part moves alone`() throws {
        let world = try world(811, Self.split)
        defer { end(world) }
        world.compass.seed(ada("Lovelace, Dr. Ada  King"), at: world.time)
        let first = try sync(world)
        #expect(first.waiting == 0 && first.failing == 0 && first.conflicted == 0, "\(first)")
        #expect(name(world, .mautic) == ["Ada King", "Lovelace"])
        #expect(name(world, .suitecrm) == ["Ada King", "Lovelace"])
        #expect(try sync(world).issued == 0)
        // By the outbox, which tells of the whole column.
        try edit(world, "Ada King van Lovelace")
        let moved = try sync(world, sweep: false)
        #expect(moved.decisions == 1, "the first name is as it was: \(moved)")
        #expect(name(world, .suitecrm) == ["Ada King", "van Lovelace"])
        // The same parts in another order are no news.
        try edit(world, "van Lovelace, Ada King")
        let same = try sync(world)
        #expect(same.decisions == 0 && same.issued == 0, "\(same)")
        // Edited in parts elsewhere: the whole name is never written.
        let mautic = try #require(world.people(.mautic).first)
        world.mautic.personEdits(mautic.id, at: world.time) { $0.firstName = "Augusta" }
        try sync(world)
        #expect(name(world, .suitecrm) == ["Augusta", "van Lovelace"])
        #expect(world.people(.compass).first?.person.jobTitle == "van Lovelace, Ada King")
        // The other part moves there, and the first name that was edited since stays.
        try edit(world, "Byron, Ada King")
        try sync(world)
        #expect(name(world, .mautic) == ["Augusta", "Byron"])
        // One word alone: somebody took the first name away.
        try edit(world, "Byron")
        try sync(world)
        #expect(name(world, .mautic) == [nil, "Byron"])
        #expect(try sync(world).issued == 0)
        try checkRebuild(world)
    }

    @Test func `are spelt in the log as they stand there`() throws {
        let world = try world(812, Self.split)
        defer { end(world) }
        world.compass.seed(ada("Lovelace, Dr. Ada"), at: world.time)
        try sync(world)
        let rows = try world.workplace.views.read { try $0.replicas.all($1) }
        let row = try #require(rows.first { $0.system == .compass })
        for part in ["title split first", "title split last"] {
            #expect(row[part].seen?.value == .text("Lovelace, Dr. Ada"))
        }
    }

    @Test func `agree at first contact with the same name in two parts`() throws {
        let world = try world(813, Self.split)
        defer { end(world) }
        world.compass.seed(ada("Dr. Vincent van Gogh"), at: world.time)
        world.suitecrm.seed(
            person("ada@example.com", "Vincent", "van Gogh", phone: nil), at: world.time)
        let report = try sync(world)
        #expect(report.conflicted == 0 && report.failing == 0, "\(report)")
        #expect(name(world, .mautic) == ["Vincent", "van Gogh"])
    }

    @Test func `say the same in a file that is written and read again`() throws {
        let file = try MappingFile(Self.text(Self.split))
        let contact = try #require(file.entities.first)
        #expect(contact.attributes(of: .compass).count { $0 == "title" } == 1)
        let again = try MappingFile(MappingFile.text(of: Mapping(file.entities)))
        #expect(again.entities == file.entities)
        let event = try WireDecoder.decode(
            MappingChanged.self, from: WireEncoder.encode(contact.event))
        #expect(try EntityMapping(event, shipped: .contact) == contact)
    }

    @Test(arguments: [
        ("{attribute: title, functions: [split first]}", "it `direction: pull`; to write a whole"),
        ("{attribute: title, functions: [split frist], direction: pull}", "did you mean first?"),
        ("{attribute: title, functions: [split], direction: pull}", "not nothing"),
        ("{attribute: email, functions: [split first], direction: pull}", "of kind email"),
        (
            "{attribute: city, functions: [split first], direction: pull}",
            "city is split, and the field city writes it"
        ),
        (
            "{attribute: title, functions: [split last], direction: pull}",
            "has the attribute title split last there already"
        ),
    ])
    func `are refused where they cannot be`(_ first: String, _ words: String) throws {
        var changes = Self.split
        changes[0].1 = "compass: " + first
        let text = Self.text(changes)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let line = try #require(lines.firstIndex { $0.contains(first) }) + 1
        #expect {
            try MappingFile(text)
        } throws: {
            "\($0)".contains(words) && ($0 as? MappingFileError)?.line == line
        }
    }
}
