/// A request that may be sent: the only thing the thread behind the client accepts.
struct CheckedRequest: Sendable {
    let request: HTTPRequest
    let target: RequestTarget

    /// Refuses before anything is sent, so every failure from here says that nothing reached the
    /// remote.
    init(_ request: HTTPRequest) throws(HTTPFailure) {
        try Self.check(request.method)
        try Self.check(request.headers)
        let target = try RequestTarget(request.url)
        guard target.isEncrypted || target.isLoopback || request.allowsClearText else {
            throw HTTPFailure(
                kind: .clearTextRefused, reachedRemote: .no,
                message: "Plain http to \(target.origin) would show everyone on the way what is "
                    + "sent: use an https URL, or allow clear text in this connection's settings.")
        }
        self.request = request
        self.target = target
    }

    private static let longestMethod = 32

    private static func check(_ method: HTTPMethod) throws(HTTPFailure) {
        let bytes = method.rawValue.utf8
        guard bytes.count <= longestMethod, method.rawValue.isToken else {
            throw .invalidRequest(
                "The method must be at most \(longestMethod) characters of a token, like GET.")
        }
        guard !["CONNECT", "TRACE"].contains(method.rawValue.uppercased()) else {
            throw .invalidRequest("CONNECT and TRACE are not for this client.")
        }
    }

    /// The fields that say where a message ends or how it travels belong to libcurl alone: a
    /// second opinion about a length is how requests are smuggled.
    private static let ownedByTransport = [
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer",
        "upgrade", "expect", "accept-encoding", "proxy-connection",
    ]

    private static func check(_ headers: HTTPHeaders) throws(HTTPFailure) {
        for field in headers.fields {
            guard field.name.isToken else {
                throw .invalidRequest(
                    "A header name is empty or has a character that header names cannot have.")
            }
            guard !ownedByTransport.contains(where: field.name.equalsIgnoringCase) else {
                throw .invalidRequest(
                    "The header \(field.name) is written by the transport: leave it out.")
            }
            guard field.value.isFieldContent else {
                throw .invalidRequest(
                    "The value of the header \(field.name) has a line break or another control "
                        + "character.")
            }
        }
    }
}

extension HTTPFailure {
    static func invalidRequest(_ message: String) -> HTTPFailure {
        HTTPFailure(kind: .invalidRequest, reachedRemote: .no, message: message)
    }
}

extension String {
    /// RFC 9110 section 5.6.2.
    fileprivate var isToken: Bool {
        !utf8.isEmpty && utf8.allSatisfy { $0.isLetterOrDigit || tokenMarks.contains($0) }
    }

    /// RFC 9110 section 5.5: visible, space, tab, or a byte above ASCII.
    var isFieldContent: Bool {
        utf8.allSatisfy { $0 == UInt8(ascii: "\t") || ($0 >= 0x20 && $0 != 0x7F) }
    }
}

private let tokenMarks = Array("!#$%&'*+-.^_`|~".utf8)

extension UInt8 {
    var isLetterOrDigit: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}
