/// Bytes that are not what the schema says.
package struct WireError: Error, Equatable, CustomStringConvertible {
    package var offset: Int
    package var problem: String

    package var description: String { "not a readable message: \(problem) at byte \(offset)" }
}

/// Reads a message in the Protocol Buffers wire format; what it does not know is kept.
package struct WireDecoder: WireVisitor {
    private let input: [UInt8]
    private var position: Int
    private let end: Int
    private let parts: OpenedParts
    private let depth: Int
    private var failure: WireError?

    private var number = 0
    private var type = WireType.varint
    private var varint: UInt64 = 0
    private var payload = 0..<0
    private var taken = false

    package var isDecoding: Bool { true }
    package var fieldJustRead: Int { number }

    private init(_ input: [UInt8], _ range: Range<Int>, parts: OpenedParts, depth: Int) {
        self.input = input
        self.position = range.lowerBound
        self.end = range.upperBound
        self.parts = parts
        self.depth = depth
    }

    /// Reads a whole message.
    ///
    /// Sealed values are taken from `parts`; one that is not there is `nil`.
    ///
    /// - Throws: `WireError` with the offset of the first byte that makes no sense.
    package static func decode<M: WireMessage>(
        _ type: M.Type = M.self, from input: [UInt8], parts: OpenedParts = OpenedParts()
    ) throws(WireError) -> M {
        var decoder = WireDecoder(input, 0..<input.count, parts: parts, depth: 0)
        var message = M()
        decoder.read(into: &message)
        if let failure = decoder.failure { throw failure }
        return message
    }

    /// Deeper nesting than any of our messages has: a refusal instead of a stack overflow.
    private static var maximumDepth: Int { 32 }

    private mutating func read(into message: inout some WireMessage) {
        guard depth < Self.maximumDepth else { return fail("nested too deeply") }
        while position < end, failure == nil {
            let start = position
            guard nextField() else { return }
            taken = false
            message.visit(&self)
            if !taken { message.unknownFields += input[start..<position] }
        }
    }

    /// Moves over one field: its key and its payload.
    private mutating func nextField() -> Bool {
        guard let key = nextVarint() else { return false }
        guard let type = WireType(rawValue: UInt8(key & 7)), key >> 3 > 0, key >> 3 < 1 << 29
        else {
            fail("a field key that no field has")
            return false
        }
        number = Int(key >> 3)
        self.type = type
        let length: Int
        switch type {
        case .varint:
            guard let value = nextVarint() else { return false }
            varint = value
            return true
        case .fixed64: length = 8
        case .fixed32: length = 4
        case .lengthDelimited:
            guard let value = nextVarint() else { return false }
            guard value <= UInt64(end - position) else {
                fail("a length beyond the end")
                return false
            }
            length = Int(value)
        }
        guard length <= end - position else {
            fail("a field beyond the end")
            return false
        }
        payload = position..<position + length
        position += length
        return true
    }

    private mutating func nextVarint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard position < end else { break }
            let byte = input[position]
            position += 1
            if shift == 63, byte > 1 { break }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        fail("a number cut short or too long")
        return nil
    }

    package mutating func refuse(_ problem: String) { fail(problem) }

    package mutating func leaveUnknown() { taken = false }

    private mutating func fail(_ problem: String) {
        if failure == nil { failure = WireError(offset: position, problem: problem) }
    }

    /// Whether the current field is this one, of this type.
    ///
    /// A type that differs leaves it unknown.
    private mutating func takes(_ field: Int, _ wanted: WireType) -> Bool {
        guard number == field, type == wanted else { return false }
        taken = true
        return true
    }

    private mutating func text() -> String {
        if let text = String(validating: input[payload], as: UTF8.self) { return text }
        fail("text that is not UTF-8")
        return ""
    }

    package mutating func unsigned(_ field: Int, _ value: inout UInt64) {
        if takes(field, .varint) { value = varint }
    }

    package mutating func unsigned(_ field: Int, _ value: inout UInt64?) {
        if takes(field, .varint) { value = varint }
    }

    package mutating func signed(_ field: Int, _ value: inout Int64) {
        if takes(field, .varint) { value = unzigzag(varint) }
    }

    package mutating func bool(_ field: Int, _ value: inout Bool) {
        if takes(field, .varint) { value = varint != 0 }
    }

    package mutating func bool(_ field: Int, _ value: inout Bool?) {
        if takes(field, .varint) { value = varint != 0 }
    }

    package mutating func string(_ field: Int, _ value: inout String) {
        if takes(field, .lengthDelimited) { value = text() }
    }

    package mutating func string(_ field: Int, _ value: inout String?) {
        if takes(field, .lengthDelimited) { value = text() }
    }

    package mutating func strings(_ field: Int, _ value: inout [String]) {
        if takes(field, .lengthDelimited) { value.append(text()) }
    }

    package mutating func bytes(_ field: Int, _ value: inout [UInt8]) {
        if takes(field, .lengthDelimited) { value = Array(input[payload]) }
    }

    package mutating func bytes(_ field: Int, _ value: inout [UInt8]?) {
        if takes(field, .lengthDelimited) { value = Array(input[payload]) }
    }

    package mutating func message<M: WireMessage>(_ field: Int, _ value: inout M) {
        if takes(field, .lengthDelimited) { nested(&value) }
    }

    package mutating func message<M: WireMessage>(_ field: Int, _ value: inout M?) {
        guard takes(field, .lengthDelimited) else { return }
        var message = value ?? M()
        nested(&message)
        value = message
    }

    package mutating func messages<M: WireMessage>(_ field: Int, _ value: inout [M]) {
        guard takes(field, .lengthDelimited) else { return }
        var message = M()
        nested(&message)
        value.append(message)
    }

    package mutating func sealed(_ field: Int, _ value: inout Sealed?) {
        var place: SealedPlace? = nil
        message(field, &place)
        if let place { value = parts.value(at: place) }
    }

    private mutating func nested(_ message: inout some WireMessage) {
        var inner = WireDecoder(input, payload, parts: parts, depth: depth + 1)
        inner.read(into: &message)
        if let failure = inner.failure, self.failure == nil { self.failure = failure }
    }
}

/// The sealed parts of one event after an attempt to open them, by part number from 1.
package struct OpenedParts: Sendable {
    package struct Part: Sendable {
        package var subject: SubjectID
        package var category: Category
        /// `nil` when the key or the ciphertext is gone.
        package var values: [Value]?

        package init(subject: SubjectID, category: Category) {
            self.subject = subject
            self.category = category
        }
    }

    package var parts: [Part] = []

    package init(_ parts: [Part] = []) { self.parts = parts }

    /// What stands at a place; `nil` when the event has no such part.
    func value(at place: SealedPlace) -> Sealed? {
        guard let index = Int(exactly: place.part), index >= 1, index <= parts.count else {
            return nil
        }
        let part = parts[index - 1]
        var value: Value?
        if !place.erased, let values = part.values, let slot = Int(exactly: place.slot),
            values.indices.contains(slot)
        {
            value = values[slot]
        }
        return Sealed(value, subject: part.subject, category: part.category)
    }
}
