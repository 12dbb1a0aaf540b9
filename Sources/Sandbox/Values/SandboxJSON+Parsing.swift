extension SandboxJSON {
    /// The value those bytes spell, or nil where they are no JSON text or no UTF-8.
    package init?(parsing bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        self.init(parsing: text)
    }

    /// The value that text spells, or nil where it is no JSON text.
    package init?(parsing text: String) {
        var parser = Parser(bytes: Array(text.utf8))
        guard let value = parser.document() else { return nil }
        self = value
    }

    private struct Parser {
        let bytes: [UInt8]
        var position = 0
        /// PHP refuses deeper nesting; so does this, and the stack is safe.
        static let depthLimit = 512

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func document() -> SandboxJSON? {
            guard let value = value(depth: 0) else { return nil }
            skipSpace()
            return position == bytes.count ? value : nil
        }

        private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

        private mutating func skipSpace() {
            while let byte = current, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
        }

        private mutating func take(_ literal: StaticString) -> Bool {
            let count = literal.utf8CodeUnitCount
            guard position + count <= bytes.count else { return false }
            let matches = "\(literal)".utf8.elementsEqual(bytes[position..<position + count])
            if matches { position += count }
            return matches
        }

        private mutating func value(depth: Int) -> SandboxJSON? {
            guard depth < Self.depthLimit else { return nil }
            skipSpace()
            switch current {
            case UInt8(ascii: "{"): return object(depth: depth)
            case UInt8(ascii: "["): return array(depth: depth)
            case UInt8(ascii: "\""): return string().map(SandboxJSON.string)
            case UInt8(ascii: "t"): return take("true") ? .bool(true) : nil
            case UInt8(ascii: "f"): return take("false") ? .bool(false) : nil
            case UInt8(ascii: "n"): return take("null") ? .null : nil
            default: return number()
            }
        }

        private mutating func object(depth: Int) -> SandboxJSON? {
            position += 1
            var members: [Member] = []
            skipSpace()
            if take("}") { return .object([]) }
            while true {
                skipSpace()
                guard current == UInt8(ascii: "\""), let name = string() else { return nil }
                skipSpace()
                guard take(":"), let value = value(depth: depth + 1) else { return nil }
                members.append(Member(name, value))
                skipSpace()
                if take("}") { return .object(members) }
                guard take(",") else { return nil }
            }
        }

        private mutating func array(depth: Int) -> SandboxJSON? {
            position += 1
            var elements: [SandboxJSON] = []
            skipSpace()
            if take("]") { return .array([]) }
            while true {
                guard let value = value(depth: depth + 1) else { return nil }
                elements.append(value)
                skipSpace()
                if take("]") { return .array(elements) }
                guard take(",") else { return nil }
            }
        }

        private mutating func number() -> SandboxJSON? {
            let start = position
            _ = take("-")
            guard digits(leadingZeroAllowed: false) else { return nil }
            if take("."), !digits(leadingZeroAllowed: true) { return nil }
            if take("e") || take("E") {
                if !take("+") { _ = take("-") }
                guard digits(leadingZeroAllowed: true) else { return nil }
            }
            return .number(String(decoding: bytes[start..<position], as: UTF8.self))
        }

        private mutating func digits(leadingZeroAllowed: Bool) -> Bool {
            let start = position
            while let byte = current, (0x30...0x39).contains(byte) { position += 1 }
            let count = position - start
            guard count > 0 else { return false }
            return leadingZeroAllowed || count == 1 || bytes[start] != 0x30
        }

        private mutating func string() -> String? {
            position += 1
            var out: [UInt8] = []
            while let byte = current {
                position += 1
                switch byte {
                case UInt8(ascii: "\""): return String(decoding: out, as: UTF8.self)
                case UInt8(ascii: "\\"):
                    guard let scalar = escape() else { return nil }
                    out.append(contentsOf: String(scalar).utf8)
                case 0..<0x20: return nil
                default: out.append(byte)
                }
            }
            return nil
        }

        private mutating func escape() -> Unicode.Scalar? {
            guard let byte = current else { return nil }
            position += 1
            switch byte {
            case UInt8(ascii: "n"): return "\n"
            case UInt8(ascii: "t"): return "\t"
            case UInt8(ascii: "r"): return "\r"
            case UInt8(ascii: "b"): return "\u{8}"
            case UInt8(ascii: "f"): return "\u{C}"
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return .init(byte)
            case UInt8(ascii: "u"): return unicodeEscape()
            default: return nil
            }
        }

        private mutating func unicodeEscape() -> Unicode.Scalar? {
            guard let high = unit() else { return nil }
            guard (0xD800..<0xDC00).contains(high) else { return Unicode.Scalar(high) }
            guard take("\\u"), let low = unit(), (0xDC00..<0xE000).contains(low) else { return nil }
            return Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
        }

        private mutating func unit() -> UInt32? {
            guard position + 4 <= bytes.count else { return nil }
            let digits = String(decoding: bytes[position..<position + 4], as: UTF8.self)
            position += 4
            return UInt32(digits, radix: 16)
        }
    }
}
