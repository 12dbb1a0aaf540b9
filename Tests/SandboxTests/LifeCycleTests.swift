import Sandbox
import Testing

/// The first thing anybody needs: a contact comes, is read, listed, changed and goes.
@Suite struct `The life of a contact` {
    @Test func `in Mautic`() {
        var client = Client.mautic()
        let id = client.create(["firstname": "Zoë", "email": "zoe@example.com"])
        #expect(id == 1)
        #expect(client.values(id)["firstname"] == "Zoë")
        let patched = client.call("PATCH", "/api/contacts/1/edit", ["city": "Oslo"])
        #expect(patched.status == 200)
        #expect(patched.text.contains(#""firstname":"Zo\u00eb""#))
        let list = client.call("GET", "/api/contacts?orderBy=id")
        #expect(list.json?["total"] == "1")
        #expect(list.json?["contacts"]?["1"]?["fields"]?["all"]?["city"] == "Oslo")
        let gone = client.call("DELETE", "/api/contacts/1/delete")
        #expect(gone.json?["contact"]?["id"] == .null)
        #expect(client.call("GET", "/api/contacts/1").status == 404)
        #expect(client.machine.writeCalls == 3)
    }

    @Test func `in SuiteCRM`() {
        var client = Client.suiteCRM()
        let id = client.create(["first_name": "Zoë", "email1": "zoe@example.com"])
        #expect(client.attributes(id)["email1"] == "zoe@example.com")
        let patched = client.write("PATCH", "Contacts", id, ["title": "O'Brien"])
        #expect(patched.status == 201)
        #expect(patched.json?["data"]?["attributes"]?["title"] == "O&#039;Brien")
        let list = client.call(
            "GET", "/Api/V8/module/Contacts?page[size]=5&page[number]=1&fields[Contacts]=title")
        #expect(list.json?["meta"]?["total-pages"] == 1)
        #expect(list.json?["data"]?[0]?["id"]?.string == id)
        #expect(client.call("DELETE", "/Api/V8/module/Contacts/\(id)").status == 200)
        #expect(client.call("GET", "/Api/V8/module/Contacts/\(id)").status == 400)
    }

    @Test func `in Compass`() {
        var client = Client.compass()
        let made = client.call(
            "POST", "/rest/v1/contacts", ["email": "zoe@example.com"],
            headers: [SandboxHeader("Prefer", "return=representation")])
        #expect(made.status == 201)
        let id = made.json?[0]?["id"]?.string ?? ""
        let version = made.json?[0]?["updated_at"]?.string ?? ""
        let command = "0b5e1f0a-4d55-4a7e-9a40-3f1d6d1c2b3a"
        let path = "/rest/v1/contacts?id=eq.\(id)&updated_at=eq.\(version.percentEncoded)"
        let prefer = [SandboxHeader("Prefer", "return=representation")]
        let change: SandboxJSON = ["city": "Oslo", "sync_command": .string(command)]
        #expect(client.call("PATCH", path, change, headers: prefer).json?[0]?["city"] == "Oslo")
        #expect(client.call("PATCH", path, change, headers: prefer).text == "[]")
        let outbox = client.call("GET", "/rest/v1/syncledger_outbox?order=id.asc").json
        #expect(outbox?[0]?["operation"] == "insert")
        #expect(outbox?[1]?["command_id"]?.string == command)
        #expect(outbox?[1]?["before"]?["city"] == .null)
        #expect(outbox?[1]?["after"]?["city"] == "Oslo")
        #expect(client.call("DELETE", "/rest/v1/contacts?id=eq.\(id)").status == 204)
        #expect(client.machine.rows.isEmpty)
    }
}
