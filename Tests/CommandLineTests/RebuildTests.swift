import Foundation
import Testing

/// `projector rebuild`, stopped, killed and waiting: it goes on where it stood, and loses nothing.
@Suite(.serialized) struct `Rebuilding` {
    private let scratch: Scratch
    private static let people = 1_500

    init() throws {
        scratch = try Scratch()
        #expect(try run("init").code == 0)
        #expect(try run("connect", "local").code == 0)
        let lines = (1...Self.people).map { #"{"id":"c-\#($0)","email":"p\#($0)@example.com"}"# }
        #expect(try run("ingest", "-", input: lines.joined(separator: "\n")).code == 0)
    }

    @discardableResult
    private func run(_ arguments: String..., input: String? = nil) throws -> Program.Result {
        try Program.syncledger.run(arguments + ["--ledger", scratch("ledger")], input: input)
    }

    private func start(_ arguments: String...) throws -> RunningProgram {
        try Program.syncledger.start(arguments + ["--ledger", scratch("ledger")])
    }

    private func building() throws -> [String: Any]? {
        let status = try run("projector", "status", "--json").json() as? [String: Any]
        return status?["building"] as? [String: Any]
    }

    private func position(_ building: [String: Any]?) -> Int {
        (building?["position"] as? NSNumber)?.intValue ?? 0
    }

    /// Waits until a rebuild has written what it folded first, or is over.
    private func waitForFold(of process: RunningProgram, above generation: Int) {
        let path = scratch("ledger/views/\(generation + 1)/data.mdb")
        // An empty generation is smaller than that.
        while process.isRunning, size(path) < 250_000 {
            usleep(2_000)
        }
    }

    private func size(_ path: String) -> Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.size] as? NSNumber)?.intValue ?? 0
    }

    private func generation() throws -> Int {
        try #require(try run("projector", "status", "--json").number("generation"))
    }

    @Test func `killed at any moment, the next one goes on, and the views serve meanwhile`() throws
    {
        let events = try #require(try run("projector", "status", "--json").number("end"))
        var kills = 0
        var dice = Dice(7)
        var farthest = 0
        while kills < 6 {
            let serving = try generation()
            let rebuild = try start("projector", "rebuild")
            waitForFold(of: rebuild, above: serving)
            usleep(UInt32(dice.roll(0..<120_000)))
            if rebuild.isRunning { kill(rebuild.pid, SIGKILL) }
            let end = try rebuild.wait()
            guard end.code == -SIGKILL else {
                // It was faster than the signal: the next one begins anew.
                #expect(end.code == 0, "\(end.error)")
                farthest = 0
                continue
            }
            kills += 1
            #expect(try run("status").code == 0)
            let left = position(try building())
            #expect(left >= farthest)
            farthest = left
            guard farthest >= events - 100 else { continue }
            #expect(try run("projector", "rebuild").code == 0)
            farthest = 0
        }
        let last = try run("projector", "rebuild", "--json")
        #expect(last.code == 0, "\(last.error)")
        #expect(try last.number("resumedFrom") == farthest)
        #expect(try last.number("events") == events - farthest)
        #expect(try last.number("position") == events)
        #expect(try building() == nil)
        #expect(try run("projector", "verify").code == 0)
    }

    @Test func `stopped by Control-C it says where, and a second one goes on or begins anew`()
        throws
    {
        for anew in [false, true] {
            let serving = try generation()
            let rebuild = try start("projector", "rebuild")
            waitForFold(of: rebuild, above: serving)
            kill(rebuild.pid, SIGINT)
            let end = try rebuild.wait()
            guard end.code != 0 else { continue }  // It was faster than the signal.
            #expect(end.error.contains("Stopping: what is folded is kept."), "\(end.error)")
            #expect(end.error.contains("Error: the rebuild was stopped after"), "\(end.error)")
            #expect(end.code == 1)
            let left = position(try building())
            #expect(left > 0)
            let status = try run("projector", "status").output
            #expect(status.contains("is half built, \(left) of"), "\(status)")
            let next =
                try anew
                ? run("projector", "rebuild", "--json", "--anew")
                : run("projector", "rebuild", "--json")
            #expect(next.code == 0, "\(next.error)")
            #expect(try next.number("resumedFrom") == (anew ? 0 : left))
        }
        #expect(try run("projector", "verify").code == 0)
    }

    @Test func `while another process works it folds, says whom it waits for, and then swaps`()
        throws
    {
        let file = open(scratch("ledger/engine.lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(file) }
        #expect(flock(file, LOCK_EX | LOCK_NB) == 0)
        #expect(ftruncate(file, 0) == 0 && pwrite(file, "4242", 4, 0) == 4)
        let rebuild = try start("projector", "rebuild", "--json")
        let events = try #require(try run("projector", "status", "--json").number("end"))
        while rebuild.isRunning, position(try building()) < events - 100 {}
        #expect(rebuild.isRunning)
        #expect(try run("projector", "status").output.contains("is being built by process"))
        #expect(try run("status").code == 0)
        flock(file, LOCK_UN)
        let end = try rebuild.wait()
        #expect(end.code == 0, "\(end.error)")
        #expect(try end.number("generation") == 2)
        #expect(try end.number("swapMilliseconds") != nil)
        #expect(try run("projector", "verify").code == 0)
    }
}
