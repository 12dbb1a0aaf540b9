import Testing

@testable import Connectors

/// A table that was written comes back as it was, however its bytes arrive.
@Suite struct `A table of separated values` {
    private func read(_ text: String, pieces size: Int = 64) throws -> [CSVReader.Record] {
        var rest = Array(text.utf8)[...]
        var reader = try CSVReader {
            defer { rest = rest.dropFirst(size) }
            return Array(rest.prefix(size))
        }
        var records: [CSVReader.Record] = []
        while let record = try reader.record() { records.append(record) }
        return records
    }

    /// As RFC 4180 writes it; a cell that needs no quotation marks may have some.
    private func write(
        _ rows: [[String]], _ separator: String, _ end: String, _ random: inout SplitMix
    ) -> String {
        rows.map { row in
            row.map { cell in
                let needs =
                    cell.isEmpty
                    || cell.unicodeScalars.contains { ",;\t\"\r\n".unicodeScalars.contains($0) }
                guard needs || random.next() % 4 == 0 else { return cell }
                return "\"" + cell.replacing("\"", with: "\"\"") + "\""
            }.joined(separator: separator)
        }.joined(separator: end) + (random.next() % 2 == 0 ? end : "")
    }

    @Test(arguments: 0..<200)
    func `any table of texts, written and read again, is identical`(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let pieces = [
            "a", "é", "花", "\"", ",", ";", "\t", "\n", "\r", "\r\n", " ", "😀", "", "x\u{0}",
        ]
        func cell() -> String {
            (0..<random.next() % 5).map { _ in pieces[Int(random.next() % UInt64(pieces.count))] }
                .joined()
        }
        let width = Int(random.next() % 4) + 1
        // Line breaks in a name are rare, and yet may be.
        let rows = (0..<random.next() % 8 + 1).map { _ in (0..<width).map { _ in cell() } }
        let separator = [",", ";", "\t"][Int(random.next() % 3)]
        let text = write(rows, separator, ["\n", "\r\n"][Int(random.next() % 2)], &random)
        for size in [1, 2, 3, 7, 1_000] {
            #expect(try read(text, pieces: size).map(\.cells) == rows, "pieces of \(size)")
        }
    }

    @Test func `rows are named by the line on which they begin`() throws {
        let records = try read("id,note\r\n\r\n1,\"two\nlines\"\r\n2,one\n\n3,\"\"")
        #expect(records.map(\.line) == [1, 3, 5, 7])
        #expect(records[1].cells == ["1", "two\nlines"])
        #expect(records[3].cells == ["3", ""])
    }

    @Test func `what is no table is named by its line`() throws {
        for (text, error) in [
            ("a,b\n1,\"x", CSVError.openQuote(line: 2)), ("a\n\nx\"y", .quoteInside(line: 3)),
            ("a,b\n\"x\"y,1", .textBehindQuote(line: 2)), ("a,b;c\n1,2", .unclearSeparator),
            ("a\n" + String(repeating: "x", count: 2 << 20), .tooLong(line: 2)),
        ] {
            #expect(throws: error) { try read(text, pieces: 4_096) }
        }
        var bytes: [UInt8] = Array("name\nK".utf8) + [0xF6] + Array("ln".utf8)
        #expect(throws: CSVError.notUTF8(line: 2)) {
            var reader = try CSVReader {
                defer { bytes = [] }
                return bytes
            }
            while try reader.record() != nil {}
        }
    }
}

private struct SplitMix {
    var state: UInt64

    /// SplitMix64 (Steele, Lea and Flood, 2014).
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
