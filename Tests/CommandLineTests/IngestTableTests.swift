import Foundation
import Testing

/// What `ingest` takes in of tables, and of accounts and deals.
@Suite struct `Tables` {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        #expect(try run("init").code == 0)
        #expect(try run("connect", "local").code == 0)
    }

    @discardableResult
    private func run(_ arguments: String..., input: String? = nil) throws -> Program.Result {
        try Program.syncledger.run(
            arguments + ["--ledger", scratch("ledger")], input: input)
    }

    private func events() throws -> Int? { try run("projector", "status", "--json").number("end") }

    /// Takes in text under a name that says that it is a table.
    private func ingest(_ table: String, _ options: String...) throws -> Program.Result {
        let file = try scratch.write(table, to: "in.csv")
        return try Program.syncledger.run(
            ["ingest", file, "--ledger", scratch("ledger")] + options, input: nil)
    }

    @Test func `a table says what the same lines of JSON say`() throws {
        let table = """
            \u{FEFF}id;email;first_name;tags;points;email_opt_out\r
            c-1;ann@example.com;"Ann; or ""Anna""\r\nLee";"a, b";12;yes\r
            c-2;bob@example.com;Bob;;;\r

            """
        #expect(try ingest(table, "--json").number("new") == 2)
        let before = try events()
        let lines = #"""
            {"id":"c-1","email":"ann@example.com","first_name":"Ann; or \"Anna\"\r\nLee","tags":["a","b"],"points":12,"email_opt_out":true}
            {"id":"c-2","email":"bob@example.com","first_name":"Bob","tags":null,"points":null,"email_opt_out":null}
            """#
        #expect(try run("ingest", "-", "--json", input: lines).number("unchanged") == 2)
        #expect(try events() == before)
        #expect(try run("ingest", "-", "--format", "csv", input: table).code == 0)
        #expect(try events() == before)
    }

    @Test func `a column that nobody knows is named, mapped or left out`() throws {
        let before = try events()
        let table = "Nr,E-Mail,Shoe size\n1,ann@example.com,38\n"
        expect(
            try ingest(table), says: "no field is called \"Nr\", \"E-Mail\", \"Shoe size\"",
            "did you mean \"email\"?", "--ignore-columns", "nothing was taken in")
        expect(try ingest(table, "--ignore-columns"), says: "has no column \"id\"")
        expect(
            try ingest(table, "--column", "Nr=id", "--column", "E-Mail=email"),
            says: "no field is called \"Shoe size\"")
        expect(
            try ingest(table, "--column", "nr=id"), says: "--column names \"nr\"", "has not")
        expect(try ingest(table, "--column", "Nr"), says: "--column takes NAME=FIELD, not Nr")
        expect(try ingest("id,email,email\n1,a,b"), says: "\"email\" and \"email\" are the same")
        #expect(try events() == before)
        let options = ["--column", "Nr=id", "--column", "E-Mail=email", "--ignore-columns"]
        let file = try scratch.write(table, to: "in.csv")
        let taken = try Program.syncledger.run(
            ["ingest", file, "--ledger", scratch("ledger")] + options, input: nil)
        #expect(taken.code == 0, "\(taken.error)")
        #expect(try run("log").output.contains("ann@example.com"))
    }

    @Test func `a bad row refuses the whole table and is named by its line`() throws {
        let before = try events()
        for (rows, words) in [
            (
                "1,a@example.com,many",
                #"line 2: "points" cannot be "many": it holds a whole number"#
            ),
            ("1,a@example.com,1\n2,b@example.com", "line 3 has 2 cells and the header 3 columns"),
            ("1,a@example.com,1\n\n ,b@example.com,2", "line 4 has no \"id\""),
            ("1,\"a\n@example.com,1", "the quotation mark on line 2 is not closed"),
        ] {
            expect(try ingest("id,email,points\n" + rows), says: words, "nothing was taken in")
        }
        expect(try ingest("id,email\n"), says: "is empty", "rows below a header")
        #expect(try events() == before)
    }

    @Test func `of rows with one id the last word on each field counts`() throws {
        let rows = (1...1_200).map { "c-\($0),Oslo" } + ["c-1,Rome"]
        let table = "id,city\n" + rows.joined(separator: "\n")
        let first = try ingest(table, "--json").json() as? [String: Int]
        #expect(
            first == [
                "lines": 1_201, "observed": 1_200, "new": 1_200, "changed": 0, "unchanged": 0,
                "repeated": 1,
            ])
        #expect(try ingest(table, "--json").number("unchanged") == 1_200)
    }

    @Test func `accounts and deals come from tables and lines of their own`() throws {
        #expect(try ingest("id,name,city\na-1,Nordwind,Oslo", "--entity", "account").code == 0)
        let deal = #"{"id":"d-1","name":"Relaunch","client_id":"a-1","amount":"1200.50"}"#
        let taken = try run("ingest", "-", "--entity", "deal", input: deal)
        #expect(taken.code == 0, "\(taken.error)")
        let person = try run("ingest", "-", input: #"{"id":"a-1","email":"a@example.com"}"#)
        #expect(person.output.contains("1 new"), "an account's id is nobody else's")
        expect(
            try run("ingest", "-", "--entity", "lead", input: deal),
            says: "there is no entity lead", "account, contact, deal")
        expect(
            try run("ingest", "-", "--entity", "deal", input: #"{"id":"d-2","amount":"much"}"#),
            says: "\"amount\" cannot be \"much\": it holds a number")
        #expect(try run("plan").code != 1)
        let log = try run("log").output
        #expect(log.contains("Nordwind") && log.contains("Relaunch"))
    }
}
