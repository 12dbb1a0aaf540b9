package import Ledger

/// How one system spells one field: three pure functions and what follows from them.
///
/// A *spelling* is a value as the system shows or takes it; *content* is the ledger's own form.
/// Codecs are versioned: `version` stands in every event that was made with one.
package struct FieldCodec: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case text
        /// Compared without regard to case: addresses are case-insensitive in practice, and all
        /// three systems look them up so.
        case email
        case integer
        case flag
        /// A decimal number, kept digit by digit.
        case money
        /// A day without a time, as ISO 8601 writes it.
        case day
        case tags
        /// The system's own id of another object.
        case reference
        /// The name of another object, which is written by its id.
        case referenceByName

        package var isReference: Bool { self == .reference || self == .referenceByName }
    }

    package static var version: UInt64 { 1 }

    package var system: System
    package var kind: Kind
    /// The longest text in characters that the system stores, if it cuts or refuses longer ones.
    package var maximumLength: Int?
    /// What a mapping does to it besides.
    package var translation: Translation?

    package init(
        _ system: System, _ kind: Kind, maximumLength: Int? = nil, translation: Translation? = nil
    ) {
        self.system = system
        self.kind = kind
        self.maximumLength = maximumLength
        self.translation = translation
    }

    /// What a spelling means.
    ///
    /// What it cannot mean (a newer kind of value, a number beyond 64 bits, a word in a count) stays
    /// as it is spelt: it equals no content that was read, and `reads` tells it apart.
    package func content(of spelling: Value) -> Value {
        guard let translation else { return plainContent(of: spelling) }
        if translation.isDefault(spelling) { return .null }
        let content = plainContent(of: translation.reading(spelling))
        guard let blank = translation.blank, [.integer, .money, .day].contains(kind) else {
            return content
        }
        // A number or a day is the same one however it is spelt.
        return content == plainContent(of: translation.reading(spelt(blank))) ? .null : content
    }

    /// A word of a mapping file as the system is told it.
    package func spelt(_ word: String) -> Value {
        switch kind {
        case .integer, .money: TextRules.decimal(word).map { .number($0) } ?? .text(word)
        default: .text(word)
        }
    }

    /// Whether a word of a mapping file can be read as a value of the field.
    func readsWord(_ word: String) -> Bool {
        isOfKind(plainContent(of: translation?.reading(spelt(word)) ?? spelt(word)))
    }

    private func plainContent(of spelling: Value) -> Value {
        switch kind {
        case .text: oneBlank(spelling.asText)
        case .email: oneBlank(spelling.asText.mapText { trimmed($0).lowercased() })
        case .integer: spelling.asInteger
        case .flag: spelling.asFlag
        case .tags: spelling.asTags
        case .money: oneZero(spelling.asMoney)
        case .day: spelling.asDay
        case .reference, .referenceByName: spelling.asText.blankAs(.null)
        }
    }

    /// Whether a content is one that such a field can have.
    package func reads(_ content: Value) -> Bool {
        isOfKind(content) && (translation?.hasWord(for: content) ?? true)
    }

    /// Whether a content is of the kind, and the mapping only has no word of the system for it.
    func lacksWord(for content: Value) -> Bool {
        isOfKind(content) && !(translation?.hasWord(for: content) ?? true)
    }

    private func isOfKind(_ content: Value) -> Bool {
        switch (kind, content) {
        case (_, .null), (.text, .text), (.email, .text), (.flag, .bool), (.tags, .set): true
        case (.reference, .text), (.referenceByName, .text): true
        case (.integer, .number(let text)): Int64(text) != nil
        case (.money, .number(let text)): TextRules.decimal(text) == text
        case (.day, .text(let text)): Timestamp("\(text)T00:00:00Z") != nil
        default: false
        }
    }

    /// Null and "" are one where the system cannot hold both: SuiteCRM never answers null, Mautic
    /// never "".
    private func oneBlank(_ content: Value) -> Value {
        system == .compass ? content : content.blankAs(.null)
    }

    /// SuiteCRM makes 0 of an amount that is blank (fact 8): it cannot hold both, so its 0 is none.
    private func oneZero(_ content: Value) -> Value {
        system == .suitecrm && content == .number("0") ? .null : content
    }

    /// How the system is told a content.
    ///
    /// Text is sent as the system will keep it: both programs decode and clean once more with every
    /// save (SuiteCRM fact 5), so anything else would change again later.
    package func spelling(of content: Value) -> Value {
        guard reads(plainContent(of: content)) else { return content }
        let content: Value =
            if let blank = translation?.blank, content.isBlank {
                spelt(blank)
            } else {
                translation?.writing(content) ?? content
            }
        let meant = plainContent(of: content)
        return switch (system, kind) {
        case (.mautic, .text), (.mautic, .email), (.suitecrm, .text), (.suitecrm, .email):
            // An address is longer in lower case where it has a dotted capital I.
            stable(kind == .email ? meant.asText : content.asText)
                .blankAs(system == .mautic ? .null : .text(""))
        case (.suitecrm, .flag): .text(content == .bool(true) ? "1" : "0")
        case (.suitecrm, _) where content == .null: .text("")
        case (.mautic, .tags): .set(of: content.elements.filter(TextRules.isMauticTag))
        default: content
        }
    }

    /// What the system will show after it was told this spelling, as far as its rules are known.
    package func stored(_ spelling: Value) -> Value {
        switch (system, kind) {
        case (.mautic, .text), (.mautic, .email):
            spelling.mapText { cut(TextRules.mauticCleaned($0)) }.blankAs(.null)
        case (.suitecrm, .text), (.suitecrm, .email):
            spelling.mapText { cut(TextRules.suiteCleaned($0)) }.blankAs(.text(""))
        case (.mautic, .integer): spelling.asInteger
        // Numbers come back with fourteen significant digits (fact 22).
        case (.suitecrm, .money): spelling.mapNumber { TextRules.rounded($0, digits: 14) }
        case (.mautic, .tags):
            if case .set(let tags) = spelling {
                .set(of: tags.filter(TextRules.isMauticTag))
            } else {
                spelling
            }
        default: spelling
        }
    }

    /// How this system holds a content: what it would show, read back.
    ///
    /// Of a part of a name it is that part, with one space between its words: nothing is written there,
    /// and reading it again would split it once more.
    package func held(_ content: Value) -> Value {
        if translation?.part != nil {
            return plainContent(of: content).mapText { text in
                NameParts.words(text[...]).joined(separator: " ")
            }.blankAs(.null)
        }
        return self.content(of: stored(spelling(of: content)))
    }

    private func stable(_ content: Value) -> Value {
        if case .text(let text) = content { .text(stabilized(text).text) } else { content }
    }

    /// A text that storing leaves as it is, and how often storing was tried to find it.
    ///
    /// Entities are decoded to the end at once, since each save decodes one level of them. Text that
    /// unwraps further with every save is made to be so: what it unwraps from is taken out.
    package func stabilized(_ text: String) -> (text: String, passes: Int) {
        var spelling = TextRules.fullyDecoded(text)
        for pass in 1...Self.mostPasses {
            let next = saved(spelling)
            if next == spelling { return (next, pass) }
            spelling = TextRules.fullyDecoded(next)
        }
        spelling.removeAll { $0 == "<" || $0 == "&" }
        return (saved(spelling), Self.mostPasses + 1)
    }

    private static var mostPasses: Int { 8 }

    private func saved(_ text: String) -> String {
        if case .text(let saved) = stored(.text(text)) { saved } else { "" }
    }

    /// Databases count code points, not what people see as one character.
    private func cut(_ text: String) -> String {
        guard let maximumLength, text.unicodeScalars.count > maximumLength else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(maximumLength)))
    }
}

extension Value {
    fileprivate var asText: Value {
        switch self {
        case .number(let text): .text(text)
        case .bool(let flag): .text(flag ? "1" : "0")
        case .set(let elements): .text(elements.joined(separator: ", "))
        default: self
        }
    }

    fileprivate var asMoney: Value {
        switch self {
        case .number(let text), .text(let text):
            if let plain = TextRules.decimal(trimmed(text)) {
                .number(plain)
            } else {
                trimmed(text).isEmpty ? .null : self
            }
        default: self
        }
    }

    /// The day of a moment is the day that stands first in it.
    fileprivate var asDay: Value {
        guard case .text(let text) = self else { return self }
        return .text(String(trimmed(text).prefix(10))).blankAs(.null)
    }

    fileprivate func mapNumber(_ body: (String) -> String) -> Value {
        if case .number(let text) = self { .number(body(text)) } else { self }
    }

    /// A whole number; fractions are dropped as Mautic drops them.
    ///
    /// Blank is no number. What is neither is left as it is.
    fileprivate var asInteger: Value {
        switch self {
        case .number(let text), .text(let text):
            if let whole = Int64(text.prefix { $0 != "." }) {
                .number(String(whole))
            } else {
                trimmed(text).isEmpty ? .null : self
            }
        case .bool(let flag): .number(flag ? "1" : "0")
        default: self
        }
    }

    /// Blank means no: a consent field that says nothing is not opted out.
    ///
    /// A word that is neither is left as it is, so that nobody is taken for not opted out.
    fileprivate var asFlag: Value {
        switch self {
        case .null: .bool(false)
        case .number(let text), .text(let text):
            switch trimmed(text).lowercased() {
            case "1", "true", "t", "on", "yes", "y": .bool(true)
            case "", "0", "false", "f", "off", "no", "n": .bool(false)
            default: self
            }
        default: self
        }
    }

    fileprivate var asTags: Value {
        switch self {
        case .null: .set([])
        case .set(let elements): .set(of: elements.map(trimmed).filter { !$0.isEmpty })
        case .text(let text):
            .set(of: text.split(separator: ",").map { trimmed(String($0)) }.filter { !$0.isEmpty })
        default: self
        }
    }

    fileprivate func mapText(_ transform: (String) -> String) -> Value {
        if case .text(let text) = self { .text(transform(text)) } else { self }
    }

    fileprivate func blankAs(_ blank: Value) -> Value { isBlank ? blank : self }

    /// The number as an integer; blank counts as nothing.
    package var integer: Int64 {
        if case .number(let text) = self { Int64(text) ?? 0 } else { 0 }
    }
}

/// Leading and trailing white space removed.
package func trimmed(_ text: String) -> String {
    // Most texts begin and end with a visible ASCII character.
    if let first = text.utf8.first, let last = text.utf8.last, (33...126).contains(first),
        (33...126).contains(last)
    {
        return text
    }
    var rest = text[...]
    while let first = rest.first, first.isWhitespace { rest.removeFirst() }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest)
}
