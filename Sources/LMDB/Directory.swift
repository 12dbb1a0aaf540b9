import CLMDB
import Glibc

/// Names a file or directory whatever path leads to it.
struct FileIdentity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }
}

/// An open handle on the directory of an environment.
///
/// Being open, it keeps the directory's inode from being given to another one, on which the registry
/// of open environments relies. The data file itself is never opened here: closing any second handle
/// on an LMDB file drops the locks of the whole process.
@safe struct Directory: ~Copyable, Sendable {
    let path: String
    private let descriptor: Int32

    /// Opens the directory, after creating it (and making it durable) if asked to.
    init(at path: String, creating: Bool) throws(LMDBError) {
        if creating { try Self.create(path) }
        descriptor = try Self.opened(path)
        self.path = path
    }

    deinit {
        close(descriptor)
    }

    private static func create(_ path: String) throws(LMDBError) {
        if unsafe mkdir(path, 0o700) == 0 {
            try makeDurable(parent(of: path))
        } else if errno != EEXIST {
            throw LMDBError(.lastError, operation: "create the directory", path: path)
        }
    }

    private static func opened(_ path: String) throws(LMDBError) -> Int32 {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw LMDBError(.lastError, operation: "open the directory", path: path)
        }
        return descriptor
    }

    /// The corresponding C function is `fstat`.
    func identity() throws(LMDBError) -> FileIdentity {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw LMDBError(.lastError, operation: "look at the directory", path: path)
        }
        return FileIdentity(status)
    }

    /// The identity of a file in the directory, or `nil` if there is none; the file is not opened.
    func identity(of name: String) throws(LMDBError) -> FileIdentity? {
        var status = stat()
        guard unsafe fstatat(descriptor, name, &status, 0) == 0 else {
            if errno == ENOENT { return nil }
            throw LMDBError(.lastError, operation: "look at \(name)", path: path)
        }
        return FileIdentity(status)
    }

    /// The bytes of the file system that an ordinary user may still fill.
    func freeBytes() throws(LMDBError) -> Int {
        var status = statfs()
        guard unsafe fstatfs(descriptor, &status) == 0 else {
            throw LMDBError(.lastError, operation: "ask for free disk space", path: path)
        }
        let (bytes, overflow) = Int(clamping: status.f_bavail)
            .multipliedReportingOverflow(by: Int(status.f_bsize))
        return overflow ? .max : bytes
    }

    /// The magic number of the file system it is on.
    func fileSystem() throws(LMDBError) -> UInt32 {
        var status = statfs()
        guard unsafe fstatfs(descriptor, &status) == 0 else {
            throw LMDBError(.lastError, operation: "ask for the file system", path: path)
        }
        return UInt32(truncatingIfNeeded: status.f_type)
    }

    /// Makes the names in the directory durable; blocks until they are.
    func makeDurable() throws(LMDBError) {
        guard fsync(descriptor) == 0 else {
            throw LMDBError(.lastError, operation: "flush the directory", path: path)
        }
    }

    static func makeDurable(_ path: String) throws(LMDBError) {
        try Directory(at: path, creating: false).makeDurable()
    }

    /// The directory that holds `path`'s last component.
    static func parent(of path: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        let above = parts.dropLast().joined(separator: "/")
        if path.hasPrefix("/") { return "/" + above }
        return above.isEmpty ? "." : above
    }
}

extension LMDBError.Code {
    /// What `errno` holds; to be read right after the call that failed.
    static var lastError: Self { Self(rawValue: errno) }
}
