/// How an exchange ended.
///
/// There is no third way: every request ends in exactly one of these.
package enum HTTPResult: Sendable, Equatable {
    case response(HTTPResponse)
    case failure(HTTPFailure)

    package var response: HTTPResponse? {
        guard case .response(let response) = self else { return nil }
        return response
    }

    package var failure: HTTPFailure? {
        guard case .failure(let failure) = self else { return nil }
        return failure
    }
}

/// Why no whole response was heard, and whether the remote may have acted all the same.
package struct HTTPFailure: Error, Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// The request cannot be written as HTTP: URL, method or header fields.
        case invalidRequest
        /// Plain `http` to another machine, and the request does not allow it.
        case clearTextRefused
        /// The client has as many requests outstanding as it accepts.
        case tooManyOutstanding
        case nameNotResolved
        /// Nothing listens there, or no way leads there.
        case connectionRefused
        /// The handshake failed, or the certificate is not valid for this host.
        case tls
        case connectTimeout
        case totalTimeout
        /// Less than a byte a second for the whole stall timeout.
        case stalled
        /// The connection ended before the response did.
        case connectionLost
        /// What was heard is not HTTP, or cannot be decoded.
        case malformedResponse
        case headersTooLarge
        case bodyTooLarge
        /// By its caller, or because the client was shut down.
        case cancelled
    }

    /// Whether the remote may have acted on the request.
    package enum Reach: String, Sendable {
        /// Provably not: no byte of the request was handed to a connection.
        case no
        /// A part of the request may have left, or a part of the response was heard.
        case maybe
    }

    package var kind: Kind

    package var reachedRemote: Reach

    /// The status line heard before it failed, if any.
    ///
    /// It proves nothing about the rest.
    package var status: Int?

    /// One sentence for a person, with the fix where there is one, and no secret in it.
    package var message: String

    package init(kind: Kind, reachedRemote: Reach, status: Int? = nil, message: String) {
        self.kind = kind
        self.reachedRemote = reachedRemote
        self.status = status
        self.message = message
    }
}
