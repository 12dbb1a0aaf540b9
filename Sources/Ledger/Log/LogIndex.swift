import LMDB
import Synchronization

/// What the index keeps of an event.
struct IndexedEvent: Sendable {
    let sequence: UInt64
    let id: EventID
    let stream: Stream
    let version: UInt64
    let tags: [Tag]
    let likeness: Likeness

    init(_ entry: Entry) {
        sequence = entry.sequence
        id = entry.id
        stream = entry.stream
        version = entry.streamVersion
        tags = entry.tags
        likeness = Likeness(entry)
    }
}

/// Finds events by id, stream and tag.
///
/// An environment of its own that lags behind the log: what it does not hold yet is kept in memory,
/// so that an append's commit holds nothing but the log. It can be deleted; opening rebuilds it.
final class LogIndex: Sendable {
    private let environment: Environment
    private let ids: Table
    private let streams: Table
    private let tags: Table
    private let meta: Table
    private let tail: Mutex<Tail>

    /// The tail is written when it holds this many events.
    private static var flushSize: Int { 4_096 }
    /// Rows of one write transaction, well below LMDB's spill size.
    private static var rowsPerFlush: Int { 8_192 }

    private struct Tail {
        /// The last sequence in the environment when the tail began.
        var flushed: UInt64
        var events: [IndexedEvent] = []
        var ids: [EventID: UInt64] = [:]
        var versions: [Stream: UInt64] = [:]
        var tags: [Tag: [UInt64]] = [:]

        var end: UInt64 { flushed + UInt64(events.count) }

        mutating func add(_ event: IndexedEvent) {
            precondition(event.sequence == end + 1, "the index takes events in order")
            events.append(event)
            ids[event.id] = event.sequence
            versions[event.stream] = event.version
            for tag in event.tags { tags[tag, default: []].append(event.sequence) }
        }
    }

    init(directory: String) throws {
        var options = Options()
        options.mapSize = 256 << 30
        environment = try Environment(
            at: directory, tables: ["ids", "streams", "tags", "meta"], options: options)
        ids = environment.table("ids")
        streams = environment.table("streams")
        tags = environment.table("tags")
        meta = environment.table("meta")
        let meta = meta
        let flushed = try environment.read { transaction in
            try Self.position(transaction.bytes(meta, key: Self.positionKey))
        }
        tail = Mutex(Tail(flushed: flushed))
    }

    func close() throws { try environment.close() }

    // MARK: - Keeping up

    /// Takes over what the log holds beyond the tail.
    @discardableResult
    func catchUp(
        with log: LogTables, _ transaction: borrowing ReadTransaction
    ) throws -> UInt64 {
        let size = try log.head(transaction).size
        var end = tail.withLock { $0.end }
        if end > size { try restart(size: size); end = tail.withLock { $0.end } }
        guard end < size else { return size }
        try transaction.scan(log.events, .from(bigEndianBytes(end + 1))) { key, value in
            try self.takeStored(value)
            return .next
        }
        return size
    }

    func catchUp(with log: LogTables, _ transaction: borrowing WriteTransaction) throws {
        let size = try log.head(transaction).size
        let end = tail.withLock { $0.end }
        guard end < size else { return }
        try transaction.scan(log.events, .from(bigEndianBytes(end + 1))) { key, value in
            try self.takeStored(value)
            return .next
        }
    }

    private func takeStored(_ value: Span<UInt8>) throws {
        let stored = try WireDecoder.decode(StoredEvent.self, from: value.copy())
        take([IndexedEvent(try WireDecoder.decode(Entry.self, from: stored.entry))])
        try flushIfLarge()
    }

    /// Takes over events that are durable, in order; those it has already are passed over.
    func take(_ events: [IndexedEvent]) {
        tail.withLock { tail in
            for event in events where event.sequence > tail.end { tail.add(event) }
        }
    }

    /// The log is shorter than the index (restored from a backup): the index starts anew.
    private func restart(size: UInt64) throws {
        try environment.write { transaction in
            for table in [ids, streams, tags, meta] { try transaction.clear(table) }
        }
        tail.withLock { $0 = Tail(flushed: 0) }
    }

    func flushIfLarge() throws {
        if tail.withLock({ $0.events.count >= Self.flushSize }) { try flush() }
    }

    /// Writes the tail into the environment; blocks for a flush.
    func flush() throws {
        while true {
            let (flushed, events) = tail.withLock {
                ($0.flushed, Array($0.events.prefix(Self.rowsPerFlush)))
            }
            guard let last = events.last else { return }
            try environment.write { transaction in
                let position = try Self.position(transaction.bytes(meta, key: Self.positionKey))
                // Another process may have flushed some of them.
                guard position >= flushed, position < last.sequence else { return }
                for event in events where event.sequence > position {
                    try put(event, transaction)
                }
                try transaction.put(
                    meta, key: Self.positionKey, value: bigEndianBytes(last.sequence))
            }
            tail.withLock { tail in
                let rest = tail.events.dropFirst(events.count)
                var fresh = Tail(flushed: last.sequence)
                for event in rest { fresh.add(event) }
                tail = fresh
            }
        }
    }

    private func put(_ event: IndexedEvent, _ transaction: borrowing WriteTransaction) throws {
        let sequence = bigEndianBytes(event.sequence)
        try transaction.put(ids, key: event.id.bytes, value: sequence)
        try transaction.put(streams, key: event.stream.key, value: bigEndianBytes(event.version))
        for tag in event.tags { try transaction.put(tags, key: tag.key + sequence, value: []) }
    }

    // MARK: - Asking

    func sequence(of id: EventID) throws -> UInt64? {
        if let sequence = tail.withLock({ $0.ids[id] }) { return sequence }
        return try environment.read { transaction in
            try transaction.bytes(ids, key: id.bytes).flatMap { bigEndianInteger($0) }
        }
    }

    func version(of stream: Stream) throws -> UInt64 {
        if let version = tail.withLock({ $0.versions[stream] }) { return version }
        return try environment.read { transaction in
            try transaction.bytes(streams, key: stream.key).flatMap { bigEndianInteger($0) } ?? 0
        }
    }

    func sequences(tagged tag: Tag) throws -> [UInt64] {
        let recent = tail.withLock { $0.tags[tag] ?? [] }
        var found: [UInt64] = []
        try environment.read { transaction in
            try transaction.scan(tags, .prefix(tag.key)) { key, _ in
                if let sequence = bigEndianInteger(key.copy().suffix(8)) { found.append(sequence) }
                return .next
            }
        }
        return found + recent.filter { $0 > found.last ?? 0 }
    }

    func lastSequence(tagged tag: Tag) throws -> UInt64? { try sequences(tagged: tag).last }

    private static let positionKey = Array("position".utf8)

    private static func position(_ bytes: [UInt8]?) throws -> UInt64 {
        bytes.flatMap { bigEndianInteger($0) } ?? 0
    }
}
