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
    var hasRenewedToken = false

    enum Purpose {
        case token
        case page(Walk)
        case acknowledge
        /// A look at a replica, because it is suspected gone or its state is in doubt.
        case look(ReplicaID, remoteID: String)
        case write(CommandID, any Conversation)
        /// Did an unheard write run?
        case settle(CommandID, WriteOrder)
    }

    /// Sending it again can do no harm.
    var isRead: Bool {
        switch purpose {
        case .token, .page, .look, .settle, .acknowledge: true
        case .write: false
        }
    }
}

/// Calls: their pace, their tokens and their repetition.
extension EngineCore {
    /// Three tries, then it is given up or parked (design §8).
    static var maximumAttempts: Int { 3 }

    mutating func start(_ call: Call, on connection: ConnectionID, for purpose: PendingCall.Purpose)
    {
        let id = nextID()
        calls[id] = PendingCall(connection: connection, call: call, purpose: purpose)
        sessions[connection]?.enqueue(id)
    }

    /// Lets every session send what it may.
    mutating func pump() {
        for connection in sessions.keys.sorted() {
            pump(connection)
        }
    }

    private mutating func pump(_ connection: ConnectionID) {
        while let turn = sessions[connection]?.turn(now: now) {
            switch turn {
            case .nothing: return
            case .wait(let until):
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
                guard let session = sessions[connection], let pending = calls[id] else { continue }
                calls[id]?.lookedAfter = end
                if case .write(let command, _) = pending.purpose { queued.remove(command) }
                send(id, session.request(pending.call))
            }
        }
    }

    private mutating func send(_ id: CallID, _ request: HTTPRequest) {
        report.calls += 1
        if case .write? = calls[id]?.purpose, request.method != .get { report.writeCalls += 1 }
        effects.append(.send(id, request))
    }

    mutating func answered(_ id: CallID, _ result: HTTPResult) throws {
        guard let pending = calls.removeValue(forKey: id) else { return }
        let connection = pending.connection
        if case .token = pending.purpose { return tokenAnswered(connection, result) }
        sessions[connection]?.ended()
        switch pending.purpose {
        case .token: break
        case .page(let walk): try pageAnswered(pending, walk, result)
        case .acknowledge:
            if let failure = failure(result, pending) { retry(pending, failure) { _, _ in } }
        case .look(let replica, let remoteID):
            try lookAnswered(pending, replica, remoteID, result)
        case .write(let command, let conversation):
            try writeAnswered(pending, command, conversation, result)
        case .settle(let command, let order):
            try settleAnswered(pending, command, order, result)
        }
    }

    private func failure(_ result: HTTPResult, _ pending: PendingCall) -> RemoteFailure? {
        do {
            let response = try readable(result)
            return (200..<300).contains(response.status)
                ? nil : RemoteFailure(.unclear, "the system answered \(response.status)")
        } catch {
            return error
        }
    }

    private mutating func tokenAnswered(_ connection: ConnectionID, _ result: HTTPResult) {
        guard let session = sessions[connection] else { return }
        do {
            sessions[connection]?.take(try session.connector.token(from: result), now: now)
        } catch {
            sessions[connection]?.take(nil, now: now)
            fail(connection, error.message)
        }
    }

    /// Sends a read again after a pause, with a new token where that was the trouble; gives up after
    /// three tries.
    mutating func retry(
        _ pending: PendingCall, _ failure: RemoteFailure,
        giveUp: (inout EngineCore, RemoteFailure) throws -> Void
    ) rethrows {
        var again = pending
        switch failure.kind {
        case .token where !pending.hasRenewedToken:
            again.hasRenewedToken = true
            sessions[pending.connection]?.dropToken()
            let id = nextID()
            calls[id] = again
            sessions[pending.connection]?.enqueueFirst(id)
        case .unclear, .again:
            again.attempts += 1
            guard again.attempts < Self.maximumAttempts, !isCancelled else {
                return try giveUp(&self, failure)
            }
            let id = nextID()
            calls[id] = again
            timers.append(
                Timer(
                    at: now.adding(seconds: pause(again.attempts, failure)), action: .call(id)))
        case .token, .refused: try giveUp(&self, failure)
        }
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
                if let connection = calls[id]?.connection { sessions[connection]?.enqueue(id) }
            case .settle(let command): try settle(command)
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
        let dropped = calls.filter {
            $0.value.connection == connection && session.waiting.contains($0.key)
        }
        for (id, pending) in dropped {
            calls[id] = nil
            if case .write(let command, _) = pending.purpose { drop(command) }
        }
        sessions[connection]?.dropWaiting()
    }
}
