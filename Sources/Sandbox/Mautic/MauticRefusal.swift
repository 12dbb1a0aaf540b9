/// Why Mautic does not do what it was asked, in the form it says it (D5).
enum MauticRefusal: Error {
    /// `Item was not found.`
    case missing
    /// The points calls have a wording of their own.
    case contactMissing
    case forbidden
    case badReason
    case batchTooLarge
    /// Messages by field: 422 where one of them is about uniqueness, else 400.
    case invalid([MauticViolation])
    /// Any bug: a text with an error number, and a status.
    case crash(Int)

    var response: SandboxResponse {
        switch self {
        case .crash(let status):
            let text =
                "Looks like I encountered an error (error #\(status)). If I do it again, please "
                + "report me to the system administrator!"
            return .mauticProblem(status, message: text, type: .null)
        case .contactMissing:
            var response = SandboxResponse.mautic(status: status, ["errors": [body]])
            response.headers[1].value = "max-age=0, must-revalidate, private"
            return response
        default:
            return .mautic(status: status, ["errors": [body]])
        }
    }

    var status: Int {
        switch self {
        case .missing, .contactMissing: 404
        case .forbidden: 403
        case .badReason: 400
        case .batchTooLarge: 500
        case .invalid(let violations): violations.contains(where: \.isUniqueness) ? 422 : 400
        case .crash(let status): status
        }
    }

    /// The entry of `errors`.
    var body: SandboxJSON {
        ["code": .int(status), "message": .string(message), "details": details]
    }

    /// The entry of `errors` in the answer to a batch (D4).
    var batchBody: SandboxJSON {
        guard case .invalid = self else {
            return ["message": .string(message), "code": .int(status), "type": "api"]
        }
        return [
            "code": .int(status), "message": .string(message), "details": details, "type": .null,
        ]
    }

    private var message: String {
        switch self {
        case .missing: "Item was not found."
        case .contactMissing: "Contact not found."
        case .forbidden: "You do not have access to the requested area/action."
        case .badReason: "Invalid reason code given"
        case .batchTooLarge: "A max of 200 entities are supported at a time."
        case .invalid(let violations):
            violations.map { "\($0.field): \($0.message)" }.joined(separator: ", ")
        case .crash: ""
        }
    }

    private var details: SandboxJSON {
        switch self {
        case .badReason: ["Reason code needs to be an integer and higher than 0."]
        case .invalid(let violations):
            .object(violations.map { .init($0.field, [.string($0.message)]) })
        default: []
        }
    }
}

/// One field's complaint.
struct MauticViolation {
    var field: String
    var message: String
    var isUniqueness = false

    static func invalid(_ field: String) -> MauticViolation {
        MauticViolation(field: field, message: "This value is not valid.")
    }
}

extension SandboxResponse {
    /// An answer of one of Mautic's controllers.
    static func mautic(
        status: Int = 200, _ json: SandboxJSON, headers: [SandboxHeader] = []
    ) -> SandboxResponse {
        SandboxResponse(
            status: status,
            headers: headers + [
                SandboxHeader("Mautic-Version", "5.1.1"),
                SandboxHeader("Cache-Control", "no-cache, private"),
                SandboxHeader("Content-Type", "application/json"),
            ],
            body: Array(json.text(.php).utf8))
    }

    /// An error of authentication, routing, or a bug: another form, and no version (D5, D9).
    static func mauticProblem(
        _ status: Int, message: String, type: SandboxJSON, closes: Bool = false
    ) -> SandboxResponse {
        let json: SandboxJSON = [
            "errors": [["message": .string(message), "code": .int(status), "type": type]]
        ]
        return SandboxResponse(
            status: status,
            headers: [SandboxHeader("Cache-Control", "no-cache, private")]
                + (closes ? [SandboxHeader("Connection", "close")] : [])
                + [SandboxHeader("Content-Type", "application/json")],
            body: Array(json.text(.symfony).utf8))
    }

    /// No such route, or the wrong method on it: always 404.
    static func mauticNotFound(_ request: SandboxRequest) -> SandboxResponse {
        mauticProblem(
            404, message: "Requested URL not found: \(request.target)", type: .null)
    }

    /// Symfony's answer to a trailing slash.
    static func mauticRedirect(_ request: SandboxRequest) -> SandboxResponse {
        let target = "http://\(request.header("Host") ?? "localhost")\(request.path.dropLast())"
        let page =
            "<!DOCTYPE html>\n<html>\n    <head>\n        <meta charset=\"UTF-8\" />\n"
            + "        <title>Redirecting to \(target)</title>\n    </head>\n</html>"
        return SandboxResponse(
            status: 301,
            headers: [
                SandboxHeader("Location", target),
                SandboxHeader("Content-Type", "text/html; charset=UTF-8"),
            ],
            body: Array(page.utf8)
        ).varying(request)
    }

    /// With `Vary: Authorization`, which stands wherever that header was sent.
    func varying(_ request: SandboxRequest) -> SandboxResponse {
        guard request.header("Authorization") != nil else { return self }
        var response = self
        response.headers.insert(SandboxHeader("Vary", "Authorization"), at: 0)
        return response
    }
}
