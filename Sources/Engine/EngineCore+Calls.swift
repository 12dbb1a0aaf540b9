import Connectors
import Ledger
import Projections
import Reconciler
import Transport

/// A call that waits for its turn or its answer.
struct PendingCall {
    var connection: ConnectionID
    var call: Call
    var purpose: Purpose
    var attempts = 0
    /// The log's last sequence when its request left.
    var lookedAfter: UInt64 = 0
    var sentAt: Timestamp?
    var hasRenewedToken = false

    enum Purpose {
        case token
        case page(Walk)
        case acknowledge([String])
        /// A look at a replica, because it is suspected gone or its state is in doubt.
        case look(ReplicaID, remoteID: String)
        /// A command that waits for its turn: checked once more, and only then put into words.
        case turn(CommandID)
        case write(CommandID, any Conversation)
        /// Did an unheard write run?
        case settle(CommandID, WriteOrder)
    }

    /// Whether it is the next step of something begun, which a stop lets end.
    var goesOn: Bool {
        if case .write = purpose { true } else { false }
    }
}

/// Calls: their pace, their tokens and their repetition.
extension EngineCore {
    /// Three tries, then it is given up or parked (design §8).
    static var maximumAttempts: Int { 3 }

    mutating func start(_ call: Call, on connection: ConnectionID, for purpose: PendingCall.Purpose)
    {
        let pending = PendingCall(connection: connection, call: call, purpose: purpose)
        guard isUsable(connection), !isCancelled || pending.goesOn else { return leave(pending) }
        let id = nextID()
        calls[id] = pending
        sessions[connection]?.enqueue(id)
    }

    func isUsable(_ connection: ConnectionID) -> Bool {
        sessions[connection].map { $0.failure == nil } ?? false
    }

    /// What was wanted of a connection that takes no more part: a command stays in the log as it is,
    /// and the next run settles it.
    private mutating func abandon(_ purpose: PendingCall.Purpose) {
        switch purpose {
        case .turn(let command), .write(let command, _), .settle(let command, _): drop(command)
        case .token, .page, .acknowledge, .look: break
        }
    }

    /// Lets every session send what it may.
    mutating func pump() throws {
        for connection in sessions.keys.sorted() {
            try pump(connection)
        }
    }

    private mutating func pump(_ connection: ConnectionID) throws {
        while let turn = sessions[connection]?.turn(now: now) {
            switch turn {
            case .nothing: return
            case .wait(let until):
                // Who asks to be left alone keeps nobody who wants to end.
                if isCancelled, sessions[connection]?.isResting(now) == true {
                    return leaveWaiting(connection)
                }
                effects.append(.wake(until))
                return
            case .fetchToken:
                guard let session = sessions[connection],
                    let call = session.connector.tokenCall(session.credentials)
                else { return }
                let id = nextID()
                calls[id] = PendingCall(connection: connection, call: call, purpose: .token)
                send(id, session.request(call, isTokenCall: true))
            case .send(let id):
                if case .turn(let command)? = calls[id]?.purpose {
                    try takeTurn(command, id, on: connection)
                }
                guard let session = sessions[connection], let pending = calls[id] else { continue }
                calls[id]?.lookedAfter = end
                send(id, session.request(pending.call))
            }
        }
    }

    private mutating func send(_ id: CallID, _ request: HTTPRequest) {
        report.calls += 1
        calls[id]?.sentAt = now
        if case .write? = calls[id]?.purpose, request.method != .get { report.writeCalls += 1 }
        effects.append(.send(id, request))
    }

    mutating func answered(_ id: CallID, _ result: HTTPResult) throws {
        guard let pending = calls.removeValue(forKey: id) else { return }
        let connection = pending.connection
        if let sent = pending.sentAt, let date = result.response?.headers["Date"] {
            sessions[connection]?.clock.hear(date, sent: sent, heard: now)
        }
        if case .token = pending.purpose { return tokenAnswered(connection, result) }
        sessions[connection]?.ended()
        switch pending.purpose {
        case .token, .turn: break
        case .page(let walk): try pageAnswered(pending, walk, result)
        case .acknowledge(let rows): acknowledged(rows, pending, result)
        case .look(let replica, let remoteID):
            try lookAnswered(pending, replica, remoteID, result)
        case .write(let command, let conversation):
            try writeAnswered(pending, command, conversation, result)
        case .settle(let command, let order):
            try settleAnswered(pending, command, order, result)
        }
    }

    private mutating func acknowledged(
        _ rows: [String], _ pending: PendingCall, _ result: HTTPResult
    ) {
        guard let connector = sessions[pending.connection]?.connector else { return }
        do {
            try connector.acknowledged(from: result, rows)
        } catch {
            retry(pending, error) { core, failure in
                core.fail(pending.connection, failure.message)
            }
        }
    }

    private mutating func tokenAnswered(_ connection: ConnectionID, _ result: HTTPResult) {
        guard let session = sessions[connection] else { return }
        do {
            sessions[connection]?.take(try session.connector.token(from: result), now: now)
        } catch {
            sessions[connection]?.take(nil, now: now)
            let tries = sessions[connection]?.tokenTries ?? Self.maximumAttempts
            if error.mayPass, tries < Self.maximumAttempts, !isCancelled {
                let later = now.adding(seconds: pause(tries, error))
                sessions[connection]?.rest(until: later)
            } else if error.mayPass, isCancelled {
                leaveWaiting(connection)
            } else {
                fail(connection, error.message)
            }
        }
    }

    /// Sends a read again after a pause, with a new token where that was the trouble; gives up after
    /// three tries.
    mutating func retry(
        _ pending: PendingCall, _ failure: RemoteFailure,
        giveUp: (inout EngineCore, RemoteFailure) throws -> Void
    ) rethrows {
        var again = pending
        guard isUsable(pending.connection) else { return try giveUp(&self, failure) }
        if failure.isPause { rest(pending.connection, failure) }
        switch failure.kind {
        case .token where isCancelled && !pending.goesOn: leave(pending)
        case .token where !pending.hasRenewedToken:
            again.hasRenewedToken = true
            sessions[pending.connection]?.dropToken()
            let id = nextID()
            calls[id] = again
            sessions[pending.connection]?.enqueueFirst(id)
        case .unclear, .again:
            again.attempts += 1
            guard again.attempts < Self.maximumAttempts else { return try giveUp(&self, failure) }
            // That a run was stopped says nothing about the system.
            guard !isCancelled else { return leave(pending) }
            let id = nextID()
            calls[id] = again
            timers.append(
                Timer(
                    at: now.adding(seconds: pause(again.attempts, failure)), action: .call(id)))
        case .token, .refused: try giveUp(&self, failure)
        }
    }

    /// A system that asks for a pause gets it for every call, not for one.
    mutating func rest(_ connection: ConnectionID, _ failure: RemoteFailure) {
        guard case .again(let seconds) = failure.kind else { return }
        let later = now.adding(seconds: seconds)
        sessions[connection]?.rest(until: later)
    }

    /// Exponential with jitter, or what the system asked for.
    func pause(_ attempt: Int, _ failure: RemoteFailure) -> Double {
        if case .again(let seconds) = failure.kind, seconds > 1 { return seconds }
        let jitter = Double((now.microseconds / 7) % 1_000) / 1_000
        return 0.2 * Double(1 << (2 * attempt)) * (0.5 + jitter)
    }

    mutating func fireTimers() throws {
        let due = timers.filter { $0.at <= now }
        timers.removeAll { $0.at <= now }
        for timer in due {
            switch timer.action {
            case .call(let id):
                guard let pending = calls[id] else { continue }
                if isUsable(pending.connection) {
                    sessions[pending.connection]?.enqueue(id)
                } else {
                    calls[id] = nil
                    abandon(pending.purpose)
                }
            case .settle(let command): try settle(command)
            case .begin(let command):
                if let record = laneOf[command] { try begin(command, record) }
            }
        }
        if let next = timers.map(\.at).min() { effects.append(.wake(next)) }
    }

    /// The connection takes no more part in this run; what waited for it is dropped.
    mutating func fail(_ connection: ConnectionID, _ reason: String) {
        guard let session = sessions[connection], session.failure == nil else { return }
        sessions[connection]?.failure = reason
        report.failures.append((session.row.configured.label, reason))
        walks[connection] = nil
        waitingWalks[connection] = nil
        resting = resting.filter { $0.key.connection != connection }
        sessions[connection]?.dropWaiting()
        for id in session.waiting {
            if let pending = calls.removeValue(forKey: id) { abandon(pending.purpose) }
        }
    }

    /// Leaves a call, and the walk that it was a step of, to the next run.
    private mutating func leave(_ pending: PendingCall) {
        if case .page = pending.purpose { walks[pending.connection] = nil }
        abandon(pending.purpose)
    }

    private mutating func leaveWaiting(_ connection: ConnectionID) {
        let waiting = sessions[connection]?.waiting ?? []
        sessions[connection]?.dropWaiting()
        for id in waiting {
            if let pending = calls.removeValue(forKey: id) { leave(pending) }
        }
    }

    /// Nothing new is begun; what was sent is still heard, and a write of several calls goes on where
    /// nothing keeps it waiting.
    mutating func stop() {
        guard !isCancelled else { return }
        isCancelled = true
        // What is only summed up by then is done.
        report.wasStopped = ![.ending, .counting, .done].contains(phase)
        waitingWalks = [:]
        resting = [:]
        walks = walks.filter { walk in calls.values.contains { $0.connection == walk.key } }
        for connection in sessions.keys.sorted() { leaveWaiting(connection) }
        let dropped = timers
        timers = []
        for timer in dropped {
            switch timer.action {
            case .call(let id):
                if let pending = calls.removeValue(forKey: id) { leave(pending) }
            case .settle(let command), .begin(let command): drop(command)
            }
        }
    }
}

extension RemoteFailure {
    /// The system asks everybody to wait, not this one call.
    var isPause: Bool { status == 429 || status == 503 }

    /// The same call may go better in a moment.
    var mayPass: Bool {
        switch kind {
        case .unclear, .again: true
        case .token, .refused: false
        }
    }
}
