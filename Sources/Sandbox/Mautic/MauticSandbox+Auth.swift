/// An access token that was handed out.
struct MauticToken: Sendable, Hashable {
    var clientID: String
    var expires: SandboxTime
    /// The fixed hour the limit counts in, and the calls in it (D8).
    var windowStart: SandboxTime
    var calls = 0
}

/// Who asks, and what they may do.
struct MauticCaller {
    var user: MauticUser
    var token: String?
    var mayWrite = true
    var mayReadAuditLog = true
}

/// Why a request is not let in.
struct MauticDenial: Error {
    var response: SandboxResponse
}

extension MauticSandbox {
    /// The token endpoint; GET works like POST (E1), and its errors are not OAuth's (E3).
    mutating func token(_ request: SandboxRequest, now: SandboxTime) -> SandboxResponse {
        let given = credentials(in: request)
        guard let grant = given.grant,
            ["client_credentials", "authorization_code", "refresh_token", "password"]
                .contains(grant)
        else {
            return Self.tokenError(
                "Invalid grant_type parameter or parameter missing", "invalid_request")
        }
        guard
            let client = settings.clients.first(where: {
                $0.id == given.id && $0.secret == given.secret
            })
        else { return Self.tokenError("The client credentials are invalid", "invalid_client") }
        switch grant {
        case "client_credentials": break
        case "refresh_token": return Self.tokenError("Invalid refresh token", "invalid_grant")
        case "authorization_code":
            return Self.tokenError(
                "Code doesn't exist or is invalid for the client", "invalid_grant")
        default:
            return Self.tokenError(
                "The grant type is unauthorized for this client_id", "unauthorized_client")
        }
        let text = random.token(86)
        tokens[text] = MauticToken(
            clientID: client.id,
            expires: now.adding(seconds: settings.tokenLifetime),
            windowStart: now)
        let json: SandboxJSON = [
            "access_token": .string(text), "expires_in": .int(Int(settings.tokenLifetime)),
            "token_type": "bearer", "scope": .null,
        ]
        return SandboxResponse(
            status: 200,
            headers: [
                SandboxHeader("Cache-Control", "no-store, private"),
                SandboxHeader("Pragma", "no-cache"),
                SandboxHeader("Content-Type", "application/json"),
            ],
            body: Array(json.text().utf8)
        ).varying(request)
    }

    private func credentials(
        in request: SandboxRequest
    ) -> (grant: String?, id: String?, secret: String?) {
        var fields = request.parameters
        var json: SandboxJSON?
        if request.method == "POST" {
            if request.mediaType == "application/json" {
                json = SandboxJSON(parsing: request.body)
            } else {
                fields = Parameters(String(decoding: request.body, as: UTF8.self))
            }
        }
        func field(_ name: String) -> String? { json?[name]?.string ?? fields[name] }
        let basic = request.basicCredentials
        return (
            field("grant_type"), field("client_id") ?? basic?.name,
            field("client_secret") ?? basic?.password
        )
    }

    private static func tokenError(_ message: String, _ type: String) -> SandboxResponse {
        .mauticProblem(400, message: message, type: .string(type), closes: true)
    }

    /// Who sent this, or the 401 that Mautic gives (E5).
    func authenticate(
        _ request: SandboxRequest, now: SandboxTime
    ) -> Result<MauticCaller, MauticDenial> {
        func denied(_ message: String, _ type: String) -> Result<MauticCaller, MauticDenial> {
            let response = SandboxResponse.mauticProblem(
                401, message: message, type: .string(type), closes: true)
            return .failure(MauticDenial(response: response.varying(request)))
        }
        if let basic = request.basicCredentials {
            let isAdmin =
                [settings.adminName, "\(settings.adminName)@example.test"].contains(basic.name)
                && basic.password == settings.adminPassword
            return isAdmin
                ? .success(MauticCaller(user: .admin))
                : denied("Authorization denied, invalid credentials.", "access_denied")
        }
        let header = request.header("Authorization") ?? ""
        var text = header.hasPrefix("Bearer ") ? header.dropFirst(7).trimmingSpaces : ""
        if text.isEmpty { text = request.parameters["access_token"] ?? "" }
        guard !text.isEmpty else {
            return denied("API authorization denied.", "access_denied")
        }
        guard let token = tokens[text],
            let client = settings.clients.first(where: { $0.id == token.clientID })
        else { return denied("The access token provided is invalid.", "invalid_grant") }
        guard now < token.expires else {
            return denied("The access token provided has expired.", "invalid_grant")
        }
        return .success(
            MauticCaller(
                user: MauticUser(id: nil, name: client.name),
                token: text,
                mayWrite: client.mayWrite,
                mayReadAuditLog: client.mayReadAuditLog))
    }

    /// Counts a call against its token's hour; the 429 where the hour is used up (D8).
    mutating func countAgainstLimit(
        _ caller: MauticCaller, now: SandboxTime
    ) -> SandboxResponse? {
        guard let limit = settings.callsPerHour, let text = caller.token,
            var token = tokens[text]
        else { return nil }
        if token.windowStart.adding(seconds: 3_600) <= now {
            token.windowStart = now
            token.calls = 0
        }
        token.calls += 1
        tokens[text] = token
        guard token.calls > limit else { return nil }
        let body =
            "{ \"errors\": [ { \"code\": 429, \"message\": \"You exceeded the rate limit of "
            + "\(limit) API calls per hour.\", \"details\": [] } ]}"
        return SandboxResponse(
            status: 429,
            headers: [
                SandboxHeader("Vary", "Authorization"),
                SandboxHeader("Cache-Control", "no-cache, private"),
                SandboxHeader("X-RateLimit-Limit", String(limit)),
                SandboxHeader("X-RateLimit-Remaining", "0"),
                SandboxHeader(
                    "X-RateLimit-Reset",
                    String(token.windowStart.adding(seconds: 3_600).seconds)),
                SandboxHeader("Content-Type", "application/json"),
            ],
            body: Array(body.utf8))
    }
}

extension SandboxRequest {
    /// The name and password of an `Authorization: Basic` header.
    var basicCredentials: (name: String, password: String)? {
        guard let header = header("Authorization"), header.hasPrefix("Basic "),
            let bytes = decodedBase64(header.dropFirst(6).trimmingSpaces)
        else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let colon = text.firstIndex(of: ":") else { return nil }
        return (String(text[..<colon]), String(text[text.index(after: colon)...]))
    }
}

/// The bytes that base64 text spells, or nil.
func decodedBase64(_ text: String) -> [UInt8]? {
    var out: [UInt8] = []
    var pool: UInt32 = 0
    var bits = 0
    for byte in text.utf8 where byte != UInt8(ascii: "=") {
        let value: UInt8
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte + 4
        case UInt8(ascii: "+"), UInt8(ascii: "-"): value = 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): value = 63
        default: return nil
        }
        pool = pool << 6 | UInt32(value)
        bits += 6
        if bits >= 8 {
            bits -= 8
            out.append(UInt8(truncatingIfNeeded: pool >> UInt32(bits)))
        }
    }
    return out
}
