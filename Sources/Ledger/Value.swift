/// What a field holds, either as a system spelt it or in the ledger's own (canonical) form.
///
/// `missing` has no case: a field that a look did not tell is absent from it. Numbers are decimal
/// text, since amounts must not pass through a binary fraction.
package enum Value: Hashable, Sendable {
    case null
    case text(String)
    case number(String)
    case bool(Bool)
    /// Sorted, without repeats (keep it so with `Value.set(of:)`).
    case set([String])
    case bytes([UInt8])

    /// A set of these elements, sorted and without repeats.
    package static func set(of elements: some Sequence<String>) -> Value {
        .set(Set(elements).sorted())
    }

    /// Null, an empty text, an empty set: nothing that speaks at first contact.
    package var isBlank: Bool {
        switch self {
        case .null: true
        case .text(let text): text.isEmpty
        case .set(let elements): elements.isEmpty
        case .number, .bool, .bytes: false
        }
    }

    /// The elements of a set; any other value has none.
    package var elements: [String] {
        if case .set(let elements) = self { elements } else { [] }
    }
}

extension Value: WireMessage {
    package init() { self = .null }

    package mutating func visit(_ visitor: inout some WireVisitor) {
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
        case 1 where null != nil: self = .null
        case 2: if let text { self = .text(text) }
        case 3: if let number { self = .number(number) }
        case 4: if let bool { self = .bool(bool) }
        case 5: if let set { self = .set(set.elements) }
        case 6: if let bytes { self = .bytes(bytes) }
        default: break
        }
    }

    package var unknownFields: [UInt8] {
        get { [] }
        set {}
    }
}

/// The elements of a set on the wire.
package struct StringSet: WireMessage {
    package var elements: [String] = []
    package var unknownFields: [UInt8] = []

    package init() {}
    package init(elements: [String]) { self.elements = elements }

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.strings(1, &elements)
    }
}
