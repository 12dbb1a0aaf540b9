import Ledger
import Model
import Transport

/// One write to Compass: an insert under our id, a compare-and-set update, or a delete.
struct CompassWrite: Conversation {
    private let order: WriteOrder
    private let connector: CompassConnector
    private var phase = Phase.begin

    private enum Phase {
        case begin
        case write
        /// A refused insert: is it our id that is there, or another unique column's value?
        case whoseID
        /// A delete that found no row: is it gone, or hidden?
        case isGone
    }

    init(_ order: WriteOrder, _ connector: CompassConnector) {
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
        guard let answer else {
            phase = .write
            return .call(call)
        }
        switch phase {
        case .begin: throw RemoteFailure(.unclear, "an answer before the question")
        case .write: return try written(answer)
        case .whoseID:
            guard case .found(var object) = try connector.look(from: answer, asked: id) else {
                throw RemoteFailure(
                    .refused(.conflict), status: 409, "another Compass row has one of these values")
            }
            object.isFoundLater = true
            return .done(.confirmed(remoteID: object.id, object: object))
        case .isGone:
            guard case .gone = try connector.look(from: answer, asked: id) else {
                throw RemoteFailure(
                    .refused(.permission), status: 200,
                    "Compass did not let the row be deleted: row-level security hides it")
            }
            return .done(.confirmed(remoteID: order.remoteID, object: nil))
        }
    }

    private var call: Call {
        let headers: HTTPHeaders = [
            "Content-Type": "application/json", "Prefer": "return=representation",
        ]
        switch order.operation {
        case .create:
            let row = [JSON.Member("id", .string(id))] + row
            return Call(.post, connector.path, headers: headers, body: JSON.object(row).bytes)
        case .delete:
            return Call(
                .delete, connector.path, query: [("id", "eq.\(id)")], headers: headers)
        case .update, .unspecified:
            var query = [("id", "eq.\(id)")]
            // Nobody may have written since we looked.
            if !order.stamp.isEmpty { query.append(("updated_at", "eq.\(order.stamp)")) }
            return Call(
                .patch, connector.path, query: query, headers: headers,
                body: JSON.object(row).bytes)
        }
    }

    /// The trigger puts the command's id beside the change, in the outbox.
    private var row: [JSON.Member] {
        order.changes.map { .init($0.attribute, json($0.write)) }
            + [.init("sync_command", .string(order.command.description))]
    }

    private mutating func written(_ answer: HTTPResult) throws(RemoteFailure) -> ConversationStep {
        let rows: [JSON]
        do {
            rows = try connector.rows(of: answer)
        } catch  where error.kind == .refused(.conflict) && order.operation == .create {
            phase = .whoseID
            return .call(connector.lookCall(id: id))
        } catch  where error.kind == .refused(.conflict) && order.operation == .delete {
            throw RemoteFailure(
                .refused(.conflict), status: 409,
                "other rows in Compass still name it: let them name another one first")
        }
        guard let row = rows.first else {
            if order.operation == .delete {
                phase = .isGone
                return .call(connector.lookCall(id: id))
            }
            throw RemoteFailure(
                .refused(.conflict), status: 200, "somebody changed the row in Compass meanwhile")
        }
        let object = try connector.object(row, of: connector.entity)
        guard rows.count == 1, object.id.lowercased() == id.lowercased() else {
            throw RemoteFailure(
                .refused(.wrongObject), status: 200, "another Compass row answered for this id")
        }
        return .done(
            .confirmed(
                remoteID: object.id, object: order.operation == .delete ? nil : object))
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
