import Testing

@testable import LMDB

@Suite struct ReadingAndWritingTests {
    let scratch = try! Scratch()

    @Test func `what a write stored, a read finds`() throws {
        let env = try Environment(at: scratch("env"), tables: ["events"])
        let events = env.table("events")
        try env.write { txn in
            try txn.put(events, key: BigEndianKey(1), value: [1, 2, 3], mode: .append)
        }
        let found = try env.read { try $0.bytes(events, key: BigEndianKey(1)) }
        #expect(found == [1, 2, 3])
        try env.close()
    }
}
