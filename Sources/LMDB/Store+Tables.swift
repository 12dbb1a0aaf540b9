import CLMDB

extension Store {
    /// Opens named tables, creating those that are missing; only while nothing else is going on.
    ///
    /// Where nothing can be created, optional ones that are missing are left out.
    func openTables(
        _ names: [String], optional: Set<String>
    ) throws(LMDBError) -> [String: MDB_dbi] {
        do throws(LMDBError) {
            return try openTables(names, leavingOut: isReadOnly ? optional : [], creating: false)
        } catch LMDBError.Code.notFound where !isReadOnly {
            return try openTables(names, leavingOut: [], creating: true)
        }
    }

    /// Begins, opens and commits on this thread, which is what LMDB's write lock asks for.
    private func openTables(
        _ names: [String], leavingOut optional: Set<String>, creating: Bool
    ) throws(LMDBError) -> [String: MDB_dbi] {
        var begun: OpaquePointer?
        let mode = creating ? 0 : UInt32(MDB_RDONLY)
        try check(unsafe mdb_txn_begin(pointer, nil, mode, &begun), "open the tables")
        guard let transaction = unsafe begun else {
            throw LMDBError(.badTransaction, operation: "open the tables", path: path)
        }
        var handles: [String: MDB_dbi] = [:]
        do throws(LMDBError) {
            for name in names {
                var handle = MDB_dbi()
                let flags = creating ? UInt32(MDB_CREATE) : 0
                let status = unsafe mdb_dbi_open(transaction, name, flags, &handle)
                if status == MDB_NOTFOUND, optional.contains(name) { continue }
                try check(status, "open table \(name)")
                unsafe try refuseForeignFlags(transaction, handle, name)
                handles[name] = handle
            }
        } catch {
            unsafe mdb_txn_abort(transaction)
            throw error
        }
        unsafe try check(mdb_txn_commit(transaction), "open the tables")
        return handles
    }

    /// Refuses a table made by something else with another key order or with duplicates.
    private func refuseForeignFlags(
        _ transaction: OpaquePointer, _ handle: MDB_dbi, _ name: String
    ) throws(LMDBError) {
        var flags: UInt32 = 0
        try check(unsafe mdb_dbi_flags(transaction, handle, &flags), "open table \(name)")
        if flags != 0 {
            throw LMDBError(.incompatible, operation: "open table \(name)", path: path)
        }
    }

    /// Frees the reader slots of processes that died; answers how many there were.
    @discardableResult
    func checkReaders() throws(LMDBError) -> Int {
        var dead: Int32 = 0
        try check(unsafe mdb_reader_check(pointer, &dead), "check the readers")
        return Int(dead)
    }

    func check(_ status: Int32, _ operation: String) throws(LMDBError) {
        guard status != MDB_SUCCESS else { return }
        throw LMDBError(.init(rawValue: status), operation: operation, path: path)
    }
}
