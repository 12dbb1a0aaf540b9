import LMDB
import Synchronization

/// A batch that waits for the writer, and whom to tell.
struct AppendRequest: Sendable {
    let drafts: [SealedDraft]
    let conditions: [AppendCondition]
    let complete: @Sendable (Result<[UInt64], any Error>) -> Void
}

/// What waits for the writer thread, and whether it has been called.
struct AppendQueue {
    private var waiting: [AppendRequest] = []
    private var isDraining = false

    /// A commit takes whole requests up to this many events, so that one flush stays bounded.
    private static var commitLimit: Int { 8_192 }

    /// Adds a request; `true` when the writer thread must be called.
    mutating func add(_ request: AppendRequest) -> Bool {
        waiting.append(request)
        if isDraining { return false }
        isDraining = true
        return true
    }

    /// The next commit's requests; `nil` ends the draining.
    mutating func takeAll() -> [AppendRequest]? {
        guard !waiting.isEmpty else {
            isDraining = false
            return nil
        }
        var events = 0
        var count = 0
        for request in waiting {
            if count > 0, events + request.drafts.count > Self.commitLimit { break }
            events += request.drafts.count
            count += 1
        }
        defer { waiting.removeFirst(count) }
        return Array(waiting.prefix(count))
    }
}

/// A result that one thread waits for and another delivers.
final class Completion: Sendable {
    private let result = Mutex<Result<[UInt64], any Error>?>(nil)
    private let signal = Signal()

    func complete(_ outcome: Result<[UInt64], any Error>) {
        result.withLock { $0 = outcome }
        signal.raise()
    }

    func wait() throws -> [UInt64] {
        signal.wait()
        guard let outcome = result.withLock({ $0 }) else {
            preconditionFailure("the signal is raised after the result is set")
        }
        return try outcome.get()
    }
}

/// One commit in the making: what is put is also staged for the index, which takes it once durable.
struct LogCommit {
    private var head: LogHead
    private let index: LogIndex
    private let tables: LogTables
    private let now: Timestamp
    private(set) var staged: [IndexedEvent] = []
    private var ids: [EventID: Int] = [:]
    private var versions: [Stream: UInt64] = [:]

    /// C2SP's tile format holds entries of at most this many bytes.
    private static var largestEntry: Int { 65_535 }
    /// A larger value would take whole pages of the event table.
    private static var largestInlineBody: Int { 1_900 }

    init(head: LogHead, index: LogIndex, tables: LogTables, now: Timestamp) {
        self.head = head
        self.index = index
        self.tables = tables
        self.now = now
    }

    /// Checks a batch, then puts it.
    ///
    /// A refused batch leaves no trace in the commit.
    mutating func add(
        _ drafts: [SealedDraft], _ conditions: [AppendCondition],
        _ transaction: borrowing WriteTransaction
    ) throws -> [UInt64] {
        let places = try drafts.map { try knownPlace($0, transaction) }
        if places.allSatisfy({ $0 != nil }) { return places.compactMap { $0 } }
        for condition in conditions { try check(condition) }
        for draft in drafts where draft.entry.parts.count > 255 {
            throw LogError.entryTooLarge(draft.entry.id, bytes: draft.entry.parts.count * 100)
        }
        let entries = try number(drafts, places)
        for (draft, entry) in zip(drafts, entries) {
            if let entry { try put(entry, draft.bodies, transaction) }
        }
        return zip(places, entries).map { $0 ?? $1?.entry.sequence ?? 0 }
    }

    /// The place of an event that stands already with the same content.
    private func knownPlace(
        _ draft: SealedDraft, _ transaction: borrowing WriteTransaction
    ) throws -> UInt64? {
        let id = draft.entry.id
        if let position = ids[id] {
            let other = staged[position]
            guard other.likeness == Likeness(draft.entry) else {
                throw LogError.idConflict(id, sequence: other.sequence)
            }
            return other.sequence
        }
        guard let sequence = try index.sequence(of: id) else { return nil }
        let entry = try tables.entry(sequence, transaction)
        guard Likeness(entry) == Likeness(draft.entry) else {
            throw LogError.idConflict(id, sequence: sequence)
        }
        return sequence
    }

    private func check(_ condition: AppendCondition) throws {
        let holds =
            switch condition {
            case .streamVersion(let stream, let version):
                try (versions[stream] ?? index.version(of: stream)) == version
            case .noEvent(let tag, let after):
                try !staged.contains { $0.tags.contains(tag) && $0.sequence > after }
                    && (index.lastSequence(tagged: tag) ?? 0) <= after
            }
        if !holds { throw LogError.conditionFailed(condition) }
    }

    private typealias Numbered = (entry: Entry, bytes: [UInt8])

    /// Gives each new event its sequence, time and stream version; nothing is put yet.
    private func number(_ drafts: [SealedDraft], _ places: [UInt64?]) throws -> [Numbered?] {
        var sequence = head.size
        var recordedAt = head.lastRecordedAt
        var versions = versions
        var batchIDs: Set<EventID> = []
        return try zip(drafts, places).map { draft, place in
            guard place == nil else { return nil }
            guard batchIDs.insert(draft.entry.id).inserted else {
                throw LogError.idConflict(draft.entry.id, sequence: sequence)
            }
            sequence += 1
            recordedAt = max(
                now,
                recordedAt.map { Timestamp(microseconds: $0.microseconds + 1) } ?? now)
            let version =
                try (versions[draft.entry.stream] ?? index.version(of: draft.entry.stream)) + 1
            versions[draft.entry.stream] = version
            var entry = draft.entry
            entry.sequence = sequence
            entry.recordedAt = recordedAt
            entry.receivedAt = entry.receivedAt ?? now
            entry.streamVersion = version
            let bytes = WireEncoder.encode(entry)
            guard bytes.count <= Self.largestEntry else {
                throw LogError.entryTooLarge(entry.id, bytes: bytes.count)
            }
            return (entry, bytes)
        }
    }

    private mutating func put(
        _ numbered: Numbered, _ bodies: [[UInt8]], _ transaction: borrowing WriteTransaction
    ) throws {
        let entry = numbered.entry
        var inline: [StoredEvent.Body] = []
        for (part, body) in bodies.enumerated() {
            if body.count > Self.largestInlineBody {
                try transaction.put(
                    tables.parts, key: bigEndianBytes(entry.sequence) + [UInt8(part)], value: body)
            } else {
                inline.append(.init(index: UInt64(part), bytes: body))
            }
        }
        try transaction.put(
            tables.events, key: bigEndianBytes(entry.sequence),
            value: WireEncoder.encode(StoredEvent(entry: numbered.bytes, bodies: inline)),
            mode: .append)
        head.frontier.append(leaf: Merkle.leaf(numbered.bytes))
        head.lastRecordedAt = entry.recordedAt
        versions[entry.stream] = entry.streamVersion
        ids[entry.id] = staged.count
        staged.append(IndexedEvent(entry))
    }

    /// Writes the head and the root, which belong to the same commit as the events.
    mutating func finish(_ transaction: borrowing WriteTransaction) throws {
        guard !staged.isEmpty else { return }
        try tables.setHead(head, transaction)
    }
}

/// What makes two sendings of one event the same: all but place and time.
struct Likeness: Equatable {
    private let stream: Stream
    private let type: UInt64
    private let parts: [[UInt8]]

    init(_ entry: Entry) {
        stream = entry.stream
        type = entry.type
        parts = entry.parts.map { $0.mac.isEmpty ? $0.sha256 : $0.mac }
    }
}
