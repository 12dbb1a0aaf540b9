import Connectors
import Ledger

#if canImport(Glibc)
    import Glibc
#endif

/// A value for people.
func text(_ value: Value?) -> String {
    switch value {
    case nil: "(erased)"
    case .null: "(empty)"
    case .text(let text): text.isEmpty ? "(empty)" : text
    case .number(let number): number
    case .bool(let flag): flag ? "yes" : "no"
    case .set(let elements): elements.isEmpty ? "(none)" : elements.joined(separator: ", ")
    case .bytes(let bytes): "\(bytes.count) bytes"
    case .unrecognized: "(a value that a newer syncledger wrote)"
    }
}

/// A sealed value for people, where none was ever there told apart from one that was erased.
func text(_ sealed: Sealed?) -> String { sealed.map { text($0.value) } ?? "–" }

/// A value for programs: its own kind where JSON has it, null where its key is gone.
func json(_ value: Value?) -> JSON {
    switch value {
    case nil, .null: .null
    case .text(let text): .string(text)
    case .number(let number): .number(number)
    case .bool(let flag): .bool(flag)
    case .set(let elements): .array(elements.map { .string($0) })
    case .bytes(let bytes), .unrecognized(let bytes):
        .string(bytes.map(hexadecimal).joined())
    }
}

/// A moment for people, to the second.
func text(_ time: Timestamp?) -> String {
    time.map { String($0.description.prefix(19)) + "Z" } ?? "–"
}

/// A moment for programs, whole.
func json(_ time: Timestamp?) -> JSON { time.map { .string("\($0)") } ?? .null }

/// The system's words for an error number.
func words(for code: Int32) -> String { String(cString: strerror(code)) }

/// Text as a terminal may show it: what would steer the terminal or hide is spelt out.
///
/// Names, values and what systems answer are other people's text: an escape sequence in them could
/// rewrite the screen, a mark of direction could turn a word around. Visible text stays as it is.
func visible(_ text: String) -> String {
    spelt(text) { scalar in
        switch scalar {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default: "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        }
    }
}

/// Text of several lines, each as a terminal may show it.
func visibleLines(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { visible(String($0)) }
        .joined(separator: "\n")
}

/// JSON as a terminal may show it: the same value, for what hides can only stand in its texts.
func visibleJSON(_ text: String) -> String {
    spelt(text) { scalar in
        scalar.utf16.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }
}

/// The text with `spelling` for every character that steers or hides.
private func spelt(_ text: String, _ spelling: (Unicode.Scalar) -> String) -> String {
    guard text.unicodeScalars.contains(where: isHidden) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        if isHidden(scalar) {
            result.append(contentsOf: spelling(scalar).unicodeScalars)
        } else {
            result.append(scalar)
        }
    }
    return String(result)
}

private func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x7F { return scalar.value < 0x20 }
    // The joiners steer nothing, and Persian, Hindi and families of emoji are written with them.
    if ["\u{200C}", "\u{200D}"].contains(scalar) { return false }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
}

/// Text in a column of this width.
func padded(_ text: String, _ width: Int) -> String {
    let text = visible(text)
    return text + String(repeating: " ", count: max(1, width - text.count))
}

/// Columns padded to their widest cell.
func table(_ rows: [[String]]) -> [String] {
    let rows = rows.map { $0.map(visible) }
    let widths = (rows.first ?? []).indices.map { column in
        rows.map { $0[column].count }.max() ?? 0
    }
    return rows.map { row in
        var line = zip(row, widths).map { cell, width in
            cell + String(repeating: " ", count: width - cell.count)
        }.joined(separator: "  ")
        while line.last == " " { line.removeLast() }
        return line
    }
}
