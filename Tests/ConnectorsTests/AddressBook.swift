import Connectors
import Transport

/// The addresses of one SuiteCRM contact, answering as facts 1 and 42 have it.
struct AddressBook {
    static let contact = "c0000000-0000-4000-8000-000000000001"

    /// Every address there is, by id, as SuiteCRM spells it.
    var addresses: [String: String] = [:]
    /// The linked ones; the first is shown.
    var linked: [String] = []
    /// What the contact showed after each call.
    private(set) var shown: [String] = []
    /// An address that SuiteCRM takes for invalid and ignores without a word.
    var ignored = ""

    /// A contact with these addresses, the first of them primary.
    init(_ texts: String...) {
        for (index, text) in texts.enumerated() {
            addresses["a\(index)"] = text
            linked.append("a\(index)")
        }
    }

    var primary: String { linked.first.flatMap { addresses[$0] } ?? "" }
    var further: [String] { linked.dropFirst().compactMap { addresses[$0] } }

    mutating func respond(_ call: Call) -> HTTPResult {
        defer { shown.append(primary) }
        let base = "/Api/V8/module/Contacts/\(Self.contact)"
        let links = base + "/relationships/email_addresses"
        switch (call.method, call.path) {
        case (.get, base): return answer(200, contact)
        case (.get, links): return answer(200, list)
        case (.post, links): return link(call)
        case (.patch, "/Api/V8/module"): return patch(call)
        case (.delete, let path) where path.hasPrefix(links + "/"):
            let id = String(path.dropFirst(links.count + 1))
            guard linked.contains(id) else {
                return refused("Module with \(id) id is not related to Contact")
            }
            linked.removeAll { $0 == id }
            return answer(200, #"{"meta":{"message":"deleted"},"data":[]}"#)
        default: return answer(404, "<html>no such page</html>")
        }
    }

    private mutating func link(_ call: Call) -> HTTPResult {
        let id = call.json?["data"]?["id"]?.text ?? ""
        guard addresses[id] != nil else {
            return refused("EmailAddresses module with id \(id) is not found")
        }
        if !linked.contains(id) { linked.append(id) }
        return answer(201, #"{"meta":{"message":"related"},"data":[]}"#)
    }

    /// An address is taken only by a contact that has none, and made where there is none such.
    private mutating func patch(_ call: Call) -> HTTPResult {
        let text = call.json?["data"]?["attributes"]?["email1"]?.text ?? ""
        if linked.isEmpty, !text.isEmpty, text != ignored {
            let known = addresses.first { $0.value.lowercased() == text.lowercased() }?.key
            let id = known ?? "a\(addresses.count)"
            addresses[id] = addresses[id] ?? text
            linked.append(id)
        }
        return answer(201, contact)
    }

    private var contact: String {
        """
        {"data":{"type":"Contact","id":"\(Self.contact)","attributes":{"last_name":"Lark",\
        "email1":"\(primary)","date_modified":"2026-11-24T10:00:00+00:00"}}}
        """
    }

    private var list: String {
        let rows = linked.map {
            """
            {"type":"EmailAddress","id":"\($0)",\
            "attributes":{"email_address":"\(addresses[$0] ?? "")"}}
            """
        }
        return #"{"data":[\#(rows.joined(separator: ","))]}"#
    }

    private func refused(_ text: String) -> HTTPResult {
        answer(400, #"{"errors":{"status":400,"title":null,"detail":"\#(text)"}}"#)
    }
}
