package import Ledger

/// Why a replica is or is not written, for one field.
package enum WriteNeed: Sendable, Hashable {
    case inSync
    case write(Write)
    case wait(Wait)

    package struct Write: Sendable, Hashable {
        /// What is sent, as the remote spells it: a value, a number to add, or elements.
        package var spelling: Value
        package var form: WriteForm
        /// What the remote holds afterwards, as far as its rules are known.
        package var leaves: Value
    }

    package enum Wait: String, Sendable, Hashable {
        case noOutcome = "nothing is decided yet"
        case contested = "a person must decide"
        case undecided = "an edit there waits for its decision"
        case pending = "a write is on its way"
        case notSeen = "the system has not told this field"
        case readOnly = "the system is only read"
        case drifted = "the system drifted, and nothing is enforced"
        case refused = "the system refused this value"
        case lossy = "the system would not hold this value"
    }
}

extension Merge {
    /// Whether a branch needs a write, and which.
    package func need(_ branch: Branch, _ state: FieldState) -> WriteNeed {
        guard let outcome = state.outcome else {
            return .wait(state.freezes(branch.replica) ? .contested : .noOutcome)
        }
        guard let seen = branch.seen, let seenContent = branch.seenContent else {
            return .wait(.notSeen)
        }
        let held =
            rules.contains(.acceptedForms)
            ? branch.held(outcome) : branch.spelling.codec.held(outcome.value)
        if seenContent == held { return .inSync }
        if state.freezes(branch.replica) { return .wait(.contested) }
        if !branch.mayWrite { return .wait(.readOnly) }
        if branch.isOpen { return .wait(.pending) }
        if branch.hasChanged, branch.maySpeak { return .wait(.undecided) }
        if rules.contains(.refusalsRest), branch.refusedVersion == outcome.version {
            return .wait(.refused)
        }
        let isNews = branch.accountedContent != held
        guard isNews || policy.enforce || !rules.contains(.onlyNews) else {
            return .wait(.drifted)
        }
        return write(branch, outcome, seen: seen, seenContent: seenContent, held: held)
    }

    private func write(
        _ branch: Branch, _ outcome: Outcome, seen: Value, seenContent: Value, held: Value
    ) -> WriteNeed {
        let codec = branch.spelling.codec
        switch branch.spelling.form {
        case .absolute:
            let spelling = codec.spelling(of: outcome.value)
            return .write(
                .init(spelling: spelling, form: .absolute, leaves: codec.stored(spelling)))
        case .delta:
            let difference = held.integer - seenContent.integer
            return .write(
                .init(
                    spelling: .number(String(difference)), form: .delta,
                    leaves: .number(String(seenContent.integer + difference))))
        case .elements:
            let has = Set(seenContent.elements)
            let wants = Set(held.elements)
            let changes =
                wants.subtracting(has).sorted() + has.subtracting(wants).sorted().map { "-" + $0 }
            return .write(
                .init(spelling: .set(changes), form: .elements, leaves: .set(of: wants)))
        }
    }
}
