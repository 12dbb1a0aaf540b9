import Foundation
import LMDB
import Testing

@testable import Ledger

/// Rows that are not what was written: each is an error with its fix, never a trap.
@Suite struct DamageTests {
    let scratch: Scratch
    let tag = Ledger.Tag(.record, RecordID(high: 1, low: 1))

    init() throws {
        scratch = try Scratch()
        let house = try House(at: scratch)
        let text = String(repeating: "x", count: 3_000)
        try house.append((1...5).map { Plain.draft($0, tags: [tag]) })
        try house.append((6...9).map { Plain.draft($0, tags: [tag], verb: "\($0)\(text)") })
        try house.close()
    }

    // MARK: - The log

    @Test func `a key of another length in the log is damage`() throws {
        let key = bigEndianBytes(5) + [1]
        try spoil("log", LogTables.names) { transaction, environment in
            try transaction.put(environment.table("events"), key: key, value: [1])
            try transaction.put(
                environment.table("commits"), key: key, value: [UInt8](repeating: 1, count: 32))
        }
        let house = try House(at: scratch)
        #expect(throws: LogError.damaged(sequence: 6)) { try house.log.read(from: 0, limit: 99) }
        #expect(throws: LogError.damaged(sequence: 8)) { try house.log.root(atOrBefore: 8) }
        #expect(try house.log.root(atOrBefore: 5)?.sequence == 5)
        try house.close()
        try spoil("log", LogTables.names) { transaction, environment in
            try transaction.put(environment.table("events"), key: [1], value: [1])
        }
        #expect(throws: LogError.damaged(sequence: 10)) { try House(at: scratch) }
    }

    @Test func `a part with no number in its key is damage`() throws {
        try spoil("log", LogTables.names) { transaction, environment in
            try transaction.put(
                environment.table("parts"), key: bigEndianBytes(6), value: [1])
        }
        let house = try House(at: scratch)
        #expect(throws: LogError.damaged(sequence: 6)) { try house.log.read(from: 6, limit: 1) }
        try house.close()
    }

    @Test(arguments: 0..<60)
    func `whatever byte of an event the disk changed, the error names its sequence`(
        place: Int
    ) throws {
        try spoil("log", LogTables.names) { transaction, environment in
            let events = environment.table("events")
            var row = try #require(try transaction.bytes(events, key: bigEndianBytes(3)))
            row[place * row.count / 60] ^= 0xFF
            try transaction.put(events, key: bigEndianBytes(3), value: row)
        }
        try FileManager.default.removeItem(atPath: scratch("index"))
        let failure = error {
            let house = try House(at: scratch)
            defer { try? house.close() }
            _ = try house.events()
            // A field that only the tree vouches for is found by its root.
            guard try house.log.head().root == house.recomputedRoot() else {
                throw LogError.damaged(sequence: 3)
            }
        }
        #expect(failure as? LogError == .damaged(sequence: 3))
    }

    @Test func `a root of another length is damage`() throws {
        try spoil("log", LogTables.names) { transaction, environment in
            try transaction.put(
                environment.table("commits"), key: bigEndianBytes(5), value: [1, 2, 3])
        }
        #expect(throws: LogError.damaged(sequence: 5)) { try House(at: scratch) }
    }

    // MARK: - The last commit

    @Test(arguments: 6...9)
    func `a last commit that does not lead to its root is found on opening`(sequence: Int) throws {
        let key = bigEndianBytes(UInt64(sequence))
        try spoil("log", LogTables.names) { transaction, environment in
            let events = environment.table("events")
            var row = try #require(try transaction.bytes(events, key: key))
            row[row.count / 3] ^= 1
            try transaction.put(events, key: key, value: row)
        }
        let failure = error { _ = try House(at: scratch) }
        #expect("\(failure.map { "\($0)" } ?? "none")".contains("restore the log from a backup"))
    }

    @Test(arguments: [UInt64(6), 9])
    func `a last commit that lacks an event is found on opening`(sequence: UInt64) throws {
        try spoil("log", LogTables.names) { transaction, environment in
            _ = try transaction.delete(
                environment.table("events"), key: BigEndianKey(sequence))
        }
        #expect(throws: LogError.self) { try House(at: scratch) }
    }

    @Test func `an event that no commit counted is found on opening`() throws {
        try spoil("log", LogTables.names) { transaction, environment in
            let events = environment.table("events")
            let row = try #require(try transaction.bytes(events, key: bigEndianBytes(9)))
            try transaction.put(events, key: bigEndianBytes(10), value: row)
        }
        #expect(throws: LogError.damaged(sequence: 6)) { try House(at: scratch) }
    }

    @Test func `a head that was taken back or exchanged is found on opening`() throws {
        let head = Array("head".utf8)
        try spoil("log", LogTables.names) { transaction, environment in
            let meta = environment.table("meta")
            let before = try #require(try transaction.bytes(meta, key: Array("before".utf8)))
            try transaction.put(meta, key: head, value: before)
        }
        #expect(throws: LogError.damaged(sequence: 5)) { try House(at: scratch) }
        try spoil("log", LogTables.names) { transaction, environment in
            try transaction.put(environment.table("meta"), key: head, value: [255, 255])
        }
        #expect(throws: LogError.damaged(sequence: 0)) { try House(at: scratch) }
    }

    @Test func `opening reads the last commit alone`() throws {
        try spoil("log", LogTables.names) { transaction, environment in
            try transaction.put(environment.table("events"), key: bigEndianBytes(2), value: [255])
        }
        let house = try House(at: scratch)
        #expect(throws: LogError.damaged(sequence: 2)) { try house.log.read(from: 1, limit: 9) }
        #expect(try house.log.read(from: 6, limit: 9).count == 4)
        try house.close()
    }

    // MARK: - The index

    @Test(arguments: [0, 3, 7, 9])
    func `a spoilt row of the index is an error that names the fix`(length: Int) throws {
        let spoilt = [UInt8](repeating: 1, count: length)
        try spoil("index", ["ids", "streams", "tags", "meta"]) { transaction, environment in
            try transaction.put(
                environment.table("ids"), key: Plain.draft(3).id.bytes, value: spoilt)
            try transaction.put(
                environment.table("streams"), key: HandleKey(Plain.draft(3).stream).bytes,
                value: spoilt)
        }
        let house = try House(at: scratch)
        let fix = "delete that directory"
        let failures = [
            error { _ = try house.log.sequence(of: Plain.draft(3).id) },
            error { _ = try house.log.version(of: Plain.draft(3).stream) },
            error { try house.append([Plain.draft(3)]) },
            error { try house.append([Plain.draft(30)]) },
        ]
        for failure in failures { #expect("\(failure.map { "\($0)" } ?? "none")".contains(fix)) }
        #expect(try house.log.head().size == 9)
        try house.close()
        try FileManager.default.removeItem(atPath: scratch("index"))
        let again = try House(at: scratch)
        #expect(try again.log.sequence(of: Plain.draft(3).id) == 3)
        try again.close()
    }

    @Test(arguments: [0, 1, 7, 9])
    func `a spoilt tag of the index is an error that names the fix`(length: Int) throws {
        try spoil("index", ["ids", "streams", "tags", "meta"]) { transaction, environment in
            let key = HandleKey(tag).bytes + [UInt8](repeating: 255, count: length)
            try transaction.put(environment.table("tags"), key: key, value: [])
        }
        let house = try House(at: scratch)
        let damage = LogError.indexDamaged(path: scratch("index"))
        #expect(throws: damage) { try house.log.sequences(tagged: tag) }
        if length > 0 {
            let draft = Plain.draft(31, stream: .record(RecordID(high: 3, low: 3)))
            #expect(throws: damage) {
                try house.append([draft], [.noEvent(tag: tag, after: 9)])
            }
        }
        try house.close()
    }

    @Test func `a spoilt position of the index is an error that names the fix`() throws {
        try spoil("index", ["ids", "streams", "tags", "meta"]) { transaction, environment in
            try transaction.put(
                environment.table("meta"), key: Array("position".utf8), value: [1, 2])
        }
        #expect(throws: LogError.indexDamaged(path: scratch("index"))) { try House(at: scratch) }
    }

    // MARK: - Spoiling

    private func spoil(
        _ directory: String, _ tables: [String],
        _ body: (borrowing WriteTransaction, LMDB.Environment) throws -> Void
    ) throws {
        let environment = try LMDB.Environment(at: scratch(directory), tables: tables)
        try environment.write { try body($0, environment) }
        try environment.close()
    }

    private func error(_ body: () throws -> Void) -> (any Error)? {
        do { try body() } catch { return error }
        return nil
    }
}
