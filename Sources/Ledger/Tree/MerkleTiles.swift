import LMDB

/// Roots and paths of the log's tree at any size, from its hash tiles.
///
/// A path has a root or less for each level of the tree, and each is in one tile or two. What stands in
/// no tile yet is hashed from its entries: the newest 255 events at most where the writer has been
/// quiet, and everything in a log from before tiles. Each tile is read in a short transaction of its
/// own, for what stands in one never changes.
///
/// What tiles say is not held against the entries; whoever hands a path out checks it against the root.
package struct MerkleTiles {
    private let log: EventLog
    /// How many leaves stood in tiles when this was made.
    private let tiled: UInt64

    /// Looks how far the log's tiles reach.
    package init(_ log: EventLog) throws {
        self.log = log
        tiled = try log.environment.read { try log.tables.tiled($0) }
    }

    /// The root of the tree of the first so many events, which the log must hold.
    ///
    /// - Throws: `LogError.tileDamaged`, `LogError.gap`, `LogError.damaged`, `LMDBError`.
    package func root(of size: UInt64) throws -> Hash {
        size == 0 ? Merkle.emptyRoot : try root(over: 0..<size)
    }

    /// The path that proves an event in the tree of the first `size` events (RFC 9162, section 2.1.3).
    ///
    /// - Parameters:
    ///   - sequence: The event, whose leaf has the index `sequence` − 1.
    ///   - size: A size that the log has or had.
    /// - Returns: the hashes, the one beside the leaf first.
    /// - Throws: `LogError.tileDamaged`, `LogError.gap`, `LogError.damaged`, `LMDBError`.
    package func inclusion(of sequence: UInt64, in size: UInt64) throws -> [Hash] {
        precondition(1...size ~= sequence, "a tree of \(size) has no event \(sequence)")
        return try MerkleProof.inclusion(of: sequence - 1, in: 0..<size).map(root(over:))
    }

    /// The path that proves that the tree of the first `older` events is the beginning of that of the
    /// first `size` (RFC 9162, section 2.1.4).
    ///
    /// - Throws: `LogError.tileDamaged`, `LogError.gap`, `LogError.damaged`, `LMDBError`.
    package func consistency(of older: UInt64, in size: UInt64) throws -> [Hash] {
        precondition(older <= size, "a tree of \(size) does not continue one of \(older)")
        return try MerkleProof.consistency(of: older, in: size).map(root(over:))
    }

    // MARK: - Ranges of leaves

    /// The root over leaves that stand under one node of a tree, perfect but at its right edge.
    private func root(over leaves: Range<UInt64>) throws -> Hash {
        if leaves.lowerBound >= tiled { return try hashed(leaves) }
        if leaves.upperBound <= tiled, leaves.count.nonzeroBitCount == 1 {
            return try perfect(leaves)
        }
        let (left, right) = MerkleProof.halves(of: leaves)
        return try Merkle.node(root(over: left), root(over: right))
    }

    /// The root of a perfect subtree whose leaves all stand in tiles: hashes of one tile, folded.
    private func perfect(_ leaves: Range<UInt64>) throws -> Hash {
        let level = leaves.count.trailingZeroBitCount / 8
        let shift = TilePlace.shift(of: level)
        let position = leaves.lowerBound >> shift
        let width = UInt64(TilePlace.width)
        let place = TilePlace(level: level, index: position / width)
        let hashes = try log.environment.read { try log.tables.hashes(at: place, $0) }
        let first = Int(position % width) * TilePlace.hashSize
        let end = first + (leaves.count >> Int(shift)) * TilePlace.hashSize
        guard end <= hashes.count else { throw LogError.tileDamaged(place) }
        return TilePlace.root(of: hashes[first..<end])
    }

    /// The root over leaves that are hashed from their entries.
    private func hashed(_ leaves: Range<UInt64>) throws -> Hash {
        var tree = MerkleFrontier()
        try log.scan(from: leaves.lowerBound + 1) { _, entry, _ in
            tree.append(leaf: Merkle.leaf(entry))
            return tree.size < leaves.count ? .next : .stop
        }
        guard tree.size == leaves.count else {
            throw LogError.damaged(sequence: leaves.lowerBound + tree.size + 1)
        }
        return tree.root
    }
}
