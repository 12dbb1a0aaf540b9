/// What SuiteCRM does to text on its way in and out (fact 6).
enum SuiteCRMText {
    /// The text as it is stored: entities decoded, NUL and the blanks at its ends gone, tags
    /// that are unknown or judged unsafe removed.
    static func purified(_ text: String) -> String {
        let plain = String(String.UnicodeScalarView(text.unicodeScalars.filter { $0 != "\u{0}" }))
        let decoded = decodedEntities(blankTrimmed(plain))
        guard decoded.contains("<") else { return decoded }
        var out = ""
        var rest = Substring(decoded)
        while let open = rest.firstIndex(of: "<") {
            out += rest[..<open]
            let tail = rest[rest.index(after: open)...]
            // A tag starts with a letter, a slash or a mark; any other `<` is a character.
            guard let first = tail.first, first.isLetter || first == "/" || first == "!" else {
                out += "<"
                rest = tail
                continue
            }
            guard let close = tail.firstIndex(of: ">") else { return out }
            let inside = tail[..<close]
            let name = inside.drop { $0 == "/" }.prefix { $0.isLetter || $0.isNumber }.lowercased()
            rest = tail[tail.index(after: close)...]
            if safeTags.contains(name) {
                out += "<\(inside)>"
            } else if emptiedTags.contains(name), !inside.hasPrefix("/") {
                let end = rest.firstRange(of: "</\(name)>")
                rest = end.map { rest[$0.upperBound...] } ?? ""
            }
        }
        return out + rest
    }

    /// Only blanks, tabs and line ends; a no-break space stays (06, `&nbsp;x`).
    private static func blankTrimmed(_ text: String) -> String { text.trimmingSpaces }

    /// The text as an answer shows it: four characters as entities, `&` as it is.
    static func shown(_ text: String) -> String {
        guard text.contains(where: { "'\"<>".contains($0) }) else { return text }
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "'": out += "&#039;"
            case "\"": out += "&quot;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// The text cut to a column's width: characters, or bytes of a long text (fact 7).
    static func cut(_ text: String, to kind: SuiteCRMField.Kind) -> String {
        switch kind {
        case .text(let limit):
            guard text.unicodeScalars.count > limit else { return text }
            return String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit)))
        case .longText:
            guard text.utf8.count > 65_535 else { return text }
            var bytes = 0
            let kept = text.unicodeScalars.prefix {
                bytes += UTF8.width($0)
                return bytes <= 65_535
            }
            return String(String.UnicodeScalarView(kept))
        default: return text
        }
    }

    private static let safeTags: Set<String> = [
        "a", "b", "i", "u", "em", "strong", "p", "br", "div", "span", "ul", "ol", "li", "h1", "h2",
        "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "td", "th", "img", "pre", "code",
        "blockquote", "hr", "sub", "sup", "font", "small", "big",
    ]
    private static let emptiedTags: Set<String> = ["script", "style", "object", "iframe"]
}
