import Testing

@testable import Sandbox

/// What the emulated project does as PostgREST and its trigger do.
@Suite struct `Compass facts` {
    private static let whole = [SandboxHeader("Prefer", "return=representation")]

    private func populated() -> Client<CompassSandbox> {
        var client = Client.compass()
        for (index, city) in ["Oslo", "Lyon", "Köln"].enumerated() {
            client.machine.seed(
                SandboxPerson(
                    email: "p\(index)@example.com", city: city, tags: ["t\(index)"],
                    points: index * 10),
                at: noon.adding(seconds: Int64(index)))
        }
        return client
    }

    @Test(arguments: [
        ("points=gte.10", 2), ("city=eq.Oslo", 1), ("city=neq.Oslo", 2), ("city=in.(Oslo,Lyon)", 2),
        ("city=like.*o*", 2), ("city=ilike.*O*", 2), ("phone=is.null", 3), ("phone=not.is.null", 0),
        ("or=(city.eq.Oslo,points.gt.10)", 2), ("and=(points.gte.10,points.lt.20)", 1),
        ("or=(city.eq.Oslo,and(points.eq.10,city.eq.Lyon))", 2), ("city=not.eq.Oslo", 2),
        ("tags=cs.{t1}", 1), ("updated_at=gt.2026-11-23T12:00:00Z", 2),
        ("city=in.(\"Oslo\",\"a,b\")", 1), ("email=eq.P0@example.com", 0), ("phone=eq.1", 0),
    ])
    func `filters find what they say`(query: String, count: Int) {
        var client = populated()
        let answer = client.call("GET", "/rest/v1/contacts?\(query)")
        #expect(answer.status == 200)
        #expect(answer.json?.elements?.count == count)
    }

    @Test func `order, range and count`() {
        var client = populated()
        let answer = client.call(
            "GET", "/rest/v1/contacts?select=city,p:points&order=points.desc&limit=2",
            headers: [SandboxHeader("Prefer", "count=exact")])
        #expect(answer.status == 206)
        #expect(answer.header("Content-Range") == "0-1/3")
        #expect(answer.text == #"[{"city":"Köln","p":20},{"city":"Lyon","p":10}]"#)
        let range = client.call(
            "GET", "/rest/v1/contacts?order=id", headers: [SandboxHeader("Range", "1-1")])
        #expect(range.json?.elements?.count == 1)
        #expect(range.header("Content-Range") == "1-1/*")
    }

    @Test(arguments: [
        ("/rest/v1/nothing", 404, "PGRST205"), ("/rest/v1/contacts?id=eq.x", 400, "22P02"),
        ("/rest/v1/contacts?nope=eq.x", 400, "42703"),
        ("/rest/v1/contacts?updated_at=gt.soon", 400, "22007"),
        ("/rest/v1/contacts?points=zz.1", 400, "PGRST100"),
    ])
    func `errors carry PostgreSQL's codes`(target: String, status: Int, code: String) {
        var client = Client.compass()
        let answer = client.call("GET", target)
        #expect(answer.status == status)
        #expect(answer.json?["code"]?.string == code)
        #expect(answer.json?.members?.map(\.name) == ["code", "details", "hint", "message"])
    }

    @Test func `a missing key, a wrong key and an expired token are told apart`() {
        var client = Client.compass()
        client.machine.settings.expiredTokens = ["old"]
        let good = client.authorization[0]
        client.authorization = []
        #expect(client.call("GET", "/rest/v1/contacts").text.contains("No API key found"))
        client.authorization = [SandboxHeader("apikey", "wrong")]
        #expect(client.call("GET", "/rest/v1/contacts").text.contains("Invalid API key"))
        client.authorization = [good, SandboxHeader("Authorization", "Bearer old")]
        #expect(client.call("GET", "/rest/v1/contacts").text.contains("JWT expired"))
    }

    @Test func `an id that is there is refused, merged or ignored`() {
        var client = Client.compass()
        let row: SandboxJSON = ["id": "0b5e1f0a-4d55-4a7e-9a40-3f1d6d1c2b3a", "city": "Oslo"]
        #expect(client.call("POST", "/rest/v1/contacts", row).status == 201)
        let again = client.call("POST", "/rest/v1/contacts", row)
        #expect(again.status == 409)
        #expect(again.json?["code"] == "23505")
        let other: SandboxJSON = ["id": "0b5e1f0a-4d55-4a7e-9a40-3f1d6d1c2b3a", "city": "Lyon"]
        let merge = [
            SandboxHeader("Prefer", "resolution=merge-duplicates,return=representation")
        ]
        let merged = client.call("POST", "/rest/v1/contacts", other, headers: merge)
        #expect(merged.json?[0]?["city"] == "Lyon")
        let ignore = [
            SandboxHeader("Prefer", "resolution=ignore-duplicates,return=representation")
        ]
        #expect(client.call("POST", "/rest/v1/contacts", row, headers: ignore).text == "[]")
        #expect(client.machine.rows.count == 1)
    }

    @Test func `the trigger stamps and records only what changed`() {
        var client = populated()
        let id = client.machine.rows[0].id
        let path = "/rest/v1/contacts?id=eq.\(id)"
        let before = client.machine.rows[0].modified
        let city = SandboxJSON.text(client.machine.rows[0].person.city)
        _ = client.call("PATCH", path, ["city": city])
        #expect(client.machine.rows[0].modified == before)
        #expect(client.machine.unacknowledged.isEmpty)
        let command = "0b5e1f0a-4d55-4a7e-9a40-3f1d6d1c2b3a"
        _ = client.call("PATCH", path, ["city": "Rome", "sync_command": .string(command)])
        client.machine.personEdits(id, at: client.now) { $0.city = "Turin" }
        let rows = client.machine.unacknowledged
        #expect(rows.map { $0["command_id"] ?? .null } == [.string(command), .null])
        #expect(rows[1]["before"]?["sync_command"]?.string == command)
        #expect(client.machine.contacts.contains { $0["sync_command"].string == command })
        let all = "/rest/v1/syncledger_outbox?id=in.(1,2)"
        let done = client.call(
            "PATCH", all, ["acknowledged_at": "2026-11-23T12:00:00Z"], headers: Self.whole)
        #expect(done.json?.elements?.count == 2)
        #expect(client.machine.unacknowledged.isEmpty)
    }

    @Test func `a late commit shows a smaller id after a greater one`() {
        var client = populated()
        let ids = client.machine.rows.map(\.id)
        client.machine.delayCommits(1)
        client.machine.personEdits(ids[0], at: client.now) { $0.city = "A" }
        client.machine.personEdits(ids[1], at: client.now) { $0.city = "B" }
        #expect(client.machine.unacknowledged.map { $0["id"]?.int } == [2])
        client.machine.commitLateRows()
        #expect(client.machine.unacknowledged.map { $0["id"]?.int } == [2, 1])
    }

    @Test func `unknown columns and whole tables are refused`() {
        var client = populated()
        let unknown = client.call("POST", "/rest/v1/contacts", ["nope": 1])
        #expect(unknown.json?["code"] == "PGRST204")
        #expect(client.call("DELETE", "/rest/v1/contacts").json?["code"] == "21000")
        #expect(client.machine.rows.count == 3)
        let none = client.call(
            "PATCH", "/rest/v1/contacts?city=eq.Nowhere", ["city": "x"], headers: Self.whole)
        #expect(none.status == 200)
        #expect(none.text == "[]")
    }

    @Test func `a statement that fails leaves nothing behind`() {
        var client = Client.compass()
        let rows: SandboxJSON = [
            ["id": "0b5e1f0a-4d55-4a7e-9a40-3f1d6d1c2b3a"],
            ["id": "0b5e1f0a-4d55-4a7e-9a40-3f1d6d1c2b3a"],
        ]
        #expect(client.call("POST", "/rest/v1/contacts", rows).status == 409)
        #expect(client.machine.rows.isEmpty)
        #expect(client.machine.unacknowledged.isEmpty)
    }
}
