import Ledger
import Testing

@testable import Projections

/// Where a record stands follows from its rows.
@Suite struct StandingTests {
    private func begin(_ stand: Stand) throws {
        try stand.append([
            stand.configured(), stand.observed(1, "Ann", 10), stand.linked(1, 11),
            stand.decided(1, .moved, "Ann", version: 1, 12),
            stand.decided(1, .moved, "p1@example.com", version: 1, 13, field: "email", "email"),
        ])
        try stand.views.project()
    }

    @Test func `a linked person with nothing open is in sync`() throws {
        try withStand { stand in
            try begin(stand)
            let standing = try #require(try stand.standing(1))
            #expect(standing.bucket == .inSync)
            #expect(standing.parts.map(\.connection) == [stand.connection])
        }
    }

    @Test func `what nobody has decided yet waits, and so does who is missing somewhere`() throws {
        try withStand { stand in
            try stand.append([
                stand.configured(), stand.observed(1, "Ann", 10), stand.linked(1, 11),
            ])
            try stand.views.project()
            #expect(try stand.standing(1)?.bucket == .waiting)
            #expect(try stand.standing(1)?.parts.first?.reason == "nothing is decided yet")
            try stand.append([
                stand.decided(1, .moved, "Ann", version: 1, 12),
                stand.decided(1, .moved, "p1@example.com", version: 1, 13, field: "email", "email"),
            ])
            try stand.views.project()
            #expect(try stand.standing(1)?.bucket == .inSync)
            var other = ConnectionConfigured()
            other.connection = ConnectionID(high: 1, low: 2)
            other.system = .suitecrm
            other.url = "https://crm.example.com"
            let approved: Draft = {
                var payload = WritesApproved()
                payload.connection = other.connection
                return stand.draft(.writesApproved(payload), .connection(other.connection), 15)
            }()
            try stand.append([
                stand.draft(.connectionConfigured(other), .connection(other.connection), 14)
            ])
            try stand.views.project()
            #expect(try stand.standing(1)?.bucket == .inSync, "nothing is approved there yet")
            try stand.append([approved])
            try stand.views.project()
            #expect(try stand.standing(1)?.bucket == .waiting)
            #expect(try stand.standing(1)?.parts.map(\.reason) == ["", "to be made there"])
        }
    }

    @Test func `a contested field makes a record fail, and settling it mends that`() throws {
        try withStand { stand in
            try begin(stand)
            try stand.append([stand.decided(1, .contested, "Anna", version: 1, 20)])
            try stand.views.project()
            #expect(try stand.standing(1)?.bucket == .failing)
            #expect(try stand.standing(1)?.parts.first?.reason == "contested: first_name")
            try stand.append([stand.decided(1, .moved, "Anna", version: 2, 21)])
            try stand.views.project()
            #expect(try stand.standing(1)?.bucket == .inSync)
        }
    }

    @Test func `who is gone everywhere is excluded`() throws {
        try withStand { stand in
            try begin(stand)
            try stand.append([stand.gone(1, 30)])
            try stand.views.project()
            #expect(try stand.standing(1)?.bucket == .excluded)
        }
    }

    @Test func `an object that comes back is found by its address again`() throws {
        try withStand { stand in
            try begin(stand)
            func holders() throws -> [ReplicaID] {
                try stand.views.read { tables, transaction in
                    try tables.replicas(
                        field: "email", content: "p1@example.com", entity: "contact", transaction)
                }
            }
            #expect(try holders() == [stand.replica(1)])
            try stand.append([stand.gone(1, 30)])
            try stand.views.project()
            #expect(try holders().isEmpty)
            // The look that shows it again says nothing new of its attributes.
            var back = Observed()
            back.replica = stand.replica(1)
            back.connection = stand.connection
            back.entity = "contact"
            back.road = .readBack
            try stand.append([stand.draft(.observed(back), .replica(stand.replica(1)), 31)])
            try stand.views.project()
            #expect(try holders() == [stand.replica(1)])
        }
    }
}
