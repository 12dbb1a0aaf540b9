import CLMDB

/// The way from a transaction to its data; only transactions make it and only they outlive it.
@safe package struct Access {
    let transaction: OpaquePointer
    // Not counted: a transaction is lent by a method of its environment, which therefore lives.
    unowned(unsafe) let environment: Environment
    let isWriting: Bool
    /// When a read transaction refuses its next operation.
    let expiry: Moment?

    func get<R>(
        _ table: Table, _ key: borrowing Span<UInt8>, _ body: (Span<UInt8>) throws -> R
    ) throws -> R? {
        try check(table, "get from")
        try checkKey(key, table, "get from")
        var value = unsafe MDB_val()
        let status = unsafe key.withUnsafeBufferPointer { key in
            var name = unsafe MDB_val(key)
            return unsafe mdb_get(transaction, table.handle, &name, &value)
        }
        if status == MDB_NOTFOUND { return nil }
        try check(status, "get from", table)
        return try lend { try unsafe body(value.buffer.span) }
    }

    func count(_ table: Table) throws(LMDBError) -> Int {
        try check(table, "count")
        var statistics = MDB_stat()
        unsafe try check(mdb_stat(transaction, table.handle, &statistics), "count", table)
        return Int(statistics.ms_entries)
    }

    /// Runs a closure that sees the map, in which a write transaction must not be written to.
    func lend<R>(_ body: () throws -> R) rethrows -> R {
        guard isWriting else { return try body() }
        unsafe environment.tally.lent += 1
        defer { unsafe environment.tally.lent -= 1 }
        return try body()
    }

    /// Traps on a table or thread that does not belong here; throws when the time is over.
    func check(_ table: Table, _ verb: StaticString) throws(LMDBError) {
        precondition(
            unsafe table.owner == environment.number,
            "the table belongs to another environment")
        if isWriting {
            precondition(
                unsafe environment.isOnWriter,
                "a write transaction is only used on the writer's thread")
        }
        if let expiry, Moment.now >= expiry { throw error(.readerExpired, verb, table) }
    }

    func checkKey(
        _ key: borrowing Span<UInt8>, _ table: Table, _ verb: StaticString
    ) throws(LMDBError) {
        guard 1...511 ~= key.count else { throw error(.badValueSize, verb, table) }
    }

    func check(_ status: Int32, _ verb: StaticString, _ table: Table) throws(LMDBError) {
        guard status != MDB_SUCCESS else { return }
        throw error(.init(rawValue: status), verb, table)
    }

    func error(_ code: LMDBError.Code, _ verb: StaticString, _ table: Table) -> LMDBError {
        unsafe environment.error(code, "\(verb) \(table.name)")
    }
}

extension MDB_val {
    /// Points at bytes that LMDB only reads.
    init(_ buffer: UnsafeBufferPointer<UInt8>) {
        unsafe self.init(
            mv_size: buffer.count, mv_data: UnsafeMutableRawPointer(mutating: buffer.baseAddress))
    }

    /// The bytes, valid until the next write or the end of the transaction.
    var buffer: UnsafeBufferPointer<UInt8> {
        unsafe UnsafeBufferPointer(
            start: mv_data?.assumingMemoryBound(to: UInt8.self), count: mv_size)
    }
}
