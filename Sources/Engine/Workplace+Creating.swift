import Ledger

#if canImport(Glibc)
    import Glibc
#endif

extension Workplace {
    /// Makes a new ledger and opens it once, so that a disk too full for it is told at once.
    ///
    /// What was made goes again when that fails; what was there before stays.
    ///
    /// - Throws: `WorkplaceError.exists` where there is one.
    package static func create(at directory: String, name: String) throws {
        // A key that is overwritten takes everything that was sealed under it along.
        for name in ["ledger", "master-1.key", "keys", "log"]
        where access(directory + "/" + name, F_OK) == 0 {
            throw WorkplaceError.exists(directory)
        }
        let isMade = mkdir(directory, 0o700) == 0
        guard isMade || errno == EEXIST else { throw WorkplaceError.file(directory, errno) }
        let new = parts.filter { access(directory + "/" + $0, F_OK) != 0 }
        do {
            try writeFiles(in: directory, name: name)
            try Workplace(at: directory).close()
        } catch {
            for part in new { remove(directory + "/" + part) }
            if isMade { rmdir(directory) }
            throw error
        }
    }

    /// What a ledger has in its directory, inner things before those that hold them.
    private static var parts: [String] {
        ["ledger", "ledger.new", "master-1.key", "master-1.key.new", "engine.lock"]
            + ["views/1", "views", "index", "keys", "log"]
    }

    /// Removes a file or an environment; the error that led here is the one to tell.
    private static func remove(_ path: String) {
        for name in ["data.mdb", "lock.mdb"] { Glibc.unlink(path + "/" + name) }
        if Glibc.unlink(path) != 0 { rmdir(path) }
    }

    private static func writeFiles(in directory: String, name: String) throws {
        var random = SystemRandomNumberGenerator()
        if getenv("SYNCLEDGER_MASTER_KEY") == nil {
            let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
            try writePrivate(
                bytes.map(hexadecimal).joined() + "\n", to: directory + "/master-1.key")
        }
        let id = LedgerID.version7(at: systemNow(), using: &random)
        try writePrivate(
            "syncledger 1\nid \(id)\nname \(name)\n", to: directory + "/ledger")
    }
}
