import Ledger
import Model
import Projections
import Sandbox
import Simulation
import Testing

@testable import Engine

/// Ann and Bob on all three sides, in step.
private func twoPeople(_ seed: UInt64) throws -> World {
    let world = try World(directory: scratch(), seed: seed)
    world.mautic.seed(person("ann@example.com", "Ann", "Lee", phone: nil), at: world.time)
    world.mautic.seed(person("bob@example.com", "Bob", "Ray", phone: nil), at: world.time)
    _ = try world.run(.sync, approve: true)
    world.pass(seconds: 120)
    return world
}

extension World {
    fileprivate func row(_ system: System, _ first: String) throws -> SandboxRow {
        let found = people(system).first { $0.person.firstName == first }
        return try #require(found, "\(first) in \(system.name)")
    }

    fileprivate func openQuestions() throws -> [QuestionRow] {
        try workplace.views.read { tables, transaction in
            try tables.questions.all(transaction).filter { !$0.isSettled }
        }
    }

    fileprivate func sync() throws -> RunReport {
        pass(seconds: 300)
        let report = try #require(try run(.sync, sweep: true))
        try expectStatusAgrees(self, report)
        return report
    }

    fileprivate func expectQuiet() throws {
        _ = try sync()
        let report = try sync()
        #expect(report.issued == 0 && report.decisions == 0, "\(report)")
        #expect(try workplace.views.verify().isIdentical)
    }
}

@Suite struct `People that a system merges` {
    @Test func `two people whom Mautic merged are a question, and kept apart are made again`()
        throws
    {
        let world = try twoPeople(31)
        defer { end(world) }
        let (ann, bob) = (try world.row(.mautic, "Ann"), try world.row(.mautic, "Bob"))
        world.mautic.mauticMerges(ann.id, into: bob.id, at: world.time)
        let report = try world.sync()
        #expect(report.merged == 1 && report.ambiguous == 1)
        let question = try #require(try world.openQuestions().first)
        #expect(question.raised.replicas.count == 3)
        #expect(try world.sync().ambiguous == 0, "the same question is asked once")

        try world.workplace.keepApart(question.raised.question)
        _ = try world.sync()
        #expect(try world.row(.mautic, "Ann").person.email == "ann@example.com")
        try world.expectQuiet()
        for system in System.real { #expect(world.people(system).count == 2) }
    }

    @Test func `they become one record only when each system has one of them`() throws {
        let world = try twoPeople(32)
        defer { end(world) }
        let (ann, bob) = (try world.row(.mautic, "Ann"), try world.row(.mautic, "Bob"))
        world.mautic.mauticMerges(ann.id, into: bob.id, at: world.time)
        _ = try world.sync()
        let question = try #require(try world.openQuestions().first).raised
        #expect(throws: PersonError.twoOfOneSystem) {
            try world.workplace.link(question.replicas, answering: question.question)
        }
    }

    @Test func `a person told to be the same leaves the old record for the new`() throws {
        let world = try World(directory: scratch(), seed: 33)
        defer { end(world) }
        for system in [System.compass, .suitecrm] {
            try world.configure(system) { $0.create = .never }
        }
        let ann = world.mautic.seed(
            person("ann@example.com", "Ann", "Lee", phone: nil), at: world.time)
        let anna = world.mautic.seed(
            person("anna@example.com", "Anna", "Lee", phone: nil), at: world.time)
        world.compass.seed(person("ann@example.com", "Ann", "Lee", phone: nil), at: world.time)
        _ = try world.run(.sync, approve: true)
        world.pass(seconds: 120)
        world.mautic.mauticMerges(ann, into: anna, at: world.time)
        _ = try world.sync()
        let question = try #require(try world.openQuestions().first).raised
        try world.workplace.link(question.replicas, answering: question.question)
        try world.expectQuiet()
        #expect(try world.openQuestions().isEmpty)
        let linked = try world.workplace.views.read { tables, transaction in
            try tables.replicas.all(transaction).filter { $0.state == .live }.map(\.record)
        }
        #expect(linked.count == 2 && Set(linked).count == 1)
        #expect(world.people(.mautic).count == 1)
    }

    @Test func `a record whose only object is taken out makes nobody anew`() throws {
        let world = try World(directory: scratch(), seed: 35)
        defer { end(world) }
        for system in [System.compass, .suitecrm] {
            try world.configure(system) { $0.create = .never }
        }
        world.mautic.seed(person("ann@example.com", "Ann", "Lee", phone: nil), at: world.time)
        _ = try world.run(.sync, approve: true)
        let replica = try world.workplace.views.read { tables, transaction in
            try tables.replicas.all(transaction).first?.replica
        }
        try world.workplace.unlink(try #require(replica))
        for system in [System.compass, .suitecrm] {
            try world.configure(system) { $0.create = .always }
        }
        try world.expectQuiet()
        for system in [System.compass, .suitecrm] { #expect(world.people(system).isEmpty) }
        #expect(world.people(.mautic).count == 1)
    }

    @Test func `points that a merge adds count once, and those of the other count too`() throws {
        let world = try twoPeople(34)
        defer { end(world) }
        let ann = try world.row(.mautic, "Ann")
        world.mautic.personEdits(ann.id, at: world.time) { $0.points = 10 }
        try world.expectQuiet()
        #expect(try world.row(.compass, "Ann").person.points == 10)
        // Somebody fills in a form: an unknown contact, which Mautic then finds to be Ann.
        var visitor = SandboxPerson()
        visitor.points = 5
        visitor.firstName = "Ann"
        visitor.email = "ann.lee@example.com"
        let new = world.mautic.seed(visitor, at: world.time)
        world.mautic.mauticMerges(ann.id, into: new, at: world.time)
        _ = try world.sync()
        try world.expectQuiet()
        #expect(try world.row(.mautic, "Ann").person.points == 15)
        #expect(try world.row(.compass, "Ann").person.points == 15)
    }
}

@Suite struct `Deletions under edit_wins` {
    private func world(_ seed: UInt64) throws -> World {
        let world = try twoPeople(seed)
        var policy = PolicyChanged()
        policy.entity = "contact"
        policy.preset = Law.fieldMerge.rawValue
        var existence = FieldPolicyText()
        existence.field = "existence"
        existence.law = ExistenceLaw.editWins.rawValue
        policy.fields = [existence]
        try world.record(.policyChanged(policy), on: Stream(.ledger, EventID.none))
        return world
    }

    @Test func `who was edited since is made again where they were deleted`() throws {
        let world = try world(41)
        defer { end(world) }
        let (deleted, edited) = (try world.row(.suitecrm, "Ann"), try world.row(.mautic, "Ann"))
        world.mautic.personEdits(edited.id, at: world.time) { $0.city = "Bonn" }
        world.suitecrm.personDeletes(deleted.id, at: world.time)
        _ = try world.sync()
        try world.expectQuiet()
        #expect(try world.row(.suitecrm, "Ann").person.city == "Bonn")
        #expect(try world.row(.suitecrm, "Ann").id != deleted.id)
        for system in System.real { #expect(world.people(system).count == 2) }
    }

    @Test func `who was not edited is deleted everywhere`() throws {
        let world = try world(42)
        defer { end(world) }
        world.suitecrm.personDeletes(try world.row(.suitecrm, "Ann").id, at: world.time)
        _ = try world.sync()
        try world.expectQuiet()
        for system in System.real { #expect(world.people(system).count == 1) }
    }
}

@Suite struct `A Mautic restored from a backup` {
    /// Ann and Bob in step, then Zoe everywhere, and then the backup from before she came.
    private func restored(_ seed: UInt64) throws -> World {
        let world = try twoPeople(seed)
        let backup = world.mautic
        world.compass.seed(person("zoe@example.com", "Zoe", "Fox", phone: nil), at: world.time)
        _ = try world.sync()
        let zoe = try world.row(.mautic, "Zoe")
        world.pass(seconds: 3_600)
        world.mautic = backup
        #expect(!world.people(.mautic).contains { $0.id == zoe.id })
        return world
    }

    /// Nobody was written over: all four stand where they should, under their own address.
    private func expectApart(_ world: World, _ other: String) throws {
        for system in [System.compass, .suitecrm] {
            for (first, email) in [("Zoe", "zoe@example.com"), (other, "x@example.com")] {
                #expect(try world.row(system, first).person.email == email)
            }
            #expect(world.people(system).count == 4)
        }
        #expect(try world.row(.mautic, other).person.email == "x@example.com")
    }

    private func goneRecord(_ world: World) throws -> RecordID {
        let gone = try world.workplace.views.read { tables, transaction in
            try tables.replicas.all(transaction).filter { $0.state == .gone }
        }
        #expect(gone.map(\.goneProof) == [.idReused])
        return try #require(gone.first?.record)
    }

    @Test func `that gives our next create an id of before, makes nobody somebody else`() throws {
        let world = try restored(41)
        defer { end(world) }
        world.suitecrm.seed(person("x@example.com", "Xia", "Gru", phone: nil), at: world.time)
        world.pass(seconds: 10)
        let report = try #require(try world.run(.sync))
        #expect(report.gone == 1 && report.conflicted == 1, "\(report)")
        try expectApart(world, "Xia")
        try world.workplace.answerDeletion(try goneRecord(world), keep: true)
        try world.expectQuiet()
        #expect(try world.row(.mautic, "Zoe").person.email == "zoe@example.com", "made again")
    }

    @Test(arguments: [false, true])
    func `where somebody else was typed in under an id of before, is no edit`(
        sweep: Bool
    ) throws {
        let world = try restored(42)
        defer { end(world) }
        world.mautic.seed(person("x@example.com", "Xia", "Gru", phone: nil), at: world.time)
        world.pass(seconds: 10)
        let report = try #require(try world.run(.sync, sweep: sweep))
        #expect(report.gone == 1 && report.newRecords == 1)
        try expectApart(world, "Xia")
        try world.workplace.answerDeletion(try goneRecord(world), keep: true)
        try world.expectQuiet()
        #expect(try world.row(.mautic, "Zoe").person.email == "zoe@example.com", "made again")
    }

    @Test func `takes no edit that was meant for whoever had the id`() throws {
        let world = try restored(43)
        defer { end(world) }
        // Nothing is looked at there but what a write looks at: Zoe's edit meets Xia.
        world.mautic.seed(
            person("x@example.com", "Xia", "Gru", phone: nil),
            at: SandboxTime(microseconds: world.now.adding(seconds: -1_800).microseconds))
        let zoe = try world.row(.compass, "Zoe")
        world.compass.personEdits(zoe.id, at: world.time) { $0.city = "Ulm" }
        world.pass(seconds: 10)
        _ = try world.run(.sync)
        #expect(try world.row(.mautic, "Xia").person.city == nil)
        try expectApart(world, "Xia")
    }

    @Test func `where she was typed in again, is no deletion`() throws {
        let world = try restored(44)
        defer { end(world) }
        world.mautic.seed(person("zoe@example.com", "Zoe", "Fox", phone: nil), at: world.time)
        let report = try world.sync()
        #expect(report.gone == 1 && report.conflicted == 0 && report.newRecords == 0)
        try world.expectQuiet()
        for system in System.real { #expect(world.people(system).count == 3) }
    }
}
