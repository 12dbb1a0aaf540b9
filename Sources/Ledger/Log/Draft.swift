/// An event on its way into the log: everything but its place there.
package struct Draft: Sendable {
    package var id: EventID
    package var stream: Stream
    package var event: Event
    package var actor = Actor()
    package var run: RunID?
    package var correlation: EventID?
    package var causation: EventID?
    package var validAt: Evidence?
    package var tags: [Tag] = []
    package var receivedAt: Timestamp?

    package init(id: EventID, stream: Stream, event: Event, tags: [Tag] = []) {
        self.id = id
        self.stream = stream
        self.event = event
        self.tags = tags
    }
}

/// A draft whose personal values are sealed and whose bodies are hashed: the writer only numbers it.
package struct SealedDraft: Sendable {
    /// Complete but for sequence, recorded-at and stream version.
    package var entry: Entry {
        didSet { rest = entry.encodedRest() }
    }
    package var bodies: [[UInt8]]
    /// The entry's bytes but for its place, so that the writer need not encode them.
    private(set) var rest: [UInt8]
    private let ledger: LedgerID
    /// What the parts from the second on are sealed under.
    private let keys: [PartKeys]

    init(entry: Entry, bodies: [[UInt8]], ledger: LedgerID, keys: [PartKeys]) {
        self.entry = entry
        self.bodies = bodies
        self.ledger = ledger
        self.keys = keys
        rest = entry.encodedRest()
    }

    /// Whether a body of this event in the log is sealed under the key of the draft's part.
    func opens(_ body: [UInt8], part: Int, schema: UInt64) -> Bool {
        let head = entry.parts[part]
        let context = PartSeal.context(
            ledger: ledger, event: entry.id, part: part, subject: head.subject ?? .none,
            category: head.category, schema: schema)
        return (try? PartSeal.open(body, context: context, keys: keys[part - 1])) != nil
    }
}

/// Turns drafts into sealed drafts and stored events back into events.
///
/// Works on any thread; needs no order. Keys that a draft needs are durable when `seal` returns.
package struct Sealer: Sendable {
    package let ledger: LedgerID
    package let keys: KeyRing

    package init(ledger: LedgerID, keys: KeyRing) {
        self.ledger = ledger
        self.keys = keys
    }

    /// Encodes and seals, many drafts on all cores; blocks for one flush when a subject is new.
    package func seal(_ drafts: [Draft]) throws -> [SealedDraft] {
        let encoded = try inParallel(drafts) { draft in
            switch draft.event {
            case .unrecognized(_, _, let plain): (plain: plain, sealed: [SealedGroup]())
            default: draft.event.payload.encodedWithParts()
            }
        }
        let names = Set(
            encoded.flatMap { $0.sealed.map { .init(subject: $0.subject, category: $0.category) } }
                as [KeyRing.Name])
        let found = try keys.keys(for: names)
        return try inParallel(Array(drafts.indices)) { index in
            let parts = encoded[index]
            return try seal(drafts[index], plain: parts.plain, groups: parts.sealed, keys: found)
        }
    }

    private func seal(
        _ draft: Draft, plain: [UInt8], groups: [SealedGroup], keys: [KeyRing.Name: PartKeys]
    ) throws -> SealedDraft {
        var entry = Entry()
        entry.id = draft.id
        entry.receivedAt = draft.receivedAt
        entry.stream = draft.stream
        entry.type = draft.event.type
        entry.schema = draft.event.schema
        entry.actor = draft.actor
        entry.run = draft.run
        entry.correlation = draft.correlation
        entry.causation = draft.causation
        entry.validAt = draft.validAt
        entry.tags = draft.tags
        var head = PartHead()
        head.length = UInt64(plain.count)
        head.sha256 = Merkle.digest(plain)
        entry.parts = [head]
        var bodies = [plain]
        var used: [PartKeys] = []
        for (index, group) in groups.enumerated() {
            let name = KeyRing.Name(subject: group.subject, category: group.category)
            guard let partKeys = keys[name] else { throw LogError.noKey(group.subject) }
            let closed = try PartSeal.seal(
                SealedBody.bytes(of: group.values),
                context: PartSeal.context(
                    ledger: ledger, event: draft.id, part: index + 1, subject: group.subject,
                    category: group.category, schema: entry.schema),
                keys: partKeys)
            var head = PartHead()
            head.subject = group.subject
            head.category = group.category
            head.length = UInt64(closed.bytes.count)
            head.sha256 = Merkle.digest(closed.bytes)
            head.mac = closed.mac
            entry.parts.append(head)
            bodies.append(closed.bytes)
            used.append(partKeys)
        }
        return SealedDraft(entry: entry, bodies: bodies, ledger: ledger, keys: used)
    }

    /// Opens what the keys still open and reads the event.
    ///
    /// - Throws: `LogError.damaged` when a body is not what the entry says, `WireError` when a known
    ///   type's bytes make no sense.
    package func open(_ stored: StoredEvent, sequence: UInt64) throws -> LoggedEvent {
        guard let entry = try? WireDecoder.decode(Entry.self, from: stored.entry),
            entry.sequence == sequence, let head = entry.parts.first,
            let plain = stored.body(0) ?? (head.length == 0 ? [] : nil),
            Merkle.digest(plain) == head.sha256
        else { throw LogError.damaged(sequence: sequence) }
        var parts: [OpenedParts.Part] = []
        for index in entry.parts.indices.dropFirst() {
            parts.append(try open(index, of: stored, entry))
        }
        let event = try Event.read(
            type: entry.type, schema: entry.schema, plain: plain, parts: OpenedParts(parts))
        return LoggedEvent(entry: entry, event: event)
    }

    /// Opens one sealed part; its values are `nil` once the key or the body is gone.
    private func open(
        _ index: Int, of stored: StoredEvent, _ entry: Entry
    ) throws -> OpenedParts.Part {
        let head = entry.parts[index]
        let subject = head.subject ?? .none
        var part = OpenedParts.Part(subject: subject, category: head.category)
        guard let body = stored.body(index),
            let keys = try keys.key(for: .init(subject: subject, category: head.category))
        else { return part }
        let context = PartSeal.context(
            ledger: ledger, event: entry.id, part: index, subject: subject,
            category: head.category, schema: entry.schema)
        do {
            let clear = try PartSeal.open(body, context: context, keys: keys)
            part.values = try SealedBody.values(in: clear)
        } catch {
            // An intact body under a younger key: its own was erased, and the subject came back.
            guard !(error is WireError), Merkle.digest(body) == head.sha256 else {
                throw LogError.damaged(sequence: entry.sequence)
            }
        }
        return part
    }
}

/// An event as it stands in the log, opened as far as the keys allow.
package struct LoggedEvent: Sendable {
    package var entry: Entry
    package var event: Event

    package var sequence: UInt64 { entry.sequence }
    package var id: EventID { entry.id }
    package var recordedAt: Timestamp { entry.recordedAt ?? Timestamp(microseconds: 0) }
}

/// What must hold when the writer's turn comes, or the batch is refused whole.
package enum AppendCondition: Sendable, Hashable {
    /// The stream has exactly this many events.
    case streamVersion(Stream, UInt64)
    /// No event carries this tag after this sequence.
    case noEvent(tag: Tag, after: UInt64)
}

/// Where the events of a batch stand.
package struct Receipt: Sendable, Equatable {
    /// The sequence of each event, in the order of the batch.
    package internal(set) var sequences: [UInt64] = []
    /// Those where an event of the same id stood before, of which nobody can tell whether it is the
    /// same, for the key of a part of it is gone.
    package internal(set) var unverified: [UInt64] = []
}

package enum LogError: Error, Equatable, CustomStringConvertible {
    case conditionFailed(AppendCondition)
    /// The id is taken by an event of other content.
    case idConflict(EventID, sequence: UInt64)
    case damaged(sequence: UInt64)
    case gap(expected: UInt64, found: UInt64)
    /// A hash tile is missing, or is none; the events are not touched by that.
    case tileDamaged(TilePlace)
    case noKey(SubjectID)
    case entryTooLarge(EventID, bytes: Int)
    case batchTooLarge(events: Int, bytes: Int)
    /// The index is of another log and cannot be taken away.
    case indexStays(path: String)
    /// A row of the index reads as nothing; the log is not touched by that.
    case indexDamaged(path: String)
    case newerFormat(UInt64)
    case otherLedger
    /// The log is empty, and something beside it tells that it was not.
    case lost(Witness)

    /// What knows of events that the log does not hold.
    package enum Witness: Equatable, Sendable {
        case index(entries: UInt64)
        case views(entries: UInt64)
        case keys(count: Int)
    }

    package var description: String {
        switch self {
        case .conditionFailed:
            "the ledger moved on in the meantime: look again and repeat"
        case .idConflict(let id, let sequence):
            "event \(id) stands at \(sequence) with other content: nothing was written"
        case .damaged(let sequence):
            "event \(sequence) is not what the tree committed to: restore the log from a backup"
        case .gap(let expected, let found):
            "event \(expected) is missing before \(found): restore the log from a backup"
        case .tileDamaged(let place):
            "the hash tile \(place) is damaged: `syncledger scrub` says what else is"
        case .noKey(let subject):
            "the key of subject \(subject) is gone: nothing can be sealed for it"
        case .entryTooLarge(let id, let bytes):
            "the entry of event \(id) has \(bytes) bytes, more than 65,535: use fewer tags or parts"
        case .batchTooLarge(let events, let bytes):
            "a batch of \(events) events and \(bytes) bytes is more than one commit holds: append it in smaller batches"
        case .indexStays(let path):
            "the index at \(path) is of another log and cannot be removed: delete that directory"
        case .indexDamaged(let path):
            "the index at \(path) is damaged: delete that directory, and the next start builds it from the log"
        case .newerFormat(let version):
            "this ledger has format \(version), made by a newer syncledger: update this program"
        case .otherLedger: "these files belong to another ledger"
        case .lost(.index(let entries)):
            "the log of this ledger is missing or empty, though its index knows \(entries) entries: restore log/ from a backup"
        case .lost(.views(let entries)):
            "the log of this ledger is missing or empty, though its views know \(entries) entries: restore log/ from a backup"
        case .lost(.keys(let count)):
            "the log of this ledger is missing or empty, though it has \(count) data keys: restore log/ from a backup"
        }
    }
}
