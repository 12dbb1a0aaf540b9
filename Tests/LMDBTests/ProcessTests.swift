import Foundation
import Testing

@testable import LMDB

@Suite struct ProcessTests {
    let scratch = Scratch()

    @Test func `a second open in one process is refused, whatever path leads there`() throws {
        let (env, t) = try scratch.open()
        try env.store(t, 1, [])
        let files = FileManager.default
        try files.createSymbolicLink(
            atPath: scratch("alias"), withDestinationPath: scratch("env"))
        try files.createDirectory(
            atPath: scratch("linked"), withIntermediateDirectories: false)
        try files.linkItem(atPath: scratch("env/data.mdb"), toPath: scratch("linked/data.mdb"))
        for path in ["env", "env/", "env/../env", "alias", "linked"] {
            try expectCode(.alreadyOpen) { _ = try open(at: scratch(path)) }
        }
        // A refused open takes nothing from the first.
        try expectCode(.alreadyOpen) { _ = try scratch.open() }
        try env.store(t, 2, [])
        #expect(try env.everything(t).count == 2)
    }

    @Test func `a second open is refused even when the data file was removed meanwhile`() throws {
        let (env, t) = try scratch.open()
        try FileManager.default.removeItem(atPath: scratch("env/data.mdb"))
        try expectCode(.alreadyOpen) { _ = try scratch.open() }
        try env.store(t, 1, [])
    }

    @Test func `it can be opened again once closed or let go`() throws {
        let first = try scratch.open()
        try first.0.close()
        do { _ = try scratch.open() }
        _ = try scratch.open()
    }

    @Test func `the claim on a removed environment does not outlive its files`() async throws {
        // File systems give a freed inode to the next file: four threads that open, remove and let go
        // must never be taken for each other.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<200 {
                        let scratch = Scratch()
                        let (environment, _) = try scratch.open { $0.mapSize = 1 << 20 }
                        try FileManager.default.removeItem(atPath: scratch("env"))
                        withExtendedLifetime(environment) {}
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func `a failed open leaves the directory free`() throws {
        try Data(repeating: 1, count: 8192).write(to: URL(fileURLWithPath: scratch("data.mdb")))
        for _ in 0..<2 {
            try expectCode(.invalidFile) { _ = try open(at: scratch.path) }
        }
    }

    @Test func `the slot of a killed reader is freed by a check`() async throws {
        let path = scratch("env")
        let (env, t) = try open(at: path)
        try env.store(t, 1, [])
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let (env, _) = try open(at: path)
            try env.read { _ in _ = kill(getpid(), SIGKILL) }
        }
        for number in 2...6 { try env.store(t, UInt64(number), []) }
        #expect(try env.oldestReaderLag() == 5)
        #expect(try env.checkReaders() == 1)
        #expect(try env.oldestReaderLag() == 0)
        #expect(try env.checkReaders() == 0)
    }

    @Test func `a write frees the slot of a killed reader when the last check is too old`()
        async throws
    {
        let path = scratch("env")
        let (env, t) = try open(at: path) { $0.readerCheckAge = .zero }
        try env.store(t, 1, [])
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let (env, _) = try open(at: path)
            try env.read { _ in _ = kill(getpid(), SIGKILL) }
        }
        try env.store(t, 2, [])
        #expect(try env.oldestReaderLag() == 0)
        #expect(try env.checkReaders() == 0)
    }

    @Test func `slots of killed readers are freed before a read fails for lack of one`()
        async throws
    {
        let path = scratch("env")
        let (env, t) = try open(at: path) { $0.maxReaders = 2 }
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let (env, _) = try open(at: path)
            try env.read { _ in try env.read { _ in _ = kill(getpid(), SIGKILL) } }
        }
        #expect(try env.readerSlots().count == 2)
        #expect(try env.read { try $0.count(t) } == 0)
    }

    @Test func `pages held by a killed reader are freed before a write fails for lack of room`()
        async throws
    {
        let path = scratch("env")
        let (env, t) = try open(at: path) { options in
            options.mapSize = 1 << 20
            options.maximumMapSize = 1 << 20
        }
        try env.store(t, 1, [])
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let (env, _) = try open(at: path) { $0.mapSize = 1 << 20 }
            try env.read { _ in _ = kill(getpid(), SIGKILL) }
        }
        for turn in 0..<400 {
            try env.store(t, 1, [UInt8](repeating: UInt8(turn % 256), count: 9000))
        }
        #expect(try env.readerSlots().allSatisfy { $0.process == Int(getpid()) })
    }

    @Test func `the slots of dead processes are freed at the opening`() async throws {
        let path = scratch("env")
        // A living process keeps the lock file from being made anew.
        let (env, _) = try open(at: path)
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let (env, _) = try open(at: path)
            try env.read { _ in _ = kill(getpid(), SIGKILL) }
        }
        #expect(try env.readerSlots().count == 1)
        await #expect(processExitsWith: .success) { [path = path as String] in
            let (env, _) = try open(at: path)
            exit(try env.readerSlots().isEmpty ? 0 : 1)
        }
        #expect(try env.readerSlots().isEmpty)
    }

    @Test func `a writer killed in its transaction leaves no lock and no trace`() async throws {
        let path = scratch("env")
        let (env, t) = try open(at: path)
        try env.store(t, 1, [1])
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let (env, t) = try open(at: path)
            try env.store(t, 2, [2])
            try env.write { txn in
                try txn.put(t, key: BigEndianKey(3), value: [3])
                _ = kill(getpid(), SIGKILL)
            }
        }
        try env.store(t, 4, [4])
        #expect(try env.everything(t).map { $0[1] } == [[1], [2], [4]])
    }

    @Test func `processes write in turn`() async throws {
        let path = scratch("env")
        let (env, t) = try open(at: path)
        let isOver = Signal()
        let beside = Parallel {
            var number: UInt64 = 1 << 32
            while !isOver.isGiven {
                try env.store(t, number, [])
                number += 1
            }
        }
        await #expect(processExitsWith: .success) { [path = path as String] in
            let (env, t) = try open(at: path)
            for number in UInt64(0)..<200 { try env.store(t, number, []) }
            try env.close()
        }
        isOver.give()
        try beside.join()
        let last = BigEndianKey(1 << 31)
        var theirs = 0
        try env.read { txn in
            try txn.scan(t, .from(BigEndianKey(0), through: last)) { _, _ in
                theirs += 1
                return .next
            }
        }
        #expect(theirs == 200)
    }

    @Test func `after a fork the child is refused, and the parent is not disturbed`() async {
        await #expect(processExitsWith: .success) { [path = scratch("env") as String] in
            var pair: (Environment, Table)? = try open(at: path)
            try pair?.0.store(pair?.1 ?? { exit(2) }(), 1, [])
            _ = try pair?.0.read { _ in }
            let child = fork()
            if child == 0 {
                let isRefused = pair.map { refusesEverything($0.0) } ?? false
                // Letting go in the child must not clear the parent's reader slot.
                pair = nil
                _exit(isRefused ? 0 : 3)
            }
            var status: Int32 = 0
            guard waitpid(child, &status, 0) == child, status == 0 else { exit(4) }
            guard let (env, t) = pair else { exit(5) }
            guard try env.readerSlots().map(\.process) == [Int(getpid())] else { exit(6) }
            try env.store(t, 2, [])
            exit(try env.everything(t).count == 2 ? 0 : 7)
        }
    }
}

/// Whether every use of an environment in a forked process throws `forked`.
private func refusesEverything(_ env: Environment) -> Bool {
    let uses: [() throws -> Void] = [
        { try env.read { _ in } }, { try env.write { _ in } }, { try env.onWriter {} },
        { try env.checkReaders() }, { try env.close() },
    ]
    return uses.allSatisfy { use in
        do {
            try use()
            return false
        } catch {
            return LMDBError.Code.forked ~= error
        }
    }
}
