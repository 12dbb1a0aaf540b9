import Crypto

/// A SHA-256 hash, 32 bytes.
package typealias Hash = [UInt8]

/// The hashes of RFC 9162, section 2.1.
package enum Merkle {
    /// SHA-256(0x00 ‖ entry).
    package static func leaf(_ entry: [UInt8]) -> Hash { leaf(entry.span) }

    /// SHA-256(0x01 ‖ left ‖ right).
    package static func node(_ left: Hash, _ right: Hash) -> Hash {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(65)
        bytes.append(1)
        bytes.append(contentsOf: left)
        bytes.append(contentsOf: right)
        return digest(bytes)
    }

    /// SHA-256(0x01 ‖ left ‖ right) of two hashes that stand side by side.
    package static func node(pair: ArraySlice<UInt8>) -> Hash {
        digest(pair.span, after: 1)
    }

    /// The root of no leaves at all: SHA-256 of nothing.
    package static var emptyRoot: Hash { Array(SHA256.hash(data: [UInt8]())) }
}

/// The right edge of a Merkle tree: the roots of its perfect subtrees, largest first.
///
/// It is all that appending needs: a leaf costs one hash and, on average, one node. A tree of n
/// leaves has as many peaks as n has bits set.
package struct MerkleFrontier: WireMessage, Equatable {
    package private(set) var size: UInt64 = 0
    package private(set) var peaks: [Hash] = []
    package var unknownFields: [UInt8] = []

    package init() {}

    /// A tree whose size and peaks are known to belong together.
    init(size: UInt64, peaks: [Hash]) {
        self.size = size
        self.peaks = peaks
    }

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.unsigned(1, &size)
        if visitor.isDecoding {
            var peak: [UInt8]? = nil
            visitor.bytes(2, &peak)
            if let peak { peaks.append(peak) }
        } else {
            for peak in peaks {
                var one: [UInt8]? = peak
                visitor.bytes(2, &one)
            }
        }
    }

    /// Whether size and peaks belong together, as they must after decoding.
    package var isSound: Bool {
        peaks.count == size.nonzeroBitCount && peaks.allSatisfy { $0.count == 32 }
    }

    package mutating func append(leaf: Hash) {
        var carried = leaf
        var rest = size
        while rest & 1 == 1, let left = peaks.popLast() {
            carried = Merkle.node(left, carried)
            rest >>= 1
        }
        peaks.append(carried)
        size += 1
    }

    /// The tree's root: peaks folded from the right.
    package var root: Hash {
        guard var root = peaks.last else { return Merkle.emptyRoot }
        for peak in peaks.dropLast().reversed() { root = Merkle.node(peak, root) }
        return root
    }
}

/// That a leaf, or an older tree, stands in a tree.
///
/// Paths are told as ranges of leaves first, whose roots they consist of; whoever has those roots, from
/// leaves or from tiles, has the path.
package enum MerkleProof {
    /// The leaves, as ranges, whose roots prove leaf `index` among these (RFC 9162, section 2.1.3.1).
    static func inclusion(of index: UInt64, in leaves: Range<UInt64>) -> [Range<UInt64>] {
        guard leaves.count > 1 else { return [] }
        let (left, right) = halves(of: leaves)
        return index < right.lowerBound
            ? inclusion(of: index, in: left) + [right] : inclusion(of: index, in: right) + [left]
    }

    /// The path that proves leaf `index` in the tree of these leaves.
    package static func inclusion(of index: Int, in leaves: ArraySlice<Hash>) -> [Hash] {
        inclusion(of: UInt64(index), in: 0..<UInt64(leaves.count)).map { root(of: leaves, $0) }
    }

    /// Checks an inclusion path (RFC 9162, section 2.1.3.2).
    package static func verifyInclusion(
        of leaf: Hash, index: UInt64, size: UInt64, path: [Hash], root: Hash
    ) -> Bool {
        guard index < size else { return false }
        var position = index
        var last = size - 1
        var hash = leaf
        for step in path {
            if last == 0 { return false }
            if position & 1 == 1 || position == last {
                hash = Merkle.node(step, hash)
                while position & 1 == 0, position != 0 {
                    position >>= 1
                    last >>= 1
                }
            } else {
                hash = Merkle.node(hash, step)
            }
            position >>= 1
            last >>= 1
        }
        return last == 0 && hash == root
    }

    /// The leaves, as ranges, whose roots prove that the first `older` of so many are their beginning
    /// (section 2.1.4.1).
    static func consistency(of older: UInt64, in size: UInt64) -> [Range<UInt64>] {
        guard older > 0, older < size else { return [] }
        return subproof(older, 0..<size, isComplete: true)
    }

    /// The path that proves that the first `older` leaves are a tree's beginning.
    package static func consistency(of older: Int, in leaves: ArraySlice<Hash>) -> [Hash] {
        consistency(of: UInt64(older), in: UInt64(leaves.count)).map { root(of: leaves, $0) }
    }

    /// Checks a consistency path (section 2.1.4.2).
    package static func verifyConsistency(
        older: UInt64, olderRoot: Hash, size: UInt64, root: Hash, path: [Hash]
    ) -> Bool {
        guard older > 0, older <= size else { return false }
        if older == size { return path.isEmpty && olderRoot == root }
        var path = older.nonzeroBitCount == 1 ? [olderRoot] + path : path
        guard !path.isEmpty else { return false }
        var position = older - 1
        var last = size - 1
        while position & 1 == 1 {
            position >>= 1
            last >>= 1
        }
        var olderHash = path.removeFirst()
        var hash = olderHash
        for step in path {
            if last == 0 { return false }
            if position & 1 == 1 || position == last {
                olderHash = Merkle.node(step, olderHash)
                hash = Merkle.node(step, hash)
                while position & 1 == 0, position != 0 {
                    position >>= 1
                    last >>= 1
                }
            } else {
                hash = Merkle.node(hash, step)
            }
            position >>= 1
            last >>= 1
        }
        return last == 0 && olderHash == olderRoot && hash == root
    }

    /// The root over these leaves.
    package static func root(of leaves: ArraySlice<Hash>) -> Hash {
        var frontier = MerkleFrontier()
        for leaf in leaves { frontier.append(leaf: leaf) }
        return frontier.root
    }

    private static func root(of leaves: ArraySlice<Hash>, _ range: Range<UInt64>) -> Hash {
        let start = leaves.startIndex
        return root(of: leaves[start + Int(range.lowerBound)..<start + Int(range.upperBound)])
    }

    private static func subproof(
        _ older: UInt64, _ leaves: Range<UInt64>, isComplete: Bool
    ) -> [Range<UInt64>] {
        if older == leaves.upperBound { return isComplete ? [] : [leaves] }
        let (left, right) = halves(of: leaves)
        return older <= left.upperBound
            ? subproof(older, left, isComplete: isComplete) + [right]
            : subproof(older, right, isComplete: false) + [left]
    }

    /// Two leaves or more, split behind the largest power of two that leaves some.
    static func halves(of leaves: Range<UInt64>) -> (left: Range<UInt64>, right: Range<UInt64>) {
        let last = UInt64(leaves.count) - 1
        let middle = leaves.lowerBound + 1 << (63 - UInt64(last.leadingZeroBitCount))
        return (leaves.lowerBound..<middle, middle..<leaves.upperBound)
    }
}

extension Merkle {
    /// Plain SHA-256.
    package static func digest(_ bytes: [UInt8]) -> Hash {
        // Copied whole: a digest as a sequence is copied byte by byte.
        SHA256.hash(data: bytes).withUnsafeBytes { [UInt8]($0) }
    }

    /// Plain SHA-256 of bytes that are lent.
    package static func digest(_ bytes: Span<UInt8>) -> Hash {
        digest(bytes, after: nil)
    }

    /// SHA-256(0x00 ‖ entry) of an entry that is lent.
    package static func leaf(_ entry: Span<UInt8>) -> Hash {
        digest(entry, after: 0)
    }

    private static func digest(_ bytes: Span<UInt8>, after first: UInt8?) -> Hash {
        var hasher = SHA256()
        if let first { withUnsafeBytes(of: first) { hasher.update(bufferPointer: $0) } }
        bytes.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        return hasher.finalize().withUnsafeBytes { [UInt8]($0) }
    }
}
