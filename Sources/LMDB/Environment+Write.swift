import CLMDB

extension Environment {
    /// Lends the write transaction to a closure on the writer's thread, and commits; blocks.
    ///
    /// When it returns, everything is on the disk; when it throws, nothing is, unless the error says
    /// that its outcome is unknown. What the closure throws aborts and is thrown on. The closure runs
    /// a second time if the map had to grow, so it must not change anything of its own before it ends.
    ///
    /// Called on the writer's thread it runs in place. Inside a transaction of this environment it is
    /// a programmer's error, for both would wait for each other.
    package func write<R>(_ body: (borrowing WriteTransaction) throws -> R) throws -> R {
        let writer = try availableWriter("write")
        precondition(
            !gate.isInside(.write), "a write was begun inside a write of the same environment")
        precondition(
            !gate.isInside(.read), "a write was begun inside a read of the same environment")
        if writer.isCurrent { return try writeHere(body) }
        do {
            return try writer.perform(within: options.writerDeadline) { try writeHere(body) }
        } catch let refusal as Writer.Refusal {
            throw error(refusal == .busy ? .writerBusy : .closed, "write")
        }
    }

    /// Queues a job for the writer's thread and returns at once; the job may call `write`.
    ///
    /// Jobs run in the order they came, also those of `write`. Throws `closed` after `close`.
    package func onWriter(_ job: @escaping @Sendable () -> Void) throws(LMDBError) {
        let writer = try availableWriter("queue a job")
        do throws(Writer.Refusal) {
            try writer.enqueue(job)
        } catch {
            throw self.error(.closed, "queue a job")
        }
    }

    /// Has a job run on the writer's thread whenever it has had nothing to do for `Options.quietAge`.
    ///
    /// That is after each burst of writes and jobs, this call counting as one. The job may call
    /// `write`; while it answers that there is more to do, it is called again as soon as nothing else
    /// waits, so it should do a little at a time. Another job takes its place; `close` ends it.
    package func whenQuiet(_ job: @escaping @Sendable () -> Bool) throws(LMDBError) {
        let writer = try availableWriter("queue a job")
        do throws(Writer.Refusal) {
            try writer.whenQuiet(job)
        } catch {
            throw self.error(.closed, "queue a job")
        }
    }

    /// Whether this is the thread that write transactions run on.
    package var isOnWriter: Bool { writer?.isCurrent ?? false }

    private func availableWriter(_ operation: StaticString) throws(LMDBError) -> Writer {
        try refuseFork(operation)
        guard let writer else { throw error(.readOnly, "\(operation)") }
        return writer
    }

    /// Runs the transaction, a second time after making room if the map was full or outgrown.
    private func writeHere<R>(_ body: (borrowing WriteTransaction) throws -> R) throws -> R {
        guard try store.freeBytes() >= options.minimumFreeBytes else {
            let floor = options.minimumFreeBytes >> 20
            throw error(.lowDiskSpace, "write (\(floor) MiB of disk must stay free)")
        }
        if tally.readersChecked.elapsed >= options.readerCheckAge {
            tally.readersChecked = .now
            try checkReaders()
        }
        do {
            return try attempt(body)
        } catch let obstacle as Obstacle {
            try remove(obstacle)
        }
        do {
            return try attempt(body)
        } catch let obstacle as Obstacle {
            throw obstacle.error
        }
    }

    /// What a second attempt may get past; the first one was aborted.
    private struct Obstacle: Error { let error: LMDBError }

    private func remove(_ obstacle: Obstacle) throws {
        switch obstacle.error.code {
        case .mapFull:
            // A dead reader may be what kept pages from being reused.
            let dead = try checkReaders()
            do throws(LMDBError) {
                try growMap()
            } catch LMDBError.Code.mapFull where dead > 0 {
                return
            }
        case .mapResized: try adoptMap()
        default: throw obstacle.error
        }
    }

    private func attempt<R>(_ body: (borrowing WriteTransaction) throws -> R) throws -> R {
        let ticket = try enter(.write, "begin a write")
        defer { gate.leave(ticket) }
        tally.reset()
        let transaction = try beginWrite()
        let result = Result { try body(transaction) }
        if let failure = tally.failure {
            poisonIfBroken(failure)
            throw failure.code == .mapFull ? Obstacle(error: failure) : failure
        }
        let value = try result.get()
        try conclude(transaction.commit())
        return value
    }

    private func beginWrite() throws -> WriteTransaction {
        var begun: OpaquePointer?
        let status = unsafe mdb_txn_begin(store.pointer, nil, 0, &begun)
        if status == MDB_SUCCESS, let begun = unsafe begun {
            return unsafe WriteTransaction(begun, in: self)
        }
        let failure = error(.init(rawValue: status), "begin a write")
        poisonIfBroken(failure)
        throw failure.code == .mapResized ? Obstacle(error: failure) : failure
    }

    /// Turns the status of a commit into success, an obstacle, or an error.
    private func conclude(_ status: Int32) throws {
        guard status != MDB_SUCCESS else { return }
        var code = LMDBError.Code(rawValue: status)
        // LMDB reports a write that was cut short as an I/O error; mostly the disk has become full.
        if code == .ioError, let free = try? store.freeBytes(), free < 1 << 20 {
            code = .diskFull
        }
        if code == .mapFull { throw Obstacle(error: error(code, "commit")) }
        if code.leavesOutcomeUnknown { gate.refuse(.poisoned) }
        throw LMDBError(
            code, operation: "commit", path: path, outcomeIsUnknown: code.leavesOutcomeUnknown)
    }

    /// Refuses all further use after an error that leaves LMDB's own state in doubt.
    private func poisonIfBroken(_ failure: LMDBError) {
        let broken: [LMDBError.Code] = [.panic, .ioError, .corrupted, .pageNotFound]
        if broken.contains(failure.code) { gate.refuse(.poisoned) }
    }
}
