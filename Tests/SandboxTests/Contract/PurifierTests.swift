import Sandbox
import Testing

/// Texts that were sent to a real SuiteCRM's other modules, sent to the sandbox's contacts.
@Suite(.enabled(if: Recording.isThere, "the recordings are not here"))
struct `SuiteCRM's purifier, text by text` {
    @Test(arguments: [
        "06-accounts-unicode.har", "06-campaigns-unicode.har", "06-leads-unicode.har",
        "06-opportunities-unicode.har",
    ])
    func `comes to what the recording shows`(name: String) throws {
        var client = Client.suiteCRM()
        let id = client.create(["last_name": "Purified"])
        var compared = 0
        for exchange in try Recording(system: "suitecrm", name: name).exchanges {
            let sent = SandboxJSON(parsing: exchange.request.body)?["data"]?["attributes"]
            let recorded = exchange.response.json?["data"]?["attributes"]
            for field in ["description", "last_name", "name", "content"] {
                guard exchange.request.method == "PATCH", let text = sent?[field],
                    let answer = recorded?[field]
                else { continue }
                let column: SandboxJSON = ["description": text]
                let ours = client.write("PATCH", "Contacts", id, column).json
                #expect(
                    ours?["data"]?["attributes"]?["description"] == answer,
                    "\(name)#\(exchange.index) \(field) \(text.text())")
                compared += 1
            }
        }
        #expect(compared > 70)
    }
}
