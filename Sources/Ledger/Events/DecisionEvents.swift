/// What became of one field.
package enum DecisionKind: UInt64, WireChoice {
    case unspecified = 0
    /// The outcome has new content; its version grew.
    case moved = 1
    /// A replica holds the outcome already; only what is accounted for moved.
    case agreed = 2
    /// What a replica holds was taken note of and loses; the outcome stays.
    case accounted = 3
    /// No law decides: a person must.
    case contested = 4
    /// A consent was lifted again without evidence: frozen at that replica until a person answers.
    case held = 5
    /// A person decided.
    case settled = 6

    package var name: String {
        switch self {
        case .unspecified: "unspecified"
        case .moved: "moved"
        case .agreed: "agreed"
        case .accounted: "accounted"
        case .contested: "contested"
        case .held: "held"
        case .settled: "settled"
        }
    }
}

/// What one replica brought to a decision, and as what it left.
package enum InputRole: UInt64, WireChoice {
    case unspecified = 0
    case won = 1
    case lost = 2
    case agreed = 3
    /// It shows what an unconfirmed command of ours would leave.
    case echo = 4
    /// The remote changed it itself, in answer to our write.
    case sideEffect = 5
    /// It stands against others; nothing of it is accounted for yet.
    case candidate = 6

    package var name: String {
        switch self {
        case .unspecified: "unspecified"
        case .won: "won"
        case .lost: "lost"
        case .agreed: "agreed"
        case .echo: "echo"
        case .sideEffect: "side effect"
        case .candidate: "candidate"
        }
    }
}

/// One replica's content as a decision took it.
package struct DecisionInput: WireMessage, Hashable {
    package var replica: ReplicaID = .none
    package var observation: EventID = .none
    package var attribute = ""
    /// As the system spelt it; folding the decision makes this what is accounted for.
    package var spelt: Sealed?
    /// In the ledger's own form, so that the decision reads without its codec.
    package var canonical: Sealed?
    package var role: InputRole = .unspecified
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &replica)
        visitor.id(2, &observation)
        visitor.string(3, &attribute)
        visitor.sealed(4, &spelt)
        visitor.sealed(5, &canonical)
        visitor.choice(6, &role)
    }
}

/// The decision on one field of one record.
package struct FieldDecision: WireMessage, Hashable {
    package var field = ""
    package var kind: DecisionKind = .unspecified
    /// The outcome's version after this.
    package var version: UInt64 = 0
    /// The law or rule that decided, as one of `Model.Reason`'s words.
    package var law = ""
    package var outcome: Sealed?
    package var author: ReplicaID?
    package var evidence: Evidence?
    package var inputs: [DecisionInput] = []
    /// Whether the standing outcome was itself a candidate.
    package var outcomeCompeted = false
    /// Whether only the replicas named are frozen (late joiners), not the field.
    package var freezesOnlyInputs = false
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.string(1, &field)
        visitor.choice(2, &kind)
        visitor.unsigned(3, &version)
        visitor.string(4, &law)
        visitor.sealed(5, &outcome)
        visitor.id(6, &author)
        visitor.message(7, &evidence)
        visitor.messages(8, &inputs)
        visitor.bool(9, &outcomeCompeted)
        visitor.bool(10, &freezesOnlyInputs)
    }
}

/// The engine's decisions on one record, made in one look at it.
package struct Decided: EventPayload {
    package static var type: UInt64 { 401 }
    package static var name: String { "decided" }
    package var record: RecordID = .none
    package var entity = ""
    package var fields: [FieldDecision] = []
    /// The event that set the policy.
    package var policy: EventID?
    package var codec: UInt64 = 1
    package var merge: UInt64 = 1
    /// The event that set the mapping.
    package var mapping: EventID?
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &record)
        visitor.string(2, &entity)
        visitor.messages(3, &fields)
        visitor.id(4, &policy)
        visitor.always(5, &codec)
        visitor.always(6, &merge)
        visitor.id(7, &mapping)
    }
}

/// The code and mapping that decide from here on.
///
/// By itself it decides and writes nothing: what is decided stays decided.
package struct RulesAdopted: EventPayload {
    package static var type: UInt64 { 404 }
    package static var name: String { "rules adopted" }
    package var entity = ""
    package var merge: UInt64 = 1
    package var codec: UInt64 = 1
    /// Digest of the mapping: tells one from another.
    package var mapping: [UInt8] = []
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.string(1, &entity)
        visitor.always(2, &merge)
        visitor.always(3, &codec)
        visitor.bytes(4, &mapping)
    }
}

/// A person decided a contested field.
package struct Settled: EventPayload {
    package static var type: UInt64 { 402 }
    package static var name: String { "settled" }
    package var record: RecordID = .none
    package var entity = ""
    package var field = FieldDecision()
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &record)
        visitor.string(2, &entity)
        visitor.message(3, &field)
    }
}

/// What was seen and not yet decided was replaced; it stays readable by its observation.
package struct Overtaken: EventPayload {
    package static var type: UInt64 { 403 }
    package static var name: String { "overtaken" }
    package var replica: ReplicaID = .none
    package var observation: EventID = .none
    package var attributes: [String] = []
    /// The event that took its place: a later look, or our write's confirmation.
    package var by: EventID = .none
    /// The look was older than what is known, so it never stood.
    package var stale = false
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &replica)
        visitor.id(2, &observation)
        visitor.strings(3, &attributes)
        visitor.id(4, &by)
        visitor.bool(5, &stale)
    }
}
