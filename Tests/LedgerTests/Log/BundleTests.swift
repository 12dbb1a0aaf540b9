import Foundation
import LMDB
import Testing

@testable import Ledger

/// Events that stand in bundles read as those that stand alone.
@Suite struct BundleTests {
    let scratch: Scratch
    let tag = Ledger.Tag(.record, RecordID(high: 1, low: 1))

    init() throws { scratch = try Scratch() }

    @Test func `full runs are sealed, the newest run stays single, and everything reads the same`()
        throws
    {
        let house = try House(at: scratch, options: busy)
        try fill(house, 1_100)
        let before = try house.log.read(from: 1, limit: .max)
        let events = try house.events()
        #expect(try !house.log.seal())
        #expect(try shape(house).bundles == 3)
        #expect(try shape(house).singles == 1_100 - 3 * 256)
        try #require(try house.log.read(from: 1, limit: .max) == before)
        #expect(try house.events().map(\.event) == events.map(\.event))
        #expect(try house.log.head().root == house.recomputedRoot())
        for first in [1, 2, 255, 256, 257, 511, 512, 768, 769, 1_100] {
            for limit in [1, 2, 256, 300] {
                let wanted = Array(before[(first - 1)...].prefix(limit))
                #expect(try house.log.read(from: UInt64(first), limit: limit) == wanted)
            }
        }
        try house.close()
        try check(events, in: House(at: scratch, options: busy))
    }

    @Test func `what was sealed is known again, with its large parts, and conflicts are found`()
        throws
    {
        let house = try House(at: scratch, options: busy)
        let drafts = (1...600).map { number in
            let text = number % 50 == 7 ? String(repeating: "\(number)", count: 1_500) : "small"
            return Plain.draft(number, verb: text)
        }
        try house.append(drafts)
        try house.log.seal()
        #expect(try shape(house).bundles == 1)
        #expect(try house.append(drafts) == Array(1...600))
        #expect(throws: LogError.idConflict(Plain.draft(9).id, sequence: 9)) {
            try house.append([Plain.draft(9, verb: "other")])
        }
        #expect(try house.events().map(\.event) == drafts.map(\.event))
        try house.close()
    }

    @Test func `a bundle holds fewer events where they are large`() throws {
        let house = try House(at: scratch, options: busy)
        let tags = (0..<700).map { Ledger.Tag(.record, RecordID(high: 3, low: UInt64($0))) }
        for start in stride(from: 0, to: 780, by: 130) {
            try house.append((start..<start + 130).map { Plain.draft($0, tags: tags) })
        }
        let before = try house.log.read(from: 1, limit: .max)
        while try house.log.seal() {}
        let (bundles, singles, largest) = try shape(house)
        #expect(bundles > 2 && singles < 512)
        #expect(largest <= 1 << 20 + 4_096)
        try #require(try house.log.read(from: 1, limit: .max) == before)
        try house.close()
    }

    @Test func `one sealing is bounded, and the next goes on from there`() throws {
        let house = try House(at: scratch, options: busy)
        try fill(house, 5_000)
        #expect(try house.log.seal())
        #expect(try shape(house).bundles == 16)
        #expect(try !house.log.seal())
        #expect(try shape(house).bundles == 18)
        #expect(try house.log.read(from: 1, limit: .max).count == 5_000)
        try house.close()
    }

    @Test func `commits seal along the way, so that single events stay bounded`() throws {
        let house = try House(at: scratch, options: busy)
        var most = 0
        for start in stride(from: 0, to: 20_000, by: 2_000) {
            try house.append((start..<start + 2_000).map { Plain.draft($0) })
            // Behind this job stands what the commit sealed.
            try house.log.environment.write { _ in }
            most = max(most, try shape(house).singles)
        }
        #expect(most > 256)
        #expect(most <= 8_192)
        try house.close()
    }

    @Test func `a writer that is quiet seals by itself`() throws {
        var options = busy
        options.quietAge = .zero
        let house = try House(at: scratch, options: options)
        try fill(house, 700)
        let deadline = ContinuousClock.now + .seconds(20)
        while try shape(house).bundles == 0, ContinuousClock.now < deadline {}
        #expect(try shape(house).bundles == 1)
        try house.close()
    }

    @Test func `a sealing that does not commit leaves the single events`() throws {
        struct Stop: Error {}
        let house = try House(at: scratch, options: busy)
        try fill(house, 800)
        let before = try house.log.read(from: 1, limit: .max)
        #expect(throws: Stop.self) {
            try house.log.environment.write { transaction in
                let last = try house.log.tables.seal(transaction)
                #expect(last == 512)
                throw Stop()
            }
        }
        #expect(try shape(house).bundles == 0)
        #expect(try house.log.read(from: 1, limit: .max) == before)
        try house.close()
    }

    @Test func `the index is made anew from bundles`() throws {
        let house = try House(at: scratch, options: busy)
        try fill(house, 1_300)
        let events = try house.events()
        try house.log.seal()
        try house.close()
        try FileManager.default.removeItem(atPath: scratch("index"))
        try check(events, in: House(at: scratch, options: busy))
    }

    @Test func `the last commit is verified where it was sealed`() throws {
        let house = try House(at: scratch, options: busy)
        try house.append((1...900).map { Plain.draft($0) })
        try house.log.seal()
        try house.close()
        try House(at: scratch, options: busy).close()
        try spoil { transaction, events in
            var row = try #require(try transaction.bytes(events, key: bigEndianBytes(256)))
            row[4 + 8 * 256 + 30] ^= 1
            try transaction.put(events, key: bigEndianBytes(256), value: row)
        }
        #expect(throws: LogError.self) { try House(at: scratch, options: busy) }
    }

    @Test func `a copy of the log holds the bundles too`() throws {
        let house = try House(at: scratch, options: busy)
        try fill(house, 800)
        try house.log.seal()
        let events = try house.events()
        try house.log.environment.copyCompacted(to: scratch("copy"))
        try house.close()
        try FileManager.default.removeItem(atPath: scratch("log"))
        try FileManager.default.moveItem(atPath: scratch("copy"), toPath: scratch("log"))
        try check(events, in: House(at: scratch, options: busy))
    }

    // MARK: - Formats

    @Test func `a log of format 1 opens, reads, takes events and is sealed as it goes`() throws {
        let events = try writeFormat1()
        var house = try House(at: scratch, options: busy)
        #expect(try house.events().map(\.event) == events.map(\.event))
        #expect(try format(house) == 1)
        #expect(try house.append([Plain.draft(1_001)]) == [1_001])
        #expect(try house.append([Plain.draft(17, tags: [tag])]) == [18])
        try house.log.seal()
        #expect(try format(house) == 2)
        #expect(try shape(house).bundles == 2)
        try house.close()
        house = try House(at: scratch, options: busy)
        #expect(try house.events().map(\.event).dropLast() == events.map(\.event)[...])
        #expect(try house.log.head().root == house.recomputedRoot())
        try house.close()
    }

    /// Writes a log as the program of format 1 did, row by row: no bundle, and no row `sealed`.
    private func writeFormat1() throws -> [LoggedEvent] {
        let house = try House(at: scratch, options: busy)
        try fill(house, 1_000)
        let events = try house.events()
        let stored = try house.log.read(from: 1, limit: .max)
        let (head, roots) = try house.log.environment.read { transaction in
            var roots: [(key: [UInt8], root: [UInt8])] = []
            try transaction.scan(house.log.tables.commits) { key, root in
                roots.append((key.copy(), root.copy()))
                return .next
            }
            let meta = house.log.tables.meta
            return (
                try ["head", "before", "ledger"].map { name in
                    (name, try transaction.bytes(meta, key: Array(name.utf8)) ?? [])
                }, roots
            )
        }
        try house.close()
        try FileManager.default.removeItem(atPath: scratch("log"))
        let environment = try Environment(at: scratch("log"), tables: LogTables.names)
        try environment.write { transaction in
            for (index, event) in stored.enumerated() {
                try transaction.put(
                    environment.table("events"), key: bigEndianBytes(UInt64(index) + 1),
                    value: WireEncoder.encode(event))
            }
            for (key, root) in roots {
                try transaction.put(environment.table("commits"), key: key, value: root)
            }
            let meta = environment.table("meta")
            for (name, value) in head {
                try transaction.put(meta, key: Array(name.utf8), value: value)
            }
            try transaction.put(meta, key: Array("format".utf8), value: bigEndianBytes(1))
        }
        try environment.close()
        return events
    }

    // MARK: - Damage

    @Test(arguments: 0..<80)
    func `whatever byte of a bundle the disk changed, the error names an event of it`(
        seed: Int
    ) throws {
        let house = try House(at: scratch, options: busy)
        try fill(house, 600)
        try house.log.seal()
        try house.close()
        try spoil { transaction, events in
            var random = SeededRandom(seed)
            var row = try #require(try transaction.bytes(events, key: bigEndianBytes(256)))
            // Header, offsets, entries and bodies by turns.
            let size = [4, 4 + 8 * 256, row.count, row.count][seed % 4]
            row[random.below(size)] ^= 1 << UInt8(random.below(8))
            try transaction.put(events, key: bigEndianBytes(256), value: row)
        }
        try FileManager.default.removeItem(atPath: scratch("index"))
        let failure = Result {
            let house = try House(at: scratch, options: busy)
            defer { try? house.close() }
            _ = try house.events()
            guard try house.log.head().root == house.recomputedRoot() else {
                throw LogError.damaged(sequence: 1)
            }
        }
        guard case .failure(let error as LogError) = failure else {
            Issue.record("\(failure)")
            return
        }
        switch error {
        case .damaged(let sequence), .gap(let sequence, _): #expect(1...256 ~= sequence)
        default: Issue.record("\(error)")
        }
    }

    @Test func `a bundle that is gone is a gap`() throws {
        let house = try House(at: scratch, options: busy)
        try fill(house, 1_000)
        try house.log.seal()
        try house.close()
        try spoil { transaction, events in
            _ = try transaction.delete(events, key: BigEndianKey(256))
        }
        let again = try House(at: scratch, options: busy)
        #expect(throws: LogError.gap(expected: 1, found: 257)) {
            try again.log.read(from: 1, limit: 9)
        }
        #expect(try again.log.read(from: 300, limit: 9).count == 9)
        #expect(throws: LogError.damaged(sequence: 4)) { try again.append([Plain.draft(3)]) }
        try again.close()
    }

    // MARK: - Hands

    /// A writer that is never quiet, so that only the test seals.
    private var busy: Options {
        var options = Options()
        options.mapSize = 1 << 30
        options.quietAge = .seconds(3_600)
        return options
    }

    private func fill(_ house: House, _ count: Int) throws {
        for start in stride(from: 0, to: count, by: 100) {
            try house.append(
                (start..<min(start + 100, count)).map {
                    Plain.draft($0, tags: $0 % 10 == 7 ? [tag] : [])
                })
        }
    }

    /// Every answer of a log, against the events that it was given; closes it.
    private func check(_ events: [LoggedEvent], in house: House) throws {
        #expect(try house.events().map(\.event) == events.map(\.event))
        #expect(try house.log.head().root == house.recomputedRoot())
        for event in events {
            #expect(try house.log.sequence(of: event.id) == event.sequence)
        }
        #expect(
            try house.log.sequences(tagged: tag)
                == events.filter { !$0.entry.tags.isEmpty }.map(\.sequence))
        try house.close()
    }

    private func shape(_ house: House) throws -> (bundles: Int, singles: Int, largest: Int) {
        try house.log.environment.read { transaction in
            var (bundles, singles, largest) = (0, 0, 0)
            try transaction.scan(house.log.tables.events) { _, row in
                if Bundle.isOne(row) { bundles += 1 } else { singles += 1 }
                largest = max(largest, row.count)
                return .next
            }
            return (bundles, singles, largest)
        }
    }

    private func format(_ house: House) throws -> UInt64? {
        try house.log.environment.read { transaction in
            try transaction.bytes(house.log.tables.meta, key: LogTables.formatKey)
                .flatMap { bigEndianInteger($0) }
        }
    }

    private func spoil(_ body: (borrowing WriteTransaction, Table) throws -> Void) throws {
        let environment = try Environment(at: scratch("log"), tables: LogTables.names)
        try environment.write { try body($0, environment.table("events")) }
        try environment.close()
    }
}
