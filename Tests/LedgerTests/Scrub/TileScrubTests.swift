import Foundation
import LMDB
import Testing

@testable import Ledger

/// A scrub makes every hash tile anew, and tells a wrong tile from a wrong event.
@Suite struct TileScrubTests {
    let scratch: Scratch

    /// 1,400 events, in a commit of 700 and seven of 100.
    ///
    /// The first 1,280 stand in five tiles of level 0, whose roots stand in one of level 1; the first
    /// 1,024 stand in bundles.
    private static let original = Result {
        let scratch = try Scratch()
        var options = Options()
        options.mapSize = 1 << 30
        options.quietAge = .seconds(3_600)
        let house = try House(at: scratch, options: options)
        try house.append((1...700).map { Plain.draft($0) })
        for start in stride(from: 701, to: 1_400, by: 100) {
            try house.append((start..<start + 100).map { Plain.draft($0) })
        }
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

    @Test func `every tile is covered, full or not`() throws {
        let report = try scrub()
        #expect(report.isClean, "\(report.damages)")
        #expect(report.tiles == 5 + 1)
    }

    @Test(arguments: 0..<60)
    func `whatever byte of a tile the disk changed, that tile is named and nothing else`(
        seed: Int
    ) throws {
        var random = SeededRandom(seed)
        let place = TilePlace(
            level: random.chance(3) ? 1 : 0, index: UInt64(random.below(5)))
        let tile = place.level == 1 ? TilePlace(level: 1, index: 0) : place
        let key = tile.level == 0 && random.chance(4) ? tile.lastKey : tile.key
        try spoil { transaction, table in
            var row = try #require(try transaction.bytes(table, key: key))
            row[random.below(row.count)] ^= 1 << UInt8(random.below(8))
            try transaction.put(table, key: key, value: row)
        }
        let report = try scrub()
        #expect(report.damages.count == 1, "\(report.damages)")
        #expect(report.damages.first?.problem.hasPrefix("the hash tile \(tile) over") == true)
        #expect(report.damages.first?.problem.hasSuffix("is not what the tree has there") == true)
        #expect(report.tiles == 5)
        #expect(report.events == 1_400)
        #expect(report.hasOnlyTilesDamaged)
        #expect(try mend() == 1_280)
        let mended = try scrub()
        #expect(mended.isClean && mended.tiles == 6)
    }

    @Test func `tiles that are gone, cut or too long are named with their events`() throws {
        try spoil { transaction, table in
            _ = try transaction.delete(table, key: TilePlace(level: 0, index: 1).key)
            _ = try transaction.delete(table, key: TilePlace(level: 0, index: 1).lastKey)
            _ = try transaction.delete(table, key: TilePlace(level: 0, index: 2).lastKey)
            try transaction.put(table, key: TilePlace(level: 0, index: 3).key, value: [1, 2, 3])
            try transaction.put(
                table, key: TilePlace(level: 1, index: 0).key + [7],
                value: [UInt8](repeating: 1, count: 32))
        }
        let report = try scrub()
        #expect(
            report.damages.map(\.problem) == [
                "the hash tile 0/1 over events 257 to 512 is missing, or has no whole hashes",
                "the hash tile 0/2 over events 513 to 768 is not what the tree has there",
                "the hash tile 0/3 over events 769 to 1024 is missing, or has no whole hashes",
                "the hash tile 1/0 over events 1 to 1280 is not what the tree has there",
            ])
        #expect(report.tiles == 2)
        #expect(try mend() == 1_280)
        #expect(try scrub().isClean)
    }

    @Test func `rows of no tile are found`() throws {
        try spoil { transaction, table in
            try transaction.put(table, key: TilePlace(level: 0, index: 9).key, value: [1])
        }
        #expect(
            try scrub().damages.map(\.problem) == [
                "the log's note of how far it stands in hash tiles is wrong"
            ])
        #expect(try mend() == 1_280)
        #expect(try scrub().isClean)
    }

    @Test func `over a damaged entry nothing is told of a tile, and no second damage`() throws {
        // Tile 0/0 ends inside the commit of 700, before the tree can tell.
        try change(7)
        let report = try scrub()
        #expect(outsideParts(report).map(\.sequences) == [1...700])
        #expect(report.uncovered.first { $0.what.contains("hash tiles over") }?.count == 2)
        #expect(report.tiles == 4)
    }

    @Test func `where the tree can tell no more, a tile tells that an event was changed`() throws {
        // Behind the first damage the tree is taken up again at 1,024.
        try change(7)
        try change(800)
        try change(1_290)
        let report = try scrub()
        let damages = outsideParts(report)
        #expect(damages.map(\.sequences) == [1...700, 769...1_024, 1_281...1_296])
        #expect(damages.map(\.problem)[1] == "is not what its hash tile says")
        #expect(report.tiles == 3)
    }

    @Test func `a wrong tile is told beside a damaged entry elsewhere`() throws {
        try change(1_350)
        try spoil { transaction, table in
            let key = TilePlace(level: 0, index: 2).key
            var row = try #require(try transaction.bytes(table, key: key))
            row[99] ^= 1
            try transaction.put(table, key: key, value: row)
        }
        let report = try scrub()
        #expect(outsideParts(report).map(\.sequences) == [nil, 1_345...1_376])
        #expect(outsideParts(report)[0].problem.contains("tile 0/2"))
        #expect(!report.hasOnlyTilesDamaged)
    }

    // MARK: - Hands

    private var scrubber: Scrub {
        Scrub(directory: scratch.path, ledger: LedgerID(high: 0x1ED6E2, low: 1))
    }

    private func scrub() throws -> ScrubReport { try scrubber.run() }

    private func mend() throws -> UInt64 { try scrubber.mendTiles() }

    /// Damages but those of parts, whose hash in the entry is what `change` changes.
    private func outsideParts(_ report: ScrubReport) -> [ScrubReport.Damage] {
        report.damages.filter { !$0.problem.contains("has a part") }
    }

    /// Changes an entry inside the hash of its part.
    private func change(_ sequence: UInt64) throws {
        try spoilLog { transaction, tables in
            let isSealed = sequence <= 1_024
            let last = isSealed ? (sequence + 255) / 256 * 256 : sequence
            let key = bigEndianBytes(last)
            var row = try #require(try transaction.bytes(tables.events, key: key))
            let place: (entry: Range<Int>, bodies: Range<Int>)
            if let bundle = Bundle(row.span) {
                let found = bundle.place(of: Int(sequence - (last - 255)), in: row.span)
                place = try #require(found)
            } else {
                place = try LogTables.single(row.span, at: sequence)
            }
            row[place.entry.upperBound - 3] ^= 1
            try transaction.put(tables.events, key: key, value: row)
        }
    }

    private func spoil(_ body: (borrowing WriteTransaction, Table) throws -> Void) throws {
        try spoilLog { try body($0, #require($1.tiles)) }
    }

    private func spoilLog(_ body: (borrowing WriteTransaction, LogTables) throws -> Void) throws {
        let environment = try LMDB.Environment(at: scratch("log"), tables: LogTables.names)
        let tables = LogTables(environment)
        try environment.write { try body($0, tables) }
        try environment.close()
    }
}
