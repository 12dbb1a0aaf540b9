/// A JSON value that keeps the order of keys and the text of numbers.
///
/// Mautic's key order is its sort order, and amounts must not pass through a binary fraction.
package enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSON])
    case object([Member])

    package struct Member: Sendable, Hashable {
        package var name: String
        package var value: JSON
        package init(_ name: String, _ value: JSON) {
            self.name = name
            self.value = value
        }
    }

    /// The value of a name; `nil` where this is no object or has no such name.
    package subscript(_ name: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name == name }?.value
    }

    package var text: String? {
        switch self {
        case .string(let text), .number(let text): text
        default: nil
        }
    }

    package var elements: [JSON] {
        switch self {
        case .array(let elements): elements
        // Mautic answers objects keyed by id or position where it means a list.
        case .object(let members): members.map(\.value)
        default: []
        }
    }

    package var members: [Member] {
        if case .object(let members) = self { members } else { [] }
    }
}

/// Bytes that are not JSON, and where that shows.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    package var offset: Int
    package var problem: String
    package var description: String { "not JSON: \(problem) at byte \(offset + 1)" }
}

extension JSON {
    /// Reads exactly one value (RFC 8259), with nothing but white space around it.
    ///
    /// - Throws: `JSONError` with the offset.
    package init(parsing bytes: [UInt8]) throws(JSONError) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.whole()
    }

    /// The value as compact JSON.
    package var bytes: [UInt8] {
        var output: [UInt8] = []
        write(to: &output)
        return output
    }

    private func write(to output: inout [UInt8]) {
        switch self {
        case .null: output += Array("null".utf8)
        case .bool(let flag): output += Array((flag ? "true" : "false").utf8)
        case .number(let text): output += Array(text.utf8)
        case .string(let text): Self.write(text, to: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                element.write(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                Self.write(member.name, to: &output)
                output.append(UInt8(ascii: ":"))
                member.value.write(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
            case 0x0A: output += Array("\\n".utf8)
            case 0x0D: output += Array("\\r".utf8)
            case 0x09: output += Array("\\t".utf8)
            case ..<0x20:
                let digits = String(byte, radix: 16)
                let zeros = String(repeating: "0", count: 4 - digits.count)
                output += Array(("\\u" + zeros + digits).utf8)
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}

/// A recursive-descent reader with a bound on depth.
private struct JSONParser {
    let bytes: [UInt8]
    var position = 0

    static var maximumDepth: Int { 128 }

    mutating func whole() throws(JSONError) -> JSON {
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw fail("something after the value") }
        return value
    }

    private func fail(_ problem: String) -> JSONError {
        JSONError(offset: position, problem: problem)
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
            position += 1
        }
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func value(depth: Int) throws(JSONError) -> JSON {
        guard depth < Self.maximumDepth else { throw fail("nested too deeply") }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case nil: throw fail("the end instead of a value")
        case let byte? where byte == UInt8(ascii: "-") || (48...57).contains(byte):
            return try number()
        default: throw fail("no value begins so")
        }
    }

    private mutating func word(_ text: String, _ value: JSON) throws(JSONError) -> JSON {
        guard bytes[position...].starts(with: text.utf8) else { throw fail("an unknown word") }
        position += text.utf8.count
        return value
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSON {
        var members: [JSON.Member] = []
        position += 1
        skipSpace()
        if next == UInt8(ascii: "}") {
            position += 1
            return .object([])
        }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw fail("a name is missing") }
            let name = try string()
            skipSpace()
            guard next == UInt8(ascii: ":") else { throw fail("a colon is missing") }
            position += 1
            members.append(.init(name, try value(depth: depth + 1)))
            skipSpace()
            if next == UInt8(ascii: ",") {
                position += 1
            } else if next == UInt8(ascii: "}") {
                position += 1
                return .object(members)
            } else {
                throw fail("a comma or } is missing")
            }
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSON {
        var elements: [JSON] = []
        position += 1
        skipSpace()
        if next == UInt8(ascii: "]") {
            position += 1
            return .array([])
        }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if next == UInt8(ascii: ",") {
                position += 1
            } else if next == UInt8(ascii: "]") {
                position += 1
                return .array(elements)
            } else {
                throw fail("a comma or ] is missing")
            }
        }
    }

    private mutating func number() throws(JSONError) -> JSON {
        let start = position
        func digits() -> Bool {
            let first = position
            while let digit = next, (48...57).contains(digit) { position += 1 }
            return position > first
        }
        if next == UInt8(ascii: "-") { position += 1 }
        let leadsWithZero = next == UInt8(ascii: "0")
        let integerStart = position
        guard digits() else { throw fail("a digit is missing") }
        if leadsWithZero, position - integerStart > 1 { throw fail("a number with leading zeros") }
        if next == UInt8(ascii: ".") {
            position += 1
            guard digits() else { throw fail("a digit is missing") }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            position += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            guard digits() else { throw fail("a digit is missing") }
        }
        return .number(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        var output: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                guard let text = String(validating: output, as: UTF8.self) else {
                    throw fail("text that is not UTF-8")
                }
                return text
            case UInt8(ascii: "\\"): try escape(&output)
            case ..<0x20: throw fail("a control character in text")
            default:
                output.append(byte)
                position += 1
            }
        }
        throw fail("text without an end")
    }

    private mutating func escape(_ output: inout [UInt8]) throws(JSONError) {
        position += 1
        guard let byte = next else { throw fail("text without an end") }
        position += 1
        switch byte {
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(byte)
        case UInt8(ascii: "u"): try unicode(&output)
        default: throw fail("an unknown escape")
        }
    }

    private mutating func unicode(_ output: inout [UInt8]) throws(JSONError) {
        var scalar = try hexadecimal()
        if (0xD800..<0xDC00).contains(scalar) {
            guard next == UInt8(ascii: "\\") else { throw fail("half a surrogate pair") }
            position += 1
            guard next == UInt8(ascii: "u") else { throw fail("half a surrogate pair") }
            position += 1
            let low = try hexadecimal()
            guard (0xDC00..<0xE000).contains(low) else { throw fail("half a surrogate pair") }
            scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let character = Unicode.Scalar(scalar) else { throw fail("half a surrogate pair") }
        output += Array(String(Character(character)).utf8)
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            // By hand, since `UInt32(_:radix:)` takes a sign for a digit.
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw fail("four hexadecimal digits are missing")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
