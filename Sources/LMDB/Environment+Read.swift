import CLMDB

/// A read transaction between two uses: it keeps its reader slot, and pins no page.
// Unchecked: with `NOTLS` a read transaction may go from thread to thread, used by one at a time.
@safe struct IdleReader: @unchecked Sendable {
    let transaction: OpaquePointer
}

extension Environment {
    /// The most read transactions kept for reuse; beginning a new one takes a lock over all processes.
    private static let idleLimit = 16

    /// Lends a snapshot to a closure, which runs on this thread; blocks on page faults.
    ///
    /// May be called inside a read or write of the same environment. What the closure throws is
    /// thrown on. Beyond `Options.readerAgeLimit` every operation throws `readerExpired`.
    package func read<R>(_ body: (borrowing ReadTransaction) throws -> R) throws -> R {
        let transaction = try beginRead()
        return try body(transaction)
    }

    /// Lends the pairs of a range to a closure, taking a new snapshot every few rows or seconds.
    ///
    /// For long scans of what only grows: rows that change meanwhile may be seen as they were or as
    /// they are. The bytes are only valid during each call of the closure.
    package func scanRenewing(
        _ table: Table, _ range: KeyRange = .all, reversed: Bool = false,
        _ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) throws -> ScanStep
    ) throws {
        var rest: KeyRange? = range
        while let range = rest {
            rest = try read { transaction in
                let renewal = Moment.now + options.renewalAge
                var rows = 0
                var last: [UInt8]?
                try transaction.scan(table, range, reversed: reversed) { key, value in
                    if try body(key, value) == .stop { return .stop }
                    rows += 1
                    guard rows >= options.renewalRows || Moment.now >= renewal else { return .next }
                    last = key.copy()
                    return .stop
                }
                return last.map { range.resumed(after: $0, reversed: reversed) }
            }
        }
    }

    func beginRead() throws(LMDBError) -> ReadTransaction {
        let operation: StaticString = "begin a read"
        for attempt in 0...1 {
            let ticket = try enter(.read, operation)
            let status: Int32
            switch begin() {
            case .success(let reader): return ReadTransaction(reader, in: self, ticket: ticket)
            case .failure(let failure): status = failure.status
            }
            // The ticket must be back before the map can be replaced.
            gate.leave(ticket)
            guard attempt == 0 else { throw error(.init(rawValue: status), "\(operation)") }
            switch status {
            case MDB_MAP_RESIZED: try adoptMap()
            case MDB_READERS_FULL:
                dropIdleReaders()
                try checkReaders()
            default: throw error(.init(rawValue: status), "\(operation)")
            }
        }
        preconditionFailure("the second attempt neither returned nor threw")
    }

    private struct Failure: Error { let status: Int32 }

    /// Renews an idle transaction or begins a new one.
    private func begin() -> Result<IdleReader, Failure> {
        if let idle = idleReaders.update({ $0.popLast() }) {
            if unsafe mdb_txn_renew(idle.transaction) == MDB_SUCCESS { return .success(idle) }
            // A new one will say what is wrong.
            unsafe mdb_txn_abort(idle.transaction)
        }
        var begun: OpaquePointer?
        let status = unsafe mdb_txn_begin(store.pointer, nil, UInt32(MDB_RDONLY), &begun)
        guard status == MDB_SUCCESS, let begun = unsafe begun else {
            return .failure(Failure(status: status))
        }
        return unsafe .success(IdleReader(transaction: begun))
    }

    /// Lets go of a snapshot, keeping its reader slot for the next one.
    func end(_ reader: IdleReader, _ ticket: Gate.Ticket) {
        guard !store.isForked else { return }
        unsafe mdb_txn_reset(reader.transaction)
        let isKept = idleReaders.update { idle in
            let hasRoom = idle.count < Self.idleLimit
            if hasRoom { idle.append(reader) }
            return hasRoom
        }
        if !isKept { unsafe mdb_txn_abort(reader.transaction) }
        gate.leave(ticket)
    }

    func dropIdleReaders() {
        let readers = idleReaders.update { idle in
            let readers = idle
            idle = []
            return readers
        }
        for reader in readers { unsafe mdb_txn_abort(reader.transaction) }
    }
}
