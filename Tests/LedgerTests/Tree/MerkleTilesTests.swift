import LMDB
import Testing

@testable import Ledger

/// What tiles and newest entries give is what all leaves in memory give.
@Suite struct MerkleTilesTests {
    /// Logs of up to 3,000 events, of which some stand in tiles, some in bundles only, some alone.
    @Test(arguments: 0..<24)
    func `roots and paths of any size are those of all leaves in memory`(seed: Int) throws {
        var random = SeededRandom(seed)
        let house = try House(options: busy)
        let end = try fill(house, &random)
        let leaves = try house.log.read(from: 1, limit: .max).map { Merkle.leaf($0.entry) }
        let tiles = try MerkleTiles(house.log)
        let (tiled, sealed) = try house.log.environment.read { transaction in
            let tables = house.log.tables
            return try (Int(tables.tiled(transaction)), Int(tables.sealed(transaction)))
        }
        #expect(try tiles.root(of: UInt64(end)) == house.log.head().root)
        // Around the borders first, then anywhere.
        let borders = [1, 2, 255, 256, 257, 512, tiled - 1, tiled, tiled + 1, sealed, sealed + 1]
        var sizes = borders.filter { 1...end ~= $0 } + [end]
        sizes += (0..<8).map { _ in 1 + random.below(end) }
        for size in sizes {
            let tree = leaves[..<size]
            let wanted = MerkleProof.root(of: tree)
            if try tiles.root(of: UInt64(size)) != wanted { Issue.record("root of \(size)") }
            for sequence in [1, size, 1 + random.below(size)] {
                let path = try tiles.inclusion(of: UInt64(sequence), in: UInt64(size))
                let holds = MerkleProof.verifyInclusion(
                    of: leaves[sequence - 1], index: UInt64(sequence - 1), size: UInt64(size),
                    path: path, root: wanted)
                if !holds || path != MerkleProof.inclusion(of: sequence - 1, in: tree) {
                    Issue.record("event \(sequence) in \(size)")
                }
            }
            for older in [1, size, 1 + random.below(size)] {
                let path = try tiles.consistency(of: UInt64(older), in: UInt64(size))
                let holds = MerkleProof.verifyConsistency(
                    older: UInt64(older), olderRoot: MerkleProof.root(of: leaves[..<older]),
                    size: UInt64(size), root: wanted, path: path)
                if !holds || path != MerkleProof.consistency(of: older, in: tree) {
                    Issue.record("\(older) in \(size)")
                }
            }
        }
        try house.close()
    }

    @Test func `every size across the border of the tiles has its root`() throws {
        let house = try House(options: busy)
        var roots: [Hash] = [Merkle.emptyRoot]
        var tree = MerkleFrontier()
        for start in stride(from: 0, to: 1_400, by: 200) {
            try house.append((start..<start + 200).map { Plain.draft($0) })
            if start == 600 { try house.log.seal() }
        }
        for event in try house.log.read(from: 1, limit: .max) {
            tree.append(leaf: Merkle.leaf(event.entry))
            roots.append(tree.root)
        }
        let tiles = try MerkleTiles(house.log)
        for size in 0...1_400 {
            let root = try tiles.root(of: UInt64(size))
            if root != roots[size] { Issue.record("root of \(size)") }
        }
        #expect(throws: LogError.damaged(sequence: 1_401)) { try tiles.root(of: 1_401) }
        try house.close()
    }

    @Test func `a path made before more was tiled stays the same`() throws {
        let house = try House(options: busy)
        try house.append((0..<1_000).map { Plain.draft($0) })
        let before = try MerkleTiles(house.log)
        let path = try before.inclusion(of: 77, in: 900)
        try house.log.seal()
        #expect(try before.inclusion(of: 77, in: 900) == path)
        #expect(try MerkleTiles(house.log).inclusion(of: 77, in: 900) == path)
        try house.close()
    }

    @Test func `a tile that is gone or cut is said, and one that was changed proves nothing`()
        throws
    {
        let house = try House(options: busy)
        try house.append((0..<2_000).map { Plain.draft($0) })
        try house.log.seal()
        let head = try house.log.head()
        let place = TilePlace(level: 0, index: 1)
        let whole = try house.log.environment.read {
            try $0.bytes(#require(house.log.tables.tiles), key: place.key)
        }
        let value = try #require(whole)
        func path(with row: [UInt8]?) throws -> [Hash] {
            let table = try #require(house.log.tables.tiles)
            try house.log.environment.write { transaction in
                if let row {
                    try transaction.put(table, key: place.key, value: row)
                } else {
                    _ = try transaction.delete(table, key: place.key)
                }
            }
            return try MerkleTiles(house.log).inclusion(of: 300, in: head.size)
        }
        let leaf = try Merkle.leaf(house.log.read(from: 300, limit: 1)[0].entry)
        func proves(_ path: [Hash]) -> Bool {
            MerkleProof.verifyInclusion(
                of: leaf, index: 299, size: head.size, path: path, root: head.root)
        }
        #expect(throws: LogError.tileDamaged(place)) { try path(with: nil) }
        #expect(throws: LogError.tileDamaged(place)) { try path(with: Array(value.prefix(1_000))) }
        #expect(throws: LogError.tileDamaged(place)) { try path(with: value + value) }
        var changed = value
        // The hash of event 299, which is the neighbour of 300.
        changed[42 * 32 + 5] ^= 4
        #expect(try !proves(path(with: changed)))
        #expect(try proves(path(with: value)))
        #expect(
            "\(LogError.tileDamaged(place))"
                == "the hash tile 0/1 is damaged: `syncledger scrub` says what else is")
        try house.close()
    }

    // MARK: - Hands

    private var busy: Options {
        var options = Options()
        options.mapSize = 1 << 30
        options.quietAge = .seconds(3_600)
        return options
    }

    /// Appends batches of random sizes; seals all, some or nothing on the way.
    ///
    /// - Returns: how many events there are.
    private func fill(_ house: House, _ random: inout SeededRandom) throws -> Int {
        let end = 1 + random.below(3_000)
        var count = 0
        while count < end {
            let batch = min(1 + random.below(700), end - count)
            try house.append((count..<count + batch).map { Plain.draft($0) })
            count += batch
            switch random.below(4) {
            case 0: try house.log.seal()
            case 1: _ = try house.log.environment.write { try house.log.tables.tile($0) }
            case 2: _ = try house.log.environment.write { try house.log.tables.seal($0) }
            default: break
            }
        }
        return end
    }
}
