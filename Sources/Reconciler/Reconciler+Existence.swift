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
        for connection in ground.connections {
            let has = snapshot.replicas.contains { $0.connection == connection.id }
            guard !has else { continue }
            func judge(_ standing: Verdict.Standing, _ reason: String) {
                plan.verdicts.append(
                    Verdict(
                        field: "existence", system: connection.system, standing: standing,
                        reason: reason))
            }
            func exclude(_ reason: String) { judge(.excluded, reason) }
            guard !snapshot.creating.contains(connection.id) else {
                let isParked = snapshot.openCommands.contains {
                    $0.issue.connection == connection.id && $0.state == .parked
                }
                judge(
                    isParked ? .failing : .wait,
                    isParked ? "making it there was given up" : "it is being made there")
                continue
            }
            guard !snapshot.record.isEmptied else {
                exclude(Exclusion.emptied.rawValue)
                continue
            }
            guard !ground.unreadable.contains(connection.id), !ground.hidesPeople(at: connection)
            else {
                judge(.failing, Self.unread)
                continue
            }
            guard let making = ground.making[connection.id] else {
                exclude(Exclusion.neverMade.rawValue)
                continue
            }
            guard ground.mayWrite(connection) else {
                exclude(
                    connection.configured.direction == .pull
                        ? WriteNeed.Wait.readOnly.rawValue : Exclusion.unapproved.rawValue)
                continue
            }
            let active = snapshot.replicas.filter(\.isActive)
            guard active.isEmpty || active.contains(where: ground.hears) else {
                exclude(Exclusion.unapproved.rawValue)
                continue
            }
            guard !snapshot.record.refusedCreates.contains(connection.id) else {
                exclude("the system refused to create it")
                continue
            }
            func content(_ name: String) -> Value? {
                outcomes.first { $0.0.name == name }?.1.value
            }
            guard ground.admits(connection.id, content) else {
                exclude(Exclusion.outOfScope.rawValue)
                continue
            }
            guard making.admits(content) else {
                exclude(Exclusion.notMade.rawValue)
                continue
            }
            guard !ground.mapping.lacksRequired(at: connection.system, content) else {
                exclude(Exclusion.lacksRequired.rawValue)
                continue
            }
            guard !waitsForReference(outcomes, connection.id, snapshot) else {
                judge(.wait, WriteNeed.Wait.referenceIsMade.rawValue)
                continue
            }
            let command = creation(outcomes, connection, snapshot)
            guard leavesKey(command) else {
                exclude(Exclusion.unreachable.rawValue)
                continue
            }
            guard !snapshot.namesakes.contains(connection.id) else {
                exclude(
                    "another one there has the same \(ground.mapping.keyWords): see `links`")
                continue
            }
            judge(.write, "")
            commands.append(command)
        }
        return commands
    }

    /// Whether the object can be found again by what it will hold: else it is made twice one day.
    private func leavesKey(_ command: CommandIssued) -> Bool {
        command.changes.contains { change in
            ground.mapping.keys.contains(change.field) && change.leaves?.value?.isBlank == false
        }
    }

    private func creation(
        _ outcomes: [(FieldMapping, Outcome)], _ connection: ConnectionRow,
        _ snapshot: RecordSnapshot
    ) -> CommandIssued {
        let record = snapshot.record
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
            guard let spelling = field.spellings[connection.system], spelling.isToldAtCreate,
                !outcome.value.isBlank, spelling.codec.reads(outcome.value)
            else { continue }
            guard field.refers == nil else {
                let change = referenceChange(
                    field, outcome, replica, connection, snapshot.references)
                if let change { command.changes.append(change) }
                continue
            }
            command.changes.append(
                change(
                    of: field, spelling, to: spelling.codec.spelling(of: outcome.value),
                    outcome.version, replica))
        }
        let told = Set(command.changes.map(\.field))
        for field in ground.mapping.fields where !told.contains(field.name) {
            guard let spelling = field.spellings[connection.system] else { continue }
            let outcome = outcomes.first { $0.0.name == field.name }?.1
            // A default stands for a blank, not for what has no word there.
            let isBlank = outcome?.value.isBlank ?? true
            let told = spelling.constant ?? (isBlank ? spelling.codec.translation?.blank : nil)
            if let told {
                command.changes.append(
                    change(
                        of: field, spelling, to: spelling.codec.spelt(told), outcome?.version ?? 0,
                        replica))
            }
        }
        command.command = .derived("create", [replica.bytes])
        return command
    }

    private func change(
        of field: FieldMapping, _ spelling: Spelling, to spelt: Value, _ version: UInt64,
        _ replica: ReplicaID
    ) -> CommandChange {
        var change = CommandChange()
        change.field = field.name
        change.attribute = spelling.attribute
        change.write = Sealed(spelt, subject: replica.subject, category: field.category)
        change.leaves = Sealed(
            spelling.codec.stored(spelt), subject: replica.subject, category: field.category)
        change.outcomeVersion = version
        return change
    }

    // MARK: - Existence

    /// What the answer to "does this person still exist?" lets be written.
    enum Existence {
        case stands
        /// Deleted somewhere, and nobody has said what that means: consent still tightens.
        case asked
        case ended
    }

    /// Whether a change may be written: where a deletion is asked about, only an opt-out, never its
    /// lifting.
    func allows(_ change: CommandChange, at system: System, _ existence: Existence) -> Bool {
        switch existence {
        case .stands: return true
        case .asked:
            guard let field = ground.mapping.field(change.field), field.law == .strictest,
                let leaves = change.leaves?.value
            else { return false }
            return field.spellings[system]?.codec.content(of: leaves) == .bool(true)
        case .ended: return false
        }
    }

    func existence(_ snapshot: RecordSnapshot) -> Existence {
        var unused = RecordPlan(record: snapshot.record.record, entity: snapshot.record.entity)
        return existence(snapshot, &unused)
    }

    func existence(_ snapshot: RecordSnapshot, _ plan: inout RecordPlan) -> Existence {
        let gone = deleted(in: snapshot)
        let live = snapshot.replicas.filter(\.isActive)
        for row in snapshot.replicas where row.state == .live && row.isConverted {
            plan.verdicts.append(
                Verdict(
                    field: "existence", system: row.system, standing: .excluded,
                    reason: Exclusion.converted.rawValue))
        }
        let last = live.isEmpty ? snapshot.replicas.first : nil
        guard let first = gone.first ?? last else { return .stands }
        func judge(_ standing: Verdict.Standing, _ reason: String) {
            plan.verdicts.append(
                Verdict(
                    field: "existence", system: first.system, standing: standing, reason: reason))
        }
        guard !live.isEmpty else {
            if snapshot.replicas.contains(where: { $0.state != .live }) {
                judge(.excluded, (gone.isEmpty ? Exclusion.merged : .deleted).rawValue)
            }
            return .ended
        }
        let deletable = live.filter { mayDelete($0, snapshot.record) }
        let begun = snapshot.openCommands.filter {
            $0.issue.operation == .delete && $0.state.isOpen
        }.map(\.issue.replica)
        switch existenceLaw(gone) {
        case .ask where deletable.contains { begun.contains($0.replica) }:
            judge(.wait, "it is being deleted everywhere")
            return .ended
        case .ask:
            judge(.conflict, "deleted there: keep or delete?")
            return .asked
        case .editWins where isEdited(since: gone, live, snapshot):
            plan.released = gone.map(\.replica)
            judge(.write, "edited since it was deleted there, and so made again")
            return .asked
        case .deleteWins, .editWins: break
        }
        plan.commands = deletable.filter { !$0.refusesDelete && !begun.contains($0.replica) }
            .map { deletion(of: $0, snapshot.record) }
        if deletable.contains(where: \.refusesDelete) {
            judge(.failing, "deleting it elsewhere was refused or given up: see `commands`")
        } else if !deletable.isEmpty {
            judge(.write, "deleted there, and so everywhere")
        } else if live.contains(where: ground.isUnreadable) {
            judge(.failing, "deleted there; the others could not be read")
        } else {
            judge(.excluded, "deleted there; the others are only read")
        }
        return .ended
    }

    /// Why a deletion is not sent: it was taken back, or the object does not belong there.
    func objection(toDeleting replica: ReplicaRow, in snapshot: RecordSnapshot) -> String? {
        guard ground.admits(snapshot.record, to: replica.connection, as: replica) else {
            return Exclusion.outOfScope.rawValue
        }
        return deleted(in: snapshot).isEmpty ? "nothing of the record is deleted any more" : nil
    }

    /// Objects that were deleted, and for which no other answers.
    private func deleted(in snapshot: RecordSnapshot) -> [ReplicaRow] {
        snapshot.replicas.filter { row in
            row.isDeleted
                && ground.admits(snapshot.record, to: row.connection, as: row)
                && !snapshot.replicas.contains {
                    $0.isActive && $0.connection == row.connection
                }
        }
    }

    /// Whether anybody edited what those who are gone did not know of.
    private func isEdited(
        since gone: [ReplicaRow], _ live: [ReplicaRow], _ snapshot: RecordSnapshot
    ) -> Bool {
        ground.mapping.fields.contains { field in
            let outcome = snapshot.record.outcome(field.name)?.outcome
            return live.contains { $0.branch(field, snapshot.references)?.hasChanged ?? false }
                || gone.contains { row in
                    guard let outcome, let branch = row.branch(field, snapshot.references),
                        branch.accounted != nil
                    else { return false }
                    return !branch.knows(outcome)
                }
        }
    }

    private func mayDelete(_ replica: ReplicaRow, _ record: RecordRow) -> Bool {
        ground.admits(record, to: replica.connection, as: replica)
            && ground.mayWrite(replica)
    }

    private func deletion(of replica: ReplicaRow, _ record: RecordRow) -> CommandIssued {
        var command = CommandIssued()
        command.record = record.record
        command.replica = replica.replica
        command.connection = replica.connection
        command.entity = record.entity
        command.furtherKind = replica.furtherKind
        command.operation = .delete
        command.command = identity(of: command, settled: replica.lastSettled)
        return command
    }
}
