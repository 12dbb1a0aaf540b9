import Ledger
import Model
import Testing
import Transport

@testable import Connectors

/// Answers that are not what was asked for, and how they are told apart.
@Suite struct AnswerTests {
    private static func mautic(_ status: Int, _ errors: String) -> RemoteFailure? {
        failure { () throws(RemoteFailure) in
            try MauticConnector().look(
                from: answer(status, #"{"errors":[\#(errors)]}"#), asked: "1")
        }
    }

    private static func suitecrm(_ status: Int, _ body: String) -> RemoteFailure? {
        failure { () throws(RemoteFailure) in
            try SuiteCRMConnector().page(from: answer(status, body), Walk(.sweep))
        }
    }

    // MARK: - Mautic

    /// Fact D5: controllers write `details`, the rest of the program writes `type`.
    @Test(arguments: [
        (400, #""message":"points: no","details":{"points":["no"]}"#, Refusal.validation),
        (422, #""message":"email: taken","details":{"email":["taken"]}"#, .conflict),
        (403, #""message":"no","details":[]"#, .permission),
        (403, #""message":"API disabled.","type":"api_disabled""#, .permission),
        (400, #""message":"bad JSON","type":null"#, .validation),
    ])
    func `fact D5: both forms of Mautic's errors are understood`(
        status: Int, error: String, refusal: Refusal
    ) {
        #expect(
            Self.mautic(status, #"{"code":\#(status),\#(error)}"#)?.kind == .refused(refusal))
    }

    @Test func `fact A11: a deadlock is a 400 that may be sent again`() {
        let text = "An exception occurred: SQLSTATE[40001]: Serialization failure: 1213 Deadlock"
        let kind = Self.mautic(400, #"{"code":400,"message":"\#(text)","details":[]}"#)?.kind
        guard case .again(let seconds)? = kind else {
            Issue.record("\(String(describing: kind))")
            return
        }
        #expect(seconds > 0 && seconds <= 1)
    }

    @Test func `fact D8: a rate limit without a time is waited for a minute`() {
        #expect(
            Self.mautic(429, #"{"code":429,"message":"too many","details":[]}"#)?.kind
                == .again(afterSeconds: 60))
    }

    @Test(arguments: ["access_denied", "invalid_grant"])
    func `fact E5: a token that ended asks for another one`(type: String) {
        #expect(Self.mautic(401, #"{"message":"no","code":401,"type":"\#(type)"}"#)?.kind == .token)
    }

    @Test func `fact D7: errors in a 200 are errors`() {
        #expect(
            Self.mautic(200, #"{"message":"SQL","code":500,"details":[]}"#)?.kind
                == .refused(.validation))
    }

    @Test func `facts A1, D5: only Mautic's own word proves a contact gone or merged`() throws {
        let gone = answer(404, #"{"errors":[{"code":404,"message":"none","details":[]}]}"#)
        #expect(try MauticConnector().look(from: gone, asked: "7") == .gone)
        let other = answer(200, #"{"contact":{"id":8,"fields":[]}}"#)
        guard case .merged(let into) = try MauticConnector().look(from: other, asked: "7") else {
            Issue.record("not merged")
            return
        }
        #expect(into.id == "8")
    }

    // MARK: - SuiteCRM

    @Test func `fact 20: a body with a sentence behind its JSON is unclear`() {
        let sentence = "Database failure. Please refer to suitecrm.log for details."
        let body = #"{"errors":{"status":400,"title":null,"detail":"\#(sentence)"}}\#(sentence)"#
        #expect(Self.suitecrm(400, body)?.kind == .unclear)
    }

    @Test func `fact 20: a body with notices before its JSON is unclear, and says what to do`() {
        let failure = Self.suitecrm(200, "\nDeprecated: something in x.php\n{\"data\":[]}")
        #expect(failure?.kind == .unclear)
        #expect(failure?.message.contains("display_errors") == true)
    }

    @Test(arguments: [
        ("Contact module with id 7 is not found", Refusal.notFound),
        ("[SuiteCRM] [AccessDeniedException] ", .permission),
        ("Bean Contacts with id 7 is already exist", .conflict),
        ("Property x in Contact module is invalid", .validation),
        ("The page is not found", .validation),
    ])
    func `fact 19: refusals are told apart by their text`(text: String, refusal: Refusal) {
        #expect(
            Self.suitecrm(400, #"{"errors":{"status":400,"title":null,"detail":"\#(text)"}}"#)?
                .kind == .refused(refusal))
    }

    @Test func `fact 16: a bad token is answered in another shape`() {
        #expect(Self.suitecrm(401, #"{"error":"access_denied","hint":"no"}"#)?.kind == .token)
    }

    @Test func `fact 24: attributes may be an empty list or hold links`() throws {
        let body = """
            {"data":{"type":"Contact","id":"c1","attributes":\
            {"first_name":"A","last_name":{},"title":7,"city":true}}}
            """
        let looked = try SuiteCRMConnector().look(from: answer(200, body), asked: "c1")
        guard case .found(let object) = looked else {
            Issue.record("not found")
            return
        }
        #expect(object["first_name"] == .text("A") && object["last_name"] == nil)
        #expect(object["title"] == .text("7"))
    }

    // MARK: - All

    @Test func `a token that ends in the middle of a conversation is told as such`() {
        let create = order(.create, email: "a@x.test", [change("dnc_email", .bool(true), .optOut)])
        let suite = order(
            .update, id: otherID, email: "a@x.test", [change("email_opt_out", .text("1"), .optOut)])
        let delete = Talk(
            MauticConnector().write(order(.delete, id: "7")),
            [answer(200, #"{"contact":{"id":7,"fields":[]}}"#), answer(401, "{}")])
        #expect(delete.failure?.kind == .token)
        #expect(
            Talk(SuiteCRMConnector().write(suite), [answer(401, "{}")]).failure?.kind == .token)
        #expect(Talk(MauticConnector().write(create), [answer(401, "{}")]).failure?.kind == .token)
    }

    @Test func `no message repeats what a system said`() {
        let secret = "hunter2@x.test"
        for status in [200, 400, 401, 403, 404, 409, 422, 429, 500, 503] {
            for connector in WaitingTests.systems {
                let bodies = [
                    #"{"errors":[{"code":\#(status),"message":"\#(secret)","details":[]}]}"#,
                    #"{"errors":{"detail":"\#(secret)"}}"#, #"{"message":"\#(secret)"}"#, secret,
                ]
                for body in bodies {
                    let failure = failure { () throws(RemoteFailure) in
                        try connector.look(from: answer(status, body), asked: "1")
                    }
                    #expect(failure?.message.contains("hunter2") != true)
                }
            }
        }
    }

    @Test func `nobody reached is sent again; a refusal of our own transport is not`() {
        for connector in WaitingTests.systems {
            func kind(_ result: HTTPResult) -> RemoteFailure.Kind? {
                failure { () throws(RemoteFailure) in
                    try connector.look(from: result, asked: "1")
                }?.kind
            }
            #expect(kind(unreached) == .again(afterSeconds: 1))
            #expect(kind(unheard) == .unclear)
            let clear = HTTPFailure(kind: .clearTextRefused, reachedRemote: .no, message: "no TLS")
            #expect(kind(.failure(clear)) == .refused(.unreachable))
        }
    }

    // MARK: - JSON

    @Test(arguments: [
        "", "{", "[", "[1,]", "{\"a\":}", "{\"a\" 1}", "{a:1}", "01", "1.", ".5", "+1", "1e", "tru",
        "\"", "\"\\x\"", "\"\\u12\"", "\"\\u+123\"", "\"\\u-123\"", "\"\\ud800\"",
        "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"a\u{1}\"", "1 2", "nul", "[1}", "\u{FEFF}{}",
    ])
    func `what is not JSON is refused`(text: String) {
        #expect(throws: JSONError.self) { try JSON(parsing: Array(text.utf8)) }
    }

    @Test func `bytes that are no text are refused, and so is endless nesting`() {
        #expect(throws: JSONError.self) { try JSON(parsing: [0x22, 0xC3, 0x28, 0x22]) }
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: JSONError.self) { try JSON(parsing: Array(deep.utf8)) }
    }

    @Test func `numbers keep their text, members their order, escapes their meaning`() throws {
        let json = try JSON(
            parsing: Array(#"{"b":12345678901234567.890,"a":-0,"c":"\ud83d\ude00\/\u00e9"}"#.utf8))
        #expect(json.members.map(\.name) == ["b", "a", "c"])
        #expect(json["b"] == .number("12345678901234567.890") && json["a"] == .number("-0"))
        #expect(json["c"]?.text == "😀/é")
        #expect(try JSON(parsing: json.bytes) == json)
    }
}
