import Ledger
import Testing

@testable import Projections

/// A record as it stood is what the views held then.
@Suite struct AsOfTests {
    private func rows(_ person: Int, _ stand: Stand) throws -> (RecordRow?, [ReplicaRow]) {
        try stand.views.read { tables, transaction in
            let record = try tables.records.row(stand.record(person).bytes, transaction)
            let replicas = try (record?.replicas ?? []).compactMap {
                try tables.replicas.row($0.bytes, transaction)
            }
            return (record, replicas)
        }
    }

    @Test(arguments: 0..<20)
    func `after every event it is what the views held after that event`(seed: UInt64) throws {
        try withStand { stand in
            var random = SplitMix(state: seed)
            try stand.append([stand.configured()])
            var linked: Set<Int> = []
            var held: [UInt64: [Int: (RecordRow?, [ReplicaRow])]] = [:]
            for number in 10..<70 {
                let person = Int(random.next() % 3)
                let name = "Ann \(random.next() % 4)"
                // Nothing is decided about somebody who is no record yet.
                let draft =
                    switch random.next() % 6 {
                    case 0, 1, 2: stand.observed(person, name, number)
                    case 3,
                        4 where linked.insert(person).inserted:
                        stand.linked(person, number)
                    case 3, 4:
                        stand.decided(person, .moved, name, version: UInt64(number), number)
                    default: stand.gone(person, number)
                    }
                let sequence = try #require(try stand.append([draft]).first)
                try stand.views.project()
                for person in 0..<3 {
                    held[sequence, default: [:]][person] = try rows(person, stand)
                }
            }
            for (sequence, people) in held {
                for (person, (record, replicas)) in people {
                    let then = try stand.views.record(stand.record(person), asOf: sequence)
                    #expect(then?.record == record, "event \(sequence), person \(person)")
                    #expect(then?.replicas ?? [] == replicas, "event \(sequence), person \(person)")
                }
            }
        }
    }

    @Test func `before its first event there was no record, and it is the same after a rebuild`()
        throws
    {
        try withStand { stand in
            let drafts = [
                stand.configured(), stand.observed(1, "Ann", 10), stand.linked(1, 11),
                stand.observed(1, "Anna", 12),
            ]
            try stand.append(drafts)
            try stand.views.project()
            #expect(try stand.views.record(stand.record(1), asOf: 2) == nil)
            #expect(try stand.views.record(stand.record(2), asOf: 4) == nil)
            let before = try #require(try stand.views.record(stand.record(1), asOf: 3))
            #expect(before.events == 2)
            #expect(before.replicas.first?["firstname"].seen?.value == .text("Ann"))
            try stand.views.rebuild(anew: true)
            let after = try #require(try stand.views.record(stand.record(1), asOf: 3))
            #expect(after.record == before.record && after.replicas == before.replicas)
        }
    }
}

private struct SplitMix {
    var state: UInt64

    /// SplitMix64 (Steele, Lea and Flood, 2014).
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
