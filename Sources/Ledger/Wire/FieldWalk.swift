/// A walk over the fields of one message, key by key, that keeps nothing but its place.
///
/// It goes over bytes that are lent anew at each step, so that it works on an array and on a
/// database page alike, and allocates nothing.
@usableFromInline struct FieldWalk {
    @usableFromInline private(set) var position: Int
    private let end: Int
    /// The number of the field walked over last.
    private(set) var number = 0
    private(set) var type = WireType.varint
    /// The field's value if it is a varint.
    private(set) var varint: UInt64 = 0
    /// Where the field's bytes are if it is of any other type.
    @usableFromInline private(set) var payload = 0..<0

    @usableFromInline init(_ range: Range<Int>) {
        position = range.lowerBound
        end = range.upperBound
    }

    /// Moves over one field; `false` at the end.
    mutating func next(_ bytes: Span<UInt8>) throws(WireError) -> Bool {
        guard position < end else { return false }
        let key = try nextVarint(bytes)
        guard let type = WireType(rawValue: UInt8(key & 7)), key >> 3 > 0, key >> 3 < 1 << 29
        else { throw problem("a field key that no field has") }
        number = Int(key >> 3)
        self.type = type
        let length: Int
        switch type {
        case .varint:
            varint = try nextVarint(bytes)
            return true
        case .fixed64: length = 8
        case .fixed32: length = 4
        case .lengthDelimited:
            let value = try nextVarint(bytes)
            guard value <= UInt64(end - position) else {
                throw problem("a length beyond the end")
            }
            length = Int(value)
        }
        guard length <= end - position else { throw problem("a field beyond the end") }
        payload = position..<position + length
        position += length
        return true
    }

    /// Whether the field is this one, of this type.
    func isAt(_ field: Int, _ wanted: WireType) -> Bool { number == field && type == wanted }

    func problem(_ text: String) -> WireError { WireError(offset: position, problem: text) }

    /// Most are one byte, so that is tried first.
    private mutating func nextVarint(_ bytes: Span<UInt8>) throws(WireError) -> UInt64 {
        if position < end, bytes[position] < 0x80 {
            position += 1
            return UInt64(bytes[position - 1])
        }
        return try nextLongVarint(bytes)
    }

    private mutating func nextLongVarint(_ bytes: Span<UInt8>) throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 70, position < end {
            let byte = bytes[position]
            position += 1
            if shift == 63, byte > 1 { break }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw problem("a number cut short or too long")
    }
}
