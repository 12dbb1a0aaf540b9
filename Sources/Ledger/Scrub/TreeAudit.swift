/// Holds entries, one after the other, against the roots that the commits left.
///
/// One entry that was changed spoils every later root. Yet the head knows the roots of the tree's
/// perfect subtrees: behind such a subtree the true tree is taken up again, and later damage is found
/// as if there had been none before.
struct TreeAudit {
    private var frontier = MerkleFrontier()
    /// The last sequence at which the tree was the one that was committed to.
    private var proven: UInt64 = 0
    private var isTrue = true
    /// The first sequence behind the last damage, or behind what it left untold.
    private var trueFrom: UInt64 = 1
    /// Whether an entry since `proven` is known to be damaged, which explains another root.
    private var isExplained = false
    /// The trees that the heads tell of, by their size.
    private var known: [UInt64: MerkleFrontier] = [:]
    /// Entries behind a damaged one, of which the tree cannot tell whether they are intact.
    private(set) var untold: UInt64 = 0

    /// Takes the heads of the log that are sound.
    init(heads: [LogHead]) {
        for head in heads {
            for tree in head.frontier.beginnings { known[tree.size] = tree }
        }
    }

    /// The last sequence that was taken.
    var last: UInt64 { frontier.size }

    /// Takes the leaf of the next entry.
    mutating func take(_ leaf: Hash) { frontier.append(leaf: leaf) }

    /// Takes note of an entry that is missing, unreadable or another one.
    mutating func noteDamage() { isExplained = true }

    /// Compares with what is known of the tree here; `root` is that of a commit that ended here.
    ///
    /// - Returns: the sequences among which an entry was changed, if that comes to light here.
    mutating func compare(root: Hash?) -> ClosedRange<UInt64>? {
        let tree = known[last]
        guard isTrue else {
            if let tree { take(up: tree) }
            return nil
        }
        let agrees =
            (root.map { $0 == frontier.root } ?? true)
            && (tree.map { $0.peaks == frontier.peaks } ?? true)
        if agrees {
            if root != nil || tree != nil { (proven, isExplained) = (last, false) }
            return nil
        }
        let found = isExplained ? nil : proven + 1...last
        isTrue = false
        untold += isExplained ? last - proven : 0
        proven = last
        if let tree { take(up: tree) }
        return found
    }

    /// Whether these entries are what was committed to, all of them.
    func vouches(for sequences: ClosedRange<UInt64>) -> Bool {
        mayVouch(for: sequences) && sequences.upperBound <= proven
    }

    /// Whether that has been told or may still be.
    func mayVouch(for sequences: ClosedRange<UInt64>) -> Bool {
        isTrue && sequences.lowerBound >= trueFrom
    }

    private mutating func take(up tree: MerkleFrontier) {
        untold += last - proven
        (frontier, proven, isTrue, isExplained) = (tree, last, true, false)
        trueFrom = last + 1
    }

    /// Ends it: what follows the last damage stays untold.
    mutating func finish() {
        if !isTrue || isExplained { untold += last - proven }
    }
}

extension MerkleFrontier {
    /// The trees of which this one's beginning is made: those of its first peaks.
    fileprivate var beginnings: [MerkleFrontier] {
        var trees: [MerkleFrontier] = []
        var rest = size
        for count in 1..<peaks.count + 1 {
            // The largest power of two that is left is the next peak's size.
            rest &= ~(1 << UInt64(63 - rest.leadingZeroBitCount))
            trees.append(MerkleFrontier(size: size - rest, peaks: Array(peaks.prefix(count))))
        }
        return trees
    }
}
