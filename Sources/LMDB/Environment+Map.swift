import CLMDB

extension Environment {
    /// Frees the reader slots of processes that died; answers how many there were.
    ///
    /// Done by itself at the opening, before failing for lack of slots or room, and by a write when
    /// the last one to do it was a minute ago: a dead reader keeps pages from being reused.
    @discardableResult
    package func checkReaders() throws(LMDBError) -> Int {
        let ticket = try enter(.inspection, "check the readers")
        defer { gate.leave(ticket) }
        return try store.checkReaders()
    }

    /// Makes the map large enough that one more transaction within its caps must fit.
    ///
    /// Waits until the transactions of this process have ended, and keeps new ones out meanwhile.
    func growMap() throws(LMDBError) {
        try replaceMap("grow the map") { () throws(LMDBError) in
            let size = try mapSize()
            let largest = min(options.maximumMapSize, Int.max / 4)
            let wanted = AddressSpace.wholePages(min(max(size * 2, size + worstCase), largest))
            guard wanted > size, AddressSpace.hasRoom(for: wanted) else {
                throw error(.mapFull, "grow the map beyond \(size) bytes")
            }
            return wanted
        }
    }

    /// Takes over the size to which another process has grown the map.
    func adoptMap() throws(LMDBError) {
        // LMDB reads the new size from the file when it is given zero.
        try replaceMap("adopt the grown map") { () throws(LMDBError) in 0 }
    }

    private func replaceMap(
        _ operation: StaticString, _ size: () throws(LMDBError) -> Int
    ) throws(LMDBError) {
        let outcome: Result<Void, LMDBError>? = gate.alone(within: options.drainDeadline) {
            Result { () throws(LMDBError) in
                dropIdleReaders()
                let status = unsafe try mdb_env_set_mapsize(store.pointer, size())
                guard status != MDB_SUCCESS else { return }
                // The old map is gone already, so there is nothing left to work on.
                gate.refuse(.poisoned)
                throw error(.init(rawValue: status), "\(operation)")
            }
        }
        guard let outcome else { throw error(.transactionsStillOpen, "\(operation)") }
        try outcome.get()
    }

    private func mapSize() throws(LMDBError) -> Int {
        var information = unsafe MDB_envinfo()
        try store.check(unsafe mdb_env_info(store.pointer, &information), "grow the map")
        return unsafe information.me_mapsize
    }

    /// The bytes of pages that a transaction within its caps can write: each operation may copy a
    /// branch of the tree, of which two pages are not shared with the next.
    private var worstCase: Int {
        options.maximumBytes * 2 + options.maximumOperations * 2 * 4096
    }
}
