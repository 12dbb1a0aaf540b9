import Ledger
import Model
import Transport

/// One write to Mautic: a create, an edit of the contact, points, do-not-contact, or a delete.
struct MauticWrite: Conversation {
    private let order: WriteOrder
    private let connector: MauticConnector
    private var phase = Phase.begin
    private var created: RemoteObject?

    private enum Phase {
        case begin
        case edit
        case optOut
        case checkBeforeDelete
        case delete
        case points
        case lookBefore
    }

    init(_ order: WriteOrder, _ connector: MauticConnector) {
        self.order = order
        self.connector = connector
    }

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
        case .edit:
            let object = try connector.contact(answer)
            try check(object)
            if order.operation == .create, wantsOptOut {
                created = object
                phase = .optOut
                return optOut(object.id, add: true)
            }
            return .done(.confirmed(remoteID: object.id, object: object))
        case .optOut:
            _ = try connector.success(answer)
            // The answer leaves fields out (C4): it does not tell what the contact holds.
            return .done(.confirmed(remoteID: created?.id ?? order.remoteID, object: created))
        case .checkBeforeDelete: return try delete(answer)
        case .delete:
            _ = try connector.success(answer)
            return .done(.confirmed(remoteID: order.remoteID, object: nil))
        case .points:
            // The answer tells nothing but success.
            _ = try connector.success(answer)
            return .done(.confirmed(remoteID: order.remoteID, object: nil))
        case .lookBefore:
            guard case .found = try connector.look(from: answer, asked: order.remoteID ?? "") else {
                throw RemoteFailure(
                    .refused(.wrongObject), "the Mautic contact is gone or was merged away")
            }
            return beginUpdate()
        }
    }

    private mutating func begin() -> ConversationStep {
        switch order.operation {
        case .create:
            phase = .edit
            return call(.post, "/api/contacts/new", body(blanks: false))
        case .delete:
            // A dead id would delete the survivor (A1): look whose it is, then delete.
            phase = .checkBeforeDelete
            return .call(connector.lookCall(id: order.remoteID ?? ""))
        case .update, .unspecified:
            // A dead id would write to the survivor (A1): not without a look in this run.
            guard order.needsLook else { return beginUpdate() }
            phase = .lookBefore
            return .call(connector.lookCall(id: order.remoteID ?? ""))
        }
    }

    private mutating func beginUpdate() -> ConversationStep {
        let id = order.remoteID ?? ""
        switch order.changes.first?.call ?? .object {
        case .points:
            phase = .points
            let delta = order.changes.first?.write.integer ?? 0
            return call(
                .post,
                "/api/contacts/\(percentEncoded(id))/points/\(delta < 0 ? "minus" : "plus")/\(abs(delta))",
                .object([]))
        case .optOut:
            phase = .optOut
            return optOut(id, add: wantsOptOut)
        case .object, .email:
            phase = .edit
            return call(
                .patch, "/api/contacts/\(percentEncoded(id))/edit", body(blanks: true))
        }
    }

    /// What answers must be what was asked for, or it was written to somebody else (A1).
    private func check(_ object: RemoteObject) throws(RemoteFailure) {
        if order.operation != .create, object.id != order.remoteID {
            throw RemoteFailure(
                .refused(.wrongObject), "the Mautic contact was merged into another one")
        }
    }

    private mutating func delete(_ answer: HTTPResult) throws(RemoteFailure) -> ConversationStep {
        switch try connector.look(from: answer, asked: order.remoteID ?? "") {
        case .gone: return .done(.confirmed(remoteID: order.remoteID, object: nil))
        case .merged:
            throw RemoteFailure(
                .refused(.wrongObject),
                "the Mautic contact was merged into another one, which is not deleted")
        case .found(let object):
            phase = .delete
            return .call(Call(.delete, "/api/contacts/\(percentEncoded(object.id))/delete"))
        }
    }

    private var wantsOptOut: Bool {
        order.changes.contains { $0.attribute == "dnc_email" && $0.write == .bool(true) }
    }

    /// Do-not-contact has an endpoint of its own; on create it would be ignored.
    private func optOut(_ id: String, add: Bool) -> ConversationStep {
        call(
            .post, "/api/contacts/\(percentEncoded(id))/dnc/email/\(add ? "add" : "remove")",
            .object(add ? [.init("reason", .number("3"))] : []))
    }

    /// Only changed fields; blanks need `overwriteWithBlank` (A8).
    private func body(blanks: Bool) -> JSON {
        var members: [JSON.Member] = []
        for change in order.changes where change.attribute != "dnc_email" {
            switch change.write {
            case .null:
                if blanks { members.append(.init(change.attribute, .string(""))) }
            case .text(let text): members.append(.init(change.attribute, .string(text)))
            case .number(let text): members.append(.init(change.attribute, .number(text)))
            case .bool(let flag): members.append(.init(change.attribute, .bool(flag)))
            case .set(let elements):
                members.append(.init(change.attribute, .array(elements.map(JSON.string))))
            case .bytes, .unrecognized: break
            }
        }
        if blanks { members.append(.init("overwriteWithBlank", .bool(true))) }
        return .object(members)
    }

    private func call(_ method: HTTPMethod, _ path: String, _ body: JSON) -> ConversationStep {
        .call(
            Call(method, path, headers: ["Content-Type": "application/json"], body: body.bytes))
    }
}
