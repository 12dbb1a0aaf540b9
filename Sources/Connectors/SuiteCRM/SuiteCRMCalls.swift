import Ledger
import Model
import Transport

/// An e-mail address that is linked to a contact.
struct SuiteCRMAddress: Sendable, Equatable {
    var id: String
    /// As the ledger compares addresses: decoded, without outer spaces, in lower case.
    var content: Value
}

/// The calls that more than one conversation with SuiteCRM makes.
extension SuiteCRMConnector {
    /// POST makes, PATCH changes; the id is in the body either way (fact 18).
    func recordCall(
        _ method: HTTPMethod, _ module: String, id: String, _ attributes: [JSON.Member]
    ) -> Call {
        let data = JSON.object([
            .init("type", .string(module)), .init("id", .string(id)),
            .init("attributes", .object(attributes)),
        ])
        return Call(
            method, "/Api/V8/module", headers: ["Content-Type": "application/vnd.api+json"],
            body: JSON.object([.init("data", data)]).bytes)
    }

    func attributes(_ changes: [WriteOrder.Change]) -> [JSON.Member] {
        changes.map { .init($0.attribute, Self.json($0.write)) }
    }

    static func json(_ value: Value) -> JSON {
        switch value {
        case .null: .string("")
        case .text(let text): .string(text)
        case .number(let text): .number(text)
        case .bool(let flag): .string(flag ? "1" : "0")
        case .set(let elements): .string(elements.joined(separator: ","))
        case .bytes, .unrecognized: .string("")
        }
    }

    func check(_ object: RemoteObject, is id: String?) throws(RemoteFailure) {
        guard let id, object.id.lowercased() == id.lowercased() else {
            throw RemoteFailure(
                .refused(.wrongObject), "another SuiteCRM contact answered for this id")
        }
    }

    // MARK: - Addresses

    private func addressesPath(_ contact: String) -> String {
        "/Api/V8/module/\(module)/\(percentEncoded(contact))/relationships/email_addresses"
    }

    /// More addresses than anybody has; a contact with as many is left to a person.
    private static var addressLimit: Int { 100 }

    func addressesCall(_ contact: String) -> Call {
        Call(
            .get, addressesPath(contact),
            query: [("page[size]", String(Self.addressLimit)), ("page[number]", "1")])
    }

    /// The addresses of a contact, each once: one that is linked in two ways stands there twice.
    func addresses(from answer: HTTPResult) throws(RemoteFailure) -> [SuiteCRMAddress] {
        let json = try success(answer)
        guard case .array(let rows)? = json["data"] else {
            throw RemoteFailure(.unclear, "SuiteCRM's answer is no list of addresses")
        }
        guard rows.count < Self.addressLimit else {
            throw RemoteFailure(.refused(.limit), "the SuiteCRM contact has too many addresses")
        }
        var found: [SuiteCRMAddress] = []
        for row in rows {
            guard let id = row["id"]?.text,
                let spelt = row["attributes"]?["email_address"]?.text
            else { throw RemoteFailure(.unclear, "a SuiteCRM address without id or text") }
            guard !found.contains(where: { $0.id == id }) else { continue }
            let text = Value.text(TextRules.decodingSuiteEntities(spelt))
            found.append(SuiteCRMAddress(id: id, content: Self.addressContent(text)))
        }
        return found
    }

    /// A repeat is answered like the first time and links nothing twice (fact 42).
    func linkCall(_ contact: String, _ address: String) -> Call {
        let data = JSON.object([
            .init("type", .string("EmailAddresses")), .init("id", .string(address)),
        ])
        return Call(
            .post, addressesPath(contact), headers: ["Content-Type": "application/vnd.api+json"],
            body: JSON.object([.init("data", data)]).bytes)
    }

    func unlinkCall(_ contact: String, _ address: String) -> Call {
        Call(.delete, addressesPath(contact) + "/" + percentEncoded(address))
    }

    static func addressContent(_ spelling: Value) -> Value {
        FieldCodec(.suitecrm, .email).content(of: spelling)
    }
}
