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
        !tag.isEmpty && !tag.hasPrefix("-") && !tag.contains(",") && !tag.contains("<")
            && trimmed(tag) == tag
    }

    /// The four entities that SuiteCRM writes on read (fact 6), decoded once.
    package static func decodingSuiteEntities(_ text: String) -> String {
        guard text.contains("&") else { return text }
        return replacing(text, [("&#039;", "'"), ("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">")])
    }

    /// The same four and `&amp;`, as both programs decode what is sent to them.
    static func decodingEntities(_ text: String) -> String {
        guard text.contains("&") else { return text }
        return replacing(
            text,
            [
                ("&#039;", "'"), ("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"),
                ("&#39;", "'"), ("&copy;", "©"), ("&nbsp;", "\u{A0}"),
            ])
    }

    /// One pass from left to right, so that nothing is decoded twice.
    private static func replacing(_ text: String, _ pairs: [(String, String)]) -> String {
        var output = ""
        var rest = text[...]
        while let next = rest.first {
            if next == "&", let pair = pairs.first(where: { rest.hasPrefix($0.0) }) {
                output += pair.1
                rest = rest.dropFirst(pair.0.count)
            } else {
                output.append(next)
                rest = rest.dropFirst()
            }
        }
        return output
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
