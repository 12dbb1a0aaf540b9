extension Redactor {
    /// Hides what looks like a secret in any text: header lines, forms, queries, JSON.
    ///
    /// The value after a secret's name, the word after `Bearer` or `Basic`, and keys known by their
    /// own look. It rather hides too much than too little, and works on broken text as well.
    package static func redact(_ text: String) -> String {
        var scanner = SecretScanner(bytes: Array(text.utf8))
        return String(decoding: scanner.redacted(), as: UTF8.self)
    }
}

/// Walks a text word by word and copies it, with a mask where a secret is.
private struct SecretScanner {
    let bytes: [UInt8]
    private var position = 0
    private var output: [UInt8] = []

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func redacted() -> [UInt8] {
        while position < bytes.count {
            guard bytes[position].isWord else {
                copy(to: position + 1)
                continue
            }
            let end = end(from: position) { $0.isWord }
            takeWord(String(decoding: bytes[position..<end], as: UTF8.self), end: end)
        }
        return output
    }

    private mutating func takeWord(_ word: String, end: Int) {
        if Self.isKey(word) {
            hide(to: end)
        } else if word.equalsIgnoringCase("bearer") || word.equalsIgnoringCase("basic") {
            copy(to: self.end(from: end) { $0.isBlank })
            hide(to: self.end(from: position) { !$0.endsPlainValue })
        } else {
            copy(to: end)
            if Redactor.isSecret(name: word) { takeValue(of: word) }
        }
    }

    /// JSON web tokens, and the keys that Supabase gives out.
    private static func isKey(_ word: String) -> Bool {
        word.utf8.count >= 20 && (word.hasPrefix("eyJ") || word.hasPrefix("sb_"))
    }

    /// After a secret's name: `: value`, `=value`, `": "value"`, also with escaped quotes.
    private mutating func takeValue(of word: String) {
        let separator = end(from: position) { $0.isQuote || $0.isBlank || $0 == backslash }
        guard separator < bytes.count, bytes[separator] == colon || bytes[separator] == equals
        else { return }
        copy(to: end(from: separator + 1) { $0.isBlank })
        let opening = end(from: position) { $0 == backslash }
        if opening < bytes.count, bytes[opening].isQuote {
            let depth = opening - position
            copy(to: opening + 1)
            hide(to: endOfQuoted(by: bytes[opening], depth: depth))
        } else {
            hide(to: endOfPlain(after: bytes[separator], word: word))
        }
    }

    private func endOfQuoted(by quote: UInt8, depth: Int) -> Int {
        var backslashes = 0
        for index in position..<bytes.count {
            if bytes[index] == quote {
                let isEnd = depth == 0 ? backslashes % 2 == 0 : backslashes == depth
                if isEnd { return index - depth }
            }
            backslashes = bytes[index] == backslash ? backslashes + 1 : 0
        }
        return bytes.count
    }

    private func endOfPlain(after separator: UInt8, word: String) -> Int {
        guard position < bytes.count else { return bytes.count }
        if bytes[position] == UInt8(ascii: "[") || bytes[position] == UInt8(ascii: "{") {
            return bytes.count
        }
        guard separator == colon else { return end(from: position) { !$0.endsPlainValue } }
        let lowered = word.lowercased()
        let isWholeLine = lowered.hasSuffix("authorization") || lowered.contains("cookie")
        return end(from: position) { byte in
            !byte.isLineBreak
                && (isWholeLine || (byte != UInt8(ascii: ",") && byte != UInt8(ascii: "}")))
        }
    }

    private func end(from start: Int, while holds: (UInt8) -> Bool) -> Int {
        bytes[start...].firstIndex { !holds($0) } ?? bytes.count
    }

    private mutating func copy(to end: Int) {
        output += bytes[position..<end]
        position = end
    }

    private mutating func hide(to end: Int) {
        if end > position { output += Redactor.mask.utf8 }
        position = end
    }
}

private let backslash = UInt8(ascii: "\\")
private let colon = UInt8(ascii: ":")
private let equals = UInt8(ascii: "=")

extension UInt8 {
    fileprivate var isWord: Bool {
        isLetterOrDigit || "_-.%".utf8.contains(self)
    }

    fileprivate var isQuote: Bool { self == UInt8(ascii: "\"") || self == UInt8(ascii: "'") }

    fileprivate var isLineBreak: Bool { self == UInt8(ascii: "\n") || self == UInt8(ascii: "\r") }

    fileprivate var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }

    fileprivate var endsPlainValue: Bool {
        isBlank || isLineBreak || isQuote || "&<>".utf8.contains(self)
    }
}
