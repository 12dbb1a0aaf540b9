/// The verb of a request: an open set, since servers invent their own.
package struct HTTPMethod: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    package init(stringLiteral value: String) {
        self.init(rawValue: value)
    }

    package static let get: HTTPMethod = "GET"
    package static let head: HTTPMethod = "HEAD"
    package static let post: HTTPMethod = "POST"
    package static let put: HTTPMethod = "PUT"
    package static let patch: HTTPMethod = "PATCH"
    package static let delete: HTTPMethod = "DELETE"
}

/// What to ask, and of whom: a plain value, sent once or not at all.
///
/// The transport adds what belongs to the wire (`Host`, `Content-Length`, `Accept-Encoding`, a
/// `User-Agent` where there is none) and refuses a request that brings those itself.
package struct HTTPRequest: Sendable, Equatable {
    package var method: HTTPMethod

    /// An absolute `http` or `https` URL, percent-encoded ASCII, without user and password.
    package var url: String

    package var headers: HTTPHeaders

    package var body: [UInt8]

    /// Whether this connection's settings accept that anyone on the way can read and change it.
    ///
    /// Loopback needs no permission.
    package var allowsClearText: Bool

    package init(
        method: HTTPMethod = .get,
        url: String,
        headers: HTTPHeaders = [:],
        body: [UInt8] = [],
        allowsClearText: Bool = false
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.allowsClearText = allowsClearText
    }
}
