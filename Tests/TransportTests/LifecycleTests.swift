import Synchronization
import Testing

@testable import Transport

@Suite struct `Cancelling` {
    @Test func `a task ends its transfer and closes the connection`() async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.waitForClose()
        } test: { server, client in
            let task = Task {
                await client.perform(HTTPRequest(method: .post, url: server.url), limits: .patient)
            }
            for await _ in server.arrivals { break }
            task.cancel()
            let failure = await task.value.failure
            #expect(failure?.kind == .cancelled)
            #expect(failure?.reachedRemote == .maybe)
        }
    }

    @Test func `before the start sends nothing`() async throws {
        try await withServer(.init(maximumConnectionsPerHost: 1)) { connection in
            connection.readRequest()
            connection.waitForClose()
        } test: { server, client in
            let first = client.start(HTTPRequest(url: server.url)) { _ in }
            for await _ in server.arrivals { break }
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return await client.perform(HTTPRequest(method: .post, url: server.url))
            }
            let failure = await task.value.failure
            #expect(failure?.kind == .cancelled)
            #expect(failure?.reachedRemote == .no)
            #expect(server.requests.count == 1)
            first.cancel()
        }
    }

    @Test func `a handle completes once, however often and late it is cancelled`() async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.waitForClose()
        } test: { server, client in
            let (results, completion) = AsyncStream<HTTPResult>.makeStream()
            let handle = client.start(HTTPRequest(url: server.url)) { completion.yield($0) }
            handle.cancel()
            handle.cancel()
            for await result in results {
                #expect(result.failure?.kind == .cancelled)
                break
            }
            handle.cancel()
            await client.shutdown()
            handle.cancel()
            completion.finish()
            #expect(await results.first { _ in true } == nil)
        }
    }

    @Test(arguments: 0..<50)
    func `at any moment gives exactly one result`(seed: Int) async throws {
        try await withServer { connection in
            while connection.readRequest() != nil { connection.respond("done") }
        } test: { server, client in
            let task = Task { await client.perform(HTTPRequest(url: server.url)) }
            for _ in 0..<(seed * 10) { await Task.yield() }
            task.cancel()
            let result = await task.value
            #expect(result.response?.text == "done" || result.failure?.kind == .cancelled)
        }
    }
}

@Suite struct `A client` {
    @Test func `runs 200 requests at once, each with its own answer`() async throws {
        try await withServer(.init(maximumConnectionsPerHost: 50)) { connection in
            while let request = connection.readRequest() { connection.respond(request.body) }
        } test: { server, client in
            await withTaskGroup(of: Bool.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        let request = HTTPRequest(
                            method: .post, url: server.url, body: Array("\(index)".utf8))
                        return await client.perform(request).response?.text == "\(index)"
                    }
                }
                for await isRight in group { #expect(isRight) }
            }
            #expect(server.requests.count == 200)
            #expect(server.connections <= 50)
        }
    }

    @Test func `completes everything outstanding as cancelled when it is shut down`()
        async throws
    {
        try await withServer { connection in
            connection.readRequest()
            connection.waitForClose()
        } test: { server, client in
            let kinds = Mutex<[HTTPFailure.Kind?]>([])
            for _ in 0..<100 {
                client.start(HTTPRequest(url: server.url), limits: .patient) { result in
                    kinds.withLock { $0.append(result.failure?.kind) }
                }
            }
            for await _ in server.arrivals { break }
            await client.shutdown()
            #expect(kinds.withLock(\.self) == Array(repeating: .cancelled, count: 100))
        }
    }

    @Test func `refuses what is started after its shutdown`() async {
        let client = HTTPClient()
        await client.shutdown()
        await client.shutdown()
        let failure = await client.perform(HTTPRequest(url: "http://127.0.0.1/")).failure
        #expect(failure?.kind == .cancelled)
        #expect(failure?.reachedRemote == .no)
        #expect(
            await client.perform(HTTPRequest(url: "ftp://127.0.0.1/")).failure?.kind
                == .invalidRequest)
    }

    @Test func `that is let go cancels what is outstanding`() async throws {
        let server = try ScriptedServer { connection in
            connection.readRequest()
            connection.waitForClose()
        }
        let (results, completion) = AsyncStream<HTTPResult>.makeStream()
        var client: HTTPClient? = HTTPClient()
        client?.start(HTTPRequest(url: server.url), limits: .patient) { completion.yield($0) }
        for await _ in server.arrivals { break }
        client = nil
        let result = await results.first { _ in true }
        #expect(result?.failure?.kind == .cancelled)
        await server.stop()
    }

    @Test func `takes the next request from within a completion`() async throws {
        try await withServer { connection in
            while connection.readRequest() != nil { connection.respond() }
        } test: { server, client in
            let result = await withCheckedContinuation { continuation in
                client.start(HTTPRequest(url: server.url + "/1")) { _ in
                    client.start(HTTPRequest(url: server.url + "/2")) {
                        continuation.resume(returning: $0)
                    }
                }
            }
            #expect(result.response?.timings.reusedConnection == true)
            #expect(server.requests.map(\.line) == ["GET /1 HTTP/1.1", "GET /2 HTTP/1.1"])
        }
    }

    @Test func `that is shut down at once ends at once`() async {
        for _ in 0..<50 { await HTTPClient().shutdown() }
    }
}
