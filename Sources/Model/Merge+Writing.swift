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

        package init(spelling: Value, form: WriteForm, leaves: Value) {
            self.spelling = spelling
            self.form = form
            self.leaves = leaves
        }
    }

    package enum Wait: String, Sendable, Hashable {
        case noOutcome = "nothing is decided yet"
        case contested = "a person must decide"
        case undecided = "an edit there waits for its decision"
        case pending = "a write is on its way"
        case notSeen = "the system has not told this field"
        case readOnly = "the system is only read"
        case keepsValue = "a blank is not told there"
        case noWord = "the mapping has no word of that system for it"
        case drifted = "the system drifted, and nothing is enforced"
        case respelt = "the mapping spells it otherwise now, and nothing was decided since"
        case refused = "the system refused this value"
        case lossy = "the system holds this value in a form of its own"
        case tooLarge = "the difference is larger than any that can be sent"
        case unreadable = "there is a value that this version cannot read"
        case unknownReference = "it refers to something that is not known here"
        case absentReference = "what it refers to is not there"
        case referenceIsMade = "what it refers to is being made there"
    }
}

extension Branch {
    /// Whether the outcome is for this system and has not reached it.
    package func isOwed(_ outcome: Outcome) -> Bool {
        guard spelling.direction != .pull, spelling.constant == nil,
            !spelling.terms.contains(.onlyCreate),
            !(outcome.value.isBlank && spelling.takesNoBlank)
        else { return false }
        let held = held(outcome)
        return seenContent != held && accountedContent != held
    }
}

extension Merge {
    /// Whether a branch needs a write, and which.
    package func need(_ branch: Branch, _ state: FieldState) -> WriteNeed {
        guard let outcome = state.outcome else {
            return .wait(state.freezes(branch.replica) ? .contested : .noOutcome)
        }
        guard let seen = branch.seen, let seenContent = branch.seenContent else {
            return .wait(branch.mayWrite ? .notSeen : .readOnly)
        }
        let held =
            rules.contains(.acceptedForms)
            ? branch.held(outcome) : branch.spelling.codec.held(outcome.value)
        if state.freezes(branch.replica), seenContent != held { return .wait(.contested) }
        guard branch.spelling.codec.reads(outcome.value) else {
            return .wait(
                branch.spelling.codec.lacksWord(for: outcome.value) ? .noWord : .unreadable)
        }
        if seenContent == held {
            return isForm(seenContent, of: outcome.value) ? .wait(.lossy) : .inSync
        }
        if !branch.mayWrite { return .wait(.readOnly) }
        if outcome.value.isBlank, branch.spelling.takesNoBlank { return .wait(.keepsValue) }
        if branch.isOpen { return .wait(.pending) }
        if branch.hasChanged, branch.maySpeak { return .wait(.undecided) }
        if rules.contains(.refusalsRest), branch.refusedVersion == outcome.version {
            return .wait(.refused)
        }
        let isNews = branch.accountedContent != held
        if branch.isRespelt, isNews { return .wait(.respelt) }
        guard isNews || policy.enforce || !rules.contains(.onlyNews) else {
            return .wait(.drifted)
        }
        return write(branch, outcome, seen: seen, seenContent: seenContent, held: held)
    }

    /// Whether a system holds another form of the outcome, beyond white space around it.
    ///
    /// It is in step, yet who looks there sees something else: that is said, not hidden.
    private func isForm(_ content: Value, of outcome: Value) -> Bool {
        switch (outcome, content) {
        case (.set(let wanted), .set(let has)): !Set(wanted).isSubset(of: has)
        case (.text(let wanted), .text(let has)): trimmed(wanted) != trimmed(has)
        case (.text(let wanted), .null): !trimmed(wanted).isEmpty
        default: false
        }
    }

    private func write(
        _ branch: Branch, _ outcome: Outcome, seen: Value, seenContent: Value, held: Value
    ) -> WriteNeed {
        let codec = branch.spelling.codec
        // A person may have decided over what nobody can read; a difference to it is unknown.
        guard branch.spelling.form == .absolute || branch.isReadable else {
            return .wait(.unreadable)
        }
        switch branch.spelling.form {
        case .absolute:
            let spelling = codec.spelling(of: outcome.value)
            return .write(
                .init(spelling: spelling, form: .absolute, leaves: codec.stored(spelling)))
        case .delta:
            let (difference, overflows) = held.integer.subtractingReportingOverflow(
                seenContent.integer)
            guard !overflows else { return .wait(.tooLarge) }
            // No count and a count of nothing are one to who is told differences.
            guard difference != 0 else { return .inSync }
            return .write(
                .init(
                    spelling: .number(String(difference)), form: .delta,
                    leaves: .number(String(held.integer))))
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
