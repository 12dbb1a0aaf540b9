import LMDB

/// Reading the rows of the log, which hold one event each or a bundle of them.
extension LogTables {
    /// Lends the events from a sequence on, until the closure says stop: the bytes of the entry, and
    /// those behind it in the row, which are the bodies that stand there (`StoredEvent.Body`).
    ///
    /// They are only valid during each call. Nothing is decoded, so who reads compares sequences.
    ///
    /// - Returns: the sequence behind the last event that was lent.
    /// - Throws: `LogError.gap` where a sequence is missing, `LogError.damaged` where a row is no
    ///   event and no bundle, each with the sequence that was expected.
    @discardableResult
    func scan(
        from first: UInt64, _ transaction: borrowing some Reading & ~Copyable,
        _ body: (_ sequence: UInt64, _ entry: Span<UInt8>, _ bodies: Span<UInt8>) throws -> ScanStep
    ) throws -> UInt64 {
        var next = max(first, 1)
        try transaction.scan(events, .from(bigEndianBytes(next))) { key, row in
            guard let last = BigEndianKey(key)?.value else {
                throw LogError.damaged(sequence: next)
            }
            guard Bundle.isOne(row) else {
                guard last == next else { throw LogError.gap(expected: next, found: last) }
                let place = try Self.single(row, at: next)
                next += 1
                return try body(last, row.extracting(place.entry), row.extracting(place.bodies))
            }
            return try Self.scan(row, through: last, &next, body)
        }
        return next
    }

    /// Lends the events of a bundle from `next` on.
    private static func scan(
        _ row: Span<UInt8>, through last: UInt64, _ next: inout UInt64,
        _ body: (UInt64, Span<UInt8>, Span<UInt8>) throws -> ScanStep
    ) throws -> ScanStep {
        guard let bundle = Bundle(row), UInt64(bundle.count) <= last else {
            throw LogError.damaged(sequence: next)
        }
        let first = last - UInt64(bundle.count) + 1
        guard first <= next else { throw LogError.gap(expected: next, found: first) }
        while next <= last {
            guard let place = bundle.place(of: Int(next - first), in: row) else {
                throw LogError.damaged(sequence: next)
            }
            next += 1
            let step = try body(
                next - 1, row.extracting(place.entry), row.extracting(place.bodies))
            if step == .stop { return .stop }
        }
        return .next
    }

    /// Where entry and bodies stand in a row of one event, whose first field is the entry.
    static func single(
        _ row: Span<UInt8>, at sequence: UInt64
    ) throws -> (entry: Range<Int>, bodies: Range<Int>) {
        var walk = FieldWalk(0..<row.count)
        guard (try? walk.next(row)) == true, walk.isAt(1, .lengthDelimited) else {
            throw LogError.damaged(sequence: sequence)
        }
        return (walk.payload, walk.position..<row.count)
    }

    /// Lends one event; `nil` where none stands at the sequence.
    func event<R>(
        at sequence: UInt64, _ transaction: borrowing some Reading & ~Copyable,
        _ body: (_ entry: Span<UInt8>, _ bodies: Span<UInt8>) throws -> R
    ) throws -> R? {
        var result: R?
        do {
            try scan(from: sequence, transaction) { _, entry, bodies in
                result = try body(entry, bodies)
                return .stop
            }
        } catch LogError.gap(expected: sequence, _) {
            return nil
        }
        return result
    }
}

extension StoredEvent {
    /// Copies an event out of the log's rows, but for the parts that stand beside its own.
    ///
    /// - Throws: `WireError` where the bodies are none.
    package init(entry: Span<UInt8>, bodies: Span<UInt8>) throws(WireError) {
        self.init()
        var walk = FieldWalk(0..<bodies.count)
        while try walk.next(bodies) {
            guard walk.isAt(2, .lengthDelimited), let body = try Body(bodies, walk.payload) else {
                // A newer writer's fields are kept, which the slower reader does.
                self = try WireDecoder.decode(from: Self.row(entry, bodies))
                return
            }
            self.bodies.append(body)
        }
        self.entry = entry.copy()
    }

    /// Where the bodies stand among the bytes behind an entry, by their part; nothing else may be
    /// there.
    static func places(in bodies: Span<UInt8>) throws(WireError) -> [UInt64: Range<Int>] {
        var places: [UInt64: Range<Int>] = [:]
        var walk = FieldWalk(0..<bodies.count)
        while try walk.next(bodies) {
            guard walk.isAt(2, .lengthDelimited) else { throw walk.problem("no body") }
            var inner = FieldWalk(walk.payload)
            var (index, content) = (UInt64(0), 0..<0)
            while try inner.next(bodies) {
                switch (inner.number, inner.type) {
                case (1, .varint): index = inner.varint
                case (2, .lengthDelimited): content = inner.payload
                default: throw inner.problem("no body")
                }
            }
            places[index] = content
        }
        return places
    }

    /// The bytes as they stand in a row of their own.
    private static func row(_ entry: Span<UInt8>, _ bodies: Span<UInt8>) -> [UInt8] {
        var encoder = WireEncoder(capacity: entry.count + bodies.count + 8)
        encoder.write(bytes: entry.copy(), field: 1)
        encoder.append(bodies.copy())
        return encoder.output
    }
}

extension StoredEvent.Body {
    /// Copies a body; `nil` where it has fields that are not known here.
    fileprivate init?(_ row: Span<UInt8>, _ range: Range<Int>) throws(WireError) {
        self.init()
        var walk = FieldWalk(range)
        var content = 0..<0
        while try walk.next(row) {
            switch (walk.number, walk.type) {
            case (1, .varint): index = walk.varint
            case (2, .lengthDelimited): content = walk.payload
            default: return nil
            }
        }
        bytes = row.extracting(content).copy()
    }
}
