import Ledger
import Projections
import Sandbox
import Simulation
import Testing
import Transport

@testable import Engine

@Suite struct `A long run` {
    /// Many people in Mautic, which shows a hundred a page.
    private func crowd(_ count: Int, seed: UInt64) throws -> (World, [String]) {
        let world = try World(directory: scratch(), seed: seed)
        let ids = (0..<count).map { number in
            world.mautic.seed(
                person("p\(number)@example.com", "First\(number)", "Last\(number)", phone: nil),
                at: world.time)
        }
        return (world, ids)
    }

    private func isPage(_ request: HTTPRequest, of system: System, _ path: String) -> Bool {
        request.method == .get && request.url.contains("/\(system.name)/")
            && request.url.contains(path) && request.url.contains("limit=100")
    }

    @Test(arguments: [false, true])
    func `takes over what was typed behind its reading, however long it read`(
        isSweep: Bool
    ) throws {
        let (world, ids) = try crowd(250, seed: 1_001)
        defer { end(world) }
        if !isSweep {
            _ = try world.run(.plan)
            world.pass(seconds: 600)
            for id in ids { world.mautic.personEdits(id, at: world.time) { $0.city = "Ulm" } }
        }
        var typed = ""
        var pages = 0
        world.fault = { request in
            guard isPage(request, of: .mautic, "/api/contacts"), request.url.contains("orderBy=id"),
                !request.url.contains("%5Bval%5D=0&")
            else { return .none }
            pages += 1
            // Behind the walk, and then before it: its highest stamp is the later one.
            world.pass(seconds: 900)
            typed = "Bonn \(pages)"
            world.mautic.personEdits(ids[3], at: world.time) { $0.city = typed }
            world.pass(seconds: 900)
            world.mautic.personEdits(ids[249], at: world.time) { $0.city = typed }
            return .none
        }
        _ = try world.run(.plan)
        #expect(pages >= 2)
        #expect(try city(ids[3], in: world) != "Ulm", "what was typed long before its end is seen")
        world.fault = { _ in .none }
        world.pass(seconds: 60)
        _ = try world.run(.plan)
        #expect(try city(ids[3], in: world) == typed)
        #expect(try city(ids[249], in: world) == typed)
    }

    private func city(_ id: String, in world: World) throws -> String? {
        let row = try world.workplace.views.read { tables, transaction in
            try tables.replicas.all(transaction).first {
                $0.remoteIDText == id && $0.system == .mautic
            }
        }
        guard case .text(let text)? = row?["city"].seen?.value else { return nil }
        return text
    }
}
