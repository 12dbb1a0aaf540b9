import Ledger
import Model
import Transport

/// The create of a Mautic contact, with its opt-out where there is one.
///
/// A POST is an upsert on the e-mail address (A9): a 200 instead of a 201 says that somebody was
/// there already. Once it has been heard the contact exists, whatever becomes of the opt-out.
struct MauticCreate: Conversation {
    private let order: WriteOrder
    private let connector: MauticConnector
    private var created: RemoteObject?

    init(_ order: WriteOrder, _ connector: MauticConnector) {
        self.order = order
        self.connector = connector
    }

    mutating func next(_ answer: HTTPResult?) -> ConversationStep {
        guard let answer else {
            return .call(
                connector.call(
                    .post, "\(connector.path)/new", connector.body(order.changes, blanks: false)))
        }
        if let created { return optedOut(created, answer) }
        do {
            return try posted(answer)
        } catch {
            return .done(.failed(error))
        }
    }

    private mutating func posted(_ answer: HTTPResult) throws(RemoteFailure) -> ConversationStep {
        var object = try connector.contact(answer)
        if try readable(answer).status == 200 {
            try checkUpsert(&object)
            object.wasThere = true
        }
        guard order.wantsOptOut, object["dnc_email"] != .bool(true) else {
            return .done(.confirmed(remoteID: object.id, object: object))
        }
        created = object
        return .call(connector.optOutCall(object.id, add: true))
    }

    /// Somebody was there: it must be who was meant, and what the POST ignores is not stored.
    private func checkUpsert(_ object: inout RemoteObject) throws(RemoteFailure) {
        guard MauticConnector.isAsked(object, order) else {
            throw RemoteFailure(
                .refused(.wrongObject), status: 200,
                "Mautic took another contact for the new one")
        }
        for change in order.differing(in: object) where Self.isIgnored(change.write) {
            object.unsettle(change.attribute)
        }
    }

    /// A POST drops blanks and zeros (A8), and takes no do-not-contact at all.
    private static func isIgnored(_ value: Value) -> Bool {
        switch value {
        case .number(let text): Double(text) == 0
        case .bool(let flag): !flag
        default: value.isBlank
        }
    }

    /// The answer tells the channel's state (C4); where it is not heard, or is about somebody else,
    /// the state is open.
    private func optedOut(_ created: RemoteObject, _ answer: HTTPResult) -> ConversationStep {
        var object = created
        object.unsettle("dnc_email")
        if let told = try? connector.contact(answer), told.id == created.id,
            let state = told["dnc_email"]
        {
            object.attributes.append(("dnc_email", state))
            object.unsettled.remove("dnc_email")
        }
        return .done(.confirmed(remoteID: created.id, object: object))
    }
}
