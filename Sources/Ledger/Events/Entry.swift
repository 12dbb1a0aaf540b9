/// What the tree commits to about one event: everything but its bodies.
///
/// Nothing derived from personal data stands here, for an entry can never be erased. Its bytes, as
/// encoded, are the leaf; a body part can be removed later and every proof still holds.
/// Schema: `Schemas/syncledger/ledger/v1/entry.proto`.
package struct Entry: WireMessage, Equatable {
    /// Gapless from 1.
    package var sequence: UInt64 = 0
    package var id: EventID = .none
    /// When the bytes reached us.
    package var receivedAt: Timestamp?
    /// max(now, that of the event before + 1 µs): grows with the sequence.
    package var recordedAt: Timestamp?
    package var stream = Stream()
    /// Counts the events of the stream from 1.
    package var streamVersion: UInt64 = 0
    package var type: UInt64 = 0
    package var schema: UInt64 = 1
    package var actor = Actor()
    package var run: RunID?
    package var correlation: EventID?
    package var causation: EventID?
    package var validAt: Evidence?
    package var tags: [Tag] = []
    package var parts: [PartHead] = []
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitPlace(&visitor)
        visitRest(&visitor)
    }

    /// What only the writer knows.
    mutating func visitPlace(_ visitor: inout some WireVisitor) {
        visitor.unsigned(1, &sequence)
        visitor.id(2, &id)
        visitor.time(3, &receivedAt)
        visitor.time(4, &recordedAt)
        visitor.message(5, &stream)
        visitor.unsigned(6, &streamVersion)
    }

    /// What is known before the event has its place; it stands behind it in the entry's bytes.
    private mutating func visitRest(_ visitor: inout some WireVisitor) {
        visitor.unsigned(7, &type)
        visitor.always(8, &schema)
        visitor.message(9, &actor)
        visitor.id(10, &run)
        visitor.id(11, &correlation)
        visitor.id(12, &causation)
        visitor.message(13, &validAt)
        visitor.messages(14, &tags)
        visitor.messages(15, &parts)
    }

    /// The bytes from the type on, which no place changes.
    func encodedRest() -> [UInt8] {
        var encoder = WireEncoder()
        var copy = self
        copy.visitRest(&encoder)
        return encoder.output + unknownFields
    }

    /// The whole entry's bytes: what only the writer knows, and the rest.
    func encoded(
        sequence: UInt64, recordedAt: Timestamp?, receivedAt: Timestamp?, version: UInt64,
        rest: [UInt8]
    ) -> [UInt8] {
        var encoder = WireEncoder(capacity: 72 + rest.count)
        var place = (sequence, Optional(id), receivedAt, recordedAt, stream, version)
        encoder.unsigned(1, &place.0)
        encoder.id(2, &place.1)
        encoder.time(3, &place.2)
        encoder.time(4, &place.3)
        encoder.message(5, &place.4)
        encoder.unsigned(6, &place.5)
        encoder.append(rest)
        return encoder.output
    }
}

/// The thing whose history an event belongs to.
package struct Stream: WireMessage, Hashable {
    package enum Kind: UInt64, WireChoice, CaseIterable {
        case ledger = 0
        case connection = 1
        case replica = 2
        case record = 3
        case run = 4
    }

    package var kind: Kind = .ledger
    package var id: Identifier<StreamKind> = .none
    package var unknownFields: [UInt8] = []

    package init() {}

    package init(_ kind: Kind, _ id: Identifier<some Any>) {
        self.kind = kind
        self.id = id.cast()
    }

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.choice(1, &kind)
        visitor.id(2, &id)
    }

    package static func connection(_ id: ConnectionID) -> Self { Self(.connection, id) }
    package static func replica(_ id: ReplicaID) -> Self { Self(.replica, id) }
    package static func record(_ id: RecordID) -> Self { Self(.record, id) }
    package static func run(_ id: RunID) -> Self { Self(.run, id) }

    /// 17 bytes: the kind, then the id.
    package var key: [UInt8] { [UInt8(kind.rawValue)] + id.bytes }
}

/// Who caused an event: the engine itself, a person by an id of ours, or a system.
package struct Actor: WireMessage, Hashable {
    package enum Kind: UInt64, WireChoice {
        case engine = 0
        case person = 1
        case system = 2
    }

    package var kind: Kind = .engine
    package var id: EventID?
    package var unknownFields: [UInt8] = []

    package init() {}
    package init(_ kind: Kind, id: EventID? = nil) {
        self.kind = kind
        self.id = id
    }

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.choice(1, &kind)
        visitor.id(2, &id)
    }
}

/// The interval in which a remote change happened, as far as it is known.
///
/// An object's modification stamp is only the upper end; the lower end is the latest look or closed
/// sweep that would have shown the change. `exact` says that the remote told the time of this very
/// field (Mautic's audit log, Compass's outbox).
package struct Evidence: WireMessage, Hashable {
    package var earliest: Timestamp?
    package var latest: Timestamp?
    package var exact = false
    package var unknownFields: [UInt8] = []

    package init() {}
    package init(earliest: Timestamp?, latest: Timestamp?, exact: Bool = false) {
        self.earliest = earliest
        self.latest = latest
        self.exact = exact
    }

    @inlinable package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.time(1, &earliest)
        visitor.time(2, &latest)
        visitor.bool(3, &exact)
    }
}

/// A handle to find events by, made only of our own ids.
package struct Tag: WireMessage, Hashable {
    package enum Kind: UInt64, WireChoice {
        case unspecified = 0
        case record = 1
        case command = 2
        case cause = 3
        case replica = 4
        case question = 5
    }

    package var kind: Kind = .unspecified
    package var id: Identifier<StreamKind> = .none
    package var unknownFields: [UInt8] = []

    package init() {}

    package init(_ kind: Kind, _ id: Identifier<some Any>) {
        self.kind = kind
        self.id = id.cast()
    }

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.choice(1, &kind)
        visitor.id(2, &id)
    }

    /// 17 bytes: the kind, then the id.
    package var key: [UInt8] { [UInt8(kind.rawValue)] + id.bytes }
}

/// What the entry says of one body part.
///
/// A part without a subject is plain. A sealed part carries the MAC of its clear text under its own
/// key, so that the same event sent twice is recognised though its bytes are sealed.
package struct PartHead: WireMessage, Hashable {
    package var subject: SubjectID?
    package var category: Category = .unspecified
    package var length: UInt64 = 0
    package var sha256: [UInt8] = []
    package var mac: [UInt8] = []
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &subject)
        visitor.choice(2, &category)
        visitor.unsigned(3, &length)
        visitor.bytes(4, &sha256)
        visitor.bytes(5, &mac)
    }
}

/// One event as the log stores and exports it: the entry's bytes and the parts that still stand.
package struct StoredEvent: WireMessage, Equatable {
    package struct Body: WireMessage, Equatable {
        /// Position in the entry's `parts`.
        package var index: UInt64 = 0
        package var bytes: [UInt8] = []
        package var unknownFields: [UInt8] = []

        package init() {}
        package init(index: UInt64, bytes: [UInt8]) {
            self.index = index
            self.bytes = bytes
        }

        package mutating func visit(_ visitor: inout some WireVisitor) {
            visitor.unsigned(1, &index)
            visitor.bytes(2, &bytes)
        }
    }

    package var entry: [UInt8] = []
    package var bodies: [Body] = []
    package var unknownFields: [UInt8] = []

    package init() {}
    package init(entry: [UInt8], bodies: [Body]) {
        self.entry = entry
        self.bodies = bodies
    }

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.bytes(1, &entry)
        visitor.messages(2, &bodies)
    }

    /// The bytes of a stored event, as `WireEncoder` would write them.
    static func encoded(entry: [UInt8], bodies: [[UInt8]], where stays: (Int) -> Bool) -> [UInt8] {
        let size = bodies.reduce(entry.count + 8) { $0 + $1.count + 12 }
        var encoder = WireEncoder(capacity: size)
        encoder.write(bytes: entry, field: 1)
        for (index, body) in bodies.enumerated() where stays(body.count) {
            encoder.write(body: body, index: UInt64(index), field: 2)
        }
        return encoder.output
    }

    /// The bytes of a part, or `nil` where it was dropped.
    package func body(_ index: Int) -> [UInt8]? {
        bodies.first { $0.index == UInt64(index) }?.bytes
    }
}
