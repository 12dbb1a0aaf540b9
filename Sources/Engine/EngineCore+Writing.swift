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
        for row in open {
            guard let session = sessions[row.issue.connection], session.failure == nil else {
                continue
            }
            report.issued += 1
            let command = row.issue.command
            laneOf[command] = row.issue.record
            lanes[row.issue.record, default: []].append(command)
            active.insert(row.issue.record)
            try settle(command)
        }
    }

    mutating func enqueue(_ ticket: RecordPlanTicket) {
        // What was decided may leave more to decide.
        dirty.insert(ticket.record)
        guard !ticket.commands.isEmpty else { return }
        for command in ticket.commands {
            laneOf[command] = ticket.record
            queued.insert(command)
        }
        lanes[ticket.record, default: []] += ticket.commands
        effects.append(progress(.writing))
        startLane(ticket.record)
    }

    private mutating func startLane(_ record: RecordID) {
        guard !active.contains(record) else { return }
        guard let command = lanes[record]?.first else {
            lanes[record] = nil
            return
        }
        active.insert(record)
        do {
            try begin(command, record)
        } catch {
            settleInLog(command, .commandParked(Self.parked(command, "\(error)")), again: false)
            report.parked += 1
        }
    }

    private static func parked(_ command: CommandID, _ reason: String) -> CommandParked {
        var payload = CommandParked()
        payload.command = command
        payload.reason = reason
        return payload
    }

    private func row(_ command: CommandID) throws -> CommandRow? {
        try views.read { tables, transaction in
            try tables.commands.row(command.bytes, transaction)
        }
    }

    /// A command's turn: superseded if the ground moved, else sent.
    mutating func begin(_ command: CommandID, _ record: RecordID) throws {
        guard let row = try row(command), let session = sessions[row.issue.connection] else {
            return drop(command)
        }
        guard session.failure == nil, !isCancelled else { return drop(command) }
        if let snapshot = try snapshot(record),
            let objection = try reconciler().objection(to: row.issue, in: snapshot)
        {
            return supersede(command, objection)
        }
        var conversation = session.connector.write(try order(row.issue, session))
        converse(command, row.issue.connection, &conversation, answer: nil)
    }

    /// The command leaves this run as it stands in the log: issued, and settled by the next run.
    mutating func drop(_ command: CommandID) {
        guard let record = laneOf.removeValue(forKey: command) else { return }
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
        if let field = mapping.field("email") {
            let seen = replica?.branch(field)?.seenContent
            let outcome = snapshot?.record.outcome("email")?.value?.value
            if case .text(let text)? = (issue.operation == .create ? outcome : seen ?? outcome) {
                email = text
            }
        }
        return WriteOrder(
            command: issue.command, operation: issue.operation, replica: issue.replica,
            remoteID: issue.operation == .create ? nil : replica?.remoteIDText,
            stamp: replica?.stamp ?? "", email: email, needsLook: !seen.contains(issue.replica),
            changes: issue.changes.map { change in
                let spelling = mapping.field(change.field)?.spellings[session.row.system]
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
            return retry(pending, RemoteFailure(.token, "the token ended")) { _, _ in }
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
        let tries = attempts[command, default: 0] + 1
        attempts[command] = tries
        let isHarmless =
            row.issue.changes.allSatisfy { $0.form == .absolute }
            && (row.issue.operation != .create
                || sessions[row.issue.connection]?.row.system != .mautic)
        func tryLater() {
            timers.append(
                Timer(at: now.adding(seconds: pause(tries, failure)), action: .settle(command)))
        }
        let mayTry = tries < Self.maximumAttempts && !isCancelled
        switch failure.kind {
        case .again:
            if mayTry { return tryLater() }
            report.parked += 1
            settleInLog(
                command, .commandParked(Self.parked(command, failure.message)), again: false)
        case .unclear:
            if mayTry, isHarmless { tryLater() } else { uncertain(command, failure.message) }
        case .token: refuse(row, .authentication, failure)
        case .refused(let refusal): refuse(row, refusal, failure)
        }
    }

    private mutating func refuse(_ row: CommandRow, _ refusal: Refusal, _ failure: RemoteFailure) {
        var payload = CommandRefused()
        payload.command = row.issue.command
        payload.refusal = refusal
        payload.status = UInt64(max(0, failure.status))
        payload.reason = failure.message
        report.refused += 1
        let mustLook = [.conflict, .notFound, .wrongObject].contains(refusal)
        settleInLog(row.issue.command, .commandRefused(payload), again: mustLook)
        guard mustLook else { return }
        if let replica = try? views.read({ tables, transaction in
            try tables.replicas.row(row.issue.replica.bytes, transaction)
        }) {
            look(at: replica)
        }
    }

    private mutating func uncertain(_ command: CommandID, _ reason: String) {
        var payload = CommandUncertain()
        payload.command = command
        payload.reason = reason
        append([draft(command, .commandUncertain(payload))], then: .uncertain(command))
    }

    mutating func supersede(_ command: CommandID, _ reason: String) {
        var payload = CommandSuperseded()
        payload.command = command
        payload.reason = reason
        report.superseded += 1
        settleInLog(command, .commandSuperseded(payload), again: true)
    }

    private mutating func settleInLog(_ command: CommandID, _ event: Event, again: Bool) {
        append([draft(command, event)], then: .commandSettled(command, again: again))
    }

    private mutating func draft(_ command: CommandID, _ event: Event) -> Draft {
        let issue = try? row(command)?.issue
        return Draft(
            id: ids.event(), stream: .replica(issue?.replica ?? .none), event: event,
            tags: [Tag(.command, command)] + (issue.map { [Tag(.record, $0.record)] } ?? []))
    }

    mutating func settled(_ command: CommandID, again: Bool) {
        queued.remove(command)
        guard let record = laneOf.removeValue(forKey: command) else { return }
        lanes[record]?.removeAll { $0 == command }
        active.remove(record)
        dirty.insert(record)
        startLane(record)
        effects.append(progress(.writing))
    }
}
