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
}
