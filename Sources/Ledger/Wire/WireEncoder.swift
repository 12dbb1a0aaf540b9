/// Writes a message in the Protocol Buffers wire format, fields in the order of `visit`.
public struct WireEncoder: WireVisitor {
    public internal(set) var output: [UInt8] = []
    /// Values met on the way that belong into sealed parts, grouped by subject and category in the
    /// order of first sight.
    public private(set) var sealedGroups: [SealedGroup] = []

    @inlinable public init() {}

    init(capacity: Int) { output.reserveCapacity(capacity) }

    @inlinable public var isDecoding: Bool { false }
    public var fieldJustRead: Int { 0 }

    /// The bytes of a message that holds no sealed values.
    @inlinable public static func encode(_ message: some WireMessage) -> [UInt8] {
        var encoder = WireEncoder()
        encoder.write(message)
        precondition(encoder.sealedGroups.isEmpty, "sealed values need encodeWithParts")
        return encoder.output
    }

    /// The bytes of a message, and what it keeps in sealed parts.
    @inlinable public static func encodeWithParts(
        _ message: some WireMessage
    ) -> (plain: [UInt8], sealed: [SealedGroup]) {
        var encoder = WireEncoder()
        encoder.write(message)
        return (encoder.output, encoder.sealedGroups)
    }

    @inlinable mutating func write(_ message: some WireMessage) {
        var copy = message
        copy.visit(&self)
        append(copy.unknownFields)
    }

    /// Adds bytes that are fields already.
    public mutating func append(_ fields: [UInt8]) { output += fields }

    mutating func write(bytes: [UInt8], field: Int) {
        if !bytes.isEmpty { lengthField(field, bytes) }
    }

    /// Writes a `StoredEvent.Body` without building one.
    mutating func write(body: [UInt8], index: UInt64, field: Int) {
        var length = body.isEmpty ? 0 : 1 + varintSize(UInt64(body.count)) + body.count
        if index != 0 { length += 1 + varintSize(index) }
        key(field, .lengthDelimited)
        appendVarint(UInt64(length), to: &output)
        if index != 0 { varintField(1, index) }
        write(bytes: body, field: 2)
    }

    private func varintSize(_ value: UInt64) -> Int {
        max(1, (70 - value.leadingZeroBitCount) / 7)
    }

    public mutating func unsigned(_ field: Int, _ value: inout UInt64) {
        if value != 0 { varintField(field, value) }
    }

    public mutating func unsigned(_ field: Int, _ value: inout UInt64?) {
        if let value { varintField(field, value) }
    }

    public mutating func signed(_ field: Int, _ value: inout Int64) {
        if value != 0 { varintField(field, zigzag(value)) }
    }

    public mutating func bool(_ field: Int, _ value: inout Bool) {
        if value { varintField(field, 1) }
    }

    public mutating func bool(_ field: Int, _ value: inout Bool?) {
        if let value { varintField(field, value ? 1 : 0) }
    }

    public mutating func string(_ field: Int, _ value: inout String) {
        if !value.isEmpty { lengthField(field, value.utf8) }
    }

    public mutating func string(_ field: Int, _ value: inout String?) {
        if let value { lengthField(field, value.utf8) }
    }

    public mutating func strings(_ field: Int, _ value: inout [String]) {
        for element in value { lengthField(field, element.utf8) }
    }

    public mutating func bytes(_ field: Int, _ value: inout [UInt8]) {
        if !value.isEmpty { lengthField(field, value) }
    }

    public mutating func bytes(_ field: Int, _ value: inout [UInt8]?) {
        if let value { lengthField(field, value) }
    }

    public mutating func bytes(_ field: Int, _ value: inout [[UInt8]]) {
        for element in value { lengthField(field, element) }
    }

    @inlinable public mutating func message<M: WireMessage>(_ field: Int, _ value: inout M) {
        nested(field, value)
    }

    @inlinable public mutating func message<M: WireMessage>(_ field: Int, _ value: inout M?) {
        if let value { nested(field, value) }
    }

    @inlinable public mutating func messages<M: WireMessage>(_ field: Int, _ value: inout [M]) {
        for element in value { nested(field, element) }
    }

    public mutating func sealed(_ field: Int, _ value: inout Sealed?) {
        guard let value else { return }
        let index =
            sealedGroups.firstIndex {
                $0.subject == value.subject && $0.category == value.category
            } ?? sealedGroups.count
        if index == sealedGroups.count {
            sealedGroups.append(SealedGroup(subject: value.subject, category: value.category))
        }
        var place = SealedPlace(part: UInt64(index) + 1, unknownFields: value.unknownFields)
        if let clear = value.value {
            place.slot = UInt64(sealedGroups[index].values.count)
            sealedGroups[index].values.append(clear)
        } else {
            // An erased value must not turn into null on its way into another event.
            place.erased = true
        }
        nested(field, place)
    }

    @inlinable public mutating func id<Kind>(_ field: Int, _ value: inout Identifier<Kind>?) {
        if let value { id(field, value.high, value.low) }
    }

    @usableFromInline mutating func id(_ field: Int, _ high: UInt64, _ low: UInt64) {
        key(field, .lengthDelimited)
        output.append(16)
        appendBigEndian(high, to: &output)
        appendBigEndian(low, to: &output)
    }

    @inlinable public mutating func ids<Kind>(_ field: Int, _ value: inout [Identifier<Kind>]) {
        for element in value {
            var id: Identifier<Kind>? = element
            self.id(field, &id)
        }
    }

    /// Leaves one byte for the length, which is enough for most, and makes room where it is not.
    @inlinable mutating func nested(_ field: Int, _ value: some WireMessage) {
        let start = beginNested(field)
        write(value)
        endNested(start)
    }

    /// - Returns: where the length goes.
    @usableFromInline mutating func beginNested(_ field: Int) -> Int {
        key(field, .lengthDelimited)
        output.append(0)
        return output.count - 1
    }

    @usableFromInline mutating func endNested(_ start: Int) {
        var length = UInt64(output.count - start - 1)
        if length >= 0x80 {
            let more = (63 - length.leadingZeroBitCount) / 7
            output.insert(contentsOf: repeatElement(0, count: more), at: start)
        }
        var position = start
        while length >= 0x80 {
            output[position] = UInt8(truncatingIfNeeded: length) | 0x80
            length >>= 7
            position += 1
        }
        output[position] = UInt8(truncatingIfNeeded: length)
    }

    private mutating func varintField(_ field: Int, _ value: UInt64) {
        key(field, .varint)
        appendVarint(value, to: &output)
    }

    private mutating func lengthField(_ field: Int, _ value: some Collection<UInt8>) {
        key(field, .lengthDelimited)
        appendVarint(UInt64(value.count), to: &output)
        output.append(contentsOf: value)
    }

    private mutating func key(_ field: Int, _ type: WireType) {
        guard field >= 16 else { return output.append(UInt8(field) << 3 | type.rawValue) }
        appendVarint(UInt64(field) << 3 | UInt64(type.rawValue), to: &output)
    }
}

/// The four wire types of proto3.
public enum WireType: UInt8, Sendable {
    case varint = 0
    case fixed64 = 1
    case lengthDelimited = 2
    case fixed32 = 5
}

func appendVarint(_ value: UInt64, to output: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
        output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
    }
    output.append(UInt8(truncatingIfNeeded: rest))
}

/// The values of one sealed part: one subject, one category.
public struct SealedGroup: Sendable, Equatable {
    public var subject: SubjectID
    public var category: Category
    public var values: [Value] = []
}

/// Where in an event's parts a sealed value stands: part 0 is the plain one.
struct SealedPlace: WireMessage {
    var part: UInt64 = 0
    var slot: UInt64 = 0
    /// Nothing stands there: the value was erased already when the event was written.
    var erased = false
    var unknownFields: [UInt8] = []

    mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.unsigned(1, &part)
        visitor.unsigned(2, &slot)
        visitor.bool(3, &erased)
    }
}

extension SealedPlace {
    /// Reads a place without a visitor; `nil` where it says more than this code knows.
    init?(plain bytes: Span<UInt8>, _ range: Range<Int>) {
        self.init()
        var walk = FieldWalk(range)
        do throws(WireError) {
            while try walk.next(bytes) {
                switch (walk.number, walk.type) {
                case (1, .varint): part = walk.varint
                case (2, .varint): slot = walk.varint
                case (3, .varint): erased = walk.varint != 0
                default: return nil
                }
            }
        } catch {
            return nil
        }
    }
}

/// The body of a sealed part: its values in slot order.
public struct SealedBody: WireMessage, Equatable {
    public var values: [Value] = []
    public var unknownFields: [UInt8] = []

    public init() {}
    public init(values: [Value]) { self.values = values }

    public mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.messages(1, &values)
    }

    /// The bytes of a body of these values.
    public static func bytes(of values: [Value]) -> [UInt8] {
        WireEncoder.encode(SealedBody(values: values))
    }

    /// The values of a body's bytes: what decoding it gives, without a visitor for the usual ones.
    public static func values(in bytes: [UInt8]) throws(WireError) -> [Value] {
        if let values = plainValues(bytes.span) { return values }
        return try WireDecoder.decode(SealedBody.self, from: bytes).values
    }

    /// `nil` where any of them is more than one text, number, flag or null.
    private static func plainValues(_ bytes: Span<UInt8>) -> [Value]? {
        var values: [Value] = []
        var walk = FieldWalk(0..<bytes.count)
        do throws(WireError) {
            while try walk.next(bytes) {
                guard walk.isAt(1, .lengthDelimited),
                    let value = try Value(plain: bytes, walk.payload)
                else { return nil }
                values.append(value)
            }
        } catch {
            return nil
        }
        return values
    }
}
