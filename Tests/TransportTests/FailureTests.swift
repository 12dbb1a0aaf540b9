import Testing

@testable import Transport

@Suite struct `A failure before the request could leave` {
    @Test func `is a refused connection where nobody listens`() async throws {
        let server = try ScriptedServer { _ in }
        await server.stop()
        let client = HTTPClient()
        let request = HTTPRequest(method: .post, url: server.url, body: [1])
        let failure = try #require(await client.perform(request).failure)
        #expect(failure.kind == .connectionRefused)
        #expect(failure.reachedRemote == .no)
        #expect(failure.message.contains(server.url))
    }

    @Test func `is a name that nobody knows`() async throws {
        let request = HTTPRequest(url: "https://nobody.invalid/")
        let failure = try #require(await HTTPClient().perform(request).failure)
        #expect(failure.kind == .nameNotResolved)
        #expect(failure.reachedRemote == .no)
    }

    @Test func `is a connect timeout when a handshake is never answered`() async throws {
        try await withServer { connection in
            connection.waitForClose()
        } test: { server, client in
            let request = HTTPRequest(url: "https://127.0.0.1:\(server.port)/")
            let limits = HTTPLimits(connectTimeout: .milliseconds(200))
            let failure = try #require(await client.perform(request, limits: limits).failure)
            #expect(failure.kind == .connectTimeout)
            #expect(failure.reachedRemote == .no)
        }
    }

    @Test func `is a failed handshake with a server that speaks plain text`() async throws {
        try await withServer { connection in
            connection.send("HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.waitForClose()
        } test: { server, client in
            let request = HTTPRequest(url: "https://127.0.0.1:\(server.port)/")
            let failure = try #require(await client.perform(request).failure)
            #expect(failure.kind == .tls)
            #expect(failure.reachedRemote == .no)
        }
    }

    @Test func `is a total timeout spent waiting for a free connection`() async throws {
        try await withServer(.init(maximumConnectionsPerHost: 1)) { connection in
            connection.readRequest()
            connection.waitForClose()
        } test: { server, client in
            let first = client.start(
                HTTPRequest(url: server.url + "/first"), limits: .patient
            ) { _ in }
            for await _ in server.arrivals { break }
            let second = HTTPRequest(method: .post, url: server.url + "/second")
            let failure = try #require(await client.perform(second, limits: .shortTotal).failure)
            #expect(failure.kind == .totalTimeout)
            #expect(failure.reachedRemote == .no)
            #expect(server.requests.map(\.line) == ["GET /first HTTP/1.1"])
            first.cancel()
        }
    }

    @Test func `is more requests than a client accepts`() async throws {
        try await withServer(.init(maximumOutstanding: 1)) { connection in
            connection.readRequest()
            connection.waitForClose()
        } test: { server, client in
            let first = client.start(HTTPRequest(url: server.url)) { _ in }
            let failure = await client.perform(HTTPRequest(url: server.url)).failure
            #expect(failure?.kind == .tooManyOutstanding)
            #expect(failure?.reachedRemote == .no)
            first.cancel()
        }
    }
}

@Suite struct `A failure after the request may have left` {
    /// libcurl has one code for a chunk without a size and for a connection that breaks.
    private static let halfAnswers = [
        "", "HTTP/1.", "HTTP/1.1 200 OK\r\nX-A: ",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    ]

    @Test(arguments: halfAnswers)
    func `is a connection that ends within the answer`(answer: String) async throws {
        try await expectLostConnection { connection in
            connection.readRequest()
            connection.send(answer)
        }
    }

    @Test func `is a connection that ends before the request was read`() async throws {
        try await expectLostConnection { _ in }
    }

    @Test func `is a connection that is reset`() async throws {
        try await expectLostConnection { connection in
            connection.readRequest()
            connection.reset()
        }
    }

    private func expectLostConnection(script: @escaping ScriptedServer.Script) async throws {
        let failure = try #require(await result(script: script).failure)
        #expect(failure.kind == .connectionLost)
        #expect(failure.reachedRemote == .maybe)
    }

    @Test func `tells the status that was heard`() async throws {
        let failure = try await result { connection in
            connection.readRequest()
            connection.send("HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\nhalf")
        }.failure
        #expect(failure?.status == 201)
    }

    @Test func `is a total timeout when the answer never comes`() async throws {
        let failure = try await result(limits: .shortTotal) { connection in
            connection.readRequest()
            connection.waitForClose()
        }.failure
        #expect(failure?.kind == .totalTimeout)
        #expect(failure?.reachedRemote == .maybe)
    }

    @Test func `is a total timeout when the answer never ends`() async throws {
        let failure = try await result(limits: .shortTotal) { connection in
            connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\ndrip")
            connection.waitForClose()
        }.failure
        #expect(failure?.kind == .totalTimeout)
        #expect(failure?.status == 200)
    }

    @Test func `is a stall when nothing moves any more`() async throws {
        let limits = HTTPLimits(stallTimeout: .seconds(1))
        let failure = try await result(limits: limits) { connection in
            connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            connection.waitForClose()
        }.failure
        #expect(failure?.kind == .stalled)
        #expect(failure?.reachedRemote == .maybe)
    }

    private static let garbage = [
        "this is not HTTP\r\n\r\n", "<html>HTTP/0.9</html>", "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n", "HTTP/7.1 200 OK\r\n\r\n", "\u{0}\u{1}\u{2}\u{3}\u{4}\u{5}\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Encoding: rot13\r\nContent-Length: 4\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 4\r\n\r\nabcd",
    ]

    @Test(arguments: garbage)
    func `is a malformed response`(answer: String) async throws {
        let result = try await result { connection in
            connection.readRequest()
            connection.send(answer)
        }
        let failure = try #require(result.failure, "\(result)")
        #expect(failure.kind == .malformedResponse)
        #expect(failure.reachedRemote == .maybe)
    }
}
