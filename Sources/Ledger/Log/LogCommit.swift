import LMDB

/// One commit in the making: what is put is also staged for the index, which takes it once durable.
struct LogCommit {
    private var head: LogHead
    /// Where the log ended before this commit.
    private let before: LogHead
    private let tables: LogTables
    private let now: Timestamp
    private(set) var staged: [IndexedEvent] = []
    /// Where the events of `staged` stand.
    private var places: [EventID: UInt64] = [:]
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

    /// A batch that was checked, and its receipt for when it is durable.
    struct Batch {
        fileprivate let drafts: [SealedDraft]
        /// The new events, in the order of their sequences.
        fileprivate var numbered: [Numbered] = []
        fileprivate var numbers: [EventID: UInt64] = [:]
        fileprivate var versions: [HandleKey: UInt64] = [:]
        fileprivate(set) var receipt = Receipt()

        fileprivate init(_ drafts: [SealedDraft]) {
            self.drafts = drafts
            numbered.reserveCapacity(drafts.count)
            numbers.reserveCapacity(drafts.count)
            versions.reserveCapacity(drafts.count)
            receipt.sequences.reserveCapacity(drafts.count)
        }
    }

    fileprivate struct Numbered {
        /// Its place among the batch's drafts.
        var position: Int
        var indexed: IndexedEvent
        var recordedAt: Timestamp?
        var bytes: [UInt8]
    }

    private struct KnownPlace {
        var sequence: UInt64
        var isVerified: Bool
    }

    // MARK: - Checking

    /// Checks a batch and numbers it; nothing is put yet, so a refused one leaves no trace.
    ///
    /// - Throws: `LogError` as a refusal of this batch alone; any other error ends the commit.
    func check(
        _ request: AppendRequest, _ index: LogIndex.Look,
        _ transaction: borrowing WriteTransaction
    ) throws -> Batch {
        var known: [KnownPlace?] = []
        known.reserveCapacity(request.drafts.count)
        for draft in request.drafts {
            known.append(try knownPlace(draft, index, transaction))
        }
        if known.contains(where: { $0 == nil }) {
            for condition in request.conditions { try check(condition, index) }
        }
        return try number(request.drafts, known, index)
    }

    /// The place of an event that stands already, if not with other content.
    private func knownPlace(
        _ draft: SealedDraft, _ index: LogIndex.Look,
        _ transaction: borrowing WriteTransaction
    ) throws -> KnownPlace? {
        let id = draft.entry.id
        guard let sequence = try places[id] ?? index.sequence(of: id) else { return nil }
        switch try tables.compare(draft, at: sequence, transaction) {
        case .same: return KnownPlace(sequence: sequence, isVerified: true)
        case .unverified: return KnownPlace(sequence: sequence, isVerified: false)
        case .other: throw LogError.idConflict(id, sequence: sequence)
        }
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
        try versions[stream] ?? index.version(of: stream)
    }

    // MARK: - Numbering

    /// Gives each new event its sequence, time and stream version.
    private func number(
        _ drafts: [SealedDraft], _ known: [KnownPlace?], _ index: LogIndex.Look
    ) throws -> Batch {
        var batch = Batch(drafts)
        var sequence = head.size
        var recordedAt = head.lastRecordedAt
        for (position, draft) in drafts.enumerated() {
            if let place = known[position] {
                batch.receipt.sequences.append(place.sequence)
                if !place.isVerified { batch.receipt.unverified.append(place.sequence) }
                continue
            }
            if let place = batch.numbers[draft.entry.id] {
                let twin = batch.numbered[Int(place - head.size) - 1]
                guard draft.entry.isRepeat(of: drafts[twin.position].entry) else {
                    throw LogError.idConflict(draft.entry.id, sequence: place)
                }
                batch.receipt.sequences.append(place)
                continue
            }
            let stream = HandleKey(draft.entry.stream)
            let version = try (batch.versions[stream] ?? self.version(of: stream, index)) + 1
            batch.versions[stream] = version
            sequence += 1
            recordedAt = recordedAt.map { max(now, $0.next) } ?? now
            let bytes = draft.entry.encoded(
                sequence: sequence, recordedAt: recordedAt,
                receivedAt: draft.entry.receivedAt ?? now, version: version, rest: draft.rest)
            // A part's number is one byte of its key.
            guard bytes.count <= Self.largestEntry, draft.entry.parts.count <= 255 else {
                throw LogError.entryTooLarge(draft.entry.id, bytes: bytes.count)
            }
            batch.numbers[draft.entry.id] = sequence
            batch.numbered.append(
                Numbered(
                    position: position,
                    indexed: IndexedEvent(draft.entry, stream, at: sequence, version: version),
                    recordedAt: recordedAt, bytes: bytes))
            batch.receipt.sequences.append(sequence)
        }
        return batch
    }

    // MARK: - Putting

    /// Puts a batch that was checked; an error ends the whole commit, for half of it may stand.
    mutating func put(_ batch: Batch, _ transaction: borrowing WriteTransaction) throws {
        for numbered in batch.numbered {
            try put(numbered, batch.drafts[numbered.position].bodies, transaction)
            let indexed = numbered.indexed
            head.frontier.append(leaf: Merkle.leaf(numbered.bytes))
            head.lastRecordedAt = numbered.recordedAt
            for tag in indexed.tags { tagged[tag] = indexed.sequence }
            staged.append(indexed)
        }
        places.take(batch.numbers)
        versions.take(batch.versions)
    }

    private func put(
        _ numbered: Numbered, _ bodies: [[UInt8]], _ transaction: borrowing WriteTransaction
    ) throws {
        let sequence = numbered.indexed.sequence
        for (part, body) in bodies.enumerated()
        where body.count > Self.largestInlineBody {
            try transaction.put(
                tables.parts, key: bigEndianBytes(sequence) + [UInt8(part)], value: body)
        }
        let row = StoredEvent.encoded(entry: numbered.bytes, bodies: bodies) {
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

extension Dictionary {
    /// Takes over newer values; most commits have one batch, whose values are taken as they are.
    fileprivate mutating func take(_ newer: Self) {
        if isEmpty { self = newer } else { merge(newer) { $1 } }
    }
}

extension Entry {
    /// Whether both are sendings of one event: the same in all but place and time.
    fileprivate func isRepeat(of other: Entry) -> Bool {
        HandleKey(stream) == HandleKey(other.stream) && type == other.type
            && parts.map(\.likeness) == other.parts.map(\.likeness)
    }
}

extension PartHead {
    /// What recognises the part: its MAC, or the hash of a plain one.
    var likeness: [UInt8] { mac.isEmpty ? sha256 : mac }
}
