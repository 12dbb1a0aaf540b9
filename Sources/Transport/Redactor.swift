/// Keeps secrets and personal data out of what is meant for people: descriptions, messages, logs.
///
/// Where it cannot tell, it hides: header values are shown only if their name is known to be
/// harmless, query values never, bodies only as a number of bytes.
package enum Redactor {
    package static let mask = "[hidden]"

    /// Whether a header, form field, query parameter or JSON member of this name holds a secret.
    package static func isSecret(name: some StringProtocol) -> Bool {
        let plain = name.utf8.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") }
        let lowered = String(decoding: plain.map(\.asciiLowercased), as: UTF8.self)
        return secretParts.contains { lowered.contains($0) }
    }

    private static let secretParts = [
        "authorization", "apikey", "cookie", "token", "secret", "password", "passwd", "passphrase",
        "credential", "signature", "assertion", "privatekey", "accesskey", "sessionid",
    ]

    /// Scheme, host, path and the names of the query; no user, no query value, no fragment.
    package static func redact(url: String) -> String {
        let shown = url.prefix { $0 != "#" }
        let parts = shown.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var text = hidingUser(in: String(parts.first ?? ""))
        if parts.count > 1 {
            let query = parts[1].split(separator: "&", omittingEmptySubsequences: false)
            text += "?" + query.map(hidingValue).joined(separator: "&")
        }
        return onOneLine(text)
    }

    /// Everything up to the last @: a password may itself hold a slash.
    private static func hidingUser(in text: String) -> String {
        guard let at = text.lastIndex(of: "@") else { return text }
        let scheme = ["https://", "http://"].first(where: text.hasPrefix) ?? ""
        return scheme + mask + text[at...]
    }

    /// A parameter without a value may be the token itself.
    private static func hidingValue(of parameter: Substring) -> String {
        guard !parameter.isEmpty else { return "" }
        guard let end = parameter.firstIndex(of: "=") else { return mask }
        return parameter[...end] + mask
    }

    /// A header's value, if its name is known to be harmless.
    static func redact(_ field: HTTPHeaders.Field) -> String {
        let isHarmless = harmlessHeaders.contains(where: field.name.equalsIgnoringCase)
        return onOneLine("\(field.name): \(isHarmless ? redact(field.value) : mask)")
    }

    private static let harmlessHeaders = [
        "accept", "age", "allow", "cache-control", "connection", "content-encoding",
        "content-length", "content-range", "content-type", "date", "keep-alive", "prefer",
        "preference-applied", "range", "retry-after", "server", "transfer-encoding", "user-agent",
        "vary", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset",
    ]

    /// A line break in a value must not start a line of its own in a log.
    static func onOneLine(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map(visible)))
    }

    private static func visible(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: "\u{FFFD}"
        default: scalar
        }
    }
}

// MARK: Descriptions

extension HTTPHeaders.Field: CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    package var description: String { Redactor.redact(self) }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension HTTPHeaders: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        "[" + fields.map(Redactor.redact).joined(separator: ", ") + "]"
    }

    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension HTTPRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        "\(Redactor.onOneLine(method.rawValue)) \(Redactor.redact(url: url)) \(headers) "
            + "body: \(body.count) bytes"
    }

    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension HTTPResponse: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        "\(status) \(headers) body: \(body.count) bytes in \(timings.total)"
    }

    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension HTTPFailure: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String {
        let heard = status.map { " after status \($0)" } ?? ""
        return "\(kind.rawValue)\(heard), reached the remote: \(reachedRemote.rawValue). \(message)"
    }

    package var debugDescription: String { description }
}
