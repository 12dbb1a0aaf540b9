import Connectors
import Ledger
import Model
import Projections
import Transport

/// What a write left: taken from its answer, or found by looking where none was heard.
extension EngineCore {
    mutating func confirm(
        _ row: CommandRow, remoteID: String?, _ object: RemoteObject?, byLooking: Bool
    ) throws {
        let issue = row.issue
        guard row.state.isOpen else { return drop(issue.command) }
        let replica = try views.read { tables, transaction in
            try tables.replicas.row(issue.replica.bytes, transaction)
        }
        var drafts: [Draft] = []
        if issue.operation == .create, let remoteID {
            let (_, other) = try known(remoteID, issue.kind, issue.connection)
            if let other, other.replica != issue.replica, other.state == .live {
                guard !byLooking, object?.wasThere != true else {
                    look(at: other)
                    return refuse(
                        row, .wrongObject,
                        RemoteFailure(
                            .refused(.wrongObject),
                            "the system took the new one for one that was there already"))
                }
                drafts.append(reused(other, lookedAfter: end))
            }
        }
        var payload = CommandConfirmed()
        payload.command = issue.command
        payload.replica = issue.replica
        payload.byLooking = byLooking
        if issue.operation == .create, let remoteID {
            payload.remoteID = Sealed(
                .text(remoteID), subject: issue.replica.subject, category: .identity)
        }
        let isFoundLater = byLooking || object?.isFoundLater == true
        let unsettled = object?.unsettled ?? []
        // What the answer leaves open is not told at all; a look that follows tells.
        payload.stored = issue.changes.filter { !unsettled.contains($0.attribute) }.map {
            stored($0, object, issue, byLooking: isFoundLater)
        }
        let event = EventID.derived("command confirmed", [issue.command.bytes])
        drafts += overtakenByWrite(issue, payload, replica, event)
        var confirmed = Draft(
            id: event, stream: .replica(issue.replica), event: .commandConfirmed(payload),
            tags: [Tag(.command, issue.command), Tag(.record, issue.record)])
        confirmed.causation = .derived("command issued", [issue.command.bytes])
        drafts.append(confirmed)
        if issue.operation == .create {
            let linked = Linked(
                record: issue.record, entity: issue.entity, replica: issue.replica,
                reason: .created)
            drafts.append(
                Draft(
                    id: .derived("linked", [issue.record.bytes, issue.replica.bytes, event.bytes]),
                    stream: .record(issue.record), event: .linked(linked),
                    tags: [Tag(.record, issue.record), Tag(.replica, issue.replica)]))
        }
        if let object { drafts += readBack(object, issue, payload, replica, cause: event) }
        report.confirmed += 1
        touched.insert(issue.replica)
        noteSeen(issue.replica)
        append(
            drafts,
            then: .commandSettled(
                issue.command, look: unsettled.isEmpty ? nil : issue.replica))
    }

    /// What an attribute holds since the write: the answer's word where it has one, else the known
    /// normalisation of what was sent.
    private func stored(
        _ change: CommandChange, _ object: RemoteObject?, _ issue: CommandIssued, byLooking: Bool
    ) -> StoredAttribute {
        var stored = StoredAttribute()
        stored.field = change.field
        stored.attribute = change.attribute
        stored.outcomeVersion = change.outcomeVersion
        stored.value = change.leaves
        guard let told = object?[change.attribute], change.form == .absolute,
            let field = mapping[issue.entity]?.field(change.field),
            let codec = field.spellings[sessions[issue.connection]?.row.system ?? .unspecified]?
                .codec
        else { return stored }
        let leaves = change.leaves?.value.map(codec.content)
        // No system's word makes of an opt-out that we sent an accepted opt-in; and what a look finds
        // beside what was sent may be anybody's edit since: both are observed like any other.
        if field.law == .strictest || byLooking, codec.content(of: told) != leaves { return stored }
        stored.told = true
        stored.value?.value = told
        if issue.operation == .update {
            let before = change.before?.value.map(codec.content)
            stored.notStored = codec.content(of: told) == before && before != leaves
        }
        return stored
    }

    /// What was seen there, not decided, and is now written over.
    private func overtakenByWrite(
        _ issue: CommandIssued, _ payload: CommandConfirmed, _ replica: ReplicaRow?,
        _ event: EventID
    ) -> [Draft] {
        guard let replica else { return [] }
        var drafts: [Draft] = []
        for change in issue.changes where change.form == .absolute {
            guard let field = mapping[issue.entity]?.field(change.field),
                let branch = replica.branch(field),
                branch.hasChanged, branch.accounted != nil
            else { continue }
            var overtaken = Overtaken()
            overtaken.replica = issue.replica
            overtaken.observation = branch.seenBy
            overtaken.attributes = [change.attribute]
            overtaken.by = event
            drafts.append(
                Draft(
                    id: .derived(
                        "overtaken",
                        [branch.seenBy.bytes, event.bytes, Array(change.attribute.utf8)]),
                    stream: .replica(issue.replica), event: .overtaken(overtaken),
                    tags: [Tag(.replica, issue.replica)]))
        }
        return drafts
    }

    /// The rest of the answer: somebody else's edits, or what the system did to other fields.
    private mutating func readBack(
        _ object: RemoteObject, _ issue: CommandIssued, _ payload: CommandConfirmed,
        _ replica: ReplicaRow?, cause: EventID
    ) -> [Draft] {
        guard let session = sessions[issue.connection], let mapping = mapping[issue.entity] else {
            return []
        }
        var known = replica ?? ReplicaRow()
        known.replica = issue.replica
        known.connection = issue.connection
        known.entity = issue.entity
        known.furtherKind = issue.furtherKind
        known.system = session.row.system
        known.state = .live
        if let remoteID = payload.remoteID { known.remoteID = remoteID }
        // What the confirmation is about to make of the row, so that only the rest is new.
        for stored in payload.stored where !stored.notStored {
            guard let change = issue.changes.first(where: { $0.attribute == stored.attribute })
            else { continue }
            known.foldWrite(change, stored, mapping: mapping)
        }
        var look = Observer.Look(
            connection: session.row, road: .readBack, lookedAfter: end, now: now)
        look.cause = cause
        let drafts = observer.observe(object, as: issue.replica, known: known, look, ids: &ids)
        guard case .observed(let observed)? = drafts.first?.event else { return drafts }
        return drafts + sideEffects(observed, drafts[0].id, issue, known)
    }

    /// Changes right after our write, in fields it did not write, that equal the system's known
    /// normalisation of what stood there: taken note of, spread nowhere.
    private func sideEffects(
        _ observed: Observed, _ event: EventID, _ issue: CommandIssued, _ known: ReplicaRow
    ) -> [Draft] {
        var decided = Decided()
        decided.record = issue.record
        decided.entity = issue.entity
        for attribute in observed.attributes {
            guard
                let field = mapping[issue.entity]?.field(
                    attribute: attribute.name, of: known.system),
                let branch = known.branch(field), let before = branch.seen,
                let after = attribute.value?.value, !branch.hasChanged,
                !issue.changes.contains(where: { $0.attribute == attribute.name }),
                branch.spelling.codec.content(of: branch.spelling.codec.stored(before))
                    == branch.spelling.codec.content(of: after)
            else { continue }
            var input = DecisionInput()
            input.replica = issue.replica
            input.observation = event
            input.attribute = attribute.name
            input.spelt = attribute.value
            input.canonical = attribute.value
            input.role = .sideEffect
            var decision = FieldDecision()
            decision.field = field.name
            decision.kind = .agreed
            decision.law = Reason.sideEffect.rawValue
            decision.version = branch.accepted?.version ?? 0
            decision.inputs = [input]
            decided.fields.append(decision)
        }
        guard !decided.fields.isEmpty else { return [] }
        return [
            Draft(
                id: .derived("side effect", [event.bytes]), stream: .record(issue.record),
                event: .decided(decided), tags: [Tag(.record, issue.record)])
        ]
    }

    // MARK: - Settling by looking

    /// Looks whether an unheard command ran.
    mutating func settle(_ command: CommandID) throws {
        guard
            let row = try views.read({ tables, transaction in
                try tables.commands.row(command.bytes, transaction)
            }), let session = sessions[row.issue.connection], session.failure == nil
        else { return drop(command) }
        let order = try order(row.issue, session)
        let connector = session.connector(of: row.issue.kind)
        let call: Call?
        if row.issue.operation == .create {
            call = connector.findCall(order)
        } else {
            call = order.remoteID.map { connector.lookCall(id: $0) }
        }
        guard let call else { return drop(command) }
        start(call, on: row.issue.connection, for: .settle(command, order))
    }

    mutating func settleAnswered(
        _ pending: PendingCall, _ command: CommandID, _ order: WriteOrder, _ result: HTTPResult
    ) throws {
        guard let session = sessions[pending.connection],
            let row = try views.read({ tables, transaction in
                try tables.commands.row(command.bytes, transaction)
            })
        else { return drop(command) }
        let connector = session.connector(of: row.issue.kind)
        do {
            if row.issue.operation == .create {
                if let found = try connector.found(from: result, order) {
                    return try confirm(row, remoteID: found.id, found, byLooking: true)
                }
                return didNotRun(command)
            }
            switch try connector.look(from: result, asked: order.remoteID ?? "") {
            case .found(let object) where connector.isHalfDone(order, in: object):
                didNotRun(command)
            case .found(let object) where object.isYounger(than: order.born):
                supersede(command, "the object is gone")
            case .found(let object): try judge(row, object, session.row)
            case .gone where row.issue.operation == .delete:
                try confirm(row, remoteID: order.remoteID, nil, byLooking: true)
            case .gone, .merged: supersede(command, "the object is gone")
            }
        } catch let error as RemoteFailure {
            retry(pending, error) { core, failure in
                core.report.uncertain += 1
                core.drop(command)
            }
        }
    }

    /// Tells whether the write ran.
    ///
    /// An attribute as the write leaves it, and none as before: yes, for one call is one write, and what
    /// differs was edited since. All as before: no. Elements count one by one: whoever adds others in
    /// between hides nothing. A set element that a person took away again in that time is put there once
    /// more, for no look ever showed it.
    private mutating func judge(
        _ row: CommandRow, _ object: RemoteObject, _ connection: ConnectionRow
    ) throws {
        // A deletion that a person asked for, or that did not run: its look is done, so it goes.
        if row.issue.operation == .delete {
            return try begin(row.issue.command, row.issue.record)
        }
        let states = row.issue.changes.map { change -> WriteState in
            guard
                let spelling = mapping[row.issue.entity]?.field(change.field)?.spellings[
                    connection.system],
                let told = object[change.attribute].map(spelling.codec.content)
            else { return .other }
            if change.form == .elements { return Self.state(of: change, in: told) }
            if told == change.leaves?.value.map(spelling.codec.content) { return .after }
            return told == change.before?.value.map(spelling.codec.content) ? .before : .other
        }
        if states.contains(.after), !states.contains(.before) {
            return try confirm(row, remoteID: object.id, object, byLooking: true)
        }
        // An absolute value that stands neither here nor there was edited since: decided anew.
        if states.allSatisfy({ $0 == .before }) { return didNotRun(row.issue.command) }
        if row.issue.changes.allSatisfy({ $0.form != .delta }) {
            let look = Observer.Look(
                connection: connection, road: .readBack, lookedAfter: end, now: now)
            let drafts = try observe(object, look)
            if !drafts.isEmpty { append(drafts, then: .lookDone) }
            return supersede(row.issue.command, "the system's value moved")
        }
        var payload = CommandParked()
        payload.command = row.issue.command
        payload.reason = "whether the change was added cannot be told: look at the system"
        report.parked += 1
        append(
            [
                Draft(
                    id: ids.event(), stream: .replica(row.issue.replica),
                    event: .commandParked(payload),
                    tags: [Tag(.command, row.issue.command), Tag(.record, row.issue.record)])
            ], then: .commandSettled(row.issue.command, look: nil))
    }

    /// Whether the elements of a change are there, and those that it takes out are not.
    private static func state(of change: CommandChange, in told: Value) -> WriteState {
        let has = Set(told.elements)
        let inEffect = (change.write?.value?.elements ?? []).map { element in
            element.hasPrefix("-")
                ? !has.contains(String(element.dropFirst()))
                : has.contains(element)
        }
        if inEffect.allSatisfy(\.self) { return .after }
        return inEffect.contains(true) ? .other : .before
    }

    /// The same command again, under its own id, so that a first try that comes late makes no second
    /// object; parked for a person after three tries.
    private mutating func didNotRun(_ command: CommandID) {
        let failure = RemoteFailure(.unclear, "three tries left nothing behind")
        if let later = nextTry(of: command, after: failure) {
            timers.append(Timer(at: later, action: .begin(command)))
        } else if isCancelled || request.verb == .plan {
            drop(command)
        } else {
            park(command, failure.message)
        }
    }

    private enum WriteState {
        case before
        case after
        case other
    }
}
