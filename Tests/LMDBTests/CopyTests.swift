import Foundation
import Testing

@testable import LMDB

@Suite struct CopyTests {
    let scratch = Scratch()

    @Test func `a compacted copy holds every row, and no bytes of deleted ones`() throws {
        let secret = Array("a secret key of thirty-two bytes".utf8)
        do {
            let (env, t) = try scratch.open()
            for number in UInt64(1)...200 { try env.store(t, number, Array("row".utf8)) }
            try env.store(t, 1000, secret)
            try env.write { _ = try $0.delete(t, key: BigEndianKey(1000)) }
            try env.copyCompacted(to: scratch("copy"))
            try env.close()
        }
        // Only now, since a plain open and close would drop LMDB's locks.
        #expect(try holds(secret, "env/data.mdb"), "the test would prove nothing")
        #expect(try !holds(secret, "copy/data.mdb"))
        let (copy, t) = try open(at: scratch("copy")) { $0.readOnly = true }
        #expect(try copy.read { try $0.count(t) } == 200)
    }

    private func holds(_ bytes: [UInt8], _ file: String) throws -> Bool {
        try Data(contentsOf: URL(fileURLWithPath: scratch(file))).range(of: Data(bytes)) != nil
    }

    @Test func `a copy beside a busy writer is one snapshot`() throws {
        let (env, t) = try scratch.open()
        let isOver = Signal()
        let writing = Parallel {
            var number: UInt64 = 0
            while !isOver.isGiven {
                try env.write { txn in
                    for _ in 0..<5 {
                        try txn.put(t, key: BigEndianKey(number), value: [], mode: .append)
                        number += 1
                    }
                }
            }
        }
        for turn in 0..<10 { try env.copyCompacted(to: scratch("copy-\(turn)")) }
        isOver.give()
        try writing.join()
        for turn in 0..<10 {
            let (copy, t) = try open(at: scratch("copy-\(turn)"))
            #expect(try copy.read { try $0.count(t) } % 5 == 0)
        }
    }

    @Test func `an existing directory is not touched`() throws {
        let (env, _) = try scratch.open()
        let (other, t) = try open(at: scratch("other"))
        try other.store(t, 1, [])
        try expectCode(.fileExists) { try env.copyCompacted(to: scratch("other")) }
        #expect(try other.everything(t).count == 1)
    }

    @Test func `nothing is left of a copy that failed`() async throws {
        let path = scratch.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            let (env, t) = try open(at: path + "/env")
            try env.store(t, 1, [UInt8](repeating: 1, count: 1 << 20))
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 64 << 10, rlim_max: 64 << 10)
            guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else {
                exit(2)
            }
            do {
                try env.copyCompacted(to: path + "/copy")
                exit(3)
            } catch is LMDBError {
                // The environment itself is unharmed.
                exit(try env.read { try $0.count(t) } == 1 ? 0 : 4)
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["env"])
    }

    @Test func `a copy without a reader slot is refused and leaves nothing`() throws {
        let (env, _) = try scratch.open { $0.maxReaders = 1 }
        try env.read { _ in
            try expectCode(.readersFull) { try env.copyCompacted(to: scratch("copy")) }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["env"])
        try env.copyCompacted(to: scratch("copy"))
    }

    @Test func `a copy needs its parent`() throws {
        let (env, _) = try scratch.open()
        try expectCode(.noSuchFile) { try env.copyCompacted(to: scratch("no/copy")) }
    }
}
