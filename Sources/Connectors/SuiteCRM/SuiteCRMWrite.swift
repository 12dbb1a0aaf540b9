import Ledger
import Model
import Transport

/// One write to a SuiteCRM contact itself: a create under our id, changed fields, or a delete.
struct SuiteCRMWrite: Conversation {
    private let order: WriteOrder
    private let connector: SuiteCRMConnector
    private var phase = Phase.begin

    private enum Phase {
        case begin
        case write
        case whoseID
        case delete
    }

    init(_ order: WriteOrder, _ connector: SuiteCRMConnector) {
        self.order = order
        self.connector = connector
    }

    private var id: String { order.remoteID ?? connector.chosenID(order) ?? "" }

    mutating func next(_ answer: HTTPResult?) -> ConversationStep {
        do {
            return try step(answer)
        } catch {
            return .done(.failed(error))
        }
    }

    private mutating func step(_ answer: HTTPResult?) throws(RemoteFailure) -> ConversationStep {
        guard let answer else { return begin() }
        switch phase {
        case .begin: throw RemoteFailure(.unclear, "an answer before the question")
        case .write: return try written(answer)
        case .whoseID:
            guard case .found(var object) = try connector.look(from: answer, asked: id) else {
                throw RemoteFailure(
                    .refused(.conflict), status: 400,
                    "SuiteCRM refuses the new contact's id, which a deleted one has had")
            }
            object.isFoundLater = true
            return .done(.confirmed(remoteID: object.id, object: object))
        case .delete:
            do {
                _ = try connector.success(answer)
            } catch  where error.kind == .refused(.notFound) {
                // Gone already, which is what was wanted.
            }
            return .done(.confirmed(remoteID: order.remoteID, object: nil))
        }
    }

    private mutating func begin() -> ConversationStep {
        if order.operation == .delete {
            phase = .delete
            return .call(Call(.delete, "/Api/V8/module/\(connector.module)/\(percentEncoded(id))"))
        }
        phase = .write
        return .call(
            connector.recordCall(
                order.operation == .create ? .post : .patch, connector.module, id: id,
                connector.attributes(order.changes)))
    }

    private mutating func written(_ answer: HTTPResult) throws(RemoteFailure) -> ConversationStep {
        do {
            let object = try connector.contact(answer)
            try connector.check(object, is: id)
            return .done(.confirmed(remoteID: object.id, object: object))
        } catch  where error.kind == .refused(.conflict) && order.operation == .create {
            // The id is ours: an earlier try of this create ran, or its contact was deleted since
            // (fact 26).
            phase = .whoseID
            return .call(connector.lookCall(id: id))
        }
    }
}
