/// What a command does at the remote.
package enum Operation: UInt64, WireChoice {
    case unspecified = 0
    case create = 1
    case update = 2
    case delete = 3

    package var name: String {
        switch self {
        case .unspecified: "unspecified"
        case .create: "create"
        case .update: "update"
        case .delete: "delete"
        }
    }
}

/// How an attribute is written.
package enum WriteForm: UInt64, WireChoice {
    /// The value itself: the same again does no harm.
    case absolute = 0
    /// A number to add: the same again does harm.
    case delta = 1
    /// Elements to add and to remove (a leading `-`).
    case elements = 2
}

/// One attribute of a command.
package struct CommandChange: WireMessage, Hashable {
    package var field = ""
    package var attribute = ""
    package var form: WriteForm = .absolute
    /// What is sent, as the remote spells it.
    package var write: Sealed?
    /// What the write leaves, as far as the remote's rules are known.
    package var leaves: Sealed?
    /// What the replica held when this was decided.
    package var before: Sealed?
    package var outcomeVersion: UInt64 = 0
    package var baseObservation: EventID?
    /// The record that a reference field is to refer to from then on.
    package var refers: RecordID?
    package var unknownFields: [UInt8] = []
    package init() {}
    @inlinable package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.string(1, &field)
        visitor.string(2, &attribute)
        visitor.choice(3, &form)
        visitor.sealed(4, &write)
        visitor.sealed(5, &leaves)
        visitor.sealed(6, &before)
        visitor.unsigned(7, &outcomeVersion)
        visitor.id(8, &baseObservation)
        visitor.id(9, &refers)
    }
}

/// An API call that a decision wants.
///
/// Durable before its request leaves.
package struct CommandIssued: EventPayload {
    package static var type: UInt64 { 501 }
    package static var name: String { "command issued" }
    package var command: CommandID = .none
    package var record: RecordID = .none
    package var replica: ReplicaID = .none
    package var connection: ConnectionID = .none
    package var entity = ""
    package var operation: Operation = .unspecified
    package var changes: [CommandChange] = []
    /// Which of the entity's further kinds of object it is (`lead`); empty for the ordinary one.
    package var furtherKind = ""
    package var unknownFields: [UInt8] = []
    package init() {}
    @inlinable package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &command)
        visitor.id(2, &record)
        visitor.id(3, &replica)
        visitor.id(4, &connection)
        visitor.string(5, &entity)
        visitor.choice(6, &operation)
        visitor.messages(7, &changes)
        visitor.string(8, &furtherKind)
    }

    /// What kind of object it is.
    package var kind: String { furtherKind.isEmpty ? entity : furtherKind }
}

/// The remote was heard to have done it; `stored` is what each attribute is known to hold since.
package struct CommandConfirmed: EventPayload {
    package static var type: UInt64 { 502 }
    package static var name: String { "command confirmed" }
    package var command: CommandID = .none
    package var replica: ReplicaID = .none
    package var remoteID: Sealed?
    package var stored: [StoredAttribute] = []
    /// Settled by a look instead of by the write's own answer.
    package var byLooking = false
    package var lookedAfter: UInt64 = 0
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &command)
        visitor.id(2, &replica)
        visitor.sealed(3, &remoteID)
        visitor.messages(4, &stored)
        visitor.bool(5, &byLooking)
        visitor.unsigned(6, &lookedAfter)
    }
}

/// What a confirmed write left in one attribute.
package struct StoredAttribute: WireMessage, Hashable {
    package var field = ""
    package var attribute = ""
    package var value: Sealed?
    package var outcomeVersion: UInt64 = 0
    /// The answer showed it; otherwise it is the known normalisation of what we sent.
    package var told = false
    /// The old value still stands: a refusal of this one attribute.
    package var notStored = false
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.string(1, &field)
        visitor.string(2, &attribute)
        visitor.sealed(3, &value)
        visitor.unsigned(4, &outcomeVersion)
        visitor.bool(5, &told)
        visitor.bool(6, &notStored)
    }
}

/// Why a remote did not do it.
package enum Refusal: UInt64, WireChoice {
    case unspecified = 0
    case authentication = 1
    case permission = 2
    case validation = 3
    case notFound = 4
    case conflict = 5
    case limit = 6
    case unreachable = 7
    /// The answer came from another object than the one asked for.
    case wrongObject = 8

    package var name: String {
        switch self {
        case .unspecified: "unspecified"
        case .authentication: "authentication"
        case .permission: "permission"
        case .validation: "validation"
        case .notFound: "not found"
        case .conflict: "conflict"
        case .limit: "limit"
        case .unreachable: "unreachable"
        case .wrongObject: "wrong object"
        }
    }
}

/// The remote was heard to refuse it, or it provably never ran.
package struct CommandRefused: EventPayload {
    package static var type: UInt64 { 503 }
    package static var name: String { "command refused" }
    package var command: CommandID = .none
    package var refusal: Refusal = .unspecified
    package var status: UInt64 = 0
    /// Our own sentence; never the remote's text, which may quote personal data.
    package var reason = ""
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &command)
        visitor.choice(2, &refusal)
        visitor.unsigned(3, &status)
        visitor.string(4, &reason)
    }
}

/// No answer was heard: it may have run or not, and only a look can tell.
package struct CommandUncertain: EventPayload {
    package static var type: UInt64 { 504 }
    package static var name: String { "command uncertain" }
    package var command: CommandID = .none
    package var reason = ""
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &command)
        visitor.string(2, &reason)
    }
}

/// The ground moved before its turn came: it was never sent.
package struct CommandSuperseded: EventPayload {
    package static var type: UInt64 { 505 }
    package static var name: String { "command superseded" }
    package var command: CommandID = .none
    package var reason = ""
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &command)
        visitor.string(2, &reason)
    }
}

/// Tried and given up: a person must look.
package struct CommandParked: EventPayload {
    package static var type: UInt64 { 506 }
    package static var name: String { "command parked" }
    package var command: CommandID = .none
    package var reason = ""
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &command)
        visitor.string(2, &reason)
    }
}

/// An explicit consent with its evidence: the only thing that lifts an opt-out.
package struct ConsentGiven: EventPayload {
    package static var type: UInt64 { 601 }
    package static var name: String { "consent given" }
    package var record: RecordID = .none
    package var field = ""
    package var source = ""
    package var evidence: Sealed?
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &record)
        visitor.string(2, &field)
        visitor.string(3, &source)
        visitor.sealed(4, &evidence)
    }
}

/// A sync pass began.
package struct RunStarted: EventPayload {
    package static var type: UInt64 { 801 }
    package static var name: String { "run started" }
    package var run: RunID = .none
    package var verb = ""
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &run)
        visitor.string(2, &verb)
    }
}

/// A sync pass ended; the verdicts add up to what it looked at.
package struct RunFinished: EventPayload {
    package static var type: UInt64 { 802 }
    package static var name: String { "run finished" }
    package var run: RunID = .none
    package var counts: [Count] = []
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &run)
        visitor.messages(2, &counts)
    }

    /// One figure with its name, such as `inSync`.
    package struct Count: WireMessage, Equatable {
        package var name = ""
        package var value: UInt64 = 0
        package var unknownFields: [UInt8] = []
        package init() {}
        package init(_ name: String, _ value: Int) {
            self.name = name
            self.value = UInt64(max(0, value))
        }
        package mutating func visit(_ visitor: inout some WireVisitor) {
            visitor.string(1, &name)
            visitor.unsigned(2, &value)
        }
    }
}
