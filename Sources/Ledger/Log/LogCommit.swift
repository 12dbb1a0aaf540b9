import LMDB

/// One commit in the making: what is put is also staged for the index, which takes it once durable.
struct LogCommit {
    private var head: LogHead
    /// Where the log ended before this commit.
    private let before: LogHead
    private let tables: LogTables
    private let now: Timestamp
    private(set) var staged: [IndexedEvent] = []
    /// What recognises the events of `staged`, in the same order.
    private var likenesses: [Likeness] = []
    private var positions: [EventID: Int] = [:]
    private var versions: [HandleKey: UInt64] = [:]
    private var tagged: [HandleKey: UInt64] = [:]

    /// C2SP's tile format holds entries of at most this many bytes.
    private static var largestEntry: Int { 65_535 }
    /// A larger value would take whole pages of the event table.
    static var largestInlineBody: Int { 1_900 }

    init(head: LogHead, tables: LogTables, now: Timestamp) {
        self.head = head
        before = head
        self.tables = tables
        self.now = now
    }

    /// A batch that was checked: where each of its events stands or will stand.
    struct Batch {
        fileprivate var numbered: [Numbered] = []
        var places: [UInt64] = []
    }

    fileprivate struct Numbered {
        var indexed: IndexedEvent
        var likeness: Likeness
        var recordedAt: Timestamp?
        var bytes: [UInt8]
        var bodies: [[UInt8]]
    }

    // MARK: - Checking

    /// Checks a batch and numbers it; nothing is put yet, so a refused one leaves no trace.
    ///
    /// - Throws: `LogError` as a refusal of this batch alone; any other error ends the commit.
    func check(
        _ request: AppendRequest, _ index: LogIndex.Look,
        _ transaction: borrowing WriteTransaction
    ) throws -> Batch {
        var known: [UInt64?] = []
        known.reserveCapacity(request.drafts.count)
        for draft in request.drafts {
            known.append(try knownPlace(draft.entry, index, transaction))
        }
        if known.contains(where: { $0 == nil }) {
            for condition in request.conditions { try check(condition, index) }
        }
        return try number(request.drafts, known, index)
    }

    /// The place of an event that stands already with the same content.
    private func knownPlace(
        _ draft: Entry, _ index: LogIndex.Look,
        _ transaction: borrowing WriteTransaction
    ) throws -> UInt64? {
        if !positions.isEmpty, let position = positions[draft.id] {
            return try place(draft, likenesses[position], staged[position].sequence)
        }
        guard let sequence = try index.sequence(of: draft.id) else { return nil }
        guard try tables.holds(draft, at: sequence, transaction) else {
            throw LogError.idConflict(draft.id, sequence: sequence)
        }
        return sequence
    }

    private func place(
        _ draft: Entry, _ likeness: Likeness, _ sequence: UInt64
    ) throws -> UInt64 {
        guard Likeness(draft) == likeness else {
            throw LogError.idConflict(draft.id, sequence: sequence)
        }
        return sequence
    }

    private func check(
        _ condition: AppendCondition, _ index: LogIndex.Look
    ) throws {
        let holds: Bool
        switch condition {
        case .streamVersion(let stream, let version):
            holds = try self.version(of: HandleKey(stream), index) == version
        case .noEvent(let tag, let after):
            let key = HandleKey(tag)
            let last = try tagged[key] ?? index.lastSequence(tagged: key)
            holds = last <= after
        }
        if !holds { throw LogError.conditionFailed(condition) }
    }

    private func version(
        of stream: HandleKey, _ index: LogIndex.Look
    ) throws -> UInt64 {
        if !versions.isEmpty, let version = versions[stream] { return version }
        return try index.version(of: stream)
    }

    // MARK: - Numbering

    /// Gives each new event its sequence, time and stream version.
    private func number(
        _ drafts: [SealedDraft], _ known: [UInt64?], _ index: LogIndex.Look
    ) throws -> Batch {
        var batch = Batch()
        batch.places.reserveCapacity(drafts.count)
        var sequence = head.size
        var recordedAt = head.lastRecordedAt
        var versions: [HandleKey: UInt64] = [:]
        var positions: [EventID: Int] = [:]
        for (draft, place) in zip(drafts, known) {
            if let place {
                batch.places.append(place)
                continue
            }
            if let position = positions[draft.entry.id] {
                let twin = batch.numbered[position]
                batch.places.append(
                    try self.place(draft.entry, twin.likeness, twin.indexed.sequence))
                continue
            }
            let stream = HandleKey(draft.entry.stream)
            var version = versions[stream] ?? 0
            if version == 0 { version = try self.version(of: stream, index) }
            version += 1
            versions[stream] = version
            sequence += 1
            recordedAt = recordedAt.map { max(now, $0.next) } ?? now
            let bytes = draft.entry.encoded(
                sequence: sequence, recordedAt: recordedAt,
                receivedAt: draft.entry.receivedAt ?? now, version: version, rest: draft.rest)
            // A part's number is one byte of its key.
            guard bytes.count <= Self.largestEntry, draft.entry.parts.count <= 255 else {
                throw LogError.entryTooLarge(draft.entry.id, bytes: bytes.count)
            }
            positions[draft.entry.id] = batch.numbered.count
            batch.numbered.append(
                Numbered(
                    indexed: IndexedEvent(draft.entry, stream, at: sequence, version: version),
                    likeness: Likeness(draft.entry), recordedAt: recordedAt, bytes: bytes,
                    bodies: draft.bodies))
            batch.places.append(sequence)
        }
        return batch
    }

    // MARK: - Putting

    /// Puts a batch that was checked; an error ends the whole commit, for half of it may stand.
    mutating func put(_ batch: Batch, _ transaction: borrowing WriteTransaction) throws {
        for numbered in batch.numbered {
            try put(numbered, transaction)
            let indexed = numbered.indexed
            head.frontier.append(leaf: Merkle.leaf(numbered.bytes))
            head.lastRecordedAt = numbered.recordedAt
            versions[indexed.stream] = indexed.version
            for tag in indexed.tags { tagged[tag] = indexed.sequence }
            positions[indexed.id] = staged.count
            staged.append(indexed)
            likenesses.append(numbered.likeness)
        }
    }

    private func put(
        _ numbered: Numbered, _ transaction: borrowing WriteTransaction
    ) throws {
        let sequence = numbered.indexed.sequence
        for (part, body) in numbered.bodies.enumerated()
        where body.count > Self.largestInlineBody {
            try transaction.put(
                tables.parts, key: bigEndianBytes(sequence) + [UInt8(part)], value: body)
        }
        let row = StoredEvent.encoded(entry: numbered.bytes, bodies: numbered.bodies) {
            $0 <= Self.largestInlineBody
        }
        try transaction.put(
            tables.events, key: BigEndianKey(sequence), value: row, mode: .append)
    }

    /// Writes the head and the root, which belong to the same commit as the events.
    func finish(_ transaction: borrowing WriteTransaction) throws {
        guard !staged.isEmpty else { return }
        try tables.setHead(head, after: before, transaction)
    }
}

extension Timestamp {
    /// The next moment there is.
    fileprivate var next: Timestamp { Timestamp(microseconds: microseconds &+ 1) }
}

/// What makes two sendings of one event the same: all but place and time.
private struct Likeness: Equatable {
    var stream: HandleKey
    var type: UInt64
    var parts: [PartHead]

    init(_ entry: Entry) {
        stream = HandleKey(entry.stream)
        type = entry.type
        parts = entry.parts
    }

    static func == (left: Self, right: Self) -> Bool {
        left.stream == right.stream && left.type == right.type
            && left.parts.map(\.likeness) == right.parts.map(\.likeness)
    }
}

extension PartHead {
    /// What recognises the part: its MAC, or the hash of a plain one.
    var likeness: [UInt8] { mac.isEmpty ? sha256 : mac }
}
