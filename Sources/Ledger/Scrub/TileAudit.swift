import LMDB

/// Holds every hash tile against hashes that are made anew from the entries.
///
/// A tile that differs waits until the tree has told whether its entries are what was committed to: if
/// they are, the tile is wrong; if nothing else tells of damage among them, one of the two is; and where
/// an entry is known to be damaged, nothing can be told of the tile.
struct TileAudit {
    /// The tile of a level that is being made.
    private struct Open {
        var place: TilePlace
        var hashes: [UInt8] = []
        /// Whether an entry under it is known to be damaged.
        var isExplained: Bool
    }

    /// A tile that is not what its entries give.
    private struct Doubt {
        var place: TilePlace
        var sequences: ClosedRange<UInt64>
        var isExplained: Bool
    }

    /// What came to light of a tile: that it is wrong, or that it or one of its events is.
    enum Finding {
        case tile(TilePlace, ClosedRange<UInt64>, _ problem: String)
        case events(ClosedRange<UInt64>)
    }

    private let tables: LogTables
    /// So many events stood in tiles at the start.
    private let tiled: UInt64
    private var levels: [Open] = []
    private var doubts: [Doubt] = []
    private var missing: [Finding] = []
    /// Whether every tile so far was there and as it must be.
    private var isSound = true
    /// The last sequence that is known to be damaged.
    private var lastDamaged: UInt64 = 0
    /// Tiles that are what their entries give.
    private(set) var covered: UInt64 = 0
    /// Tiles over damaged entries that differ from them.
    private(set) var untold: UInt64 = 0

    init(_ tables: LogTables, _ transaction: borrowing ReadTransaction) throws {
        self.tables = tables
        tiled = try tables.tiled(transaction)
    }

    /// Takes the leaf of the next entry.
    mutating func take(_ leaf: Hash, _ transaction: borrowing ReadTransaction) throws {
        var hash = leaf
        var level = 0
        while true {
            if level == levels.count {
                levels.append(open(TilePlace(level: level, index: 0)))
            }
            levels[level].hashes += hash
            guard levels[level].hashes.count == TilePlace.fullSize else { return }
            let full = levels[level]
            levels[level] = open(TilePlace(level: level, index: full.place.index + 1))
            if isThere(full.place) { try compare(full, transaction) }
            hash = TilePlace.root(of: full.hashes[...])
            level += 1
        }
    }

    /// Takes note of events of which one is damaged, which explains other hashes.
    mutating func noteDamage(_ sequences: ClosedRange<UInt64>) {
        lastDamaged = max(lastDamaged, sequences.upperBound)
        for level in levels.indices where levels[level].place.sequences.overlaps(sequences) {
            levels[level].isExplained = true
        }
        for index in doubts.indices where doubts[index].sequences.overlaps(sequences) {
            doubts[index].isExplained = true
        }
    }

    private func open(_ place: TilePlace) -> Open {
        Open(place: place, isExplained: place.sequences.lowerBound <= lastDamaged)
    }

    /// Whether the tile, or a part of it, must have stood there at the start; of level 0 there are full
    /// ones only.
    private func isThere(_ place: TilePlace) -> Bool {
        let hashes = TilePlace.hashes(of: place.level, over: tiled)
        return hashes > place.index * UInt64(TilePlace.width)
    }

    /// Compares as many hashes as must stand in a tile by now, as far as they are known.
    private mutating func compare(
        _ open: Open, _ transaction: borrowing ReadTransaction
    ) throws {
        let (place, width) = (open.place, UInt64(TilePlace.width))
        let first = place.index * width
        let count = TilePlace.hashes(of: place.level, over: try tables.tiled(transaction))
        let size = Int(min(max(count, first) - first, width)) * TilePlace.hashSize
        let hashes = (try? tables.hashes(at: place, transaction)) ?? []
        let known = min(size, open.hashes.count)
        if hashes.count == size, hashes[..<known] == open.hashes[..<known] {
            covered += 1
            return
        }
        isSound = false
        let start = place.sequences.lowerBound
        let taken = UInt64(open.hashes.count / TilePlace.hashSize)
        let last = (first + taken) << TilePlace.shift(of: place.level)
        if hashes.isEmpty {
            missing.append(.tile(place, start...last, "is missing, or has no whole hashes"))
        } else {
            let doubt = Doubt(
                place: place, sequences: start...last, isExplained: open.isExplained)
            doubts.append(doubt)
        }
    }

    /// Tells of tiles that are missing, and of those that differ as far as the tree has spoken.
    mutating func findings(_ tree: TreeAudit, isOver: Bool = false) -> [Finding] {
        var findings = missing
        missing = []
        var waiting: [Doubt] = []
        // Those of lower levels come first, and what they tell explains those above.
        for index in doubts.indices {
            let doubt = doubts[index]
            if doubt.isExplained {
                untold += 1
            } else if tree.vouches(for: doubt.sequences) {
                let problem = "is not what the tree has there"
                findings.append(.tile(doubt.place, doubt.sequences, problem))
            } else if tree.mayVouch(for: doubt.sequences), !isOver {
                waiting.append(doubt)
            } else {
                findings.append(.events(doubt.sequences))
                noteDamage(doubt.sequences)
            }
        }
        doubts = waiting
        return findings
    }

    /// Compares the newest tiles of the levels above 0, which are not full.
    ///
    /// - Returns: whether there are as many rows as the log's note of its tiles says.
    mutating func finish(_ transaction: borrowing ReadTransaction) throws -> Bool {
        for open in levels.dropFirst() where isThere(open.place) { try compare(open, transaction) }
        guard let table = tables.tiles, isSound else { return true }
        let tiledNow = try tables.tiled(transaction)
        let width = UInt64(TilePlace.width)
        var rows = 0
        var level = 0
        while case let count = TilePlace.hashes(of: level, over: tiledNow), count > 0 {
            // A full tile has two rows; of level 0 there are no others.
            rows += Int(count / width) * 2 + (count % width > 0 ? 1 : 0)
            level += 1
        }
        return try transaction.count(table) == rows
    }
}
