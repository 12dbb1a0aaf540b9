/// What the real programs do to text on its way in.
///
/// Sources: Mautic FINDINGS A13, SuiteCRM FINDINGS 5 and 6. What these functions do not foresee
/// shows in the answer to the write, which always wins over them.
package enum TextRules {
    /// Entities decoded, tags removed, all after a bare `<` lost, ends trimmed.
    package static func mauticCleaned(_ text: String) -> String {
        trimmed(withoutTags(decodingEntities(text)))
    }

    /// Entities decoded, unsafe tags removed, all after a `<` that opens no tag lost, ends trimmed,
    /// NUL removed.
    package static func suiteCleaned(_ text: String) -> String {
        let decoded = decodingEntities(text).filter { $0 != "\0" }
        guard decoded.contains("<") else { return trimmed(decoded) }
        return trimmed(withoutTags(decoded))
    }

    /// Mautic takes `-tag` for a removal and a comma for a separator (FINDINGS D10).
    package static func isMauticTag(_ tag: String) -> Bool {
        // By bytes, as PHP sees them: a combining mark after it changes neither.
        !tag.isEmpty && tag.utf8.first != UInt8(ascii: "-") && !tag.utf8.contains(UInt8(ascii: ","))
            && !tag.utf8.contains(UInt8(ascii: "<")) && trimmed(tag) == tag
    }

    /// Mautic refuses what has no `@`, or no domain with a dot behind it, with everything beside it.
    package static func isMauticAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !text.contains(where: \.isWhitespace) else {
            return false
        }
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        return labels.count > 1 && labels.allSatisfy { !$0.isEmpty }
    }

    /// The four entities that SuiteCRM writes on read (fact 6), decoded once.
    package static func decodingSuiteEntities(_ text: String) -> String {
        replacing(text, written, again: false)
    }

    /// The same four and `&amp;`, as both programs decode what is sent to them: one level of it.
    static func decodingEntities(_ text: String) -> String { replacing(text, read, again: false) }

    /// Every level of entities decoded, in one pass whatever their number.
    static func fullyDecoded(_ text: String) -> String { replacing(text, read, again: true) }

    /// The characters that HTML gives a meaning, as entities.
    static func encodingEntities(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            .replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
    }

    private typealias Entity = (name: [UInt8], means: [UInt8])

    private static let written: [Entity] = [
        ("&#039;", "'"), ("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"),
    ].map { (Array($0.utf8), Array($1.utf8)) }

    private static let read: [Entity] =
        written
        + [("&amp;", "&"), ("&#39;", "'"), ("&copy;", "©"), ("&nbsp;", "\u{A0}")]
        .map { (Array($0.utf8), Array($1.utf8)) }

    /// Each entity ends with the only semicolon in it: there it is looked for at the output's end.
    ///
    /// With `again`, an `&` that was decoded may begin the next entity; without, it may not.
    private static func replacing(_ text: String, _ entities: [Entity], again: Bool) -> String {
        guard text.utf8.contains(UInt8(ascii: "&")) else { return text }
        var output: [UInt8] = []
        output.reserveCapacity(text.utf8.count)
        var done = 0
        for byte in text.utf8 {
            output.append(byte)
            guard byte == UInt8(ascii: ";") else { continue }
            let entity = entities.first {
                output.count - done >= $0.name.count && output.suffix($0.name.count) == $0.name[...]
            }
            guard let entity else { continue }
            output.removeLast(entity.name.count)
            output += entity.means
            if !again { done = output.count }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func withoutTags(_ text: String) -> String {
        var output = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "<") {
            output += rest[..<open]
            let inside = rest[rest.index(after: open)...]
            guard let first = inside.first, first.isLetter || "/!?".contains(first) else {
                // `a < b` keeps its text, `<` followed by a space is no tag.
                if inside.first == " ", let close = inside.firstIndex(of: ">") {
                    output += rest[open...close]
                    rest = inside[inside.index(after: close)...]
                    continue
                }
                return output
            }
            guard let close = inside.firstIndex(of: ">") else { return output }
            rest = inside[inside.index(after: close)...]
        }
        return output + rest
    }
}
