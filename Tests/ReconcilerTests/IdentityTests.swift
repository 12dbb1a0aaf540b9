import Ledger
import Model
import Projections
import Testing

@testable import Reconciler

@Suite struct `Who is one person` {
    private func row(_ number: UInt64, at connection: UInt64, of record: UInt64? = nil)
        -> ReplicaRow
    {
        var row = ReplicaRow()
        row.replica = ReplicaID(high: 2, low: number)
        row.connection = ConnectionID(high: 1, low: connection)
        row.record = record.map { RecordID(high: 9, low: $0) }
        return row
    }

    private func match(
        _ one: ReplicaRow, _ alike: [ReplicaRow], isTaken: Bool = false
    ) -> Match {
        Identity().match(one, alike: alike) { _ in isTaken }
    }

    @Test func `one on each side becomes a record, alone or together`() {
        let (one, other) = (row(1, at: 1), row(2, at: 2))
        #expect(match(one, []) == .found([one.replica]))
        #expect(match(one, [other, one]) == .found([one.replica, other.replica]))
    }

    @Test func `who resembles a record joins it, unless its place is taken`() {
        let (one, other) = (row(1, at: 1), row(2, at: 2, of: 7))
        #expect(match(one, [other]) == .join(RecordID(high: 9, low: 7)))
        #expect(
            match(one, [other], isTaken: true) == .ambiguous([one.replica, other.replica]))
    }

    @Test func `two of one system, or of two records, are a question`() {
        let one = row(1, at: 1)
        #expect(
            match(one, [row(2, at: 1)])
                == .ambiguous([one.replica, ReplicaID(high: 2, low: 2)]))
        let both = [row(2, at: 2, of: 7), row(3, at: 3, of: 8)]
        #expect(match(one, both) == .ambiguous([one.replica] + both.map(\.replica)))
    }

    @Test func `the same people make the same question and the same record, in any order`() {
        let ids = (1...3).map { ReplicaID(high: 2, low: UInt64($0)) }
        #expect(Identity.question(ids) == Identity.question(ids.reversed()))
        #expect(Identity.question(ids) != Identity.question([ids[0], ids[1]]))
        #expect(
            Identity.record(ids, entity: "contact")
                == Identity.record(ids.reversed(), entity: "contact"))
        #expect(
            Identity.record(ids, entity: "contact") != Identity.record(ids, entity: "account"))
    }
}
