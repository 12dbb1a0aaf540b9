import Foundation
import Sandbox
import SandboxServer
import Testing

/// What the first version of the program left is read and gone on with (`Fixtures/README.md`).
@Suite(.serialized) struct `A ledger that the first program made` {
    private static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures/first-ledger.tar.gz").path

    private static func unpack(into ledger: String) throws {
        let result = try Program.shell.run([
            "-c", "mkdir \"$0\" && tar -xzf \"$1\" -C \"$0\"", ledger, fixture,
        ])
        try #require(result.code == 0, "\(result.error)")
    }

    /// The sandboxes as they were before its first sync, at the addresses that it knows.
    private func inTown(_ body: @escaping @Sendable (Town) throws -> Void) async throws {
        // They were made shortly before the ledger was, so their ids are those that it knows.
        let made = SandboxTime(microseconds: 1_795_881_710_000_000)
        let world = SandboxWorld(
            seed: 7, population: SandboxPopulation(seed: 7, people: 24), at: made)
        let ports = SandboxServer.Ports(
            mautic: 8101, suiteCRM: 8102, compass: 8103, host: "127.83.76.1")
        try await Town.open(world, ports: ports) { town in
            try Self.unpack(into: town.ledger)
            try body(town)
        }
    }

    @Test func `opens, folds its views anew, and says what it said`() throws {
        let scratch = try Scratch()
        try Self.unpack(into: scratch("ledger"))
        func run(_ arguments: String...) throws -> Program.Result {
            try Program.syncledger.run(arguments + ["--ledger", scratch("ledger")])
        }
        let first = try run("status")
        #expect(first.code == 0, "\(first.error)")
        #expect(first.error.contains("folded by another version of this program (6,"))
        #expect(first.output.contains("all (23)  16       0        0         7"), "\(first.output)")
        #expect(first.output.contains("7 wait for you"))
        #expect(first.output.contains("1 questions who is who are open"))
        #expect(first.output.contains("4 objects are kept apart"))
        #expect(first.output.contains("Views at event 307 of 307"))
        #expect(try run("status").error == "", "the second time nothing is folded anew")
        let scrub = try run("scrub")
        #expect(scrub.code == 0, "\(scrub.error)\(scrub.output)")
        #expect(scrub.output.contains("Read 307 events"))
        #expect(try run("projector", "verify").code == 0)
        let laws = try run("policy").output.split(separator: "\n")
        #expect(laws.contains { $0.contains("phone") && $0.contains("newest") }, "\(laws)")
        let conflicts = try run("conflicts")
        #expect(conflicts.output.contains("Håkon  (seen 2026-11-28T16:02:02Z)"))
        #expect(try run("show", "307").code == 0)
    }

    @Test func `goes on with systems that were put back, and doubles and resubscribes nobody`()
        async throws
    {
        try await inTown { town in
            let before = town.server.withWorld { $0.sizes }
            let plan = try town.run("plan")
            #expect(plan.code == 2, "\(plan.error)")
            // What it had made there is gone: it asks, as it was told to, and makes nothing anew.
            #expect(plan.output.contains("18 wait for you"), "\(plan.output)")
            #expect(!plan.output.contains("create") && !plan.output.contains("delete"))
            #expect(try town.run("apply").code == 2)
            let last = try town.run("sync")
            #expect(last.output.contains("Wrote 0 of 0"), "\(last.output)")
            #expect(town.server.withWorld { $0.sizes } == before)
            let mei = town.server.withWorld { world in
                world.suiteCRM.rows.filter {
                    $0.person.email?.lowercased() == "mei.quist10@mail.example"
                }
            }
            #expect(mei.map(\.person.emailOptOut) == [true], "who opted out stays out")
            #expect(try town.run("projector", "verify").code == 0)
            #expect(try town.run("scrub").code == 0)
        }
    }
}

extension SandboxWorld {
    fileprivate var sizes: [Int] { [mautic.rows.count, suiteCRM.rows.count, compass.rows.count] }
}
