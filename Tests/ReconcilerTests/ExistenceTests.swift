import Ledger
import Model
import Projections
import Testing

@testable import Reconciler

@Suite struct `Who is missing somewhere` {
    @Test func `is made there, under an id that does not change`() throws {
        let desk = Desk()
        #expect(desk.operations() == ["create suitecrm"])
        #expect(desk.existence(.suitecrm)?.standing == .write)
        let (first, second) = (desk.plan.commands[0], desk.plan.commands[0])
        #expect(first == second)
        #expect(
            Set(first.changes.map(\.field)) == ["first_name", "email", "email_opt_out"],
            "blanks are left out, a consent is told")
        var failed = desk
        failed.record.failedCreates = 1
        #expect(failed.plan.commands[0].command != first.command)
    }

    @Test func `is not made there for a reason that is told`() {
        func expect(_ reason: String, _ change: (inout Desk) -> Void) {
            var desk = Desk()
            change(&desk)
            #expect(!desk.operations().contains("create suitecrm"), "\(reason)")
            #expect(desk.existence(.suitecrm)?.standing == .excluded, "\(reason)")
            #expect(desk.existence(.suitecrm)?.reason == reason)
        }
        expect("nothing is created there") {
            $0.configure(.suitecrm) { $0.configured.create = .never }
        }
        expect("its first plan is not approved yet") {
            $0.configure(.suitecrm) { $0.approved = [] }
        }
        expect("the system is only read") {
            $0.configure(.suitecrm) { $0.configured.direction = .pull }
        }
        expect("the system refused to create it") {
            $0.record.refusedCreates = [Desk.id(.suitecrm)]
        }
        expect("without the name or address that it is found by, it is not created elsewhere") {
            $0.stand("email", .null)
        }
        expect("another one there has the same e-mail address: see `links`") {
            $0.namesakes = [Desk.id(.suitecrm)]
        }
        expect("its objects were all taken out of it") { $0.record.isEmptied = true }
        expect("without the name or address that it is found by, it is not created elsewhere") {
            // Mautic would store it empty, and never find it again.
            $0.stand("email", .text("  "))
        }
        expect("it is out of scope there") {
            $0.configure(.suitecrm) { $0.configured.scope = "city = Berlin" }
        }
    }

    @Test func `and being made there right now, is not made again`() {
        var desk = Desk()
        desk.creating = [Desk.id(.suitecrm)]
        #expect(desk.plan.commands.isEmpty)
    }

    @Test func `is neither made nor missed where nobody could look`() {
        var desk = Desk()
        desk.unreadable = [Desk.id(.suitecrm)]
        #expect(desk.plan.commands.isEmpty)
        #expect(desk.existence(.suitecrm)?.standing == .failing)
        #expect(desk.plan.standing == .failing)
    }
}

@Suite struct `Who was deleted somewhere` {
    private func desk(_ law: ExistenceLaw) -> Desk {
        var desk = Desk()
        desk.add(.suitecrm)
        desk.delete(.suitecrm)
        desk.policy.existence = law
        return desk
    }

    @Test func `is asked about, and written nowhere but for an opt-out`() {
        var desk = desk(.ask)
        #expect(desk.existence(.suitecrm)?.standing == .conflict)
        desk.type(.compass, "first_name", .text("Anna"))
        desk.type(.compass, "email_opt_out", .bool(true))
        #expect(Set(desk.plan.commands.flatMap(\.changes).map(\.field)) == ["email_opt_out"])
    }

    @Test func `is deleted everywhere under delete_wins, where we may write`() {
        var desk = desk(.deleteWins)
        #expect(desk.operations() == ["delete compass", "delete mautic"])
        desk.configure(.mautic) { $0.configured.direction = .pull }
        #expect(desk.operations() == ["delete compass"])
        desk.configure(.compass) { $0.approved = [] }
        #expect(desk.operations() == [])
        #expect(desk.existence(.suitecrm)?.standing == .excluded)
    }

    @Test func `is let go to be made again under edit_wins, if somebody edited`() {
        var desk = desk(.editWins)
        #expect(desk.operations() == ["delete compass", "delete mautic"])
        #expect(desk.plan.released.isEmpty)
        desk.stand("first_name", .text("Anne"), version: 2)
        #expect(desk.plan.released == [Desk.replica(.suitecrm)])
        #expect(!desk.operations().contains("delete compass"))
    }

    @Test func `and everywhere, is done with`() {
        var desk = desk(.ask)
        desk.delete(.compass)
        desk.delete(.mautic)
        #expect(desk.plan.commands.isEmpty)
        #expect(desk.existence(.compass)?.reason == "deleted everywhere")
        #expect(desk.plan.standing == .excluded)
    }

    @Test func `is asked about without an opt-out being lifted`() {
        var desk = Desk()
        desk.stand("email_opt_out", .bool(true))
        desk.replicas = []
        for system in System.real { desk.add(system) }
        desk.stand("email_opt_out", .bool(false), version: 2)
        #expect(desk.plan.commands.count == 3, "nobody is gone, and the lift is written")
        desk.delete(.suitecrm)
        #expect(desk.plan.commands.isEmpty)
    }

    @Test(arguments: [CommandRow.State.issued, .uncertain])
    func `is not deleted twice while nobody has heard of it`(state: CommandRow.State) {
        var desk = desk(.deleteWins)
        desk.issue(desk.plan.commands, state)
        desk.change(.mautic) { $0.lastSettled += 1 }
        #expect(desk.plan.commands.isEmpty)
        #expect(desk.existence(.suitecrm)?.standing == .write)
        desk.policy.existence = .ask
        #expect(desk.existence(.suitecrm)?.reason == "it is being deleted everywhere")
    }

    @Test func `is not deleted again where that was refused or given up`() {
        var desk = desk(.deleteWins)
        desk.change(.mautic) { $0.refusesDelete = true }
        #expect(desk.operations() == ["delete compass"])
        #expect(desk.existence(.suitecrm)?.standing == .failing)
    }

    @Test func `and is not found to be anywhere that could not be read, is no exclusion`() {
        var desk = desk(.deleteWins)
        desk.unreadable = [Desk.id(.compass), Desk.id(.mautic)]
        #expect(desk.plan.commands.isEmpty)
        #expect(desk.existence(.suitecrm)?.standing == .failing)
    }

    @Test func `is not deleted any more once somebody is kept, though it was begun`() throws {
        var desk = desk(.ask)
        var command = try #require(
            self.desk(.deleteWins).plan.commands.first { $0.connection == Desk.id(.mautic) })
        #expect(desk.reconciler.objection(to: command, in: desk.snapshot) == nil)
        desk.record.replicas.removeAll { $0 == Desk.replica(.suitecrm) }
        desk.replicas.removeAll { $0.system == .suitecrm }
        #expect(
            desk.reconciler.objection(to: command, in: desk.snapshot)
                == "nothing of the record is deleted any more")
        command.operation = .update
        #expect(desk.reconciler.objection(to: command, in: desk.snapshot) == nil)
    }

    @Test func `is written to no more, though an update was begun`() throws {
        var desk = Desk()
        desk.add(.suitecrm)
        desk.stand("first_name", .text("Anne"), version: 2)
        let command = try #require(desk.plan.commands.first)
        #expect(desk.reconciler.objection(to: command, in: desk.snapshot) == nil)
        let other = System.real.first { Desk.id($0) != command.connection }
        desk.delete(try #require(other))
        #expect(
            desk.reconciler.objection(to: command, in: desk.snapshot)
                == "another object of the record was deleted")
    }

    @Test func `by being merged into somebody else everywhere, is made nowhere anew`() {
        var desk = Desk()
        for system in [System.compass, .mautic] {
            desk.change(system) {
                $0.state = .gone
                $0.goneProof = .merged
            }
        }
        #expect(desk.plan.commands.isEmpty)
        #expect(desk.existence(.compass)?.reason == "merged into another one")
    }

    @Test func `and made again there, is not deleted`() {
        var desk = desk(.deleteWins)
        desk.add(.suitecrm)
        desk.replicas[desk.replicas.count - 1].replica = ReplicaID(high: 3, low: 1)
        #expect(desk.plan.commands.isEmpty)
        #expect(desk.existence(.suitecrm) == nil)
    }

    @Test func `before the law changed, is still asked about`() {
        var desk = desk(.deleteWins)
        desk.change(.suitecrm) { $0.lastSettled = 5 }
        var ground = desk.reconciler.ground
        ground.rulesSince = 6
        #expect(Reconciler(ground).plan(desk.snapshot).commands.isEmpty)
        ground.realigns = true
        #expect(Reconciler(ground).plan(desk.snapshot).commands.count == 2)
    }
}
