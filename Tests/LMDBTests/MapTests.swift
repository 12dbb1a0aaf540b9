import Foundation
import Synchronization
import Testing

@testable import LMDB

@Suite struct MapTests {
    let scratch = Scratch()
    static let block = [UInt8](repeating: 7, count: 4000)

    @Test func `a full map grows and the transaction runs again`() throws {
        let (env, t) = try scratch.open { $0.mapSize = 64 << 10 }
        var runs = 0
        try env.write { txn in
            runs += 1
            for number in 0..<100 {
                try txn.put(t, key: BigEndianKey(UInt64(number)), value: Self.block)
            }
        }
        #expect(runs == 2)
        #expect(try env.read { try $0.count(t) } == 100)
        #expect(try env.statistics().mapSize > 64 << 10)
    }

    @Test func `a full map that the closure swallows still grows`() throws {
        let (env, t) = try scratch.open { $0.mapSize = 64 << 10 }
        try env.write { txn in
            for number in 0..<100 {
                try? txn.put(t, key: BigEndianKey(UInt64(number)), value: Self.block)
            }
        }
        #expect(try env.read { try $0.count(t) } == 100)
    }

    @Test func `a map grows under reads of many threads`() throws {
        let (env, t) = try scratch.open { options in
            options.mapSize = 64 << 10
            // Small caps make small growth, so that it happens often.
            options.maximumOperations = 4
            options.maximumBytes = 32 << 10
        }
        let isOver = Signal()
        let sizes = Mutex<Set<Int>>([])
        let readers = (0..<4).map { _ in
            Parallel {
                while !isOver.isGiven {
                    try env.read { txn in
                        try txn.scan(t) { _, value in
                            for index in value.indices where value[index] != 7 { throw Refusal() }
                            return .next
                        }
                    }
                }
            }
        }
        for number in 0..<200 {
            try env.store(t, UInt64(number), Self.block)
            let size = try env.statistics().mapSize
            sizes.withLock { _ = $0.insert(size) }
        }
        isOver.give()
        for reader in readers { try reader.join() }
        #expect(try env.read { try $0.count(t) } == 200)
        #expect(sizes.withLock { $0.count } > 2, "the map did not grow twice")
    }

    @Test func `a map at its maximum is full, and goes on after smaller writes`() throws {
        let (env, t) = try scratch.open { options in
            options.mapSize = 128 << 10
            options.maximumMapSize = 128 << 10
        }
        try env.store(t, 1, [1])
        let error = #expect(throws: LMDBError.self) {
            try env.write { txn in
                for number in 2..<100 {
                    try txn.put(t, key: BigEndianKey(UInt64(number)), value: Self.block)
                }
            }
        }
        #expect(error?.code == .mapFull)
        #expect(error?.outcomeIsUnknown == false)
        #expect(try env.read { try $0.count(t) } == 1)
        try env.store(t, 2, [2])
    }

    @Test func `growth gives up when a read does not end, and nothing is lost`() throws {
        let (env, t) = try scratch.open { options in
            options.mapSize = 64 << 10
            options.drainDeadline = .milliseconds(50)
        }
        try env.store(t, 1, [1])
        func fill() throws {
            try env.write { txn in
                for number in 2..<50 {
                    try txn.put(t, key: BigEndianKey(UInt64(number)), value: Self.block)
                }
            }
        }
        let (begun, release) = (Signal(), Signal())
        let reading = Parallel {
            try env.read { txn in
                begun.give()
                release.await()
                // The map must still be where it was.
                guard try txn.bytes(t, key: BigEndianKey(1)) == [1] else { throw Refusal() }
            }
        }
        begun.await()
        try expectCode(.transactionsStillOpen) { try fill() }
        release.give()
        try reading.join()
        try fill()
        #expect(try env.read { try $0.count(t) } == 49)
    }

    @Test func `a map grown by another process is adopted by reads and by writes`() async throws {
        for isWriting in [false, true] {
            let path = scratch("env-\(isWriting)")
            let (env, t) = try open(at: path) { $0.mapSize = 64 << 10 }
            try env.store(t, 0, [])
            // Leaves an idle read transaction, which must not be in the way.
            _ = try env.everything(t)
            await #expect(processExitsWith: .success) { [path = path as String] in
                let (env, t) = try open(at: path)
                for number in 1...100 { try env.store(t, UInt64(number), MapTests.block) }
                try env.close()
            }
            if isWriting { try env.store(t, 101, []) }
            #expect(try env.read { try $0.count(t) } == (isWriting ? 102 : 101))
        }
    }

    @Test func `a copy adopts a map grown by another process`() async throws {
        let path = scratch("env")
        let (env, _) = try open(at: path) { $0.mapSize = 64 << 10 }
        await #expect(processExitsWith: .success) { [path = path as String] in
            let (env, t) = try open(at: path)
            for number in 1...100 { try env.store(t, UInt64(number), MapTests.block) }
            try env.close()
        }
        try env.copyCompacted(to: scratch("copy"))
        let (copy, t) = try open(at: scratch("copy"))
        #expect(try copy.read { try $0.count(t) } == 100)
    }

    @Test(.disabled(if: isSanitized, "a sanitizer needs more address space than the limit"))
    func `the map is fitted to the limit on address space`() async {
        await #expect(processExitsWith: .success) { [path = scratch("env") as String] in
            var limit = rlimit(rlim_cur: 8 << 30, rlim_max: 8 << 30)
            guard setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else { exit(2) }
            let (env, t) = try open(at: path) { $0.mapSize = 1 << 40 }
            try env.store(t, 1, [1])
            let size = try env.statistics().mapSize
            exit(size <= 2 << 30 && size >= 16 << 20 ? 0 : 3)
        }
    }

    @Test func `the map is halved until it fits where nothing is limited`() throws {
        let (env, t) = try scratch.open { $0.mapSize = 1 << 50 }
        try env.store(t, 1, [1])
        #expect(try env.statistics().mapSize < 1 << 50)
    }

    @Test func `the default map is large and takes no disk`() throws {
        let env = try Environment(at: scratch("env"), tables: ["t"])
        #expect(try env.statistics().mapSize >= 16 << 20)
        #expect(try env.statistics().fileBytes < 1 << 20)
    }
}
