import Testing

@testable import Ledger

@Suite struct EntryViewTests {
    @Test(arguments: 0..<200)
    func `a view reads what the full decoder reads`(seed: Int) throws {
        let entry = Filler.fill(Entry.self, seed: seed)
        let bytes = WireEncoder.encode(entry)
        try check(EntryView(bytes.span), bytes.span, against: entry)
    }

    @Test(arguments: 0..<20)
    func `what the full decoder takes, the view takes too, and never crashes`(seed: Int) throws {
        var random = SeededRandom(seed)
        let original = WireEncoder.encode(Filler.fill(Entry.self, seed: seed))
        for _ in 0..<250 {
            var bytes = original
            for _ in 0...random.below(3) {
                bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
            }
            if random.chance(3) { bytes.removeLast(random.below(bytes.count)) }
            if let entry = try? WireDecoder.decode(Entry.self, from: bytes) {
                try check(EntryView(bytes.span), bytes.span, against: entry)
            } else if let view = try? EntryView(bytes.span) {
                _ = try? view.tags(bytes.span)
                _ = try? view.part(0, bytes.span)
            }
        }
    }

    @Test func `a kind of a newer writer keeps its number`() throws {
        var entry = Entry()
        entry.stream.unknownFields = [0x08, 99]
        let bytes = WireEncoder.encode(entry)
        let view = try EntryView(bytes.span)
        #expect(view.stream.kind == 99)
        #expect(view.stream.bytes.first == 99)
    }

    private func check(_ view: EntryView, _ bytes: Span<UInt8>, against entry: Entry) throws {
        #expect(view.sequence == entry.sequence)
        #expect(view.id == entry.id)
        #expect(view.recordedAt == entry.recordedAt)
        #expect(view.stream.id == entry.stream.id)
        if entry.stream.unknownFields.isEmpty {
            #expect(view.stream == HandleKey(entry.stream))
        }
        #expect(view.streamVersion == entry.streamVersion)
        #expect(view.type == entry.type)
        #expect(view.schema == entry.schema)
        let tags = try view.tags(bytes)
        #expect(tags.map(\.id) == entry.tags.map(\.id))
        for (tag, whole) in zip(tags, entry.tags) where whole.unknownFields.isEmpty {
            #expect(tag == HandleKey(whole))
            #expect(tag.bytes.count == 17)
        }
        #expect(view.partCount == entry.parts.count)
        for (index, part) in entry.parts.enumerated() {
            let found = try #require(try view.part(index, bytes))
            #expect(found.subject == part.subject)
            #expect(found.length == part.length)
            #expect(found.sha256.map { bytes[$0] } == part.sha256)
            #expect(found.mac.map { bytes[$0] } == part.mac)
            if part.unknownFields.isEmpty { #expect(found.category == part.category.rawValue) }
        }
        #expect(try view.part(entry.parts.count, bytes) == nil)
    }
}
