import LMDB

/// Walks over the rows of the log and goes on behind what cannot be read.
struct RowAudit {
    private(set) var events: EventAudit
    private let tables: LogTables
    /// The last sequence of the log, as of the start.
    private let size: UInt64
    private var next: UInt64 = 1
    /// The key of the last row that was read.
    private var lastKey: [UInt8]?
    private var isFirstOfSnapshot = true
    private(set) var found: [IndexedEvent] = []

    /// Eight bundles a snapshot, so that no page is kept from being reused for long.
    private static var eventsPerSnapshot: Int { 8 * Bundle.mostEvents }

    init(_ events: EventAudit, tables: LogTables, size: UInt64) {
        self.events = events
        self.tables = tables
        self.size = size
    }

    var position: UInt64 { next - 1 }

    /// Reads on for one snapshot, of which `found` then tells; `false` at the end.
    mutating func step(_ environment: Environment) throws -> Bool {
        found = []
        guard next <= size else { return false }
        let goal = next + UInt64(Self.eventsPerSnapshot)
        try environment.read { transaction in
            isFirstOfSnapshot = true
            var isOver = true
            try transaction.scan(tables.events, lastKey.map { .after($0) } ?? .all) { key, row in
                try take(key, row, transaction)
                isFirstOfSnapshot = false
                lastKey = key.copy()
                isOver = next > size
                return isOver || next >= goal ? .stop : .next
            }
            if isOver, next <= size {
                try miss(through: size, "is missing", transaction)
            }
        }
        return true
    }

    private mutating func take(
        _ key: Span<UInt8>, _ row: Span<UInt8>, _ transaction: borrowing ReadTransaction
    ) throws {
        guard let last = BigEndianKey(key)?.value, last >= next else {
            return events.damage(next...next, "has a row before it that is no event")
        }
        if Bundle.isOne(row) { return try takeBundle(row, through: last, transaction) }
        try miss(through: min(last - 1, size), "is missing", transaction)
        guard last <= size else { return }
        guard let place = try? LogTables.single(row, at: last) else {
            return try miss(through: last, "cannot be read", transaction)
        }
        try take(row, place, transaction)
    }

    private mutating func takeBundle(
        _ row: Span<UInt8>, through last: UInt64, _ transaction: borrowing ReadTransaction
    ) throws {
        guard let bundle = Bundle(row), UInt64(bundle.count) <= last else {
            let problem = "stands in a bundle whose head cannot be read"
            return try miss(through: min(last, size), problem, transaction)
        }
        let first = last - UInt64(bundle.count) + 1
        try miss(through: min(first - 1, size), "is missing", transaction)
        // What was read as single events may have been sealed since the last snapshot.
        if first < next, !isFirstOfSnapshot {
            events.damage(first...next - 1, "stands twice, in two bundles")
        }
        while next <= min(last, size) {
            if let place = bundle.place(of: Int(next - first), in: row) {
                try take(row, place, transaction)
            } else {
                let problem = "stands in a bundle whose offsets make no sense"
                try miss(through: next, problem, transaction)
            }
        }
    }

    private mutating func take(
        _ row: Span<UInt8>, _ place: (entry: Range<Int>, bodies: Range<Int>),
        _ transaction: borrowing ReadTransaction
    ) throws {
        let event = try events.take(
            next, row.extracting(place.entry), row.extracting(place.bodies), transaction)
        if let event { found.append(event) }
        next += 1
    }

    /// Looks behind the last event, and hands the report over.
    mutating func finish(_ transaction: borrowing ReadTransaction) throws -> ScrubReport {
        let end = max(size, (try? tables.head(transaction).size) ?? 0)
        for table in [tables.events, tables.parts] {
            let key = try transaction.lastKey(table) ?? []
            if key.count >= 8, (bigEndianInteger(Array(key.prefix(8))) ?? 0) > end {
                events.damage(nil, "\(table.name) of no commit stand behind the last event")
            }
        }
        if try !isSealedWhereItSays(transaction) {
            events.report.add(nil, "the log's note of how far it is sealed is wrong", fix: .log)
        }
        events.report.leaveOut("events that were appended meanwhile", count: end - size)
        return try events.finish(transaction)
    }

    /// Whether bundles end where the log says, which is where the next sealing begins.
    private func isSealedWhereItSays(_ transaction: borrowing ReadTransaction) throws -> Bool {
        guard let sealed = try? tables.sealed(transaction) else { return false }
        let last = try transaction.get(tables.events, key: BigEndianKey(sealed)) {
            Bundle.isOne($0)
        }
        var next = false
        try transaction.scan(tables.events, .after(bigEndianBytes(sealed))) { _, row in
            next = Bundle.isOne(row)
            return .stop
        }
        return !next && (last ?? (sealed == 0))
    }

    private mutating func miss(
        through last: UInt64, _ problem: String, _ transaction: borrowing ReadTransaction
    ) throws {
        guard next <= last else { return }
        try events.miss(next...last, problem, transaction)
        next = last + 1
    }
}
