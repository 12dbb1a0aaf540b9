import Ledger
import Model

/// Decisions: what the event says of outcome and accounted content is taken as it stands.
extension Fold {
    func foldDecision(
        _ record: RecordID, _ fields: [FieldDecision], _ logged: LoggedEvent
    ) throws {
        try change(record, logged) { row in
            for field in fields {
                if voidsConsent(field) { row.consentGiven.removeAll { $0 == field.field } }
                switch field.kind {
                case .moved, .settled:
                    row.refusedCreates = []
                    try setOutcome(field, in: &row, logged)
                    try close(field.field, in: &row, logged)
                case .contested, .held:
                    try open(field, in: &row, logged)
                case .agreed, .accounted, .unspecified:
                    if row.contest(field.field)?.contest.closes(with: field.inputs.map(\.replica))
                        ?? false
                    {
                        try close(field.field, in: &row, logged)
                    }
                }
            }
        }
        for field in fields where field.kind != .contested && field.kind != .held {
            for input in field.inputs { try account(input, field, logged) }
        }
    }

    /// A re-consent is used up by the lift it allowed, and void once an opt-out is decided after it.
    private func voidsConsent(_ field: FieldDecision) -> Bool {
        field.law == Reason.evidencedConsent.rawValue
            || field.inputs.contains {
                $0.canonical?.value == .bool(true) && $0.role != .echo
            }
    }

    private func setOutcome(
        _ field: FieldDecision, in row: inout RecordRow, _ logged: LoggedEvent
    ) throws {
        var outcome = row.outcome(field.field) ?? OutcomeRow()
        outcome.field = field.field
        moveReferer(row, field.field, from: outcome.value?.value, to: field.outcome?.value)
        outcome.value = field.outcome
        outcome.version = field.version
        outcome.author = field.author
        outcome.authorSystem = .unspecified
        if let author = field.author,
            let system = try views.replicas.row(RowKey(author))?.system
        {
            outcome.authorSystem = system
        }
        outcome.evidence = field.evidence
        outcome.settledByPerson = field.kind == .settled
        outcome.decidedBy = logged.id
        outcome.law = field.law
        outcome.sequence = logged.sequence
        row.outcomes.removeAll { $0.field == field.field }
        row.outcomes.append(outcome)
    }

    private func open(
        _ field: FieldDecision, in row: inout RecordRow, _ logged: LoggedEvent
    ) throws {
        try close(field.field, in: &row, logged)
        var contest = ContestRow()
        contest.field = field.field
        contest.freezesOnlyInputs = field.freezesOnlyInputs
        contest.outcomeCompeted = field.outcomeCompeted
        contest.raisedBy = logged.id
        contest.raisedAt = logged.entry.recordedAt
        contest.sequence = logged.sequence
        contest.reason = field.law
        for input in field.inputs {
            var side = ContestRow.Side()
            side.replica = input.replica
            side.system =
                try views.replicas.row(RowKey(input.replica))?.system ?? .unspecified
            side.observation = input.observation
            side.content = input.canonical
            contest.sides.append(side)
        }
        row.contests.append(contest)
        var conflict = ConflictRow()
        conflict.record = row.record
        conflict.contest = contest
        views.conflicts.put(conflict, RowKey(key(row.record, contest)))
    }

    private func close(
        _ field: String, in row: inout RecordRow, _ logged: LoggedEvent
    ) throws {
        guard let contest = row.contest(field) else { return }
        row.contests.removeAll { $0.field == field }
        if var conflict = try views.conflicts.row(RowKey(key(row.record, contest))) {
            conflict.settledBy = logged.id
            conflict.settledAt = logged.entry.recordedAt
            views.conflicts.put(conflict, RowKey(key(row.record, contest)))
        }
    }

    private func key(_ record: RecordID, _ contest: ContestRow) -> [UInt8] {
        record.bytes + contest.raisedBy.bytes + Array(contest.field.utf8)
    }

    /// Moves what is accounted for to what the decision used, never to what is seen now.
    private func account(
        _ input: DecisionInput, _ field: FieldDecision, _ logged: LoggedEvent
    ) throws {
        try change(input.replica, logged) { row in
            guard let spelt = input.spelt?.value else { return }
            try changeBranch(input.attribute, of: &row) { branch in
                branch.account(
                    for: spelt, role: input.role, kind: field.kind, reason: field.law,
                    version: field.version)
            }
            let known = mapping[row.entity]?.field(attribute: input.attribute, of: row.system)
            if known?.refers != nil {
                try refer(input.attribute, of: &row, to: input.canonical, logged)
            }
        }
    }
}
