import Testing

@testable import Ledger

/// Bytes that somebody cut, flipped or made up: an error with a place, never a crash.
@Suite struct HostileBytesTests {
    @Test(arguments: 0..<100)
    func `a thousand mutations are read or refused, and what is read can be written`(
        seed: Int
    ) throws {
        var random = SeededRandom(seed)
        let readers = Event.readers.sorted { $0.key < $1.key }.map(\.value)
        let originals = try corpus(seed)
        for _ in 0..<1_000 {
            let (number, original) = originals[random.below(originals.count)]
            let bytes = mutated(original, &random)
            switch number {
            case 0: tryReading(Entry.self, bytes)
            case 1: tryReading(StoredEvent.self, bytes)
            case 2: tryReading(SealedBody.self, bytes)
            case 3: tryReading(LogHead.self, bytes)
            default:
                do { _ = try readers[number - 4](bytes, OpenedParts()) } catch {
                    #expect(error is WireError)
                }
            }
        }
    }

    @Test(arguments: 0..<26)
    func `every beginning of a message is read or refused`(number: Int) throws {
        let (_, bytes) = try corpus(1)[number + 4]
        let read = Event.readers.sorted { $0.key < $1.key }[number].value
        for end in bytes.indices {
            do { _ = try read(Array(bytes[..<end]), OpenedParts()) } catch {
                #expect(error is WireError)
            }
        }
    }

    @Test func `a message cut inside a field is refused with the place`() {
        let bytes = WireEncoder.encode(Filler.fill(Entry.self, seed: 3))
        let error = #expect(throws: WireError.self) {
            try WireDecoder.decode(Entry.self, from: Array(bytes.dropLast()))
        }
        #expect((error?.offset ?? 0) > 0)
        #expect(error?.description.contains("not a readable message") == true)
    }

    @Test(arguments: [
        [0x00], [0x07], [0x0B, 0x0C], [0x80], [0x08], [0x08, 0x80], [0x12, 0x05, 0x01],
        [0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        [0x08] + [UInt8](repeating: 0xFF, count: 10), [0x09, 1, 2, 3], [0x0D, 1],
        [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0x00],
    ])
    func `bytes that no writer makes are refused`(bytes: [UInt8]) {
        #expect(throws: WireError.self) { try WireDecoder.decode(Entry.self, from: bytes) }
    }

    @Test func `text that is not UTF-8 is refused`() {
        #expect(throws: WireError.self) {
            try WireDecoder.decode(SweepOpened.self, from: [0x12, 0x01, 0xFF])
        }
    }

    @Test func `deep nesting is refused instead of running out of stack`() {
        var bytes: [UInt8] = []
        for _ in 0..<10_000 {
            var field: [UInt8] = [0x0A]
            appendVarint(UInt64(bytes.count), to: &field)
            bytes = field + bytes
        }
        let error = #expect(throws: WireError.self) {
            try WireDecoder.decode(Nest.self, from: bytes)
        }
        #expect(error?.problem == "nested too deeply")
    }

    @Test func `a place that no part has is no value, whatever its numbers`() throws {
        for number in [UInt64(0), 3, 1 << 31, 1 << 63, .max] {
            let place = WireEncoder.encode(SealedPlace(part: number, slot: number))
            let bytes = [0x22, UInt8(place.count)] + place
            let parts = OpenedParts([
                .init(subject: .none, category: .intake), .init(subject: .none, category: .intake),
            ])
            let read = try WireDecoder.decode(ConsentGiven.self, from: bytes, parts: parts)
            #expect(read.evidence == nil)
        }
        let place = WireEncoder.encode(SealedPlace(part: 1, slot: .max))
        var part = OpenedParts.Part(subject: .none, category: .intake)
        part.values = [.bool(true)]
        let read = try WireDecoder.decode(
            ConsentGiven.self, from: [0x22, UInt8(place.count)] + place,
            parts: OpenedParts([part]))
        #expect(read.evidence == Sealed(nil, subject: .none, category: .intake))
    }

    @Test func `any count of microseconds has a text`() {
        for count in [Int64.min, .min + 1, -1, 0, .max] {
            #expect(!Timestamp(microseconds: count).description.isEmpty)
        }
        #expect(Timestamp(microseconds: -1).description == "1969-12-31T23:59:59.999999Z")
    }

    // MARK: - Making trouble

    /// A message in a message in a message.
    private struct Nest: WireMessage {
        var inner: [Nest] = []
        var unknownFields: [UInt8] = []
        mutating func visit(_ visitor: inout some WireVisitor) { visitor.messages(1, &inner) }
    }

    private func tryReading<M: WireMessage & Equatable>(_ type: M.Type, _ bytes: [UInt8]) {
        do {
            let message = try WireDecoder.decode(M.self, from: bytes)
            let again = try WireDecoder.decode(M.self, from: WireEncoder.encode(message))
            #expect(again == message)
        } catch {
            // Typed: what cannot be read is a `WireError`, and nothing traps.
            let _: WireError = error
        }
    }

    private func corpus(_ seed: Int) throws -> [(Int, [UInt8])] {
        var random = SeededRandom(seed)
        let body = SealedBody(values: (0..<6).map { _ in random.value() })
        let frame = [
            WireEncoder.encode(Filler.fill(Entry.self, seed: seed)),
            WireEncoder.encode(Filler.fill(StoredEvent.self, seed: seed)),
            WireEncoder.encode(body), WireEncoder.encode(Filler.fill(LogHead.self, seed: seed)),
        ]
        let payloads = Event.readers.keys.sorted().map { type in
            Samples.payload(type, seed: seed).plain
        }
        return Array((frame + payloads).enumerated()).map { ($0.offset, $0.element) }
    }

    private func mutated(_ original: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        var bytes = original
        for _ in 0...random.below(4) {
            let place = random.below(bytes.count + 1)
            switch random.below(5) {
            case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(random.below(8))
            case 1 where place < bytes.count: bytes[place] = UInt8(random.below(256))
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + random.below(9)))
            case 3: bytes.insert(contentsOf: random.bytes(random.below(9)), at: place)
            default: bytes = Array(bytes[..<place])
            }
        }
        return bytes
    }
}
