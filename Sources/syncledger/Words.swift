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

/// Text in a column of this width.
func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
}

/// Columns padded to their widest cell.
func table(_ rows: [[String]]) -> [String] {
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
