/// SuiteCRM 7.14.6 as its V8 API behaves, for accounts, contacts, leads, opportunities and
/// e-mail addresses.
///
/// Fact numbers in comments are those of the recordings' findings.
package struct SuiteCRMSandbox: SandboxDealMachine {
    package struct Settings: Sendable, Hashable {
        package var clientID: String
        package var clientSecret: String

        package init(
            clientID: String = "5c000000-0000-4000-8000-00000000cc01",
            clientSecret: String = "sandbox-secret"
        ) {
            self.clientID = clientID
            self.clientSecret = clientSecret
        }
    }

    package var settings: Settings
    var random: SandboxRandom
    /// When each access token ends.
    var tokens: [String: SandboxTime] = [:]
    var revoked: Set<String> = []
    /// Records by id in lower case, the deleted ones too; the API finds ids in any case.
    var accounts: [String: SuiteCRMRecord] = [:]
    var contacts: [String: SuiteCRMRecord] = [:]
    var leads: [String: SuiteCRMRecord] = [:]
    var opportunities: [String: SuiteCRMRecord] = [:]
    var addresses: [String: SuiteCRMRecord] = [:]
    var links: [SuiteCRMLink] = []
    /// The ids at the other ends of relationships, in the order they were linked.
    var ties: [SuiteCRMEnd: [String]] = [:]
    package internal(set) var writeCalls = 0

    /// An empty installation; everything random derives from the seed.
    package init(seed: UInt64, settings: Settings = Settings()) {
        self.settings = settings
        random = SandboxRandom(seed: seed ^ 0x5355_4954_4543)
    }

    package mutating func respond(
        to request: SandboxRequest, now: SandboxTime
    ) -> SandboxResponse {
        var response: SandboxResponse
        do throws(SuiteCRMRefusal) {
            response = try route(request, now: now)
        } catch {
            response = error.response
        }
        response.headers.insert(
            contentsOf: [
                SandboxHeader("Date", now.http), SandboxHeader("Server", "Apache/2.4.71 (Debian)"),
                SandboxHeader("Access-Control-Allow-Origin", "*"),
                SandboxHeader(
                    "Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE"),
                SandboxHeader(
                    "Access-Control-Allow-Headers",
                    "Content-Type, Access-Control-Allow-Headers, Authorization, "
                        + "X-Requested-With"),
                SandboxHeader("X-Content-Type-Options", "nosniff"),
            ], at: 0)
        return response
    }

    private mutating func route(
        _ request: SandboxRequest, now: SandboxTime
    ) throws(SuiteCRMRefusal) -> SandboxResponse {
        let path = request.segments
        if path == ["Api", "access_token"] {
            guard request.method == "POST" else { throw .method(["POST"], request) }
            return try token(request, now: now)
        }
        guard path.count > 2, path[0] == "Api", path[1] == "V8", !request.path.hasSuffix("/") else {
            throw .noPage
        }
        let rest = Array(path.dropFirst(2))
        if rest.starts(with: ["meta", "fields"]), rest.count == 3 {
            guard request.method == "GET" else { throw .method(["GET"], request) }
            try authenticate(request, now: now)
            return try fieldList(of: Self.module(rest[2]))
        }
        guard rest[0] == "module", rest.count <= 6, rest.count < 4 || rest[3] == "relationships"
        else { throw .noPage }
        let method = request.header("X-HTTP-Method-Override") ?? request.method
        let allowed = Self.methods(rest)
        guard allowed.contains(method) else { throw .method(allowed, request) }
        try authenticate(request, now: now)
        if method != "GET" { writeCalls += 1 }
        switch (method, rest.count) {
        case ("POST", 1): return try create(request, now: now)
        case ("PATCH", 1): return try update(request, now: now)
        case ("GET", 2): return try list(Self.module(rest[1]), request)
        case ("GET", 3): return try read(Self.module(rest[1]), Self.validID(rest[2]), request)
        case ("DELETE", 3):
            return try delete(Self.module(rest[1]), Self.validID(rest[2]), now: now)
        case ("GET", 5):
            return try related(Self.module(rest[1]), Self.validID(rest[2]), rest[4], request)
        case ("POST", 4), ("POST", 5):
            return try link(
                Self.module(rest[1]), Self.validID(rest[2]), rest.count > 4 ? rest[4] : nil,
                request)
        default:
            return try unlink(
                Self.module(rest[1]), Self.validID(rest[2]), rest[4], Self.validID(rest[5]))
        }
    }

    private static func methods(_ path: [String]) -> [String] {
        switch path.count {
        case 1: ["POST", "PATCH"]
        case 2: ["GET"]
        case 3: ["GET", "DELETE"]
        case 4: ["POST"]
        case 5: ["GET", "POST"]
        case 6: ["DELETE"]
        default: []
        }
    }

    static func module(_ name: String) throws(SuiteCRMRefusal) -> SuiteCRMModule {
        guard let module = SuiteCRMModule(named: name) else {
            throw .invalid("Module \(name) does not exist")
        }
        return module
    }

    /// An id the option resolver lets through: a UUID, or a number (03, "get numeric id").
    static func validID(_ text: String) throws(SuiteCRMRefusal) -> String {
        let isNumber = !text.isEmpty && text.allSatisfy { $0.isASCII && $0.isNumber }
        guard isNumber || isUUID(text) else {
            throw .invalid("The option \"id\" with value \"\(text)\" is invalid.")
        }
        return text
    }

    static func isUUID(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.count) == [8, 4, 4, 4, 12]
            && parts.allSatisfy { $0.allSatisfy(\.isHexDigit) }
    }

    /// A new id in SuiteCRM's own form: like a UUID, but without its version.
    mutating func newID() -> String {
        [8, 4, 4, 4, 12].map { random.hex($0) }.joined(separator: "-")
    }
}

/// A row of a module's table.
struct SuiteCRMRecord: Sendable, Hashable {
    var id: String
    /// Column to text as the database holds it; what is not here is NULL.
    var values: [String: String]

    subscript(column: String) -> String? {
        get { values[column] }
        set { values[column] = newValue }
    }

    var isDeleted: Bool { values["deleted"] == "1" }
}

/// A record's hold on an address; removed ones stay, marked (fact 40).
struct SuiteCRMLink: Sendable, Hashable {
    var holderID: String
    var addressID: String
    var isPrimary: Bool
    var isDeleted = false
}
