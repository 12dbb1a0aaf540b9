import Ledger
import Model
import Transport

/// One write to SuiteCRM: a create under our id, changed fields, the e-mail address by unlinking and
/// PATCH (fact 1), the opt-out on the address (41a), or a delete.
struct SuiteCRMWrite: Conversation {
    private let order: WriteOrder
    private let connector: SuiteCRMConnector
    private var phase = Phase.begin
    private var links: [String] = []

    private enum Phase {
        case begin
        case write
        case listAddresses
        case unlink
        case writeEmail
        case listForOptOut
        case optOut
        case readBack
        case delete
    }

    init(_ order: WriteOrder, _ connector: SuiteCRMConnector) {
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
        case .write, .writeEmail: return try written(answer)
        case .listAddresses:
            links = try addresses(answer).map(\.id)
            return unlinkNext()
        case .unlink:
            _ = try connector.success(answer)
            return unlinkNext()
        case .listForOptOut: return try beginOptOut(answer)
        case .optOut:
            _ = try connector.success(answer)
            phase = .readBack
            return .call(connector.lookCall(id: order.remoteID ?? ""))
        case .readBack:
            let object = try connector.contact(answer)
            try check(object)
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
        switch order.operation {
        case .create:
            phase = .write
            return call(.post, id: connector.chosenID(order) ?? "", order.changes)
        case .delete:
            phase = .delete
            return .call(
                Call(.delete, "/Api/V8/module/Contacts/\(percentEncoded(order.remoteID ?? ""))"))
        case .update, .unspecified:
            switch order.changes.first?.call ?? .object {
            case .email:
                phase = .listAddresses
                return .call(addressesCall)
            case .optOut:
                phase = .listForOptOut
                return .call(addressesCall)
            case .object, .points:
                phase = .write
                return call(.patch, id: order.remoteID ?? "", order.changes)
            }
        }
    }

    private func written(_ answer: HTTPResult) throws(RemoteFailure) -> ConversationStep {
        do {
            let object = try connector.contact(answer)
            try check(object)
            return .done(.confirmed(remoteID: object.id, object: object))
        } catch  where error.kind == .refused(.conflict) && order.operation == .create {
            // Our own id exists already: an earlier try of this very create ran.
            return .done(.confirmed(remoteID: connector.chosenID(order), object: nil))
        }
    }

    private func check(_ object: RemoteObject) throws(RemoteFailure) {
        guard let asked = order.remoteID ?? connector.chosenID(order),
            object.id.lowercased() == asked.lowercased()
        else {
            throw RemoteFailure(
                .refused(.wrongObject), "another SuiteCRM contact answered for this id")
        }
    }

    // MARK: - Addresses

    private var addressesCall: Call {
        Call(
            .get,
            "/Api/V8/module/Contacts/\(percentEncoded(order.remoteID ?? ""))/relationships/email_addresses",
            query: [("page[size]", "100"), ("page[number]", "1")])
    }

    private func addresses(
        _ answer: HTTPResult
    ) throws(RemoteFailure) -> [(id: String, address: String)] {
        let json = try connector.success(answer)
        return (json["data"]?.elements ?? []).compactMap { row in
            row["id"]?.text.map { ($0, row["attributes"]?["email_address"]?.text ?? "") }
        }
    }

    private mutating func unlinkNext() -> ConversationStep {
        guard let link = links.popLast() else {
            phase = .writeEmail
            return call(.patch, id: order.remoteID ?? "", order.changes)
        }
        phase = .unlink
        let contact = percentEncoded(order.remoteID ?? "")
        return .call(
            Call(
                .delete,
                "/Api/V8/module/Contacts/\(contact)/relationships/email_addresses/\(percentEncoded(link))"
            ))
    }

    /// The opt-out holds for the address, and so for everybody who shares it.
    private mutating func beginOptOut(_ answer: HTTPResult) throws(RemoteFailure)
        -> ConversationStep
    {
        let linked = try addresses(answer)
        let match = linked.first { $0.address.lowercased() == order.email?.lowercased() }
        guard let address = match ?? linked.first else {
            throw RemoteFailure(
                .refused(.validation), "the SuiteCRM contact has no e-mail address to opt out")
        }
        phase = .optOut
        let value = order.changes.first?.write ?? .text("1")
        return .call(
            Call(
                .patch, "/Api/V8/module", headers: ["Content-Type": "application/vnd.api+json"],
                body: JSON.object([
                    .init(
                        "data",
                        .object([
                            .init("type", .string("EmailAddresses")),
                            .init("id", .string(address.id)),
                            .init("attributes", .object([.init("opt_out", json(value))])),
                        ]))
                ]).bytes))
    }

    private func json(_ value: Value) -> JSON {
        switch value {
        case .null: .string("")
        case .text(let text): .string(text)
        case .number(let text): .number(text)
        case .bool(let flag): .string(flag ? "1" : "0")
        case .set(let elements): .string(elements.joined(separator: ","))
        case .bytes, .unrecognized: .string("")
        }
    }

    private func call(
        _ method: HTTPMethod, id: String, _ changes: [WriteOrder.Change]
    ) -> ConversationStep {
        .call(
            Call(
                method, "/Api/V8/module", headers: ["Content-Type": "application/vnd.api+json"],
                body: JSON.object([
                    .init(
                        "data",
                        .object([
                            .init("type", .string("Contacts")), .init("id", .string(id)),
                            .init(
                                "attributes",
                                .object(changes.map { .init($0.attribute, json($0.write)) })),
                        ]))
                ]).bytes))
    }
}
