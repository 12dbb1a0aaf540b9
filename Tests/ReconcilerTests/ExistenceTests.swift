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
            $0.configure(.suitecrm) { $0.writesApproved = false }
        }
        expect("the system is only read") {
            $0.configure(.suitecrm) { $0.configured.direction = .pull }
        }
        expect("the system refused to create it") {
            $0.record.refusedCreates = [Desk.id(.suitecrm)]
        }
        expect("a person without an e-mail address is not created elsewhere") {
            $0.stand("email", .null)
        }
        expect("somebody there has the same e-mail address: see `links`") {
            $0.namesakes = [Desk.id(.suitecrm)]
        }
        expect("its objects were all taken out of it") { $0.record.isEmptied = true }
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
        desk.configure(.compass) { $0.writesApproved = false }
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
