import Sandbox

/// A fixed moment, so that tests read like the recordings.
let noon = SandboxTime(2026, 11, 23, 12, 0, 0)

/// Talks to a machine with its token, a second later each call.
struct Client<Machine: SandboxMachine> {
    var machine: Machine
    var now = noon
    var authorization: [SandboxHeader] = []

    init(_ machine: Machine) { self.machine = machine }

    /// Sends one call with the token.
    mutating func call(
        _ method: String, _ target: String, _ json: SandboxJSON? = nil,
        type: String = "application/json", headers: [SandboxHeader] = []
    ) -> SandboxResponse {
        now = now.adding(seconds: 1)
        var request = SandboxRequest(
            method: method, target: target, headers: authorization + headers)
        if let json {
            request = SandboxRequest(
                method: method, target: target, headers: authorization + headers, json: json,
                type: type)
        }
        return machine.respond(to: request, now: now)
    }
}

extension Client where Machine == MauticSandbox {
    /// A fresh Mautic and a token for it.
    static func mautic(_ settings: MauticSandbox.Settings = .init()) -> Self {
        var client = Client(MauticSandbox(seed: 1, settings: settings))
        let known = settings.clients[0]
        let answer = client.call(
            "POST", "/oauth/v2/token",
            [
                "grant_type": "client_credentials", "client_id": .string(known.id),
                "client_secret": .string(known.secret),
            ])
        let token = answer.json?["access_token"]?.string ?? ""
        client.authorization = [SandboxHeader("Authorization", "Bearer \(token)")]
        return client
    }

    /// Creates a contact and returns its id.
    mutating func create(_ json: SandboxJSON) -> Int {
        call("POST", "/api/contacts/new", json).json?["contact"]?["id"]?.int ?? 0
    }

    /// The flat values of a contact.
    mutating func values(_ id: Int) -> SandboxJSON {
        call("GET", "/api/contacts/\(id)").json?["contact"]?["fields"]?["all"] ?? .null
    }
}

extension Client where Machine == SuiteCRMSandbox {
    /// A fresh SuiteCRM and a token for it.
    static func suiteCRM() -> Self {
        var client = Client(SuiteCRMSandbox(seed: 1))
        let settings = client.machine.settings
        let answer = client.call(
            "POST", "/Api/access_token",
            [
                "grant_type": "client_credentials", "client_id": .string(settings.clientID),
                "client_secret": .string(settings.clientSecret),
            ])
        let token = answer.json?["access_token"]?.string ?? ""
        client.authorization = [
            SandboxHeader("Authorization", "Bearer \(token)"),
            SandboxHeader("Accept", "application/vnd.api+json"),
        ]
        return client
    }

    /// Creates a record, a contact unless told, and returns its id.
    mutating func create(_ attributes: SandboxJSON, in module: String = "Contacts") -> String {
        write("POST", module, nil, attributes).json?["data"]?["id"]?.string ?? ""
    }

    mutating func write(
        _ method: String, _ module: String, _ id: String?, _ attributes: SandboxJSON
    ) -> SandboxResponse {
        var data: [SandboxJSON.Member] = [.init("type", .string(module))]
        if let id { data.append(.init("id", .string(id))) }
        data.append(.init("attributes", attributes))
        return call(
            method, "/Api/V8/module", ["data": .object(data)], type: "application/vnd.api+json")
    }

    /// The attributes of a record.
    mutating func attributes(_ id: String, in module: String = "Contacts") -> SandboxJSON {
        call("GET", "/Api/V8/module/\(module)/\(id)").json?["data"]?["attributes"] ?? .null
    }
}

extension Client where Machine == CompassSandbox {
    /// A fresh Compass and its key.
    static func compass() -> Self {
        var client = Client(CompassSandbox(seed: 1))
        let key = client.machine.settings.serviceKey
        client.authorization = [
            SandboxHeader("apikey", key), SandboxHeader("Authorization", "Bearer \(key)"),
        ]
        return client
    }
}
