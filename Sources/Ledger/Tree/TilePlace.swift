import LMDB

/// The place of a hash tile: 256 hashes of the tree that stand side by side, as in C2SP's tlog-tiles.
///
/// Level 0 has the leaf hashes, level n + 1 the roots of the full tiles of level n. So a hash of level
/// n is the root over 256ⁿ leaves, and tile 3 of level 0 tells of the events 769 to 1,024.
package struct TilePlace: Sendable, Hashable, CustomStringConvertible {
    package var level: Int
    package var index: UInt64

    /// The hashes of a full tile.
    static var width: Int { 256 }
    /// The bytes of a hash.
    static var hashSize: Int { 32 }
    static var fullSize: Int { width * hashSize }

    /// The leaves that one hash of a level stands for, as a power of two.
    static func shift(of level: Int) -> UInt64 { UInt64(8 * level) }

    /// How many hashes of a level stand in tiles when so many leaves do.
    static func hashes(of level: Int, over leaves: UInt64) -> UInt64 {
        // Of more than 64 bits nothing is left.
        leaves >> shift(of: level)
    }

    package var description: String { "\(level)/\(index)" }

    /// The sequences of the events that the tile tells of once it is full.
    var sequences: ClosedRange<UInt64> {
        let shift = Self.shift(of: level + 1)
        return index << shift + 1...(index + 1) << shift
    }

    /// Level and index, nine bytes; the rows of the tile have keys that begin with it.
    var key: [UInt8] { [UInt8(level)] + bigEndianBytes(index) }

    /// The key of the last hash, which has a row of its own.
    var lastKey: [UInt8] { key + [UInt8(Self.width - 1)] }

    /// The root over the hashes of a tile or of a part of one, whose number is a power of two.
    static func root(of hashes: ArraySlice<UInt8>) -> Hash {
        var row = hashes
        while row.count > hashSize {
            var next: [UInt8] = []
            next.reserveCapacity(row.count / 2)
            for left in stride(from: row.startIndex, to: row.endIndex, by: 2 * hashSize) {
                next += Merkle.node(pair: row[left..<left + 2 * hashSize])
            }
            row = next[...]
        }
        return Array(row)
    }
}
