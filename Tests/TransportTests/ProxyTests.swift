import Foundation
import Glibc
import Testing

@testable import Transport

/// The environment belongs to the whole process, so each of these runs in one of its own.
@Suite struct `A proxy of the environment` {
    @Test func `is ignored unless the client asks for it`() async {
        await #expect(processExitsWith: .success) {
            let proxy = try ScriptedServer { $0.readRequest() }
            setenv("http_proxy", proxy.url, 1)
            setenv("all_proxy", proxy.url, 1)
            let request = HTTPRequest(url: "http://nobody.invalid/", allowsClearText: true)
            let failure = await HTTPClient().perform(request).failure
            try #require(failure?.kind == .nameNotResolved)
            try #require(proxy.connections == 0)
        }
    }

    @Test func `is used where the client asks for it, but not for loopback`() async {
        await #expect(processExitsWith: .success) {
            let proxy = try ScriptedServer { connection in
                connection.readRequest()
                connection.respond("by proxy")
            }
            let server = try ScriptedServer { connection in
                connection.readRequest()
                connection.respond("direct")
            }
            setenv("http_proxy", proxy.url, 1)
            let client = HTTPClient(.init(proxy: .fromEnvironment))
            let far = HTTPRequest(url: "http://nobody.invalid/", allowsClearText: true)
            try #require(await client.perform(far).response?.text == "by proxy")
            try #require(proxy.requests.map(\.line) == ["GET http://nobody.invalid/ HTTP/1.1"])
            let near = HTTPRequest(url: server.url)
            try #require(await client.perform(near).response?.text == "direct")
        }
    }
}
