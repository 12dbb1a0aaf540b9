/// Why SuiteCRM does not do what it was asked, in the form it says it (facts 16, 18, 19, 20).
enum SuiteCRMRefusal: Error {
    /// Refused by the reading of the request's options.
    case invalid(String)
    /// Refused by the service behind it.
    case failed(String)
    /// A statement the database did not take: the sentence follows the JSON once more.
    case database
    case noPage
    case method([String], SandboxRequest)
    /// The OAuth library's form.
    case oauth(Int, error: String, description: String, hint: String?)

    static func missing(_ module: SuiteCRMModule, _ id: String) -> SuiteCRMRefusal {
        .failed("\(module.rawValue) module with id \(id) is not found")
    }

    static func denied(_ hint: String) -> SuiteCRMRefusal {
        .oauth(
            401, error: "access_denied",
            description: "The resource owner or authorization server denied the request.",
            hint: hint)
    }

    var response: SandboxResponse {
        switch self {
        case .invalid(let detail): Self.problem(detail, isJSONAPI: false)
        case .failed(let detail): Self.problem(detail, isJSONAPI: true)
        case .database:
            Self.problem(
                "Database failure. Please refer to suitecrm.log for details.", isJSONAPI: true,
                tail: "Database failure. Please refer to suitecrm.log for details.")
        case .noPage: Self.page(404, "Page Not Found", headers: [])
        case .method(let allowed, let request): Self.notAllowed(allowed, request)
        case .oauth(let status, let error, let description, let hint):
            SandboxResponse(
                status: status,
                headers: [SandboxHeader("Content-Type", "application/json")],
                body: Array(
                    SandboxJSON.object([
                        .init("error", .string(error)),
                        .init("error_description", .string(description)),
                        .init("hint", .text(hint)), .init("message", .string(description)),
                    ]).withoutNulls.text(.php).utf8))
        }
    }

    private static func problem(
        _ detail: String, isJSONAPI: Bool, tail: String = ""
    ) -> SandboxResponse {
        let json: SandboxJSON = [
            "errors": ["status": 400, "title": .null, "detail": .string(detail)]
        ]
        let type = isJSONAPI ? "application/vnd.api+json" : "application/json"
        return SandboxResponse(
            status: 400,
            headers: (isJSONAPI ? [SandboxHeader("Accept", type)] : [])
                + (tail.isEmpty ? [] : [SandboxHeader("Connection", "close")])
                + [SandboxHeader("Content-Type", type)],
            body: Array((json.text(.pretty) + tail).utf8))
    }

    private static func notAllowed(
        _ allowed: [String], _ request: SandboxRequest
    ) -> SandboxResponse {
        let list = allowed.joined(separator: ", ")
        let text = "Method not allowed. Must be one of: \(list)"
        let allow = SandboxHeader("Allow", list)
        guard request.header("Accept")?.contains("json") == true else {
            return page(405, "Method not allowed", headers: [allow])
        }
        return SandboxResponse(
            status: 405,
            headers: [allow, SandboxHeader("Content-Type", "application/json")],
            body: Array(SandboxJSON.object([.init("message", .string(text))]).text().utf8))
    }

    private static func page(
        _ status: Int, _ title: String, headers: [SandboxHeader]
    ) -> SandboxResponse {
        let html =
            "<html>\n    <head>\n        <title>\(title)</title>\n    </head>\n    <body>\n"
            + "        <h1>\(title)</h1>\n    </body>\n</html>\n"
        return SandboxResponse(
            status: status,
            headers: headers + [SandboxHeader("Content-Type", "text/html;charset=UTF-8")],
            body: Array(html.utf8))
    }
}

extension SandboxResponse {
    /// An answer of the V8 API, with the month in a cache that facts 39 warns of.
    static func suiteCRM(status: Int = 200, _ json: SandboxJSON) -> SandboxResponse {
        SandboxResponse(
            status: status,
            headers: [
                SandboxHeader("Accept", "application/vnd.api+json"),
                SandboxHeader("Cache-Control", "max-age=2592000"),
                SandboxHeader("Content-Type", "application/vnd.api+json"),
            ],
            body: Array(json.text(.pretty).utf8))
    }
}
