import Testing

@testable import Transport

@Suite struct `The redactor` {
    @Test(arguments: [
        "Authorization: Bearer planted.x-y_z", "authorization: Basic planted==",
        "Proxy-Authorization: Digest a=planted, b=planted", "Cookie: a=planted; b=planted",
        "Set-Cookie: sid=planted; Path=/", "apikey: planted", "X-Api-Key: planted",
        "X-Auth-Token: planted", "client_secret=planted&x=1", "grant_type=p&password=planted",
        "a=1&refresh_token=planted", "https://x.example/?access_token=planted&y=2",
        #"{"client_secret":"planted"}"#, #"{"password" : "pla\"nted,planted}", "a": 1}"#,
        #"{"refresh_token":"planted"#, #"{"access_token": 'planted'}"#, "{'token': planted}",
        #"{"tokens":["a","planted"]}"#, #"{"secrets":{"a":"planted"}}"#,
        #""{\"password\":\"planted\"}""#, #"{\"password\":\"pla\\\"planted\"}"#,
        "got bearer planted back", "filter%5Bpassword%5D=planted", "CLIENT-SECRET=planted",
        "eyJhbGciOiJIUzI1NiJ9.planted.signature", "key sb_secret_planted_0123456789",
        "password=\"planted planted\"", "x-webhook-signature: sha256=planted",
    ])
    func `hides secrets in any text`(text: String) {
        #expect(!Redactor.redact(text).contains("planted"))
    }

    @Test func `leaves the rest of a text`() {
        let text = """
            Authorization: Bearer abc
            Accept: a; q=1
            {"password":"b","name":"Ada","age":3} grant=x&client_secret=c&scope=d
            """
        #expect(
            Redactor.redact(text) == """
                Authorization: [hidden]
                Accept: a; q=1
                {"password":"[hidden]","name":"Ada","age":3} grant=x&client_secret=[hidden]&scope=d
                """)
        for harmless in ["", "=", "no secret here", "token", "a: b", "héllo wörld", "password"] {
            #expect(Redactor.redact(harmless) == harmless)
        }
    }

    @Test(arguments: 0..<500)
    func `neither traps nor leaks on texts cut and joined anywhere`(seed: Int) {
        var random = Seeded(UInt64(seed))
        let pieces = [
            "\"", "\\", ":", "=", " ", "\n", "&", "{", "[", "password", "Bearer", "ä", "%",
        ]
        let noise = (0..<12).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
        let redacted = Redactor.redact(noise + "\npassword=planted\n" + noise)
        #expect(!redacted.contains("planted"))
    }

    @Test func `shows of a URL where it leads and what is asked, not the values`() {
        #expect(
            Redactor.redact(url: "https://h.example:8/a/b?filter%5Bemail%5D=x@y&access_token=t#f")
                == "https://h.example:8/a/b?filter%5Bemail%5D=[hidden]&access_token=[hidden]")
        #expect(Redactor.redact(url: "https://u:planted@h/") == "https://[hidden]@h/")
        #expect(
            Redactor.redact(url: "https://u:pla/planted@h/?a@b")
                == "https://[hidden]@h/?[hidden]")
        #expect(Redactor.redact(url: "u:planted@h") == "[hidden]@h")
        #expect(Redactor.redact(url: "a\r\nb") == "a\u{FFFD}\u{FFFD}b")
        #expect(Redactor.redact(url: "") == "")
    }
}

@Suite struct `No description shows a secret` {
    private static let request = HTTPRequest(
        method: "PLAN", url: "https://planted:planted@h.example/p?access_token=planted&planted",
        headers: [
            "Authorization": "Bearer planted", "apikey": "planted", "Cookie": "planted",
            "X-Unknown": "planted", "Content-Type": "application/json; token=planted",
        ],
        body: Array("client_secret=planted".utf8))

    private static let response = HTTPResponse(
        status: 200,
        headers: ["Set-Cookie": "planted", "Location": "https://h/?code=planted", "Server": "s"],
        body: Array("planted".utf8))

    private func expectNothing(in value: some Any) {
        var dumped = ""
        dump(value, to: &dumped)
        let bytes = Array("planted".utf8).map(String.init).joined(separator: ", ")
        for text in [String(describing: value), String(reflecting: value), "\(value)", dumped] {
            #expect(!text.contains("planted"))
            #expect(!text.contains(bytes))
        }
    }

    @Test func `of a request`() {
        expectNothing(in: Self.request)
        expectNothing(in: Self.request.headers)
        expectNothing(in: Self.request.headers.fields)
        expectNothing(in: [Self.request])
        #expect(
            String(describing: Self.request).hasSuffix("token=[hidden]] body: 21 bytes"))
    }

    @Test func `of a response or a result`() {
        expectNothing(in: Self.response)
        expectNothing(in: HTTPResult.response(Self.response))
        expectNothing(in: Optional(HTTPResult.response(Self.response)) as Any)
        #expect(
            String(describing: Self.response)
                == "200 [Set-Cookie: [hidden], Location: [hidden], Server: s] body: 7 bytes "
                + "in 0.0 seconds")
    }

    @Test func `of the failures of a client`() async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.send("planted planted\r\n\r\n")
        } test: { server, client in
            var request = Self.request
            request.url = server.url + "/?access_token=planted"
            request.method = .post
            expectNothing(in: await client.perform(request))
            request.url = "https://planted:planted@127.0.0.1/?access_token=planted"
            expectNothing(in: await client.perform(request))
            request.url = "http://h.example/planted?access_token=planted"
            expectNothing(in: await client.perform(request))
            request.url = "https://127.0.0.1:1/planted?access_token=planted"
            expectNothing(in: await client.perform(request))
            request.headers.append("X", "planted\n")
            expectNothing(in: await client.perform(request))
        }
    }
}

/// A small generator, so that a failure can be repeated from its seed (SplitMix64).
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
