import Foundation
import LMDB
import Ledger
import Testing

@testable import Projections

@Suite struct `Damaged views` {
    /// Changes one byte of a stored value.
    private func damage(_ stand: Stand, _ table: String, byte: Int) throws {
        let name = stand.serving ?? "1"
        try stand.reopen {
            var options = Options()
            options.mapSize = 1 << 30
            let environment = try Environment(
                at: stand.path("views/" + name), tables: ViewTables.names, options: options)
            try environment.write { transaction in
                var found: (key: [UInt8], value: [UInt8])?
                try transaction.scan(environment.table(table)) { key, value in
                    found = (key.copy(), value.copy())
                    return .stop
                }
                var (key, value) = try #require(found)
                value[byte % value.count] ^= 1
                try transaction.put(environment.table(table), key: key, value: value)
            }
            try environment.close()
        }
    }

    private func people(_ stand: Stand) throws {
        try stand.append([stand.configured()])
        for person in 0..<3 {
            try stand.append([
                stand.observed(person, "Ann", 100 + person), stand.linked(person, 200 + person),
            ])
        }
        try stand.views.project()
    }

    @Test(arguments: ["replicas", "records", "connections", "standings"], 0..<12)
    func `a byte that the disk changed is told, not read`(table: String, byte: Int) throws {
        try withStand { stand in
            try people(stand)
            try damage(stand, table, byte: byte * 7)
            #expect(throws: ViewError.damagedRow(table: table)) {
                try stand.views.read { tables, transaction in
                    _ = try tables.replicas.all(transaction)
                    _ = try tables.records.all(transaction)
                    _ = try tables.connections.all(transaction)
                    _ = try tables.standings.all(transaction)
                }
            }
            try stand.views.rebuild()
            #expect(try stand.views.verify().isIdentical)
        }
    }

    /// Changes the last byte of an event's row in the log, or changes it back.
    private func change(event: UInt64, _ stand: Stand, alsoRemoving views: Bool = false) throws {
        try stand.reopen {
            var options = Options()
            options.mapSize = 1 << 30
            let environment = try Environment(
                at: stand.path("log"), tables: ["events"], options: options)
            try environment.write { transaction in
                let table = environment.table("events")
                var row = try #require(
                    try transaction.bytes(table, key: bigEndianBytes(event)))
                row[row.count - 1] ^= 1
                try transaction.put(table, key: bigEndianBytes(event), value: row)
            }
            try environment.close()
            if views { try FileManager.default.removeItem(atPath: stand.path("views")) }
        }
    }

    @Test(arguments: [64_000, 2])
    func `an event that the disk changed is parked, and folded in its place once it is mended`(
        share: Int
    ) throws {
        try withStand(share: share) { stand in
            try people(stand)
            let digest = try stand.views.digest()
            try change(event: 4, stand, alsoRemoving: true)
            try stand.views.project()
            #expect(try stand.views.status().position == 7)
            let parked = try stand.views.parked(limit: 9)
            #expect(parked.map(\.sequence) == [4])
            #expect(parked.first?.type == Observed.type)
            #expect(try stand.views.digest() != digest)
            #expect(try stand.standing(1)?.parts.isEmpty == false, "those about it go on")
            try change(event: 4, stand)
            try stand.views.rebuild()
            #expect(try stand.views.parked(limit: 9).isEmpty)
            #expect(try stand.views.digest() == digest)
        }
    }

    @Test func `no event is parked for a row that the disk changed`() throws {
        try withStand { stand in
            try people(stand)
            try damage(stand, "replicas", byte: 9)
            try stand.append((0..<3).map { stand.observed($0, "Anna", 300 + $0) })
            try stand.views.project()
            #expect(try stand.views.status().parked == 0)
            #expect(try stand.views.verify().isIdentical)
        }
    }

    @Test(arguments: 0..<12)
    func `views whose position the disk changed are folded anew`(byte: Int) throws {
        try withStand { stand in
            try people(stand)
            // The table's first row is the frontier, its second the position.
            try damage(stand, "meta", byte: byte * 5)
            try stand.append([stand.observed(0, "Anna", 300)])
            try stand.views.project()
            #expect(try stand.views.verify().isIdentical)
            #expect(try stand.views.status().position == 8)
        }
    }

    @Test func `views that know a log which is empty are kept as its witness`() throws {
        try withStand { stand in
            try people(stand)
            let files = FileManager.default
            #expect(throws: LogError.lost(.views(entries: 7))) {
                try stand.reopen {
                    for name in ["log", "index"] {
                        try files.moveItem(atPath: stand.path(name), toPath: stand.path(name + "1"))
                    }
                }
            }
            for name in ["log", "index"] {
                try files.removeItem(atPath: stand.path(name))
                try files.moveItem(atPath: stand.path(name + "1"), toPath: stand.path(name))
            }
            try stand.reopen()
            #expect(try stand.views.status().position == 7)
        }
    }

    @Test func `the checksum is that of RFC 3720`() {
        #expect(Checksum.of([], Array("123456789".utf8)[...]) == 0xE306_9283)
        #expect(Checksum.of([], [UInt8](repeating: 0, count: 32)[...]) == 0x8A91_36AA)
        #expect(Checksum.of([], [UInt8](repeating: 0xFF, count: 32)[...]) == 0x62A8_AB43)
        #expect(Checksum.of([], Array(UInt8(0)..<32)[...]) == 0x46DD_794E)
    }
}
