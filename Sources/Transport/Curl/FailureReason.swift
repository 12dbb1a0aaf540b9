internal import CCurl

/// Turns libcurl's verdict on a transfer into ours.
struct FailureReason {
    /// What our own callbacks and deadlines know better than libcurl's code does.
    enum Cause: Equatable {
        case none
        case bodyTooLarge
        case headersTooLarge
        case malformedHead
        case secondAttempt
    }

    var code: CURLcode
    var cause: Cause
    /// Whether libcurl was ever let past the point where it writes the request.
    var wasSent: Bool

    var reach: HTTPFailure.Reach { wasSent ? .maybe : .no }

    var kind: HTTPFailure.Kind {
        switch cause {
        case .bodyTooLarge: return .bodyTooLarge
        case .headersTooLarge: return .headersTooLarge
        case .malformedHead: return .malformedResponse
        case .secondAttempt: return .connectionLost
        case .none: return wasSent ? kindAfterSending : kindBeforeSending
        }
    }

    private var kindBeforeSending: HTTPFailure.Kind {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .nameNotResolved
        case CURLE_OPERATION_TIMEDOUT: .connectTimeout
        case _ where Self.tlsCodes.contains(code.rawValue): .tls
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: .invalidRequest
        default: .connectionRefused
        }
    }

    private var kindAfterSending: HTTPFailure.Kind {
        switch code {
        case CURLE_OPERATION_TIMEDOUT: .stalled
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING,
            CURLE_WRITE_ERROR:
            .malformedResponse
        // A line longer than libcurl itself takes (100 kB); newer ones say CURLE_TOO_LARGE, 100.
        case CURLE_OUT_OF_MEMORY, CURLcode(100): .headersTooLarge
        default: .connectionLost
        }
    }

    private static let tlsCodes: Set<UInt32> = Set(
        [
            CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_USE_SSL_FAILED,
            CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED,
            CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_CRL_BADFILE, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
            CURLE_SSL_CLIENTCERT,
        ].map(\.rawValue))
}

extension HTTPFailure.Kind {
    /// One sentence about `origin`; `detail` is libcurl's own text, used only before sending.
    func message(about origin: String, limits: HTTPLimits, detail: String) -> String {
        switch self {
        case .nameNotResolved: "The name in \(origin) cannot be resolved: check the URL and DNS."
        case .connectionRefused: "No connection to \(origin): \(detail)."
        case .tls: "No trusted TLS connection to \(origin): \(detail)."
        case .connectTimeout:
            "No connection to \(origin) within \(limits.connectTimeout)."
        case .totalTimeout:
            "No whole answer from \(origin) within \(limits.totalTimeout)."
        case .stalled:
            "\(origin) sent less than a byte a second for \(limits.stallTimeout)."
        case .connectionLost: "The connection to \(origin) ended before its answer did."
        case .malformedResponse: "The answer of \(origin) is not HTTP or cannot be decoded."
        case .headersTooLarge:
            "The headers of \(origin) exceed \(limits.maximumHeaderSize) bytes "
                + "or \(limits.maximumHeaderCount) lines."
        case .bodyTooLarge:
            "The answer of \(origin) exceeds \(limits.maximumBodySize) bytes."
        case .cancelled: "The request to \(origin) was cancelled."
        case .invalidRequest: "The request to \(origin) cannot be sent: \(detail)."
        case .clearTextRefused: "Plain http to \(origin) is refused: use https."
        case .tooManyOutstanding: "Too many requests are outstanding: wait for some to end."
        }
    }
}
