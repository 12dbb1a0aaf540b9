import Crypto
import LMDB

/// Holds one event after the other against the tree, its commit, its parts and their keys.
struct EventAudit {
    var report = ScrubReport()
    private(set) var tree: TreeAudit
    private var tiles: TileAudit
    private let tables: LogTables
    private var commits: RowPager
    private var largeParts: RowPager
    private var keys: KeyAudit
    private var lastRecordedAt: Timestamp?
    private var removed: UInt64 = 0
    private var unreadable: UInt64 = 0
    private var sealedParts: UInt64 = 0
    /// Where the bodies of an event's row stand, by their part.
    private var inline: [UInt64: Range<Int>] = [:]

    init(tables: LogTables, heads: [LogHead], tiles: TileAudit, keys: KeyAudit) {
        self.tables = tables
        self.tiles = tiles
        self.keys = keys
        tree = TreeAudit(heads: heads)
        commits = RowPager(tables.commits, copiesValues: true)
        largeParts = RowPager(tables.parts, copiesValues: false)
    }

    // MARK: - Entries

    /// Takes the next event; answers what the index must hold of it.
    mutating func take(
        _ sequence: UInt64, _ entry: Span<UInt8>, _ bodies: Span<UInt8>,
        _ transaction: borrowing ReadTransaction
    ) throws -> IndexedEvent? {
        report.events += 1
        report.bytes += UInt64(entry.count + bodies.count)
        try take(leaf: Merkle.leaf(entry), transaction)
        guard let view = try? EntryView(entry), let indexed = try? IndexedEvent(entry),
            view.sequence == sequence
        else {
            damage(sequence...sequence, "is not the entry that must stand there")
            try compare(transaction)
            return nil
        }
        if let last = lastRecordedAt, view.recordedAt.map({ $0 <= last }) ?? true {
            damage(sequence - 1...sequence, "is not recorded in order")
        }
        lastRecordedAt = view.recordedAt ?? lastRecordedAt
        try checkParts(of: view, entry, bodies, transaction)
        try compare(transaction)
        return indexed
    }

    /// Takes note of events that are not there, or whose row cannot be read.
    mutating func miss(
        _ sequences: ClosedRange<UInt64>, _ problem: String,
        _ transaction: borrowing ReadTransaction
    ) throws {
        damage(sequences, problem)
        let nothing = Hash(repeating: 0, count: 32)
        for _ in sequences {
            tree.noteDamage()
            try take(leaf: nothing, transaction)
            try compare(transaction)
        }
    }

    private mutating func take(leaf: Hash, _ transaction: borrowing ReadTransaction) throws {
        tree.take(leaf)
        try tiles.take(leaf, transaction)
    }

    /// Takes note of a damage to entries.
    mutating func damage(_ sequences: ClosedRange<UInt64>?, _ problem: String) {
        report.add(sequences, problem, fix: .log)
        tree.noteDamage()
        if let sequences { tiles.noteDamage(sequences) }
    }

    // MARK: - Commits and tiles

    /// Compares the tree with the root of the commit that ended here, if one did.
    private mutating func compare(_ transaction: borrowing ReadTransaction) throws {
        var root: Hash?
        while let row = try commits.next(transaction) {
            let end = row.key.count == 8 ? bigEndianInteger(row.key) : nil
            if let end, end > tree.last { break }
            commits.drop()
            if let end, end == tree.last, row.value.count == 32 {
                report.commits += 1
                root = row.value
            } else {
                let at = end ?? tree.last
                report.add(at...at, "has a root beside it that is none", fix: .log)
            }
        }
        if let changed = tree.compare(root: root) {
            damage(changed, "is not what the tree committed to")
        }
        tellTiles()
    }

    private mutating func tellTiles(isOver: Bool = false) {
        for finding in tiles.findings(tree, isOver: isOver) {
            switch finding {
            case .events(let sequences):
                report.add(sequences, "is not what its hash tile says", fix: .log)
            case .tile(let place, let sequences, let problem):
                let events = "events \(sequences.lowerBound) to \(sequences.upperBound)"
                report.add(nil, "the hash tile \(place) over \(events) \(problem)", fix: .tiles)
            }
        }
    }

    // MARK: - Parts

    private mutating func checkParts(
        of view: EntryView, _ entry: Span<UInt8>, _ bodies: Span<UInt8>,
        _ transaction: borrowing ReadTransaction
    ) throws {
        let sequence = view.sequence
        guard let found = try? StoredEvent.places(in: bodies) else {
            return report.add(sequence...sequence, "has bodies that cannot be read", fix: .log)
        }
        inline = found
        let beside = try besides(sequence, transaction)
        var number: UInt64 = 0
        do {
            try view.eachPart(entry) { part in
                try check(part, number, sequence, entry, bodies, beside, transaction)
                number += 1
            }
        } catch is WireError {
            return damage(sequence...sequence, "tells of parts that cannot be read")
        }
        let surplus = inline.count + beside.count { UInt64($0) >= number }
        if surplus > 0 {
            report.add(sequence...sequence, "has bodies that its entry does not tell of", fix: .log)
        }
    }

    /// Finds the body of a part, in its row or beside it.
    private mutating func check(
        _ part: PartView, _ number: UInt64, _ sequence: UInt64, _ entry: Span<UInt8>,
        _ bodies: Span<UInt8>, _ beside: [UInt8], _ transaction: borrowing ReadTransaction
    ) throws {
        if let range = inline.removeValue(forKey: number) {
            return check(part, number, sequence, entry, bodies.extracting(range))
        }
        let place = UInt8(truncatingIfNeeded: number)
        guard beside.contains(place) else { return missing(part, number, sequence) }
        let key = bigEndianBytes(sequence) + [place]
        let isThere: Void? = try transaction.get(tables.parts, key: key) { body in
            report.bytes += UInt64(body.count)
            check(part, number, sequence, entry, body)
        }
        if isThere == nil { missing(part, number, sequence) }
    }

    private mutating func check(
        _ part: PartView, _ number: UInt64, _ sequence: UInt64, _ entry: Span<UInt8>,
        _ body: Span<UInt8>
    ) {
        report.parts += 1
        guard body.count == Int(clamping: part.length),
            Merkle.digest(body) == entry.extracting(part.sha256).copy()
        else {
            return report.add(
                sequence...sequence, "has a part \(number) that is not what its entry says",
                fix: .log)
        }
        guard let subject = part.subject else { return }
        sealedParts += 1
        if keys.contains(subject, part.category) == false { unreadable += 1 }
    }

    /// A sealed part may be removed once its key is gone; a plain one is there, unless it is empty.
    private mutating func missing(_ part: PartView, _ number: UInt64, _ sequence: UInt64) {
        if let subject = part.subject, keys.contains(subject, part.category) != true {
            removed += 1
        } else if part.subject != nil || part.length > 0 {
            report.add(sequence...sequence, "lacks its part \(number)", fix: .log)
        }
    }

    /// The parts of an event that stand beside the rows; tells of those before, which no event has.
    private mutating func besides(
        _ sequence: UInt64, _ transaction: borrowing ReadTransaction
    ) throws -> [UInt8] {
        var parts: [UInt8] = []
        while let row = try largeParts.next(transaction) {
            let owner = row.key.count == 9 ? bigEndianInteger(Array(row.key.prefix(8))) : nil
            if let owner, owner > sequence { break }
            largeParts.drop()
            if let owner, owner == sequence {
                parts.append(row.key[8])
            } else {
                let at = owner ?? sequence
                report.add(
                    at...at, "has a large part beside it that it does not tell of", fix: .log)
            }
        }
        return parts
    }

    // MARK: - The end

    /// The report, when the last event was taken.
    mutating func finish(_ transaction: borrowing ReadTransaction) throws -> ScrubReport {
        tree.finish()
        if try !tiles.finish(transaction) {
            let problem = "the log's note of how far it stands in hash tiles is wrong"
            report.add(nil, problem, fix: .tiles)
        }
        tellTiles(isOver: true)
        report.tiles = tiles.covered
        keys.finish(sealedParts: sealedParts, &report)
        report.leaveOut(
            "entries behind a damaged one, of which the tree cannot tell whether they are intact",
            count: tree.untold)
        report.leaveOut(
            "hash tiles over damaged entries, of which the tree cannot tell more",
            count: tiles.untold)
        report.leaveOut(
            "sealed parts that were removed: only their entries tell of them", count: removed)
        report.leaveOut(
            "sealed parts whose key is erased or gone: unchanged, but nobody can read them",
            count: unreadable)
        return report
    }
}
