/// One header; names compare without regard to case.
package struct SandboxHeader: Sendable, Hashable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// One request as it arrives: nothing decoded, header order kept.
package struct SandboxRequest: Sendable, Hashable {
    package var method: String
    /// The path and query as sent, still percent-encoded.
    package var target: String
    package var headers: [SandboxHeader]
    package var body: [UInt8]

    package init(
        method: String, target: String, headers: [SandboxHeader] = [], body: [UInt8] = []
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }

    /// A request with a JSON body in its `Content-Type`.
    package init(
        method: String,
        target: String,
        headers: [SandboxHeader] = [],
        json: SandboxJSON,
        type: String = "application/json"
    ) {
        self.init(
            method: method,
            target: target,
            headers: headers + [SandboxHeader("Content-Type", type)],
            body: Array(json.text().utf8))
    }

    /// The first header of that name.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The media type without its parameters, in lower case.
    package var mediaType: String? {
        header("Content-Type")?.split(separator: ";").first.map {
            $0.trimmingSpaces.lowercased()
        }
    }

    /// The path as sent, without the query.
    package var path: String { String(target.prefix { $0 != "?" }) }

    /// The decoded segments of the path.
    package var segments: [String] {
        path.split(separator: "/").map { $0.percentDecoded(plusIsSpace: false) }
    }

    /// The query as sent, without the question mark.
    package var query: String {
        guard let mark = target.firstIndex(of: "?") else { return "" }
        return String(target[target.index(after: mark)...])
    }
}

/// One answer: a status, headers in order, and a body.
package struct SandboxResponse: Sendable, Hashable {
    package var status: Int
    package var headers: [SandboxHeader]
    package var body: [UInt8]

    package init(status: Int, headers: [SandboxHeader] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first header of that name.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The body as text.
    package var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as JSON, or nil where it is none.
    package var json: SandboxJSON? { SandboxJSON(parsing: body) }
}
