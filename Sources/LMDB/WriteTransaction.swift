import CLMDB

/// The environment's one write transaction, lent by `Environment.write`.
///
/// It is only used on the writer's thread, and not while data of it is lent to a closure.
package struct WriteTransaction: ~Copyable, Reading {
    package let access: Access

    init(_ transaction: OpaquePointer, in environment: Environment) {
        access = unsafe Access(
            transaction: transaction, environment: environment, isWriting: true, expiry: nil)
    }

    /// Aborts what was not committed.
    deinit {
        unsafe mdb_txn_abort(access.transaction)
    }

    /// Makes everything durable or nothing; blocks until the disk has it.
    consuming func commit() -> Int32 {
        let transaction = unsafe access.transaction
        discard self
        return unsafe mdb_txn_commit(transaction)
    }
}

extension WriteTransaction {
    /// How `put` treats a key.
    package enum Mode: Sendable {
        /// Replaces the value if there is one.
        case upsert
        /// Throws `keyExists` if there is one; the transaction may go on.
        case insertOnly
        /// Adds above the last key, filling pages fully.
        ///
        /// Throws `sequenceFault`, and dooms the transaction, if the key is not above the last.
        case append
    }

    /// Stores a value; lent data must be read again afterwards.
    package func put(
        _ table: Table, key: Span<UInt8>, value: Span<UInt8>, mode: Mode = .upsert
    ) throws(LMDBError) {
        try access.check(table, "put into")
        try access.checkKey(key, table, "put into")
        try spend(key.count + value.count, "put into", table)
        let status = unsafe key.withUnsafeBufferPointer { key in
            unsafe value.withUnsafeBufferPointer { value in
                var name = unsafe MDB_val(key)
                var content = unsafe MDB_val(value)
                return unsafe mdb_put(
                    access.transaction, table.handle, &name, &content, mode.flags)
            }
        }
        guard status != MDB_SUCCESS else { return }
        if status == MDB_KEYEXIST && mode == .insertOnly {
            throw access.error(.keyExists, "put into", table)
        }
        throw doom(status, mode, "put into", table)
    }

    /// Stores a value; lent data must be read again afterwards.
    package func put(
        _ table: Table, key: [UInt8], value: [UInt8], mode: Mode = .upsert
    ) throws(LMDBError) {
        try put(table, key: key.span, value: value.span, mode: mode)
    }

    /// Stores a value under an integer key; lent data must be read again afterwards.
    package func put(
        _ table: Table, key: BigEndianKey, value: Span<UInt8>, mode: Mode = .upsert
    ) throws(LMDBError) {
        let bytes = key.bytes
        try put(table, key: bytes.span, value: value, mode: mode)
    }

    /// Stores a value under an integer key; lent data must be read again afterwards.
    package func put(
        _ table: Table, key: BigEndianKey, value: [UInt8], mode: Mode = .upsert
    ) throws(LMDBError) {
        try put(table, key: key, value: value.span, mode: mode)
    }

    /// Removes a key; `false` if there was none.
    ///
    /// The bytes stay in the file until their page is reused; secrets must not be in it at all.
    package func delete(_ table: Table, key: Span<UInt8>) throws(LMDBError) -> Bool {
        try access.check(table, "delete from")
        try access.checkKey(key, table, "delete from")
        try spend(key.count, "delete from", table)
        let status = unsafe key.withUnsafeBufferPointer { key in
            var name = unsafe MDB_val(key)
            return unsafe mdb_del(access.transaction, table.handle, &name, nil)
        }
        if status == MDB_NOTFOUND { return false }
        guard status == MDB_SUCCESS else { throw doom(status, .upsert, "delete from", table) }
        return true
    }

    /// Removes a key; `false` if there was none.
    package func delete(_ table: Table, key: [UInt8]) throws(LMDBError) -> Bool {
        try delete(table, key: key.span)
    }

    /// Removes an integer key; `false` if there was none.
    package func delete(_ table: Table, key: BigEndianKey) throws(LMDBError) -> Bool {
        let bytes = key.bytes
        return try delete(table, key: bytes.span)
    }

    /// Removes every key of a small table.
    ///
    /// A table with more keys than a transaction may touch is refused, for its freed pages would slow
    /// down every later commit: keep such tables in an environment of their own and drop its directory.
    package func clear(_ table: Table) throws(LMDBError) {
        let keys = try access.count(table)
        try spend(0, "clear", table, operations: keys)
        let status = unsafe mdb_drop(access.transaction, table.handle, 0)
        guard status == MDB_SUCCESS else { throw doom(status, .upsert, "clear", table) }
    }

    /// Counts against the transaction's caps, before anything is changed.
    private func spend(
        _ bytes: Int, _ verb: StaticString, _ table: Table, operations: Int = 1
    ) throws(LMDBError) {
        let environment = unsafe access.environment
        precondition(environment.tally.lent == 0, "a write would invalidate data that is lent")
        guard environment.tally.spend(bytes, operations, within: environment.options) else {
            throw access.error(.transactionTooLarge, verb, table)
        }
    }

    /// Remembers a failure, so that the transaction is not committed even if the closure goes on.
    private func doom(
        _ status: Int32, _ mode: Mode, _ verb: StaticString, _ table: Table
    ) -> LMDBError {
        let isFault = status == MDB_KEYEXIST && mode == .append
        let code = isFault ? LMDBError.Code.sequenceFault : .init(rawValue: status)
        let failure = access.error(code, verb, table)
        unsafe access.environment.tally.fail(failure)
        return failure
    }
}

extension WriteTransaction.Mode {
    fileprivate var flags: UInt32 {
        switch self {
        case .upsert: 0
        case .insertOnly: UInt32(MDB_NOOVERWRITE)
        case .append: UInt32(MDB_APPEND)
        }
    }
}
