import Ledger
import Testing
import Transport

@testable import Connectors

/// How long to wait, how long a token lives, and who is to blame where there is none.
@Suite struct WaitingTests {
    static let systems: [any Connector] = [
        MauticConnector(), SuiteCRMConnector(), CompassConnector(),
    ]

    private static func look(_ connector: any Connector, _ answer: HTTPResult) -> RemoteFailure? {
        failure { () throws(RemoteFailure) in try connector.look(from: answer, asked: "1") }
    }

    @Test(
        "Retry-After is kept between a second and an hour",
        arguments: [
            ("7", 7), ("0", 1), ("-5", 1), ("1e30", 3_600), ("99999999999999999999", 3_600),
            ("0.2", 1), ("3600", 3_600),
        ])
    func retryAfterIsBounded(text: String, seconds: Double) {
        for connector in Self.systems {
            for status in [429, 503] {
                let kind = Self.look(connector, answer(status, "", ["Retry-After": text]))?.kind
                #expect(kind == .again(afterSeconds: seconds), "\(connector.system) \(status)")
            }
        }
    }

    @Test(arguments: ["inf", "-inf", "nan", "", "soon", "Tue, 99 Xyz 2026", "2026-11-24"])
    func `a Retry-After that nobody can read is as if it were not there`(text: String) {
        for connector in Self.systems {
            let kind = Self.look(connector, answer(429, "", ["Retry-After": text]))?.kind
            guard case .again(let seconds)? = kind else {
                Issue.record("\(connector.system): \(String(describing: kind))")
                continue
            }
            #expect((1...3_600).contains(seconds))
            #expect(
                Self.look(connector, answer(503, "", ["Retry-After": text]))?.kind == .unclear)
        }
    }

    @Test(
        "a Retry-After date counts from the answer's own date",
        arguments: [
            ("Tue, 24 Nov 2026 10:00:30 GMT", 30.0), ("Tue, 24 Nov 2026 09:00:00 GMT", 1),
            ("Thu, 24 Nov 2067 10:00:00 GMT", 3_600),
        ])
    func retryAfterDate(text: String, seconds: Double) {
        let response = HTTPResponse(
            status: 429,
            headers: ["Date": "Tue, 24 Nov 2026 10:00:00 GMT", "Retry-After": text])
        #expect(retryAfter(response) == seconds)
        #expect(retryAfter(HTTPResponse(status: 429, headers: ["Retry-After": text])) == nil)
    }

    @Test func `a 503 that names no time may stand before a request that ran`() {
        for connector in Self.systems {
            #expect(Self.look(connector, answer(503))?.kind == .unclear)
        }
    }

    // MARK: - Tokens

    private static func token(_ connector: any Connector, _ lifetime: String) -> Token? {
        try? connector.token(
            from: answer(200, #"{"access_token":"T","expires_in":\#(lifetime)}"#))
    }

    @Test(
        "a token lives between a minute and 30 days",
        arguments: [
            ("3600", 3_600), ("0", 60), ("-1", 60), ("1e30", 2_592_000), ("\"inf\"", 3_600),
            ("\"nan\"", 3_600), ("null", 3_600), ("1e999", 3_600), ("\"7200\"", 7_200),
            ("{}", 3_600),
        ])
    func lifetimes(text: String, seconds: Double) {
        for connector in Self.systems.prefix(2) {
            #expect(Self.token(connector, text)?.lifetimeSeconds == seconds)
        }
    }

    private static func blamed(
        _ connector: any Connector, _ status: Int, _ body: String
    ) -> RemoteFailure? {
        failure { () throws(RemoteFailure) in try connector.token(from: answer(status, body)) }
    }

    @Test(arguments: ["invalid_client", "invalid_grant", "unauthorized_client"], [400, 401])
    func `facts E3, 15: client id and secret are blamed where the system blames them`(
        type: String, status: Int
    ) {
        let mautic = Self.blamed(
            Self.systems[0], status, #"{"errors":[{"message":"no","code":400,"type":"\#(type)"}]}"#)
        #expect(mautic?.kind == .refused(.authentication))
        let suitecrm = Self.blamed(
            Self.systems[1], status, #"{"error":"\#(type)","message":"no"}"#)
        #expect(suitecrm?.kind == .refused(.authentication))
    }

    @Test func `fact 15: an unknown client id is a 500 in SuiteCRM, whose text is not repeated`() {
        let failure = Self.blamed(
            Self.systems[1], 500,
            #"{"error":"unknown_error","message":"The password is invalid: hunter2"}"#)
        #expect(failure?.kind == .refused(.authentication))
        #expect(failure?.message.contains("hunter2") == false)
    }

    @Test(arguments: [
        answer(500, "<h1>500</h1>"), answer(502, ""), answer(503, "busy"), answer(504, "{}"),
        answer(400, "<html>Bad Request</html>"), answer(401, ""), answer(403, "<html>WAF</html>"),
        answer(404, "<html></html>"), answer(301, ""), answer(200, "<html>Log in</html>"),
        answer(200, "{}"), answer(200, #"{"access_token":""}"#), answer(200, "[1,2]"), unheard,
    ])
    func `a secret is not blamed for what it has no part in`(bad: HTTPResult) {
        for connector in Self.systems.prefix(2) {
            let failure = failure { () throws(RemoteFailure) in try connector.token(from: bad) }
            #expect(failure?.kind == .unclear, "\(connector.system)")
            #expect(failure?.message.contains("secret") == false)
        }
    }

    @Test func `a rate limit on tokens is waited for`() {
        for connector in Self.systems.prefix(2) {
            let failure = Self.blamed(connector, 429, "{}")
            #expect(failure?.kind == .again(afterSeconds: 60))
        }
    }

    @Test func `fact D9: Mautic's API may be switched off`() {
        let failure = Self.blamed(
            Self.systems[0], 403,
            #"{"errors":[{"message":"API disabled.","code":403,"type":"api_disabled"}]}"#)
        #expect(failure?.kind == .refused(.permission))
    }

    @Test func `a request of ours that is refused is no wrong secret`() {
        let mautic = Self.blamed(
            Self.systems[0], 400,
            #"{"errors":[{"message":"no","code":400,"type":"invalid_request"}]}"#)
        #expect(mautic?.kind == .refused(.validation))
        let suitecrm = Self.blamed(Self.systems[1], 400, #"{"error":"unsupported_grant_type"}"#)
        #expect(suitecrm?.kind == .refused(.validation))
    }
}
