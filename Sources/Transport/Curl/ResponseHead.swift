/// The head of a response, taken line by line as libcurl hands the lines on.
///
/// Interim responses (1xx) come first and are dropped, trailers come last and are dropped too, but
/// both count towards the limits.
struct ResponseHead: Sendable {
    enum Verdict: Equatable {
        case accepted
        case tooLarge
        case malformed
    }

    private(set) var status: Int?
    private(set) var headers = HTTPHeaders()
    private(set) var isComplete = false

    private let maximumSize: Int
    private let maximumCount: Int
    private var size = 0
    private var count = 0

    init(limits: HTTPLimits) {
        self.maximumSize = limits.maximumHeaderSize
        self.maximumCount = limits.maximumHeaderCount
    }

    mutating func take(_ line: [UInt8]) -> Verdict {
        size += line.count
        count += 1
        guard size <= maximumSize, count <= maximumCount else { return .tooLarge }
        let text = line[..<line[...].endOfText]
        if isComplete, let status, status >= 200 { return .accepted }
        if status == nil || isComplete {
            startHead(text)
        } else if text.isEmpty {
            isComplete = true
            return isTrustworthy ? .accepted : .malformed
        } else {
            takeField(text)
        }
        return .accepted
    }

    /// Two lengths would leave open where the next response begins (RFC 9112 section 6.3), and a
    /// coding that was not asked for is one that libcurl may unpack without noticing a cut.
    private var isTrustworthy: Bool {
        let codings = headers.values(of: "Content-Encoding")
            .flatMap { $0.lowercased().filter { !$0.isWhitespace }.split(separator: ",") }
            .filter { !["", "identity", "none"].contains($0) }
        return Set(headers.values(of: "Content-Length")).count <= 1
            && codings.count <= 1 && codings.allSatisfy { ["gzip", "x-gzip"].contains($0) }
    }

    private mutating func startHead(_ text: ArraySlice<UInt8>) {
        status = Self.status(of: text)
        headers = HTTPHeaders()
        isComplete = false
    }

    /// The three digits of `HTTP/1.0 401 Unauthorized`.
    private static func status(of text: ArraySlice<UInt8>) -> Int? {
        guard text.starts(with: "HTTP/".utf8) else { return nil }
        let words = text.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard words.count >= 2, words[1].count == 3 else { return nil }
        return Int(String(decoding: words[1], as: UTF8.self))
    }

    private mutating func takeField(_ text: ArraySlice<UInt8>) {
        if text.first == UInt8(ascii: " ") || text.first == UInt8(ascii: "\t") {
            headers.continueLast(with: text.trimmedText)
            return
        }
        // libcurl passes on a line without a colon; it says nothing a caller could look up.
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return }
        headers.append(text[..<colon].trimmedText, text[(colon + 1)...].trimmedText)
    }
}

extension ArraySlice<UInt8> {
    /// Where the line ends without its CR LF.
    fileprivate var endOfText: Index {
        let isEnd = { (byte: UInt8) in byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n") }
        return lastIndex { !isEnd($0) }.map { $0 + 1 } ?? startIndex
    }

    fileprivate var trimmedText: String {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        guard let first = firstIndex(where: { !isBlank($0) }),
            let last = lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(decoding: self[first...last], as: UTF8.self)
    }
}
