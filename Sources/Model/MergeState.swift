package import Ledger

/// What one field of one record stands on.
package struct Outcome: Sendable, Hashable {
    package var value: Value
    /// Grows when the content changes; the first outcome has version 1.
    package var version: UInt64
    package var author: ReplicaID?
    package var authorSystem: System?
    package var evidence: Evidence?
    /// A person's word loses to no law.
    package var settledByPerson = false

    package init(
        value: Value, version: UInt64, author: ReplicaID? = nil, authorSystem: System? = nil,
        evidence: Evidence? = nil, settledByPerson: Bool = false
    ) {
        self.value = value
        self.version = version
        self.author = author
        self.authorSystem = authorSystem
        self.evidence = evidence
        self.settledByPerson = settledByPerson
    }
}

/// A command of ours that was not confirmed, as far as one field goes.
package struct PendingWrite: Sendable, Hashable {
    package var command: CommandID
    /// What it would leave, as the remote spells it.
    package var leaves: Value
    /// In flight or uncertain: the replica may hold either.
    package var isOpen: Bool

    package init(command: CommandID, leaves: Value, isOpen: Bool) {
        self.command = command
        self.leaves = leaves
        self.isOpen = isOpen
    }
}

/// One replica's side of one field.
package struct Branch: Sendable, Hashable {
    package var replica: ReplicaID
    package var system: System
    package var spelling: Spelling
    package var mayWrite = true
    package var maySpeak = true
    /// v: what the last accepted look showed; `nil` if no look told this attribute.
    package var seen: Value?
    package var seenBy: EventID = .none
    package var evidence: Evidence?
    /// u: what is already accounted for; `nil` before the replica joined.
    package var accounted: Value?
    /// How this replica is known to hold the outcome of a version.
    package var accepted: AcceptedForm?
    package var pending: [PendingWrite] = []
    /// How often a lifted consent was already written back here, for this outcome and address.
    package var liftsAnswered = 0
    /// A write of this outcome version was refused: not again until it changes or a person says so.
    package var refusedVersion: UInt64?
    /// Set elements that our own confirmed commands put there.
    package var addedByUs: Set<String> = []
    /// The last write's answer did not tell what was stored, and no look has shown it since.
    package var isUnverified = false
    /// What was seen refers to something that nobody knows yet: it says nothing, and is not written
    /// over.
    package var refersToUnknown = false
    /// What it was told was decided before the mapping came to spell it otherwise.
    package var isRespelt = false

    package init(replica: ReplicaID, system: System, spelling: Spelling) {
        self.replica = replica
        self.system = system
        self.spelling = spelling
    }

    package struct AcceptedForm: Sendable, Hashable {
        package var version: UInt64
        package var spelling: Value
        package init(version: UInt64, spelling: Value) {
            self.version = version
            self.spelling = spelling
        }
    }

    /// Takes away what the mapping does not let this branch say, or be told.
    package mutating func limitByTerms() {
        let terms = spelling.terms
        if spelling.direction == .push
            || terms.contains(.silentBlank) && seenContent?.isBlank ?? false
        {
            maySpeak = false
        }
        if spelling.direction == .pull || terms.contains(.onlyCreate) { mayWrite = false }
    }

    package var seenContent: Value? { seen.map(spelling.codec.content) }
    package var accountedContent: Value? { accounted.map(spelling.codec.content) }

    /// v ≠ u.
    package var hasChanged: Bool { seen != nil && seenContent != accountedContent }

    /// Whether what was seen can be compared with anything.
    package var isReadable: Bool { seenContent.map(spelling.codec.reads) ?? true }

    /// Whether it is also known by how much it differs from what is accounted for.
    var isMeasurable: Bool { isReadable && (accountedContent.map(spelling.codec.reads) ?? true) }

    package var isOpen: Bool { pending.contains { $0.isOpen } }

    /// How this replica holds an outcome: its accepted form where known, else the encoded value.
    package func held(_ outcome: Outcome) -> Value {
        if let accepted, accepted.version == outcome.version {
            return spelling.codec.content(of: accepted.spelling)
        }
        let held = spelling.codec.held(outcome.value)
        guard spelling.form == .elements else { return held }
        // Elements that are not ours to remove belong to how this replica holds the outcome; what was
        // added since is no part of it, or an add would look like agreement.
        let foreign = (accountedContent?.elements ?? []).filter { !addedByUs.contains($0) }
        return .set(of: held.elements + foreign)
    }

    /// u = held(r, o).
    package func knows(_ outcome: Outcome) -> Bool { accountedContent == held(outcome) }
}

/// A difference that waits for a person.
package struct Contest: Sendable, Hashable {
    /// Each side's content, so that the same difference is not raised twice.
    package var sides: Set<Side>
    package var freezesOnlyInputs: Bool

    package struct Side: Sendable, Hashable {
        package var replica: ReplicaID
        package var content: Value
        package init(replica: ReplicaID, content: Value) {
            self.replica = replica
            self.content = content
        }
    }

    package init(sides: Set<Side>, freezesOnlyInputs: Bool) {
        self.sides = sides
        self.freezesOnlyInputs = freezesOnlyInputs
    }
}

/// Everything the merge of one field looks at.
package struct FieldState: Sendable, Hashable {
    package var outcome: Outcome?
    package var branches: [Branch]
    package var contest: Contest?
    /// A re-consent stands in the log, newer than the opt-out.
    package var consentGiven = false
    /// The replica of the record that anybody changed last, in whatever field.
    ///
    /// `nil` where nobody knows. Only `last-write-wins` asks.
    package var lastWriter: ReplicaID?

    package init(outcome: Outcome? = nil, branches: [Branch], contest: Contest? = nil) {
        self.outcome = outcome
        self.branches = branches
        self.contest = contest
    }

    /// Whether an open difference keeps us from writing this replica.
    func freezes(_ replica: ReplicaID) -> Bool {
        guard let contest else { return false }
        return !contest.freezesOnlyInputs || contest.sides.contains { $0.replica == replica }
    }
}
