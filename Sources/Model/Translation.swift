import Ledger

/// What a mapping does to a field's spelling at one system, beyond what the system's own codec does:
/// named functions, a table of words, and what stands for a blank.
// A class, so that the codecs of plain fields stay small.
package final class Translation: Sendable, Hashable {
    /// In the order in which they read.
    package let functions: [TextFunction]
    /// Contents with the system's words for them.
    package let words: [Word]
    /// What stands there for a blank.
    package let blank: String?
    /// The words by content, and the contents by word; of two alike the first counts.
    private let told: [String: String]
    private let read: [String: String]

    package struct Word: Sendable, Hashable {
        package var content: String
        package var word: String

        package init(_ content: String, _ word: String) {
            self.content = content
            self.word = word
        }
    }

    /// `nil` where nothing is translated.
    package init?(functions: [TextFunction] = [], words: [Word] = [], blank: String? = nil) {
        if functions.isEmpty, words.isEmpty, blank == nil { return nil }
        self.functions = functions
        self.words = words
        self.blank = blank
        told = .init(words.map { ($0.content, $0.word) }) { first, _ in first }
        read = .init(words.map { ($0.word, $0.content) }) { first, _ in first }
    }

    package static func == (left: Translation, right: Translation) -> Bool {
        left.functions == right.functions && left.words == right.words
            && left.blank == right.blank
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(functions)
        hasher.combine(words)
        hasher.combine(blank)
    }

    /// Whether a spelling is the very word that stands for a blank.
    func isDefault(_ spelling: Value) -> Bool {
        blank.map { blank in Self.text(spelling).map(trimmed) == blank } ?? false
    }

    /// What the system's spelling is before the field's own kind reads it.
    func reading(_ spelling: Value) -> Value {
        guard let text = Self.text(spelling) else { return spelling }
        if !words.isEmpty {
            return read[trimmed(text)].map(Value.text) ?? spelling
        }
        return functions.reduce(spelling) { $1.reading($0) }
    }

    /// How the system is told a spelling, other than a blank, of the field's own kind.
    func writing(_ spelling: Value) -> Value {
        guard let text = Self.text(spelling) else { return spelling }
        if !words.isEmpty {
            return told[text].map(Value.text) ?? spelling
        }
        return functions.reversed().reduce(spelling) { $1.writing($0) }
    }

    /// The part of a name that it reads from what stands there; `nil` where it reads the whole.
    package var part: String? {
        let parts = functions.filter(\.isSplit)
        return parts.isEmpty ? nil : parts.map(\.text).joined(separator: " ")
    }

    /// Whether a content has a word there.
    func hasWord(for content: Value) -> Bool {
        guard !words.isEmpty, !content.isBlank else { return true }
        return Self.text(content).map { told[$0] != nil } ?? false
    }

    private static func text(_ value: Value) -> String? {
        switch value {
        case .text(let text), .number(let text): text
        case .bool(let flag): flag ? "1" : "0"
        default: nil
        }
    }
}

/// A named function of a mapping: how a system's spelling is read, and how it is told one.
///
/// A *cleaning* function gives a spelling its one form, both ways, and leaves what has that form as it
/// is. A *split* has no way back, so what it reads is never written. The others have an inverse.
package enum TextFunction: Sendable, Hashable {
    /// White space at both ends removed.
    case trim
    case lowercase
    case uppercase
    /// A web address with a scheme, as Mautic stores one: `http://` before what names none (fact A14).
    case url
    /// A phone number as E.164 writes it: `+4930123456`. The number is the country's calling code
    /// (ITU-T E.164), for numbers that begin with the trunk prefix 0.
    case phone(code: String)
    /// A count of hundredths there, a decimal number here.
    case cents
    /// A flag that says the opposite.
    case not
    /// HTML entities there, their characters here.
    case html
    /// A day as the system writes it, such as `dd.mm.yyyy`; ISO 8601 here.
    case date(format: String)
    /// The first or the last name in a whole one, by the rules of `NameParts`.
    case splitFirst
    case splitLast

    /// - Throws: `FunctionError`, which says what there is.
    package init(_ text: String) throws(FunctionError) {
        let parts = text.split(separator: " ", maxSplits: 1).map { trimmed(String($0)) }
        let argument = parts.count > 1 ? parts[1] : ""
        switch (parts.first ?? "", argument) {
        case ("trim", ""): self = .trim
        case ("lowercase", ""): self = .lowercase
        case ("uppercase", ""): self = .uppercase
        case ("url", ""): self = .url
        case ("cents", ""): self = .cents
        case ("not", ""): self = .not
        case ("html", ""): self = .html
        case ("phone", let code):
            guard (1...3).contains(code.count), code.utf8.allSatisfy(isDigit),
                code.first != "0", !Self.otherTrunks.contains(code)
            else { throw .noCallingCode(code) }
            self = .phone(code: code)
        case ("date", let format):
            guard Self.isDateFormat(format) else { throw .noDateFormat(format) }
            self = .date(format: format)
        case ("split", "first"): self = .splitFirst
        case ("split", "last"): self = .splitLast
        case ("split", let part): throw .noPart(part)
        case (let name, _): throw Self.names.contains(name) ? .takesNothing(name) : .unknown(name)
        }
    }

    /// Where a leading 0 is no trunk prefix, or there is another one: numbers would be made wrong.
    private static let otherTrunks: Set<String> = [
        "7", "36", "39", "225", "241", "242", "370", "375", "378", "993",
    ]

    package static var names: [String] {
        [
            "trim", "lowercase", "uppercase", "url", "phone", "cents", "not", "html", "date",
            "split",
        ]
    }

    /// As a mapping file writes it.
    package var text: String {
        switch self {
        case .trim: "trim"
        case .lowercase: "lowercase"
        case .uppercase: "uppercase"
        case .phone(let code): "phone \(code)"
        case .url: "url"
        case .cents: "cents"
        case .not: "not"
        case .html: "html"
        case .date(let format): "date \(format)"
        case .splitFirst: "split first"
        case .splitLast: "split last"
        }
    }

    /// The kinds of field that it can read into.
    package func fits(_ kind: FieldCodec.Kind) -> Bool {
        switch self {
        case .cents: kind == .money
        case .not: kind == .flag
        case .date: kind == .day
        case .splitFirst, .splitLast: kind == .text
        default: kind == .text || kind == .email
        }
    }

    /// Whether it reads a part of what stands there.
    var isSplit: Bool { self == .splitFirst || self == .splitLast }

    func reading(_ spelling: Value) -> Value {
        switch self {
        case .cents: hundredths(spelling, by: -2)
        case .not: negated(spelling)
        case .html: mapped(spelling, TextRules.fullyDecoded)
        case .date(let format): mapped(spelling) { Self.iso($0, format) ?? $0 }
        case .splitFirst: part(of: spelling, \.first)
        case .splitLast: part(of: spelling, \.last)
        case .trim, .lowercase, .uppercase, .url, .phone: cleaned(spelling)
        }
    }

    func writing(_ spelling: Value) -> Value {
        switch self {
        case .cents: hundredths(spelling, by: 2)
        case .not: negated(spelling)
        case .html: mapped(spelling, TextRules.encodingEntities)
        case .date(let format): mapped(spelling) { Self.local($0, format) ?? $0 }
        case .splitFirst, .splitLast: spelling
        case .trim, .lowercase, .uppercase, .url, .phone: cleaned(spelling)
        }
    }

    private func cleaned(_ spelling: Value) -> Value {
        mapped(spelling) { text in
            switch self {
            case .trim: trimmed(text)
            case .lowercase: text.lowercased()
            case .uppercase: text.uppercased()
            case .url: Self.address(text)
            case .phone(let code): Self.international(text, code) ?? text
            default: text
            }
        }
    }

    private func mapped(_ value: Value, _ body: (String) -> String) -> Value {
        if case .text(let text) = value { .text(body(text)) } else { value }
    }

    private func part(of value: Value, _ part: KeyPath<NameParts, String>) -> Value {
        guard case .text(let text) = value else { return value }
        let name = NameParts(text)[keyPath: part]
        return name.isEmpty ? .null : .text(name)
    }

    /// What says nothing does not say the opposite of something.
    private func negated(_ value: Value) -> Value {
        if value.isBlank { return value }
        let flag = FieldCodec(.compass, .flag).content(of: value)
        return if case .bool(let flag) = flag { .bool(!flag) } else { value }
    }

    private func hundredths(_ value: Value, by places: Int) -> Value {
        switch value {
        case .number(let text), .text(let text):
            TextRules.decimal(trimmed(text)).map { .number(TextRules.shifted($0, by: places)) }
                ?? value
        default: value
        }
    }

    // MARK: - Web addresses

    /// An address with a scheme (RFC 3986, section 3.1); `http` where it names none.
    private static func address(_ text: String) -> String {
        let bare = trimmed(text)
        guard !bare.isEmpty, bare.firstMatch(of: /^[A-Za-z][A-Za-z0-9+.-]*:\/\//) == nil else {
            return bare
        }
        return "http://" + bare
    }

    // MARK: - Phone numbers

    /// A number in E.164's form; `nil` where it is none: then it stays as it is, and nothing is lost.
    private static func international(_ text: String, _ code: String) -> String? {
        let bare = trimmed(text).replacing("(0)", with: "")
        let written = bare.filter { !" -./()\u{A0}".contains($0) }
        guard !written.isEmpty, written.dropFirst().utf8.allSatisfy(isDigit),
            written.first == "+" || written.utf8.first.map(isDigit) == true
        else { return nil }
        let number: String =
            if written.hasPrefix("+") {
                String(written.dropFirst())
            } else if written.hasPrefix("00") {
                String(written.dropFirst(2))
            } else if written.hasPrefix("0"), code != "1" {
                code + written.dropFirst()
            } else if code == "1", written.count == 10 {
                // North America has no trunk prefix.
                code + written
            } else {
                ""
            }
        return (7...15).contains(number.count) && number.first != "0" ? "+" + number : nil
    }

    // MARK: - Days

    private static func isDateFormat(_ format: String) -> Bool {
        ["dd", "mm", "yyyy"].allSatisfy { format.ranges(of: $0).count == 1 }
            && format.filter(\.isLetter).count == 8 && !format.contains(where: \.isNumber)
    }

    private static func iso(_ text: String, _ format: String) -> String? {
        let (text, pattern) = (Array(trimmed(text)), Array(format))
        guard text.count == pattern.count else { return nil }
        var parts: [Character: String] = [:]
        for (character, wanted) in zip(text, pattern) {
            if wanted.isLetter {
                guard character.isASCII, character.isNumber else { return nil }
                parts[wanted, default: ""].append(character)
            } else if character != wanted {
                return nil
            }
        }
        guard let year = parts["y"], let month = parts["m"], let day = parts["d"],
            Timestamp("\(year)-\(month)-\(day)T00:00:00Z") != nil
        else { return nil }
        return "\(year)-\(month)-\(day)"
    }

    private static func local(_ iso: String, _ format: String) -> String? {
        guard Timestamp("\(iso)T00:00:00Z") != nil, iso.count == 10 else { return nil }
        let parts = iso.split(separator: "-").map(String.init)
        return format.replacing("yyyy", with: parts[0]).replacing("mm", with: parts[1])
            .replacing("dd", with: parts[2])
    }
}

private func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

package enum FunctionError: Error, Equatable, CustomStringConvertible {
    case unknown(String)
    case takesNothing(String)
    case noCallingCode(String)
    case noDateFormat(String)
    case noPart(String)

    package var description: String {
        switch self {
        case .unknown(let text):
            "there is no function \(text)"
                + didYouMean(text, among: TextFunction.names)
                + " take one of " + TextFunction.names.joined(separator: ", ")
        case .takesNothing(let name): "the function \(name) takes no argument"
        case .noCallingCode(let code):
            "phone needs the calling code of a country whose numbers begin with 0 at home (or 1), such as `phone 49`, not \(code.isEmpty ? "nothing" : code)"
        case .noDateFormat(let format):
            "date needs a form with dd, mm and yyyy, such as `date dd.mm.yyyy`, not \(format.isEmpty ? "nothing" : format)"
        case .noPart(let part):
            "split takes `split first` or `split last`, not \(part.isEmpty ? "nothing" : part)"
                + (nearest(part, in: ["first", "last"]).map { ": did you mean \($0)?" } ?? "")
        }
    }
}
