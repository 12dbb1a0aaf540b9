import Testing

@testable import LMDB

@Suite struct ScanTests {
    let scratch = Scratch()

    @Test(arguments: 0..<60) func `a scan agrees with a sorted list`(seed: Int) throws {
        var random = SeededNumbers(seed: seed)
        let (env, t) = try scratch.open()
        let keys = Set((0..<Int.random(in: 0...300, using: &random)).map { _ in key(&random) })
            .sorted { $0.lexicographicallyPrecedes($1) }
        try env.write { txn in
            for key in keys.shuffled(using: &random) { try txn.put(t, key: key, value: key) }
        }
        for _ in 0..<40 {
            let (range, belongs) = range(&random)
            let expected = keys.filter(belongs)
            let stop = Int.random(in: 1...400, using: &random)
            for reversed in [false, true] {
                let wanted = Array((reversed ? expected.reversed() : expected).prefix(stop))
                #expect(try scan(env, t, range, reversed, stop) == wanted, "\(range) \(reversed)")
                #expect(try scanRenewing(env, t, range, reversed, stop) == wanted, "\(range)")
            }
        }
    }

    private func key(_ random: inout SeededNumbers) -> [UInt8] {
        (0..<Int.random(in: 1...4, using: &random)).map { _ in
            [0, 1, 2, 0xFE, 0xFF].randomElement(using: &random) ?? 0
        }
    }

    private func range(
        _ random: inout SeededNumbers
    ) -> (KeyRange, belongs: ([UInt8]) -> Bool) {
        let (one, two) = (key(&random), key(&random))
        func isBelow(_ left: [UInt8], _ right: [UInt8]) -> Bool {
            left.lexicographicallyPrecedes(right)
        }
        switch Int.random(in: 0...6, using: &random) {
        case 0: return (.all, { _ in true })
        case 1: return (.from(one), { !isBelow($0, one) })
        case 2: return (.from(one, through: two), { !isBelow($0, one) && !isBelow(two, $0) })
        case 3: return (.after(one, through: two), { isBelow(one, $0) && !isBelow(two, $0) })
        case 4: return (.through(one), { !isBelow(one, $0) })
        case 5: return (.below(one), { isBelow($0, one) })
        default: return (.prefix(one), { $0.starts(with: one) })
        }
    }

    private func scan(
        _ env: Environment, _ t: Table, _ range: KeyRange, _ reversed: Bool, _ stop: Int
    ) throws -> [[UInt8]] {
        var seen: [[UInt8]] = []
        try env.read { txn in
            try txn.scan(t, range, reversed: reversed) { key, value in
                seen.append(key.copy())
                return seen.count == stop ? .stop : .next
            }
        }
        return seen
    }

    private func scanRenewing(
        _ env: Environment, _ t: Table, _ range: KeyRange, _ reversed: Bool, _ stop: Int
    ) throws -> [[UInt8]] {
        var seen: [[UInt8]] = []
        try env.scanRenewing(t, range, reversed: reversed) { key, _ in
            seen.append(key.copy())
            return seen.count == stop ? .stop : .next
        }
        return seen
    }

    @Test func `an empty prefix is every key`() throws {
        let (env, t) = try scratch.open()
        try env.store(t, 1, [])
        #expect(try scan(env, t, .prefix([]), false, 9).count == 1)
    }

    @Test func `a renewing scan lets go of its snapshot on the way`() throws {
        let (env, t) = try scratch.open { $0.renewalRows = 10 }
        for number in 1...100 { try env.store(t, UInt64(number), []) }
        let start = try env.statistics().lastTransaction
        var worst = 0
        var rows = 0
        try env.scanRenewing(t) { _, _ in
            rows += 1
            let next = UInt64(1000 + rows)
            try Parallel { try env.store(t, next, []) }.join()
            worst = max(worst, try env.statistics().oldestReaderLag)
            return rows < 100 ? .next : .stop
        }
        #expect(rows == 100)
        #expect(try env.statistics().lastTransaction == start + 100)
        #expect(worst <= 10, "a snapshot outlived its rows")
    }

    @Test func `a renewing scan goes by age as well`() throws {
        let (env, t) = try scratch.open { $0.renewalAge = .zero }
        for number in 1...5 { try env.store(t, UInt64(number), []) }
        #expect(try scanRenewing(env, t, .all, false, 99).count == 5)
    }

    @Test func `what a scan's closure throws comes through`() throws {
        let (env, t) = try scratch.open()
        try env.store(t, 1, [])
        #expect(throws: Refusal()) {
            try env.read { try $0.scan(t) { _, _ in throw Refusal() } }
        }
        // The cursor and the transaction were let go, so this does not wait.
        try env.store(t, 2, [])
    }
}
