import Testing

@testable import LMDB

@Suite struct ReadingAndWritingTests {
    let scratch = Scratch()

    @Test func `what a write stored, a read finds`() throws {
        let (env, t) = try scratch.open()
        try env.store(t, 1, [1, 2, 3])
        #expect(try env.read { try $0.bytes(t, key: BigEndianKey(1)) } == [1, 2, 3])
        #expect(try env.read { try $0.contains(t, key: BigEndianKey(1)) })
    }

    @Test func `what was stored is there after a reopen`() throws {
        do {
            let (env, t) = try scratch.open()
            try env.store(t, 1, [7])
            try env.close()
        }
        let (env, t) = try scratch.open()
        #expect(try env.read { try $0.bytes(t, key: BigEndianKey(1)) } == [7])
    }

    @Test func `a missing key is nil, not an error`() throws {
        let (env, t) = try scratch.open()
        try env.read { txn in
            let found = try txn.bytes(t, key: [1])
            #expect(found == nil)
            #expect(try txn.get(t, key: [1]) { $0.count } == nil)
            #expect(try !txn.contains(t, key: [1]))
            #expect(try txn.firstKey(t) == nil)
            #expect(try txn.lastKey(t) == nil)
            #expect(try txn.count(t) == 0)
        }
    }

    @Test func `delete says whether there was anything to delete`() throws {
        let (env, t) = try scratch.open()
        try env.store(t, 1, [1])
        try env.write { txn in
            let isDeleted = try txn.delete(t, key: BigEndianKey(1))
            #expect(isDeleted)
            #expect(try !txn.delete(t, key: BigEndianKey(1)))
        }
    }

    @Test func `a write sees what it has written`() throws {
        let (env, t) = try scratch.open()
        try env.write { txn in
            try txn.put(t, key: [1], value: [1])
            #expect(try txn.bytes(t, key: [1]) == [1])
            try txn.put(t, key: [1], value: [2])
            #expect(try txn.bytes(t, key: [1]) == [2])
            #expect(try txn.count(t) == 1)
        }
    }

    @Test func `a throw aborts the whole transaction`() throws {
        let (env, t) = try scratch.open()
        #expect(throws: Refusal()) {
            try env.write { txn in
                try txn.put(t, key: [1], value: [1])
                throw Refusal()
            }
        }
        #expect(try env.everything(t).isEmpty)
    }

    @Test func `an insert over an existing key is refused and the transaction goes on`() throws {
        let (env, t) = try scratch.open()
        try env.write { txn in
            try txn.put(t, key: [1], value: [1], mode: .insertOnly)
            do {
                try txn.put(t, key: [1], value: [2], mode: .insertOnly)
                Issue.record("the second insert passed")
            } catch LMDBError.Code.keyExists {
                try txn.put(t, key: [2], value: [2])
            }
        }
        #expect(try env.everything(t) == [[[1], [1]], [[2], [2]]])
    }

    @Test(arguments: [UInt64(4), 5]) func `an append that is not above the last key is a fault`(
        key: UInt64
    ) throws {
        let (env, t) = try scratch.open()
        try env.store(t, 5, [5])
        try expectCode(.sequenceFault) {
            try env.write { txn in
                try txn.put(t, key: BigEndianKey(6), value: [6], mode: .append)
                try txn.put(t, key: BigEndianKey(key), value: [0], mode: .append)
            }
        }
        #expect(try env.read { try $0.count(t) } == 1)
    }

    @Test func `a sequence fault that is swallowed still aborts`() throws {
        let (env, t) = try scratch.open()
        try env.store(t, 5, [5])
        try expectCode(.sequenceFault) {
            try env.write { txn in
                try? txn.put(t, key: BigEndianKey(4), value: [0], mode: .append)
                try txn.put(t, key: BigEndianKey(6), value: [6], mode: .append)
            }
        }
        #expect(try env.read { try $0.count(t) } == 1)
    }

    @Test(arguments: [0, 512, 600]) func `keys are 1 to 511 bytes in every verb`(
        size: Int
    ) throws {
        let (env, t) = try scratch.open()
        let key = [UInt8](repeating: 1, count: size)
        func expectRefusal(_ body: () throws -> Void) {
            let error = #expect(throws: LMDBError.self, performing: body)
            #expect(error?.code == .badValueSize)
        }
        try env.write { txn in
            expectRefusal { try txn.put(t, key: key, value: [1]) }
            expectRefusal { _ = try txn.delete(t, key: key) }
            expectRefusal { _ = try txn.bytes(t, key: key) }
            expectRefusal { try txn.scan(t, .from(key)) { _, _ in .next } }
        }
        #expect(try env.everything(t).isEmpty)
    }

    @Test func `the longest key and an empty value pass`() throws {
        let (env, t) = try scratch.open()
        let key = [UInt8](repeating: 0xFF, count: 511)
        try env.write { try $0.put(t, key: key, value: []) }
        #expect(try env.read { try $0.bytes(t, key: key) } == [])
        #expect(try env.everything(t) == [[key, []]])
    }

    @Test func `integer keys are ordered by number and must have eight bytes`() throws {
        let (env, t) = try scratch.open()
        let numbers: [UInt64] = [0, 1, 255, 256, 65_536, 1 << 40, .max]
        for number in numbers.shuffled() { try env.store(t, number, []) }
        var seen: [UInt64?] = []
        try env.write { try $0.put(t, key: [0xFF, 0xFF, 0xFF, 0xFF], value: []) }
        try env.read { txn in
            try txn.scan(t) { key, _ in
                seen.append(BigEndianKey(key)?.value)
                return .next
            }
        }
        #expect(seen == numbers.dropLast() + [nil, .max])
    }

    @Test func `integers are read where they lie, aligned or not`() throws {
        let (env, t) = try scratch.open()
        let number: UInt64 = 0x0102_0304_0506_0708
        try env.write { txn in
            for length in 1...64 {
                let key = [UInt8](repeating: 1, count: length)
                try txn.put(t, key: key, value: BigEndianKey(number).bytes.span.copy())
            }
        }
        var misaligned = 0
        try env.read { txn in
            try txn.scan(t) { _, value in
                #expect(value.bigEndianInteger(at: 0) == number)
                value.withUnsafeBufferPointer { bytes in
                    if UInt(bitPattern: bytes.baseAddress) % 8 != 0 { misaligned += 1 }
                }
                return .next
            }
        }
        #expect(misaligned > 0, "the test saw no misaligned value")
    }

    @Test func `a transaction over its cap of operations is refused`() throws {
        let (env, t) = try scratch.open { $0.maximumOperations = 10 }
        try expectCode(.transactionTooLarge) {
            try env.write { txn in
                for number in UInt64(0)...10 {
                    try txn.put(t, key: BigEndianKey(number), value: [])
                }
            }
        }
        #expect(try env.everything(t).isEmpty)
        // The cap is a transaction's, not the environment's.
        for number in 0...10 { try env.store(t, UInt64(number), []) }
        try expectCode(.transactionTooLarge) { try env.write { try $0.clear(t) } }
    }

    @Test func `a transaction over its cap of bytes is refused`() throws {
        let (env, t) = try scratch.open { $0.maximumBytes = 1000 }
        try expectCode(.transactionTooLarge) {
            try env.write { try $0.put(t, key: [1], value: [UInt8](repeating: 0, count: 1000)) }
        }
    }

    @Test func `a small table can be cleared`() throws {
        let (env, t) = try scratch.open()
        try env.store(t, 1, [1])
        try env.write { try $0.clear(t) }
        #expect(try env.everything(t).isEmpty)
    }

    @Test func `the first and the last key, and keys that are spans`() throws {
        let (env, t) = try scratch.open()
        for key: [UInt8] in [[2], [1, 0], [3]] {
            try env.write { try $0.put(t, key: key, value: key) }
        }
        try env.read { txn in
            let edges = try [txn.firstKey(t), txn.lastKey(t)]
            #expect(edges == [[1, 0], [3]])
            let key: [UInt8] = [2]
            #expect(try txn.bytes(t, key: key.span) == [2])
            #expect(try txn.get(t, key: key.span) { $0[0] } == 2)
            #expect(try txn.contains(t, key: key.span))
        }
        #expect(BigEndianKey(1) < BigEndianKey(256))
    }

    @Test func `helpers that only read work in both kinds of transaction`() throws {
        func size(_ txn: borrowing some Reading & ~Copyable, _ t: Table) throws -> Int {
            try txn.count(t)
        }
        let (env, t) = try scratch.open()
        #expect(try env.write { try size($0, t) } == 0)
        #expect(try env.read { try size($0, t) } == 0)
    }

    @Test func `a table that was not named traps`() async {
        await #expect(processExitsWith: trap) { [path = scratch("env") as String] in
            let (env, _) = try open(at: path)
            _ = env.table("nope")
        }
    }

    @Test func `a table of another environment traps`() async {
        await #expect(processExitsWith: trap) { [path = scratch("env") as String] in
            let (other, foreign) = try open(at: path + "-2")
            let (env, _) = try open(at: path)
            defer { withExtendedLifetime(other) {} }
            _ = try env.read { try $0.count(foreign) }
        }
    }

    @Test func `a write while data is lent traps`() async {
        await #expect(processExitsWith: trap) { [path = scratch("env") as String] in
            let (env, t) = try open(at: path)
            try env.store(t, 1, [1])
            try env.write { txn in
                _ = try txn.get(t, key: BigEndianKey(1)) { _ in
                    try txn.put(t, key: BigEndianKey(2), value: [2])
                }
            }
        }
    }
}
