import Ledger
import Model
import Projections

/// Whether a person exists at a system, should, or should no longer.
extension Reconciler {
    /// Makes the person where they are missing, unless they were there once.
    func creations(
        _ outcomes: [(FieldMapping, Outcome)], _ snapshot: RecordSnapshot, _ plan: inout RecordPlan
    ) -> [CommandIssued] {
        var commands: [CommandIssued] = []
        let isReachable = outcomes.contains { field, outcome in
            ground.mapping.keys.contains(field.name) && !outcome.value.isBlank
        }
        for connection in ground.connections {
            let has = snapshot.replicas.contains { $0.connection == connection.id }
            guard !has, !snapshot.creating.contains(connection.id) else { continue }
            func judge(_ standing: Verdict.Standing, _ reason: String) {
                plan.verdicts.append(
                    Verdict(
                        field: "existence", system: connection.system, standing: standing,
                        reason: reason))
            }
            func exclude(_ reason: String) { judge(.excluded, reason) }
            guard !snapshot.record.isEmptied else {
                exclude("its objects were all taken out of it")
                continue
            }
            guard !ground.unreadable.contains(connection.id) else {
                judge(.failing, "it could not be read")
                continue
            }
            guard connection.configured.create == .always else {
                exclude("nothing is created there")
                continue
            }
            guard ground.mayWrite(connection) else {
                exclude(
                    connection.configured.direction == .pull
                        ? "the system is only read" : "its first plan is not approved yet")
                continue
            }
            guard !snapshot.record.refusedCreates.contains(connection.id) else {
                exclude("the system refused to create it")
                continue
            }
            let belongs = ground.admits(connection.id) { name in
                outcomes.first { $0.0.name == name }?.1.value
            }
            guard belongs else {
                exclude(Self.outOfScope)
                continue
            }
            guard isReachable else {
                exclude("a person without an e-mail address is not created elsewhere")
                continue
            }
            guard !snapshot.namesakes.contains(connection.id) else {
                exclude("somebody there has the same e-mail address: see `links`")
                continue
            }
            judge(.write, "")
            commands.append(creation(outcomes, connection, snapshot.record))
        }
        return commands
    }

    private func creation(
        _ outcomes: [(FieldMapping, Outcome)], _ connection: ConnectionRow, _ record: RecordRow
    ) -> CommandIssued {
        let replica = ReplicaID.derived(
            "created replica",
            [record.record.bytes, connection.id.bytes, bigEndianBytes(record.failedCreates)])
        var command = CommandIssued()
        command.record = record.record
        command.replica = replica
        command.connection = connection.id
        command.entity = record.entity
        command.operation = .create
        for (field, outcome) in outcomes {
            guard let spelling = field.spellings[connection.system], !outcome.value.isBlank,
                spelling.codec.reads(outcome.value)
            else { continue }
            let spelt = spelling.codec.spelling(of: outcome.value)
            var change = CommandChange()
            change.field = field.name
            change.attribute = spelling.attribute
            change.write = Sealed(spelt, subject: replica.subject, category: field.category)
            change.leaves = Sealed(
                spelling.codec.stored(spelt), subject: replica.subject, category: field.category)
            change.outcomeVersion = outcome.version
            command.changes.append(change)
        }
        command.command = .derived("create", [replica.bytes])
        return command
    }

    // MARK: - Existence

    /// What the answer to "does this person still exist?" lets be written.
    enum Existence {
        case stands
        /// Deleted somewhere, and nobody has said what that means: consent still tightens.
        case asked
        case ended

        func allows(_ mapping: EntityMapping) -> (CommandChange) -> Bool {
            switch self {
            case .stands: { _ in true }
            case .asked: { mapping.field($0.field)?.law == .strictest }
            case .ended: { _ in false }
            }
        }
    }

    func existence(_ snapshot: RecordSnapshot, _ plan: inout RecordPlan) -> Existence {
        let gone = snapshot.replicas.filter {
            $0.state == .gone && $0.goneProof != .merged
                && ground.admits(snapshot.record, to: $0.connection, as: $0)
        }
        guard let first = gone.first else { return .stands }
        func judge(_ standing: Verdict.Standing, _ reason: String) {
            plan.verdicts.append(
                Verdict(
                    field: "existence", system: first.system, standing: standing, reason: reason))
        }
        let live = snapshot.replicas.filter { $0.state == .live }
        guard !live.isEmpty else {
            judge(.excluded, "deleted everywhere")
            return .ended
        }
        switch existenceLaw(gone) {
        case .ask:
            judge(.conflict, "deleted there: keep or delete?")
            return .asked
        case .editWins where isEdited(since: gone, live, snapshot):
            plan.released = gone.map(\.replica)
            judge(.write, "edited since it was deleted there, and so made again")
            return .asked
        case .deleteWins, .editWins: break
        }
        plan.commands = live.filter { mayDelete($0, snapshot.record) }.map {
            deletion(of: $0, snapshot.record)
        }
        if plan.commands.isEmpty {
            judge(.excluded, "deleted there; the others are only read")
        } else {
            judge(.write, "deleted there, and so everywhere")
        }
        return .ended
    }

    /// Whether anybody edited what those who are gone did not know of.
    private func isEdited(
        since gone: [ReplicaRow], _ live: [ReplicaRow], _ snapshot: RecordSnapshot
    ) -> Bool {
        ground.mapping.fields.contains { field in
            let outcome = snapshot.record.outcome(field.name)?.outcome
            return live.contains { $0.branch(field)?.hasChanged ?? false }
                || gone.contains { row in
                    guard let outcome, let branch = row.branch(field), branch.accounted != nil
                    else { return false }
                    return !branch.knows(outcome)
                }
        }
    }

    private func mayDelete(_ replica: ReplicaRow, _ record: RecordRow) -> Bool {
        ground.admits(record, to: replica.connection, as: replica)
            && ground.connection(replica.connection).map(ground.mayWrite) ?? false
    }

    private func deletion(of replica: ReplicaRow, _ record: RecordRow) -> CommandIssued {
        var command = CommandIssued()
        command.record = record.record
        command.replica = replica.replica
        command.connection = replica.connection
        command.entity = record.entity
        command.operation = .delete
        command.command = identity(of: command, settled: replica.lastSettled)
        return command
    }
}
