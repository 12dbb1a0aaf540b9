import LMDB

/// Holds the index against the events: each of them is found, and nothing else is there.
struct IndexAudit {
    private let environment: Environment
    private let ids: Table
    private let streams: Table
    private let tags: Table
    private let meta: Table
    /// The last sequence that it holds, as of the start.
    private let position: UInt64
    private let lastID: [UInt8]?
    private var idCount = 0
    private var streamCount = 0
    private var tagCount = 0
    private var problem: String?
    private(set) var looked: UInt64 = 0

    /// Opens the index for reading; `nil` where there is none, which is no damage.
    ///
    /// - Throws: `LMDBError`, `LogError.indexDamaged`.
    init?(directory: String) throws {
        guard Environment.exists(at: directory) else { return nil }
        var options = Options()
        options.mapSize = 256 << 30
        options.readOnly = true
        environment = try Environment(
            at: directory, tables: LogIndex.tableNames, options: options)
        ids = environment.table("ids")
        streams = environment.table("streams")
        tags = environment.table("tags")
        let meta = environment.table("meta")
        self.meta = meta
        (position, lastID) = try environment.read { transaction in
            (
                try LogIndex.position(transaction, meta, directory),
                try transaction.bytes(meta, key: LogIndex.lastKey)
            )
        }
    }

    /// Looks events up that the index should hold.
    mutating func take(_ events: [IndexedEvent]) throws {
        guard let first = events.first, first.sequence <= position, problem == nil else { return }
        try environment.read { transaction in
            for event in events where event.sequence <= position {
                looked += 1
                try take(event, transaction)
            }
        }
    }

    private mutating func take(
        _ event: IndexedEvent, _ transaction: borrowing ReadTransaction
    ) throws {
        let sequence = event.sequence
        idCount += 1
        let place = try transaction.bytes(ids, key: event.id.bytes)
        if place.flatMap({ bigEndianInteger($0) }) != sequence {
            problem = problem ?? "does not find event \(sequence) by its id"
        }
        let version = try transaction.bytes(streams, key: event.stream.bytes)
        if version.flatMap({ bigEndianInteger($0) }).map({ $0 < event.version }) ?? true {
            problem = problem ?? "has another version of the stream of event \(sequence)"
        }
        if event.version == 1 { streamCount += 1 }
        // An event may carry a tag twice; it has one row.
        for tag in Set(event.tags) {
            tagCount += 1
            guard try !transaction.contains(tags, key: tag.bytes + bigEndianBytes(sequence))
            else { continue }
            problem = problem ?? "does not find event \(sequence) by a tag"
        }
        if sequence == position, lastID != event.id.bytes {
            problem = problem ?? "was made of another log"
        }
    }

    /// Compares the numbers of rows, if the index stands where it stood, and tells; closes it.
    ///
    /// Beside a damaged log it tells nothing: what differs would be the log's fault.
    mutating func finish(size: UInt64, _ report: inout ScrubReport) {
        defer { try? environment.close() }
        report.indexed = looked
        guard report.isClean else {
            return report.leaveOut("whether the index is right, until the log is")
        }
        do {
            try compareCounts(size: size, &report)
        } catch {
            problem = problem ?? "cannot be read: \(error)"
        }
        if let problem { report.add(nil, "the index \(problem)", fix: .index) }
        report.leaveOut(
            "entries that the index does not hold yet, which is made up from the log",
            count: size - min(position, size))
    }

    private mutating func compareCounts(
        size: UInt64, _ report: inout ScrubReport
    ) throws {
        guard position <= size else {
            return report.add(
                "the index knows \(position) entries, and the log has \(size)",
                fix: "restore the log from a backup, unless that was just done: then the next "
                    + "command makes the index anew")
        }
        let (now, counts) = try environment.read { transaction in
            (
                try LogIndex.position(transaction, meta, environment.path),
                try [ids, streams, tags].map { try transaction.count($0) }
            )
        }
        guard now == position else {
            return report.leaveOut("whether the index has rows of no event")
        }
        if counts != [idCount, streamCount, tagCount] {
            problem = problem ?? "has rows of no event, or lacks some"
        }
    }
}
