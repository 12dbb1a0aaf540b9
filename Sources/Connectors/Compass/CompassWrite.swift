import Ledger
import Model
import Transport

/// One write to Compass: an insert under our id, a compare-and-set update, or a delete.
struct CompassWrite: Conversation {
    private let order: WriteOrder
    private let connector: CompassConnector

    init(_ order: WriteOrder, _ connector: CompassConnector) {
        self.order = order
        self.connector = connector
    }

    mutating func next(_ answer: HTTPResult?) -> ConversationStep {
        guard let answer else { return begin() }
        do {
            return .done(try outcome(answer))
        } catch {
            return .done(.failed(error))
        }
    }

    private func begin() -> ConversationStep {
        let headers: HTTPHeaders = [
            "Content-Type": "application/json", "Prefer": "return=representation",
        ]
        switch order.operation {
        case .create:
            var row = row
            row.insert(.init("id", .string(connector.chosenID(order) ?? "")), at: 0)
            return .call(
                Call(.post, "/rest/v1/contacts", headers: headers, body: JSON.object(row).bytes))
        case .delete:
            return .call(
                Call(
                    .delete, "/rest/v1/contacts", query: [("id", "eq.\(order.remoteID ?? "")")],
                    headers: headers))
        case .update, .unspecified:
            var query = [("id", "eq.\(order.remoteID ?? "")")]
            // Nobody may have written since we looked.
            if !order.stamp.isEmpty { query.append(("updated_at", "eq.\(order.stamp)")) }
            return .call(
                Call(
                    .patch, "/rest/v1/contacts", query: query, headers: headers,
                    body: JSON.object(row).bytes))
        }
    }

    private var row: [JSON.Member] {
        order.changes.map { .init($0.attribute, json($0.write)) }
            + [.init("sync_command", .string(order.command.description))]
    }

    private func outcome(_ answer: HTTPResult) throws(RemoteFailure) -> WriteOutcome {
        let json: JSON
        do {
            json = try connector.success(answer)
        } catch  where error.kind == .refused(.conflict) && order.operation == .create {
            // Our own id exists already: an earlier try of this very create ran.
            return .confirmed(remoteID: connector.chosenID(order), object: nil)
        }
        if order.operation == .delete { return .confirmed(remoteID: order.remoteID, object: nil) }
        guard let row = json.elements.first else {
            throw RemoteFailure(
                .refused(.conflict), status: 200, "somebody changed the row in Compass meanwhile")
        }
        let object = try connector.object(row)
        return .confirmed(remoteID: object.id, object: object)
    }

    private func json(_ value: Value) -> JSON {
        switch value {
        case .null: .null
        case .text(let text): .string(text)
        case .number(let text): .number(text)
        case .bool(let flag): .bool(flag)
        case .set(let elements): .array(elements.map(JSON.string))
        case .bytes, .unrecognized: .null
        }
    }
}
