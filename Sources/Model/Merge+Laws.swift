import Ledger

/// The laws that look neither at evidence of one field alone nor at preference.
extension Merge {
    /// Under `last-write-wins` the object that was changed last says what stands, in every field that
    /// it has; what others typed loses, and is named in the decision.
    func lastWrite(_ changed: [Branch], _ editors: [Branch], _ state: FieldState) -> Ruling? {
        guard policy.law == .lastWriteWins, !editors.isEmpty, state.outcome != nil,
            let writer = state.branches.first(where: { $0.replica == state.lastWriter }),
            let content = writer.seenContent, writer.isReadable, !writer.isOpen
        else { return nil }
        let others = editors.filter { $0.replica != writer.replica }
        let winner = Candidate(
            value: content, branches: [writer], author: writer.replica, system: writer.system,
            evidence: writer.evidence)
        return moved(to: winner, [writer] + others, state, .lastWrite)
    }

    /// Under `max` and `min`, the number that stands; `nil` where something is no number.
    func extreme(_ candidates: [Candidate]) -> (Candidate, Reason)? {
        guard policy.law == .max || policy.law == .min else { return nil }
        let spoken = candidates.filter { !$0.value.isBlank }
        let numbers = spoken.compactMap { candidate in
            candidate.value.decimal.map { (candidate, $0) }
        }
        guard numbers.count == spoken.count else { return nil }
        let sorted = numbers.sorted { TextRules.isLess($0.1, than: $1.1) }
        return policy.law == .max
            ? sorted.last.map { ($0.0, .largest) } : sorted.first.map { ($0.0, .smallest) }
    }
}

extension Value {
    fileprivate var decimal: String? {
        if case .number(let text) = self { TextRules.decimal(text) } else { nil }
    }
}
