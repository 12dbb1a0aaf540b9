import Foundation
import LMDB
import Testing

@testable import Ledger

/// What stands on disk, and what happens when it is not what it was.
@Suite struct StorageTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func `without room on the disk an append says so and writes nothing`() throws {
        try with { try $0.append([Plain.draft(1)]) }
        var options = Options()
        options.minimumFreeBytes = .max
        let house = try House(at: scratch, options: options)
        let error = #expect(throws: LMDBError.self) { try house.append([Plain.draft(2)]) }
        #expect(error?.code == .lowDiskSpace)
        #expect("\(String(describing: error))".contains("free some space"))
        #expect(try house.log.head().size == 1)
        #expect(try house.events().count == 1)
        #expect(house.log.end == 1)
        try house.close()
        try with { (house) throws in #expect(try house.append([Plain.draft(2)]) == [2]) }
    }

    @Test func `a map that is full refuses whole batches and keeps what stood`() throws {
        var options = Options()
        options.mapSize = 1 << 20
        options.maximumMapSize = 1 << 20
        let house = try House(at: scratch, options: options)
        var appended = 0
        let text = String(repeating: "x", count: 1_000)
        let error = #expect(throws: LMDBError.self) {
            while true {
                let first = appended
                try house.append((first..<first + 10).map { Plain.draft($0, verb: text) })
                appended += 10
            }
        }
        #expect(error?.code == .mapFull)
        #expect(appended > 0)
        #expect(house.log.end == UInt64(appended))
        #expect(try house.events().count == appended)
        #expect(try house.log.head().root == house.recomputedRoot())
        try house.close()
        try with {
            let next = try $0.append([Plain.draft(appended, verb: text)])
            #expect(next == [UInt64(appended) + 1])
        }
    }

    @Test func `a newer format is refused in a sentence, before anything else is read`() throws {
        try with { try $0.append([Plain.draft(1)]) }
        try change { transaction, meta in
            try transaction.put(meta, key: Array("format".utf8), value: bigEndianBytes(3))
            try transaction.put(meta, key: Array("ledger".utf8), value: [1])
        }
        let error = #expect(throws: LogError.self) { try House(at: scratch) }
        #expect(error == .newerFormat(3))
        #expect(
            error?.description
                == "this ledger has format 3, made by a newer syncledger: update this program")
    }

    @Test func `the files of another ledger are refused`() throws {
        try with { try $0.append([Plain.draft(1)]) }
        #expect(throws: LogError.otherLedger) {
            try EventLog(
                directory: scratch.path, ledger: LedgerID(high: 0, low: 99),
                clock: { Timestamp(seconds: 0) })
        }
    }

    @Test func `a deleted index is rebuilt by opening`() throws {
        let tag = Ledger.Tag(.record, RecordID(high: 1, low: 1))
        let stream = Plain.draft(0).stream
        try with { (house) throws in
            for start in stride(from: 0, to: 9_000, by: 3_000) {
                try house.append(
                    (start..<start + 3_000).map {
                        Plain.draft($0, tags: $0 % 1_000 == 0 ? [tag] : [])
                    })
            }
        }
        try FileManager.default.removeItem(atPath: scratch("index"))
        try with { (house) throws in
            #expect(try house.log.sequences(tagged: tag) == (0..<9).map { $0 * 1_000 + 1 })
            #expect(try house.log.version(of: stream) == 9_000)
            #expect(try house.log.sequence(of: Plain.draft(4_321).id) == 4_322)
            #expect(try house.append([Plain.draft(17)]) == [18])
        }
    }

    @Test func `an index ahead of a restored log, or of another history, starts anew`() throws {
        let files = FileManager.default
        try with { try $0.append((1...10).map { Plain.draft($0) }) }
        try files.copyItem(atPath: scratch("log"), toPath: scratch("backup"))
        try with { try $0.append((11...20).map { Plain.draft($0) }) }
        try files.copyItem(atPath: scratch("index"), toPath: scratch("index of 20"))
        try files.removeItem(atPath: scratch("log"))
        try files.copyItem(atPath: scratch("backup"), toPath: scratch("log"))
        try with { (house) throws in
            #expect(house.log.end == 10)
            #expect(try house.log.sequence(of: Plain.draft(15).id) == nil)
            #expect(try house.log.sequence(of: Plain.draft(5).id) == 5)
            #expect(try house.log.version(of: Plain.draft(1).stream) == 10)
            let places = try house.append((31...50).map { Plain.draft($0) })
            #expect(places == Array(11...30))
        }
        try files.removeItem(atPath: scratch("index"))
        try files.moveItem(atPath: scratch("index of 20"), toPath: scratch("index"))
        try with { (house) throws in
            #expect(try house.log.sequence(of: Plain.draft(15).id) == nil)
            #expect(try house.log.sequence(of: Plain.draft(31).id) == 11)
            #expect(try house.log.version(of: Plain.draft(1).stream) == 30)
        }
    }

    @Test(arguments: [true, false])
    func `an empty log beside an index that knows entries is lost, not new`(isThere: Bool) throws {
        try with { try $0.append((1...10).map { Plain.draft($0) }) }
        try FileManager.default.removeItem(atPath: scratch("log"))
        if isThere {
            let environment = try Environment(at: scratch("log"), tables: LogTables.names)
            try environment.close()
        }
        #expect(throws: LogError.lost(.index(entries: 10))) { try House(at: scratch) }
        #expect(throws: LogError.lost(.index(entries: 10))) { try House(at: scratch) }
        #expect(FileManager.default.fileExists(atPath: scratch("log")) == isThere)
    }

    @Test func `a missing event is found, in the middle and at the end`() throws {
        for missing in [UInt64(4), 10] {
            try with { try $0.append((1...10).map { Plain.draft($0) }) }
            let environment = try Environment(at: scratch("log"), tables: LogTables.names)
            let tables = LogTables(environment)
            let removed = try environment.write {
                try $0.delete(tables.events, key: BigEndianKey(missing))
            }
            #expect(removed)
            try environment.close()
            if missing == 10 { try FileManager.default.removeItem(atPath: scratch("index")) }
            #expect(throws: LogError.self) {
                try with { _ = try $0.log.read(from: 1, limit: 100) }
            }
            // The index may not have come to be.
            for directory in ["log", "index", "keys"] {
                try? FileManager.default.removeItem(atPath: scratch(directory))
            }
        }
    }

    @Test func `reading is bounded, begins anywhere and ends at the end`() throws {
        try with { (house) throws in
            try house.append((1...10).map { Plain.draft($0) })
            #expect(try house.log.read(from: 0, limit: 3).count == 3)
            #expect(try house.log.read(from: 8, limit: 100).count == 3)
            #expect(try house.log.read(from: 11, limit: 100).isEmpty)
            #expect(try house.log.read(from: 1, limit: 0).isEmpty)
        }
    }

    @Test func `two flushes of the index at once lose nothing`() async throws {
        let house = try House(at: scratch)
        for start in stride(from: 0, to: 12_000, by: 4_000) {
            try house.append((start..<start + 4_000).map { Plain.draft($0) })
            let log = house.log
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 { group.addTask { try log.flushIndex() } }
                try await group.waitForAll()
            }
        }
        for number in stride(from: 0, to: 12_000, by: 37) {
            #expect(try house.log.sequence(of: Plain.draft(number).id) == UInt64(number) + 1)
        }
        try house.close()
    }

    // MARK: - Opening and spoiling

    private func with(_ body: (House) throws -> Void) throws {
        let house = try House(at: scratch)
        do { try body(house) } catch {
            try house.close()
            throw error
        }
        try house.close()
    }

    private func change(_ body: (borrowing WriteTransaction, Table) throws -> Void) throws {
        let environment = try Environment(at: scratch("log"), tables: LogTables.names)
        let meta = environment.table("meta")
        try environment.write { try body($0, meta) }
        try environment.close()
    }
}
