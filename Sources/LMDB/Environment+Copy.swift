import CLMDB
import Glibc

extension Environment {
    /// Writes a compacted copy as a new environment directory; blocks until it is durable.
    ///
    /// A compacted copy holds live data only, and no bytes of deleted rows. It appears under its name
    /// only when complete; open it read-only and verify it before relying on it. While it runs it
    /// counts as a reader, so pages are not reused and the map cannot grow.
    ///
    /// - Parameter directory: The directory to make, whose parent exists and which itself does not.
    /// - Throws: `LMDBError`; nothing of the copy is left then.
    package func copyCompacted(to directory: String) throws(LMDBError) {
        // Takes over a map that another process has grown, which the copy itself could not.
        try beginRead().finish()
        let ticket = try enter(.inspection, "copy the environment")
        defer { gate.leave(ticket) }
        let copy = Self.trimmed(directory)
        let draft = "\(copy).partial-\(getpid())"
        guard unsafe access(copy, F_OK) != 0 else {
            throw LMDBError(.fileExists, operation: "copy the environment", path: copy)
        }
        guard unsafe mkdir(draft, 0o700) == 0 else {
            throw LMDBError(.lastError, operation: "make the directory", path: draft)
        }
        do throws(LMDBError) {
            try writeCopy(to: draft + "/data.mdb")
            try Directory.makeDurable(draft)
            guard unsafe rename(draft, copy) == 0 else {
                throw LMDBError(.lastError, operation: "rename the copy", path: copy)
            }
        } catch {
            unsafe unlink(draft + "/data.mdb")
            unsafe rmdir(draft)
            throw error
        }
        try Directory.makeDurable(Directory.parent(of: copy))
    }

    private func writeCopy(to file: String) throws(LMDBError) {
        let descriptor = unsafe open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw LMDBError(.lastError, operation: "create the copy", path: file)
        }
        defer { Glibc.close(descriptor) }
        var status = unsafe mdb_env_copyfd2(store.pointer, descriptor, UInt32(MDB_CP_COMPACT))
        if status == MDB_READERS_FULL {
            dropIdleReaders()
            try store.checkReaders()
            status = unsafe mdb_env_copyfd2(store.pointer, descriptor, UInt32(MDB_CP_COMPACT))
        }
        guard status == MDB_SUCCESS else {
            throw LMDBError(.init(rawValue: status), operation: "write the copy", path: file)
        }
        guard fsync(descriptor) == 0 else {
            throw LMDBError(.lastError, operation: "flush the copy", path: file)
        }
    }

    private static func trimmed(_ path: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }
}
