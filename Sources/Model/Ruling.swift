package import Ledger

/// What the merge says of one field, before it becomes an event.
package struct Ruling: Sendable, Hashable {
    package var kind: DecisionKind
    package var reason: Reason
    /// The outcome after this; unchanged unless `kind` is `moved`.
    package var outcome: Outcome?
    package var inputs: [Input]
    package var outcomeCompeted = false
    package var freezesOnlyInputs = false

    /// What one replica brought and as what it left.
    package struct Input: Sendable, Hashable {
        package var replica: ReplicaID
        package var observation: EventID
        package var spelt: Value
        package var content: Value
        package var role: InputRole
    }
}

extension Ruling {
    /// The field takes its value from another record, or from other fields: nobody said so of it.
    package static func derived(
        _ value: Value, in state: FieldState, reason: Reason = .derived
    ) -> Ruling {
        Ruling(
            kind: .moved, reason: reason,
            outcome: Outcome(value: value, version: (state.outcome?.version ?? 0) + 1),
            inputs: [])
    }

    /// What these replicas show is taken note of, and decides nothing.
    package static func noted(
        _ branches: [Branch], _ reason: Reason, in state: FieldState
    ) -> Ruling {
        Ruling(
            kind: .accounted, reason: reason, outcome: state.outcome,
            inputs: branches.map {
                Input(
                    replica: $0.replica, observation: $0.seenBy, spelt: $0.seen ?? .null,
                    content: $0.seenContent ?? .null, role: .lost)
            })
    }
}

/// The words for why a field was decided as it was; they stand in events and on the screen.
package enum Reason: String, Sendable, Hashable, CaseIterable {
    case onlyCandidate = "only candidate"
    case firstContact = "first contact"
    case sameContent = "same content"
    case echo = "our own write"
    case blankJoiner = "an empty field does not speak"
    case newest
    case preferred = "preferred system"
    case lastWrite = "last write"
    case largest
    case smallest
    case strictest
    case liftedWithoutEvidence = "consent lifted without evidence"
    case evidencedConsent = "consent given with evidence"
    case union
    case sum
    case noLawDecides = "no law decides"
    case personDecided = "a person decided"
    case sideEffect = "the system cleaned it after our write"
    case unknownNormalisation = "the system changed what we wrote"
    case unreadable = "a value that this version cannot read"
    case referenceGone = "what it referred to is gone there"
    case derived = "taken from another record"
    case joined = "joined from other fields"
    case outOfRange = "the count would be larger than any that can be held"
}
