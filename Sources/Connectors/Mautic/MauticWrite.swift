import Ledger
import Model
import Transport

/// One write to a Mautic contact that is there: an edit, points, do-not-contact, or a delete.
struct MauticWrite: Conversation {
    private let order: WriteOrder
    private let connector: MauticConnector
    private var phase = Phase.begin
    /// Companies that are still to be joined, or left where a `-` stands before the id.
    private var memberships: [String]

    private enum Phase {
        case begin
        case edit
        case optOut
        case checkBeforeDelete
        case delete
        case points
        case company
        case stages
        case stageBefore
        case stageLeft
        case lookBefore
    }

    init(_ order: WriteOrder, _ connector: MauticConnector) {
        self.order = order
        self.connector = connector
        memberships =
            order.changes.first?.call == .company ? order.changes[0].write.elements : []
    }

    private var id: String { order.remoteID ?? "" }

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
            try connector.check(object, is: order.remoteID)
            return .done(.confirmed(remoteID: object.id, object: object))
        case .optOut: return .done(try optedOut(answer))
        case .checkBeforeDelete: return try delete(answer)
        case .delete:
            do {
                // The entity it shows has no id any more (C9).
                _ = try connector.success(answer)
            } catch  where error.kind == .refused(.notFound) {
                // Gone already, which is what was wanted.
            }
            return .done(.confirmed(remoteID: order.remoteID, object: nil))
        case .points: return .done(try succeeded(answer, "added points"))
        case .company:
            let outcome = try succeeded(answer, "changed the contact's company")
            memberships.removeFirst()
            return memberships.isEmpty ? .done(outcome) : .call(membershipCall)
        case .stages:
            phase = .edit
            return .call(try stageCall(try stages(answer)))
        case .stageBefore: return try leaveStage(answer)
        case .stageLeft: return .done(try succeeded(answer, "took the contact out of its stage"))
        case .lookBefore:
            guard case .found(let object) = try connector.look(from: answer, asked: id) else {
                throw RemoteFailure(
                    .refused(.wrongObject), "the Mautic contact is gone or was merged away")
            }
            try checkAge(object)
            return beginUpdate()
        }
    }

    /// A Mautic that was restored from a backup hands out its ids again.
    private func checkAge(_ object: RemoteObject) throws(RemoteFailure) {
        guard object.isYounger(than: order.born) else { return }
        throw RemoteFailure(
            .refused(.wrongObject), "Mautic gave the contact's id to somebody else")
    }

    private mutating func begin() -> ConversationStep {
        if order.operation == .delete {
            // A dead id would delete the survivor (A1): look whose it is, then delete.
            phase = .checkBeforeDelete
            return .call(connector.lookCall(id: id))
        }
        // A dead id would write to the survivor (A1): not without a look in this run.
        guard order.needsLook else { return beginUpdate() }
        phase = .lookBefore
        return .call(connector.lookCall(id: id))
    }

    private mutating func beginUpdate() -> ConversationStep {
        switch order.changes.first?.call ?? .object {
        case .points:
            phase = .points
            let delta = order.changes.first?.write.integer ?? 0
            let verb = delta < 0 ? "minus" : "plus"
            return .call(
                connector.call(
                    .post, "/api/contacts/\(percentEncoded(id))/points/\(verb)/\(delta.magnitude)",
                    .object([])))
        case .optOut:
            phase = .optOut
            return .call(connector.optOutCall(id, add: order.wantsOptOut))
        case .company:
            phase = .company
            return .call(membershipCall)
        case .stage:
            guard order.changes.first?.write.isBlank == false else {
                phase = .stageBefore
                return .call(connector.lookCall(id: id))
            }
            phase = .stages
            return .call(MauticConnector.allStages)
        case .object, .email:
            phase = .edit
            return .call(
                connector.call(
                    .patch, "\(connector.path)/\(percentEncoded(id))/edit",
                    connector.body(order.changes, blanks: true)))
        }
    }

    /// The answer leaves out what is blank (C4), so all it is asked for is whose it is and the
    /// channel's state, and that is told only where it is not what was wanted.
    private func optedOut(_ answer: HTTPResult) throws(RemoteFailure) -> WriteOutcome {
        var object = try connector.contact(answer)
        try connector.check(object, is: order.remoteID)
        guard let told = object["dnc_email"], told != .bool(order.wantsOptOut) else {
            return .confirmed(remoteID: order.remoteID, object: nil)
        }
        object.attributes.removeAll { $0.name != "dnc_email" }
        return .confirmed(remoteID: order.remoteID, object: object)
    }

    /// The contact becomes one of the company, which is then its primary one, or one of `-id` no
    /// longer (hooks, audit-feed).
    private var membershipCall: Call {
        let first = memberships.first ?? ""
        let ends = first.hasPrefix("-")
        return connector.call(
            .post,
            "/api/companies/\(percentEncoded(ends ? String(first.dropFirst()) : first))"
                + "/contact/\(percentEncoded(id))/\(ends ? "remove" : "add")", .object([]))
    }

    /// Whoever may not see them is told so once, and not again until something changes.
    private func stages(_ answer: HTTPResult) throws(RemoteFailure) -> [RemoteStage] {
        do {
            return try connector.stages(from: answer)
        } catch  where error.kind == .refused(.permission) {
            let message = error.message + ", then run `syncledger commands retry`"
            throw RemoteFailure(.refused(.validation), status: error.status, message)
        }
    }

    /// A contact's body takes a stage by its id, and its answer shows it (contacts-edit).
    private func stageCall(_ stages: [RemoteStage]) throws(RemoteFailure) -> Call {
        let wanted = order.changes.first?.write
        guard let number = stages.first(where: { .text($0.name) == wanted })?.id else {
            throw RemoteFailure(
                .refused(.validation),
                "Mautic has no stage of this name: make it there or give the field a lookup, then run `syncledger commands retry`"
            )
        }
        return connector.call(
            .patch, "\(connector.path)/\(percentEncoded(id))/edit",
            .object([.init("stage", .number(number))]))
    }

    /// Nobody leaves a stage but the one that they are in (G3), so that is looked up; a body cannot
    /// blank it (A8).
    private mutating func leaveStage(
        _ answer: HTTPResult
    ) throws(RemoteFailure) -> ConversationStep {
        let object = try connector.contact(answer)
        try connector.check(object, is: order.remoteID)
        guard let stage = try connector.success(answer)["contact"]?["stage"]?["id"]?.text else {
            return .done(.confirmed(remoteID: object.id, object: object))
        }
        phase = .stageLeft
        return .call(
            connector.call(
                .post,
                "/api/stages/\(percentEncoded(stage))/contact/\(percentEncoded(id))/remove",
                .object([])))
    }

    /// The answer tells nothing but success; were a contact in it, it would have to be the one.
    private func succeeded(
        _ answer: HTTPResult, _ what: String
    ) throws(RemoteFailure) -> WriteOutcome {
        let json = try connector.success(answer)
        if let contact = json["contact"] {
            try connector.check(try connector.object(contact), is: order.remoteID)
        } else if json["success"]?.text != "1", json["success"] != .bool(true) {
            throw RemoteFailure(.unclear, status: 200, "Mautic does not say that it \(what)")
        }
        return .confirmed(remoteID: order.remoteID, object: nil)
    }

    private mutating func delete(_ answer: HTTPResult) throws(RemoteFailure) -> ConversationStep {
        switch try connector.look(from: answer, asked: id) {
        case .gone: return .done(.confirmed(remoteID: order.remoteID, object: nil))
        case .merged:
            throw RemoteFailure(
                .refused(.wrongObject),
                "the Mautic contact was merged into another one, which is not deleted")
        case .found(let object):
            try checkAge(object)
            phase = .delete
            return .call(Call(.delete, "\(connector.path)/\(percentEncoded(object.id))/delete"))
        }
    }
}
