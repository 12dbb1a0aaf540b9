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

    /// SuiteCRM has it joined besides, in its column `department`.
    private static func join(_ words: String) -> String {
        """
            whole_name:
              derive: {\(words)}
              suitecrm: {attribute: department, direction: push}

        """
    }

    private static let joined = join("join: [first_name, last_name]")

    private static func text(_ changes: [(String, String)]) -> String {
        var text = MappingFile.text(of: Mapping([.contact]))
        for (from, to) in changes {
            #expect(text.contains(from), "\(from)")
            text = text.replacing(from, with: to, maxReplacements: 1)
        }
        return text
    }

    private func world(
        _ seed: UInt64, _ changes: [(String, String)] = [], _ more: String = ""
    ) throws -> World {
        let world = try World(directory: scratch(), seed: seed)
        try world.workplace.change(MappingFile(Self.text(changes) + more).entities)
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

    private func whole(_ world: World) throws -> String? {
        let row = try #require(world.people(.suitecrm).first)
        return world.suitecrm.column("department", of: row.id).flatMap { $0.isEmpty ? nil : $0 }
    }

    private func edit(_ world: World, _ name: String?) throws {
        let row = try #require(world.people(.compass).first)
        world.compass.personEdits(row.id, at: world.time) { $0.jobTitle = name }
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

    @Test func `without a first name say nothing of it where a blank is silent`() throws {
        var changes = Self.split
        changes[0].1 = changes[0].1.replacing("}", with: ", blank: silent}")
        let world = try world(818, changes)
        defer { end(world) }
        world.compass.seed(ada("Ada Lovelace"), at: world.time)
        try sync(world)
        try edit(world, "Byron")
        try sync(world)
        #expect(name(world, .mautic) == ["Ada", "Byron"])
        #expect(try sync(world).issued == 0)
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

    @Test func `are joined where parts are typed, in the same decision`() throws {
        let world = try world(814, [], Self.joined)
        defer { end(world) }
        world.mautic.seed(person("ada@example.com", "Ada", "Lovelace", phone: nil), at: world.time)
        let first = try sync(world)
        #expect(first.waiting == 0 && first.failing == 0, "made with its whole name: \(first)")
        #expect(try whole(world) == "Ada Lovelace")
        #expect(try sync(world).issued == 0)
        let compass = try #require(world.people(.compass).first)
        world.compass.personEdits(compass.id, at: world.time) { $0.lastName = "Byron" }
        let moved = try sync(world)
        #expect(moved.decisions == 2 && moved.issued == 2, "one call to each other: \(moved)")
        #expect(try whole(world) == "Ada Byron")
        let decided = try events(world).compactMap { event -> [FieldDecision]? in
            if case .decided(let decided) = event { decided.fields } else { nil }
        }
        let fields = try #require(decided.last)
        #expect(Set(fields.map(\.field)) == ["last_name", "whole_name"])
        #expect(fields.first { $0.field == "whole_name" }?.law == Reason.joined.rawValue)
        // What is blank is left out.
        world.compass.personEdits(compass.id, at: world.time) { $0.firstName = nil }
        try sync(world)
        #expect(try whole(world) == "Byron")
        #expect(try sync(world).issued == 0)
        try checkRebuild(world)
    }

    @Test func `are joined by what stands between them`() throws {
        let words = #"join: [last_name, first_name], with: ", ""#
        let world = try world(815, [], Self.join(words))
        defer { end(world) }
        world.mautic.seed(person("ada@example.com", "Ada", "Lovelace", phone: nil), at: world.time)
        try sync(world)
        #expect(try whole(world) == "Lovelace, Ada")
    }

    @Test func `wait for realign where a new mapping alone would join them`() throws {
        let world = try world(816)
        defer { end(world) }
        world.mautic.seed(person("ada@example.com", "Ada", "Lovelace", phone: nil), at: world.time)
        world.mautic.seed(person("lise@example.com", "Lise", "Meitner", phone: nil), at: world.time)
        try sync(world)
        try world.workplace.change(MappingFile(Self.text([]) + Self.joined).entities)
        let report = try sync(world)
        #expect(report.realignable == 2 && report.decisions == 0 && report.issued == 0)
        // Whoever's name moves gets the whole of it.
        let mautic = try #require(world.people(.mautic).first)
        world.mautic.personEdits(mautic.id, at: world.time) { $0.firstName = "Augusta" }
        #expect(try sync(world).realignable == 1)
        func names() -> Set<String?> {
            Set(world.people(.suitecrm).map { world.suitecrm.column("department", of: $0.id) })
        }
        #expect(names().contains("Augusta Lovelace") && !names().contains("Lise Meitner"))
        try sync(world, realign: true)
        #expect(names() == ["Augusta Lovelace", "Lise Meitner"])
        #expect(try sync(world).realignable == 0)
    }

    @Test func `are no half names while a part is asked about`() throws {
        let world = try world(817, [], Self.joined)
        defer { end(world) }
        world.mautic.seed(person("ada@example.com", "Ada", "Lovelace", phone: nil), at: world.time)
        world.suitecrm.seed(
            person("ada@example.com", "Eda", "Lovelace", phone: nil), at: world.time)
        #expect(try sync(world).conflicted == 1)
        #expect(try whole(world) == nil)
        let record = try #require(try world.workplace.views.collect(from: \.records) { $0 }.first)
        try world.workplace.settle(record.record, "first_name", as: .system(.mautic))
        try sync(world)
        #expect(try whole(world) == "Ada Lovelace")
        // Asked about later, what stood goes on.
        let mautic = try #require(world.people(.mautic).first)
        let suitecrm = try #require(world.people(.suitecrm).first)
        world.mautic.personEdits(mautic.id, at: world.time) { $0.firstName = "Augusta" }
        world.suitecrm.personEdits(suitecrm.id, at: world.time) {
            ($0.firstName, $0.lastName) = ("Adelaide", "Byron")
        }
        #expect(try sync(world).conflicted == 1)
        #expect(try whole(world) == "Ada Byron")
        try checkRebuild(world)
    }

    /// Names are typed whole in Compass and in parts in Mautic, runs crash and answers are lost.
    @Test(arguments: 0..<30 as Range<UInt64>)
    func `end the same everywhere, whatever crashed`(seed: UInt64) throws {
        let world = try world(seed, Self.split, Self.joined)
        defer { end(world) }
        var random = IdentitySource(seed: seed &+ 5_000, now: world.now)
        let firsts = ["Ada", "Ada King", "Vincent", "Lise"]
        let lasts = ["Lovelace", "van Gogh", "de la Cruz", "King Jr."]
        for index in 0..<5 {
            var one = ada("\(firsts[index % 4]) \(lasts[index % 3])")
            one.email = "p\(index)@example.com"
            world.compass.seed(one, at: world.time)
        }
        func pick(_ words: [String]) -> String { words[Int(random.next() % UInt64(words.count))] }
        for _ in 0..<4 {
            let last = Int(random.next() % 120) + 1
            world.fault = { _ in random.next() % 12 == 0 ? .lostAfter : .none }
            if try world.run(.sync, approve: true, stopping: { $0 >= last }) == nil {
                try world.restart()
            }
            world.pass(seconds: 90)
            for row in world.people(.compass) where random.next() % 3 == 0 {
                let (first, last) = (pick(firsts), pick(lasts))
                let name = random.next() % 2 == 0 ? "\(first) \(last)" : "\(last), \(first)"
                world.compass.personEdits(row.id, at: world.time) { $0.jobTitle = name }
            }
            world.pass(seconds: 90)
            for row in world.people(.mautic) where random.next() % 3 == 0 {
                let last = pick(lasts)
                world.mautic.personEdits(row.id, at: world.time) { $0.lastName = last }
            }
        }
        world.fault = { _ in .none }
        let typed = world.people(.compass).map(\.person.jobTitle)
        var quiet = try sync(world)
        for _ in 0..<5 where quiet.issued + quiet.decisions > 0 { quiet = try sync(world) }
        #expect(quiet.issued == 0 && quiet.decisions == 0 && quiet.parked == 0, "\(quiet)")
        #expect(world.people(.compass).map(\.person.jobTitle) == typed, "nobody writes it")
        let asked = try world.workplace.views.collect(from: \.records) { $0 }.filter {
            !$0.contests.isEmpty
        }
        for row in world.people(.suitecrm) {
            let (first, last) = (row.person.firstName ?? "", row.person.lastName ?? "")
            let whole = world.suitecrm.column("department", of: row.id)
            #expect(whole == "\(first) \(last)")
            let same = try #require(
                world.people(.mautic).first { $0.person.email == row.person.email })
            guard asked.isEmpty else { continue }
            #expect(same.person.firstName == first && same.person.lastName == last)
        }
        #expect(world.people(.suitecrm).count == 5 && world.people(.mautic).count == 5)
        try checkRebuild(world)
        #expect(try world.workplace.views.verify().isIdentical)
    }

    private func events(_ world: World) throws -> [Event] {
        try world.workplace.log.read(from: 1, limit: .max).enumerated().map { index, stored in
            try world.workplace.sealer.open(stored, sequence: UInt64(index) + 1).event
        }
    }

    @Test func `say the same in a file that is written and read again`() throws {
        let joined = Self.join(#"join: [first_name, last_name], with: " - ""#)
        let file = try MappingFile(Self.text(Self.split) + joined)
        let contact = try #require(file.entities.first)
        #expect(contact.attributes(of: .compass).count { $0 == "title" } == 1)
        let again = try MappingFile(MappingFile.text(of: Mapping(file.entities)))
        #expect(again.entities == file.entities)
        let event = try WireDecoder.decode(
            MappingChanged.self, from: WireEncoder.encode(contact.event))
        #expect(try EntityMapping(event, shipped: .contact) == contact)
        #expect(contact.field("whole_name")?.derivation?.separator == " - ")
        #expect(contact.digest != file.entities[0].without("whole_name").digest)
    }

    @Test(arguments: [
        ("join: [first_name, lastname]", "did you mean last_name?"),
        ("join: [first_name]", "of two fields or more"),
        ("join: [first_name, email]", "email is no field of kind text"),
        ("join: [first_name, whole_name]", "whole_name is no field of kind text"),
        ("join: [first_name, city]", "city is of category contact"),
        ("join: [first_name, last_name], into: tags", "has only `with` beside it"),
        (#"from: account, take: name, by: account, with: "-""#, "has only `with` beside it"),
        ("jion: [first_name, last_name]", "did you mean join?"),
        ("take: name", "or `join` with fields of this record"),
    ])
    func `are refused where they cannot be joined`(_ words: String, _ sentence: String) throws {
        let text = Self.text([]) + Self.join(words)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let line = try #require(lines.firstIndex { $0.contains(words) }) + 1
        #expect {
            try MappingFile(text)
        } throws: {
            "\($0)".contains(sentence) && ($0 as? MappingFileError)?.line == line
        }
    }

    @Test func `are only written where they are joined, and not split there`() throws {
        let both = Self.joined.replacing(", direction: push", with: "")
        #expect {
            try MappingFile(Self.text([]) + both)
        } throws: { "\($0)".contains("give every system `direction: push`") }
        let again = Self.joined.replacing(
            "suitecrm: {attribute: department", with: "compass: {attribute: title")
        #expect {
            try MappingFile(Self.text(Self.split) + again)
        } throws: {
            "\($0)".contains("title is split, and the field whole_name writes it")
        }
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

extension EntityMapping {
    fileprivate func without(_ field: String) -> EntityMapping {
        var mapping = self
        mapping.fields.removeAll { $0.name == field }
        return mapping
    }
}
