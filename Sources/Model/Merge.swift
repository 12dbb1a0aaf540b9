package import Ledger

/// The merge of one field: pure, and the same for every room that must agree on it.
///
/// The record is the hub, each replica a branch; what a branch says counts only as far as it differs
/// from what is already accounted for. See the page on the merge in the documentation.
package struct Merge: Sendable {
    /// Stands in every decision; grows when the same inputs would be decided otherwise.
    package static var version: UInt64 { 2 }

    package var policy: FieldPolicy
    /// Measured clock skew in microseconds: evidence closer than this orders nothing.
    ///
    /// `nil` where it was never measured: then only what one replica's own clock told is ordered,
    /// for no two replicas of a record are told by one clock.
    package var skew: Int64?
    package var rules: MergeRules

    package init(policy: FieldPolicy, skew: Int64? = 0, rules: MergeRules = .all) {
        self.policy = policy
        self.skew = skew
        self.rules = rules
    }

    // MARK: - Deciding

    /// What is to be decided now; `nil` when nothing new was seen, or nothing can be said yet.
    ///
    /// Deciding is repeated until `nil`: each ruling, once folded, leaves less to decide.
    package func decide(_ state: FieldState) -> Ruling? {
        let changed = state.branches.filter { branch in
            branch.maySpeak && (branch.hasChanged || speaksAgain(branch, state))
                && !(rules.contains(.openWritesWait) && branch.isOpen)
        }
        guard !changed.isEmpty else { return lifting(changed, state) ?? closing(state) }
        if rules.contains(.echoes), let ruling = echoes(changed, state) { return ruling }
        if let outcome = state.outcome, !changed[0].spelling.codec.reads(outcome.value) {
            return contested(
                changed, state, competed: true, joinersOnly: false, reason: .unreadable)
        }
        if rules.contains(.agreement), let ruling = agreements(changed, state) { return ruling }
        switch policy.law {
        case .strictest where rules.contains(.strictConsent):
            return join(changed, state, \.isReadable, strictest)
        case .union where rules.contains(.addsBeatRemoves):
            return join(changed, state, \.isMeasurable, union)
        case .sum where rules.contains(.sumsOfChanges):
            return join(changed, state, \.isMeasurable, sum)
        default:
            guard changed.allSatisfy(\.isReadable) else {
                return contested(
                    changed, state, competed: state.outcome != nil, joinersOnly: false,
                    reason: .unreadable)
            }
            return choose(changed, state)
        }
    }

    /// Joins what can be read; a replica that shows what cannot waits alone, for a part that joins
    /// later joins the same.
    private func join(
        _ changed: [Branch], _ state: FieldState, _ reads: (Branch) -> Bool,
        _ law: ([Branch], FieldState) -> Ruling?
    ) -> Ruling? {
        let others = changed.filter { !reads($0) }
        var unasked = state
        unasked.contest = nil
        guard let ruling = law(changed.filter(reads), unasked) else {
            guard !others.isEmpty else { return nil }
            return contested(
                others, state, competed: false, joinersOnly: true, reason: .unreadable)
        }
        guard [.contested, .held].contains(ruling.kind) else { return ruling }
        // A field has one open question: two would take turns for ever.
        let asked = Set(ruling.inputs.map(\.replica)).union(others.map(\.replica))
        return contested(
            changed.filter { asked.contains($0.replica) }, state,
            competed: ruling.outcomeCompeted, joinersOnly: ruling.freezesOnlyInputs,
            kind: ruling.kind, reason: ruling.reason)
    }

    /// What a replica brings along from another record is heard once where nothing is decided yet.
    private func speaksAgain(_ branch: Branch, _ state: FieldState) -> Bool {
        rules.contains(.freshRecordsHearAll) && state.outcome == nil
            && !(branch.seenContent?.isBlank ?? true)
    }

    /// What a person's word for a contested field makes of it.
    ///
    /// It accounts for the sides that the person saw; what was seen since stays undecided.
    package func settle(_ state: FieldState, on value: Value) -> Ruling {
        let answered = state.branches.filter { branch in
            state.contest?.sides.contains {
                $0.replica == branch.replica && $0.content == branch.seenContent
            } ?? false
        }
        let isNew = state.outcome?.value != value
        let winner = answered.first { $0.seenContent == value }
        return Ruling(
            kind: .settled, reason: .personDecided,
            outcome: Outcome(
                value: value, version: (state.outcome?.version ?? 0) + (isNew ? 1 : 0),
                author: winner?.replica, authorSystem: winner?.system, settledByPerson: true),
            inputs: answered.map { input($0, $0.seenContent == value ? .won : .lost) },
            outcomeCompeted: true)
    }

    /// A difference that nobody holds any more closes by itself.
    private func closing(_ state: FieldState) -> Ruling? {
        guard state.contest != nil, !state.branches.contains(where: { $0.isOpen }) else {
            return nil
        }
        return Ruling(
            kind: .agreed, reason: .sameContent, outcome: state.outcome, inputs: [])
    }

    /// A look that shows what an unconfirmed command of ours would leave is that command's echo.
    ///
    /// An opt-out is never taken for one where it would be undone, or where a re-consent waits: it
    /// may as well be a person's. What is accounted for, and speaks again in a fresh record, was heard
    /// as an echo before.
    private func echoes(_ changed: [Branch], _ state: FieldState) -> Ruling? {
        let inputs = changed.filter { branch in
            guard branch.hasChanged else { return false }
            if policy.law == .strictest, branch.seenContent == .bool(true),
                state.outcome?.value != .bool(true) || state.consentGiven
            {
                return false
            }
            return branch.pending.contains {
                branch.spelling.codec.content(of: $0.leaves) == branch.seenContent
            }
        }
        return accounted(inputs, as: .echo, .agreed, .echo, state)
    }

    /// A look that shows the outcome, as this system holds it, is agreement.
    ///
    /// Not for counts: who adds five where five are on their way makes ten. Nor for sets: who adds
    /// what is removed elsewhere has added it, though the outcome held it before.
    private func agreements(_ changed: [Branch], _ state: FieldState) -> Ruling? {
        guard let outcome = state.outcome, ![.sum, .union].contains(policy.law) else { return nil }
        let inputs = changed.filter { $0.seenContent == $0.held(outcome) }
        return accounted(inputs, as: .agreed, .agreed, .sameContent, state)
    }

    private func accounted(
        _ branches: [Branch], as role: InputRole, _ kind: DecisionKind, _ reason: Reason,
        _ state: FieldState
    ) -> Ruling? {
        guard !branches.isEmpty else { return nil }
        return Ruling(
            kind: kind, reason: reason, outcome: state.outcome,
            inputs: branches.map { input($0, role) })
    }

    // MARK: - Choosing among candidates

    private func choose(_ changed: [Branch], _ state: FieldState) -> Ruling? {
        let altered = changed.filter(\.isUnverified)
        if rules.contains(.unknownFormsAsk), !altered.isEmpty, state.outcome != nil {
            return contested(
                changed, state, competed: true, joinersOnly: false, reason: .unknownNormalisation)
        }
        let joiners = changed.filter { $0.accounted == nil }
        let editors = changed.filter { $0.accounted != nil }
        if rules.contains(.emptiesAreSilent) {
            let blank = (state.outcome == nil ? changed : joiners)
                .filter { $0.seenContent?.isBlank ?? true }
            // At first contact they go along with the decision, if there is one.
            if state.outcome != nil || blank.count == changed.count {
                if let ruling = accounted(blank, as: .lost, .accounted, .blankJoiner, state) {
                    return ruling
                }
            }
        }
        if let ruling = lastWrite(changed, editors, state) { return ruling }
        guard state.outcome != nil, rules.contains(.joinersApart), !joiners.isEmpty else {
            return judge(changed, state)
        }
        return editors.isEmpty ? join(joiners, state) : judge(editors, state)
    }

    /// One side's content with everyone who holds it.
    struct Candidate {
        var value: Value
        var branches: [Branch]
        var author: ReplicaID?
        var system: System?
        var evidence: Evidence?
    }

    private func candidates(_ branches: [Branch]) -> [Candidate] {
        var found: [Candidate] = []
        for branch in branches.sorted(by: { $0.replica < $1.replica }) {
            guard let content = branch.seenContent else { continue }
            if let same = found.firstIndex(where: { $0.value == content }) {
                found[same].branches.append(branch)
                found[same].evidence = together(found[same].evidence, branch.evidence)
            } else {
                found.append(
                    Candidate(
                        value: content, branches: [branch], author: branch.replica,
                        system: branch.system, evidence: branch.evidence))
            }
        }
        guard rules.contains(.richerStands) else { return found }
        return withoutPoorer(found)
    }

    /// When the last of two edits to the same content was made: unknown if one of them is, or if
    /// nobody knows how their clocks stand to each other.
    private func together(_ one: Evidence?, _ other: Evidence?) -> Evidence? {
        guard let one, let other, skew != nil else { return nil }
        let earliest = [one.earliest, other.earliest].compactMap(\.self).max()
        guard let latest = one.latest, let otherLatest = other.latest else {
            return Evidence(earliest: earliest, latest: nil)
        }
        return Evidence(earliest: earliest, latest: max(latest, otherLatest))
    }

    /// Two candidates are one if the poorer system would store the richer as its own.
    private func withoutPoorer(_ candidates: [Candidate]) -> [Candidate] {
        var found = candidates
        for poorer in candidates {
            guard let position = found.firstIndex(where: { $0.value == poorer.value }) else {
                continue
            }
            let richer = found.firstIndex { other in
                other.value != poorer.value
                    && poorer.branches.allSatisfy {
                        $0.spelling.codec.held(other.value) == poorer.value
                    }
                    && !other.branches.contains {
                        $0.spelling.codec.held(poorer.value) == other.value
                    }
            }
            guard let richer else { continue }
            found[richer].branches += poorer.branches
            found[richer].evidence = together(found[richer].evidence, poorer.evidence)
            found.remove(at: position)
        }
        return found
    }

    private func judge(_ changed: [Branch], _ state: FieldState) -> Ruling? {
        let isFirst = state.outcome == nil
        var candidates = candidates(changed.filter { speaks($0, state) })
        let competes: Bool =
            if let outcome = state.outcome {
                rules.contains(.outcomeCompetes) && !changed.contains { $0.knows(outcome) }
            } else { false }
        if competes, let outcome = state.outcome,
            !candidates.contains(where: { $0.value == outcome.value })
        {
            candidates.append(
                Candidate(
                    value: outcome.value, branches: [], author: outcome.author,
                    system: outcome.authorSystem, evidence: outcome.evidence))
        }
        if candidates.count == 1 {
            return moved(
                to: candidates[0], changed, state, isFirst ? .firstContact : .onlyCandidate)
        }
        let settled =
            competes && rules.contains(.personStands) && state.outcome?.settledByPerson == true
        if !settled, let (winner, reason) = winner(candidates, isFirst: isFirst) {
            return moved(to: winner, changed, state, reason, competed: competes)
        }
        return contested(changed, state, competed: competes, joinersOnly: false)
    }

    private func winner(_ candidates: [Candidate], isFirst: Bool) -> (Candidate, Reason)? {
        if let extreme = extreme(candidates) { return extreme }
        // At first contact nobody edited anything, so age says nothing.
        if !isFirst, [.fieldMerge, .newest].contains(policy.law),
            let newest = candidates.first(where: { one in
                candidates.allSatisfy { other in
                    other.value == one.value || isNewer(one, than: other)
                }
            })
        {
            return (newest, .newest)
        }
        if policy.law == .manual || policy.law == .newest && !isFirst { return nil }
        for system in policy.prefer {
            let sides = candidates.filter { side in
                side.branches.contains { $0.system == system }
                    || side.branches.isEmpty && side.system == system
            }
            if sides.count == 1 { return (sides[0], .preferred) }
            if sides.count > 1 { return nil }
        }
        return nil
    }

    private func isNewer(_ one: Candidate, than other: Candidate) -> Bool {
        guard let earliest = one.evidence?.earliest, let latest = other.evidence?.latest else {
            return false
        }
        guard let skew else {
            return one.author != nil && one.author == other.author && earliest > latest
        }
        let (bound, overflows) = latest.microseconds.addingReportingOverflow(skew)
        return !overflows && earliest.microseconds > bound
    }

    /// Late joiners stand against the outcome by preference alone; an open one freezes only itself.
    private func join(_ joiners: [Branch], _ state: FieldState) -> Ruling? {
        guard let outcome = state.outcome else { return nil }
        func rank(_ system: System?) -> Int? {
            system.flatMap { policy.prefer.firstIndex(of: $0) }
        }
        let standing = rank(outcome.authorSystem)
        let joiner = joiners.min { ($0.system, $0.replica) < ($1.system, $1.replica) }
        guard let joiner else { return nil }
        let isManual = policy.law == .manual || outcome.settledByPerson
        if !isManual, let rank = rank(joiner.system), rank < standing ?? Int.max,
            let candidate = candidates([joiner]).first
        {
            return moved(to: candidate, [joiner], state, .preferred, competed: true)
        }
        if !isManual, let standing, standing < rank(joiner.system) ?? Int.max {
            return Ruling(
                kind: .accounted, reason: .preferred, outcome: outcome,
                inputs: [input(joiner, .lost)], outcomeCompeted: true)
        }
        return contested(joiners, state, competed: true, joinersOnly: true)
    }

    func moved(
        to candidate: Candidate, _ changed: [Branch], _ state: FieldState, _ reason: Reason,
        competed: Bool = false
    ) -> Ruling {
        let isNew = state.outcome?.value != candidate.value
        let outcome = Outcome(
            value: candidate.value, version: (state.outcome?.version ?? 0) + (isNew ? 1 : 0),
            author: candidate.author, authorSystem: candidate.system,
            evidence: candidate.evidence,
            settledByPerson: !isNew && state.outcome?.settledByPerson == true)
        let winners = Set(candidate.branches.map(\.replica))
        return Ruling(
            kind: isNew ? .moved : .accounted, reason: reason, outcome: outcome,
            inputs: changed.map { input($0, winners.contains($0.replica) ? .won : .lost) },
            outcomeCompeted: competed)
    }

    /// Whether what is seen there is a statement: an empty field that joins is none.
    private func speaks(_ branch: Branch, _ state: FieldState) -> Bool {
        guard rules.contains(.emptiesAreSilent), branch.seenContent?.isBlank ?? true else {
            return true
        }
        return state.outcome != nil && branch.accounted != nil
    }

    /// Asks a person; who does not speak is no side, and is accounted for once that is settled.
    func contested(
        _ changed: [Branch], _ state: FieldState, competed: Bool, joinersOnly: Bool,
        kind: DecisionKind = .contested, reason: Reason = .noLawDecides
    ) -> Ruling? {
        let sides = changed.filter { speaks($0, state) }
        guard !sides.isEmpty else {
            return accounted(changed, as: .lost, .accounted, .blankJoiner, state)
        }
        let inputs = sides.map { input($0, .candidate) }
        let asked = Contest(
            sides: Set(inputs.map { Contest.Side(replica: $0.replica, content: $0.content) }),
            freezesOnlyInputs: joinersOnly)
        if state.contest == asked { return nil }
        return Ruling(
            kind: kind, reason: reason, outcome: state.outcome, inputs: inputs,
            outcomeCompeted: competed, freezesOnlyInputs: joinersOnly)
    }

    func input(_ branch: Branch, _ role: InputRole) -> Ruling.Input {
        Ruling.Input(
            replica: branch.replica, observation: branch.seenBy, spelt: branch.seen ?? .null,
            content: branch.seenContent ?? .null, role: role)
    }
}
