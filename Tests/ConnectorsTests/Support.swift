import Connectors
import Ledger
import Model
import Transport

/// The id that our own creates have in these tests.
let replica = ReplicaID(high: 0x1111_1111_1111_7111, low: 0x8111_1111_1111_1111)
let ourID = replica.description
let otherID = "22222222-2222-7222-8222-222222222222"
let command = CommandID(high: 0x3333_3333_3333_7333, low: 0x8333_3333_3333_3333)

// MARK: - Answers

func answer(_ status: Int, _ body: String = "", _ headers: HTTPHeaders = [:]) -> HTTPResult {
    .response(HTTPResponse(status: status, headers: headers, body: Array(body.utf8)))
}

/// The connection ended; the system may have done what was asked.
let unheard = HTTPResult.failure(
    HTTPFailure(kind: .connectionLost, reachedRemote: .maybe, message: "the connection ended"))

/// Nobody was reached.
let unreached = HTTPResult.failure(
    HTTPFailure(kind: .connectionRefused, reachedRemote: .no, message: "nobody listens there"))

/// Everything that is no answer to the question, whatever the system.
let nonsense = [
    answer(200), answer(200, "<html><body>Please log in</body></html>"), answer(200, "{\"data\":"),
    answer(200, "null"), answer(200, "7"), answer(200, "\"fine\""), answer(302, "<html></html>"),
    answer(500, "<h1>Internal Server Error</h1>"), answer(502, ""), answer(504, "gateway"), unheard,
]

// MARK: - Orders

func change(
    _ attribute: String, _ write: Value, _ call: Spelling.Call = .object,
    form: WriteForm = .absolute, leaves: Value? = nil
) -> WriteOrder.Change {
    WriteOrder.Change(
        attribute: attribute, call: call, form: form, write: write, leaves: leaves ?? write)
}

func order(
    _ operation: Operation, id: String? = nil, email: String? = nil, stamp: String = "",
    needsLook: Bool = false, _ changes: [WriteOrder.Change] = []
) -> WriteOrder {
    WriteOrder(
        command: command, operation: operation, replica: replica, remoteID: id, stamp: stamp,
        email: email, needsLook: needsLook, changes: changes)
}

// MARK: - Conversations

/// A conversation that was led to its end, or until the answers ran out.
struct Talk {
    var calls: [Call] = []
    var outcome: WriteOutcome?

    init(_ conversation: any Conversation, _ answers: [HTTPResult]) {
        var rest = answers[...]
        self.init(conversation) { _ in rest.popFirst() }
    }

    /// Answers as `respond` does; `nil` ends it there, as a crash would.
    init(_ conversation: any Conversation, respond: (Call) -> HTTPResult?) {
        var conversation = conversation
        var heard: HTTPResult?
        while calls.count < 100 {
            switch conversation.next(heard) {
            case .done(let outcome):
                self.outcome = outcome
                return
            case .call(let call):
                calls.append(call)
                guard let answer = respond(call) else { return }
                heard = answer
            }
        }
    }

    var failure: RemoteFailure? {
        if case .failed(let failure)? = outcome { failure } else { nil }
    }

    var isConfirmed: Bool {
        if case .confirmed? = outcome { true } else { false }
    }

    var remoteID: String? {
        if case .confirmed(let id, _)? = outcome { id } else { nil }
    }

    var object: RemoteObject? {
        if case .confirmed(_, let object)? = outcome { object } else { nil }
    }

    /// Method and path of each call.
    var lines: [String] { calls.map { "\($0.method.rawValue) \($0.path)" } }
}

extension Call {
    var json: JSON? { try? JSON(parsing: body) }

    func parameter(_ name: String) -> String? { query.first { $0.0 == name }?.1 }
}

/// What a closure's typed failure is; `nil` where it succeeds.
func failure<Result>(_ body: () throws(RemoteFailure) -> Result) -> RemoteFailure? {
    do {
        _ = try body()
        return nil
    } catch {
        return error
    }
}
