import Testing

@testable import Transport

@Suite struct `The limits of a response` {
    private static let limits = HTTPLimits(
        maximumBodySize: 1000, maximumHeaderSize: 2000, maximumHeaderCount: 20)

    private func expect(
        _ kind: HTTPFailure.Kind, limits: HTTPLimits = Self.limits,
        sourceLocation: SourceLocation = #_sourceLocation,
        script: @escaping ScriptedServer.Script
    ) async throws {
        let result = try await result(limits: limits) { connection in
            connection.readRequest()
            script(connection)
            connection.waitForClose()
        }
        #expect(result.failure?.kind == kind, sourceLocation: sourceLocation)
        #expect(result.failure?.reachedRemote == .maybe, sourceLocation: sourceLocation)
    }

    @Test func `accept a body of exactly the size`() async throws {
        let body = [UInt8](repeating: 7, count: 1000)
        let result = try await result(limits: Self.limits) { connection in
            connection.readRequest()
            connection.respond(body)
        }
        #expect(result.response?.body == body)
    }

    @Test func `refuse a body of one byte more`() async throws {
        try await expect(.bodyTooLarge) { $0.respond([UInt8](repeating: 7, count: 1001)) }
    }

    @Test func `refuse a body that never ends`() async throws {
        try await expect(.bodyTooLarge) { connection in
            connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            for _ in 0..<100 { connection.send([UInt8](repeating: 7, count: 100)) }
        }
    }

    @Test func `refuse a small body that unpacks to a large one`() async throws {
        let bomb = Gzip.bomb(count: 64 << 20)
        #expect(bomb.count < 1 << 20)
        try await expect(.bodyTooLarge, limits: HTTPLimits(maximumBodySize: 1 << 20)) {
            $0.respond(bomb, headers: ["Content-Encoding: gzip"])
        }
    }

    @Test func `refuse one header that is too long`() async throws {
        let long = String(repeating: "a", count: 2000)
        try await expect(.headersTooLarge) { $0.respond(headers: ["X-A: \(long)"]) }
    }

    @Test func `refuse headers that are too many`() async throws {
        let many = (0..<20).map { "X-\($0): a" }
        try await expect(.headersTooLarge) { $0.respond(headers: many) }
    }

    @Test func `refuse a header line that never ends`() async throws {
        let limits = HTTPLimits(maximumHeaderSize: 10 << 20)
        try await expect(.headersTooLarge, limits: limits) { connection in
            connection.send("HTTP/1.1 200 OK\r\nX-A: ")
            connection.send([UInt8](repeating: 0x61, count: 1 << 20))
        }
    }

    @Test func `refuse interim responses without end`() async throws {
        try await expect(.headersTooLarge) { connection in
            for _ in 0..<30 { connection.send("HTTP/1.1 100 Continue\r\n\r\n") }
        }
    }

    @Test func `refuse trailers without end`() async throws {
        try await expect(.headersTooLarge) { connection in
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
            for index in 0..<30 { connection.send("X-\(index): a\r\n") }
        }
    }
}
