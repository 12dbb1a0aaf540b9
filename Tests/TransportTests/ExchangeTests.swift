import Testing

@testable import Transport

@Suite struct `An exchange` {
    @Test func `sends exactly what was asked and hears status, headers and body`() async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.respond("done", status: "201 Created", headers: ["X-A: 1", "x-a:  2  "])
        } test: { server, client in
            let request = HTTPRequest(
                method: .patch, url: server.url + "/V8/module?a=%20b",
                headers: [
                    "Content-Type": "application/json", "X-Empty": "", "X-Two": "a", "x-two": "b",
                ],
                body: Array("{}".utf8))
            let response = try #require(await client.perform(request).response)
            #expect(response.status == 201)
            #expect(response.text == "done")
            #expect(response.headers["content-LENGTH"] == "4")
            #expect(response.headers.values(of: "X-A") == ["1", "2"])
            #expect(!response.timings.reusedConnection)
            #expect(response.timings.total > .zero)
            let heard = try #require(server.requests.first)
            #expect(heard.line == "PATCH /V8/module?a=%20b HTTP/1.1")
            #expect(heard.body == Array("{}".utf8))
            #expect(heard.values("host") == ["127.0.0.1:\(server.port)"])
            #expect(heard.values("content-type") == ["application/json"])
            #expect(heard.values("content-length") == ["2"])
            #expect(heard.values("accept-encoding") == ["gzip"])
            #expect(heard.values("user-agent") == ["SyncLedger"])
            #expect(heard.values("x-empty") == [""])
            #expect(heard.values("x-two") == ["a", "b"])
        }
    }

    @Test(arguments: [HTTPMethod.post, .put, .patch])
    func `says that a body is empty where the method wants one`(method: HTTPMethod) async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.respond()
        } test: { server, client in
            _ = await client.perform(HTTPRequest(method: method, url: server.url))
            let heard = try #require(server.requests.first)
            #expect(heard.line == "\(method.rawValue) / HTTP/1.1")
            #expect(heard.values("content-length") == ["0"])
            #expect(heard.values("content-type") == [])
        }
    }

    @Test func `sends no length with a DELETE that has no body`() async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.respond()
        } test: { server, client in
            _ = await client.perform(HTTPRequest(method: .delete, url: server.url + "/1"))
            let heard = try #require(server.requests.first)
            #expect(heard.line == "DELETE /1 HTTP/1.1")
            #expect(heard.values("content-length") == [])
        }
    }

    @Test func `sends a large body whole, with any byte in it and without asking first`()
        async throws
    {
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) }
        try await withServer { connection in
            connection.readRequest()
            connection.respond()
        } test: { server, client in
            let request = HTTPRequest(method: .post, url: server.url, body: body)
            #expect(await client.perform(request).response?.status == 200)
            let heard = try #require(server.requests.first)
            #expect(heard.body == body)
            #expect(heard.values("expect") == [])
        }
    }

    @Test func `to HEAD has headers and no body`() async throws {
        try await withServer { connection in
            while connection.readRequest() != nil {
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
            }
        } test: { server, client in
            for _ in 0..<2 {
                let request = HTTPRequest(method: .head, url: server.url)
                let response = try #require(await client.perform(request).response)
                #expect(response.headers["Content-Length"] == "99999999999")
                #expect(response.body.isEmpty)
            }
            #expect(server.connections == 1)
        }
    }

    @Test(arguments: ["204 No Content", "304 Not Modified"])
    func `ends after the head where the status has no body`(status: String) async throws {
        let response = try #require(
            await result { connection in
                connection.readRequest()
                connection.send("HTTP/1.1 \(status)\r\nX-A: b\r\n\r\n")
                connection.waitForClose()
            }.response)
        #expect(status.hasPrefix(String(response.status)))
        #expect(response.body.isEmpty)
    }

    @Test func `does not follow a redirect`() async throws {
        try await withServer { connection in
            while connection.readRequest() != nil {
                connection.respond("moved", status: "302 Found", headers: ["Location: /other"])
            }
        } test: { server, client in
            let response = await client.perform(HTTPRequest(url: server.url)).response
            #expect(response?.status == 302)
            #expect(response?.headers["location"] == "/other")
            #expect(response?.text == "moved")
            #expect(server.requests.count == 1)
        }
    }

    @Test func `joins chunks and drops trailers and interim responses`() async throws {
        let response = try #require(
            await result { connection in
                connection.readRequest()
                connection.send("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n")
                connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                connection.send("3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n")
                connection.waitForClose()
            }.response)
        #expect(response.status == 200)
        #expect(response.text == "abcde")
        #expect(response.headers.count == 1)
    }

    @Test func `understands HTTP 1 0 that ends with the connection`() async throws {
        let response = try #require(
            await result { connection in
                connection.readRequest()
                connection.send("HTTP/1.0 401 Unauthorized\r\nConnection: close\r\n\r\n{\"e\":1}")
            }.response)
        #expect(response.status == 401)
        #expect(response.text == "{\"e\":1}")
    }

    @Test func `unpacks gzip`() async throws {
        let packed = Gzip.stored(Array("hello".utf8))
        let response = try #require(
            await result { connection in
                connection.readRequest()
                connection.respond(packed, headers: ["Content-Encoding: gzip"])
            }.response)
        #expect(response.text == "hello")
    }

    @Test func `keeps no cookie`() async throws {
        try await withServer { connection in
            while connection.readRequest() != nil {
                connection.respond(headers: ["Set-Cookie: a=b; Path=/", "Set-Cookie: c=d"])
            }
        } test: { server, client in
            for _ in 0..<2 {
                let response = await client.perform(HTTPRequest(url: server.url)).response
                #expect(response?.headers.values(of: "set-cookie").count == 2)
            }
            #expect(server.requests.allSatisfy { $0.values("cookie").isEmpty })
        }
    }
}
