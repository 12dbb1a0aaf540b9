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
