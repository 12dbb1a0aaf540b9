import Testing

@testable import Ledger

/// The append API against a model that is a list and nothing else.
@Suite struct AppendModelTests {
    @Test(arguments: 0..<60)
    func `the log answers as the model does`(seed: Int) throws {
        var random = SeededRandom(seed)
        var house = try House()
        let scratch = house.scratch
        var model = Model()
        for step in 0..<60 {
            switch random.below(12) {
            case 0: try house.log.flushIndex()
            case 1: try house.log.refresh()
            case 2 where step % 3 == 0:
                try house.close()
                house = try House(at: scratch, clock: house.clock)
            case 3:
                let shift = Double(random.below(20)) - 10
                house.clock.now = house.clock.now.adding(seconds: shift)
            default:
                let batch = model.batch(&random)
                let conditions = model.conditions(&random)
                let expected = model.append(batch, conditions)
                let found = Result {
                    try house.append(batch.map(\.draft), conditions)
                }
                #expect(try same(expected, found), "seed \(seed), step \(step)")
            }
        }
        try check(house, against: model)
        try house.close()
    }

    private func check(_ house: House, against model: Model) throws {
        let events = try house.events()
        #expect(events.map(\.id) == model.events.map(\.draft.id))
        #expect(events.map(\.event) == model.events.map(\.draft.event))
        #expect(try house.log.head().root == house.recomputedRoot())
        for number in 0..<4 {
            let stream = Model.stream(number)
            let versions = events.filter { $0.entry.stream == stream }.map(\.entry.streamVersion)
            #expect(versions == Array(1..<UInt64(versions.count) + 1))
            #expect(try house.log.version(of: stream) == model.version(of: stream))
            let tag = Model.tag(number)
            #expect(try house.log.sequences(tagged: tag) == model.sequences(tagged: tag))
        }
        for event in events { #expect(try house.log.sequence(of: event.id) == event.sequence) }
    }

    private func same(
        _ expected: Result<[UInt64], LogError>, _ found: Result<[UInt64], any Error>
    ) throws -> Bool {
        switch (expected, found) {
        case (.success(let left), .success(let right)): left == right
        case (.failure(let left), .failure(let right as LogError)): left == right
        default: false
        }
    }
}

/// What the log should hold, and what it should answer.
private struct Model {
    struct Event {
        var number: Int
        var content: Int
        var stream: Int
        var tags: [Int]

        var draft: Draft {
            Plain.draft(
                number, stream: Model.stream(stream), tags: tags.map(Model.tag),
                verb: "content \(content)")
        }

        func isLike(_ other: Event) -> Bool {
            content == other.content && stream == other.stream
        }
    }

    var events: [Event] = []

    static func stream(_ number: Int) -> Ledger.Stream {
        .record(RecordID(high: 1, low: UInt64(number)))
    }
    static func tag(_ number: Int) -> Ledger.Tag {
        Ledger.Tag(.record, RecordID(high: 2, low: UInt64(number)))
    }

    func version(of stream: Ledger.Stream) -> UInt64 {
        UInt64(events.count { $0.draft.stream == stream })
    }

    func sequences(tagged tag: Ledger.Tag) -> [UInt64] {
        events.indices.filter { events[$0].draft.tags.contains(tag) }.map { UInt64($0) + 1 }
    }

    func batch(_ random: inout SeededRandom) -> [Event] {
        (0..<random.below(5)).map { _ in
            let number = random.below(40)
            // Mostly the same content for the same number, so that repeats happen.
            return Event(
                number: number, content: random.chance(15) ? 1 : 0, stream: number % 4,
                tags: (0..<random.below(3)).map { _ in random.below(4) })
        }
    }

    func conditions(_ random: inout SeededRandom) -> [AppendCondition] {
        (0..<(random.chance(3) ? 1 + random.below(2) : 0)).map { _ in
            if random.chance(2) {
                let stream = Self.stream(random.below(4))
                let near = random.chance(3) ? UInt64(random.below(5)) : version(of: stream)
                return .streamVersion(stream, near)
            }
            let tag = Self.tag(random.below(4))
            let last = sequences(tagged: tag).last ?? 0
            return .noEvent(tag: tag, after: random.chance(3) ? UInt64(random.below(9)) : last)
        }
    }

    mutating func append(
        _ batch: [Event], _ conditions: [AppendCondition]
    ) -> Result<[UInt64], LogError> {
        var isNew = false
        for event in batch {
            guard let place = place(of: event, in: events) else {
                isNew = true
                continue
            }
            guard events[place].isLike(event) else {
                return .failure(.idConflict(event.draft.id, sequence: UInt64(place) + 1))
            }
        }
        for condition in conditions where isNew && !holds(condition) {
            return .failure(.conditionFailed(condition))
        }
        var next = events
        var places: [UInt64] = []
        for event in batch {
            let place = place(of: event, in: next) ?? next.count
            if place == next.count { next.append(event) }
            guard next[place].isLike(event) else {
                return .failure(.idConflict(event.draft.id, sequence: UInt64(place) + 1))
            }
            places.append(UInt64(place) + 1)
        }
        events = next
        return .success(places)
    }

    private func place(of event: Event, in events: [Event]) -> Int? {
        events.firstIndex { $0.number == event.number }
    }

    private func holds(_ condition: AppendCondition) -> Bool {
        switch condition {
        case .streamVersion(let stream, let version): self.version(of: stream) == version
        case .noEvent(let tag, let after): (sequences(tagged: tag).last ?? 0) <= after
        }
    }
}
