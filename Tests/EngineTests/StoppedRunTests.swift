import Ledger
import Model
import Projections
import Sandbox
import Simulation
import Testing
import Transport

@testable import Engine

@Suite struct `A run stopped by a person` {
    private func world(_ seed: UInt64) throws -> World {
        let world = try World(directory: scratch(), seed: seed)
        for number in 0..<6 {
            world.compass.seed(
                person("p\(number)@example.com", "First\(number)", "Last\(number)", phone: nil),
                at: world.time)
        }
        return world
    }

    private func expectSum(_ report: RunReport) {
        let sum =
            report.inSync + report.waiting + report.conflicted + report.excluded + report.failing
        #expect(sum == report.records, "\(report)")
    }

    @Test(arguments: [3, 8, 15, 20, 25, 30, 40])
    func `adds up, says that it was stopped, and the next goes on`(step: Int) throws {
        let world = try world(UInt64(900 + step))
        defer { end(world) }
        let stopped = try #require(try world.run(.sync, approve: true, cancelling: step))
        #expect(stopped.wasStopped)
        expectSum(stopped)
        for _ in 0..<3 {
            world.pass(seconds: 600)
            let next = try #require(try world.run(.sync, sweep: true, approve: true))
            #expect(!next.wasStopped)
            expectSum(next)
        }
        let last = try #require(try world.run(.sync))
        #expect(last.records == 6 && last.inSync == 6 && last.open == 0, "\(last)")
        #expect(world.people(.mautic).count == 6 && world.people(.suitecrm).count == 6)
        #expect(try world.workplace.views.verify().isIdentical)
    }

    @Test(arguments: 1..<40)
    func `says nothing against a system that did not answer before it was stopped`(
        step: Int
    ) throws {
        let world = try world(UInt64(950 + step))
        defer { end(world) }
        world.fault = { $0.url.contains("/api/contacts") ? .lostBefore : .none }
        let stopped = try #require(try world.run(.plan, cancelling: step))
        guard stopped.wasStopped else { return }
        #expect(stopped.failures.isEmpty, "\(stopped.failures)")
        world.fault = { _ in .none }
        world.pass(seconds: 600)
        let next = try #require(try world.run(.plan))
        #expect(!next.wasStopped && next.failures.isEmpty)
        expectSum(next)
    }

    /// Commands of one person that an earlier process left open wait one behind the other; none of them is
    /// begun once the run is to end, whatever its system does.
    @Test(arguments: 1..<10, [false, true])
    func `ends though what is left open waits behind a system that is down`(
        step: Int, isBusy: Bool
    ) throws {
        let world = try world(UInt64(980 + step))
        defer { end(world) }
        _ = try syncToRest(world)
        let row = try #require(world.compass.rows.first)
        world.pass(seconds: 300)
        world.compass.personEdits(row.id, at: world.time) {
            $0.city = "Bonn"
            $0.points += 5
        }
        func open() throws -> Int {
            try world.workplace.views.read { tables, transaction in
                try tables.commands.all(transaction).count { $0.state.isOpen }
            }
        }
        let killed = try world.run(.sync, stopping: { _ in (try? open()) ?? 0 >= 2 })
        #expect(killed == nil)
        try world.restart()
        var asked = 0
        world.fault = { request in
            guard !request.url.contains("/compass/") else { return .none }
            asked += 1
            return isBusy ? .none : .lostBefore
        }
        world.instead = { request in
            guard isBusy, !request.url.contains("/compass/") else { return nil }
            return HTTPResponse(status: 503, headers: ["Retry-After": "3600"], body: [])
        }
        var steps = 0
        var stoppedAt = (world.now, asked)
        let report = try world.run(
            .sync,
            cancellingWhen: {
                steps += 1
                stoppedAt = (world.now, asked)
                return steps >= step
            })
        #expect(report?.wasStopped == true)
        #expect(world.now < stoppedAt.0.adding(seconds: 60), "nobody waits for an hour to be over")
        #expect(asked <= stoppedAt.1 + 4, "nothing new is begun")
        world.fault = { _ in .none }
        world.instead = { _ in nil }
        world.pass(seconds: 7_200)
        _ = try syncToRest(world)
        #expect(world.mautic.rows.map(\.person.points).reduce(0, +) == 5)
        for system in System.real {
            #expect(world.people(system).count { $0.person.city == "Bonn" } == 1)
        }
    }

    /// One of them is being made, and the others wait for it: whoever stops then waits for none.
    @Test(arguments: 0..<8)
    func `ends though several are to be made under one address`(seed: Int) throws {
        let world = try World(directory: scratch(), seed: UInt64(970 + seed))
        defer { end(world) }
        try world.configure(.mautic) { $0.create = .never }
        for number in 0..<4 {
            world.compass.seed(
                person("p\(number)@example.com", "First\(number)", "Last", phone: nil),
                at: world.time)
        }
        _ = try syncToRest(world)
        #expect(world.mautic.rows.isEmpty && world.suitecrm.rows.count == 4)
        try world.configure(.mautic) { $0.create = .always }
        world.pass(seconds: 300)
        for row in world.compass.rows {
            world.compass.personEdits(row.id, at: world.time) { $0.email = "one@example.com" }
        }
        var isMade = false
        world.fault = { request in
            isMade = isMade || request.url.contains("/api/contacts/new")
            return .none
        }
        let report = try world.run(.sync, approve: true, cancellingWhen: { isMade })
        #expect(isMade && report?.wasStopped == true)
        world.fault = { _ in .none }
        world.pass(seconds: 600)
        #expect(try world.run(.sync, approve: true)?.wasStopped == false)
    }
}
