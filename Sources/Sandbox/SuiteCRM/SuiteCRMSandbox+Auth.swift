extension SuiteCRMSandbox {
    /// POST /Api/access_token: form, JSON and Basic work (fact 12); its errors are those of
    /// fact 15.
    mutating func token(
        _ request: SandboxRequest, now: SandboxTime
    ) throws(SuiteCRMRefusal) -> SandboxResponse {
        let given = Self.credentials(in: request)
        switch given.grant {
        case "client_credentials": break
        case "password", "refresh_token": throw Self.wrongClient
        default:
            throw .oauth(
                400, error: "unsupported_grant_type",
                description: "The authorization grant type is not supported by the "
                    + "authorization server.",
                hint: "Check that all required parameters have been provided")
        }
        guard given.id == settings.clientID else {
            let text = "OAuth2Clients module with id \(given.id) is not found"
            throw .oauth(500, error: "unknown_error", description: text, hint: nil)
        }
        guard given.secret == settings.clientSecret else { throw Self.wrongClient }
        let text = jsonWebToken(now)
        tokens[text] = now.adding(seconds: 3_600)
        let json: SandboxJSON = [
            "token_type": "Bearer", "expires_in": 3600, "access_token": .string(text),
        ]
        return SandboxResponse(
            status: 200,
            headers: [
                SandboxHeader("Cache-Control", "no-store, max-age=0"),
                SandboxHeader("Pragma", "no-cache"),
                SandboxHeader("Content-Type", "application/json; charset=UTF-8"),
            ],
            body: Array(json.text().utf8))
    }

    private static let wrongClient = SuiteCRMRefusal.oauth(
        401, error: "invalid_client", description: "Client authentication failed", hint: nil)

    private static func credentials(
        in request: SandboxRequest
    ) -> (grant: String, id: String, secret: String) {
        let json = SandboxJSON(parsing: request.body)
        let form = Parameters(String(decoding: request.body, as: UTF8.self))
        let isJSON = request.mediaType?.hasSuffix("json") == true
        func field(_ name: String) -> String? {
            isJSON ? json?[name]?.string : form[name]
        }
        let basic = request.basicCredentials
        return (
            field("grant_type") ?? "", field("client_id") ?? basic?.name ?? "",
            field("client_secret") ?? basic?.password ?? ""
        )
    }

    /// A token in the form of a JWT; its signature is made up.
    private mutating func jsonWebToken(_ now: SandboxTime) -> String {
        let payload: SandboxJSON = [
            "aud": .string(settings.clientID), "jti": .string(random.hex(80)),
            "iat": .number("\(now.seconds).0"), "nbf": .number("\(now.seconds).0"),
            "exp": .number("\(now.seconds + 3_600).0"), "sub": "", "scopes": [],
        ]
        let header: SandboxJSON = ["typ": "JWT", "alg": "RS256"]
        return [header, payload].map { base64URL(Array($0.text().utf8)) }.joined(separator: ".")
            + ".\(random.token(342))"
    }

    /// Lets a request in, or says why not (fact 16).
    func authenticate(
        _ request: SandboxRequest, now: SandboxTime
    ) throws(SuiteCRMRefusal) {
        let header = request.header("Authorization") ?? ""
        let isBearer = header.hasPrefix("Bearer ")
        let text = isBearer ? header.dropFirst(7).trimmingSpaces : header
        guard text.split(separator: ".", omittingEmptySubsequences: false).count == 3 else {
            throw .denied("The JWT string must have two dots")
        }
        guard isBearer else { throw .denied("Error while decoding from JSON") }
        guard !revoked.contains(text) else { throw .denied("Access token has been revoked") }
        guard let expires = tokens[text], now < expires else {
            throw .denied("Access token could not be verified")
        }
    }

    /// Takes a token out of the database, as an administrator can: the next call with it is 401.
    package mutating func revokeTokens() {
        revoked.formUnion(tokens.keys)
        tokens = [:]
    }
}

/// The bytes in base64 for URLs, without padding.
func base64URL(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    var out = ""
    var pool = 0
    var bits = 0
    for byte in bytes {
        pool = (pool << 8 | Int(byte)) & 0xFFFF
        bits += 8
        while bits >= 6 {
            bits -= 6
            out.append(alphabet[pool >> bits & 0x3F])
        }
    }
    if bits > 0 { out.append(alphabet[pool << (6 - bits) & 0x3F]) }
    return out
}
