package import LMDB

extension EventLog {
    /// Copies the stored events from a sequence on in one short read transaction.
    ///
    /// They are at most `limit`, and so many that entries and bodies are not more than `bytes`, but
    /// for a first event that is larger by itself.
    ///
    /// - Throws: `LogError.gap` when a sequence is missing, `LogError.damaged`.
    package func read(
        from first: UInt64, limit: Int, bytes: Int = .max
    ) throws -> [StoredEvent] {
        try read(max(first, 1)...UInt64.max, limit: limit, bytes: bytes) { _ in true }.events.map(
            \.event)
    }

    /// Copies those of the stored events in a range that are wanted, within the same limits and in one
    /// short read transaction: no more than 65,536 others are passed over.
    ///
    /// - Returns: the events, the sequence up to which all that are wanted are among them, and whether
    ///   it goes no further because the next would be too many bytes.
    /// - Throws: `LogError.gap` when a sequence is missing, `LogError.damaged`.
    package func read(
        _ range: ClosedRange<UInt64>, limit: Int, bytes: Int,
        where isWanted: (_ sequence: UInt64) -> Bool
    ) throws -> (events: [PlacedEvent], through: UInt64, isCut: Bool) {
        var through = range.lowerBound - 1
        guard limit > 0 else { return ([], through, false) }
        return try environment.read { transaction in
            var events: [PlacedEvent] = []
            var (room, passedOver) = (bytes, 0)
            var (isFull, isCut) = (false, false)
            let next = try tables.scan(from: range.lowerBound, transaction) {
                sequence, entry, bodies in
                if isWanted(sequence) {
                    let event = try stored(sequence, entry, bodies, transaction)
                    room -= event.size
                    isCut = room < 0 && !events.isEmpty
                    if isCut { return .stop }
                    events.append((sequence, event))
                } else {
                    passedOver += 1
                }
                through = sequence
                isFull =
                    events.count == limit || sequence == range.upperBound
                    || passedOver == Self.mostPassedOver
                return isFull ? .stop : .next
            }
            if !isFull, !isCut, next <= (try tables.head(transaction).size) {
                throw LogError.damaged(sequence: next)
            }
            return (events, through, isCut)
        }
    }

    private static var mostPassedOver: Int { 65_536 }

    /// An event out of its row, with the parts that stand beside it.
    private func stored(
        _ sequence: UInt64, _ entry: Span<UInt8>, _ bodies: Span<UInt8>,
        _ transaction: borrowing ReadTransaction
    ) throws -> StoredEvent {
        guard var event = try? StoredEvent(entry: entry, bodies: bodies),
            let parts = try? EntryView(entry).partCount
        else { throw LogError.damaged(sequence: sequence) }
        // What does not stand in the row may stand beside it.
        if parts > event.bodies.count {
            try tables.addLargeParts(to: &event, sequence: sequence, transaction)
        }
        return event
    }

    /// Lends the events from a sequence to the end of the log, until the closure says stop: the bytes
    /// of the entry, and those of the bodies that stand in its row (`StoredEvent.Body`).
    ///
    /// They are only valid during each call. A new snapshot is taken every 2,048 events, so that a
    /// long scan keeps no page from being reused; entries never change, so it sees no difference, and
    /// events that are appended meanwhile come too. `readerExpired` where 2,048 take half a minute.
    ///
    /// - Throws: `LogError.gap` when a sequence is missing, `LogError.damaged`.
    package func scan(
        from first: UInt64,
        _ body: (_ sequence: UInt64, _ entry: Span<UInt8>, _ bodies: Span<UInt8>) throws -> ScanStep
    ) throws {
        var next = max(first, 1)
        var isOver = false
        while !isOver {
            try environment.read { transaction in
                var left = Self.eventsPerSnapshot
                next = try tables.scan(from: next, transaction) { sequence, entry, bodies in
                    left -= 1
                    if try body(sequence, entry, bodies) == .next {
                        return left > 0 ? .next : .stop
                    }
                    isOver = true
                    return .stop
                }
                guard left > 0, !isOver else { return }
                isOver = true
                if next <= (try tables.head(transaction).size) {
                    throw LogError.damaged(sequence: next)
                }
            }
        }
    }

    /// The sequences of all events of a run, ascending: a scan of the whole log.
    package func sequences(of run: RunID) throws -> [UInt64] {
        var found: [UInt64] = []
        try scan(from: 1) { sequence, entry, _ in
            if try EntryView(entry).run == run { found.append(sequence) }
            return .next
        }
        return found
    }

    /// Eight bundles.
    private static var eventsPerSnapshot: Int { 8 * Bundle.mostEvents }
}

/// An event as it is stored, and where it stands.
package typealias PlacedEvent = (sequence: UInt64, event: StoredEvent)

extension StoredEvent {
    /// The bytes of entry and bodies.
    fileprivate var size: Int { bodies.reduce(entry.count) { $0 + $1.bytes.count } }
}
