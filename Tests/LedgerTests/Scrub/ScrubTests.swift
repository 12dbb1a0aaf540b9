import Foundation
import LMDB
import Testing

@testable import Ledger

/// A scrub finds whatever is not as it was, names it, and goes on.
@Suite struct ScrubTests {
    let scratch: Scratch
    private static let tag = Ledger.Tag(.record, RecordID(high: 1, low: 1))
    static let events = 1_100

    /// 1,000 events in ten commits, then 100 commits of one event; 768 stand in three bundles.
    private static let original = Result {
        let scratch = try Scratch()
        var options = Options()
        options.mapSize = 1 << 30
        options.quietAge = .seconds(3_600)
        let house = try House(at: scratch, options: options)
        for start in stride(from: 1, to: 1_000, by: 100) {
            try house.append((start..<start + 100).map { person($0) })
        }
        for number in 1_001...events { try house.append([person(number)]) }
        try house.log.seal()
        try house.close()
        return scratch
    }

    init() throws {
        scratch = try Scratch()
        let original = try Self.original.get()
        for name in ["log", "index", "keys"] {
            try FileManager.default.copyItem(atPath: original(name), toPath: scratch(name))
        }
    }

    @Test func `a sound ledger is clean, and the report tells what was read`() throws {
        let report = try scrub()
        #expect(report.isClean, "\(report.damages)")
        #expect(report.events == 1_100)
        #expect(report.commits == 110)
        #expect(report.parts == 2_200)
        #expect(report.indexed == 1_100)
        #expect(report.tiles == 5)
        #expect(report.bytes > 1_100 * 300)
        let left = report.uncovered
        #expect(left.allSatisfy { $0.count == nil })
        #expect(left.contains { $0.what.contains("cut back") })
    }

    @Test func `progress goes up to the end`() throws {
        var seen: [UInt64] = []
        _ = try Scrub(directory: scratch.path, ledger: ledger).run { position, end in
            #expect(end == 1_100)
            seen.append(position)
        }
        #expect(seen == seen.sorted() && seen.last == 1_100)
    }

    @Test(arguments: 0..<60)
    func `whatever byte of an event the disk changed, an event of its commit is named`(
        seed: Int
    ) throws {
        var random = SeededRandom(seed)
        let sequence = UInt64(1 + random.below(Self.events))
        try change(sequence) { row, place in
            let range = random.chance(2) ? place.entry : place.bodies
            row[range.lowerBound + random.below(range.count)] ^= 1 << UInt8(random.below(8))
        }
        let report = try scrub()
        #expect(!report.isClean)
        // The commit's events, and its neighbours, of whose time it may be the other half.
        let first = sequence > 1_000 ? sequence : sequence - (sequence - 1) % 100
        let near = first - min(first, 1)...(sequence > 1_000 ? sequence : first + 99) + 1
        for damage in report.damages {
            let sequences = try #require(damage.sequences)
            #expect(near.contains(sequences.lowerBound) && near.contains(sequences.upperBound))
        }
        #expect(report.damages.contains { $0.sequences?.contains(sequence) ?? false })
        #expect(report.events == 1_100)
    }

    @Test func `behind a damaged entry it goes on, and finds the next one`() throws {
        // The tree of 1,100 has perfect subtrees of 1,024, 64, 8 and 4 leaves.
        for sequence in [UInt64(7), 1_030, 1_090, 1_099] {
            try change(sequence) { row, place in
                // Inside the hash of the last part, which only the tree vouches for.
                row[place.entry.upperBound - 3] ^= 1
            }
        }
        let report = try scrub()
        let tree = report.damages.filter { $0.problem.contains("tree") }.compactMap(\.sequences)
        #expect(tree == [1...100, 1_030...1_030, 1_090...1_090, 1_099...1_099])
        #expect(report.damages.allSatisfy { $0.fix == "restore the log from a backup" })
        #expect(report.events == 1_100 && report.commits == 110)
        #expect(report.uncovered.contains { $0.what.contains("behind a damaged one") })
    }

    @Test func `bodies behind a damaged entry are still held against their entries`() throws {
        try change(7) { row, place in row[place.entry.upperBound - 3] ^= 1 }
        for sequence in [UInt64(8), 301, 901] {
            try change(sequence) { row, place in row[place.bodies.upperBound - 1] ^= 1 }
        }
        let bodies = try scrub().damages.filter { $0.problem.contains("part 1") }
        #expect(bodies.map(\.sequences) == [8...8, 301...301, 901...901])
    }

    @Test func `missing events and bundles are named, and what follows is read`() throws {
        try spoil("log") { transaction, tables in
            _ = try transaction.delete(tables.events, key: BigEndianKey(512))
            _ = try transaction.delete(tables.events, key: BigEndianKey(800))
            _ = try transaction.delete(tables.events, key: BigEndianKey(1_100))
        }
        let report = try scrub()
        let missing = report.damages.filter { $0.problem == "is missing" }.map(\.sequences)
        #expect(missing == [257...512, 800...800, 1_100...1_100])
        #expect(report.events == 1_100 - 258)
    }

    @Test func `a bundle's header and offsets are held against its bytes`() throws {
        for place in [1, 3, 4 + 8 * 100, 4 + 8 * 255] {
            try spoil("log") { transaction, tables in
                let key = bigEndianBytes(512)
                var row = try #require(try transaction.bytes(tables.events, key: key))
                row[place] ^= 0x40
                try transaction.put(tables.events, key: key, value: row)
            }
            let report = try scrub()
            #expect(!report.isClean)
            for damage in report.damages {
                guard let sequences = damage.sequences else { continue }
                #expect(sequences.lowerBound > 200 && sequences.upperBound <= 600, "\(damage)")
            }
            try spoil("log") { transaction, tables in
                let key = bigEndianBytes(512)
                var row = try #require(try transaction.bytes(tables.events, key: key))
                row[place] ^= 0x40
                try transaction.put(tables.events, key: key, value: row)
            }
        }
        #expect(try scrub().isClean)
    }

    @Test func `large parts that are changed, gone or nobody's are found`() throws {
        let large = try spoil("log") { transaction, tables in
            var keys: [[UInt8]] = []
            try transaction.scan(tables.parts) { key, _ in
                keys.append(key.copy())
                return .next
            }
            return keys
        }
        #expect(large.count == 22)
        try spoil("log") { transaction, tables in
            var body = try #require(try transaction.bytes(tables.parts, key: large[0]))
            body[1_000] ^= 1
            try transaction.put(tables.parts, key: large[0], value: body)
            _ = try transaction.delete(tables.parts, key: large[1])
            try transaction.put(tables.parts, key: bigEndianBytes(77) + [9], value: [1])
            try transaction.put(tables.parts, key: bigEndianBytes(2_000) + [1], value: [1])
        }
        let report = try scrub()
        #expect(report.damages.map(\.sequences) == [50...50, 77...77, 100...100, nil])
    }

    @Test func `a part that was removed with its key is told, and is no damage`() throws {
        try spoil("log") { transaction, tables in
            _ = try transaction.delete(tables.parts, key: bigEndianBytes(100) + [1])
        }
        let house = try House(at: scratch)
        try house.close()
        try house.erase(Self.subject(100))
        let report = try scrub()
        #expect(report.isClean, "\(report.damages)")
        let removed = try #require(report.uncovered.first { $0.what.contains("removed") })
        #expect(removed.count == 1)
    }

    @Test func `it reads a log whose last commit is damaged, where opening refuses`() throws {
        try change(1_100) { row, place in row[place.entry.upperBound - 3] ^= 1 }
        #expect(throws: LogError.self) { try House(at: scratch) }
        let report = try scrub()
        #expect(report.events == 1_100)
        #expect(report.damages.contains { $0.sequences == 1_100...1_100 })
    }

    @Test func `a head that was taken back or cannot be read is found`() throws {
        for value in [nil, [255, 255]] as [[UInt8]?] {
            try spoil("log") { transaction, tables in
                let before = try transaction.bytes(tables.meta, key: LogTables.beforeKey)
                try transaction.put(
                    tables.meta, key: LogTables.headKey, value: try #require(value ?? before))
            }
            let report = try scrub()
            #expect(report.events == 1_100)
            #expect(report.damages.count == 1 && report.damages[0].problem.contains("head"))
        }
    }

    @Test(arguments: [0, 256, 700, 769, 2_000])
    func `a note of how far the log is sealed that is wrong is found`(sequence: UInt64) throws {
        try spoil("log") { transaction, tables in
            try transaction.put(
                tables.meta, key: LogTables.sealedKey, value: bigEndianBytes(sequence))
        }
        let report = try scrub()
        #expect(
            report.damages.map(\.problem) == ["the log's note of how far it is sealed is wrong"])
    }

    @Test func `events behind the last commit are found`() throws {
        try spoil("log") { transaction, tables in
            try transaction.put(tables.events, key: bigEndianBytes(1_101), value: [1])
        }
        #expect(
            try scrub().damages.map(\.problem) == [
                "events of no commit stand behind the last event"
            ])
    }

    // MARK: - Beside the log

    @Test func `an index with a wrong, a missing or a surplus row is to be deleted`() throws {
        let changes: [@Sendable (borrowing WriteTransaction, LMDB.Environment) throws -> Void] = [
            {
                try $0.put(
                    $1.table("ids"), key: EventID(high: 5, low: 9).bytes, value: bigEndianBytes(8))
            },
            { _ = try $0.delete($1.table("ids"), key: EventID(high: 5, low: 700).bytes) },
            {
                try $0.put(
                    $1.table("ids"), key: EventID(high: 6, low: 6).bytes, value: bigEndianBytes(8))
            },
            { try $0.put($1.table("meta"), key: Array("position".utf8), value: [1]) },
        ]
        for change in changes {
            let copy = try Data(contentsOf: URL(filePath: scratch("index/data.mdb")))
            let environment = try LMDB.Environment(
                at: scratch("index"), tables: LogIndex.tableNames)
            try environment.write { try change($0, environment) }
            try environment.close()
            let report = try scrub()
            #expect(report.damages.count == 1, "\(report.damages)")
            #expect(report.damages.first?.fix.contains("delete the directory index") == true)
            try copy.write(to: URL(filePath: scratch("index/data.mdb")))
        }
        #expect(try scrub().isClean)
        try FileManager.default.removeItem(atPath: scratch("index"))
        #expect(try scrub().isClean)
    }

    @Test func `a part whose key was erased is told, and is no damage`() throws {
        let house = try House(at: scratch)
        try house.close()
        try house.erase(Self.subject(3))
        let report = try scrub()
        #expect(report.isClean)
        let told = try #require(report.uncovered.first { $0.what.contains("erased") })
        #expect(told.count == 110)
    }

    @Test func `keys that are gone are damage`() throws {
        try FileManager.default.removeItem(atPath: scratch("keys"))
        let report = try scrub()
        #expect(report.damages.map(\.fix) == ["restore keys/ from a backup"])
    }

    @Test func `a log of another ledger, of a newer format or gone is said`() throws {
        #expect(throws: LogError.otherLedger) {
            try Scrub(directory: scratch.path, ledger: LedgerID(high: 1, low: 2)).run()
        }
        try spoil("log") { transaction, tables in
            try transaction.put(tables.meta, key: LogTables.formatKey, value: bigEndianBytes(3))
        }
        #expect(throws: LogError.newerFormat(3)) { try scrub() }
        try FileManager.default.removeItem(atPath: scratch("log"))
        #expect(try scrub().damages.map(\.problem) == ["the log of this ledger is missing"])
    }

    // MARK: - Hands

    private let ledger = LedgerID(high: 0x1ED6E2, low: 1)

    private func scrub() throws -> ScrubReport {
        try Scrub(directory: scratch.path, ledger: ledger).run()
    }

    private static func subject(_ number: Int) -> SubjectID {
        SubjectID(high: 77, low: UInt64(number % 10))
    }

    /// An event with a plain and a sealed part, which is large in every fiftieth.
    private static func person(_ number: Int) -> Draft {
        var given = ConsentGiven()
        let text = number % 50 == 0 ? String(repeating: "long ", count: 600) : "Ada \(number)"
        given.evidence = Sealed(.text(text), subject: subject(number), category: .contact)
        return Draft(
            id: EventID(high: 5, low: UInt64(number)),
            stream: .record(RecordID(high: 1, low: UInt64(number % 7))),
            event: .consentGiven(given), tags: number % 3 == 0 ? [tag, tag] : [])
    }

    /// Changes an event where it stands, alone or in a bundle.
    private func change(
        _ sequence: UInt64,
        _ body: (inout [UInt8], (entry: Range<Int>, bodies: Range<Int>)) throws -> Void
    ) throws {
        try spoil("log") { transaction, tables in
            let last = sequence <= 768 ? (sequence + 255) / 256 * 256 : sequence
            let key = bigEndianBytes(last)
            var row = try #require(try transaction.bytes(tables.events, key: key))
            let place: (entry: Range<Int>, bodies: Range<Int>)
            if let bundle = Bundle(row.span) {
                let index = Int(sequence + UInt64(bundle.count) - last) - 1
                let found = bundle.place(of: index, in: row.span)
                place = try #require(found)
            } else {
                place = try LogTables.single(row.span, at: sequence)
            }
            try body(&row, place)
            try transaction.put(tables.events, key: key, value: row)
        }
    }

    @discardableResult
    private func spoil<R>(
        _ directory: String, _ body: (borrowing WriteTransaction, LogTables) throws -> R
    ) throws -> R {
        let environment = try LMDB.Environment(at: scratch(directory), tables: LogTables.names)
        let tables = LogTables(environment)
        let result = try environment.write { try body($0, tables) }
        try environment.close()
        return result
    }
}
