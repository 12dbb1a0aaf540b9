@testable import Sandbox

/// Replays a recording of SuiteCRM against a fresh machine.
///
/// Ids the recording made up are learned from the answers, and later requests carry those of the
/// machine instead.
struct SuiteCRMReplay {
    private let recording: Recording
    private var machine: SuiteCRMSandbox
    private var token = ""
    private var ids: [String: String] = [:]
    private var report: ReplayReport

    private static let headers = [
        "Content-Type", "Cache-Control", "Accept", "Allow", "X-Content-Type-Options",
        "Access-Control-Allow-Origin",
    ]
    private static let volatile: Set<String> = [
        "id", "date_entered", "date_modified", "date_created", "access_token", "related", "self",
        "message", "detail", "sourceId", "relatedId", "account_id",
    ]

    init(_ name: String) throws {
        recording = try Recording(system: "suitecrm", name: name)
        report = ReplayReport(recording: name)
        machine = SuiteCRMSandbox(seed: 7, settings: Self.settings(recording))
    }

    /// The client that the recording itself shows.
    private static func settings(_ recording: Recording) -> SuiteCRMSandbox.Settings {
        var settings = SuiteCRMSandbox.Settings()
        for exchange in recording.exchanges where exchange.response.status == 200 {
            let form = Parameters(String(decoding: exchange.request.body, as: UTF8.self))
            if form["grant_type"] == "client_credentials", let id = form["client_id"],
                let secret = form["client_secret"]
            {
                settings.clientID = id
                settings.clientSecret = secret
            }
        }
        return settings
    }

    mutating func run() -> ReplayReport {
        let answer = machine.respond(
            to: SandboxRequest(
                method: "POST", target: "/Api/access_token",
                json: [
                    "grant_type": "client_credentials",
                    "client_id": .string(machine.settings.clientID),
                    "client_secret": .string(machine.settings.clientSecret),
                ]),
            now: SandboxTime(2100, 1, 1))
        token = answer.json?["access_token"]?.string ?? ""
        seedSightings()
        for exchange in recording.exchanges {
            if let reason = reasonToSkip(exchange) {
                report.skip(reason)
                continue
            }
            play(exchange)
        }
        return report
    }

    /// Why an exchange cannot be played; nil where it can.
    private func reasonToSkip(_ exchange: Exchange) -> String? {
        let request = exchange.request
        let path = request.segments
        guard path.first == "Api" else { return "pages, hooks and the legacy API" }
        if path == ["Api", "access_token"] {
            let grant = Parameters(String(decoding: request.body, as: UTF8.self))["grant_type"]
            let isPerson = grant == "password" || grant == "refresh_token"
            let isOfClient = exchange.comment.contains("client_credentials-type")
            if isPerson, !isOfClient { return "grants of a person" }
            if exchange.comment.contains("password-type") { return "grants of a person" }
            return nil
        }
        if path.contains("index.php") { return "an installation with other settings" }
        if path == ["Api", "V8", "nosuch"] { return nil }
        guard path.count > 2, path[2] == "module" else {
            return "calls the sandbox does not have"
        }
        if exchange.comment.contains("invalid UTF-8") { return "requests not kept as bytes" }
        if request.method == "OPTIONS" { return "other methods" }
        if recording.name.hasPrefix("13-acl") { return "users with other rights" }
        if path.count > 3, !Self.modules.contains(path[3]), exchange.response.status != 401,
            !Self.wrongModules.contains(path[3])
        {
            return "modules the sandbox does not have"
        }
        if path.count > 6, !Self.links.contains(where: path[6].hasPrefix) {
            return "relationships the sandbox does not have"
        }
        let type = SandboxJSON(parsing: request.body)?["data"]?["type"]?.string
        if let type, !Self.modules.contains(type), type != "NoSuch" {
            return "modules the sandbox does not have"
        }
        if type == nil, path.count == 3, recording.name.contains("campaigns"),
            request.method != "PUT"
        {
            return "modules the sandbox does not have"
        }
        if exchange.response.status == 401, !recording.name.hasPrefix("01") {
            return "tokens of another day"
        }
        if ["revoked", "logout", "jti", "old access token", "expired in the DB"].contains(
            where: exchange.comment.contains)
        {
            return "tokens of another day"
        }
        return nil
    }

    private static let modules = Set(
        SuiteCRMModule.allCases.flatMap { [$0.rawValue, $0.singular] })
    private static let links = [
        "email_addresses", "accounts", "contacts", "opportunities", "nosuch",
    ]
    private static let wrongModules: Set<String> = ["NoSuch", "contacts", "CONTACTS"]

    private mutating func play(_ exchange: Exchange) {
        var request = exchange.request
        if exchange.response.status != 401 {
            request.headers.removeAll { $0.name.lowercased() == "authorization" }
            if !request.path.hasSuffix("access_token") || request.body.isEmpty {
                request.headers.append(SandboxHeader("Authorization", "Bearer \(token)"))
            } else if let basic = exchange.request.header("Authorization") {
                request.headers.append(SandboxHeader("Authorization", basic))
            }
        }
        guessAddress(of: request)
        request.target = mapped(request.target)
        if let body = String(validating: request.body, as: UTF8.self) {
            request.body = Array(mapped(body).utf8)
        }
        let answer = machine.respond(to: request, now: exchange.time)
        if let a = exchange.response.json, let b = answer.json { learn(a, b) }
        let isList = request.method == "GET" && request.segments.count == 4
        let comparison = Comparison(comparesValues: !isList, volatile: Self.volatile)
        report.check(exchange, answer, headers: Self.headers, comparison)
        checkText(exchange, answer)
    }

    /// The words of an error must be the same, but for its ids.
    private mutating func checkText(_ exchange: Exchange, _ answer: SandboxResponse) {
        let words = exchange.response.json?["errors"]?["detail"]?.string.map(mapped)
        let ours = answer.json?["errors"]?["detail"]?.string
        guard words != ours, let words, let ours else { return }
        report.differences.append(
            Difference(
                recording: recording.name, index: exchange.index, path: "words",
                recorded: words, emulated: ours))
    }

    /// Some recordings took an address's id from the database: it can only be the one address
    /// of the recording's contacts that no other id stands for yet.
    private mutating func guessAddress(of request: SandboxRequest) {
        let data = SandboxJSON(parsing: request.body)?["data"]
        let path = request.segments
        let isPatch = request.method == "PATCH" && data?["type"] == "EmailAddresses"
        let isUnlink = request.method == "DELETE" && path.count == 8
        guard isPatch || isUnlink, let id = isPatch ? data?["id"]?.string : path.last,
            ids[id] == nil
        else { return }
        let taken = Set(ids.values)
        let held = machine.links.filter { taken.contains($0.holderID) }.map(\.addressID)
        let free = Set(held).subtracting(taken)
        if free.count == 1 { ids[id] = free.first }
    }

    private func mapped(_ text: String) -> String {
        guard text.contains("-") else { return text }
        return text.replacing(
            /[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}/
        ) { ids[String($0.output)] ?? String($0.output) }
    }

    /// Learns which id of the machine stands for which of the recording.
    private mutating func learn(_ recorded: SandboxJSON, _ emulated: SandboxJSON) {
        switch (recorded, emulated) {
        case (.object(let left), .object):
            for member in left {
                guard let other = emulated[member.name] else { continue }
                if member.name == "id", let a = member.value.string, let b = other.string {
                    if ids[a] == nil { ids[a] = b }
                } else {
                    learn(member.value, other)
                }
            }
        case (.array(let left), .array(let right)) where left.count == right.count:
            for (a, b) in zip(left, right) { learn(a, b) }
        default: break
        }
    }
}

extension SuiteCRMReplay {
    /// Puts the records there that lists and reads of a recording show before it made any.
    private mutating func seedSightings() {
        var made: Set<String> = []
        for exchange in recording.exchanges where reasonToSkip(exchange) == nil {
            guard let data = exchange.response.json?["data"] else { continue }
            let records = data.elements ?? [data]
            for json in records {
                guard let id = json["id"]?.string, let type = json["type"]?.string,
                    let module = SuiteCRMModule(named: type)
                else { continue }
                if exchange.request.method == "POST" { made.insert(id) }
                guard !made.contains(id), !exchange.request.path.contains("relationships"),
                    exchange.request.method == "GET", machine.record(module, id) == nil
                else { continue }
                seed(json, id, module)
            }
        }
    }

    private mutating func seed(_ json: SandboxJSON, _ id: String, _ module: SuiteCRMModule) {
        var record = SuiteCRMRecord(id: id, values: [:])
        for field in module.fields where field.isColumn {
            let text = json["attributes"]?[field.name]?.string ?? field.initial
            record[field.name] = text.map(decodedEntities)
            if field.kind == .dateTime, let time = text.flatMap(SandboxTime.init(parsing:)) {
                record[field.name] = time.sql
            }
        }
        machine.store(record, in: module)
        if module == .contacts || module == .opportunities { seedAccount(of: json, id, module) }
        guard module.hasAddresses, let email = json["attributes"]?["email1"]?.string,
            !email.isEmpty
        else { return }
        let address = machine.addressID(for: email, now: SandboxTime(2026, 1, 1))
        machine.links.append(SuiteCRMLink(holderID: id, addressID: address, isPrimary: true))
    }

    /// The account a sighted record shows, with its name, where no answer has shown it yet.
    private mutating func seedAccount(
        of json: SandboxJSON, _ id: String, _ module: SuiteCRMModule
    ) {
        guard let account = json["attributes"]?["account_id"]?.string, !account.isEmpty else {
            return
        }
        if machine.record(.accounts, account) == nil {
            let name = json["attributes"]?["account_name"]?.string.map(decodedEntities)
            machine.store(
                SuiteCRMRecord(id: account, values: ["name": name ?? ""]), in: .accounts)
        }
        machine.tie(module, id, "accounts", to: account)
    }
}
