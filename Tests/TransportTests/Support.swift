import Foundation
import Synchronization
import Testing

@testable import Transport

/// Runs a test with a server and a client, and ends both before it returns.
func withServer(
    _ configuration: HTTPClient.Configuration = .patient(),
    script: @escaping ScriptedServer.Script,
    test: (ScriptedServer, HTTPClient) async throws -> Void
) async throws {
    let server = try ScriptedServer(script)
    let client = HTTPClient(configuration)
    let outcome: Result<Void, any Error>
    do {
        try await test(server, client)
        outcome = .success(())
    } catch {
        outcome = .failure(error)
    }
    await client.shutdown()
    await server.stop()
    try outcome.get()
}

/// Sends one GET to a server that does as the script says.
func result(
    limits: HTTPLimits = HTTPLimits(), script: @escaping ScriptedServer.Script
) async throws -> HTTPResult {
    var result: HTTPResult?
    try await withServer(script: script) { server, client in
        result = await client.perform(HTTPRequest(url: server.url), limits: limits)
    }
    return try #require(result)
}

extension HTTPClient.Configuration {
    /// Keeps connections however slow the machine is that runs the tests.
    static func patient(maximumConnectionsPerHost: Int = 8) -> Self {
        Self(
            maximumConnectionsPerHost: maximumConnectionsPerHost,
            idleLifetimeForReads: .seconds(600), idleLifetimeForWrites: .seconds(600))
    }
}

extension HTTPLimits {
    static let shortTotal = HTTPLimits(totalTimeout: .milliseconds(200))
    /// For a request that is to hang until the test ends it, however slow the machine is.
    static let patient = HTTPLimits(
        connectTimeout: .seconds(600), totalTimeout: .seconds(600), stallTimeout: .seconds(600))
}

extension HTTPResponse {
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// Lets threads go on only when all of them have come so far.
final class Barrier: @unchecked Sendable {
    // Sendable because `missing` is touched under the condition's lock alone.
    private let condition = NSCondition()
    private var missing: Int

    init(_ count: Int) {
        missing = count
    }

    func arriveAndWait() {
        condition.lock()
        defer { condition.unlock() }
        missing -= 1
        if missing == 0 { condition.broadcast() }
        while missing > 0 { condition.wait() }
    }
}

/// Keeps starting a process and accepting a connection apart.
///
/// A child that is started before a new connection is marked as not to be inherited would hold it
/// open for as long as it runs, and the client would wait for its end.
enum ChildProcesses {
    static let lock = Mutex(())
}
