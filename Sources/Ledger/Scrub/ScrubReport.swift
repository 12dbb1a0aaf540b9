/// What a scrub read, what of it is damaged, and what it could not tell.
package struct ScrubReport: Sendable, Equatable {
    /// Something that is not what it must be, with the fix.
    package struct Damage: Sendable, Equatable {
        /// The sequences that it concerns; `nil` where it concerns none.
        package var sequences: ClosedRange<UInt64>?
        package var problem: String
        package var fix: String
    }

    /// Something that was not checked, or that nothing in these files can tell.
    package struct Uncovered: Sendable, Equatable {
        package var what: String
        /// How many there are; `nil` where that is no number.
        package var count: UInt64?
    }

    /// Entries that were read, with damaged ones.
    package var events: UInt64 = 0
    /// Commits whose root was held against the entries.
    package var commits: UInt64 = 0
    /// Body parts whose length and SHA-256 were held against the entry.
    package var parts: UInt64 = 0
    /// Hash tiles that were held against hashes of the entries.
    package var tiles: UInt64 = 0
    /// Bytes of those entries and parts.
    package var bytes: UInt64 = 0
    /// Entries that were looked up in the index.
    package var indexed: UInt64 = 0
    /// The first 1,000 damages, in the order of the log.
    package private(set) var damages: [Damage] = []
    /// All damages.
    package private(set) var damageCount: UInt64 = 0
    package var uncovered: [Uncovered] = []

    package var isClean: Bool { damageCount == 0 }

    /// Whether hash tiles are damaged and nothing else is, so that the events can give them back.
    package var hasOnlyTilesDamaged: Bool {
        !isClean && damageCount == damages.count
            && damages.allSatisfy { $0.fix == Fix.tiles.rawValue }
    }

    private static var mostDamages: Int { 1_000 }

    /// Takes note of a damage that concerns no event.
    package mutating func add(_ problem: String, fix: String) {
        add(Damage(sequences: nil, problem: problem, fix: fix))
    }

    mutating func add(_ sequences: ClosedRange<UInt64>?, _ problem: String, fix: Fix) {
        add(Damage(sequences: sequences, problem: problem, fix: fix.rawValue))
    }

    private mutating func add(_ damage: Damage) {
        damageCount += 1
        if damages.count < Self.mostDamages { damages.append(damage) }
    }

    mutating func leaveOut(_ what: String, count: UInt64? = nil) {
        if count != 0 { uncovered.append(Uncovered(what: what, count: count)) }
    }

    /// What mends a damage.
    enum Fix: String {
        case log = "restore the log from a backup"
        case tiles = "`syncledger scrub --mend` makes the tiles anew from the events"
        case index = "delete the directory index, and the next command makes it from the log"
        case keys = "restore keys/ from a backup"
    }
}
