/// What the index keeps of an event.
struct IndexedEvent: Sendable {
    let sequence: UInt64
    let id: EventID
    let stream: HandleKey
    let version: UInt64
    let tags: [HandleKey]

    /// What the index will keep of a draft once it stands at a place.
    init(_ entry: Entry, _ stream: HandleKey, at sequence: UInt64, version: UInt64) {
        self.sequence = sequence
        id = entry.id
        self.stream = stream
        self.version = version
        tags = entry.tags.isEmpty ? [] : entry.tags.map(HandleKey.init)
    }

    /// Reads it from an entry's bytes, without building the entry.
    init(_ bytes: Span<UInt8>) throws(WireError) {
        let entry = try EntryView(bytes)
        sequence = entry.sequence
        id = entry.id
        stream = entry.stream
        version = entry.streamVersion
        tags = try entry.tags(bytes)
    }
}

/// The events that the index's environment does not hold yet, and the way to find them.
struct IndexTail: Sendable {
    /// The last sequence in the environment.
    private(set) var flushed: UInt64
    private(set) var events: [IndexedEvent] = []
    private var ids: [EventID: UInt64] = [:]
    private var versions: [HandleKey: UInt64] = [:]
    private var tags: [HandleKey: [UInt64]] = [:]

    init(flushed: UInt64) { self.flushed = flushed }

    var end: UInt64 { flushed + UInt64(events.count) }

    func sequence(of id: EventID) -> UInt64? { ids[id] }

    func version(of stream: HandleKey) -> UInt64? { versions[stream] }

    /// Ascending.
    func sequences(tagged tag: HandleKey) -> [UInt64] { tags[tag] ?? [] }

    mutating func add(_ event: IndexedEvent) throws {
        guard event.sequence == end + 1 else {
            throw LogError.gap(expected: end + 1, found: event.sequence)
        }
        events.append(event)
        ids[event.id] = event.sequence
        versions[event.stream] = event.version
        // An event may carry a tag twice; its place is told once.
        for tag in event.tags where tags[tag]?.last != event.sequence {
            tags[tag, default: []].append(event.sequence)
        }
    }

    /// The first events, of at most so many rows together.
    func prefix(rows limit: Int) -> ArraySlice<IndexedEvent> {
        var rows = 0
        var count = 0
        for event in events {
            rows += 2 + event.tags.count
            if count > 0, rows > limit { break }
            count += 1
        }
        return events.prefix(count)
    }

    /// Lets go of what the environment holds by now; again does nothing.
    mutating func drop(through sequence: UInt64) {
        guard sequence > flushed else { return }
        let gone = events.prefix(Int(clamping: sequence - flushed))
        for event in gone {
            if ids[event.id] == event.sequence { ids[event.id] = nil }
            if versions[event.stream] == event.version { versions[event.stream] = nil }
            for tag in event.tags {
                guard let index = tags.index(forKey: tag) else { continue }
                tags.values[index].removeAll { $0 <= sequence }
                if tags.values[index].isEmpty { tags.remove(at: index) }
            }
        }
        events.removeFirst(gone.count)
        flushed = sequence
    }
}
