/// What scans need of an entry, read from its bytes without building an `Entry`.
///
/// One walk over the fields takes the numbers and ids; tags and part heads are read when asked for,
/// from the same bytes. Only asking for tags allocates. Choices are their raw numbers, so that a
/// newer writer's kinds keep apart.
package struct EntryView: Sendable {
    package private(set) var sequence: UInt64 = 0
    package private(set) var id: EventID = .none
    package private(set) var recordedAt: Timestamp?
    package private(set) var stream = HandleKey()
    package private(set) var streamVersion: UInt64 = 0
    package private(set) var type: UInt64 = 0
    package private(set) var schema: UInt64 = 1
    package private(set) var run: RunID?
    package private(set) var tagCount = 0
    package private(set) var partCount = 0
    /// From the first tag, and from the first part, to the entry's end.
    private var tagRange = 0..<0
    private var partRange = 0..<0

    /// Reads the entry that is all of these bytes; later questions take the same bytes.
    package init(_ bytes: Span<UInt8>) throws(WireError) {
        var walk = FieldWalk(0..<bytes.count)
        var start = 0
        while try walk.next(bytes) {
            defer { start = walk.position }
            switch (walk.number, walk.type) {
            case (1, .varint): sequence = walk.varint
            case (2, .lengthDelimited): id = try Identifier(bytes, walk)
            case (4, .varint): recordedAt = Timestamp(microseconds: unzigzag(walk.varint))
            case (5, .lengthDelimited): try stream.read(bytes, walk.payload)
            case (6, .varint): streamVersion = walk.varint
            case (7, .varint): type = walk.varint
            case (8, .varint): schema = walk.varint
            case (10, .lengthDelimited): run = try Identifier(bytes, walk)
            case (14, .lengthDelimited):
                if tagCount == 0 { tagRange = start..<bytes.count }
                tagCount += 1
            case (15, .lengthDelimited):
                if partCount == 0 { partRange = start..<bytes.count }
                partCount += 1
            default: break
            }
        }
    }

    /// The keys of the entry's tags, in order.
    package func tags(_ bytes: Span<UInt8>) throws(WireError) -> [HandleKey] {
        guard tagCount > 0 else { return [] }
        var tags: [HandleKey] = []
        tags.reserveCapacity(tagCount)
        var walk = FieldWalk(tagRange)
        while try walk.next(bytes) {
            guard walk.isAt(14, .lengthDelimited) else { continue }
            var tag = HandleKey()
            try tag.read(bytes, walk.payload)
            tags.append(tag)
        }
        return tags
    }

    /// Hands over what the entry says of each part, in order.
    package func eachPart(_ bytes: Span<UInt8>, _ body: (PartView) throws -> Void) throws {
        var walk = FieldWalk(partRange)
        while try walk.next(bytes) {
            if walk.isAt(15, .lengthDelimited) { try body(PartView(bytes, walk.payload)) }
        }
    }

    /// What the entry says of one part; `nil` where it has no such part.
    package func part(_ index: Int, _ bytes: Span<UInt8>) throws(WireError) -> PartView? {
        var walk = FieldWalk(partRange)
        var rest = index
        while try walk.next(bytes) {
            guard walk.isAt(15, .lengthDelimited) else { continue }
            if rest == 0 { return try PartView(bytes, walk.payload) }
            rest -= 1
        }
        return nil
    }
}

/// The head of a body part, with its hashes where they stand in the entry's bytes.
package struct PartView: Sendable {
    package private(set) var subject: SubjectID?
    package private(set) var category: UInt64 = 0
    package private(set) var length: UInt64 = 0
    package private(set) var sha256 = 0..<0
    package private(set) var mac = 0..<0

    fileprivate init(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(WireError) {
        var walk = FieldWalk(range)
        while try walk.next(bytes) {
            switch (walk.number, walk.type) {
            case (1, .lengthDelimited): subject = try Identifier(bytes, walk)
            case (2, .varint): category = walk.varint
            case (3, .varint): length = walk.varint
            case (4, .lengthDelimited): sha256 = walk.payload
            case (5, .lengthDelimited): mac = walk.payload
            default: break
            }
        }
    }

    /// What recognises the part: its MAC, or the hash of a plain one.
    var likeness: Range<Int> { mac.isEmpty ? sha256 : mac }
}

/// A stream or a tag as the index knows it: a kind by its number, and an id.
package struct HandleKey: Hashable, Sendable {
    package private(set) var kind: UInt64 = 0
    package private(set) var id: Identifier<StreamKind> = .none

    init() {}

    package init(_ stream: Stream) {
        kind = stream.kind.rawValue
        id = stream.id
    }

    package init(_ tag: Tag) {
        kind = tag.kind.rawValue
        id = tag.id
    }

    /// 17 bytes: the kind, then the id.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(17)
        bytes.append(UInt8(truncatingIfNeeded: kind))
        appendBigEndian(id.high, to: &bytes)
        appendBigEndian(id.low, to: &bytes)
        return bytes
    }

    fileprivate mutating func read(
        _ bytes: Span<UInt8>, _ range: Range<Int>
    ) throws(WireError) {
        var walk = FieldWalk(range)
        while try walk.next(bytes) {
            switch (walk.number, walk.type) {
            case (1, .varint): kind = walk.varint
            case (2, .lengthDelimited): id = try Identifier(bytes, walk)
            default: break
            }
        }
    }
}

extension Identifier {
    /// The id that a walk stands on.
    fileprivate init(_ bytes: Span<UInt8>, _ walk: FieldWalk) throws(WireError) {
        guard walk.payload.count == 16 else { throw walk.problem("an id of other length") }
        self.init(bytes, at: walk.payload.lowerBound)
    }
}
