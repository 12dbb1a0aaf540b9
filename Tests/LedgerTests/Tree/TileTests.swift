import Foundation
import LMDB
import Testing

@testable import Ledger

/// The hash tiles of the log's tree: when they come to be, and what stands in them.
@Suite struct TileTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func `full tiles have the leaves, the level above their roots, and no byte is wasted`()
        throws
    {
        let house = try House(at: scratch, options: busy)
        try fill(house, 1_100)
        #expect(try rows(house).isEmpty)
        while try house.log.seal() {}
        let leaves = try leaves(of: house)
        #expect(try tiled(house) == 1_024)
        for index in 0..<4 {
            let wanted = leaves[256 * index..<256 * (index + 1)]
            let tile = TilePlace(level: 0, index: UInt64(index))
            #expect(try hashes(tile, house) == wanted.flatMap(\.self))
        }
        let roots = (0..<4).map { Naive.root(leaves[256 * $0..<256 * ($0 + 1)]) }
        #expect(try hashes(TilePlace(level: 1, index: 0), house) == roots.flatMap(\.self))
        #expect(try hashes(TilePlace(level: 0, index: 4), house).isEmpty)
        let rows = try rows(house)
        #expect(rows.map(\.key.count) == [9, 10, 9, 10, 9, 10, 9, 10, 9])
        #expect(rows.map(\.size) == [8_160, 32, 8_160, 32, 8_160, 32, 8_160, 32, 128])
        // Two pages for each of the four, and one for all small rows.
        let bytes = try bytesOfTiles(house)
        if bytes.pageSize == 4_096 { #expect(bytes.live == 9 * 4_096) }
        try house.close()
    }

    @Test func `a level that is full has its root in the one above`() throws {
        let house = try House(at: scratch, options: busy)
        for start in stride(from: 0, to: 66_000, by: 1_000) {
            try house.append((start..<start + 1_000).map { Plain.draft($0) })
        }
        while try house.log.seal() {}
        let leaves = try leaves(of: house)
        #expect(try tiled(house) == 65_792)
        let level1 = (0..<257).map { Naive.root(leaves[256 * $0..<256 * ($0 + 1)]) }
        #expect(
            try hashes(TilePlace(level: 1, index: 0), house)
                == level1.prefix(256).flatMap(\.self))
        #expect(try hashes(TilePlace(level: 1, index: 1), house) == level1[256])
        #expect(
            try hashes(TilePlace(level: 2, index: 0), house) == Naive.root(leaves.prefix(65_536)))
        let tiles = try MerkleTiles(house.log)
        #expect(try tiles.root(of: 66_000) == house.log.head().root)
        for (sequence, size) in [(1, 66_000), (65_536, 65_536), (65_537, 65_800), (300, 65_999)] {
            let path = MerkleProof.inclusion(of: sequence - 1, in: leaves[..<size])
            #expect(try tiles.inclusion(of: UInt64(sequence), in: UInt64(size)) == path)
        }
        let path = MerkleProof.consistency(of: 40_001, in: leaves[...])
        #expect(try tiles.consistency(of: 40_001, in: 66_000) == path)
        try house.close()
        let report = try Scrub(directory: scratch.path, ledger: house.ledger).run()
        #expect(report.isClean, "\(report.damages)")
        #expect(report.tiles == 257 + 2 + 1)
        let again = try House(at: scratch, options: busy)
        let bytes = try bytesOfTiles(again)
        if bytes.pageSize == 4_096 { #expect(bytes.live < 33 * 65_792) }
        try again.close()
    }

    @Test func `tiles follow the sequence, also where bundles hold fewer events`() throws {
        let house = try House(at: scratch, options: busy)
        let tags = (0..<700).map { Ledger.Tag(.record, RecordID(high: 3, low: UInt64($0))) }
        for start in stride(from: 0, to: 780, by: 130) {
            try house.append((start..<start + 130).map { Plain.draft($0, tags: tags) })
        }
        while try house.log.seal() {}
        let leaves = try leaves(of: house)
        #expect(try tiled(house) == 768)
        #expect(
            try hashes(TilePlace(level: 0, index: 2), house) == leaves[512..<768].flatMap(\.self))
        try house.close()
    }

    // MARK: - A log from before

    @Test func `a log from before has no tiles, is scrubbed without, and gets them bit by bit`()
        throws
    {
        try writeLogFromBefore(events: 20_000)
        let old = try Scrub(directory: scratch.path, ledger: LedgerID(high: 0x1ED6E2, low: 1))
            .run()
        #expect(old.isClean, "\(old.damages)")
        #expect(old.tiles == 0)
        let house = try House(at: scratch, options: busy)
        #expect(try tiled(house) == 0)
        #expect(try MerkleTiles(house.log).root(of: 20_000) == house.log.head().root)
        // A commit takes 8,192 events, and whoever appends is not kept waiting.
        #expect(try house.log.seal())
        #expect(try tiled(house) == 8_192)
        #expect(try house.append([Plain.draft(20_000)]) == [20_001])
        #expect(try house.log.seal())
        #expect(try !house.log.seal())
        #expect(try tiled(house) == 19_968)
        try house.close()
        let report = try scrub()
        #expect(report.isClean, "\(report.damages)")
        #expect(report.tiles == 78 + 1)
    }

    @Test func `a writer that is quiet makes them by itself`() throws {
        try writeLogFromBefore(events: 9_000)
        var options = busy
        options.quietAge = .zero
        let house = try House(at: scratch, options: options)
        let deadline = ContinuousClock.now + .seconds(30)
        while try tiled(house) < 8_960, ContinuousClock.now < deadline { usleep(5_000) }
        #expect(try tiled(house) == 8_960)
        try house.close()
    }

    @Test func `what a program without tiles appended and sealed gets them later`() throws {
        let house = try House(at: scratch, options: busy)
        try fill(house, 700)
        try house.log.seal()
        #expect(try tiled(house) == 512)
        try fill(house, from: 700, 2_000)
        _ = try house.log.environment.write { try house.log.tables.seal($0) }
        #expect(try tiled(house) == 512)
        try house.close()
        #expect(try scrub().isClean)
        let again = try House(at: scratch, options: busy)
        try again.log.seal()
        #expect(try tiled(again) == 1_792)
        try again.close()
        #expect(try scrub().tiles == 8)
    }

    // MARK: - Trouble

    @Test func `an entry that is gone stops the tiles, and neither the sealing nor an append`()
        throws
    {
        let house = try House(at: scratch, options: busy)
        try fill(house, 1_000)
        _ = try house.log.environment.write { try house.log.tables.seal($0) }
        _ = try house.log.environment.write {
            try $0.delete(house.log.tables.events, key: BigEndianKey(512))
        }
        try fill(house, from: 1_000, 1_400)
        #expect(try house.log.seal())
        #expect(try !house.log.seal())
        #expect(try tiled(house) == 256)
        #expect(try house.log.environment.read { try house.log.tables.sealed($0) } == 1_024)
        #expect(throws: LogError.gap(expected: 257, found: 513)) {
            try MerkleTiles(house.log).inclusion(of: 900, in: 1_400)
        }
        try house.close()
    }

    @Test func `a tiling that does not commit leaves no tile`() throws {
        struct Stop: Error {}
        let house = try House(at: scratch, options: busy)
        try fill(house, 800)
        #expect(throws: Stop.self) {
            try house.log.environment.write { transaction in
                #expect(try house.log.tables.tile(transaction) == 768)
                throw Stop()
            }
        }
        #expect(try tiled(house) == 0)
        #expect(try rows(house).isEmpty)
        try house.close()
    }

    @Test(arguments: [[1], bigEndianBytes(100), bigEndianBytes(25_600), []])
    func `a note of tiles that cannot be true makes them anew`(note: [UInt8]) throws {
        var house = try House(at: scratch, options: busy)
        try fill(house, 1_100)
        try house.log.seal()
        let before = try rows(house).map(\.key)
        try house.log.environment.write {
            try $0.put(house.log.tables.meta, key: LogTables.tiledKey, value: note)
        }
        try house.close()
        #expect(
            try scrub().damages.map(\.problem) == [
                "the log's note of how far it stands in hash tiles is wrong"
            ])
        house = try House(at: scratch, options: busy)
        while try house.log.seal() {}
        #expect(try tiled(house) == 1_024)
        #expect(try rows(house).map(\.key) == before)
        try house.close()
        #expect(try scrub().isClean)
    }

    // MARK: - Hands

    /// A writer that is never quiet, so that only the test seals.
    private var busy: Options {
        var options = Options()
        options.mapSize = 1 << 30
        options.quietAge = .seconds(3_600)
        return options
    }

    private func fill(_ house: House, from first: Int = 0, _ end: Int) throws {
        for start in stride(from: first, to: end, by: 100) {
            try house.append((start..<min(start + 100, end)).map { Plain.draft($0) })
        }
    }

    private func scrub() throws -> ScrubReport {
        try Scrub(directory: scratch.path, ledger: LedgerID(high: 0x1ED6E2, low: 1)).run()
    }

    /// Writes a sealed log as the program before tiles did: there is no table for them, and no note.
    private func writeLogFromBefore(events: Int) throws {
        let house = try House(at: scratch, options: busy)
        for start in stride(from: 0, to: events, by: 1_000) {
            try house.append((start..<min(start + 1_000, events)).map { Plain.draft($0) })
        }
        try house.log.environment.write { transaction in
            _ = try transaction.delete(house.log.tables.meta, key: LogTables.tiledKey)
        }
        let names = LogTables.names.filter { $0 != "tiles" }
        var rows: [(table: String, key: [UInt8], value: [UInt8])] = []
        try house.log.environment.read { transaction in
            for name in names {
                try transaction.scan(house.log.environment.table(name)) { key, value in
                    rows.append((name, key.copy(), value.copy()))
                    return .next
                }
            }
        }
        try house.close()
        try FileManager.default.removeItem(atPath: scratch("log"))
        let environment = try Environment(at: scratch("log"), tables: names)
        for start in stride(from: 0, to: rows.count, by: 5_000) {
            try environment.write { transaction in
                for row in rows[start..<min(start + 5_000, rows.count)] {
                    try transaction.put(
                        environment.table(row.table), key: row.key, value: row.value)
                }
            }
        }
        try environment.close()
    }

    /// What the tiles take, which are removed by that.
    private func bytesOfTiles(_ house: House) throws -> (live: Int, pageSize: Int) {
        let environment = house.log.environment
        let full = try environment.statistics()
        try environment.write { try $0.clear(#require(house.log.tables.tiles)) }
        return (try full.liveBytes - environment.statistics().liveBytes, full.pageSize)
    }

    private func tiled(_ house: House) throws -> UInt64 {
        try house.log.environment.read { try house.log.tables.tiled($0) }
    }

    private func hashes(_ place: TilePlace, _ house: House) throws -> [UInt8] {
        try house.log.environment.read { try house.log.tables.hashes(at: place, $0) }
    }

    private func leaves(of house: House) throws -> [Hash] {
        try house.log.read(from: 1, limit: .max).map { Merkle.leaf($0.entry) }
    }

    private func rows(_ house: House) throws -> [(key: [UInt8], size: Int)] {
        let table = try #require(house.log.tables.tiles)
        return try house.log.environment.read { transaction in
            var rows: [(key: [UInt8], size: Int)] = []
            try transaction.scan(table) { key, value in
                rows.append((key.copy(), value.count))
                return .next
            }
            return rows
        }
    }
}
