import Foundation
import FoundationNetworking
import Sandbox
import SandboxServer
import Testing

@Suite(.serialized) struct `The sandbox on sockets` {
    private let server = SandboxServer(world: SandboxWorld(seed: 1)) {
        SandboxTime(2026, 11, 23, 12, 0, 0)
    }

    private func token(_ ports: SandboxServer.Ports) async throws -> String {
        let (status, json) = try await send(
            "POST", ports.url(of: .mautic) + "/oauth/v2/token",
            [
                "grant_type": "client_credentials", "client_id": "1_sandbox",
                "client_secret": "sandbox-secret",
            ])
        #expect(status == 200)
        return json?["access_token"]?.string ?? ""
    }

    private func send(
        _ method: String, _ url: String, _ json: SandboxJSON? = nil, token: String? = nil
    ) async throws -> (Int, SandboxJSON?) {
        var request = URLRequest(url: try #require(URL(string: url)))
        request.httpMethod = method
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        request.httpBody = json.map { Data($0.text().utf8) }
        let (data, response) = try await URLSession(configuration: .ephemeral).data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        return (status, SandboxJSON(parsing: Array(data)))
    }

    @Test func `answers as the machine does, and counts`() async throws {
        try await server.run { ports in
            let token = try await token(ports)
            let base = ports.url(of: .mautic)
            let (status, made) = try await send(
                "POST", base + "/api/contacts/new", ["email": "a@example.com"], token: token)
            #expect(status == 201)
            #expect(made?["contact"]?["id"] == 1)
            let (read, _) = try await send("GET", base + "/api/contacts/1", token: token)
            #expect(read == 200)
            let (refused, _) = try await send("GET", ports.url(of: .compass) + "/contacts")
            #expect(refused == 401)
            let (denied, _) = try await send(
                "GET", ports.url(of: .suitecrm) + "/Api/V8/module/Contacts")
            #expect(denied == 401)
        }
        let world = server.withWorld { $0 }
        #expect(world.mautic.rows.map(\.person.email) == ["a@example.com"])
        #expect(world.callCount() == 5)
        let shapes = Set(world.calls.keys.map(\.description))
        #expect(shapes.contains("mautic GET /api/contacts/{id}"))
    }

    @Test func `answers for accounts too`() async throws {
        try await server.run { ports in
            let token = try await token(ports)
            let base = ports.url(of: .mautic)
            let (status, made) = try await send(
                "POST", base + "/api/companies/new", ["companyname": "Acme"], token: token)
            #expect(status == 201)
            #expect(made?["company"]?["id"] == 1)
            let (linked, _) = try await send(
                "POST", base + "/api/companies/1/contact/9/add", token: token)
            #expect(linked == 404)
        }
        let world = server.withWorld { $0 }
        #expect(world.mautic.accountRows.map(\.account.name) == ["Acme"])
        let shapes = Set(world.calls.keys.map(\.description))
        #expect(shapes.contains("mautic POST /api/companies/{id}/contact/{id}/add"))
    }

    @Test func `drops a connection before or after the effect`() async throws {
        server.withWorld {
            $0.faults = [
                SandboxFault(.dropBeforeEffect, method: "POST", shape: "/api/contacts/new"),
                SandboxFault(.dropAfterEffect, method: "POST", shape: "/api/contacts/new"),
            ]
        }
        try await server.run { ports in
            let token = try await token(ports)
            let url = ports.url(of: .mautic) + "/api/contacts/new"
            for expected in [0, 1] {
                await #expect(throws: (any Error).self) {
                    _ = try await send("POST", url, ["firstname": "Zoë"], token: token)
                }
                #expect(server.withWorld { $0.mautic.rows.count } == expected)
            }
            let (status, _) = try await send("POST", url, ["firstname": "Zoë"], token: token)
            #expect(status == 201)
        }
    }

    @Test func `answers otherwise on request`() async throws {
        server.withWorld {
            $0.faults = [SandboxFault(.status(503, retryAfter: 7), system: .mautic, times: 2)]
        }
        try await server.run { ports in
            let url = ports.url(of: .mautic) + "/api/contacts"
            var statuses: [Int] = []
            for _ in 0..<3 { statuses.append(try await send("GET", url).0) }
            #expect(statuses == [503, 503, 401])
        }
    }
}
