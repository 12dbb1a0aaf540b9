/// Header fields in the order they were written, with names compared without case.
///
/// A name may occur more than once. The values of all but a few harmless fields are kept out of
/// every description: see ``Redactor``.
package struct HTTPHeaders: Sendable, Equatable {
    /// One line of a head.
    package struct Field: Sendable, Equatable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package private(set) var fields: [Field]

    package init(_ fields: [(name: String, value: String)] = []) {
        self.fields = fields.map { Field(name: $0.name, value: $0.value) }
    }

    package var count: Int { fields.count }

    package var isEmpty: Bool { fields.isEmpty }

    /// The first value of this name, read without case; setting it replaces every value.
    package subscript(name: String) -> String? {
        get { fields.first { $0.name.equalsIgnoringCase(name) }?.value }
        set {
            guard let newValue else {
                fields.removeAll { $0.name.equalsIgnoringCase(name) }
                return
            }
            guard let first = fields.firstIndex(where: { $0.name.equalsIgnoringCase(name) }) else {
                append(name, newValue)
                return
            }
            fields[first].value = newValue
            let rest = fields[(first + 1)...].filter { !$0.name.equalsIgnoringCase(name) }
            fields = Array(fields[...first]) + rest
        }
    }

    /// Every value of this name, in order.
    package func values(of name: String) -> [String] {
        fields.filter { $0.name.equalsIgnoringCase(name) }.map(\.value)
    }

    /// Adds a line at the end, also where the name is there already.
    package mutating func append(_ name: String, _ value: String) {
        fields.append(Field(name: name, value: value))
    }

    /// Continues the last value: a folded line, which old servers still write.
    mutating func continueLast(with text: String) {
        guard let last = fields.indices.last else { return }
        fields[last].value += fields[last].value.isEmpty ? text : " " + text
    }
}

extension HTTPHeaders: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, String)...) {
        self.fields = elements.map { Field(name: $0.0, value: $0.1) }
    }
}

extension String {
    /// ASCII letters are compared without case, everything else byte by byte.
    func equalsIgnoringCase(_ other: String) -> Bool {
        utf8.count == other.utf8.count
            && zip(utf8, other.utf8).allSatisfy { $0.asciiLowercased == $1.asciiLowercased }
    }
}

extension UInt8 {
    var asciiLowercased: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }
}
