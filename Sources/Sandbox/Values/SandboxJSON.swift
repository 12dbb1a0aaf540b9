/// A JSON value that keeps the order of its members and the text of its numbers.
///
/// Two of the emulated systems give meaning to both: Mautic's key order is the sort order, and
/// `15` and `15.0` tell two of its calls apart.
package indirect enum SandboxJSON: Sendable, Hashable {
    case null
    case bool(Bool)
    /// A number as it is written, so nothing passes through `Double`.
    case number(String)
    case string(String)
    case array([SandboxJSON])
    case object([Member])

    /// One name and value of an object.
    package struct Member: Sendable, Hashable {
        package var name: String
        package var value: SandboxJSON

        package init(_ name: String, _ value: SandboxJSON) {
            self.name = name
            self.value = value
        }
    }

    /// A whole number.
    package static func int(_ value: Int) -> SandboxJSON { .number(String(value)) }

    /// A string, or null where there is none.
    package static func text(_ value: String?) -> SandboxJSON {
        value.map(SandboxJSON.string) ?? .null
    }

    /// The value of the last member of that name, as a PHP array would keep it.
    package subscript(name: String) -> SandboxJSON? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name == name }?.value
    }

    /// The element at that position.
    package subscript(index: Int) -> SandboxJSON? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    package var members: [Member]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    package var elements: [SandboxJSON]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The whole number this is or spells, else nil.
    package var int: Int? {
        switch self {
        case .number(let text), .string(let text): Int(text)
        default: nil
        }
    }

    /// This object without the members whose value is null.
    package var withoutNulls: SandboxJSON {
        guard let members else { return self }
        return .object(members.filter { $0.value != .null })
    }

    /// This value without members whose value is null, at any depth.
    package var withoutAnyNulls: SandboxJSON {
        switch self {
        case .array(let elements): .array(elements.map(\.withoutAnyNulls))
        case .object(let members):
            .object(
                members.filter { $0.value != .null }.map {
                    .init($0.name, $0.value.withoutAnyNulls)
                })
        default: self
        }
    }

    /// The value as a form field or query parameter would spell it; nil for arrays and objects.
    package var scalarText: String? {
        switch self {
        case .null: ""
        case .bool(let value): value ? "1" : ""
        case .number(let text), .string(let text): text
        case .array, .object: nil
        }
    }
}

extension SandboxJSON: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .int(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: SandboxJSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, SandboxJSON)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
}
