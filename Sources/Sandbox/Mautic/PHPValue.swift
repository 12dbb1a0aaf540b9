/// A value in PHP's serialized form, as the audit log keeps its details.
indirect enum PHPValue: Sendable, Hashable {
    case null
    case int(Int)
    case double(String)
    case string(String)
    case array([Entry])
    /// A `DateTime` in UTC.
    case dateTime(SandboxTime)

    struct Entry: Sendable, Hashable {
        var key: PHPValue
        var value: PHPValue
    }

    /// An array with names for keys.
    static func map(_ entries: [(String, PHPValue)]) -> PHPValue {
        .array(entries.map { Entry(key: .string($0.0), value: $0.1) })
    }

    /// An array with positions for keys.
    static func list(_ values: [PHPValue]) -> PHPValue {
        .array(values.enumerated().map { Entry(key: .int($0.offset), value: $0.element) })
    }

    /// A string, or null where there is none.
    static func text(_ value: String?) -> PHPValue { value.map(PHPValue.string) ?? .null }

    /// What `serialize` writes; lengths count bytes.
    var serialized: String {
        switch self {
        case .null: "N;"
        case .int(let value): "i:\(value);"
        case .double(let text): "d:\(text);"
        case .string(let text): "s:\(text.utf8.count):\"\(text)\";"
        case .array(let entries):
            "a:\(entries.count):{"
                + entries.map { $0.key.serialized + $0.value.serialized }.joined() + "}"
        case .dateTime(let time):
            "O:8:\"DateTime\":3:{s:4:\"date\";s:26:\"\(time.sqlMicroseconds)\";"
                + "s:13:\"timezone_type\";i:3;s:8:\"timezone\";s:3:\"UTC\";}"
        }
    }
}
