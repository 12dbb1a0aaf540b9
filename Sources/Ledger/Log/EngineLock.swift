#if canImport(Glibc)
    import Glibc
#endif

/// Held by the one process that projects, decides and dispatches for a ledger.
///
/// An advisory lock on a file (flock), so it goes with the process that dies.
package final class EngineLock: Sendable {
    private let file: Int32

    /// Takes the lock or says who holds it.
    ///
    /// - Throws: `EngineLockError`.
    package init(path: String) throws(EngineLockError) {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .cannotOpen(path: path, code: errno) }
        guard Self.lock(file) == 0 else {
            // Told apart before anything else is called, which may set it anew.
            let failure = Self.failure(errno, path: path, file)
            Glibc.close(file)
            throw failure
        }
        let holder = Array(String(getpid()).utf8)
        guard ftruncate(file, 0) == 0, pwrite(file, holder, holder.count, 0) == holder.count else {
            let code = errno
            Glibc.close(file)
            throw .cannotOpen(path: path, code: code)
        }
        self.file = file
    }

    deinit { Glibc.close(file) }

    /// Whether somebody holds the lock now.
    package static func isHeld(path: String) -> Bool {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        // What is got is given back with the file.
        defer { Glibc.close(file) }
        return flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    private static func lock(_ file: Int32) -> Int32 {
        while true {
            let result = flock(file, LOCK_EX | LOCK_NB)
            if result == 0 || errno != EINTR { return result }
        }
    }

    /// What a refused lock means: somebody holds it, or the file system does not lock.
    static func failure(_ code: Int32, path: String, _ file: Int32) -> EngineLockError {
        guard code == EWOULDBLOCK else { return .cannotOpen(path: path, code: code) }
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = pread(file, &buffer, buffer.count, 0)
        let holder = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        return .heldElsewhere(process: Int32(holder) ?? 0)
    }
}

package enum EngineLockError: Error, Equatable, CustomStringConvertible {
    case heldElsewhere(process: Int32)
    case cannotOpen(path: String, code: Int32)

    package var description: String {
        switch self {
        case .heldElsewhere(let process):
            "another syncledger (process \(process)) is working on this ledger: wait for it to finish, or stop it"
        case .cannotOpen(let path, let code):
            "cannot lock \(path): \(String(cString: strerror(code)))"
        }
    }
}
