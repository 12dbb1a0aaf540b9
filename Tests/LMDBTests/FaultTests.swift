import CLMDB
import Foundation
import Testing

@testable import LMDB

@Suite struct FaultTests {
    let scratch = Scratch()

    @Test func `a commit that fails on the disk poisons the environment until a reopen`() async {
        await #expect(processExitsWith: .success) { [path = scratch("env") as String] in
            let (env, t) = try open(at: path)
            try env.store(t, 1, [1])
            // A limit on file size makes the flush of new pages fail as a full disk would.
            signal(SIGXFSZ, SIG_IGN)
            try limitFiles(to: env.statistics().fileBytes)
            do {
                try env.store(t, 2, [UInt8](repeating: 2, count: 1 << 20))
                exit(2)
            } catch let error as LMDBError {
                guard error.outcomeIsUnknown, error.operation == "commit" else { exit(3) }
            }
            guard isPoisoned({ try env.read { _ in } }) else { exit(4) }
            guard isPoisoned({ try env.write { _ in } }) else { exit(5) }
            guard isPoisoned({ try env.checkReaders() }) else { exit(6) }
            try env.close()
            try limitFiles(to: nil)
            let (again, table) = try open(at: path)
            try again.store(table, 3, [3])
            exit(try again.everything(table).map { $0[1] } == [[1], [3]] ? 0 : 7)
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can mount a small file system"))
    func `a full disk is said so, and nothing of the commit is there after a reopen`() throws {
        let root = scratch("small")
        guard mkdir(root, 0o700) == 0, run("/bin/mount", "-t", "tmpfs", "-o", "size=1m", "x", root)
        else { return }  // Root of a container may not mount.
        defer { _ = run("/bin/umount", "--lazy", root) }
        let (env, t) = try open(at: root + "/env") { $0.minimumFreeBytes = 0 }
        try env.store(t, 1, [1])
        let error = try expectCode(.diskFull) {
            for number in 2..<100 {
                try env.store(t, UInt64(number), [UInt8](repeating: 2, count: 100_000))
            }
        }
        #expect(error.outcomeIsUnknown)
        #expect("\(error)".contains("the disk is full; free some space"))
        try expectCode(.poisoned) { _ = try env.everything(t) }
        try env.close()
        do {
            let (again, table) = try open(at: root + "/env") { $0.minimumFreeBytes = 0 }
            let rows = try again.everything(table)
            #expect(rows.first?.last == [1])
            #expect(rows.dropFirst().allSatisfy { $0[1].count == 100_000 })
            // Deletes go on, because freed pages are reused.
            try again.write { _ = try $0.delete(table, key: BigEndianKey(2)) }
            try again.close()
        }
        // Closed, nothing of it is in the way, although it has not been let go.
        // Not by unmounting: children of tests beside this one may hold the file system for a moment.
        #expect(!openFiles().contains { $0.hasPrefix(root) })
        withExtendedLifetime(env) {}
    }

    @Test func `writes stop above the floor of free disk space, reads go on`() throws {
        let (env, t) = try scratch.open { $0.minimumFreeBytes = .max }
        var hasRun = false
        try expectCode(.lowDiskSpace) { try env.write { _ in hasRun = true } }
        #expect(!hasRun)
        #expect(try env.everything(t).isEmpty)
    }

    @Test func `a read-only environment reads and refuses to write`() throws {
        do {
            let (env, t) = try scratch.open()
            try env.store(t, 1, [1])
            try env.close()
        }
        let (env, t) = try scratch.open { $0.readOnly = true }
        #expect(try env.everything(t).count == 1)
        try expectCode(.readOnly) { try env.store(t, 2, []) }
        try expectCode(.readOnly) { try env.onWriter {} }
        try env.close()
        var options = Options()
        options.readOnly = true
        try expectCode(.notFound) {
            _ = try Environment(at: scratch("env"), tables: ["other"], options: options)
        }
        try expectCode(.noSuchFile) {
            _ = try Environment(at: scratch("nowhere"), tables: [], options: options)
        }
    }

    @Test func `a table made with duplicates or native integers is refused`() throws {
        for (name, flags) in [("dup", MDB_DUPSORT), ("int", MDB_INTEGERKEY)] {
            try makeTable("t", flags, at: scratch(name))
            try expectCode(.incompatible) { _ = try open(at: scratch(name)) }
        }
    }

    private func makeTable(_ name: String, _ flags: Int32, at path: String) throws {
        mkdir(path, 0o700)
        var env: OpaquePointer?
        var txn: OpaquePointer?
        var table = MDB_dbi()
        try #require(mdb_env_create(&env) == 0)
        mdb_env_set_maxdbs(env, 1)
        try #require(mdb_env_open(env, path, 0, 0o600) == 0)
        try #require(mdb_txn_begin(env, nil, 0, &txn) == 0)
        try #require(mdb_dbi_open(txn, name, UInt32(flags | MDB_CREATE), &table) == 0)
        try #require(mdb_txn_commit(txn) == 0)
        mdb_env_close(env)
    }

    @Test func `no flag trades durability or checks for speed`() throws {
        for (name, readAhead, readOnly) in [
            ("a", true, false), ("b", false, false), ("a", true, true),
        ] {
            let (env, _) = try open(at: scratch(name)) { options in
                options.noReadAhead = !readAhead
                options.readOnly = readOnly
            }
            var flags: UInt32 = 0
            #expect(mdb_env_get_flags(env.store.pointer, &flags) == 0)
            let wanted = MDB_NOTLS | (readAhead ? 0 : MDB_NORDAHEAD) | (readOnly ? MDB_RDONLY : 0)
            #expect(flags == UInt32(wanted))
            try env.close()
        }
    }
}

private func isPoisoned(_ use: () throws -> Void) -> Bool {
    do {
        try use()
        return false
    } catch {
        return LMDBError.Code.poisoned ~= error
    }
}

/// Limits the size of files this process writes, or lifts that again.
private func limitFiles(to bytes: Int?) throws {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
    guard getrlimit(resource, &limit) == 0 else { throw Refusal() }
    limit.rlim_cur = bytes.map(rlim_t.init) ?? limit.rlim_max
    guard setrlimit(resource, &limit) == 0 else { throw Refusal() }
}

/// What this process has open, by path.
private func openFiles() -> [String] {
    let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    return numbers.compactMap {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
    }
}
