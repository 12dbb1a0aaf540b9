import Ledger
import Model
import Projections
import Testing

@testable import Reconciler

@Suite struct `What the clocks are worth` {
    @Test func `a skew beyond all bounds orders nothing, instead of wrapping round to little`() {
        var desk = Desk()
        desk.configure(.mautic) {
            $0.skewMicroseconds = .min
            $0.skewUncertainty = .max
        }
        #expect(desk.reconciler.ground.skew == Int64.max / 4 * 2)
    }
}

@Suite struct `What could not be read` {
    @Test func `is told of its own connection alone`() {
        var desk = Desk()
        desk.add(.suitecrm)
        var second = Desk.connection(.mautic)
        second.configured.connection = ConnectionID(high: 1, low: 99)
        desk.connections.append(second)
        desk.unreadable = [second.id]
        #expect(
            !desk.plan.verdicts.contains {
                $0.system == .mautic && $0.field == "first_name" && $0.standing == .failing
            })
        desk.stand("first_name", .text("Anne"), version: 2)
        #expect(desk.operations().contains("update mautic"))
    }
}

@Suite struct `What is written` {
    private func desk() -> Desk {
        var desk = Desk()
        desk.add(.suitecrm)
        desk.stand("first_name", .text("Anne"), version: 2)
        desk.stand("city", .text("Ulm"))
        desk.stand("email", .text("anne@example.com"), version: 2)
        return desk
    }

    @Test func `goes in one command a call`() {
        let commands = desk().plan.commands.filter { $0.connection == Desk.id(.suitecrm) }
        #expect(
            commands.map { Set($0.changes.map(\.field)) } == [["first_name", "city"], ["email"]])
    }

    @Test func `has an id that only its ground changes`() {
        let desk = desk()
        let ids = desk.plan.commands.map(\.command)
        #expect(ids == desk.plan.commands.map(\.command))
        #expect(Set(ids).count == ids.count)
        var newer = desk
        newer.stand("city", .text("Bonn"), version: 2)
        #expect(newer.plan.commands.map(\.command) != ids)
        var settled = desk
        settled.change(.suitecrm) { $0.lastSettled = 7 }
        #expect(settled.plan.commands.map(\.command) != ids)
    }

    @Test func `is not sent twice while it is open`() {
        var desk = desk()
        let all = desk.plan.commands
        desk.commands = all.map { issued in
            var row = CommandRow()
            row.issue = issued
            return row
        }
        #expect(desk.plan.commands.isEmpty)
        #expect(desk.plan.verdicts.contains { $0.standing == .wait })
    }

    @Test func `is objected to when its ground moved`() throws {
        let desk = desk()
        let command = try #require(
            desk.plan.commands.first {
                $0.connection == Desk.id(.suitecrm) && $0.changes.count == 2
            })
        #expect(desk.reconciler.objection(to: command, in: desk.snapshot) == nil)
        func objection(_ change: (inout Desk) -> Void) -> String? {
            var moved = desk
            change(&moved)
            return moved.reconciler.objection(to: command, in: moved.snapshot)
        }
        #expect(objection { $0.stand("city", .text("Bonn"), version: 2) } == "the outcome moved")
        #expect(
            objection { $0.type(.suitecrm, "city", .text("Köln")) } == "the system's value moved")
        #expect(objection { $0.delete(.suitecrm) } == "the object is gone")
        #expect(
            objection { desk in desk.replicas.removeAll { $0.system == .suitecrm } }
                == "the replica is no longer linked")
        #expect(
            objection { $0.configure(.suitecrm) { $0.configured.direction = .pull } }
                == "the system may not be written to")
        #expect(
            objection { $0.configure(.suitecrm) { $0.configured.scope = "city = Berlin" } }
                == "it is out of scope there")
        #expect(
            objection {
                var contest = ContestRow()
                contest.field = "city"
                $0.record.contests = [contest]
            } == "contested")
    }

    @Test func `needs clocks that were measured to be ordered`() {
        var desk = desk()
        desk.configure(.mautic) {
            $0.skewMicroseconds = -3; $0.skewUncertainty = 4
        }
        #expect(desk.reconciler.ground.skew == 14)
        desk.configure(.suitecrm) { $0.isSkewMeasured = false }
        #expect(desk.reconciler.ground.skew == nil)
    }

    @Test(arguments: 0..<500)
    func `holds to what may be written, with one verdict a field`(seed: UInt64) {
        var random = Dice(seed)
        var desk = Desk()
        if random.chance(2) { desk.add(.suitecrm) }
        for system in System.real {
            for field in EntityMapping.contact.fields where random.chance(4) {
                desk.type(system, field.name, random.value())
            }
            if random.chance(6) { desk.delete(system) }
            if random.chance(6) { desk.unreadable.insert(Desk.id(system)) }
            desk.configure(system) { row in
                row.approved = random.chance(5) ? [] : ["contact"]
                row.configured.direction = [.both, .pull, .push][random.below(3)]
                row.configured.create = random.chance(3) ? .never : .always
                if random.chance(4) { row.configured.scope = "tags has a or city = a" }
            }
        }
        for field in EntityMapping.contact.fields where random.chance(3) {
            desk.stand(field.name, random.value(), version: 2)
        }
        desk.policy.existence = ExistenceLaw.allCases[random.below(3)]
        let plan = desk.plan
        #expect(plan.commands == desk.plan.commands && plan.verdicts == desk.plan.verdicts)
        for command in plan.commands {
            let connection = desk.reconciler.ground.connection(command.connection)
            #expect(connection?.approved == ["contact"])
            #expect(connection?.configured.direction != .pull)
            #expect(!desk.unreadable.contains(command.connection))
            #expect(desk.replicas.first { $0.replica == command.replica }?.state != .gone)
        }
        for field in EntityMapping.contact.fields {
            for replica in desk.replicas where replica.state == .live {
                let count = plan.verdicts.count {
                    $0.field == field.name && $0.system == replica.system
                }
                #expect(count == (field.spellings[replica.system] == nil ? 0 : 1))
            }
        }
        let worst: [Verdict.Standing] = [.conflict, .failing, .write, .wait, .inSync, .excluded]
        #expect(
            plan.standing
                == worst.first { one in plan.verdicts.contains { $0.standing == one } } ?? .inSync)
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
private struct Dice {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func chance(_ one: Int) -> Bool { below(one) == 0 }

    mutating func value() -> Value {
        let values: [Value] = [
            .null, .text("a"), .text("b"), .text(""), .number("5"), .bool(true), .bool(false),
            .set(["a"]), .set(["a", "b"]), .unrecognized([9]),
        ]
        return values[below(values.count)]
    }
}
