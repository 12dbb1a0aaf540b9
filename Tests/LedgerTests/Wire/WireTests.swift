import SwiftProtobuf
import Testing

@testable import Ledger

@Suite struct WireTests {
    @Test(arguments: 0..<50)
    func `fields that nobody knows yet survive a round trip`(seed: Int) throws {
        var random = SeededRandom(seed)
        var bytes = WireEncoder.encode(Filler.fill(Entry.self, seed: seed))
        // A field 900 of each wire type.
        bytes += key(900, .varint) + varint(random.number())
        bytes += key(901, .fixed64) + random.bytes(8)
        bytes += key(902, .fixed32) + random.bytes(4)
        bytes += key(903, .lengthDelimited) + varint(5) + random.bytes(5)
        let entry = try WireDecoder.decode(Entry.self, from: bytes)
        #expect(WireEncoder.encode(entry) == bytes)
        #expect(!entry.unknownFields.isEmpty)
    }

    @Test func `unknown fields of nested messages stay inside them`() throws {
        var stream = Ledger.Stream.record(RecordID(high: 1, low: 2))
        stream.unknownFields = key(77, .varint) + varint(1)
        var entry = Entry()
        entry.stream = stream
        let back = try WireDecoder.decode(Entry.self, from: WireEncoder.encode(entry))
        #expect(back.stream.unknownFields == stream.unknownFields)
    }

    @Test func `a choice of a newer writer is kept though it means nothing here`() throws {
        let bytes =
            key(1, .varint) + varint(200) + key(2, .lengthDelimited) + varint(16)
            + [UInt8](repeating: 7, count: 16)
        let tag = try WireDecoder.decode(Ledger.Tag.self, from: bytes)
        #expect(tag.kind == .unspecified)
        let again = try Syncledger_Ledger_V1_Tag(serializedBytes: WireEncoder.encode(tag))
        #expect(again.kind == .UNRECOGNIZED(200))
        #expect(again.id.count == 16)
    }

    @Test(arguments: [0, 1, 15, 17, 32])
    func `an id of another length is refused, not dropped`(length: Int) {
        let bytes =
            key(1, .lengthDelimited) + varint(UInt64(length))
            + [UInt8](repeating: 1, count: length)
        #expect(throws: WireError.self) {
            try WireDecoder.decode(ConnectionRemoved.self, from: bytes)
        }
        #expect(throws: WireError.self) {
            try WireDecoder.decode(
                AmbiguityRaised.self, from: [3 << 3 | 2] + bytes.dropFirst())
        }
    }

    @Test func `an event of an unknown type or a newer schema is kept whole`() throws {
        let plain: [UInt8] = [1, 2, 3, 255]
        for (type, schema) in [(UInt64(999), UInt64(1)), (201, 2)] {
            let event = try Event.read(
                type: type, schema: schema, plain: plain, parts: OpenedParts())
            #expect(event == .unrecognized(type: type, schema: schema, plain: plain))
            #expect(event.type == type)
            #expect(event.schema == schema)
            #expect(WireEncoder.encode(event.payload as! Unrecognized) == plain)
        }
    }

    @Test(arguments: 0..<50)
    func `fields may stand in any order`(seed: Int) throws {
        let entry = Filler.fill(Entry.self, seed: seed)
        var random = SeededRandom(seed)
        var fields = try split(WireEncoder.encode(entry))
        // Only the order among repeated fields of one number means something.
        let keys = Dictionary(grouping: fields) { $0[0] }
        var order = Array(keys.keys).sorted()
        order.shuffle(using: &random)
        fields = order.flatMap { keys[$0] ?? [] }
        #expect(try WireDecoder.decode(Entry.self, from: fields.flatMap(\.self)) == entry)
    }

    @Test func `the last of a oneof wins, and the last of a field`() throws {
        let bytes =
            WireEncoder.encode(Value.text("first")) + WireEncoder.encode(Value.number("2"))
            + WireEncoder.encode(Value.bool(true))
        #expect(try WireDecoder.decode(Value.self, from: bytes) == .bool(true))
        let theirs = try Syncledger_Ledger_V1_Value(serializedBytes: bytes)
        #expect(theirs.kind == .bool(true))
        let twice =
            key(3, .lengthDelimited) + varint(1) + [65] + key(3, .lengthDelimited) + varint(1)
            + [66]
        #expect(try WireDecoder.decode(SweepOpened.self, from: []).entity == "")
        #expect(try WireDecoder.decode(Observed.self, from: twice).entity == "B")
    }

    @Test func `a value with anything that is not known is neither null nor what stands beside it`()
        throws
    {
        let newer = key(7, .lengthDelimited) + varint(2) + [1, 2]
        let wrong = key(2, .fixed32) + [0, 0, 0, 0]
        let text = WireEncoder.encode(Value.text("kept"))
        for raw in [newer, wrong, text + newer, newer + text, newer + wrong + newer] {
            let value = try WireDecoder.decode(Value.self, from: raw)
            #expect(value == .unrecognized(raw))
            #expect(WireEncoder.encode(value) == raw)
            #expect(!value.isBlank)
        }
        let set =
            key(5, .lengthDelimited) + varint(7) + key(1, .lengthDelimited) + [1, 97]
            + key(900, .varint) + varint(200)
        #expect(try WireDecoder.decode(Value.self, from: set) == .unrecognized(set))
        let null = WireEncoder.encode(Value.null)
        #expect(try WireDecoder.decode(Value.self, from: null + newer) == .unrecognized(newer))
    }

    @Test func `a set in two pieces is put together, as the oracle does`() throws {
        let bytes =
            WireEncoder.encode(Value.set(["a"])) + WireEncoder.encode(Value.set(["b"]))
        #expect(try WireDecoder.decode(Value.self, from: bytes) == .set(["a", "b"]))
        let theirs = try Syncledger_Ledger_V1_Value(serializedBytes: bytes)
        #expect(theirs.set.elements == ["a", "b"])
    }

    @Test func `an erased value does not turn into null on its way into another event`() throws {
        var given = ConsentGiven()
        let subject = SubjectID(high: 1, low: 1)
        given.evidence = Sealed(nil, subject: subject, category: .consent)
        let (plain, groups) = WireEncoder.encodeWithParts(given)
        #expect(groups.map(\.values) == [[]])
        let back = try WireDecoder.decode(ConsentGiven.self, from: plain, parts: opened(groups))
        #expect(back == given)
    }

    @Test(arguments: [0, 1, 127, 128, 129, 16_383, 16_384, 70_000])
    func `a nested message of any length is written with its length`(length: Int) throws {
        let event = StoredEvent(
            entry: [], bodies: [.init(index: 1, bytes: [UInt8](repeating: 9, count: length))])
        let bytes = WireEncoder.encode(event)
        #expect(try WireDecoder.decode(StoredEvent.self, from: bytes) == event)
        let theirs = try Syncledger_Ledger_V1_StoredEvent(serializedBytes: bytes)
        #expect(try theirs.serializedBytes() == bytes)
    }

    @Test(arguments: 0..<100)
    func `the writer's shortcuts write what the encoder writes`(seed: Int) {
        let entry = Filler.fill(Entry.self, seed: seed)
        let short = entry.encoded(
            sequence: entry.sequence, recordedAt: entry.recordedAt,
            receivedAt: entry.receivedAt, version: entry.streamVersion,
            rest: entry.encodedRest())
        #expect(short == WireEncoder.encode(entry))

        var random = SeededRandom(seed)
        let bodies = (0..<random.below(5)).map { _ in random.bytes(random.below(300)) }
        let kept = bodies.enumerated().filter { $0.element.count <= 200 }
        let stored = StoredEvent(
            entry: short, bodies: kept.map { .init(index: UInt64($0.offset), bytes: $0.element) })
        let row = StoredEvent.encoded(entry: short, bodies: bodies) { $0 <= 200 }
        #expect(row == WireEncoder.encode(stored))
    }

    // MARK: - Parts of messages

    private func key(_ field: Int, _ type: WireType) -> [UInt8] {
        varint(UInt64(field) << 3 | UInt64(type.rawValue))
    }

    private func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        appendVarint(value, to: &bytes)
        return bytes
    }

    /// The fields of an entry, whose numbers all fit one byte and whose types are two.
    private func split(_ bytes: [UInt8]) throws -> [[UInt8]] {
        var fields: [[UInt8]] = []
        var position = 0
        func next() -> Int {
            var value = 0
            var shift = 0
            while true {
                let byte = bytes[position]
                position += 1
                value |= Int(truncatingIfNeeded: UInt64(byte & 0x7F) << UInt64(shift))
                shift += 7
                if byte < 0x80 { return value }
            }
        }
        while position < bytes.count {
            let start = position
            let key = next()
            let payload = next()
            if key & 7 == 2 { position += payload }
            fields.append(Array(bytes[start..<position]))
        }
        return fields
    }
}
