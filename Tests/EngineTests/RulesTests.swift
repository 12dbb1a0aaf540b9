import Ledger
import Model
import Projections
import Sandbox
import Simulation
import Testing

@testable import Engine

@Suite struct `The rules that decide` {
    @Test func `are said once, and every decision names them and its policy`() throws {
        let world = try World(directory: scratch(), seed: 61)
        defer { end(world) }
        world.mautic.seed(person("ann@example.com", "Ann", "Lee", phone: nil), at: world.time)
        var policy = PolicyChanged()
        policy.entity = "contact"
        policy.preset = Law.manual.rawValue
        try world.record(.policyChanged(policy), on: Stream(.ledger, EventID.none))
        for _ in 0..<3 {
            world.pass(seconds: 60)
            _ = try world.run(.sync, approve: true)
        }
        var policyID: EventID?
        var adopted: [LoggedEvent] = []
        var decided: [Decided] = []
        for (index, stored) in try world.workplace.log.read(from: 1, limit: .max).enumerated() {
            let event = try world.workplace.sealer.open(stored, sequence: UInt64(index) + 1)
            switch event.event {
            case .policyChanged: policyID = event.id
            case .rulesAdopted(let payload) where payload.entity == "contact":
                adopted.append(event)
            case .decided(let payload): decided.append(payload)
            default: break
            }
        }
        #expect(adopted.count == 1)
        #expect(!decided.isEmpty)
        #expect(decided.allSatisfy { $0.mapping == adopted.first?.id && $0.policy == policyID })
        guard case .rulesAdopted(let rules)? = adopted.first?.event else { return }
        #expect(rules.mapping == EntityMapping.contact.digest)
    }

    @Test func `of a program that ships another mapping write only what somebody approved anew`()
        throws
    {
        let world = try World(directory: scratch(), seed: 66)
        defer { end(world) }
        world.mautic.seed(person("ann@example.com", "Ann", "Lee", phone: nil), at: world.time)
        _ = try syncToRest(world)
        // As an earlier program would have left the ledger.
        var adopted = RulesAdopted()
        adopted.entity = "contact"
        adopted.merge = Merge.version
        adopted.codec = FieldCodec.version
        adopted.mapping = [1, 2, 3]
        try world.record(
            .rulesAdopted(adopted), on: Stream(.ledger, .derived("rules", [[1]]) as EventID))
        world.pass(seconds: 300)
        let ann = try #require(world.compass.rows.first)
        world.compass.personEdits(ann.id, at: world.time) { $0.city = "Oslo" }
        world.pass(seconds: 120)
        let report = try #require(try world.run(.sync))
        #expect(report.decisions == 1 && report.issued == 0, "\(report)")
        #expect(world.mautic.rows.first?.person.city == nil)
        try checkRebuild(world)
        _ = try world.run(.sync, approve: true)
        #expect(world.mautic.rows.first?.person.city == "Oslo")
        try checkRebuild(world)
    }

    @Test func `differ when anything in a mapping does`() {
        var other = EntityMapping.contact
        other.fields[0].prefer = [.mautic]
        #expect(other.digest != EntityMapping.contact.digest)
        other = .contact
        other.fields[0].spellings[.mautic]?.codec.maximumLength = 63
        #expect(other.digest != EntityMapping.contact.digest)
    }

    @Test func `differ however a word is cut in two`() throws {
        func mapping(_ terms: String) throws -> EntityMapping {
            let text = MappingFile.text(of: Mapping([.contact]))
            let title = "suitecrm: {attribute: title, longest: 100}"
            #expect(text.contains(title))
            return try MappingFile(
                text.replacing(title, with: "suitecrm: {attribute: title, \(terms)}")
            ).entities[0]
        }
        // One word with a bar in it, or a word and a default: they looked the same once.
        let (one, two) = (
            try mapping(#"lookup: {a: "b|blank c"}"#), try mapping("lookup: {a: b}, default: c")
        )
        #expect(one.formerDigest == two.formerDigest)
        #expect(one.digest != two.digest)
        #expect(
            try mapping(#"lookup: {a: "b", c: "d"}"#).digest
                != mapping(#"lookup: {a: "d", c: "b"}"#).digest)
    }

    /// Appends what an earlier version said of the mapping in force.
    private func adoptAsBefore(_ world: World, _ mapping: EntityMapping) throws {
        var adopted = RulesAdopted()
        adopted.entity = mapping.entity
        adopted.merge = Merge.version
        adopted.codec = FieldCodec.version
        adopted.mapping = mapping.formerDigest
        try world.record(.rulesAdopted(adopted), on: Stream(.ledger, EventID.none))
    }

    private func adoptions(_ world: World) throws -> Int {
        try world.workplace.log.read(from: 1, limit: .max).count {
            try EntryView($0.entry.span).type == RulesAdopted.type
        }
    }

    @Test func `of an earlier version's ledger go on as they were`() throws {
        let world = try contested(67)
        defer { end(world) }
        try adoptAsBefore(world, .contact)
        let before = try adoptions(world)
        _ = try sync(world)
        #expect(try adoptions(world) == before, "the same mapping is no news")
        // Another one is, though the digest of that version could not tell it.
        try world.workplace.change([.contact])
        _ = try sync(world)
        #expect(try adoptions(world) == before + 1)
        _ = try sync(world)
        #expect(try adoptions(world) == before + 1)
    }

    /// Ann everywhere, in step; then her city is typed in two systems, and nobody knows which was last.
    private func contested(_ seed: UInt64) throws -> World {
        let world = try World(directory: scratch(), seed: seed)
        world.mautic.seed(person("ann@example.com", "Ann", "Lee", phone: nil), at: world.time)
        _ = try world.run(.sync, approve: true)
        world.pass(seconds: 600)
        try type(world, .mautic) { $0.city = "Bonn" }
        try type(world, .suitecrm) { $0.city = "Ulm" }
        let report = try #require(try world.run(.sync))
        #expect(report.conflicted == 1)
        return world
    }

    private func type(
        _ world: World, _ system: System, _ edit: (inout SandboxPerson) -> Void
    ) throws {
        let row = try #require(world.people(system).first)
        switch system {
        case .mautic: world.mautic.personEdits(row.id, at: world.time, edit)
        case .suitecrm: world.suitecrm.personEdits(row.id, at: world.time, edit)
        default: world.compass.personEdits(row.id, at: world.time, edit)
        }
    }

    private func sync(_ world: World, realign: Bool = false) throws -> RunReport {
        world.pass(seconds: 600)
        return try #require(try world.run(.sync, sweep: true, realign: realign))
    }

    @Test func `that change decide nothing that stood open, until a person realigns it`() throws {
        let world = try contested(62)
        defer { end(world) }
        try world.workplace.change(
            .field("city", FieldPolicy(law: .prefer, prefer: [.suitecrm])), .contact)
        var report = try sync(world)
        #expect(report.conflicted == 1 && report.issued == 0 && report.decisions == 0)
        #expect(report.realignable == 1)
        world.pass(seconds: 60)
        report = try #require(try world.run(.plan, realign: true))
        #expect(report.proposals["settle city: preferred system"] == 1)
        #expect(world.people(.mautic).first?.person.city == "Bonn", "a plan writes nothing")
        report = try sync(world, realign: true)
        #expect(report.conflicted == 0 && report.realignable == 0)
        for system in System.real { #expect(world.people(system).first?.person.city == "Ulm") }
    }

    @Test func `that changed hold for what is seen from then on`() throws {
        let world = try contested(63)
        defer { end(world) }
        try world.workplace.change(
            .field("city", FieldPolicy(law: .prefer, prefer: [.suitecrm])), .contact)
        try type(world, .mautic) { $0.city = "Köln" }
        let report = try sync(world)
        #expect(report.conflicted == 0)
        for system in System.real { #expect(world.people(system).first?.person.city == "Ulm") }
    }

    @Test func `of existence that change delete nobody who was asked about before`() throws {
        let world = try World(directory: scratch(), seed: 64)
        defer { end(world) }
        world.mautic.seed(person("ann@example.com", "Ann", "Lee", phone: nil), at: world.time)
        _ = try world.run(.sync, approve: true)
        world.pass(seconds: 600)
        let row = try #require(world.people(.suitecrm).first)
        world.suitecrm.personDeletes(row.id, at: world.time)
        _ = try sync(world)
        let reach = try world.workplace.reach(of: .existence(.deleteWins), .contact)
        #expect(reach == .init(openQuestions: 1, records: 1))
        let preset = try world.workplace.reach(of: .preset(.manual), .contact)
        #expect(preset.fields.contains("city") && !preset.fields.contains("points"))
        #expect(preset.records == 1 && preset.values > preset.records, "\(preset)")
        try world.workplace.change(.existence(.deleteWins), .contact)
        #expect(try sync(world).issued == 0)
        #expect(world.people(.mautic).count == 1)
        _ = try sync(world, realign: true)
        #expect(world.people(.mautic).isEmpty && world.people(.compass).isEmpty)
    }

    @Test func `that newly enforce a field leave alone what had drifted before`() throws {
        let world = try World(directory: scratch(), seed: 65)
        defer { end(world) }
        try world.configure(.mautic) { $0.direction = .push }
        world.compass.seed(person("ann@example.com", "Ann", "Lee", phone: nil), at: world.time)
        _ = try world.run(.sync, approve: true)
        world.pass(seconds: 600)
        try type(world, .mautic) { $0.firstName = "Anna" }
        _ = try sync(world)
        try world.workplace.change(
            .field("first_name", FieldPolicy(law: .fieldMerge, enforce: true)), .contact)
        #expect(try sync(world).issued == 0)
        #expect(world.people(.mautic).first?.person.firstName == "Anna")
        _ = try sync(world, realign: true)
        #expect(world.people(.mautic).first?.person.firstName == "Ann")
    }

    @Test func `of the last write take every field from whom was changed last`() throws {
        let world = try World(directory: scratch(), seed: 66)
        defer { end(world) }
        try world.workplace.change(.preset(.lastWriteWins), .contact)
        var ann = person("ann@example.com", "Ann", "Lee", phone: nil)
        ann.city = "Ulm"
        world.mautic.seed(ann, at: world.time)
        _ = try world.run(.sync, approve: true)
        world.pass(seconds: 600)
        try type(world, .compass) { $0.city = "Bonn" }
        world.pass(seconds: 600)
        try type(world, .mautic) { $0.firstName = "Anna" }
        let report = try sync(world)
        #expect(report.conflicted == 0)
        for system in System.real {
            let one = try #require(world.people(system).first?.person)
            #expect(one.firstName == "Anna", "\(system.name)")
            #expect(one.city == "Ulm", "\(system.name)")
        }
        #expect(try sync(world).issued == 0)
    }
}
