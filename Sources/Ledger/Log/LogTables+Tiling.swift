import LMDB

/// Writing and reading the hash tiles of the log's tree.
///
/// A tile of 256 hashes has 8,192 bytes. In one value it would take three pages of 4,096 bytes, for the
/// first begins with a header of 16. So the first 255 hashes are one value, which fills two pages but
/// for 16 bytes, and the last hash has a small row beside it: 32 bytes an event and little more, where
/// one value would take 48. Above level 0 the newest tile of a level stands there with as many hashes
/// as it has, so that no path has to read a whole level below; of level 0 there are full ones only.
extension LogTables {
    /// Tiles of level 0 of one transaction.
    ///
    /// As many again as are sealed into bundles, so that a log from before catches up while others
    /// append to it.
    static var tilesPerSealing: Int { 2 * bundlesPerSealing }
    /// Behind so many bytes of entries a transaction begins no further tile.
    private static var mostBytesHashed: Int { 16 << 20 }
    /// Rows that one transaction removes.
    private static var mostRowsRemoved: Int { 10_000 }

    /// The last sequence that stands in a tile, a multiple of 256; 0 where there is none.
    ///
    /// A note that cannot be true counts as none: the tiles are made anew then, in their places.
    func tiled(_ transaction: borrowing some Reading & ~Copyable) throws -> UInt64 {
        guard let bytes = try transaction.bytes(meta, key: Self.tiledKey),
            let sequence = BigEndianKey(bytes.span)?.value,
            sequence % UInt64(TilePlace.width) == 0
        else { return 0 }
        // A scrub goes on where the head cannot be read.
        let isWithin = (try? head(transaction)).map { sequence <= $0.size } ?? true
        return isWithin ? sequence : 0
    }

    /// Whether, of so many events, a tile's worth stands in none.
    static func hasTile(tiled: UInt64, of size: UInt64) -> Bool {
        tiled <= size && size - tiled >= UInt64(TilePlace.width)
    }

    /// Makes the next tiles, as many as one transaction takes; blocks while it hashes their entries.
    ///
    /// Events are tiled by their sequence alone: bundles, of which one with large events holds fewer,
    /// do not matter. At an entry that cannot be read it stops, and a proof tells of it.
    ///
    /// - Returns: the last sequence that stands in a tile afterwards.
    func tile(_ transaction: borrowing WriteTransaction) throws -> UInt64 {
        let size = try head(transaction).size
        let before = try tiled(transaction)
        let limit = before + UInt64(Self.tilesPerSealing * TilePlace.width)
        var last = before
        var bytes = 0
        do {
            while last < limit, bytes < Self.mostBytesHashed, Self.hasTile(tiled: last, of: size) {
                let index = last / UInt64(TilePlace.width)
                let leaves = try leaves(behind: last, &bytes, transaction)
                try put(leaves, at: TilePlace(level: 0, index: index), transaction)
                try add(TilePlace.root(of: leaves[...]), level: 1, at: index, transaction)
                last += UInt64(TilePlace.width)
            }
        } catch is LogError {
            // The sealing of the same commit goes on, and so does whoever appends.
        }
        if last > before {
            try transaction.put(meta, key: Self.tiledKey, value: bigEndianBytes(last))
        }
        return last
    }

    /// The hashes that stand in a tile, one after the other; none where there is no such tile.
    ///
    /// - Throws: `LogError.tileDamaged` where they are no hashes.
    func hashes(
        at place: TilePlace, _ transaction: borrowing some Reading & ~Copyable
    ) throws -> [UInt8] {
        guard let tiles else { return [] }
        var hashes: [UInt8] = []
        hashes.reserveCapacity(TilePlace.fullSize)
        try transaction.scan(tiles, .prefix(place.key)) { _, row in
            guard row.count <= TilePlace.fullSize else {
                throw LogError.tileDamaged(place)
            }
            row.withUnsafeBufferPointer { hashes.append(contentsOf: $0) }
            return .next
        }
        guard hashes.count % TilePlace.hashSize == 0, hashes.count <= TilePlace.fullSize else {
            throw LogError.tileDamaged(place)
        }
        return hashes
    }

    /// Takes tiles away, to have them made anew.
    ///
    /// - Returns: whether more are left for another transaction.
    func removeTiles(_ transaction: borrowing WriteTransaction) throws -> Bool {
        guard let tiles else { return false }
        // The note goes first: what it does not tell of is nobody's to read.
        _ = try transaction.delete(meta, key: Self.tiledKey)
        var keys: [[UInt8]] = []
        try transaction.scan(tiles) { key, _ in
            keys.append(key.copy())
            return keys.count < Self.mostRowsRemoved ? .next : .stop
        }
        for key in keys { _ = try transaction.delete(tiles, key: key) }
        return keys.count == Self.mostRowsRemoved
    }

    /// Hashes the 256 entries behind a sequence, and counts their bytes.
    private func leaves(
        behind last: UInt64, _ bytes: inout Int, _ transaction: borrowing WriteTransaction
    ) throws -> [UInt8] {
        var leaves: [UInt8] = []
        leaves.reserveCapacity(TilePlace.fullSize)
        let next = try scan(from: last + 1, transaction) { _, entry, _ in
            leaves += Merkle.leaf(entry)
            bytes += entry.count
            return leaves.count < TilePlace.fullSize ? .next : .stop
        }
        guard leaves.count == TilePlace.fullSize else { throw LogError.damaged(sequence: next) }
        return leaves
    }

    /// Adds the root of a full tile to the level above, and goes on upwards where that fills one.
    private func add(
        _ hash: Hash, level: Int, at position: UInt64, _ transaction: borrowing WriteTransaction
    ) throws {
        let width = UInt64(TilePlace.width)
        let place = TilePlace(level: level, index: position / width)
        let size = Int(position % width) * TilePlace.hashSize
        var hashes = try hashes(at: place, transaction)
        guard hashes.count >= size else { throw LogError.tileDamaged(place) }
        hashes.removeSubrange(size...)
        hashes += hash
        try put(hashes, at: place, transaction)
        guard hashes.count == TilePlace.fullSize else { return }
        try add(
            TilePlace.root(of: hashes[...]), level: level + 1, at: position / width, transaction)
    }

    private func put(
        _ hashes: [UInt8], at place: TilePlace, _ transaction: borrowing WriteTransaction
    ) throws {
        guard let tiles else { return }
        let most = TilePlace.fullSize - TilePlace.hashSize
        let (first, last) = (Array(hashes.prefix(most)), Array(hashes.dropFirst(most)))
        try transaction.put(tiles, key: place.key, value: first)
        guard !last.isEmpty else { return }
        try transaction.put(tiles, key: place.lastKey, value: last)
    }
}
