import Foundation
import Ledger
import Projections
import Sandbox
import Simulation
import Testing

@testable import Engine

@Suite struct `The main job` {
    @Test func `people known to two systems are linked, made in the third and kept in step`() throws
    {
        let world = try World(directory: scratch(), seed: 1)
        defer { end(world) }
        let time = world.time
        world.mautic.seed(person("ann@example.com", "Ann", "Lee", phone: "+1-555-0101"), at: time)
        world.suitecrm.seed(person("Ann@Example.com", "Ann", "Lee", phone: nil), at: time)
        world.mautic.seed(person("bob@example.com", "Bob", "Ray", phone: nil), at: time)

        let first = try #require(try world.run(.plan))
        #expect(first.linked == 1)
        #expect(first.newRecords == 1)
        #expect(world.writeCalls == 0)

        world.pass(seconds: 60)
        let second = try #require(try world.run(.sync, approve: true))
        #expect(second.failures.isEmpty)
        #expect(second.refused == 0 && second.parked == 0 && second.uncertain == 0)
        #expect(world.people(.compass).count == 2)
        #expect(world.people(.suitecrm).count == 2)
        #expect(world.people(.mautic).count == 2)
        #expect(world.people(.suitecrm).allSatisfy { $0.person.firstName != nil })
        #expect(
            world.people(.suitecrm).first { $0.person.firstName == "Ann" }?.person.phone
                == "+1-555-0101")

        let writes = world.writeCalls
        world.pass(seconds: 600)
        let third = try #require(try world.run(.sync))
        #expect(third.decisions == 0)
        #expect(third.issued == 0)
        #expect(world.writeCalls == writes)
        #expect(try world.workplace.views.verify().isIdentical)
    }
}

func person(
    _ email: String, _ first: String, _ last: String, phone: String?
) -> SandboxPerson {
    var person = SandboxPerson()
    person.email = email
    person.firstName = first
    person.lastName = last
    person.phone = phone
    return person
}

/// A place for one world; in memory where the machine has that, for a world flushes often.
func scratch() -> String {
    let memory = "/dev/shm"
    let root =
        FileManager.default.isWritableFile(atPath: memory) ? memory + "/" : NSTemporaryDirectory()
    return root + "syncledger-\(UUID().uuidString)"
}

/// Closes a world and removes its files.
func end(_ world: World) {
    do {
        try world.close()
        try FileManager.default.removeItem(atPath: world.directory)
    } catch {
        Issue.record("the world could not be ended: \(error)")
    }
}

/// Whether views that are made anew from the log hold what they held before.
func checkRebuild(_ world: World) throws {
    let before = try world.workplace.views.digest()
    try world.workplace.views.rebuild(anew: true)
    #expect(try world.workplace.views.digest() == before)
}

/// Approves, and syncs until a run finds nothing to do; everything agrees then.
func syncToRest(_ world: World, sweep: Bool = false) throws -> RunReport {
    var report = try #require(try world.run(.sync, sweep: sweep, approve: true))
    for _ in 0..<4 where report.issued > 0 || report.decisions > 0 {
        world.pass(seconds: 300)
        report = try #require(try world.run(.sync, sweep: sweep))
    }
    #expect(report.issued == 0 && report.decisions == 0, "\(report)")
    #expect(report.failures.isEmpty, "\(report.failures)")
    try expectStatusAgrees(world, report)
    #expect(try world.workplace.views.verify().isIdentical)
    return report
}

/// The status view says of everybody what a run says.
func expectStatusAgrees(
    _ world: World, _ report: RunReport, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let standings = try world.workplace.views.read { tables, transaction in
        try tables.standings.all(transaction)
    }
    let counts = StandingRow.Bucket.allCases.map { bucket in
        standings.count { $0.bucket == bucket }
    }
    let reasons = standings.flatMap(\.parts).filter { $0.bucket != .inSync }.map(\.reason)
    #expect(
        counts == [
            report.inSync, report.waiting, report.excluded, report.conflicted + report.failing,
        ], "in sync, waiting, excluded, failing: \(Set(reasons))", sourceLocation: sourceLocation)
}
