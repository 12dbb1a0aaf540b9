import LMDB

/// The tables of the log's environment and how their rows read.
///
/// `events`: sequence → StoredEvent without large bodies, or last sequence → `Bundle` of such. `parts`:
/// sequence, part → a large body. `commits`: last sequence of a commit → root. `tiles`: level, index →
/// hashes of the tree (`TilePlace`). `meta`: `head`, the head `before` the last commit, the last sequence
/// that is `sealed` into a bundle, the last that is `tiled`, `ledger`, `format`.
struct LogTables: Sendable {
    static let names = ["events", "parts", "commits", "meta", "tiles"]
    /// What a log from before has not got, and a scrub of it cannot make.
    static let optionalNames: Set<String> = ["tiles"]
    /// 2 has bundles; a log of format 1 is one without, and takes on 2 with its first bundle.
    ///
    /// Tiles need no format of their own: they stand in a table that a program without them never
    /// opens, and what it appends is tiled by the next writer that knows of them.
    static var format: UInt64 { 2 }

    let events: Table
    let parts: Table
    let commits: Table
    let meta: Table
    let tiles: Table?

    init(_ environment: Environment) {
        events = environment.table("events")
        parts = environment.table("parts")
        commits = environment.table("commits")
        meta = environment.table("meta")
        tiles = environment.optionalTable("tiles")
    }

    /// Writes the ledger's id and format into a new log; refuses another's or a newer one.
    func claim(_ environment: Environment, for ledger: LedgerID) throws {
        if try environment.read({ try isClaimed($0, by: ledger) }) { return }
        try environment.write { transaction in
            // Another process may have been first.
            if try isClaimed(transaction, by: ledger) { return }
            try transaction.put(meta, key: Self.ledgerKey, value: ledger.bytes)
            try transaction.put(meta, key: Self.formatKey, value: bigEndianBytes(Self.format))
        }
    }

    /// Whether the log is this ledger's; `false` where it is nobody's yet.
    ///
    /// - Throws: `LogError.newerFormat`, `LogError.otherLedger`.
    func isClaimed(
        _ transaction: borrowing some Reading & ~Copyable, by ledger: LedgerID
    ) throws -> Bool {
        // The format comes first: it says how everything else reads.
        guard
            let format = try transaction.bytes(meta, key: Self.formatKey)
                .flatMap({ bigEndianInteger($0) })
        else { return false }
        guard format <= Self.format else { throw LogError.newerFormat(format) }
        guard try transaction.bytes(meta, key: Self.ledgerKey) == ledger.bytes else {
            throw LogError.otherLedger
        }
        return true
    }

    func head(_ transaction: borrowing some Reading & ~Copyable) throws -> LogHead {
        try Self.head(transaction.bytes(meta, key: Self.headKey))
    }

    static func head(_ bytes: [UInt8]?) throws -> LogHead {
        guard let bytes else { return LogHead() }
        guard let head = try? WireDecoder.decode(LogHead.self, from: bytes) else {
            throw LogError.damaged(sequence: 0)
        }
        guard head.frontier.isSound else { throw LogError.damaged(sequence: head.size) }
        return head
    }

    func setHead(
        _ head: LogHead, after before: LogHead, _ transaction: borrowing WriteTransaction
    ) throws {
        try transaction.put(meta, key: Self.beforeKey, value: WireEncoder.encode(before))
        try transaction.put(meta, key: Self.headKey, value: WireEncoder.encode(head))
        try transaction.put(
            commits, key: bigEndianBytes(head.size), value: head.root, mode: .append)
    }

    /// Holds the events of the last commit against the head that it left.
    ///
    /// They must lead from the head before to the head, and both roots must stand among the commits.
    /// Reads one commit, however long the log is.
    ///
    /// - Throws: `LogError.damaged` with the first sequence that cannot be trusted.
    func verifyTail(_ transaction: borrowing ReadTransaction) throws {
        let head = try head(transaction)
        guard head.size > 0 else { return }
        let before = try Self.head(transaction.bytes(meta, key: Self.beforeKey))
        guard before.size < head.size else { throw LogError.damaged(sequence: head.size) }
        var frontier = before.frontier
        do {
            try scan(from: before.size + 1, transaction) { _, entry, _ in
                frontier.append(leaf: Merkle.leaf(entry))
                return .next
            }
        } catch LogError.gap(let expected, _) {
            throw LogError.damaged(sequence: expected)
        }
        guard frontier == head.frontier,
            try before.size == 0 || root(at: before.size, transaction) == before.root,
            try root(at: head.size, transaction) == head.root
        else { throw LogError.damaged(sequence: before.size + 1) }
    }

    func root(
        atOrBefore sequence: UInt64, _ transaction: borrowing ReadTransaction
    ) throws -> (sequence: UInt64, root: Hash)? {
        var found: (UInt64, Hash)?
        try transaction.scan(commits, .through(bigEndianBytes(sequence)), reversed: true) {
            key, value in
            guard let end = BigEndianKey(key)?.value, value.count == 32 else {
                throw LogError.damaged(sequence: sequence)
            }
            found = (end, value.copy())
            return .stop
        }
        return found
    }

    /// The root of the commit that ended here; `nil` where none did.
    func root(
        at sequence: UInt64, _ transaction: borrowing some Reading & ~Copyable
    ) throws -> Hash? {
        let root = try transaction.bytes(commits, key: bigEndianBytes(sequence))
        guard root.map({ $0.count == 32 }) ?? true else {
            throw LogError.damaged(sequence: sequence)
        }
        return root
    }

    func addLargeParts(
        to event: inout StoredEvent, sequence: UInt64,
        _ transaction: borrowing some Reading & ~Copyable
    ) throws {
        var large: [StoredEvent.Body] = []
        try transaction.scan(parts, .prefix(bigEndianBytes(sequence))) { key, value in
            guard key.count == 9 else { throw LogError.damaged(sequence: sequence) }
            large.append(.init(index: UInt64(key[8]), bytes: value.copy()))
            return .next
        }
        guard !large.isEmpty else { return }
        event.bodies = (event.bodies + large).sorted { $0.index < $1.index }
    }

    static let headKey = Array("head".utf8)
    static let beforeKey = Array("before".utf8)
    static let sealedKey = Array("sealed".utf8)
    static let tiledKey = Array("tiled".utf8)
    private static let ledgerKey = Array("ledger".utf8)
    static let formatKey = Array("format".utf8)
}
