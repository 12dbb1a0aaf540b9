import Connectors
import Ledger
import Model
import Projections
import Reconciler
import Transport

/// Dispatching: one lane a record, each command checked again when its turn comes.
extension EngineCore {
    /// Commands of an earlier process may have run: they are settled before anything else.
    mutating func resumeOpenCommands() throws {
        let open = try views.read { tables, transaction in
            try tables.openCommandIDs(transaction).compactMap {
                try tables.commands.row($0.bytes, transaction)
            }
        }
        for row in open.sorted(by: { $0.issuedAt < $1.issuedAt })
        where isUsable(row.issue.connection) && mapping[row.issue.entity] != nil {
            report.issued += 1
            laneOf[row.issue.command] = row.issue.record
            lanes[row.issue.record, default: []].append(row.issue.command)
        }
        for record in lanes.keys.sorted() { startLane(record) }
    }

    mutating func enqueue(_ ticket: RecordPlanTicket) throws {
        // Counted only now: a record that moved meanwhile is planned again.
        report.decisions += ticket.decisions
        report.contested += ticket.contested
        report.issued += ticket.commands.count
        // What was decided may leave more to decide.
        dirty.insert(ticket.record)
        if ticket.decisions > 0 {
            dirty.formUnion(ticket.derivers)
            if let row = try views.record(ticket.record) {
                dirty.formUnion(try reader.derivers(of: row))
            }
        }
        guard !ticket.commands.isEmpty else { return }
        let commands = ticket.commands.filter { laneOf[$0] == nil }
        for command in commands {
            laneOf[command] = ticket.record
            queued.insert(command)
        }
        lanes[ticket.record, default: []] += commands
        effects.append(progress(.writing))
        startLane(ticket.record)
    }

    /// Takes up the first command of a lane: one that this process did not issue may have run, and is
    /// looked up first.
    private mutating func startLane(_ record: RecordID) {
        guard !active.contains(record) else { return }
        guard !isCancelled, let command = lanes[record]?.first else {
            let left = lanes.removeValue(forKey: record) ?? []
            for command in left {
                laneOf[command] = nil
                releaseKey(command)
            }
            return
        }
        active.insert(record)
        do {
            guard !queued.contains(command) else { return try begin(command, record) }
            try settleInTime(command)
        } catch {
            park(command, "\(error)")
        }
    }

    /// Looks up what an unheard call left, once it has had time to take effect.
    private mutating func settleInTime(_ command: CommandID) throws {
        guard let row = try row(command) else { return drop(command) }
        let at = (row.issuedTime ?? now).adding(seconds: request.settlesAfterSeconds)
        if isHarmless(row.issue) || at <= now { return try settle(command) }
        timers.append(Timer(at: at, action: .settle(command)))
    }

    mutating func park(_ command: CommandID, _ reason: String) {
        var payload = CommandParked()
        payload.command = command
        payload.reason = reason
        report.parked += 1
        settleInLog(command, .commandParked(payload))
    }

    private func row(_ command: CommandID) throws -> CommandRow? {
        try views.read { tables, transaction in
            try tables.commands.row(command.bytes, transaction)
        }
    }

    /// Puts a command into its connection's queue; what is decided of it is decided at its turn.
    mutating func begin(_ command: CommandID, _ record: RecordID) throws {
        guard let row = try row(command), isUsable(row.issue.connection), !isCancelled,
            request.verb != .plan
        else { return drop(command) }
        start(Call(.get, ""), on: row.issue.connection, for: .turn(command))
    }

    /// A command's turn: superseded if the ground moved, else put into words and sent under this id.
    mutating func takeTurn(
        _ command: CommandID, _ id: CallID, on connection: ConnectionID
    ) throws {
        calls[id] = nil
        guard laneOf[command] != nil, let row = try row(command),
            let session = sessions[connection]
        else {
            sessions[connection]?.ended()
            return drop(command)
        }
        // A create that was sent once goes on as it was decided: its object may come late, and another
        // decision under another id would make a second one.
        let isOnItsWay = row.issue.operation == .create && !queued.contains(command)
        if !isOnItsWay, let objection = try objection(to: row.issue) {
            sessions[connection]?.ended()
            return supersede(command, objection)
        }
        let order = try order(row.issue, session)
        guard takeKey(order, row.issue.kind, connection) else {
            sessions[connection]?.ended()
            return
        }
        queued.remove(command)
        var conversation = session.connector(of: row.issue.kind).write(order)
        switch conversation.next(nil) {
        case .call(let call):
            calls[id] = PendingCall(
                connection: connection, call: call, purpose: .write(command, conversation))
        case .done(let outcome):
            sessions[connection]?.ended()
            try finish(command, outcome)
        }
    }

    private func objection(to issue: CommandIssued) throws -> String? {
        guard let snapshot = try snapshot(issue.record) else { return nil }
        return try reconciler(of: issue.entity)?.objection(to: issue, in: snapshot)
    }

    /// Creates of one e-mail address go one at a time where the system chooses the ids: two at once
    /// make two people there (Mautic's facts A9 and A10).
    ///
    /// - Returns: whether it may go now; else it goes when the other one is done.
    private mutating func takeKey(
        _ order: WriteOrder, _ kind: String, _ connection: ConnectionID
    ) -> Bool {
        guard order.operation == .create, let email = order.email?.lowercased(),
            sessions[connection]?.connector(of: kind).chosenID(order) == nil
        else { return true }
        let key = CreateKey(connection: connection, email: email)
        if let holder = creating[key], holder != order.command {
            waitingToCreate[key, default: []].append(order.command)
            return false
        }
        creating[key] = order.command
        return true
    }

    private mutating func releaseKey(_ command: CommandID) {
        for (key, holder) in creating where holder == command {
            creating[key] = nil
            // The first of them takes the key at its turn, and the others wait again.
            for next in waitingToCreate.removeValue(forKey: key) ?? [] {
                start(Call(.get, ""), on: key.connection, for: .turn(next))
            }
        }
    }

    /// The command leaves this run as it stands in the log, and the next run settles it.
    mutating func drop(_ command: CommandID) {
        guard let record = laneOf.removeValue(forKey: command) else { return }
        releaseKey(command)
        lanes[record]?.removeAll { $0 == command }
        active.remove(record)
        startLane(record)
    }

    func order(_ issue: CommandIssued, _ session: Session) throws -> WriteOrder {
        let (replica, snapshot) = try (
            views.read { tables, transaction in
                try tables.replicas.row(issue.replica.bytes, transaction)
            }, snapshot(issue.record)
        )
        var email: String?
        let mapping = mapping[issue.entity]
        if let field = mapping?.field("email") {
            let seen = replica?.branch(field)?.seenContent
            let outcome = snapshot?.record.outcome("email")?.value?.value
            // A create is found again by what it sent, whatever was decided since.
            let sent = issue.changes.first { $0.field == "email" }?.write?.value
            if case .text(let text)? = (issue.operation == .create ? sent : seen ?? outcome) {
                email = text
            }
        }
        return WriteOrder(
            command: issue.command, operation: issue.operation, replica: issue.replica,
            remoteID: issue.operation == .create ? nil : replica?.remoteIDText,
            stamp: replica?.stamp ?? "", born: replica?.born ?? "", email: email,
            needsLook: !fresh.contains(issue.replica),
            changes: issue.changes.map { change in
                let spelling = mapping?.field(change.field)?.spellings[session.row.system]
                return WriteOrder.Change(
                    attribute: change.attribute, call: spelling?.call ?? .object,
                    form: change.form, write: change.write?.value ?? .null,
                    leaves: change.leaves?.value ?? .null)
            })
    }

    private mutating func converse(
        _ command: CommandID, _ connection: ConnectionID,
        _ conversation: inout any Conversation, answer: HTTPResult?
    ) {
        switch conversation.next(answer) {
        case .call(let call): start(call, on: connection, for: .write(command, conversation))
        case .done(let outcome):
            do {
                try finish(command, outcome)
            } catch {
                report.failures.append(("\(command.short)", "\(error)"))
                drop(command)
            }
        }
    }

    mutating func writeAnswered(
        _ pending: PendingCall, _ command: CommandID, _ conversation: any Conversation,
        _ result: HTTPResult
    ) throws {
        // A token that ended is the one refusal that says nothing of the command.
        if let response = result.response, response.status == 401, !pending.hasRenewedToken,
            sessions[pending.connection]?.connector.tokenCall(Credentials(clientSecret: "")) != nil
        {
            return retry(pending, RemoteFailure(.token, "the token ended")) { core, _ in
                core.drop(command)
            }
        }
        var conversation = conversation
        converse(command, pending.connection, &conversation, answer: result)
    }

    // MARK: - Outcomes

    private mutating func finish(_ command: CommandID, _ outcome: WriteOutcome) throws {
        guard let row = try row(command) else { return drop(command) }
        switch outcome {
        case .confirmed(let remoteID, let object):
            try confirm(row, remoteID: remoteID, object, byLooking: false)
        case .failed(let failure): failed(row, failure)
        }
    }

    private mutating func failed(_ row: CommandRow, _ failure: RemoteFailure) {
        let command = row.issue.command
        let connection = row.issue.connection
        if failure.isPause { rest(connection, failure) }
        switch failure.kind {
        case .again:
            if let later = nextTry(of: command, after: failure) {
                timers.append(Timer(at: later, action: .begin(command)))
            } else if isCancelled {
                drop(command)
            } else if failure.status == 0 {
                // Nobody can be reached there, which is not this command's fault.
                fail(connection, failure.message)
                drop(command)
            } else {
                park(command, failure.message)
            }
        case .unclear: uncertain(row, failure)
        case .token: refuse(row, .authentication, failure)
        case .refused(let refusal): refuse(row, refusal, failure)
        }
    }

    /// When a command may be tried again; `nil` after three tries.
    mutating func nextTry(of command: CommandID, after failure: RemoteFailure) -> Timestamp? {
        let tries = attempts[command, default: 0] + 1
        attempts[command] = tries
        guard tries < Self.maximumAttempts, !isCancelled else { return nil }
        return now.adding(seconds: pause(tries, failure))
    }

    /// Sending it again can do no harm: absolute values, or a create under an id of ours.
    func isHarmless(_ issue: CommandIssued) -> Bool {
        switch issue.operation {
        case .delete: true
        case .create: sessions[issue.connection]?.row.system != .mautic
        case .update, .unspecified: issue.changes.allSatisfy { $0.form == .absolute }
        }
    }

    mutating func refuse(_ row: CommandRow, _ refusal: Refusal, _ failure: RemoteFailure) {
        var payload = CommandRefused()
        payload.command = row.issue.command
        payload.refusal = refusal
        payload.status = UInt64(max(0, failure.status))
        payload.reason = failure.message
        report.refused += 1
        refusedInRun.insert(RefusedPlace(row.issue))
        let mustLook = [.conflict, .notFound, .wrongObject].contains(refusal)
        settleInLog(
            row.issue.command, .commandRefused(payload), look: mustLook ? row.issue.replica : nil)
        // Not the value's fault: nothing else would go better there either.
        if refusal == .authentication || refusal == .unreachable {
            fail(row.issue.connection, failure.message)
        }
    }

    private mutating func uncertain(_ row: CommandRow, _ failure: RemoteFailure) {
        var payload = CommandUncertain()
        payload.command = row.issue.command
        payload.reason = failure.message
        let wait = isHarmless(row.issue) ? 1 : request.settlesAfterSeconds
        append(
            [draft(row.issue, .commandUncertain(payload))],
            then: .uncertain(row.issue.command, until: now.adding(seconds: wait)))
    }

    mutating func supersede(_ command: CommandID, _ reason: String) {
        var payload = CommandSuperseded()
        payload.command = command
        payload.reason = reason
        report.superseded += 1
        settleInLog(command, .commandSuperseded(payload))
    }

    /// Says what became of a command; `look` is a replica to be read once that is durable.
    private mutating func settleInLog(
        _ command: CommandID, _ event: Event, look: ReplicaID? = nil
    ) {
        do {
            guard let row = try row(command) else { return drop(command) }
            append([draft(row.issue, event)], then: .commandSettled(command, look: look))
        } catch {
            report.failures.append(("\(command.short)", "\(error)"))
            drop(command)
        }
    }

    private mutating func draft(_ issue: CommandIssued, _ event: Event) -> Draft {
        Draft(
            id: ids.event(), stream: .replica(issue.replica), event: event,
            tags: [Tag(.command, issue.command), Tag(.record, issue.record)])
    }

    mutating func settled(_ command: CommandID, look: ReplicaID?) throws {
        queued.remove(command)
        if let look,
            let row = try views.read({ tables, transaction in
                try tables.replicas.row(look.bytes, transaction)
            })
        {
            self.look(at: row)
        }
        guard let record = laneOf.removeValue(forKey: command) else { return }
        releaseKey(command)
        lanes[record]?.removeAll { $0 == command }
        active.remove(record)
        dirty.insert(record)
        // Whoever waited for an object of this record is planned anew, whether it was made or not.
        dirty.formUnion(try waitingForReference(command))
        startLane(record)
        effects.append(progress(.writing))
    }
}

extension EngineCore {
    /// The records that refer to the one whose object a command was to make.
    private func waitingForReference(_ command: CommandID) throws -> [RecordID] {
        let issue = try views.read { tables, transaction in
            try tables.commands.row(command.bytes, transaction)?.issue
        }
        guard let issue, issue.operation == .create, mapping.isReferredTo(issue.entity) else {
            return []
        }
        return try views.referers(of: issue.record)
    }
}

/// Where the system chooses the ids, one create of an e-mail address at a time.
struct CreateKey: Hashable {
    var connection: ConnectionID
    var email: String
}

/// Where a system refused something in this run: not asked again before the next.
struct RefusedPlace: Hashable {
    var record: RecordID
    var connection: ConnectionID

    init(_ issue: CommandIssued) {
        record = issue.record
        connection = issue.connection
    }
}
