import Ledger
import Model
import Transport

/// An opt-out, which belongs to the address and so holds for everybody who shares it (fact 41a).
///
/// Only the address that the consent was given or withdrawn for is written; the contact is read
/// back, for the answer is about the address.
struct SuiteCRMOptOut: Conversation {
    private let order: WriteOrder
    private let connector: SuiteCRMConnector
    private var phase = Phase.begin
    private var address = ""

    private enum Phase {
        case begin
        case list
        case write
        case readBack
    }

    init(_ order: WriteOrder, _ connector: SuiteCRMConnector) {
        self.order = order
        self.connector = connector
    }

    mutating func next(_ answer: HTTPResult?) -> ConversationStep {
        do {
            return try step(answer)
        } catch {
            guard phase == .readBack else { return .done(.failed(error)) }
            // The opt-out ran: what the contact shows of it is still to be seen.
            return .done(.failed(RemoteFailure(.unclear, status: error.status, error.message)))
        }
    }

    private mutating func step(_ answer: HTTPResult?) throws(RemoteFailure) -> ConversationStep {
        let contact = order.remoteID ?? ""
        guard let answer else {
            phase = .list
            return .call(connector.addressesCall(contact))
        }
        switch phase {
        case .begin: throw RemoteFailure(.unclear, "an answer before the question")
        case .list:
            address = try asked(try connector.addresses(from: answer)).id
            phase = .write
            let value = SuiteCRMConnector.json(order.changes.first?.write ?? .text("1"))
            return .call(
                connector.recordCall(
                    .patch, "EmailAddresses", id: address, [.init("opt_out", value)]))
        case .write:
            let json = try connector.success(answer)
            guard json["data"]?["id"]?.text?.lowercased() == address.lowercased() else {
                throw RemoteFailure(
                    .refused(.wrongObject), "another SuiteCRM address answered for this id")
            }
            phase = .readBack
            return .call(connector.lookCall(id: contact))
        case .readBack:
            let object = try connector.contact(answer)
            try connector.check(object, is: order.remoteID)
            return .done(.confirmed(remoteID: object.id, object: object))
        }
    }

    /// The address that the order is about; never another one, which others may share.
    private func asked(_ linked: [SuiteCRMAddress]) throws(RemoteFailure) -> SuiteCRMAddress {
        let email = order.email.map { SuiteCRMConnector.addressContent(.text($0)) }
        guard let email, !email.isBlank, let match = linked.first(where: { $0.content == email })
        else {
            throw RemoteFailure(
                .refused(.conflict),
                "the SuiteCRM contact does not have the e-mail address whose opt-out is written")
        }
        return match
    }
}
