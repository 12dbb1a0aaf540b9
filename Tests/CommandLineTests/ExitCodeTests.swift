import Foundation
import Sandbox
import SandboxServer
import Testing

/// 0 done or clean, 1 error, 2 there is something to do, as scripts read it.
@Suite(.serialized) struct `Exit codes` {
    /// One person, known to Compass alone.
    private func world() -> SandboxWorld {
        var world = SandboxWorld(seed: 11)
        world.compass.seed(
            SandboxPerson(email: "ann@example.com", firstName: "Ann", lastName: "Lee"),
            at: Town.now().adding(seconds: -7_200))
        return world
    }

    @Test func `are 2 while there is something to write, 0 when nothing waits`() async throws {
        try await Town.open(world()) { town in
            try town.connect()
            #expect(try town.run("plan").code == 2)
            #expect(try town.run("apply").code == 0)
            #expect(try town.run("plan").code == 0)
            #expect(try town.run("sync").code == 0)
            #expect(try town.run("projector", "verify").code == 0)
        }
    }

    @Test func `are 2 when a system refused a write`() async throws {
        try await applied(.status(403)) { town, result in
            let listed = try town.run("commands", "--state", "refused").output
            #expect(result.code == 2, "\(result.output)\(result.error)")
            #expect(result.output.contains("1 refused"), "\(result.output)")
            #expect(listed.contains("create"))
        }
    }

    @Test func `are 2 when a write was tried three times and parked`() async throws {
        try await applied(.mauticDeadlock) { town, result in
            #expect(town.server.withWorld { $0.mautic.rows.isEmpty })
            let listed = try town.run("commands", "--state", "parked").output
            #expect(result.code == 2, "\(result.output)\(result.error)")
            #expect(result.output.contains("1 parked"), "\(result.output)")
            #expect(listed.contains("create"))
        }
    }

    /// Applies the first plan while every create in Mautic ends in `fault`.
    private func applied(
        _ fault: SandboxFault.Kind,
        _ body: @escaping @Sendable (Town, Program.Result) throws -> Void
    ) async throws {
        var world = world()
        world.faults = [
            SandboxFault(
                fault, system: .mautic, method: "POST", shape: "/api/contacts/new", times: 99)
        ]
        try await Town.open(world) { town in
            try town.connect()
            try body(town, town.run("apply"))
        }
    }

    @Test(arguments: [["plan"], ["sync"], ["house", "sync"]])
    func `are 2 when Control-C ends a run before its time, and the next one goes on`(
        verb: [String]
    ) async throws {
        try await Town.open(world()) { town in
            try town.connect()
            town.server.withWorld {
                $0.faults = [
                    SandboxFault(
                        .status(503, retryAfter: 3_600), system: .mautic, shape: "/api/contacts",
                        times: 99)
                ]
            }
            let before = town.server.withWorld { $0.callCount(.mautic) }
            let place = verb[0] == "house" ? [town.scratch.path] : ["--ledger", town.ledger]
            let run = try Program.syncledger.start(verb + place)
            while run.isRunning, town.server.withWorld({ $0.callCount(.mautic) }) < before + 2 {
                usleep(2_000)
            }
            kill(run.pid, SIGINT)
            let end = try run.wait()
            #expect(end.code == 2, "\(end.output)\(end.error)")
            #expect(end.error.contains("Stopping: what was sent is still heard."))
            #expect(end.output.contains("Stopped before"), "\(end.output)")
            town.server.withWorld { $0.faults = [] }
            #expect(try town.run("apply").code == 0)
            #expect(try town.run("sync").code == 0)
        }
    }

    @Test func `are 1 when a system cannot be used, and the others go on`() async throws {
        try await Town.open(world()) { town in
            try town.connect()
            town.server.withWorld { $0.mautic.settings.clients[0].secret = "another" }
            let result = try town.run("apply")
            #expect(result.code == 1)
            #expect(result.output.contains("Could not use mautic: Mautic refused the client id"))
            #expect(town.server.withWorld { $0.suiteCRM.rows.count } == 1)
            #expect(town.server.withWorld { $0.mautic.rows.count } == 0)
        }
    }
}
