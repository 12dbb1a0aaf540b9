import Testing

@testable import Sandbox

/// Clients and deals behind PostgREST, as PostgreSQL 15 with `Schemas/compass/outbox.sql` has them.
@Suite struct `Compass clients and deals` {
    private static let whole = [SandboxHeader("Prefer", "return=representation")]
    private static let client = "0b5e1f0a-4d55-4a7e-9a40-3f1d6d1c2b3a"
    private static let nobody = "99999999-9999-4999-8999-999999999999"

    private func populated() -> Client<CompassSandbox> {
        var client = Client.compass()
        _ = client.call(
            "POST", "/rest/v1/clients",
            ["id": .string(Self.client), "company_name": "Acme", "employees": 5])
        for (index, amount) in ["9.90", "10", "100.5"].enumerated() {
            _ = client.call(
                "POST", "/rest/v1/deals",
                [
                    "name": .string("D\(index)"), "client_id": .string(Self.client),
                    "amount": .number(amount), "close_date": "2027-01-31",
                ])
        }
        return client
    }

    @Test(arguments: [
        ("amount=gt.9.9", 2), ("amount=eq.9.9", 1), ("amount=eq.9.90", 1), ("amount=lt.1e2", 2),
        ("close_date=eq.2027-01-31", 3), ("close_date=gt.2027-01-31", 0),
        ("client_id=eq.0b5e1f0a-4d55-4a7e-9a40-3f1d6d1c2b3a", 3), ("stage=is.null", 3),
    ])
    func `filters find what they say`(query: String, count: Int) {
        var client = populated()
        let answer = client.call("GET", "/rest/v1/deals?\(query)")
        #expect(answer.json?.elements?.count == count)
    }

    @Test func `an amount keeps its digits and sorts as a number`() {
        var client = populated()
        let answer = client.call("GET", "/rest/v1/deals?select=amount&order=amount.desc")
        #expect(answer.text == #"[{"amount":100.5},{"amount":10},{"amount":9.90}]"#)
        let outbox = client.machine.unacknowledged
        #expect(outbox[1]["after"]?["amount"] == .number("9.90"))
        #expect(outbox.map { $0["table_name"]?.string } == ["clients", "deals", "deals", "deals"])
    }

    @Test func `the same number in other digits is no change`() {
        var client = populated()
        let before = client.machine.dealRows.map(\.modified)
        _ = client.call("PATCH", "/rest/v1/deals?name=eq.D1", ["amount": .number("10.00")])
        #expect(client.machine.dealRows.map(\.modified) == before)
        #expect(client.machine.unacknowledged.count == 4)
    }

    @Test(arguments: [
        ("amount", SandboxJSON.string("much"), "22P02"), ("close_date", "soon", "22007"),
        ("close_date", "2027-02-30", "22008"), ("probability", 3_000_000_000, "22003"),
        ("client_id", "99999999-9999-4999-8999-999999999999", "23503"),
    ])
    func `what a column cannot hold is refused`(column: String, value: SandboxJSON, code: String) {
        var client = populated()
        let row = SandboxJSON.object([.init(column, value)])
        #expect(client.call("POST", "/rest/v1/deals", row).json?["code"]?.string == code)
        #expect(client.machine.dealRows.count == 3)
    }

    @Test func `foreign keys hold in both directions`() {
        var client = populated()
        let contact = client.call(
            "POST", "/rest/v1/contacts", ["client_id": .string(Self.nobody)])
        #expect(contact.status == 409)
        #expect(
            contact.json?["details"]?.string
                == "Key (client_id)=(\(Self.nobody)) is not present in table \"clients\".")
        let path = "/rest/v1/clients?id=eq.\(Self.client)"
        let refused = client.call("DELETE", path)
        #expect(refused.status == 409)
        #expect(refused.json?["message"]?.string?.contains("\"deals_client_id_fkey\"") == true)
        let isDeleted = client.machine.personDeletesAccount(Self.client, at: client.now)
        #expect(!isDeleted)
        #expect(client.machine.accountRows.count == 1)
        _ = client.call("PATCH", "/rest/v1/deals?name=neq.x", ["client_id": .null])
        #expect(client.call("DELETE", path).status == 204)
        #expect(client.machine.unacknowledged.last?["table_name"] == "clients")
        #expect(client.machine.unacknowledged.last?["operation"] == "delete")
    }

    @Test func `a version that is gone is compared in vain`() {
        var client = populated()
        let version = client.machine.clients[0]["updated_at"].string ?? ""
        let path = "/rest/v1/clients?id=eq.\(Self.client)&updated_at=eq.\(version.percentEncoded)"
        let change: SandboxJSON = ["city": "Oslo", "sync_command": .string(Self.nobody)]
        let first = client.call("PATCH", path, change, headers: Self.whole)
        #expect(first.json?[0]?["city"] == "Oslo")
        #expect(client.call("PATCH", path, change, headers: Self.whole).text == "[]")
        #expect(client.machine.unacknowledged.last?["command_id"]?.string == Self.nobody)
    }
}
