extension SandboxJSON {
    /// How one of the emulated programs spells its JSON.
    package struct Style: Sendable {
        /// Everything outside ASCII as `\uXXXX`.
        package var escapesNonASCII: Bool
        /// `/` as `\/`.
        package var escapesSlashes: Bool
        /// `'`, `&`, `<` and `>` as `\u00XX`, and `"` as `\u0022`.
        package var escapesForHTML: Bool
        /// One member a line, four spaces a level.
        package var isPretty: Bool

        /// PHP's `json_encode` without options: Mautic's controllers.
        package static let php = Style(
            escapesNonASCII: true, escapesSlashes: true, escapesForHTML: false, isPretty: false)
        /// Symfony's `JsonResponse`: Mautic's errors of auth and routing.
        package static let symfony = Style(
            escapesNonASCII: true, escapesSlashes: true, escapesForHTML: true, isPretty: false)
        /// SuiteCRM's V8 answers.
        package static let pretty = Style(
            escapesNonASCII: false, escapesSlashes: false, escapesForHTML: false, isPretty: true)
        /// PostgREST's answers, and anything else without whitespace.
        package static let compact = Style(
            escapesNonASCII: false, escapesSlashes: false, escapesForHTML: false, isPretty: false)
    }

    /// The JSON text in that style.
    package func text(_ style: Style = .compact) -> String {
        var out = ""
        write(into: &out, style: style, depth: 0)
        return out
    }

    private func write(into out: inout String, style: Style, depth: Int) {
        switch self {
        case .null: out += "null"
        case .bool(let value): out += value ? "true" : "false"
        case .number(let text): out += text
        case .string(let text): Self.write(text, into: &out, style: style)
        case .array(let elements):
            Self.writeList(elements, brackets: ("[", "]"), into: &out, style: style, depth: depth) {
                $0.write(into: &$1, style: style, depth: depth + 1)
            }
        case .object(let members):
            Self.writeList(members, brackets: ("{", "}"), into: &out, style: style, depth: depth) {
                Self.write($0.name, into: &$1, style: style)
                $1 += style.isPretty ? ": " : ":"
                $0.value.write(into: &$1, style: style, depth: depth + 1)
            }
        }
    }

    private static func writeList<Item>(
        _ items: [Item],
        brackets: (open: String, close: String),
        into out: inout String,
        style: Style,
        depth: Int,
        _ writeItem: (Item, inout String) -> Void
    ) {
        out += brackets.open
        for (index, item) in items.enumerated() {
            if index > 0 { out += "," }
            if style.isPretty { out += "\n" + String(repeating: "    ", count: depth + 1) }
            writeItem(item, &out)
        }
        if style.isPretty, !items.isEmpty {
            out += "\n" + String(repeating: "    ", count: depth)
        }
        out += brackets.close
    }

    private static func write(_ text: String, into out: inout String, style: Style) {
        out += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += style.escapesForHTML ? "\\u0022" : "\\\""
            case "\\": out += "\\\\"
            case "/": out += style.escapesSlashes ? "\\/" : "/"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "\u{8}": out += "\\b"
            case "\u{C}": out += "\\f"
            case "'", "&", "<", ">":
                if style.escapesForHTML {
                    out += escape(UInt16(scalar.value), uppercase: true)
                } else {
                    out.unicodeScalars.append(scalar)
                }
            default:
                if scalar.value < 0x20 || (style.escapesNonASCII && scalar.value > 0x7E) {
                    for unit in String(scalar).utf16 { out += escape(unit) }
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        out += "\""
    }

    /// `\uXXXX`; PHP writes lower-case digits, except for its HTML-safe escapes.
    private static func escape(_ unit: UInt16, uppercase: Bool = false) -> String {
        let digits = String(unit, radix: 16, uppercase: uppercase)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
