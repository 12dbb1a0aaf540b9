import Glibc
import LMDB
import Synchronization

/// Finds events by id, stream and tag.
///
/// An environment of its own that lags behind the log: what it does not hold yet is kept in memory,
/// so that an append's commit holds nothing but the log. It can be deleted; opening rebuilds it.
final class LogIndex: Sendable {
    static let tableNames = ["ids", "streams", "tags", "meta"]

    private let directory: String
    private let environment: Environment
    private let ids: Table
    private let streams: Table
    private let tags: Table
    private let meta: Table
    private let tail: Mutex<IndexTail>
    private let isFlushing = Atomic(false)

    /// The tail is written, beside the appends, when it holds this many events (about 8 MB).
    ///
    /// Its flushes compete with the log's for the disk, so they are few and large.
    private static var flushSize: Int { 32_768 }
    /// Above this an append waits for the tail to be written.
    static var largestTail: Int { 262_144 }
    /// Rows of one write transaction, well below LMDB's spill size.
    private static var rowsPerFlush: Int { 32_768 }
    /// Rows of the log read in one transaction while catching up.
    private static var rowsPerRead: Int { 4_096 }

    init(directory: String) throws {
        var options = Options()
        options.mapSize = 256 << 30
        self.directory = directory
        environment = try Environment(
            at: directory, tables: Self.tableNames, options: options)
        ids = environment.table("ids")
        streams = environment.table("streams")
        tags = environment.table("tags")
        meta = environment.table("meta")
        let meta = meta
        let flushed = try environment.read { try Self.position($0, meta, directory) }
        tail = Mutex(IndexTail(flushed: flushed))
    }

    /// Opens the index that belongs to a log, a new one if what is there is damaged or of another log.
    ///
    /// A log that was put back from a backup may be shorter than the index, or have other events. One
    /// that has none was lost, and then the index is what tells of it.
    ///
    /// - Throws: `LogError.lost`.
    static func open(
        directory: String, for log: LogTables, in environment: Environment
    ) throws -> LogIndex {
        let isEmpty = try environment.read { try log.head($0).size } == 0
        do {
            let index = try LogIndex(directory: directory)
            if try index.belongs(to: log, in: environment) { return index }
            try index.close()
            if isEmpty { throw LogError.lost(.index(entries: index.flushed)) }
        } catch let error as LMDBError where error.code.isDamage && !isEmpty {
            // The log has all that stood in it.
        }
        for file in ["data.mdb", "lock.mdb"] {
            guard unlink(directory + "/" + file) == 0 || errno == ENOENT else {
                throw LogError.indexStays(path: directory)
            }
        }
        return try LogIndex(directory: directory)
    }

    func close() throws { try environment.close() }

    /// Throws `LogError.lost` where there is an index that knows entries.
    static func refuseEntries(in directory: String) throws {
        guard Environment.exists(at: directory) else { return }
        let index = try LogIndex(directory: directory)
        try index.close()
        guard index.flushed == 0 else { throw LogError.lost(.index(entries: index.flushed)) }
    }

    private var flushed: UInt64 { tail.withLock { $0.flushed } }

    // MARK: - Keeping up

    private func belongs(to log: LogTables, in environment: Environment) throws -> Bool {
        let (flushed, last) = try self.environment.read { transaction in
            (
                try Self.position(transaction, meta, directory),
                try transaction.bytes(meta, key: Self.lastKey)
            )
        }
        guard flushed > 0 else { return true }
        let id = try environment.read { transaction in
            try log.event(at: flushed, transaction) { entry, _ in try EntryView(entry).id }
        }
        return id != nil && id?.bytes == last
    }

    /// Reads what the log holds beyond the tail, in short transactions; blocks for flushes if it is
    /// much.
    ///
    /// - Returns: the log's last sequence.
    func catchUp(with log: LogTables, in environment: Environment) throws -> UInt64 {
        while true {
            let size = try environment.read { transaction in
                try take(log, transaction, limit: Self.rowsPerRead)
                return try log.head(transaction).size
            }
            let (end, waiting) = tail.withLock { ($0.end, $0.events.count) }
            if end >= size { return size }
            if waiting >= Self.flushSize { try flush() }
        }
    }

    /// The same inside the write transaction, where little is left to read.
    func catchUp(with log: LogTables, _ transaction: borrowing WriteTransaction) throws {
        try take(log, transaction, limit: .max)
    }

    private func take(
        _ log: LogTables, _ transaction: borrowing some Reading & ~Copyable, limit: Int
    ) throws {
        let size = try log.head(transaction).size
        let end = tail.withLock { $0.end }
        guard end < size else { return }
        var rows = 0
        try log.scan(from: end + 1, transaction) { sequence, entry, _ in
            guard let event = try? IndexedEvent(entry), event.sequence == sequence else {
                throw LogError.damaged(sequence: sequence)
            }
            try tail.withLock { tail in if event.sequence > tail.end { try tail.add(event) } }
            rows += 1
            return rows < limit ? .next : .stop
        }
        // Whoever else reads on meanwhile only adds, so an end that stayed means missing rows.
        let reached = tail.withLock { $0.end }
        guard reached > end else { throw LogError.gap(expected: end + 1, found: size) }
    }

    /// Takes over events that are durable, in order; those it has already are passed over.
    func take(_ events: [IndexedEvent]) throws {
        try tail.withLock { tail in
            for event in events where event.sequence > tail.end { try tail.add(event) }
        }
    }

    /// Has the tail written on the index's own thread once it is large.
    ///
    /// A failure is not the append's, which is durable: the tail stays and is tried again.
    func flushBeside() {
        guard tail.withLock({ $0.events.count >= Self.flushSize }),
            isFlushing.compareExchange(expected: false, desired: true, ordering: .acquiring)
                .exchanged
        else { return }
        do {
            try environment.onWriter {
                try? self.flush()
                self.isFlushing.store(false, ordering: .releasing)
            }
        } catch {
            isFlushing.store(false, ordering: .releasing)
        }
    }

    /// Holds an append up while memory is full of what the index could not write.
    ///
    /// - Throws: what keeps the index from being written, before the append has begun.
    func makeRoom() throws {
        if tail.withLock({ $0.events.count >= Self.largestTail }) { try flush() }
    }

    /// Writes the tail into the environment; blocks for a flush.
    func flush() throws {
        while true {
            let events = tail.withLock { $0.prefix(rows: Self.rowsPerFlush) }
            guard let first = events.first, let last = events.last else { return }
            try environment.write { transaction in
                let position = try Self.position(transaction, meta, directory)
                guard position >= first.sequence - 1 else {
                    throw LogError.gap(expected: position + 1, found: first.sequence)
                }
                // Another process may have flushed some of them.
                guard position < last.sequence else { return }
                for event in events where event.sequence > position {
                    try put(event, transaction)
                }
                try transaction.put(
                    meta, key: Self.positionKey, value: bigEndianBytes(last.sequence))
                try transaction.put(meta, key: Self.lastKey, value: last.id.bytes)
            }
            tail.withLock { $0.drop(through: last.sequence) }
        }
    }

    private func put(_ event: IndexedEvent, _ transaction: borrowing WriteTransaction) throws {
        let sequence = bigEndianBytes(event.sequence)
        try transaction.put(ids, key: event.id.bytes, value: sequence)
        try transaction.put(
            streams, key: event.stream.bytes, value: bigEndianBytes(event.version))
        for tag in event.tags { try transaction.put(tags, key: tag.bytes + sequence, value: []) }
    }

    // MARK: - Asking

    func sequence(of id: EventID) throws -> UInt64? { try look { try $0.sequence(of: id) } }

    func version(of stream: Stream) throws -> UInt64 {
        try look { try $0.version(of: HandleKey(stream)) }
    }

    func sequences(tagged tag: Tag) throws -> [UInt64] {
        let key = HandleKey(tag)
        let recent = tail.withLock { $0.sequences(tagged: key) }
        var found: [UInt64] = []
        try environment.read { transaction in
            try transaction.scan(tags, .prefix(key.bytes)) { key, _ in
                found.append(try sequence(ending: key))
                return .next
            }
        }
        let last = found.last ?? 0
        return found + recent.filter { $0 > last }
    }

    /// Lends one state of the index for any number of questions.
    func look<R>(_ body: (Look) throws -> R) throws -> R {
        // The tail is taken first: what leaves it afterwards stands in the snapshot.
        let tail = tail.withLock { $0 }
        return try environment.read { transaction in
            try body(Look(tail: tail, index: self, access: transaction.access))
        }
    }

    /// One state of the index: the tail, and a snapshot of the environment.
    ///
    /// Only valid while it is lent. Not `~Copyable`, on which the optimiser of Swift 6.3.1 crashes.
    struct Look: Reading {
        fileprivate let tail: IndexTail
        fileprivate let index: LogIndex
        let access: Access

        func sequence(of id: EventID) throws -> UInt64? {
            if let sequence = tail.sequence(of: id) { return sequence }
            return try get(index.ids, key: id.bytes) { try index.number($0) }
        }

        func version(of stream: HandleKey) throws -> UInt64 {
            if let version = tail.version(of: stream) { return version }
            return try get(index.streams, key: stream.bytes) { try index.number($0) } ?? 0
        }

        /// The last sequence of a tag; 0 where no event has it.
        func lastSequence(tagged tag: HandleKey) throws -> UInt64 {
            if let last = tail.sequences(tagged: tag).last { return last }
            var last: UInt64 = 0
            try scan(index.tags, .prefix(tag.bytes), reversed: true) { key, _ in
                last = try index.sequence(ending: key)
                return .stop
            }
            return last
        }
    }

    // MARK: - Rows

    private func number(_ value: Span<UInt8>) throws -> UInt64 {
        guard let key = BigEndianKey(value) else { throw LogError.indexDamaged(path: directory) }
        return key.value
    }

    /// The sequence at the end of a tag's row: kind, id, sequence.
    private func sequence(ending key: Span<UInt8>) throws -> UInt64 {
        guard key.count == 25, let sequence = key.bigEndianInteger(at: 17) else {
            throw LogError.indexDamaged(path: directory)
        }
        return sequence
    }

    private static let positionKey = Array("position".utf8)
    static let lastKey = Array("last".utf8)

    /// The last sequence that it holds.
    ///
    /// - Throws: `LogError.indexDamaged`.
    static func position(
        _ transaction: borrowing some Reading & ~Copyable, _ meta: Table, _ directory: String
    ) throws -> UInt64 {
        try transaction.get(meta, key: positionKey) { value in
            guard let key = BigEndianKey(value) else {
                throw LogError.indexDamaged(path: directory)
            }
            return key.value
        } ?? 0
    }
}
