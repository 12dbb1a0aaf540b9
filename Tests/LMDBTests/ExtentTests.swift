import Foundation
import Testing

@testable import LMDB

/// Files that end too early: an error on opening, never a signal while reading.
@Suite struct ExtentTests {
    let scratch = Scratch()

    private var file: String { scratch("env/data.mdb") }

    private func size() throws -> Int {
        var status = stat()
        try #require(stat(file, &status) == 0)
        return Int(status.st_size)
    }

    @Test(arguments: [1, 4_095, 4_096, 40_000, 200_000])
    func `a file that was cut short is told with what is missing`(bytes: Int) throws {
        do {
            let (env, t) = try scratch.open()
            // In one transaction, which leaves no free pages at the end.
            try env.write { transaction in
                for number in UInt64(1)...300 {
                    let value = [UInt8](repeating: 1, count: 1_000)
                    try transaction.put(t, key: BigEndianKey(number), value: value)
                }
            }
            try env.close()
        }
        let whole = try Data(contentsOf: URL(fileURLWithPath: file))
        #expect(truncate(file, whole.count - bytes) == 0)
        for isReader in [true, false] {
            let error = try expectCode(.cutShort) {
                _ = try scratch.open { $0.readOnly = isReader }
            }
            #expect("\(error)".contains("the file is cut short; restore it from a backup"))
        }
        #expect(try size() == whole.count - bytes)
        try whole.write(to: URL(fileURLWithPath: file))
        let (env, t) = try scratch.open()
        #expect(try env.everything(t).count == 300)
        try env.close()
    }

    @Test(arguments: [1, 100, 4_096])
    func `a file of less than its two first pages is damaged`(size: Int) throws {
        do {
            let (env, t) = try scratch.open()
            try env.store(t, 1, [1])
            try env.close()
        }
        #expect(truncate(file, size) == 0)
        let error = try expectCode(.invalidFile) { _ = try scratch.open() }
        #expect(error.code.isDamage)
        #expect("\(error)".contains("the file is damaged; restore it from a backup"))
    }

    /// Large values that are replaced within their transaction leave pages at the end that LMDB counts
    /// but never writes.
    @Test func `a file that ends in free pages that were never written is whole`() throws {
        var short = 0
        for seed in 0..<60 {
            let place = scratch("\(seed)")
            let rows = try change(at: place, seed: seed)
            let (env, t) = try open(at: place)
            #expect(try env.everything(t) == rows, "seed \(seed)")
            var status = stat()
            try #require(stat(place + "/data.mdb", &status) == 0)
            if try env.statistics().fileBytes > Int(status.st_size) { short += 1 }
            try env.close()
        }
        #expect(short > 0, "the test would prove nothing")
    }

    private func change(at place: String, seed: Int) throws -> [[[UInt8]]] {
        var random = SeededNumbers(seed: seed)
        let (env, t) = try open(at: place)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            try env.write { transaction in
                for _ in 0..<Int.random(in: 1...12, using: &random) {
                    let key = BigEndianKey(UInt64.random(in: 0..<6, using: &random))
                    let count = Int.random(in: 0...60_000, using: &random)
                    try transaction.put(t, key: key, value: [UInt8](repeating: 1, count: count))
                    guard Bool.random(using: &random) else { continue }
                    _ = try transaction.delete(t, key: key)
                }
            }
        }
        let rows = try env.everything(t)
        try env.close()
        return rows
    }
}
