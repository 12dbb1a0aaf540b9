/// Mautic 5.1.1 as its REST API behaves, for the contact and company calls.
///
/// Fact numbers in comments (`A9`, `D4`, …) are those of the recordings' findings.
package struct MauticSandbox: SandboxMachine {
    /// An OAuth2 client of the client-credentials grant, and what its role allows.
    package struct Client: Sendable, Hashable {
        package var id: String
        package var secret: String
        /// The user name its writes carry.
        package var name: String
        package var mayWrite: Bool
        package var mayReadAuditLog: Bool

        package init(
            id: String,
            secret: String,
            name: String = "Sync test client [1]",
            mayWrite: Bool = true,
            mayReadAuditLog: Bool = true
        ) {
            self.id = id
            self.secret = secret
            self.name = name
            self.mayWrite = mayWrite
            self.mayReadAuditLog = mayReadAuditLog
        }
    }

    package struct Settings: Sendable, Hashable {
        package var clients: [Client]
        /// The one person who signs in, for Basic authentication and as owner 1.
        package var adminName: String
        package var adminPassword: String
        /// How long an access token is good for, in seconds.
        package var tokenLifetime: Int64
        /// Calls an hour for each access token; nil is Mautic's default, no limit (D8).
        package var callsPerHour: Int?

        package init(
            clients: [Client] = [Client(id: "1_sandbox", secret: "sandbox-secret")],
            adminName: String = "admin",
            adminPassword: String = "sandbox-password",
            tokenLifetime: Int64 = 3_600,
            callsPerHour: Int? = nil
        ) {
            self.clients = clients
            self.adminName = adminName
            self.adminPassword = adminPassword
            self.tokenLifetime = tokenLifetime
            self.callsPerHour = callsPerHour
        }
    }

    package var settings: Settings
    var random: SandboxRandom
    var tokens: [String: MauticToken] = [:]
    var contacts: [Int: MauticContact] = [:]
    /// The id that answers for each id a merge has ended (A1).
    var survivors: [Int: Int] = [:]
    var tagIDs: [String: Int] = [:]
    var addressIDs: [String: Int] = [:]
    var companies: [Int: MauticCompany] = [:]
    /// Each contact's companies, in the order they were added.
    var companyLinks: [Int: [MauticCompanyLink]] = [:]
    var stages: [Int: MauticStage] = [:]
    var audit: [MauticAuditRow] = []
    var nextContactID = 1
    var nextCompanyID = 1
    var nextStageID = 1
    var nextAuditID = 1
    var nextDoNotContactID = 1
    package internal(set) var writeCalls = 0

    /// An empty installation; everything random derives from the seed.
    package init(seed: UInt64, settings: Settings = Settings()) {
        self.settings = settings
        random = SandboxRandom(seed: seed ^ 0x4D41_5554_4943)
    }

    package mutating func respond(
        to request: SandboxRequest, now: SandboxTime
    ) -> SandboxResponse {
        var response = route(request, now: now)
        response.headers.insert(SandboxHeader("Date", now.http), at: 0)
        response.headers.insert(SandboxHeader("Server", "Apache/2.4.71 (Debian)"), at: 1)
        return response
    }

    private mutating func route(
        _ request: SandboxRequest, now: SandboxTime
    ) -> SandboxResponse {
        if request.path == "/oauth/v2/token" { return token(request, now: now) }
        guard request.path.hasPrefix("/api/") || request.path == "/api" else {
            return .mauticNotFound(request)
        }
        let caller: MauticCaller
        switch authenticate(request, now: now) {
        case .success(let known): caller = known
        case .failure(let refusal): return refusal.response
        }
        if let refusal = countAgainstLimit(caller, now: now) { return refusal }
        if request.path.hasSuffix("/") { return .mauticRedirect(request) }
        if request.method != "GET" { writeCalls += 1 }
        do throws(MauticRefusal) {
            if let response = try contactCall(request, caller: caller, now: now) {
                return response.varying(request)
            }
            if let response = try companyCall(request, caller: caller, now: now) {
                return response.varying(request)
            }
            if let response = try stageCall(request, caller: caller, now: now) {
                return response.varying(request)
            }
            if let response = fieldsCall(request) { return response.varying(request) }
            let response = try tableCall(request, caller: caller, now: now)
            return (response ?? .mauticNotFound(request)).varying(request)
        } catch {
            return error.response.varying(request)
        }
    }

    /// The calls under `/api/contacts`; nil where the route does not exist.
    private mutating func contactCall(
        _ request: SandboxRequest, caller: MauticCaller, now: SandboxTime
    ) throws(MauticRefusal) -> SandboxResponse? {
        let path = Array(request.segments.dropFirst())
        guard path.first == "contacts" else { return nil }
        let verb = (request.method, path.count)
        let id = path.count > 1 ? Int(path[1]) : nil
        switch (verb, id) {
        case (("GET", 1), _): return try list(request)
        case (("GET", 2), let id?): return try read(id)
        case (("GET", 3), let id?) where path[2] == "companies": return try companies(of: id)
        case (("POST", 2), nil) where path[1] == "new":
            return try create(request, caller: caller, now: now)
        case (("POST", 3), nil) where path[1...] == ["batch", "new"]:
            return try createBatch(request, caller: caller, now: now)
        case (("PATCH", 3), nil) where path[1...] == ["batch", "edit"],
            (("PUT", 3), nil) where path[1...] == ["batch", "edit"]:
            return try editBatch(request, caller: caller, now: now)
        case (("DELETE", 3), nil) where path[1...] == ["batch", "delete"]:
            return try deleteBatch(request, caller: caller, now: now)
        case (("PATCH", 3), let id?) where path[2] == "edit",
            (("PUT", 3), let id?) where path[2] == "edit":
            return try edit(id, request, caller: caller, now: now)
        case (("DELETE", 3), let id?) where path[2] == "delete":
            return try delete(id, caller: caller, now: now)
        case (("POST", 5), let id?) where path[2] == "dnc" && path[4] == "add":
            return try addDoNotContact(id, path[3], request, caller: caller, now: now)
        case (("POST", 5), let id?) where path[2] == "dnc" && path[4] == "remove":
            return try removeDoNotContact(id, path[3], caller: caller, now: now)
        case (("POST", 5), let id?) where path[2] == "points":
            return try changePoints(id, path[3], path[4], caller: caller, now: now)
        default: return nil
        }
    }

    /// The statistics tables and the field list.
    private func tableCall(
        _ request: SandboxRequest, caller: MauticCaller, now: SandboxTime
    ) throws(MauticRefusal) -> SandboxResponse? {
        guard request.method == "GET" else { return nil }
        let path = Array(request.segments.dropFirst())
        if path == ["fields", "contact"] { return fieldList(MauticField.all, of: "lead", request) }
        if path == ["fields", "company"] {
            return fieldList(MauticField.companies, of: "company", request)
        }
        guard path.count == 2, path[0] == "stats" else { return nil }
        guard path[1] == "audit_log" else {
            return .mautic(["availableTables": ["audit_log"]])
        }
        guard caller.mayReadAuditLog else { throw .forbidden }
        return auditLog(request)
    }
}
