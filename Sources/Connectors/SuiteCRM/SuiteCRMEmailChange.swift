import Ledger
import Model
import Transport

/// A change of the primary e-mail address: SuiteCRM takes one only for a contact that has none, so
/// every address is unlinked first and the further ones are linked again (facts 1, 42).
///
/// It can end between any two calls, and a fresh one goes on where that was: the primary address is
/// unlinked last, so that on the way the contact shows the old address, none, or the new one, never
/// another; and what is reached already is not done again.
struct SuiteCRMEmailChange: Conversation {
    private let order: WriteOrder
    private let connector: SuiteCRMConnector
    private var phase = Phase.begin
    /// The old primary address; `nil` where the contact had none.
    private var primary: SuiteCRMAddress?
    private var further: [SuiteCRMAddress] = []
    private var toUnlink: [SuiteCRMAddress] = []
    private var toLink: [SuiteCRMAddress] = []
    private var hasUnlinked = false

    private enum Phase {
        case begin
        case look
        case list
        case unlink(SuiteCRMAddress)
        case write
        /// The write was not heard: did it run?
        case lookAfterWrite
        /// Without an outcome the contact is read back at the end.
        case link(SuiteCRMAddress, isSecondTry: Bool, then: WriteOutcome?)
        case readBack
    }

    init(_ order: WriteOrder, _ connector: SuiteCRMConnector) {
        self.order = order
        self.connector = connector
    }

    private var id: String { order.remoteID ?? "" }

    private var wanted: Value {
        SuiteCRMConnector.addressContent(order.changes.first?.write ?? .null)
    }

    private func email(_ object: RemoteObject) -> Value {
        SuiteCRMConnector.addressContent(object["email1"] ?? .null)
    }

    mutating func next(_ answer: HTTPResult?) -> ConversationStep {
        do {
            return try step(answer)
        } catch {
            return .done(.failed(midway(error)))
        }
    }

    /// Once an address is unlinked nothing may pass for a refusal: the contact is not as it was.
    private func midway(_ failure: RemoteFailure) -> RemoteFailure {
        guard hasUnlinked else { return failure }
        return RemoteFailure(
            .unclear, status: failure.status,
            "the e-mail change in SuiteCRM ended half done: \(failure.message)")
    }

    private mutating func step(_ answer: HTTPResult?) throws(RemoteFailure) -> ConversationStep {
        guard let answer else {
            phase = .look
            return .call(connector.lookCall(id: id))
        }
        switch phase {
        case .begin: throw RemoteFailure(.unclear, "an answer before the question")
        case .look: return try looked(try contact(answer))
        case .list: return try listed(try connector.addresses(from: answer))
        case .unlink: return try unlinked(answer)
        case .write: return try written(answer)
        case .lookAfterWrite:
            let object = try contact(answer)
            guard email(object) == wanted else {
                throw RemoteFailure(.unclear, "the new address is not there")
            }
            return linkFurther(then: .confirmed(remoteID: object.id, object: object))
        case .link(let address, let isSecondTry, let outcome):
            return linked(answer, address, isSecondTry, then: outcome)
        case .readBack:
            let object = try contact(answer)
            return .done(.confirmed(remoteID: object.id, object: object))
        }
    }

    private func contact(_ answer: HTTPResult) throws(RemoteFailure) -> RemoteObject {
        let object = try connector.contact(answer)
        try connector.check(object, is: order.remoteID)
        return object
    }

    // MARK: - Before the first change

    private mutating func looked(_ object: RemoteObject) throws(RemoteFailure) -> ConversationStep {
        let current = email(object)
        if current == wanted { return .done(.confirmed(remoteID: object.id, object: object)) }
        let expected = SuiteCRMConnector.addressContent(order.email.map(Value.text) ?? .null)
        guard current.isBlank || current == expected else {
            throw RemoteFailure(
                .refused(.conflict), status: 200,
                "somebody changed the e-mail address in SuiteCRM meanwhile")
        }
        if !current.isBlank { primary = SuiteCRMAddress(id: "", content: current) }
        phase = .list
        return .call(connector.addressesCall(id))
    }

    private mutating func listed(
        _ addresses: [SuiteCRMAddress]
    ) throws(RemoteFailure) -> ConversationStep {
        if let shown = primary {
            primary = addresses.first { $0.content == shown.content }
            guard primary != nil else {
                throw RemoteFailure(
                    .refused(.validation),
                    "SuiteCRM lists other addresses than the contact shows: look at the contact")
            }
        }
        further = addresses.filter { $0 != primary }
        // Without its primary address a contact shows a further one: that would be no blank.
        guard !wanted.isBlank || further.isEmpty else {
            throw RemoteFailure(
                .refused(.validation),
                "the SuiteCRM contact has further addresses: remove them there, or choose one")
        }
        toUnlink = further + (primary.map { [$0] } ?? [])
        return unlinkNext()
    }

    // MARK: - Unlinking and writing

    private mutating func unlinkNext() -> ConversationStep {
        if let address = toUnlink.first {
            toUnlink.removeFirst()
            phase = .unlink(address)
            return .call(connector.unlinkCall(id, address.id))
        }
        guard !wanted.isBlank else {
            phase = .readBack
            return .call(connector.lookCall(id: id))
        }
        phase = .write
        return .call(
            connector.recordCall(
                .patch, connector.module, id: id, connector.attributes(order.changes)))
    }

    private mutating func unlinked(_ answer: HTTPResult) throws(RemoteFailure) -> ConversationStep {
        do {
            _ = try connector.success(answer)
        } catch  where error.kind == .refused(.notFound) {
            // Unlinked already, which is what was wanted.
        }
        hasUnlinked = true
        return unlinkNext()
    }

    private mutating func written(_ answer: HTTPResult) throws(RemoteFailure) -> ConversationStep {
        let object: RemoteObject
        do {
            object = try contact(answer)
        } catch  where error.kind == .unclear {
            phase = .lookAfterWrite
            return .call(connector.lookCall(id: id))
        } catch {
            // Provably not written: the contact gets back what it had.
            return linkFurther(restoring: true, then: .failed(midway(error)))
        }
        guard email(object) == wanted else {
            // It takes no address that it holds for invalid, and says nothing (fact 1).
            return linkFurther(restoring: true, then: nil)
        }
        return linkFurther(then: .confirmed(remoteID: object.id, object: object))
    }

    // MARK: - Linking again

    private mutating func linkFurther(
        restoring: Bool = false, then outcome: WriteOutcome?
    ) -> ConversationStep {
        // First the primary one: the address that was linked first is the one shown (way B).
        let wanted = wanted
        let former = (restoring ? primary.map { [$0] } ?? [] : []) + further
        toLink = former.filter { $0.content != wanted }
        return linkNext(then: outcome)
    }

    private mutating func linkNext(then outcome: WriteOutcome?) -> ConversationStep {
        guard let address = toLink.first else {
            if let outcome { return .done(outcome) }
            phase = .readBack
            return .call(connector.lookCall(id: id))
        }
        toLink.removeFirst()
        phase = .link(address, isSecondTry: false, then: outcome)
        return .call(connector.linkCall(id, address.id))
    }

    /// A link that is refused twice changes nothing about what the write is known to have done.
    private mutating func linked(
        _ answer: HTTPResult, _ address: SuiteCRMAddress, _ isSecondTry: Bool,
        then outcome: WriteOutcome?
    ) -> ConversationStep {
        guard (try? connector.success(answer)) == nil, !isSecondTry else {
            return linkNext(then: outcome)
        }
        phase = .link(address, isSecondTry: true, then: outcome)
        return .call(connector.linkCall(id, address.id))
    }
}
