import Testing

@testable import Sandbox

/// Companies, by the recordings and the findings' numbers.
@Suite struct `Mautic companies` {
    private func company(_ client: inout Client<MauticSandbox>, _ json: SandboxJSON) -> Int {
        let answer = client.call("POST", "/api/companies/new", json)
        return answer.json?["company"]?["id"]?.int ?? 0
    }

    private func values(_ client: inout Client<MauticSandbox>, _ id: Int) -> SandboxJSON {
        client.call("GET", "/api/companies/\(id)").json?["company"]?["fields"]?["all"] ?? .null
    }

    @Test func `B10 tell no dates, yet are found by them`() {
        var client = Client.mautic()
        let id = company(&client, ["companyname": "Acme"])
        _ = company(&client, ["companyname": "Other"])
        _ = client.call("PATCH", "/api/companies/\(id)/edit", ["companycity": "Bonn"])
        func found(_ column: String) -> SandboxJSON? {
            let query =
                "where[0][col]=\(column)&where[0][expr]=gte"
                + "&where[0][val]=2026-11-23+12:00:00&orderBy=id"
            return client.call("GET", "/api/companies?\(query)").json
        }
        #expect(found("date_modified")?["total"] == "1")
        #expect(found("dateModified")?["total"] == "1")
        let added = found("date_added")
        #expect(added?["total"] == "2")
        #expect(added?["companies"]?.members?.map(\.name) == ["1", "2"])
        #expect(
            added?["companies"]?["1"]?.members?.map(\.name) == ["id", "score", "fields"])
        #expect(client.call("GET", "/api/companies?orderBy=dateModified").status == 500)
        #expect(client.call("GET", "/api/companies?start=9").json?["companies"] == .object([]))
    }

    @Test func `A8 a company's PATCH does blank`() {
        var client = Client.mautic()
        let id = company(
            &client,
            ["companyname": "Acme", "companycity": "Bonn", "companynumber_of_employees": 42])
        #expect(values(&client, id)["companynumber_of_employees"] == 42)
        _ = client.call(
            "PATCH", "/api/companies/\(id)/edit",
            ["companycity": "", "companynumber_of_employees": .null])
        #expect(values(&client, id)["companycity"] == .null)
        #expect(values(&client, id)["companynumber_of_employees"] == .null)
        #expect(values(&client, id)["companyname"] == "Acme")
    }

    @Test func `D5 a name that is there is 422, a choice that is none 400`() {
        var client = Client.mautic()
        let id = company(&client, ["companyname": "Acme", "companywebsite": "acme.example"])
        #expect(values(&client, id)["companywebsite"] == "http://acme.example")
        let again = client.call("POST", "/api/companies/new", ["companyname": "ACME"])
        #expect(again.status == 422)
        #expect(again.text.contains("companyname: This field must be unique."))
        let industry = client.call(
            "PATCH", "/api/companies/\(id)/edit", ["companyindustry": "Sorcery"])
        #expect(industry.status == 400)
        #expect(client.call("PATCH", "/api/companies/9/edit", ["companycity": "x"]).status == 404)
    }

    @Test func `C9 a deleted company has no id`() {
        var client = Client.mautic()
        let id = company(&client, ["companyname": "Acme"])
        let gone = client.call("DELETE", "/api/companies/\(id)/delete")
        #expect(gone.json?["company"]?["id"] == .null)
        #expect(client.call("GET", "/api/companies/\(id)").status == 404)
    }

    @Test func `the contact's company follows its primary one, and its date moves`() {
        var client = Client.mautic()
        let contact = client.create(["email": "a@example.com"])
        let (one, two) = (
            company(&client, ["companyname": "One"]), company(&client, ["companyname": "Two"])
        )
        let link = "/contact/\(contact)"
        #expect(client.call("POST", "/api/companies/\(one)\(link)/add").text == #"{"success":1}"#)
        #expect(client.values(contact)["company"] == "One")
        let moved = client.machine.rows[0].modified
        #expect(moved != nil)
        _ = client.call("POST", "/api/companies/\(two)\(link)/add")
        #expect(client.values(contact)["company"] == "Two")
        let stamp = client.machine.rows[0].modified
        _ = client.call("PATCH", "/api/companies/\(two)/edit", ["companyname": "Zwei"])
        #expect(client.values(contact)["company"] == "Zwei")
        #expect(client.machine.rows[0].modified == stamp)
        for _ in 0..<2 {
            #expect(client.call("POST", "/api/companies/\(two)\(link)/remove").status == 200)
        }
        #expect(client.values(contact)["company"] == "One")
        _ = client.call("POST", "/api/companies/\(one)\(link)/remove")
        #expect(client.values(contact)["company"] == .null)
        #expect(client.call("POST", "/api/companies/9\(link)/add").status == 404)
    }

    @Test func `C10 a contact's companies are told in raw columns`() {
        var client = Client.mautic()
        let contact = client.create(["email": "a@example.com", "company": "Acme AS"])
        let list = client.call("GET", "/api/contacts/\(contact)/companies").json
        #expect(list?["total"] == 1)
        #expect(
            list?["companies"]?[0]?.members?.map(\.name) == [
                "company_id", "date_associated", "is_primary", "id", "is_published", "date_added",
                "created_by_user", "social_cache", "score", "companyname",
            ])
        #expect(list?["companies"]?[0]?["is_primary"] == "1")
    }

    @Test func `B12 the audit log tells of companies and not of their contacts`() {
        var client = Client.mautic()
        let contact = client.create(["email": "a@example.com"])
        let id = company(&client, ["companyname": "Feed GmbH"])
        _ = client.call("POST", "/api/companies/\(id)/contact/\(contact)/add")
        _ = client.call("PATCH", "/api/companies/\(id)/edit", ["companycity": "Bonn"])
        _ = client.call("DELETE", "/api/companies/\(id)/delete")
        let rows = client.call(
            "GET",
            "/api/stats/audit_log?where[0][col]=object&where[0][expr]=eq&where[0][val]=company"
        ).json?["stats"]?.elements
        #expect(rows?.map { $0["action"]?.string } == ["create", "update", "delete"])
        #expect(
            rows?[0]["details"]?.string
                == #"a:2:{s:11:"companyname";a:2:{i:0;N;i:1;s:9:"Feed GmbH";}"#
                + #"s:6:"fields";a:1:{s:11:"companyname";a:2:{i:0;N;i:1;s:9:"Feed GmbH";}}}"#)
    }
}
