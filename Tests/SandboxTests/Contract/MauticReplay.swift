@testable import Sandbox

/// Replays a recording of Mautic against a fresh machine.
struct MauticReplay {
    private let recording: Recording
    private var machine: MauticSandbox
    private var token = ""
    private var report: ReplayReport

    private static let headers = [
        "Content-Type", "Cache-Control", "Mautic-Version", "Location", "Vary",
    ]
    private static let volatile: Set<String> = [
        "dateAdded", "dateModified", "dateIdentified", "access_token", "date_added", "total",
        "id", "lastActive",
    ]

    init(_ name: String) throws {
        recording = try Recording(system: "mautic", name: name)
        report = ReplayReport(recording: name)
        machine = MauticSandbox(seed: 7, settings: Self.settings(recording))
    }

    /// The client and the password that the recording itself shows.
    private static func settings(_ recording: Recording) -> MauticSandbox.Settings {
        var settings = MauticSandbox.Settings()
        for exchange in recording.exchanges {
            let request = exchange.request
            let form = Parameters(String(decoding: request.body, as: UTF8.self))
            if exchange.response.status == 200, let id = form["client_id"],
                let secret = form["client_secret"]
            {
                settings.clients = [.init(id: id, secret: secret)]
            }
            if exchange.response.status == 200, let basic = request.basicCredentials,
                basic.name == settings.adminName
            {
                settings.adminPassword = basic.password
            }
        }
        let viewer = MauticSandbox.Client(id: "viewer", secret: "viewer", mayWrite: false)
        settings.clients.append(viewer)
        return settings
    }

    /// Plays every exchange that can be played, in order.
    mutating func run() -> ReplayReport {
        token = newToken(of: machine.settings.clients[0])
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

    private mutating func newToken(of client: MauticSandbox.Client) -> String {
        let answer = machine.respond(
            to: SandboxRequest(
                method: "POST", target: "/oauth/v2/token",
                json: [
                    "grant_type": "client_credentials", "client_id": .string(client.id),
                    "client_secret": .string(client.secret),
                ]),
            now: SandboxTime(2100, 1, 1))
        return answer.json?["access_token"]?.string ?? ""
    }

    /// Why an exchange cannot be played; nil where it can.
    private func reasonToSkip(_ exchange: Exchange) -> String? {
        let request = exchange.request
        let path = request.segments
        if path.first == "oauth" {
            guard request.path == "/oauth/v2/token" else { return "pages of a browser" }
            let form = Parameters(String(decoding: request.body, as: UTF8.self))
            let grant = form["grant_type"]
            let isOther = grant == "authorization_code" || grant == "refresh_token"
            let needsBrowser =
                exchange.response.status == 200 || exchange.comment.contains("redirect_uri")
                || exchange.response.text.contains("has expired")
            if isOther, needsBrowser { return "grants of a browser" }
            if exchange.response.status == 403 { return "settings of the whole program" }
            return nil
        }
        guard path.first == "api" else { return "pages of a browser" }
        if exchange.comment.contains("disabled") { return "settings of the whole program" }
        if exchange.response.status == 429 || exchange.response.header("X-RateLimit-Limit") != nil {
            return "settings of the whole program"
        }
        if ["HEAD", "OPTIONS"].contains(request.method) { return "other methods" }
        if exchange.comment.contains("expired") { return "a token of another day" }
        if exchange.comment.contains("request body cut") { return "request cut in the recording" }
        if path.starts(with: ["api", "contacts"]) {
            let others = [
                "utm", "activity", "notes", "devices", "campaigns", "segments",
                "list", "groups",
            ]
            if path.contains(where: others.contains) { return "calls the sandbox does not have" }
            return nil
        }
        if path == ["api", "stats", "audit_log"] || Self.fieldLists.contains(path) {
            return nil
        }
        if path.starts(with: ["api", "companies"]) || path.starts(with: ["api", "stages"]) {
            return nil
        }
        if exchange.response.status == 401 || path == ["api", "nothing"] { return nil }
        return "calls the sandbox does not have"
    }

    private static let fieldLists = [
        ["api", "fields", "contact"], ["api", "fields", "company"],
    ]

    private mutating func play(_ exchange: Exchange) {
        var request = exchange.request
        let isViewer = exchange.comment.hasPrefix("viewer:")
        let hasBearer = request.header("Authorization")?.hasPrefix("Bearer ") == true
        if exchange.response.status != 401, hasBearer || isViewer {
            if isViewer {
                token = newToken(of: machine.settings.clients.last ?? .init(id: "", secret: ""))
            }
            request.headers.removeAll { $0.name.lowercased() == "authorization" }
            request.headers.append(SandboxHeader("Authorization", "Bearer \(token)"))
        }
        if exchange.response.status == 200, request.parameters["access_token"] != nil {
            request.target = "/api/contacts?limit=1&access_token=\(token)"
        }
        steer(to: exchange)
        mergeIfSeen(exchange)
        var answer = machine.respond(to: request, now: exchange.time)
        let isFeed = recording.name == "audit-feed.har" && exchange.index == 16
        let isList =
            request.method == "GET" && request.segments.count != 3 && !isFeed
            || Self.fieldLists.contains(request.segments)
        let comparison = Comparison(
            comparesValues: !isList, volatile: Self.volatile,
            keyed: isList ? ["contacts", "companies", "fields"] : [])
        var plain = exchange
        if let json = exchange.response.json {
            plain.response.body = Array(Self.delivered(json).text(.php).utf8)
        }
        if request.segments.last == "audit_log" {
            plain.response = Self.contactRows(plain.response)
            answer = Self.contactRows(answer)
        }
        report.check(plain, answer, headers: Self.headers, comparison)
        if let last = plain.response.json?["stats"]?.elements?.last?["id"]?.int {
            machine.nextAuditID = max(machine.nextAuditID, last + 1)
        }
    }

    /// The rows about contacts, with the fractions of their moments masked.
    private static func contactRows(_ response: SandboxResponse) -> SandboxResponse {
        guard let rows = response.json?["stats"]?.elements else { return response }
        var response = response
        let kept = rows.filter {
            $0["object"] == "lead" || $0["object"] == "company"
        }.map { row -> SandboxJSON in
            .object(
                (row.members ?? []).map { member in
                    guard member.name == "details", let text = member.value.string else {
                        return member
                    }
                    return .init("details", .string(text.replacing(/s:26:"[^"]*"/, with: "s:26")))
                })
        }
        let json: SandboxJSON = [
            "total": response.json?["total"] ?? .null, "stats": .array(kept),
        ]
        response.body = Array(json.text(.php).utf8)
        return response
    }

    /// An answer without the custom fields somebody made in the recorded installation, and with
    /// the groups in the order of a fresh one.
    private static func delivered(_ json: SandboxJSON) -> SandboxJSON {
        switch json {
        case .array(let elements): return .array(elements.map(delivered))
        case .object(let members):
            return .object(
                members.map { member in
                    guard member.name == "fields", member.value["core"] != nil else {
                        return .init(member.name, delivered(member.value))
                    }
                    return .init("fields", deliveredFields(member.value))
                })
        default: return json
        }
    }

    private static func deliveredFields(_ fields: SandboxJSON) -> SandboxJSON {
        let names = ["core", "social", "personal", "professional", "all"]
        if fields["core"]?["companyname"] != nil { return fields }
        return .object(
            names.compactMap { name in
                guard let group = fields[name] else { return nil }
                var kept = (group.members ?? []).filter {
                    MauticField.aliases.contains($0.name) || $0.name == "id"
                }
                // Where somebody deleted the e-mail field and made it again, it comes first.
                if kept.first(where: { $0.name != "id" })?.name == "email" {
                    func place(_ member: SandboxJSON.Member) -> Int {
                        MauticField.all.firstIndex(alias: member.name) ?? -1
                    }
                    kept.sort { place($0) < place($1) }
                }
                return .init(name, kept.isEmpty ? [] : .object(kept))
            })
    }

    /// Where an answer shows another contact than the one asked for, lets them merge before.
    private mutating func mergeIfSeen(_ exchange: Exchange) {
        guard let asked = pathID(exchange), machine.contacts[asked] != nil,
            let json = exchange.response.json?["contact"], let shown = json["id"]?.int,
            shown != asked
        else { return }
        if machine.contacts[shown] == nil {
            machine.contacts[shown] = contact(json, id: shown, at: exchange.time)
            machine.contacts[asked] = nil
            machine.survivors[asked] = shown
        } else {
            machine.mauticMerges("\(asked)", into: "\(shown)", at: exchange.time)
        }
    }

    /// Makes the next contact take the id it took in the recording.
    private mutating func steer(to exchange: Exchange) {
        let status = exchange.response.status
        guard status == 200 || status == 201, exchange.request.method != "GET" else { return }
        if exchange.request.segments == ["api", "companies", "new"],
            let id = exchange.response.json?["company"]?["id"]?.int
        {
            machine.nextCompanyID = id
        }
        if exchange.request.segments == ["api", "stages", "new"],
            let id = exchange.response.json?["stage"]?["id"]?.int
        {
            machine.nextStageID = id
        }
        let known = Set(machine.contacts.keys)
        let ids = Self.contacts(in: exchange.response).compactMap { $0["id"]?.int }
        if let fresh = ids.first(where: { !known.contains($0) }) {
            machine.nextContactID = fresh
        }
    }

    /// The contacts of an answer, wherever they stand in it.
    private static func contacts(in response: SandboxResponse) -> [SandboxJSON] {
        guard let json = response.json else { return [] }
        if let contact = json["contact"] { return [contact] }
        return json["contacts"]?.parts ?? []
    }
}

extension MauticReplay {
    /// Puts the contacts there that a recording shows without having made them, as they were
    /// when first seen.
    private mutating func seedSightings() {
        for id in Self.unseen[recording.name] ?? [] {
            machine.contacts[id] = MauticContact(
                id: id, added: recording.exchanges[0].time, createdBy: nil)
        }
        let made = firstMade
        for exchange in recording.exchanges where reasonToSkip(exchange) == nil {
            for json in Self.contacts(in: exchange.response) {
                guard let id = json["id"]?.int ?? pathID(exchange) else { continue }
                // Ids grow: whatever is above the first contact made here was made here.
                guard id < made, machine.contacts[id] == nil, json["dateIdentified"] != nil
                else { continue }
                var contact = contact(json, id: id, at: exchange.time)
                contact.points = Self.points[recording.name] ?? contact.points
                machine.contacts[id] = contact
                seedMembership(of: contact)
                if let asked = pathID(exchange), asked != id { machine.survivors[asked] = id }
            }
        }
        for exchange in recording.exchanges {
            for json in exchange.response.json?["companies"]?.members ?? [] {
                seedCompany(json.value, at: exchange.time)
            }
        }
        seedStages()
        machine.nextContactID = (machine.contacts.keys.max() ?? 0) + 1
    }

    /// The stages that a recording names without having made them.
    private mutating func seedStages() {
        let made = recording.exchanges.compactMap { $0.response.json?["stage"]?["id"]?.int }
        for exchange in recording.exchanges where exchange.response.status == 200 {
            let path = exchange.request.segments
            let shown = Self.contacts(in: exchange.response).compactMap { $0["stage"] }
            let named = path.starts(with: ["api", "stages"]) && path.count > 2 ? Int(path[2]) : nil
            for (id, name) in shown.map({ ($0["id"]?.int, $0["name"]?.string) }) + [(named, nil)] {
                guard let id, !made.contains(id), machine.stages[id] == nil else { continue }
                machine.stages[id] = MauticStage(
                    id: id, name: name ?? "Lead", weight: 5, description: nil,
                    added: exchange.time, createdBy: .init(id: nil, name: "Sync test client [1]"))
            }
        }
    }

    /// The company whose name a sighted contact shows, and that the contact is one of it.
    private mutating func seedMembership(of contact: MauticContact) {
        guard let text = contact["company"] else { return }
        var changes = MauticChanges()
        changes.fields = [.init(alias: "company", old: .null, new: .string(text))]
        let rows = machine.audit
        machine.follow(
            changes, of: contact.id, by: MauticUser(id: nil, name: "Sync test client [1]"),
            at: contact.added)
        machine.audit = rows
    }

    private mutating func seedCompany(_ json: SandboxJSON, at time: SandboxTime) {
        guard let id = json["id"]?.int, let all = json["fields"]?["all"]?.members else { return }
        var company = MauticCompany(id: id, added: time, createdBy: nil)
        company.modified = id == 8 ? time : nil
        for member in all where member.name != "id" && member.value != .null {
            company.values[member.name] = member.value.scalarText
        }
        machine.companies[id] = company
    }

    /// The smallest id of a contact that a replayed call of the recording made.
    private var firstMade: Int {
        recording.exchanges.filter {
            $0.response.status == 201 && reasonToSkip($0) == nil && $0.request.method != "GET"
        }.flatMap { Self.contacts(in: $0.response) }
            .filter { $0["dateModified"] == .null }.compactMap { $0["id"]?.int }.min() ?? .max
    }

    /// Contacts that a recording writes to before it shows them.
    private static let unseen: [String: [Int]] = ["permissions.har": [879]]

    /// Points a contact had before calls that answer without showing them.
    private static let points: [String: Int] = [
        "contacts-edit.har": 0
    ]

    private func pathID(_ exchange: Exchange) -> Int? {
        let path = exchange.request.segments
        return path.count > 2 ? Int(path[2]) : nil
    }

    private mutating func contact(
        _ json: SandboxJSON, id: Int, at time: SandboxTime
    ) -> MauticContact {
        func date(_ name: String) -> SandboxTime? {
            json[name]?.string.flatMap(SandboxTime.init(parsing:))
        }
        let user = json["createdByUser"]?.string.map {
            MauticUser(id: json["createdBy"]?.int, name: $0)
        }
        var contact = MauticContact(id: id, added: date("dateAdded") ?? time, createdBy: user)
        for group in json["fields"]?.members ?? [] where group.name != "all" {
            for entry in group.value.members ?? [] {
                guard let text = entry.value["value"]?.scalarText, !text.isEmpty else { continue }
                contact.values[entry.name] = text
            }
        }
        contact.values["points"] = nil
        contact.values["last_active"] = nil
        contact.points = json["points"]?.int ?? 0
        for tag in json["tags"]?.elements ?? [] {
            let name = tag["tag"]?.string ?? ""
            contact.tags.append(name)
            machine.tagIDs[name] = tag["id"]?.int
        }
        contact.stageID = json["stage"]?["id"]?.int
        contact.modified = date("dateModified")
        contact.modifiedBy = json["modifiedByUser"]?.string.map {
            MauticUser(id: json["modifiedBy"]?.int, name: $0)
        }
        contact.lastActive = date("lastActive")
        contact.identified = date("dateIdentified")
        contact.addresses = (json["ipAddresses"]?.elements ?? []).compactMap { address in
            let text = address["ipAddress"]?.string
            if let text { machine.addressIDs[text] = address["id"]?.int }
            return text
        }
        contact.doNotContact = (json["doNotContact"]?.elements ?? []).map {
            MauticDoNotContact(
                id: $0["id"]?.int ?? 0, channel: $0["channel"]?.string ?? "",
                reason: $0["reason"]?.int ?? 0, comments: $0["comments"]?.string ?? "",
                added: time)
        }
        return contact
    }
}
