internal import CCurl
import Glibc

/// Where a URL leads, read by libcurl's own parser: what is judged here is what is connected to.
struct RequestTarget: Sendable, Equatable {
    /// The URL as libcurl spells it after parsing.
    let url: String

    /// Scheme, host and port: what messages may show of a URL.
    let origin: String

    let isEncrypted: Bool

    let isLoopback: Bool

    private static let longestURL = 64 << 10

    init(_ text: String) throws(HTTPFailure) {
        guard text.utf8.count <= Self.longestURL else {
            throw .invalidRequest("The URL is longer than \(Self.longestURL) bytes.")
        }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .invalidRequest(
                "The URL has a space, a control character or a letter outside ASCII: "
                    + "percent-encode it.")
        }
        let parts = try ParsedURL(text)
        let scheme = try parts.part(CURLUPART_SCHEME)
        // libcurl would also read https:/host, https:///host and a bare host.
        let start = text.prefix(scheme.utf8.count + 4).lowercased()
        guard scheme == "https" || scheme == "http", start.hasPrefix("\(scheme)://"),
            !start.hasSuffix("/")
        else {
            throw .invalidRequest("The URL must start with https:// or http:// and a host.")
        }
        let path = try parts.part(CURLUPART_PATH)
        guard !Self.hasDotSegment(path) else {
            throw .invalidRequest(
                "The path has a segment . or .., which would lead to another resource than asked.")
        }
        let host = try parts.part(CURLUPART_HOST)
        let port = try parts.part(CURLUPART_PORT)
        self.url = try parts.part(CURLUPART_URL)
        self.origin = "\(scheme)://\(host):\(port)"
        self.isEncrypted = scheme == "https"
        self.isLoopback = Self.isLoopback(host)
    }

    /// Servers and libcurl resolve these before routing, in clear and percent-encoded.
    private static func hasDotSegment(_ path: String) -> Bool {
        path.split(separator: "/").contains { segment in
            let plain = segment.lowercased().replacing("%2e", with: ".")
            return plain == "." || plain == ".."
        }
    }

    /// 127.0.0.0/8, ::1 and the very name `localhost`, which libcurl never asks a name server for.
    private static func isLoopback(_ host: String) -> Bool {
        if host.equalsIgnoringCase("localhost") { return true }
        var four = in_addr()
        if unsafe inet_pton(AF_INET, host, &four) == 1 {
            return UInt32(bigEndian: four.s_addr) >> 24 == 127
        }
        guard host.hasPrefix("["), host.hasSuffix("]") else { return false }
        var six = in6_addr()
        guard unsafe inet_pton(AF_INET6, String(host.dropFirst().dropLast()), &six) == 1 else {
            return false
        }
        return unsafe withUnsafeBytes(of: six) { bytes in
            unsafe bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
        }
    }
}

/// Owns a `CURLU` handle for as long as the parts of one URL are read.
@safe
private struct ParsedURL: ~Copyable {
    private let handle: OpaquePointer

    init(_ text: String) throws(HTTPFailure) {
        guard let handle = unsafe curl_url() else { fatalError("Out of memory in curl_url.") }
        unsafe self.handle = handle
        let flags = UInt32(CURLU_DISALLOW_USER | CURLU_PATH_AS_IS)
        let code = unsafe curl_url_set(handle, CURLUPART_URL, text, flags)
        // The handle is owned from here on: a throw runs the deinit, which frees it.
        guard code == CURLUE_OK else {
            throw code == CURLUE_USER_NOT_ALLOWED
                ? .invalidRequest(
                    "The URL has a user or password in it: send credentials in a header.")
                : .invalidRequest("The URL cannot be read: expected https://host/path.")
        }
    }

    deinit {
        unsafe curl_url_cleanup(handle)
    }

    /// The corresponding C function is `curl_url_get`.
    func part(_ part: CURLUPart) throws(HTTPFailure) -> String {
        var text: UnsafeMutablePointer<CChar>?
        let code = unsafe curl_url_get(handle, part, &text, UInt32(CURLU_DEFAULT_PORT))
        guard code == CURLUE_OK, let found = unsafe text else {
            throw .invalidRequest("The URL cannot be read: expected https://host/path.")
        }
        defer { unsafe curl_free(found) }
        return unsafe String(cString: found)
    }
}
