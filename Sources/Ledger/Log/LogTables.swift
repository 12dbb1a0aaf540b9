import LMDB

/// The tables of the log's environment and how their rows read.
///
/// `events`: sequence → StoredEvent without large bodies. `parts`: sequence, part → a large body.
/// `commits`: last sequence of a commit → root. `meta`: `head`, `ledger`, `format`.
struct LogTables: Sendable {
    static let names = ["events", "parts", "commits", "meta"]
    static var format: UInt64 { 1 }

    let events: Table
    let parts: Table
    let commits: Table
    let meta: Table

    init(_ environment: Environment) {
        events = environment.table("events")
        parts = environment.table("parts")
        commits = environment.table("commits")
        meta = environment.table("meta")
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

    private func isClaimed(
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

    private static func head(_ bytes: [UInt8]?) throws -> LogHead {
        guard let bytes else { return LogHead() }
        let head = try WireDecoder.decode(LogHead.self, from: bytes)
        guard head.frontier.isSound else { throw LogError.damaged(sequence: head.size) }
        return head
    }

    func setHead(_ head: LogHead, _ transaction: borrowing WriteTransaction) throws {
        try transaction.put(meta, key: Self.headKey, value: WireEncoder.encode(head))
        try transaction.put(
            commits, key: bigEndianBytes(head.size), value: head.root, mode: .append)
    }

    /// Whether the event at a sequence is another sending of this one.
    func holds(
        _ draft: Entry, at sequence: UInt64, _ transaction: borrowing some Reading & ~Copyable
    ) throws -> Bool {
        let holds = try transaction.get(events, key: BigEndianKey(sequence)) { row in
            let entry = try EntryView(stored: row)
            guard entry.sequence == sequence, entry.id == draft.id else {
                throw LogError.damaged(sequence: sequence)
            }
            guard entry.stream == HandleKey(draft.stream), entry.type == draft.type,
                entry.partCount == draft.parts.count
            else { return false }
            for (index, part) in draft.parts.enumerated() {
                guard let stored = try entry.part(index, row)?.likeness else { return false }
                let likeness = part.likeness
                guard stored.count == likeness.count,
                    zip(stored, likeness).allSatisfy({ row[$0] == $1 })
                else { return false }
            }
            return true
        }
        guard let holds else { throw LogError.damaged(sequence: sequence) }
        return holds
    }

    func root(
        atOrBefore sequence: UInt64, _ transaction: borrowing ReadTransaction
    ) throws -> (sequence: UInt64, root: Hash)? {
        var found: (UInt64, Hash)?
        try transaction.scan(commits, .through(bigEndianBytes(sequence)), reversed: true) {
            key, value in
            if let sequence = bigEndianInteger(key.copy()) { found = (sequence, value.copy()) }
            return .stop
        }
        return found
    }

    func addLargeParts(
        to event: inout StoredEvent, sequence: UInt64, _ transaction: borrowing ReadTransaction
    ) throws {
        var large: [StoredEvent.Body] = []
        try transaction.scan(parts, .prefix(bigEndianBytes(sequence))) { key, value in
            large.append(.init(index: UInt64(key[8]), bytes: value.copy()))
            return .next
        }
        guard !large.isEmpty else { return }
        event.bodies = (event.bodies + large).sorted { $0.index < $1.index }
    }

    private static let headKey = Array("head".utf8)
    private static let ledgerKey = Array("ledger".utf8)
    private static let formatKey = Array("format".utf8)
}
