import Testing

@testable import Sandbox

/// The facts of the recordings' findings, by their numbers.
@Suite struct `Mautic facts` {
    @Test func `A1 an id that a merge ended answers for the survivor, and deletes it`() {
        var client = Client.mautic()
        let old = client.create(["firstname": "Old", "email": "o@example.com", "points": 3])
        let new = client.create(["city": "Oslo", "email": "n@example.com", "points": 4])
        let hasMerged = client.machine.mauticMerges("\(old)", into: "\(new)", at: client.now)
        #expect(hasMerged)
        let read = client.call("GET", "/api/contacts/\(old)")
        #expect(read.status == 200)
        #expect(read.json?["contact"]?["id"]?.int == new)
        #expect(read.json?["contact"]?["points"] == 7)
        let list = client.call("GET", "/api/contacts?search=ids:\(old)")
        #expect(list.json?["contacts"] == [:])
        let batch = client.call(
            "PATCH", "/api/contacts/batch/edit", [["id": .int(old), "city": "x"]])
        #expect(batch.json?["statusCodes"] == [404])
        _ = client.call("DELETE", "/api/contacts/\(old)/delete")
        #expect(client.call("GET", "/api/contacts/\(new)").status == 404)
    }

    @Test func `A6 one item without an id in a batch edit shifts the rest`() {
        var client = Client.mautic()
        let ids = (0..<3).map { client.create(["firstname": "N\($0)"]) }
        let batch: SandboxJSON = [
            ["id": .int(ids[0]), "city": "A"], ["city": "B"], ["id": .int(ids[1]), "city": "C"],
        ]
        let answer = client.call("PATCH", "/api/contacts/batch/edit", batch)
        #expect(answer.json?["statusCodes"] == [200, 400, 404])
        #expect(client.values(ids[1])["city"] == "B")
    }

    @Test func `A7 a filter it does not understand returns everything`() {
        var client = Client.mautic()
        for number in 0..<3 { _ = client.create(["firstname": "N\(number)"]) }
        for filter in ["[expr]=zz&where[0][val]=1", "[expr]=between&where[0][val]=1,2"] {
            let list = client.call("GET", "/api/contacts?where[0][col]=id&where[0]\(filter)")
            #expect(list.json?["total"] == "3")
        }
    }

    @Test func `A8 PATCH cannot blank, PUT blanks what it was not sent`() {
        var client = Client.mautic()
        let id = client.create([
            "firstname": "Zoë", "email": "z@example.com", "city": "Oslo", "points": 5,
            "tags": ["kept"],
        ])
        let path = "/api/contacts/\(id)/edit"
        _ = client.call("PATCH", path, ["city": "", "firstname": .null, "points": 0])
        #expect(client.values(id)["city"] == "Oslo")
        #expect(client.values(id)["points"] == 5)
        _ = client.call("PATCH", path, ["city": "", "overwriteWithBlank": true])
        #expect(client.values(id)["city"] == .null)
        let put = client.call("PUT", path, ["firstname": "Zoë"])
        #expect(client.values(id)["email"] == .null)
        #expect(client.values(id)["points"] == 0)
        #expect(put.json?["contact"]?["tags"]?[0]?["tag"] == "kept")
    }

    @Test func `A9 a create with a known e-mail is an upsert`() {
        var client = Client.mautic()
        let id = client.create(["email": "jo@example.com", "lastname": "Doe", "tags": ["a"]])
        let again = client.call(
            "POST", "/api/contacts/new",
            ["email": " JO@Example.com ", "lastname": "", "tags": ["b"]])
        #expect(again.status == 200)
        #expect(again.json?["contact"]?["id"]?.int == id)
        #expect(client.values(id)["email"] == "JO@Example.com")
        #expect(client.values(id)["lastname"] == "Doe")
        #expect(again.json?["contact"]?["tags"]?.elements?.count == 2)
    }

    @Test func `A10 an e-mail that two contacts have cannot be written any more`() {
        var client = Client.mautic()
        for _ in 0..<2 {
            client.machine.seed(SandboxPerson(email: "two@example.com"), at: noon)
        }
        let patch = client.call("PATCH", "/api/contacts/1/edit", ["city": "Oslo"])
        #expect(patch.status == 422)
        #expect(patch.text.contains("email: This field must be unique."))
        let create = client.call("POST", "/api/contacts/new", ["email": "two@example.com"])
        #expect(create.status == 422)
    }

    @Test(arguments: [
        ("a<b", "a"), ("5 < 6 and 7 > 3", "5  3"), ("&lt;x&gt;kept", "kept"),
        ("O'Brien & Sons", "O'Brien & Sons"), ("  ends  ", "ends"), ("<b>bold</b>", "bold"),
    ])
    func `A13 text is cleaned on the way in`(sent: String, stored: String) {
        var client = Client.mautic()
        let id = client.create(["company": .string(sent)])
        #expect(client.values(id)["company"]?.string == stored)
    }

    @Test func `A15 a body of another type creates an empty contact`() {
        var client = Client.mautic()
        let answer = client.call(
            "POST", "/api/contacts/new", ["firstname": "Plain"], type: "text/plain")
        #expect(answer.status == 201)
        #expect(answer.json?["contact"]?["dateIdentified"] == .null)
    }

    @Test func `B1 a new contact has no modification date`() {
        var client = Client.mautic()
        let id = client.create(["firstname": "New"])
        let list = client.call(
            "GET",
            "/api/contacts?where[0][col]=date_modified&where[0][expr]=gte&where[0][val]=2020-01-01")
        #expect(list.json?["total"] == "0")
        let either = client.call(
            "GET",
            "/api/contacts?where[0][expr]=orX&where[0][val][0][col]=date_modified"
                + "&where[0][val][0][expr]=gte&where[0][val][0][val]=2020-01-01"
                + "&where[0][val][1][col]=date_added&where[0][val][1][expr]=gte"
                + "&where[0][val][1][val]=2020-01-01")
        #expect(either.json?["contacts"]?["\(id)"] != nil)
    }

    @Test func `B3 an edit that changes nothing leaves the date alone`() {
        var client = Client.mautic()
        let id = client.create(["firstname": "Same"])
        let first = client.call("PATCH", "/api/contacts/\(id)/edit", ["city": "Oslo"])
        let again = client.call("PATCH", "/api/contacts/\(id)/edit", ["city": "Oslo"])
        #expect(first.json?["contact"]?["dateModified"] != .null)
        #expect(
            first.json?["contact"]?["dateModified"] == again.json?["contact"]?["dateModified"])
        #expect(client.machine.audit.count == 3)
    }

    @Test func `B6 the direction is for the last column alone`() {
        var client = Client.mautic()
        for city in ["B", "A", "A"] { _ = client.create(["city": .string(city)]) }
        let list = client.call("GET", "/api/contacts?orderBy=city,id&orderByDir=DESC")
        #expect(list.json?["contacts"]?.members?.map(\.name) == ["3", "2", "1"])
        #expect(client.call("GET", "/api/contacts?orderBy=dateModified").status == 500)
    }

    @Test func `B8 a merge writes a merge row and a delete row for the old id`() {
        var client = Client.mautic()
        for name in ["Old", "New"] { _ = client.create(["firstname": .string(name)]) }
        client.machine.mauticMerges("1", into: "2", at: client.now)
        let rows = client.call(
            "GET",
            "/api/stats/audit_log?where[0][col]=object_id&where[0][expr]=eq&where[0][val]=1"
                + "&order[0][col]=id&order[0][dir]=desc&limit=2"
        ).json?["stats"]
        #expect(rows?[0]?["action"] == "delete")
        #expect(rows?[1]?["details"] == #"a:1:{s:11:"merged_into";i:2;}"#)
    }

    @Test func `B12 the audit log tells old and new values, authors and the way`() {
        var client = Client.mautic()
        let id = client.create(["phone": "1"])
        client.machine.personEdits("\(id)", at: client.now) { $0.phone = "2" }
        let rows = client.call("GET", "/api/stats/audit_log?order[0][col]=id").json?["stats"]
        #expect(rows?[1]?["user_name"] == "Ada Admin")
        #expect(
            rows?[1]?["details"]?.string?.hasPrefix(
                #"a:4:{s:5:"phone";a:2:{i:0;s:1:"1";i:1;s:1:"2";}s:6:"fields";"#) == true)
    }

    @Test func `C9 what is gone has no id`() {
        var client = Client.mautic()
        let id = client.create(["firstname": "Gone"])
        let answer = client.call("DELETE", "/api/contacts/\(id)/delete")
        #expect(answer.json?["contact"]?["id"] == .null)
    }

    @Test func `D1 a limit of zero returns everything`() {
        var client = Client.mautic()
        for number in 0..<35 { _ = client.create(["firstname": "N\(number)"]) }
        func count(_ query: String) -> Int? {
            client.call("GET", "/api/contacts?\(query)").json?["contacts"]?.members?.count
        }
        #expect(count("orderBy=id") == 30)
        #expect(count("limit=0") == 35)
        #expect(client.call("GET", "/api/contacts?limit=-1").status == 500)
    }

    @Test func `D4 a batch whose items all fail answers 201`() {
        var client = Client.mautic()
        let answer = client.call("POST", "/api/contacts/batch/new", [["email": "bad"]])
        #expect(answer.status == 201)
        #expect(answer.json?["statusCodes"] == [400])
        let many = SandboxJSON.array((0..<201).map { ["firstname": "N\($0)"] })
        #expect(client.call("POST", "/api/contacts/batch/new", many).status == 500)
        #expect(client.machine.rows.isEmpty)
    }

    @Test func `D6 PUT on an unknown id makes another contact, PATCH does not`() {
        var client = Client.mautic()
        let put = client.call("PUT", "/api/contacts/99/edit", ["firstname": "Put"])
        #expect(put.status == 201)
        #expect(put.header("Location") == "/api/contacts/1")
        #expect(client.call("PATCH", "/api/contacts/99/edit", ["firstname": "x"]).status == 404)
    }

    @Test func `D8 the limit counts each token's hour and names no time to come back`() {
        var client = Client.mautic(.init(callsPerHour: 2))
        #expect(client.call("GET", "/api/contacts").status == 200)
        #expect(client.call("GET", "/api/contacts").status == 200)
        let refused = client.call("GET", "/api/contacts")
        #expect(refused.status == 429)
        #expect(refused.header("Retry-After") == nil)
    }

    @Test func `D10 tags add, a minus removes, points go to zero by delta alone`() {
        var client = Client.mautic()
        let id = client.create(["tags": ["a", "B"], "points": 3])
        let path = "/api/contacts/\(id)"
        let edit = client.call("PATCH", path + "/edit", ["tags": ["-a", "b", "<x>"]])
        let names = edit.json?["contact"]?["tags"]?.elements?.compactMap { $0["tag"]?.string }
        #expect(names == ["B", "b", "&#60;x&#62;"])
        _ = client.call("POST", path + "/points/minus/3")
        #expect(client.values(id)["points"] == 0)
    }

    @Test func `D11 names hold sixty-four characters`() {
        var client = Client.mautic()
        let name = SandboxJSON.string(String(repeating: "å", count: 65))
        let answer = client.call("POST", "/api/contacts/new", ["firstname": name])
        #expect(answer.status == 400)
        #expect(answer.text.contains("64 characters or less"))
    }

    @Test func `E5 a token ends after its hour`() {
        var client = Client.mautic()
        client.now = client.now.adding(seconds: 3_600)
        let answer = client.call("GET", "/api/contacts")
        #expect(answer.status == 401)
        #expect(answer.text.contains("The access token provided has expired."))
    }

    @Test func `a viewer may read the audit log and write nothing`() {
        let viewer = MauticSandbox.Client(id: "v", secret: "v", mayWrite: false)
        var client = Client.mautic(.init(clients: [viewer]))
        #expect(client.call("GET", "/api/stats/audit_log").status == 200)
        let refused = client.call("POST", "/api/contacts/new", ["firstname": "x"])
        #expect(refused.status == 403)
    }
}
