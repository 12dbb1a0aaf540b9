import Testing

@testable import Transport

@Suite struct `A request is refused before anything is sent` {
    private func refusal(_ request: HTTPRequest) -> HTTPFailure? {
        do {
            _ = try CheckedRequest(request)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        "", "example.org", "/path", "https:/a", "https:a", "https://", "https:///path",
        "ftp://example.org/", "file:///etc/passwd", "gopher://127.0.0.1/", "http:/\\127.0.0.1/",
        "https://example.org:99999/", "https://[::1/", "https://a b/", "https://example.org/a b",
        "https://example.org/\r\nX: y", "https://example.org/\u{0}", "https://exämple.org/",
        "https://example.org/ä",
    ])
    func `for a URL that is none`(url: String) {
        let failure = refusal(HTTPRequest(url: url))
        #expect(failure?.kind == .invalidRequest)
        #expect(failure?.reachedRemote == .no)
    }

    @Test(arguments: [
        "https://user:planted@example.org/", "https://user@example.org/",
        "https://:planted@example.org/", "https://@example.org/",
    ])
    func `for credentials in the URL`(url: String) {
        let failure = refusal(HTTPRequest(url: url))
        #expect(failure?.kind == .invalidRequest)
        #expect(failure?.message.contains("planted") == false)
    }

    @Test(arguments: [
        "https://example.org/a/../b", "https://example.org/./b", "https://example.org/a/..",
        "https://example.org/module/%2e%2E/x", "https://example.org/.%2e",
    ])
    func `for a path that leads elsewhere than it says`(url: String) {
        #expect(refusal(HTTPRequest(url: url))?.kind == .invalidRequest)
    }

    @Test(arguments: ["", "GE T", "GET\r\nX: y", "GÉT", "CONNECT", "TRACE", "trace", "A\u{0}"])
    func `for a method that is no token`(method: String) {
        let request = HTTPRequest(
            method: HTTPMethod(rawValue: method), url: "https://example.org/")
        #expect(refusal(request)?.kind == .invalidRequest)
    }

    @Test(arguments: ["", "X Y", "X:", "X\r\nY", "X\n", "Ü", "X\u{0}", "(X)"])
    func `for a header name that is no token`(name: String) {
        let request = HTTPRequest(
            url: "https://example.org/", headers: HTTPHeaders([(name, "v")]))
        #expect(refusal(request)?.kind == .invalidRequest)
    }

    @Test(arguments: ["a\r\nX-Injected: 1", "a\nb", "a\rb", "a\u{0}b", "a\u{7F}b", "\u{1B}"])
    func `for a control character in a header value`(value: String) {
        let request = HTTPRequest(
            url: "https://example.org/", headers: HTTPHeaders([("X-A", value)]))
        #expect(refusal(request)?.kind == .invalidRequest)
        #expect(refusal(request)?.message.contains(value) == false)
    }

    @Test(arguments: [
        "Host", "content-length", "Transfer-Encoding", "CONNECTION", "Expect", "Accept-Encoding",
        "Upgrade", "TE",
    ])
    func `for a header that belongs to the transport`(name: String) {
        let request = HTTPRequest(
            url: "https://example.org/", headers: HTTPHeaders([(name, "1")]))
        #expect(refusal(request)?.kind == .invalidRequest)
    }

    @Test(arguments: [
        "http://example.org/", "http://10.0.0.1/", "http://0.0.0.0/", "http://128.0.0.1/",
        "http://[::2]/", "http://[::ffff:127.0.0.1]/", "http://127.0.0.1.example.org/",
        "http://localhost.example.org/", "http://notlocalhost/", "http://126.255.255.255/",
    ])
    func `for clear text to another machine, unless it is allowed`(url: String) {
        let failure = refusal(HTTPRequest(url: url))
        #expect(failure?.kind == .clearTextRefused)
        #expect(failure?.reachedRemote == .no)
        #expect(failure?.message.contains("https") == true)
        #expect(refusal(HTTPRequest(url: url, allowsClearText: true)) == nil)
    }

    @Test(arguments: [
        "http://127.0.0.1/", "http://127.255.255.254:8080/x?y", "http://[::1]/", "http://localhost",
        "http://LOCALHOST:1/", "http://127.1/", "http://[0:0:0:0:0:0:0:1]/", "https://example.org",
        "HTTPS://example.org/a..b/...?q=../x", "https://example.org/a%20b",
    ])
    func `but not for clear text to loopback, nor for encryption`(url: String) {
        #expect(refusal(HTTPRequest(url: url)) == nil)
    }

    @Test func `and never reaches a server`() async throws {
        try await withServer { _ in
        } test: { server, client in
            let request = HTTPRequest(url: server.url, headers: HTTPHeaders([("X-A", "a\r\nB: c")]))
            #expect(await client.perform(request).failure?.kind == .invalidRequest)
            #expect(server.connections == 0)
        }
    }

    @Test func `and a user agent that would end its line is a mistake that traps`() async {
        await #expect(processExitsWith: .failure) {
            _ = HTTPClient(.init(userAgent: "a\r\nX-Injected: 1"))
        }
    }
}
