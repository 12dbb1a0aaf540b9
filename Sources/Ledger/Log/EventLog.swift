import LMDB
import Synchronization

/// The append-only log of one ledger: entries and their parts, with the tree's root at each commit.
///
/// Any process may append. Within a process, appends queue for the environment's writer thread, and
/// one commit takes everything that queued while the last one was flushed (group commit). An append
/// that has returned is durable.
package final class EventLog: Sendable {
    let environment: Environment
    let tables: LogTables
    let index: LogIndex
    private let clock: @Sendable () -> Timestamp
    private let queue = Mutex(AppendQueue())
    private let waiters = Waiters()
    private let knownEnd: Mutex<UInt64>
    /// The last sequence that this process knows to stand in a bundle.
    let sealedEnd: Mutex<UInt64>
    /// The last sequence that this process knows to stand in a hash tile.
    let tiledEnd: Mutex<UInt64>

    /// Opens or creates the log and its index; reads what the index does not know yet.
    ///
    /// What the last commit wrote is read again and held against the tree before anything is answered
    /// from it: a commit whose fate was not heard may stand or not, but never in part.
    ///
    /// A log that is not there is made, but not where the index knows entries of it.
    ///
    /// - Throws: `LMDBError`, `LogError.newerFormat`, `LogError.otherLedger`, `LogError.damaged`,
    ///   `LogError.lost`.
    package convenience init(
        directory: String, ledger: LedgerID,
        clock: @escaping @Sendable () -> Timestamp
    ) throws {
        var options = Options()
        options.mapSize = 1 << 40
        try self.init(directory: directory, ledger: ledger, options: options, clock: clock)
    }

    init(
        directory: String, ledger: LedgerID, options: Options,
        clock: @escaping @Sendable () -> Timestamp
    ) throws {
        if !Environment.exists(at: directory + "/log") {
            try LogIndex.refuseEntries(in: directory + "/index")
        }
        let environment = try Environment(
            at: directory + "/log", tables: LogTables.names, options: options)
        let tables = LogTables(environment)
        self.environment = environment
        self.tables = tables
        self.clock = clock
        try tables.claim(environment, for: ledger)
        try environment.read { try tables.verifyTail($0) }
        index = try LogIndex.open(
            directory: directory + "/index", for: tables, in: environment)
        knownEnd = Mutex(try index.catchUp(with: tables, in: environment))
        sealedEnd = Mutex(try environment.read { try tables.sealed($0) })
        tiledEnd = Mutex(try environment.read { try tables.tiled($0) })
        try environment.whenQuiet { [weak self] in (try? self?.seal()) ?? false }
    }

    /// Closes both environments, after writing the index's tail; whoever waits goes on.
    ///
    /// On a full disk the tail is left out: the next opening reads it from the log again.
    package func close() throws {
        defer { waiters.close() }
        try environment.close()
        do {
            try index.flush()
        } catch let error as LMDBError where [.lowDiskSpace, .diskFull].contains(error.code) {
            // Reading goes on where nothing can be written.
        }
        try index.close()
    }

    /// The last sequence that this process knows of; 0 for an empty log.
    package var end: UInt64 { knownEnd.withLock { $0 } }

    /// Batches that wait for the writer.
    package var queued: Int { queue.withLock { $0.count } }

    // MARK: - Appending

    /// Appends a batch whole or not at all, and waits until it is durable.
    ///
    /// An event whose id and part MACs stand already is not written again; its old place is
    /// returned. So it is when a MAC differs only for its key is gone and another came in its place,
    /// and the receipt says so. Conditions are checked, in the order of commits, before anything is
    /// put.
    ///
    /// - Returns: where each event of the batch stands.
    /// - Throws: `LogError.conditionFailed`, `LogError.idConflict`, `LogError.entryTooLarge`,
    ///   `LogError.batchTooLarge`, `LMDBError`.
    package func append(
        _ drafts: [SealedDraft], conditions: [AppendCondition] = []
    ) throws -> Receipt {
        let done = Inbox<Result<Receipt, any Error>>()
        enqueue(try AppendRequest(drafts, conditions) { done.put($0) })
        return try done.take().get()
    }

    /// Appends several batches, each whole or not at all, in one group commit; waits for all.
    package func appendAll(
        _ batches: [(drafts: [SealedDraft], conditions: [AppendCondition])]
    ) -> [Result<Receipt, any Error>] {
        let pending = batches.map { ($0, Inbox<Result<Receipt, any Error>>()) }
        for (batch, done) in pending {
            do {
                enqueue(
                    try AppendRequest(batch.drafts, batch.conditions) { done.put($0) })
            } catch {
                done.put(.failure(error))
            }
        }
        return pending.map { _, done in done.take() }
    }

    /// The same, without blocking a thread.
    package func append(
        _ drafts: [SealedDraft], conditions: [AppendCondition] = []
    ) async throws -> Receipt {
        try await withCheckedThrowingContinuation { continuation in
            do {
                enqueue(try AppendRequest(drafts, conditions) { continuation.resume(with: $0) })
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    private func enqueue(_ request: AppendRequest) {
        let mustStart = queue.withLock { $0.add(request) }
        guard mustStart else { return }
        do {
            try environment.onWriter { self.drain() }
        } catch {
            // Closed in the meantime: nobody is left to drain, so each is told.
            while let requests = queue.withLock({ $0.takeAll() }) {
                for request in requests { request.complete(.failure(error)) }
            }
        }
    }

    /// Runs on the writer thread: commits what has queued until nothing has.
    private func drain() {
        while let requests = queue.withLock({ $0.takeAll() }) {
            let before = end
            let results = commit(requests)
            for (request, result) in zip(requests, results) { request.complete(result) }
            sealShare(behind: end - before)
        }
    }

    private func commit(_ requests: [AppendRequest]) -> [Result<Receipt, any Error>] {
        do {
            // What other processes appended is read before the write lock is taken.
            _ = try index.catchUp(with: tables, in: environment)
            try index.makeRoom()
            let now = clock()
            let (results, staged) = try environment.write { transaction in
                try index.catchUp(with: tables, transaction)
                return try index.look { look in
                    try commit(requests, at: now, look, transaction)
                }
            }
            try index.take(staged)
            if let last = staged.last { announce(last.sequence) }
            index.flushBeside()
            return results
        } catch {
            return requests.map { _ in .failure(error) }
        }
    }

    private func commit(
        _ requests: [AppendRequest], at now: Timestamp, _ look: LogIndex.Look,
        _ transaction: borrowing WriteTransaction
    ) throws -> (results: [Result<Receipt, any Error>], staged: [IndexedEvent]) {
        var commit = LogCommit(head: try tables.head(transaction), tables: tables, now: now)
        var results: [Result<Receipt, any Error>] = []
        for request in requests {
            let batch: LogCommit.Batch
            do {
                batch = try commit.check(request, look, transaction)
            } catch let refusal as LogError {
                results.append(.failure(refusal))
                continue
            }
            try commit.put(batch, transaction)
            results.append(.success(batch.receipt))
        }
        try commit.finish(transaction)
        return (results, commit.staged)
    }

    // MARK: - Reading

    /// The head: size, root, and when the last event was recorded.
    package func head() throws -> LogHead {
        try environment.read { transaction in try tables.head(transaction) }
    }

    /// The root at the last commit at or before a sequence, with the sequence of that commit.
    package func root(atOrBefore sequence: UInt64) throws -> (sequence: UInt64, root: Hash)? {
        try environment.read { transaction in try tables.root(atOrBefore: sequence, transaction) }
    }

    /// The root of the commit that ended exactly here; `nil` where none did.
    package func root(at sequence: UInt64) throws -> Hash? {
        try environment.read { transaction in try tables.root(at: sequence, transaction) }
    }

    /// Where an event id stands.
    package func sequence(of id: EventID) throws -> UInt64? { try index.sequence(of: id) }

    /// How many events a stream has.
    package func version(of stream: Stream) throws -> UInt64 { try index.version(of: stream) }

    /// The sequences of all events with a tag, ascending.
    package func sequences(tagged tag: Tag) throws -> [UInt64] { try index.sequences(tagged: tag) }

    /// Takes notice of what other processes appended.
    ///
    /// - Returns: the last sequence.
    @discardableResult
    package func refresh() throws -> UInt64 {
        let end = try index.catchUp(with: tables, in: environment)
        announce(end)
        return end
    }

    /// Writes the index's tail now instead of when it is large.
    package func flushIndex() throws { try index.flush() }

    /// Waits until an event after this sequence is durable; returns the last sequence.
    ///
    /// Appends of other processes are noticed by `refresh`. Returns early, with a last sequence
    /// that is not beyond the one given, when the log is closed or the task is cancelled.
    package func wait(after sequence: UInt64) async -> UInt64 {
        await waiters.wait {
            let end = self.end
            return end > sequence ? end : nil
        } otherwise: {
            self.end
        }
    }

    private func announce(_ end: UInt64) {
        knownEnd.withLock { $0 = max($0, end) }
        waiters.wake()
    }
}

/// Where the log ends.
package struct LogHead: WireMessage, Equatable {
    package var frontier = MerkleFrontier()
    package var lastRecordedAt: Timestamp?
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.message(1, &frontier)
        visitor.time(2, &lastRecordedAt)
    }

    package var size: UInt64 { frontier.size }
    package var root: Hash { frontier.root }
}
