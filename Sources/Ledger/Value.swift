/// What a field holds, either as a system spelt it or in the ledger's own (canonical) form.
///
/// `missing` has no case: a field that a look did not tell is absent from it. Numbers are decimal
/// text, since amounts must not pass through a binary fraction.
public enum Value: Hashable, Sendable {
    case null
    case text(String)
    case number(String)
    case bool(Bool)
    /// Sorted, without repeats (keep it so with `Value.set(of:)`).
    case set([String])
    case bytes([UInt8])
    /// What a newer writer wrote, as the bytes of its message: kept and passed on, never read as
    /// anything else, since a kind that is taken for null would be spread as null.
    case unrecognized([UInt8])

    /// A set of these elements, sorted and without repeats.
    public static func set(of elements: some Sequence<String>) -> Value {
        .set(Set(elements).sorted())
    }

    /// Null, an empty text, an empty set: nothing that speaks at first contact.
    public var isBlank: Bool {
        switch self {
        case .null: true
        case .text(let text): text.isEmpty
        case .set(let elements): elements.isEmpty
        case .number, .bool, .bytes, .unrecognized: false
        }
    }

    /// Whether this is of a kind that this code does not know.
    public var isUnrecognized: Bool {
        if case .unrecognized = self { true } else { false }
    }

    /// The elements of a set; any other value has none.
    public var elements: [String] {
        if case .set(let elements) = self { elements } else { [] }
    }
}

extension Value: WireMessage {
    public init() { self = .null }

    public mutating func visit(_ visitor: inout some WireVisitor) {
        var null: Bool? = nil
        var text: String? = nil
        var number: String? = nil
        var bool: Bool? = nil
        var set: StringSet? = nil
        var bytes: [UInt8]? = nil
        switch self {
        // Elements of a set that comes in two pieces are put together, as Protocol Buffers has it.
        case .set(let value): set = StringSet(elements: value)
        case _ where visitor.isDecoding: break
        case .null: null = true
        case .text(let value): text = value
        case .number(let value): number = value
        case .bool(let value): bool = value
        case .bytes(let value): bytes = value
        case .unrecognized: break
        }
        visitor.bool(1, &null)
        visitor.string(2, &text)
        visitor.string(3, &number)
        visitor.bool(4, &bool)
        visitor.message(5, &set)
        visitor.bytes(6, &bytes)
        guard visitor.isDecoding else { return }
        // The last field of a oneof wins; one of another wire type was not taken and says nothing.
        switch visitor.fieldJustRead {
        case 1 where null != nil: take(.null)
        case 2: if let text { take(.text(text)) }
        case 3: if let number { take(.number(number)) }
        case 4: if let bool { take(.bool(bool)) }
        case 5: if let set { take(set) }
        case 6: if let bytes { take(.bytes(bytes)) }
        default: break
        }
    }

    /// Takes a kind that was read; beside something newer it is no longer the whole value.
    private mutating func take(_ value: Value) {
        guard case .unrecognized(let raw) = self else {
            self = value
            return
        }
        self = .unrecognized(raw + WireEncoder.encode(value))
    }

    private mutating func take(_ set: StringSet) {
        guard set.unknownFields.isEmpty else {
            var whole = Self.null
            whole.unknownFields = WireEncoder.encode(SetField(set: set))
            return take(whole)
        }
        take(.set(set.elements))
    }

    /// What this code does not know of a value makes the whole of it unrecognized.
    public var unknownFields: [UInt8] {
        get { if case .unrecognized(let raw) = self { raw } else { [] } }
        set {
            guard !newValue.isEmpty else { return }
            switch self {
            // No kind stood before; an explicit null says the same.
            case .null, .unrecognized: self = .unrecognized(newValue)
            default: self = .unrecognized(WireEncoder.encode(self) + newValue)
            }
        }
    }
}

extension Value {
    /// Reads a value that is one field of a simple kind; `nil` for any other.
    init?(plain bytes: Span<UInt8>, _ range: Range<Int>) throws(WireError) {
        var walk = FieldWalk(range)
        guard try walk.next(bytes), walk.position == range.upperBound else { return nil }
        switch (walk.number, walk.type) {
        case (1, .varint): self = .null
        case (2, .lengthDelimited):
            guard let text = String(bytes, walk.payload) else { return nil }
            self = .text(text)
        case (3, .lengthDelimited):
            guard let number = String(bytes, walk.payload) else { return nil }
            self = .number(number)
        case (4, .varint): self = .bool(walk.varint != 0)
        default: return nil
        }
    }
}

extension String {
    /// Copies text out of bytes; `nil` where it is not UTF-8.
    init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        let text: String? = bytes.extracting(range).withUnsafeBufferPointer { bytes in
            // Most of it is ASCII, which needs no second look.
            bytes.reduce(0, |) < 0x80
                ? String(decoding: bytes, as: UTF8.self)
                : String(validating: bytes, as: UTF8.self)
        }
        guard let text else { return nil }
        self = text
    }
}

/// A value's set, with what is not known of it.
private struct SetField: WireMessage {
    var set = StringSet()
    var unknownFields: [UInt8] = []

    init() {}
    init(set: StringSet) { self.set = set }

    mutating func visit(_ visitor: inout some WireVisitor) { visitor.message(5, &set) }
}

/// The elements of a set on the wire.
public struct StringSet: WireMessage {
    public var elements: [String] = []
    public var unknownFields: [UInt8] = []

    public init() {}
    public init(elements: [String]) { self.elements = elements }

    public mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.strings(1, &elements)
    }
}
