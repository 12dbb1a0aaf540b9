import Testing

@testable import Transport

@Suite struct `Kept connections` {
    @Test func `carry one request after another`() async throws {
        try await withServer { connection in
            while connection.readRequest() != nil { connection.respond() }
        } test: { server, client in
            var reused: [Bool?] = []
            for _ in 0..<5 {
                let response = await client.perform(HTTPRequest(url: server.url)).response
                reused.append(response?.timings.reusedConnection)
            }
            #expect(reused == [false, true, true, true, true])
            #expect(server.connections == 1)
        }
    }

    @Test func `are not used again when the server has said close`() async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.respond(headers: ["Connection: close"])
        } test: { server, client in
            for _ in 0..<3 {
                #expect(await client.perform(HTTPRequest(url: server.url)).response != nil)
            }
            #expect(server.connections == 3)
        }
    }

    @Test func `that the server has closed meanwhile are replaced before anything is sent`()
        async throws
    {
        try await withServer { connection in
            connection.readRequest()
            connection.respond("\(connection.index)")
        } test: { server, client in
            var endings = server.endings.makeAsyncIterator()
            for index in 1...3 {
                let request = HTTPRequest(method: .post, url: server.url, body: [1])
                #expect(await client.perform(request).response?.text == "\(index)")
                _ = await endings.next()
            }
            #expect(server.requests.count == 3)
        }
    }

    @Test(arguments: [HTTPMethod.get, .head, .post, .patch, .delete])
    func `that die while a request is on them do not carry it twice`(method: HTTPMethod)
        async throws
    {
        let server = try ScriptedServer { connection in
            connection.readRequest()
            connection.respond()
            connection.readRequest()
        }
        let client = HTTPClient(.patient())
        #expect(await client.perform(HTTPRequest(url: server.url)).response != nil)
        let request = HTTPRequest(method: method, url: server.url + "/second")
        let failure = try #require(await client.perform(request).failure)
        #expect(failure.kind == .connectionLost)
        #expect(failure.reachedRemote == .maybe)
        await client.shutdown()
        await server.stop()
        #expect(server.requests.count == 2)
        #expect(server.connections == 1)
    }

    @Test func `that die under a request do not pass it on to another kept one`() async throws {
        let bothAreOpen = Barrier(2)
        let server = try ScriptedServer { connection in
            connection.readRequest()
            bothAreOpen.arriveAndWait()
            connection.respond()
            while connection.readRequest()?.line.contains("second") == false {
                connection.respond()
            }
        }
        let client = HTTPClient(.patient())
        async let one = client.perform(HTTPRequest(url: server.url + "/a"))
        async let other = client.perform(HTTPRequest(url: server.url + "/b"))
        #expect(await (one.response?.status, other.response?.status) == (200, 200))
        let second = HTTPRequest(method: .post, url: server.url + "/second", body: [1, 2, 3])
        let failure = try #require(await client.perform(second).failure)
        #expect(failure.reachedRemote == .maybe)
        await client.shutdown()
        await server.stop()
        #expect(server.connections == 2)
        #expect(server.requests.filter { $0.line.contains("second") }.count == 1)
    }

    @Test func `are at most as many to one host as the client allows`() async throws {
        try await withServer(.patient(maximumConnectionsPerHost: 3)) { connection in
            while connection.readRequest() != nil { connection.respond() }
        } test: { server, client in
            await withTaskGroup(of: HTTPResult.self) { group in
                for index in 0..<40 {
                    group.addTask {
                        await client.perform(HTTPRequest(url: "\(server.url)/\(index)"))
                    }
                }
                for await result in group { #expect(result.response?.status == 200) }
            }
            #expect(server.connections <= 3)
            #expect(Set(server.requests.map(\.line)).count == 40)
        }
    }

    @Test func `may be waited for longer than a connection may take`() async throws {
        try await withServer(.patient(maximumConnectionsPerHost: 1)) { connection in
            guard connection.readRequest()?.line == "GET /wait HTTP/1.1" else {
                return connection.respond()
            }
            connection.waitForClose()
        } test: { server, client in
            let first = client.start(
                HTTPRequest(url: server.url + "/wait"), limits: .patient
            ) { _ in }
            for await _ in server.arrivals { break }
            var limits = HTTPLimits.patient
            limits.connectTimeout = .seconds(1)
            async let second = client.perform(HTTPRequest(url: server.url), limits: limits)
            var longer = HTTPLimits.patient
            longer.totalTimeout = .milliseconds(1_500)
            let clock = await client.perform(HTTPRequest(url: server.url), limits: longer)
            #expect(clock.failure?.kind == .totalTimeout)
            first.cancel()
            #expect(await second.response?.status == 200)
        }
    }
}
