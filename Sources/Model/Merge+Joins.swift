import Ledger

/// The three laws that join instead of choosing: whatever the preset, nothing of them is a contest.
extension Merge {
    /// Opted out wins.
    ///
    /// A lift without evidence is taken note of, answered once, then held.
    func strictest(_ changed: [Branch], _ state: FieldState) -> Ruling? {
        guard !changed.isEmpty else { return nil }
        let strict = changed.filter { $0.seenContent == .bool(true) }
        let lifting = changed.filter { $0.seenContent != .bool(true) }
        guard let outcome = state.outcome else {
            return joined(
                .bool(!strict.isEmpty), changed, winners: strict.isEmpty ? lifting : strict, state,
                .firstContact)
        }
        if !strict.isEmpty, outcome.value != .bool(true) {
            return joined(.bool(true), changed, winners: strict, state, .strictest)
        }
        if outcome.value == .bool(true), !lifting.isEmpty {
            return self.lifting(lifting, state) ?? answer(lifting, outcome, state)
        }
        return joined(outcome.value, changed, winners: changed, state, .strictest)
    }

    /// A re-consent with evidence, newer than any opt-out that was decided, lifts.
    func lifting(_ changed: [Branch], _ state: FieldState) -> Ruling? {
        guard policy.law == .strictest, rules.contains(.evidenceLifts), state.consentGiven,
            let outcome = state.outcome, outcome.value == .bool(true)
        else { return nil }
        // Every outcome stands under somebody's name, for its value is sealed to a subject.
        let author = changed.min { $0.replica < $1.replica }
        let standing = state.branches.min { $0.replica < $1.replica }
        return Ruling(
            kind: .moved, reason: .evidencedConsent,
            outcome: Outcome(
                value: .bool(false), version: outcome.version + 1,
                author: author?.replica ?? outcome.author ?? standing?.replica,
                authorSystem: author?.system ?? outcome.authorSystem ?? standing?.system),
            inputs: changed.map { input($0, .won) }, outcomeCompeted: true)
    }

    /// A joiner's silence and a first lift are taken note of, so that the stricter value is written
    /// there; only what is lifted again is held.
    private func answer(_ lifting: [Branch], _ outcome: Outcome, _ state: FieldState) -> Ruling? {
        guard let first = lifting.first(where: { $0.accounted == nil || $0.liftsAnswered == 0 })
        else {
            return contested(
                lifting, state, competed: true, joinersOnly: true, kind: .held,
                reason: .liftedWithoutEvidence)
        }
        return Ruling(
            kind: .accounted,
            reason: first.accounted == nil ? .strictest : .liftedWithoutEvidence,
            outcome: outcome, inputs: [input(first, .lost)], outcomeCompeted: true)
    }

    /// Every add counts; an element goes when somebody removed it and nobody added it.
    func union(_ changed: [Branch], _ state: FieldState) -> Ruling? {
        guard !changed.isEmpty else { return nil }
        var added: Set<String> = []
        var removed: Set<String> = []
        for branch in changed {
            let seen = Set(branch.seenContent?.elements ?? [])
            let accounted = Set(branch.accountedContent?.elements ?? [])
            added.formUnion(seen.subtracting(accounted))
            removed.formUnion(accounted.subtracting(seen))
        }
        let before = Set(state.outcome?.value.elements ?? [])
        let after = before.subtracting(removed).union(added)
        return joined(.set(of: after), changed, winners: changed, state, .union)
    }

    /// The outcome grows by every difference, each counted once.
    ///
    /// At first contact and for a late joiner nothing is added: the preferred system's count stands,
    /// else the largest, so that joining never lowers a count.
    func sum(_ changed: [Branch], _ state: FieldState) -> Ruling? {
        guard !changed.isEmpty else { return nil }
        guard let outcome = state.outcome else {
            let preferred = policy.prefer.lazy.compactMap { system in
                changed.first { $0.system == system && $0.seenContent != .null }
            }.first
            let chosen =
                preferred
                ?? changed.max { left, right in
                    (left.seenContent?.integer ?? 0, right.replica)
                        < (right.seenContent?.integer ?? 0, left.replica)
                }
            guard let chosen else { return nil }
            return joined(
                .number(String(chosen.seenContent?.integer ?? 0)), changed, winners: [chosen],
                state, .firstContact)
        }
        // Wide enough for any number of differences, so that their order does not matter.
        let total = changed.filter { $0.accounted != nil }.reduce(
            Int128(outcome.value.integer)
        ) { total, branch in
            total + Int128(branch.seenContent?.integer ?? 0)
                - Int128(branch.accountedContent?.integer ?? 0)
        }
        guard let sum = Int64(exactly: total) else {
            return contested(
                changed, state, competed: true, joinersOnly: false, reason: .outOfRange)
        }
        return joined(.number(String(sum)), changed, winners: changed, state, .sum)
    }

    private func joined(
        _ value: Value, _ changed: [Branch], winners: [Branch], _ state: FieldState,
        _ reason: Reason
    ) -> Ruling? {
        guard let author = winners.min(by: { $0.replica < $1.replica }) else { return nil }
        let winning = Set(winners.map(\.replica))
        let isNew = state.outcome?.value != value
        return Ruling(
            kind: isNew ? .moved : .accounted, reason: reason,
            outcome: isNew
                ? Outcome(
                    value: value, version: (state.outcome?.version ?? 0) + 1,
                    author: author.replica, authorSystem: author.system,
                    evidence: author.evidence)
                : state.outcome,
            inputs: changed.map { input($0, winning.contains($0.replica) ? .won : .lost) })
    }
}
