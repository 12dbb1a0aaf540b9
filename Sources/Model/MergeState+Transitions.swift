package import Ledger

/// How what is known of a branch moves: the only four ways.
extension Branch {
    /// A look that counts showed this.
    ///
    /// What was undecided before is gone from view; whoever appends
    /// the observation also says so in the log (`overtaken`).
    package mutating func see(_ value: Value, by observation: EventID, evidence: Evidence?) {
        seen = value
        seenBy = observation
        self.evidence = evidence
        isUnverified = isUnverified && seenContent != accountedContent
    }

    /// A decision used this content of ours; it is accounted for from here on.
    package mutating func account(
        for spelt: Value, role: InputRole, kind: DecisionKind, reason: String, version: UInt64
    ) {
        accounted = spelt
        isUnverified = false
        // What went into a join is a part of the outcome, not this replica's form of it.
        let isPart = [Reason.union.rawValue, Reason.sum.rawValue].contains(reason)
        if role == .agreed || role == .sideEffect || role == .won && !isPart {
            hold(AcceptedForm(version: version, spelling: spelt))
        }
        if kind == .accounted, reason == Reason.liftedWithoutEvidence.rawValue {
            liftsAnswered += 1
        }
    }

    /// A write of ours is known to have left this.
    ///
    /// A delta or elements move what is accounted for by exactly what was sent. Whatever was seen
    /// while the write was open may hold it or not: it is gone from view (`overtaken`), and the next
    /// look tells what else is there.
    package mutating func confirm(
        _ form: WriteForm, sent: Value?, stored: Value?, version: UInt64, told: Bool,
        by event: EventID
    ) {
        switch form {
        case .absolute:
            accounted = stored
            // A create of ours: all that it put there is ours to take away.
            if spelling.form == .elements { addedByUs = Set(accountedContent?.elements ?? []) }
        case .delta:
            let added = sent?.integer ?? 0
            let (sum, overflows) = (accountedContent?.integer ?? 0).addingReportingOverflow(added)
            accounted = .number(String(overflows ? (added < 0 ? .min : .max) : sum))
        case .elements:
            let change = sent?.elements ?? []
            accounted = .set(of: Self.changing(accountedContent?.elements ?? [], by: change))
            addedByUs = Self.changing(addedByUs, by: change)
        }
        seen = accounted
        seenBy = event
        evidence = nil
        if let accounted { hold(AcceptedForm(version: version, spelling: accounted)) }
        isUnverified = !told
        refusedVersion = nil
    }

    /// The replica was linked: to what record's outcome its forms belonged no longer matters, what is
    /// accounted for stays with it.
    package mutating func relinked() {
        accepted = nil
        refusedVersion = nil
    }

    /// The remote merged another object of the same record into this one, and adds their counts: what
    /// was accounted for there is accounted for here.
    package mutating func takeOver(_ other: Branch) {
        let (mine, theirs) = (accountedContent?.integer ?? 0, other.accountedContent?.integer ?? 0)
        let (sum, overflows) = mine.addingReportingOverflow(theirs)
        accounted = .number(String(overflows ? (mine < 0 ? .min : .max) : sum))
    }

    /// The address that this consent belongs to is another one: what was lifted at the old one says
    /// nothing of it, and the opt-out it inherits is written once more.
    package mutating func readdressed() { liftsAnswered = 0 }

    /// How often a lift was answered counts for one version of the outcome.
    private mutating func hold(_ form: AcceptedForm) {
        // A record is the same in every form.
        guard !spelling.codec.kind.isReference else { return }
        if let accepted, accepted.version != form.version { liftsAnswered = 0 }
        accepted = form
    }

    /// This outcome version was refused here: it is not sent again.
    package mutating func refuse(version: UInt64) { refusedVersion = version }

    /// Elements after additions and removals (a leading `-`).
    package static func changing(_ elements: some Sequence<String>, by change: [String])
        -> Set<String>
    {
        var result = Set(elements)
        for element in change {
            if element.hasPrefix("-") {
                result.remove(String(element.dropFirst()))
            } else {
                result.insert(element)
            }
        }
        return result
    }
}

extension FieldState {
    /// The state after a ruling: what folding its event gives, too.
    package func folding(_ ruling: Ruling) -> FieldState {
        var state = self
        // An opt-out that is decided after a re-consent makes it void.
        if ruling.reason == .evidencedConsent
            || ruling.inputs.contains(where: { $0.content == .bool(true) && $0.role != .echo })
        {
            state.consentGiven = false
        }
        switch ruling.kind {
        case .contested, .held:
            state.contest = Contest(
                sides: Set(
                    ruling.inputs.map { Contest.Side(replica: $0.replica, content: $0.content) }),
                freezesOnlyInputs: ruling.freezesOnlyInputs)
            return state
        case .moved, .settled:
            state.outcome = ruling.outcome
            state.contest = nil
        case .agreed, .accounted, .unspecified:
            if state.contest?.closes(with: ruling.inputs.map(\.replica)) ?? false {
                state.contest = nil
            }
        }
        for input in ruling.inputs {
            guard let index = state.branches.firstIndex(where: { $0.replica == input.replica })
            else { continue }
            state.branches[index].account(
                for: input.spelt, role: input.role, kind: ruling.kind,
                reason: ruling.reason.rawValue, version: state.outcome?.version ?? 0)
        }
        return state
    }
}

extension Contest {
    /// Whether nothing of the contest is left once these replicas are accounted for.
    package func closes(with replicas: [ReplicaID]) -> Bool {
        replicas.isEmpty || sides.allSatisfy { replicas.contains($0.replica) }
    }
}
