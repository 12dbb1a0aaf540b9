import CLMDB
import Glibc

/// Owns LMDB's handle of an open environment, its directory, and the claim on them.
///
/// It closes itself in `deinit` at the latest, in every process but one that was forked off: there
/// the slots and locks still belong to the parent.
// Unchecked: LMDB's environment handle may be used from any thread; what it holds is behind a lock.
@safe final class Store: @unchecked Sendable {
    let path: String
    let pointer: OpaquePointer
    let process: pid_t
    let isReadOnly: Bool
    /// What is given back when the environment is closed.
    private let hold: Monitor<Hold?>

    private final class Hold: Sendable {
        let directory: Directory
        let claim: OpenEnvironments.Claim

        init(_ directory: consuming Directory, _ claim: consuming OpenEnvironments.Claim) {
            self.directory = directory
            self.claim = claim
        }
    }

    /// Opens an environment, halving the map until it fits into the address space.
    init(at path: String, tables: Int, options: Options) throws(LMDBError) {
        let opened = unsafe try OpenEnvironments.inTurn { () throws(LMDBError) in
            unsafe try Self.claimAndOpen(path, tables: tables, options: options)
        }
        self.path = path
        unsafe self.pointer = unsafe opened.pointer
        self.hold = unsafe Monitor(opened.hold)
        self.process = getpid()
        self.isReadOnly = options.readOnly
    }

    private static func claimAndOpen(
        _ path: String, tables: Int, options: Options
    ) throws(LMDBError) -> (pointer: OpaquePointer, hold: Hold) {
        let directory = try Directory(at: path, creating: !options.readOnly)
        try FileSystemRule.check(directory)
        var claim = OpenEnvironments.Claim(path: path)
        try claim.add(directory.identity())
        let existing = try directory.identity(of: "data.mdb")
        if let existing { try claim.add(existing) }

        let pointer = unsafe try Self.open(path, tables: tables, options: options)
        do throws(LMDBError) {
            if existing == nil, let made = try directory.identity(of: "data.mdb") {
                try claim.add(made)
                try directory.makeDurable()
            }
        } catch {
            unsafe mdb_env_close(pointer)
            throw error
        }
        return unsafe (pointer, Hold(directory, claim))
    }

    deinit {
        if !isForked { close() }
    }

    /// Closes LMDB's handle, which must not be used afterwards; again does nothing.
    func close() {
        hold.update { hold in
            guard hold != nil else { return }
            // In turn: between LMDB's close and the end of the claim, a new file elsewhere could get
            // the inode of this one and be taken for it.
            OpenEnvironments.inTurn {
                unsafe mdb_env_close(pointer)
                hold = nil
            }
        }
    }

    /// The bytes of the file system that an ordinary user may still fill.
    func freeBytes() throws(LMDBError) -> Int {
        guard let hold = hold.update({ $0 }) else {
            throw LMDBError(.closed, operation: "ask for free disk space", path: path)
        }
        return try hold.directory.freeBytes()
    }

    /// Whether this process is a fork of the one that opened it.
    var isForked: Bool { getpid() != process }

    /// The flags LMDB was opened with.
    ///
    /// Never one that trades durability or checks for speed: no `NOSYNC`, `NOMETASYNC`, `WRITEMAP`,
    /// `MAPASYNC`, `NOMEMINIT` or `NOLOCK`.
    static func flags(_ options: Options) -> UInt32 {
        UInt32(MDB_NOTLS)
            | (options.noReadAhead ? UInt32(MDB_NORDAHEAD) : 0)
            | (options.readOnly ? UInt32(MDB_RDONLY) : 0)
    }

    private static func open(
        _ path: String, tables: Int, options: Options
    ) throws(LMDBError) -> OpaquePointer {
        var size = AddressSpace.mapSize(requested: options.mapSize)
        while true {
            var created: OpaquePointer?
            unsafe try check(mdb_env_create(&created), path)
            guard let pointer = unsafe created else {
                throw LMDBError(.outOfMemory, operation: "open the environment", path: path)
            }
            do throws(LMDBError) {
                unsafe try check(mdb_env_set_mapsize(pointer, size), path)
                unsafe try check(mdb_env_set_maxreaders(pointer, UInt32(options.maxReaders)), path)
                unsafe try check(mdb_env_set_maxdbs(pointer, UInt32(max(tables, 1))), path)
                unsafe try check(mdb_env_open(pointer, path, flags(options), 0o600), path)
                unsafe try checkExtent(pointer, path)
                return unsafe pointer
            } catch {
                unsafe mdb_env_close(pointer)
                guard error.code == .outOfMemory, size > AddressSpace.smallestMap else {
                    throw error
                }
                size = AddressSpace.wholePages(size / 2)
            }
        }
    }

    private static func check(_ status: Int32, _ path: String) throws(LMDBError) {
        guard status != MDB_SUCCESS else { return }
        throw LMDBError(
            .init(rawValue: status), operation: "open the environment", path: path)
    }
}

/// The address space of this process, of which maps are made.
enum AddressSpace {
    /// Below this a map is not worth opening.
    static let smallestMap = 16 << 20

    /// What is asked for, but at most a quarter of the process's limit (`ulimit -v`).
    static func mapSize(requested: Int) -> Int {
        var limit = rlimit()
        let isLimited =
            unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0
            && limit.rlim_cur != rlim_t.max
        let ceiling = isLimited ? max(Int(clamping: limit.rlim_cur) / 4, smallestMap) : Int.max
        return wholePages(min(requested, ceiling))
    }

    static func wholePages(_ bytes: Int) -> Int {
        let page = sysconf(Int32(_SC_PAGESIZE))
        return max(bytes - bytes % page, page)
    }

    /// Whether a map of that size would fit beside everything that is mapped now.
    static func hasRoom(for bytes: Int) -> Bool {
        let probe = unsafe mmap(
            nil, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let probe = unsafe probe, unsafe probe != MAP_FAILED else { return false }
        return unsafe munmap(probe, bytes) == 0
    }
}
