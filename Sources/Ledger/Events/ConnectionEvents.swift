/// The systems that can be kept in step.
package enum System: UInt64, WireChoice, CaseIterable, Comparable {
    case unspecified = 0
    case compass = 1
    case mautic = 2
    case suitecrm = 3

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    package static var real: [System] { [.compass, .mautic, .suitecrm] }

    package var name: String {
        switch self {
        case .unspecified: "unspecified"
        case .compass: "compass"
        case .mautic: "mautic"
        case .suitecrm: "suitecrm"
        }
    }

    package init?(name: String) {
        guard let system = Self.real.first(where: { $0.name == name }) else { return nil }
        self = system
    }
}

/// Which way values flow between the record and a system.
package enum Direction: UInt64, WireChoice {
    case both = 0
    /// The system may speak, and is never written.
    case pull = 1
    /// The system is read and written, and says nothing in decisions.
    case push = 2

    package var name: String {
        switch self {
        case .both: "both"
        case .pull: "pull"
        case .push: "push"
        }
    }
}

/// Whether objects may be made at a system for records that it lacks.
package enum CreatePolicy: UInt64, WireChoice {
    case always = 0
    case never = 1

    package var name: String { self == .always ? "always" : "never" }
}

/// A connection was set up or changed.
///
/// Credentials live elsewhere; only their fingerprint is here.
package struct ConnectionConfigured: EventPayload {
    package static var type: UInt64 { 101 }
    package static var name: String { "connection configured" }
    package var connection: ConnectionID = .none
    package var system: System = .unspecified
    package var label = ""
    package var url = ""
    package var credentialFingerprint = ""
    package var direction: Direction = .both
    package var create: CreatePolicy = .always
    package var callsPerMinute: UInt64 = 100
    package var allowsClearText = false
    /// Who belongs: an expression over canonical fields; empty means everybody.
    package var scope = ""
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &connection)
        visitor.choice(2, &system)
        visitor.string(3, &label)
        visitor.string(4, &url)
        visitor.string(5, &credentialFingerprint)
        visitor.choice(6, &direction)
        visitor.choice(7, &create)
        visitor.always(8, &callsPerMinute)
        visitor.bool(9, &allowsClearText)
        visitor.string(10, &scope)
    }

    /// Whether more may be written there than before, which somebody then approves anew.
    ///
    /// Of two scopes nobody can say which is the wider.
    package func widens(_ before: ConnectionConfigured) -> Bool {
        before.direction == .pull && direction != .pull
            || before.create == .never && create == .always || before.scope != scope
    }
}

/// A connection was taken out of service; its replicas and their history stay.
package struct ConnectionRemoved: EventPayload {
    package static var type: UInt64 { 102 }
    package static var name: String { "connection removed" }
    package var connection: ConnectionID = .none
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &connection)
    }
}

/// A person has seen the first plan of a connection and lets it be written to.
package struct WritesApproved: EventPayload {
    package static var type: UInt64 { 103 }
    package static var name: String { "writes approved" }
    package var connection: ConnectionID = .none
    /// What may be written there; none means `contact`, the only one there was.
    package var entities: [String] = []
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &connection)
        visitor.strings(2, &entities)
    }
}

/// The field laws of an entity from here on.
package struct PolicyChanged: EventPayload {
    package static var type: UInt64 { 104 }
    package static var name: String { "policy changed" }
    package var entity = ""
    package var preset = ""
    package var fields: [FieldPolicyText] = []
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.string(1, &entity)
        visitor.string(2, &preset)
        visitor.messages(3, &fields)
    }
}

/// One field's law, in the words of the command line.
package struct FieldPolicyText: WireMessage, Equatable {
    package var field = ""
    package var law = ""
    package var prefer: [String] = []
    package var enforce = false
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.string(1, &field)
        visitor.string(2, &law)
        visitor.strings(3, &prefer)
        visitor.bool(4, &enforce)
    }
}

/// How far a remote's clock stands from ours: theirs minus ours, and how sure that is.
package struct ClockSkewMeasured: EventPayload {
    package static var type: UInt64 { 105 }
    package static var name: String { "clock skew measured" }
    package var connection: ConnectionID = .none
    package var skewMicroseconds: Int64 = 0
    package var uncertaintyMicroseconds: UInt64 = 0
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &connection)
        visitor.signed(2, &skewMicroseconds)
        visitor.unsigned(3, &uncertaintyMicroseconds)
    }
}

/// How the fields of an entity stand at each system from here on, as a mapping file says it.
///
/// How an attribute is written, and the kinds of object of an entity, are the program's own.
package struct MappingChanged: EventPayload {
    package static var type: UInt64 { 106 }
    package static var name: String { "mapping changed" }
    package var entity = ""
    package var fields: [FieldMappingText] = []
    /// What holds at a whole system.
    package var places: [PlaceText] = []
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.string(1, &entity)
        visitor.messages(2, &fields)
        visitor.messages(3, &places)
    }

    /// Who belongs at a system, and who is made there.
    package struct PlaceText: WireMessage, Equatable {
        package var system: System = .unspecified
        /// An expression over canonical fields; empty means everybody.
        package var scope = ""
        /// `always`, `never` or `when` and an expression; empty means always.
        package var create = ""
        package var unknownFields: [UInt8] = []
        package init() {}
        package mutating func visit(_ visitor: inout some WireVisitor) {
            visitor.choice(1, &system)
            visitor.string(2, &scope)
            visitor.string(3, &create)
        }
    }
}

/// One canonical field, in the words of a mapping file.
package struct FieldMappingText: WireMessage, Equatable {
    package var field = ""
    package var category = ""
    /// What kind of values it has; empty means text.
    package var kind = ""
    /// Empty means the preset's.
    package var law = ""
    package var prefer: [String] = []
    /// The field whose content this consent belongs to.
    package var address = ""
    /// The entity whose records its values are.
    package var refers = ""
    /// The further kinds of object that do not have it.
    package var lackedBy: [String] = []
    package var spellings: [SpellingText] = []
    /// How it takes its value from another record, or from other fields of its own.
    package var derivation: DerivationText?
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.string(1, &field)
        visitor.string(2, &category)
        visitor.string(3, &kind)
        visitor.string(4, &law)
        visitor.strings(5, &prefer)
        visitor.string(6, &address)
        visitor.string(7, &refers)
        visitor.strings(8, &lackedBy)
        visitor.messages(9, &spellings)
        visitor.message(10, &derivation)
    }

    package struct DerivationText: WireMessage, Equatable {
        /// The entity it is taken from, and the field of it.
        package var from = ""
        package var take = ""
        /// The reference of this record that leads there.
        package var by = ""
        /// `greatest` or `least` and a field: which of several records is taken.
        package var pick = ""
        /// Its values in the order in which they are preferred, instead of `pick`.
        package var order: [String] = []
        /// The set field that holds it as an element, and what stands before it there.
        package var into = ""
        package var prefix = ""
        /// Fields of this record whose texts it is made of, instead of all above.
        package var join: [String] = []
        /// What stands between two of them; empty means one space.
        package var separator = ""
        package var unknownFields: [UInt8] = []
        package init() {}
        package mutating func visit(_ visitor: inout some WireVisitor) {
            visitor.string(1, &from)
            visitor.string(2, &take)
            visitor.string(3, &by)
            visitor.string(4, &pick)
            visitor.strings(5, &order)
            visitor.string(6, &into)
            visitor.string(7, &prefix)
            visitor.strings(8, &join)
            visitor.string(9, &separator)
        }
    }
}

/// How one canonical field stands at one system, in the words of a mapping file.
package struct SpellingText: WireMessage, Equatable {
    package var system: System = .unspecified
    package var attribute = ""
    /// The most characters that the system stores; 0 means any number.
    package var longest: UInt64 = 0
    /// Named functions in the order in which they read, such as `trim` or `phone 49`.
    package var functions: [String] = []
    /// Contents and the system's words for them.
    package var lookup: [WordText] = []
    package var direction: Direction = .both
    package var onlyCreate = false
    package var isRequired = false
    /// What stands there for a blank.
    package var standsForBlank = ""
    /// A blank there says nothing, and none is written there.
    package var blankIsSilent = false
    /// What every object gets that is made there.
    package var constant = ""
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.choice(1, &system)
        visitor.string(2, &attribute)
        visitor.unsigned(3, &longest)
        visitor.strings(4, &functions)
        visitor.messages(5, &lookup)
        visitor.choice(6, &direction)
        visitor.bool(7, &onlyCreate)
        visitor.bool(8, &isRequired)
        visitor.string(9, &standsForBlank)
        visitor.bool(10, &blankIsSilent)
        visitor.string(11, &constant)
    }

    package struct WordText: WireMessage, Equatable {
        package var content = ""
        package var word = ""
        package var unknownFields: [UInt8] = []
        package init() {}
        package init(_ content: String, _ word: String) {
            self.content = content
            self.word = word
        }
        package mutating func visit(_ visitor: inout some WireVisitor) {
            visitor.string(1, &content)
            visitor.string(2, &word)
        }
    }
}
