import Foundation
import Sandbox
import SandboxServer
import Testing

/// `kill -9` at any moment of a sync, then a sync again: in step, and nobody twice.
@Suite(.serialized) struct `Killed while syncing` {
    /// Real kills in each town; five towns make fifty.
    private static let kills = 10

    private static let towns: ClosedRange<UInt64> =
        ProcessInfo.processInfo.environment["SYNCLEDGER_LONG_TESTS"] == nil ? 1...5 : 1...20

    @Test(arguments: [UInt64](towns))
    func `the next sync goes on, and ends with everybody once in every system`(
        seed: UInt64
    ) async throws {
        var residents = Residents(count: 24, seed: seed)
        var world = SandboxWorld(seed: seed)
        residents.moveIn(&world, at: Town.now().adding(seconds: -7_200))
        let begun = residents
        let kills = try await Town.open(world) { town in
            var story = Story(town: town, residents: begun, dice: Dice(seed ^ 0xD1CE))
            try story.firstContact()
            while story.kills < Self.kills, story.attempts < 6 * Self.kills {
                try story.killOnce()
            }
            try story.end()
            return story.kills
        }
        #expect(kills >= Self.kills, "a sync was over before it could be killed, too often")
    }
}

/// A write of several calls, killed between them.
@Suite(.serialized) struct `Killed half-way` {
    @Test func `an address that our own unlinking took away is written, not believed`()
        async throws
    {
        var world = SandboxWorld(seed: 3)
        let time = Town.now().adding(seconds: -7_200)
        let person = SandboxPerson(email: "ann@example.com", firstName: "Ann", lastName: "Lee")
        let id = world.mautic.seed(person, at: time)
        world.compass.seed(person, at: time)
        world.suiteCRM.seed(person, at: time)
        try await Town.open(world) { town in
            try town.connect()
            #expect(try town.run("apply").code == 0)
            town.server.withWorld { world in
                world.mautic.personEdits(id, at: Town.now()) { $0.email = "ann@example.org" }
                world.faults = [
                    SandboxFault(
                        .dropBeforeEffect, system: .suitecrm, method: "PATCH", times: 1_000)
                ]
            }
            let sync = try town.start("sync")
            while sync.isRunning,
                town.server.withWorld({ $0.suiteCRM.rows[0].person.email }) != nil
            {
                usleep(1_000)
            }
            kill(sync.pid, SIGKILL)
            #expect(try sync.wait().code == -SIGKILL)
            town.server.withWorld { $0.faults = [] }
            _ = try town.run("sync")
            #expect(try town.run("sync", "--sweep").code == 0)
            for system in SandboxWorld.System.allCases {
                let email = town.server.withWorld { $0.rows(of: system).first?.person.email }
                #expect(email == "ann@example.org", "\(system.rawValue)")
            }
        }
    }
}

/// One town's way through its kills.
private struct Story {
    let town: Town
    var residents: Residents
    var dice: Dice
    var kills = 0
    var attempts = 0
    /// How long an undisturbed run of the program takes.
    private var microseconds = 400_000
    /// Nothing of ours can be under way at a system.
    private var isQuiet = true

    init(town: Town, residents: Residents, dice: Dice) {
        self.town = town
        self.residents = residents
        self.dice = dice
    }

    /// Links, then kills the first writes a few times too: there the creates are.
    mutating func firstContact() throws {
        try town.connect()
        let file = town.scratch("mapping.yaml")
        let shown = try town.run("mapping", "show", "--entity", "contact", "--yaml").output
        try Data((shown + Residents.mapping).utf8).write(to: URL(fileURLWithPath: file))
        let applied = try town.run("mapping", "apply", file, "--yes")
        #expect(applied.code == 0, "\(applied.output)\(applied.error)")
        #expect(try town.run("plan").code == 2)
        for _ in 0..<3 { _ = try kill(town.start("apply"), after: dice.roll(50_000..<900_000)) }
        let done = try town.run("apply")
        #expect(done.code == 0, "\(done.output)\(done.error)")
        lookUp()
    }

    /// Some edits, a sync that is killed somewhere, now and then a sync to the end.
    mutating func killOnce() throws {
        attempts += 1
        type(dice.roll(2..<9))
        let wait = dice.roll(microseconds / 20..<microseconds)
        if try kill(town.start("sync"), after: wait) {
            kills += 1
            isQuiet = false
        }
        guard dice.roll(0..<3) == 0 else { return }
        let start = Date()
        let result = try town.run("sync")
        // 2: what the killed one left open may have to wait for the next look.
        #expect([0, 2].contains(result.code), "\(result.output)\(result.error)")
        microseconds = max(200_000, Int(Date().timeIntervalSince(start) * 1_000_000))
        isQuiet = true
        lookUp()
    }

    /// Reads everybody again until nothing is to be done, then compares all sides.
    func end() throws {
        for _ in 0..<2 { _ = try town.run("sync", "--sweep") }
        let writes = town.server.withWorld { $0.writeCalls }
        let last = try town.run("sync", "--sweep", "--json")
        #expect(last.code == 0, "\(last.output)\(last.error)")
        #expect(try last.number("issued") == 0)
        #expect(try last.number("decisions") == 0)
        let all = residents.all.count + Residents.accounts.count + residents.deals.count
        #expect(try last.number("inSync") == all, "\(last.output)")
        // Every write call but the acknowledgements of Compass's outbox is counted.
        #expect(try last.number("writeCalls") == 0)
        #expect(town.server.withWorld { $0.writeCalls } == writes)
        for difference in residents.differences(in: town.server.withWorld { $0 }) {
            Issue.record("\(difference)")
        }
        let verified = try town.run("projector", "verify")
        #expect(verified.code == 0, "\(verified.output)\(verified.error)")
    }

    /// Whether the signal came before the end.
    private func kill(_ process: RunningProgram, after microseconds: Int) throws -> Bool {
        usleep(UInt32(microseconds))
        if process.isRunning { Foundation.kill(process.pid, SIGKILL) }
        return try process.wait().code == -SIGKILL
    }

    private mutating func type(_ count: Int) {
        var residents = residents
        let isQuiet = isQuiet
        residents = town.server.withWorld { world in
            for _ in 0..<count {
                residents.edit(&world, mauticPoints: isQuiet, at: Town.now())
            }
            return residents
        }
        self.residents = residents
    }

    private mutating func lookUp() {
        residents.lookUp(in: town.server.withWorld { $0 })
    }
}
