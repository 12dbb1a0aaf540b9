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

@Suite struct `Crashes and lost answers` {
    /// A world with people in each system, approved and in step, then edited on all sides.
    private func world(_ seed: UInt64) throws -> World {
        let world = try World(directory: scratch(), seed: seed)
        for index in 0..<12 {
            let one = person(
                "p\(index)@example.com", "First\(index)", "Last\(index)",
                phone: "+1-555-01\(10 + index)")
            if index % 3 != 0 { world.mautic.seed(one, at: world.time) }
            if index % 3 != 1 { world.suitecrm.seed(one, at: world.time) }
            if index % 4 == 0 { world.compass.seed(one, at: world.time) }
        }
        return world
    }

    private func edit(_ world: World, _ round: Int) {
        let time = world.time
        for (index, row) in world.mautic.rows.prefix(4).enumerated() {
            world.mautic.personEdits(row.id, at: time) { $0.city = "M\(round)-\(index)" }
        }
        for (index, row) in world.suitecrm.rows.suffix(4).enumerated() {
            world.suitecrm.personEdits(row.id, at: time) { $0.jobTitle = "S\(round)-\(index)" }
        }
        for (index, row) in world.compass.rows.suffix(3).enumerated() {
            world.compass.personEdits(row.id, at: time) { $0.mobile = "+1-555-01\(50 + index)" }
        }
    }

    /// Runs until nothing is left to do; at most a few times.
    private func settle(_ world: World) throws -> RunReport {
        for _ in 0..<6 {
            world.pass(seconds: 300)
            let report = try #require(try world.run(.sync, sweep: true))
            if report.issued == 0, report.decisions == 0, report.failures.isEmpty { return report }
        }
        world.pass(seconds: 300)
        let last = try #require(try world.run(.sync, sweep: true))
        Issue.record("never quiet: \(last)")
        return last
    }

    private func expectInStep(_ world: World, people: Int) throws {
        for system in System.real {
            let emails = world.people(system).compactMap { $0.person.email?.lowercased() }
            #expect(Set(emails).count == emails.count, "a duplicate in \(system.name)")
            #expect(emails.count == people, "\(system.name)")
        }
        func byEmail(_ system: System) -> [String: SandboxPerson] {
            Dictionary(
                world.people(system).map { ($0.person.email?.lowercased() ?? "", $0.person) },
                uniquingKeysWith: { one, _ in one })
        }
        let (compass, mautic, suitecrm) = (byEmail(.compass), byEmail(.mautic), byEmail(.suitecrm))
        for (email, one) in compass {
            for other in [mautic[email], suitecrm[email]] {
                #expect(one.city ?? "" == other?.city ?? "", "\(email)")
                #expect(one.jobTitle ?? "" == other?.jobTitle ?? "", "\(email)")
                #expect(one.mobile ?? "" == other?.mobile ?? "", "\(email)")
                #expect(one.phone ?? "" == other?.phone ?? "", "\(email)")
            }
        }
        #expect(try world.workplace.views.verify().isIdentical)
    }

    @Test(arguments: UInt64(0)..<(isLong ? 600 : 60))
    func `a crash between any two steps loses nothing and makes nobody twice`(seed: UInt64) throws {
        let world = try world(seed)
        defer { end(world) }
        var random = IdentitySource(seed: seed, now: world.now)
        // Three lives, each cut short somewhere, with people typing in between.
        for life in 0..<3 {
            let last = Int(random.next() % 150) + 1
            let report = try world.run(.sync, sweep: life > 1, approve: true) { $0 >= last }
            if report == nil { try world.restart() }
            world.pass(seconds: 90)
            edit(world, life)
        }
        let quiet = try settle(world)
        #expect(quiet.issued == 0 && quiet.decisions == 0)
        #expect(quiet.uncertain == 0 && quiet.parked == 0)
        try expectInStep(world, people: 12)
    }

    @Test(arguments: UInt64(0)..<(isLong ? 300 : 30))
    func `answers lost before or after their effect end in the same people`(seed: UInt64) throws {
        let world = try world(seed)
        defer { end(world) }
        var random = IdentitySource(seed: seed &+ 1_000, now: world.now)
        world.fault = { _ in
            switch random.next() % 12 {
            case 0: .lostBefore
            case 1: .lostAfter
            default: .none
            }
        }
        for life in 0..<3 {
            _ = try world.run(.sync, approve: true)
            world.pass(seconds: 90)
            edit(world, life)
        }
        world.fault = { _ in .none }
        let quiet = try settle(world)
        #expect(quiet.issued == 0 && quiet.decisions == 0)
        try expectInStep(world, people: 12)
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
}
