import Testing

@testable import Sandbox

/// What the recordings say of accounts, deals and leads, by the findings' numbers.
@Suite struct `SuiteCRM accounts, deals and leads` {
    @Test func `43 deleting an account empties its contacts' account and moves no date`() {
        var client = Client.suiteCRM()
        let account = client.create(["name": "Acme"], in: "Accounts")
        let id = client.create(["last_name": "A", "account_id": .string(account)])
        let deal = client.create(
            ["name": "D", "account_id": .string(account)], in: "Opportunities")
        #expect(client.attributes(id)["account_name"] == "Acme")
        let before = client.machine.rows.map(\.modified)
        client.now = client.now.adding(seconds: 600)
        _ = client.call("DELETE", "/Api/V8/module/Accounts/\(account)")
        #expect(client.attributes(id)["account_id"] == "")
        #expect(client.attributes(id)["account_name"] == "")
        #expect(client.attributes(deal, in: "Opportunities")["account_id"] == "")
        #expect(client.machine.rows.map(\.modified) == before)
    }

    @Test func `44 an account is written by its id, and nothing else links it`() {
        var client = Client.suiteCRM()
        let (one, two) = (
            client.create(["name": "One"], in: "Accounts"),
            client.create(["name": "Two"], in: "Accounts")
        )
        let id = client.create(["last_name": "A", "account_name": "One"])
        #expect(client.attributes(id)["account_id"] == "")
        _ = client.write("PATCH", "Contacts", id, ["account_id": .string(one)])
        _ = client.write("PATCH", "Contacts", id, ["account_id": .string(two.uppercased())])
        #expect(client.attributes(id)["account_id"]?.string == two)
        _ = client.write(
            "PATCH", "Contacts", id, ["account_id": "99999999-9999-4999-8999-999999999999"])
        #expect(client.attributes(id)["account_id"] == "")
        _ = client.write("PATCH", "Contacts", id, ["account_id": .string(two)])
        _ = client.write("PATCH", "Contacts", id, ["account_id": ""])
        #expect(client.attributes(id)["account_id"] == "")
    }

    @Test func `20 a filter on the account is no query`() {
        var client = Client.suiteCRM()
        let answer = client.call(
            "GET", "/Api/V8/module/Contacts?page[size]=5&page[number]=1&filter[account_id][eq]=x")
        #expect(answer.text.contains("}Database failure."))
    }

    @Test(arguments: [
        (SandboxJSON.number("1234.56"), "1234.56"), ("1,234.56", "1234.56"),
        ("1.234,56", "1.23456"), ("twelve", "0"), ("", "0"), (.null, "0"), (10, "10"),
        (.number("12345678901234.56"), "12345678901235"), (.number("-0.50"), "-0.5"),
    ])
    func `22 amounts`(sent: SandboxJSON, shown: String) {
        var client = Client.suiteCRM()
        let id = client.create(["name": "D", "amount": sent], in: "Opportunities")
        let attributes = client.attributes(id, in: "Opportunities")
        #expect(attributes["amount"]?.string == shown)
        #expect(attributes["amount_usdollar"]?.string == shown)
    }

    @Test func `46 a stage sets the probability once`() {
        var client = Client.suiteCRM()
        let id = client.create(
            ["name": "D", "sales_stage": "Negotiation/Review"], in: "Opportunities")
        #expect(client.attributes(id, in: "Opportunities")["probability"] == "80")
        _ = client.write("PATCH", "Opportunities", id, ["sales_stage": "Closed Won"])
        #expect(client.attributes(id, in: "Opportunities")["probability"] == "80")
    }

    @Test func `8 a lead's empty status is New`() {
        var client = Client.suiteCRM()
        let id = client.create(["last_name": "L", "status": "Assigned"], in: "Leads")
        #expect(client.attributes(id, in: "Leads")["status"] == "Assigned")
        _ = client.write("PATCH", "Leads", id, ["status": "", "account_name": "Some Co"])
        #expect(client.attributes(id, in: "Leads")["status"] == "New")
        #expect(client.attributes(id, in: "Leads")["account_name"] == "Some Co")
    }

    @Test func `deals are filtered and sorted by their amounts`() {
        var client = Client.suiteCRM()
        for amount in [9, 10, 100] {
            _ = client.create(["name": "D\(amount)", "amount": .int(amount)], in: "Opportunities")
        }
        let list = client.call(
            "GET",
            "/Api/V8/module/Opportunities?page[size]=5&page[number]=1&sort=-amount"
                + "&filter[amount][gte]=10&fields[Opportunities]=name")
        let names = list.json?["data"]?.elements?.map { $0["attributes"]?["name"] ?? .null }
        #expect(names == ["D100", "D10"])
    }
}
