import Foundation
import Ledger
import Testing

@testable import Projections

/// Generations: who may touch them, and that they always stand on the log's own history.
@Suite struct ViewStoreTests {
    /// A few people with their decisions, from event number `first` on.
    private func history(_ stand: Stand, people: Range<Int>, first: Int) -> [Draft] {
        people.flatMap { person in
            let number = first + person * 10
            return [
                stand.observed(person, "Name \(person)", number),
                stand.linked(person, number + 1),
                stand.decided(person, .moved, "Name \(person)", version: 1, number + 2),
            ]
        }
    }

    @Test func `views that were deleted are folded again to identical content`() throws {
        try withStand { stand in
            try stand.append([stand.configured()] + history(stand, people: 0..<20, first: 100))
            try stand.views.project()
            let before = try stand.views.digest()
            try stand.reopen { try FileManager.default.removeItem(atPath: stand.path("views")) }
            try stand.views.project()
            #expect(try stand.views.digest() == before)
        }
    }

    @Test func `views that were deleted before a long log are folded as a rebuild folds them`()
        throws
    {
        try withStand(share: 10) { stand in
            try stand.append(history(stand, people: 0..<20, first: 100))
            try stand.views.project()
            #expect(stand.told.reasons == [.empty])
            let digest = try stand.views.digest()
            try stand.reopen { try FileManager.default.removeItem(atPath: stand.path("views")) }
            try stand.views.project()
            #expect(stand.told.reasons == [.empty, .empty])
            #expect(try stand.views.digest() == digest)
            try stand.append(history(stand, people: 20..<21, first: 500))
            try stand.views.project()
            #expect(stand.told.reasons.count == 2)
        }
    }

    @Test func `a rebuild swaps in a fresh generation with the same content`() throws {
        try withStand { stand in
            try stand.append([stand.configured()] + history(stand, people: 0..<20, first: 100))
            try stand.views.project()
            let (before, generation) = (try stand.views.digest(), stand.views.generation)
            var positions: [UInt64] = []
            try stand.views.rebuild(progress: { positions.append($0.position) })
            #expect(positions.last == 61)
            #expect(stand.views.generation == generation + 1)
            #expect(try stand.views.digest() == before)
            #expect(stand.serving == "\(generation + 1)\n")
            #expect(!FileManager.default.fileExists(atPath: stand.path("views/\(generation)")))
            #expect(try stand.views.verify().isIdentical)
        }
    }

    @Test func `a fold takes fewer events at a time where they are large`() throws {
        try withStand { stand in
            let large = [UInt8](repeating: 7, count: 5 << 20)
            for number in 1...8 {
                try stand.append([
                    stand.draft(
                        .unrecognized(type: 9_999, schema: 1, plain: large),
                        .run(RunID(high: 1, low: 1)), number)
                ])
            }
            var positions: Set<UInt64> = []
            #expect(
                try stand.views.verify(progress: { positions.insert($0.position) }).isIdentical)
            #expect(positions.subtracting([0]) == [3, 6, 8])
        }
    }

    @Test func `a reader leaves views alone that it cannot use`() throws {
        try withStand { stand in
            try stand.append([stand.gone(9, 9)])
            try stand.reopen {
                try FileManager.default.copyItem(
                    atPath: stand.path("log"), toPath: stand.path("backup"))
            }
            try stand.append(history(stand, people: 0..<5, first: 100))
            try stand.views.rebuild()
            try stand.reopen {
                try FileManager.default.removeItem(atPath: stand.path("log"))
                try FileManager.default.removeItem(atPath: stand.path("index"))
                try FileManager.default.moveItem(
                    atPath: stand.path("backup"), toPath: stand.path("log"))
            }
            let serving = stand.serving
            #expect(try !stand.views.isSound())
            #expect(stand.serving == serving)
            #expect(FileManager.default.fileExists(atPath: stand.path("views/2/data.mdb")))
        }
    }

    @Test func `a view inside a commit of another history is noticed`() throws {
        try withStand { stand in
            try stand.append(history(stand, people: 0..<4, first: 100))
            try stand.reopen {
                try FileManager.default.copyItem(
                    atPath: stand.path("log"), toPath: stand.path("backup"))
            }
            try stand.append([stand.configured()])
            try stand.append([stand.gone(1, 7), stand.gone(2, 8)])
            try stand.views.project()
            // The log is put back, and goes on with one commit beyond where the views stand.
            try stand.reopen {
                try FileManager.default.removeItem(atPath: stand.path("log"))
                try FileManager.default.removeItem(atPath: stand.path("index"))
                try FileManager.default.moveItem(
                    atPath: stand.path("backup"), toPath: stand.path("log"))
            }
            try stand.append(history(stand, people: 10..<14, first: 500))
            #expect(try !stand.views.isSound())
            #expect(stand.told.reasons.isEmpty)
            try stand.views.project()
            #expect(stand.told.reasons == [.otherHistory])
            #expect(try stand.views.isSound())
            #expect(try stand.views.verify().isIdentical)
            let live = try stand.views.read { tables, transaction in
                try tables.replicas.all(transaction).filter { $0.state == .live }.count
            }
            #expect(live == 8)
        }
    }

    @Test func `views of another version are folded anew, once, and it is said why`() throws {
        try withStand { stand in
            try stand.append(history(stand, people: 0..<5, first: 100))
            try stand.views.project()
            let digest = try stand.views.digest()
            try stand.changePosition(of: 1) { $0.version -= 1 }
            try stand.append([stand.gone(9, 9)])
            #expect(try stand.views.project() == 16)
            #expect(stand.told.reasons == [.otherVersion(ViewTables.version - 1)])
            #expect(stand.told.reasons[0].description.contains("another version of this program"))
            try stand.views.project()
            #expect(stand.told.reasons.count == 1)
            #expect(stand.views.generation == 2)
            #expect(try stand.views.verify().isIdentical)
            #expect(try stand.views.digest() != digest)
        }
    }

    @Test func `a rebuild that nobody asked for goes on with what one before it left`() throws {
        try withStand(chunk: 10) { stand in
            for person in 0..<50 {
                try stand.append(history(stand, people: person..<person + 1, first: 100))
            }
            try stand.views.project()
            var reached: UInt64 = 0
            #expect(throws: ViewError.cancelled(position: 120, end: 150)) {
                try stand.views.rebuild(isCancelled: { reached >= 120 }) { reached = $0.position }
            }
            try stand.changePosition(of: 1) { $0.version += 1 }
            try stand.views.project()
            #expect(stand.told.firstPosition == 120)
            #expect(try stand.views.verify().isIdentical)
        }
    }

    @Test func `views that are ahead of a log put back are noticed and folded anew`() throws {
        try withStand { stand in
            try stand.append(history(stand, people: 0..<4, first: 100))
            try stand.reopen {
                try FileManager.default.copyItem(
                    atPath: stand.path("log"), toPath: stand.path("backup"))
            }
            try stand.append([stand.gone(1, 7)])
            try stand.views.project()
            try stand.reopen {
                for name in ["log", "index"] {
                    try FileManager.default.removeItem(atPath: stand.path(name))
                }
                try FileManager.default.moveItem(
                    atPath: stand.path("backup"), toPath: stand.path("log"))
            }
            #expect(try stand.views.project() == 12)
            #expect(stand.told.reasons == [.ahead(position: 13, end: 12)])
            #expect(try stand.views.verify().isIdentical)
            // As long as it was, but other: the root tells.
            try stand.append([stand.gone(2, 8)])
            #expect(try stand.views.project() == 13)
            #expect(try stand.views.isSound())
        }
    }

    @Test func `an event that does not fold is parked, and the rest goes on`() throws {
        try withStand { stand in
            // A policy for no entity would stand under an empty key, which LMDB refuses.
            let poison = stand.draft(
                .policyChanged(PolicyChanged()), .connection(stand.connection), 5)
            try stand.append(
                history(stand, people: 0..<3, first: 100) + [poison]
                    + history(stand, people: 3..<6, first: 100))
            try stand.views.project()
            let status = try stand.views.status()
            #expect(status.position == 19)
            #expect(status.parked == 1)
            #expect(try stand.standing(5)?.record == stand.record(5))
            let parked = try stand.views.read { tables, transaction in
                try tables.parked.all(transaction)
            }
            #expect(parked.map(\.sequence) == [10])
            #expect(parked.first?.reason.isEmpty == false)
            #expect(parked.map(\.type) == [PolicyChanged.type])
            #expect(try stand.views.parked(limit: 9) == parked)
            #expect(try stand.views.parked(limit: 1) == parked)
            #expect(try stand.views.verify().isIdentical)
        }
    }

    @Test func `events too large for one transaction are folded in smaller ones`() throws {
        try withStand { stand in
            let text = String(repeating: "x", count: 100_000)
            for start in stride(from: 0, to: 800, by: 50) {
                try stand.append(
                    (start..<start + 50).map { stand.observed($0, text, 1_000 + $0) })
            }
            try stand.views.project()
            #expect(try stand.views.status().position == 800)
            #expect(try stand.views.status().parked == 0)
        }
    }

    @Test(arguments: 0..<40)
    func `however the events are cut, the content is that of one go`(seed: Int) throws {
        try withStand { stand in
            var random = Seeded(seed)
            var number = 1_000
            try stand.append([stand.configured()])
            for _ in 0..<random.next(12) + 3 {
                var batch: [Draft] = []
                for _ in 0..<random.next(30) + 1 {
                    number += 1
                    let person = random.next(8)
                    switch random.next(6) {
                    case 0, 1, 2: batch.append(stand.observed(person, "N\(random.next(4))", number))
                    case 3: batch.append(stand.linked(person, number))
                    case 4:
                        let kind: DecisionKind = random.next(3) == 0 ? .contested : .moved
                        batch.append(
                            stand.decided(
                                person, kind, "N\(random.next(4))", version: UInt64(number), number)
                        )
                    default: batch.append(stand.gone(person, number))
                    }
                }
                try stand.append(batch)
                if random.next(2) == 0 { try stand.views.project() }
                if random.next(4) == 0 { try stand.reopen() }
            }
            #expect(try stand.views.verify().isIdentical)
        }
    }

    @Test func `no personal value stands in clear text in a view's files`() throws {
        try withStand { stand in
            try stand.append(
                (0..<50).flatMap { person in
                    [
                        stand.observed(person, "Zarathustra", 100 + person),
                        stand.linked(person, 200 + person),
                        stand.decided(person, .moved, "Zarathustra", version: 1, 300 + person),
                        stand.decided(person, .contested, "Zarathustra", version: 1, 400 + person),
                    ]
                })
            try stand.views.project()
            let first = try stand.views.read { tables, transaction in
                try tables.records.all(transaction).first?.outcome("first_name")?.value?.value
            }
            #expect(first == .text("Zarathustra"))
            let data = try Data(contentsOf: URL(fileURLWithPath: stand.path("views/1/data.mdb")))
            #expect(data.range(of: Data("Zarathustra".utf8)) == nil)
            #expect(data.range(of: Data("example.com".utf8)) == nil)
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Seeded {
    private var state: UInt64
    init(_ seed: Int) { state = UInt64(seed) &* 0x9E37_79B9 &+ 1 }

    /// A number below `bound`.
    mutating func next(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ mixed >> 31) % UInt64(bound))
    }
}
