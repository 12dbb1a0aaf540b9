package import Ledger
package import Model
import Projections

/// Decides what is to be done for a record: views in, decisions, verdicts and commands out.
///
/// Pure: the same rows give the same plan, with the same ids. Nothing is appended or sent here.
package struct Reconciler: Sendable {
    package var ground: Ground

    /// Each ruling leaves less to decide; this only keeps a mistake of ours from looping.
    private static var rulingsPerField: Int { 16 }
    static var unread: String { "it could not be read" }

    package init(_ ground: Ground) { self.ground = ground }

    /// The plan for one record.
    package func plan(_ snapshot: RecordSnapshot) -> RecordPlan {
        var plan = RecordPlan(record: snapshot.record.record, entity: snapshot.record.entity)
        var writes: [ReplicaID: [CommandChange]] = [:]
        var outcomes: [(FieldMapping, Outcome)] = []
        let lastWriter = asksWhoWroteLast ? lastWriter(in: snapshot) : nil
        var (snapshot, parts) = (snapshot, [String: FieldState]())
        let (joined, sides) = (joinedFields, sides(of: snapshot))
        for field in fieldsInOrder {
            join(field, plan, parts, in: &snapshot)
            let merge = merge(field)
            var state = state(of: field, in: snapshot, sides)
            state.lastWriter = lastWriter
            if let ruling = lostReferences(field, state, snapshot) {
                plan.rulings.append((field, ruling))
                state = state.folding(ruling)
            }
            if let ruling = derived(field, state, snapshot) {
                plan.rulings.append((field, ruling))
                state = state.folding(ruling)
            }
            for _ in 0..<Self.rulingsPerField {
                guard let ruling = merge.decide(state) else { break }
                guard !waits(ruling, field, snapshot.record) else {
                    plan.realignable += 1
                    break
                }
                plan.rulings.append((field, ruling))
                state = state.folding(ruling)
            }
            if joined.contains(field.name) { parts[field.name] = state }
            if let outcome = state.outcome { outcomes.append((field, outcome)) }
            let isDecidedNow = plan.rulings.contains {
                $0.field.name == field.name && [.moved, .settled].contains($0.ruling.kind)
            }
            for var branch in state.branches {
                if !isDecidedNow {
                    ground.respellings.mark(
                        &branch, snapshot.record.outcome(field.name), realigns: ground.realigns)
                }
                guard let side = sides.first(where: { $0.replica == branch.replica }) else {
                    continue
                }
                let need = need(of: branch, field, state, by: merge, snapshot.references, side)
                plan.verdicts.append(verdict(need, field, branch, side))
                if need == .wait(.respelt) { plan.realignable += 1 }
                if case .write(let write) = need, let outcome = state.outcome {
                    let before = snapshot.replicas[side.place][branch.spelling.attribute].seen
                    writes[branch.replica, default: []].append(
                        change(write, field, branch, outcome, before: before?.value))
                }
            }
        }
        plan.realignable += waitingDerivations(snapshot)
        plan.verdicts += snapshot.openCommands.compactMap { underWay($0, snapshot) }
        let existence = existence(snapshot, &plan)
        for replica in snapshot.replicas.sorted(by: { $0.replica < $1.replica }) {
            let changes = (writes[replica.replica] ?? []).filter {
                allows($0, at: replica.system, existence)
            }
            plan.commands += updates(changes, replica, snapshot)
        }
        if existence == .stands { plan.commands += creations(outcomes, snapshot, &plan) }
        return plan
    }

    /// Whether a command's ground is still what it was decided on.
    ///
    /// - Returns: the reason why not, or `nil`.
    package func objection(to command: CommandIssued, in snapshot: RecordSnapshot) -> String? {
        guard ground.connection(command.connection).map(ground.mayWrite) ?? false else {
            return "the system may not be written to"
        }
        guard let replica = snapshot.replica(command.replica) else {
            guard command.operation == .create else { return "the replica is no longer linked" }
            return ground.admits(snapshot.record, to: command.connection, as: nil)
                ? nil : Exclusion.outOfScope.rawValue
        }
        if replica.state == .gone { return "the object is gone" }
        if replica.isConverted { return Exclusion.converted.rawValue }
        guard ground.mayWrite(replica) else { return "the system may not be written to" }
        if command.operation == .delete { return objection(toDeleting: replica, in: snapshot) }
        let existence = existence(snapshot)
        for change in command.changes {
            guard allows(change, at: replica.system, existence) else {
                return "another object of the record was deleted"
            }
            guard let field = ground.mapping.field(change.field) else { continue }
            let state = state(of: field, in: snapshot)
            if state.outcome?.version != change.outcomeVersion { return "the outcome moved" }
            if state.contest.map({ !$0.freezesOnlyInputs }) ?? false { return "contested" }
            if !self.belongs(replica, in: snapshot, as: field) {
                return Exclusion.outOfScope.rawValue
            }
            guard command.operation == .update,
                let branch = state.branches.first(where: { $0.replica == command.replica })
            else { continue }
            if branch.spelling.attribute != change.attribute { return "the mapping changed" }
            let codec = branch.spelling.codec
            let before = change.before?.value.map(codec.content)
            if replica[branch.spelling.attribute].seen?.value.map(codec.content) != before {
                return "the system's value moved"
            }
        }
        return nil
    }

    // MARK: - State

    /// What holds of an object for all of its fields, looked up once.
    struct Side {
        let replica: ReplicaID
        let connection: ConnectionID
        /// Its place among the record's objects.
        let place: Int
        /// Whether the rules changed since it was last looked at.
        let isOlderThanRules: Bool
        let isAdmitted: Bool
        let mayWrite: Bool
        let isHeard: Bool
        let isUnreadable: Bool
    }

    /// The record's live objects at connections that are in use.
    private func sides(of snapshot: RecordSnapshot) -> [Side] {
        snapshot.replicas.indices.compactMap { place in
            let replica = snapshot.replicas[place]
            guard replica.isActive, let connection = ground.connection(replica.connection) else {
                return nil
            }
            return Side(
                replica: replica.replica, connection: replica.connection, place: place,
                isOlderThanRules: replica.lastLook < ground.rulesSince,
                isAdmitted: ground.admits(
                    snapshot.record, to: replica.connection, as: replica),
                mayWrite: ground.mayWrite(replica),
                isHeard: connection.configured.direction != .push && ground.hears(replica),
                isUnreadable: ground.isUnreadable(replica))
        }
    }

    /// One field of a record as the merge sees it: live replicas only.
    package func state(of field: FieldMapping, in snapshot: RecordSnapshot) -> FieldState {
        state(of: field, in: snapshot, sides(of: snapshot))
    }

    private func state(
        of field: FieldMapping, in snapshot: RecordSnapshot, _ sides: [Side]
    ) -> FieldState {
        let outcome = snapshot.record.outcome(field.name)
        var branches: [Branch] = []
        branches.reserveCapacity(sides.count)
        for side in sides {
            guard
                var branch = snapshot.replicas[side.place].branch(field, snapshot.references)
            else { continue }
            // An opt-out stands for whoever it is: consent knows no scope.
            let belongs = field.law == .strictest || side.isAdmitted
            branch.mayWrite = belongs && side.mayWrite
            branch.maySpeak = belongs && side.isHeard && !branch.refersToUnknown
            if !snapshot.openCommands.isEmpty {
                branch.pending = snapshot.openCommands.flatMap { command in
                    command.issue.replica == side.replica
                        ? pending(command, branch.spelling.attribute, field) : []
                }
            }
            branch.limitByTerms()
            branches.append(branch)
        }
        var state = FieldState(
            outcome: outcome?.outcome, branches: branches,
            contest: snapshot.record.contest(field.name)?.contest)
        state.consentGiven = snapshot.record.consentGiven.contains(field.name)
        return state
    }

    /// An opt-out stands for whoever it is: consent knows no scope.
    private func belongs(
        _ replica: ReplicaRow, in snapshot: RecordSnapshot, as field: FieldMapping
    ) -> Bool {
        field.law == .strictest
            || ground.admits(snapshot.record, to: replica.connection, as: replica)
    }

    private func pending(
        _ command: CommandRow, _ attribute: String, _ field: FieldMapping
    ) -> [PendingWrite] {
        let isOpen = command.state.isOpen && !ground.queued.contains(command.issue.command)
        return command.issue.changes.filter { $0.attribute == attribute }.map { change in
            let leaves =
                field.refers == nil
                ? change.leaves?.value : change.refers.map(Value.reference)
            return PendingWrite(
                command: command.issue.command, leaves: leaves ?? .null, isOpen: isOpen)
        }
    }

    private func verdict(
        _ need: WriteNeed, _ field: FieldMapping, _ branch: Branch, _ side: Side
    ) -> Verdict {
        let isOut = !side.isAdmitted
        let (standing, reason): (Verdict.Standing, String) =
            switch need {
            case _ where isOut && field.law != .strictest:
                (.excluded, Exclusion.outOfScope.rawValue)
            case .inSync where isOut, .wait(.noOutcome) where isOut:
                (.excluded, Exclusion.outOfScope.rawValue)
            case .inSync: (.inSync, "")
            case .write: (.write, "")
            case .wait(.contested): (.conflict, WriteNeed.Wait.contested.rawValue)
            // Where nobody ever said anything there is nothing to wait for.
            case .wait(.noOutcome) where !branch.hasChanged: (.inSync, "")
            case .wait(.refused): (.failing, WriteNeed.Wait.refused.rawValue)
            case .wait(.lossy): (.inSync, WriteNeed.Wait.lossy.rawValue)
            case .wait(.readOnly) where side.isUnreadable:
                (.failing, Self.unread)
            case .wait(let wait)
            where [.readOnly, .keepsValue, .noWord, .unknownReference, .absentReference]
                .contains(wait):
                (.excluded, wait.rawValue)
            case .wait(let wait): (.wait, wait.rawValue)
            }
        return Verdict(
            field: field.name, system: branch.system, standing: standing, reason: reason)
    }

    /// What is said of an update that was not heard, whatever a look shows since: nobody knows
    /// whether it ran.
    private func underWay(_ command: CommandRow, _ snapshot: RecordSnapshot) -> Verdict? {
        guard command.issue.operation == .update,
            let replica = snapshot.replica(command.issue.replica), replica.isActive,
            ground.admits(snapshot.record, to: replica.connection, as: replica)
        else { return nil }
        let isParked = command.state == .parked
        return Verdict(
            field: "command", system: replica.system, standing: isParked ? .failing : .wait,
            reason: isParked ? "a command was given up" : "a command is under way")
    }

    // MARK: - Commands

    private func change(
        _ write: WriteNeed.Write, _ field: FieldMapping, _ branch: Branch, _ outcome: Outcome,
        before: Value?
    ) -> CommandChange {
        func sealed(_ value: Value?) -> Sealed? {
            value.map { Sealed($0, subject: branch.replica.subject, category: field.category) }
        }
        var change = CommandChange()
        change.field = field.name
        change.attribute = branch.spelling.attribute
        change.form = write.form
        change.write = sealed(write.spelling)
        change.leaves = sealed(write.leaves)
        change.before = sealed(before)
        change.outcomeVersion = outcome.version
        change.baseObservation = branch.seenBy
        if field.refers != nil { change.refers = outcome.value.reference }
        return change
    }

    /// One command a call: what one endpoint takes goes together.
    private func updates(
        _ changes: [CommandChange], _ replica: ReplicaRow, _ snapshot: RecordSnapshot
    ) -> [CommandIssued] {
        let calls = Dictionary(grouping: changes) { change in
            ground.mapping.field(change.field)?.spellings[replica.system]?.call ?? .object
        }
        let known = Set(snapshot.openCommands.map(\.issue.command))
        return calls.sorted { $0.key < $1.key }.compactMap { _, changes in
            var command = CommandIssued()
            command.record = snapshot.record.record
            command.replica = replica.replica
            command.connection = replica.connection
            command.entity = snapshot.record.entity
            command.furtherKind = replica.furtherKind
            command.operation = .update
            command.changes = changes
            command.command = identity(of: command, settled: replica.lastSettled)
            return known.contains(command.command) ? nil : command
        }
    }

    /// The command id: the same outcome versions on the same ground give the same command.
    func identity(of command: CommandIssued, settled: UInt64) -> CommandID {
        .derived(
            "command",
            [command.replica.bytes, [UInt8(command.operation.rawValue)], bigEndianBytes(settled)]
                + command.changes.flatMap { change in
                    [
                        Array(change.attribute.utf8), bigEndianBytes(change.outcomeVersion),
                        change.baseObservation?.bytes ?? [],
                    ]
                })
    }
}
