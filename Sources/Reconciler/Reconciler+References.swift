import Ledger
import Model
import Projections

/// References: what the merge says of records, and what the systems are told of it.
extension Reconciler {
    /// Whether any field refers to records of one of these entities.
    package func refers(to entities: Set<String>) -> Bool {
        !entities.isEmpty
            && ground.mapping.fields.contains { $0.refers.map(entities.contains) ?? false }
    }

    /// Whether a branch needs a write, and which, in words that its system knows: nothing that stood
    /// there before is newly enforced.
    func need(
        of branch: Branch, _ field: FieldMapping, _ state: FieldState, by merge: Merge,
        _ references: References, _ side: Side
    ) -> WriteNeed {
        var merge = merge
        if side.isOlderThanRules, !ground.realigns { merge.policy.enforce = false }
        return references.spelling(
            merge.need(branch, state), field, branch, at: side.connection)
    }

    /// Where an object was deleted, its system empties the references to it: nobody's edit, and
    /// taken note of once, so that another object in its place is news there.
    func lostReferences(
        _ field: FieldMapping, _ state: FieldState, _ snapshot: RecordSnapshot
    ) -> Ruling? {
        guard field.refers != nil else { return nil }
        let lost = state.branches.filter { branch in
            guard branch.seen == .null, branch.maySpeak, !branch.isOpen,
                let record = branch.accounted?.reference,
                let replica = snapshot.replica(branch.replica)
            else { return false }
            // The object that stood there is not the one that stands there now, if any does.
            let known = replica[branch.spelling.attribute].referredObject
            let target = snapshot.references.target(record, at: replica.connection)
            return target == nil || target?.object != known
        }
        return lost.isEmpty ? nil : .noted(lost, .referenceGone, in: state)
    }

    /// Whether what is to be made must wait for something that it refers to and that is being made.
    func waitsForReference(
        _ outcomes: [(FieldMapping, Outcome)], _ connection: ConnectionID,
        _ snapshot: RecordSnapshot
    ) -> Bool {
        outcomes.contains { field, outcome in
            guard field.refers != nil, let record = outcome.value.reference else { return false }
            return ground.beingMade.contains(.init(record: record, connection: connection))
                || snapshot.references.isBeingMade(record, at: connection)
        }
    }

    /// What a create tells of a reference; `nil` where it is not there.
    func referenceChange(
        _ field: FieldMapping, _ outcome: Outcome, _ replica: ReplicaID,
        _ connection: ConnectionRow, _ references: References
    ) -> CommandChange? {
        guard let spelling = field.spellings[connection.system],
            let record = outcome.value.reference,
            let target = references.target(record, at: connection.id)
        else { return nil }
        let text = spelling.codec.kind == .referenceByName ? target.name : target.remoteID
        let spelt = Sealed(.text(text), subject: replica.subject, category: field.category)
        var change = CommandChange()
        change.field = field.name
        change.attribute = spelling.attribute
        change.write = spelt
        change.leaves = spelt
        change.outcomeVersion = outcome.version
        change.refers = record
        return change
    }
}
