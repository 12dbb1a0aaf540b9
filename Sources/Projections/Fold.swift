import LMDB
import Ledger
import Model

/// Folds events into the views: one pass, all projectors, no clock and no decision of its own.
///
/// Whatever a decision says is taken from the event; nothing is merged or computed anew here.
struct Fold {
    let views: ViewTables
    let mapping: Mapping
    let touched = TouchedRecords()

    /// Folds one event; the rows it touches are written in the given transaction.
    func fold(_ logged: LoggedEvent, _ transaction: borrowing WriteTransaction) throws {
        switch logged.event {
        case .connectionConfigured, .connectionRemoved, .writesApproved, .cursorMoved,
            .sweepClosed, .clockSkewMeasured:
            try foldConnection(logged, transaction)
        case .observed(let payload): try foldObserved(payload, logged, transaction)
        case .gone(let payload): try foldGone(payload, logged, transaction)
        case .linked(let payload): try foldLinked(payload, logged, transaction)
        case .unlinked(let payload): try foldUnlinked(payload, logged, transaction)
        case .ambiguityRaised(let payload):
            var row = QuestionRow()
            row.raised = payload
            try views.questions.put(row, payload.question.bytes, transaction)
        case .ambiguitySettled(let payload):
            if var row = try views.questions.row(payload.question.bytes, transaction) {
                row.isSettled = true
                try views.questions.put(row, payload.question.bytes, transaction)
                for replica in row.raised.replicas {
                    try change(replica, logged, transaction) { $0.isApart = $0.record == nil }
                }
            }
        case .decided(let payload):
            try foldDecision(payload.record, payload.fields, logged, transaction)
        case .settled(let payload):
            try foldDecision(payload.record, [payload.field], logged, transaction)
        case .consentGiven(let payload):
            try change(payload.record, logged, transaction) { record in
                if !record.consentGiven.contains(payload.field) {
                    record.consentGiven.append(payload.field)
                }
            }
        case .commandIssued, .commandConfirmed, .commandRefused, .commandUncertain,
            .commandSuperseded, .commandParked:
            try foldCommand(logged, transaction)
            try countOnStream(logged, transaction)
        case .overtaken: try countOnStream(logged, transaction)
        case .policyChanged(let payload):
            try changeRules(of: payload.entity, logged, transaction) { row in
                row.policy = payload
                row.policySetBy = logged.id
            }
            try touchAll(transaction)
        case .rulesAdopted(let payload):
            try changeRules(of: payload.entity, logged, transaction) { row in
                row.adopted = payload
                row.adoptedBy = logged.id
            }
        case .sweepOpened, .hintReceived, .runStarted, .runFinished,
            .unrecognized:
            break
        }
        try foldActivity(logged, transaction)
    }

    /// Keeps the row's version that of its stream, for events that may change nothing else of it.
    private func countOnStream(
        _ logged: LoggedEvent, _ transaction: borrowing WriteTransaction
    ) throws {
        guard logged.entry.stream.kind == .replica else { return }
        let replica = ReplicaID(high: logged.entry.stream.id.high, low: logged.entry.stream.id.low)
        try change(replica, logged, transaction) { _ in }
    }

    private func changeRules(
        of entity: String, _ logged: LoggedEvent, _ transaction: borrowing WriteTransaction,
        _ change: (inout RulesRow) -> Void
    ) throws {
        let key = Array(entity.utf8)
        var row = try views.rules.row(key, transaction) ?? RulesRow()
        change(&row)
        row.since = logged.sequence
        try views.rules.put(row, key, transaction)
    }

    // MARK: - Rows that several folds change

    /// Changes a replica's row and remembers that its stream moved on.
    func change(
        _ replica: ReplicaID, _ logged: LoggedEvent, _ transaction: borrowing WriteTransaction,
        _ body: (inout ReplicaRow) throws -> Void
    ) throws {
        var row = try views.replicas.row(replica.bytes, transaction) ?? ReplicaRow()
        row.replica = replica
        if logged.entry.stream == .replica(replica) { row.version = logged.entry.streamVersion }
        touched.insert(row.record)
        let before = row
        try body(&row)
        touched.insert(row.record)
        try views.replicas.put(row, replica.bytes, transaction)
        try touchReferers(of: row, before, transaction)
    }

    /// Changes a record's row and remembers that its stream moved on.
    func change(
        _ record: RecordID, _ logged: LoggedEvent, _ transaction: borrowing WriteTransaction,
        _ body: (inout RecordRow) throws -> Void
    ) throws {
        var row = try views.records.row(record.bytes, transaction) ?? RecordRow()
        row.record = record
        if logged.entry.stream == .record(record) { row.version = logged.entry.streamVersion }
        touched.insert(record)
        try body(&row)
        try views.records.put(row, record.bytes, transaction)
    }

    /// Moves one branch by one of the transitions of the merge.
    ///
    /// An attribute that the mapping does not know is left alone.
    func changeBranch(
        _ attribute: String, of row: inout ReplicaRow, _ body: (inout Branch) -> Void
    ) throws {
        guard let entity = mapping[row.entity],
            let field = entity.field(attribute: attribute, of: row.system),
            var branch = row.branch(field)
        else { return }
        let before = branch.seenContent
        body(&branch)
        row.set(branch, category: field.category)
        guard branch.seenContent != before else { return }
        // Consent belongs to an address: with another one, a lift there is answered once more.
        for consent in entity.consents(to: field.name) {
            guard let attribute = consent.spellings[row.system]?.attribute else { continue }
            try changeBranch(attribute, of: &row) { $0.readdressed() }
        }
    }

    /// Keeps the lookups by content in step with what a replica was seen to hold.
    func moveKey(
        _ attribute: String, of row: ReplicaRow, from before: Value?, to after: Value?,
        _ transaction: borrowing WriteTransaction
    ) throws {
        guard let entity = mapping[row.entity],
            let field = entity.field(attribute: attribute, of: row.system),
            let codec = field.spellings[row.system]?.codec
        else { return }
        if field.refers != nil {
            try moveReference(field, codec, of: row, from: before, to: after, transaction)
        }
        guard entity.keys.contains(field.name) else { return }
        func key(_ value: Value?) -> [UInt8]? {
            guard case .text(let content)? = value.map(codec.content), !content.isEmpty else {
                return nil
            }
            return views.contentKey(field: field.name, content: content, entity: row.entity)
                + row.replica.bytes
        }
        let (old, new) = (key(before), key(after))
        guard old != new else { return }
        if let old { _ = try transaction.delete(views.lookups, key: old) }
        if let new { try transaction.put(views.lookups, key: new, value: [1]) }
    }

    private func foldConnection(
        _ logged: LoggedEvent, _ transaction: borrowing WriteTransaction
    ) throws {
        func change(_ id: ConnectionID, _ body: (inout ConnectionRow) -> Void) throws {
            var row = try views.connections.row(id.bytes, transaction) ?? ConnectionRow()
            body(&row)
            try views.connections.put(row, id.bytes, transaction)
        }
        switch logged.event {
        case .connectionConfigured(let payload):
            try change(payload.connection) {
                if payload.widens($0.configured) { $0.approved = [] }
                $0.configured = payload
                $0.isRemoved = false
            }
            try touchAll(transaction)
        case .connectionRemoved(let payload):
            try change(payload.connection) { $0.isRemoved = true }
            try touchAll(transaction)
        case .writesApproved(let payload):
            try change(payload.connection) { row in
                let entities = payload.entities.isEmpty ? ["contact"] : payload.entities
                row.approved += entities.filter { !row.approved.contains($0) }
            }
            try touchAll(transaction)
        case .cursorMoved(let payload):
            try change(payload.connection) {
                $0[payload.entity].cursor = payload.cursor
                if let until = payload.completeUntil { $0[payload.entity].completeUntil = until }
            }
        case .sweepClosed(let payload):
            try change(payload.connection) {
                $0[payload.entity].lastSweep = payload.startedAt
                $0[payload.entity].lastSweepSeen = payload.seen
            }
        case .clockSkewMeasured(let payload):
            try change(payload.connection) {
                $0.skewMicroseconds = payload.skewMicroseconds
                $0.skewUncertainty = payload.uncertaintyMicroseconds
                $0.isSkewMeasured = true
            }
        default: break
        }
    }

    private func foldActivity(
        _ logged: LoggedEvent, _ transaction: borrowing WriteTransaction
    ) throws {
        var row = ActivityRow()
        row.sequence = logged.sequence
        row.at = logged.entry.recordedAt
        row.type = logged.entry.type
        row.run = logged.entry.run
        let stream = logged.entry.stream
        if stream.kind == .record { row.record = stream.id.cast() }
        if stream.kind == .replica { row.replica = stream.id.cast() }
        for tag in logged.entry.tags {
            switch tag.kind {
            case .record: row.record = tag.id.cast()
            case .replica: row.replica = tag.id.cast()
            case .command: row.command = tag.id.cast()
            case .cause, .question, .unspecified: break
            }
        }
        try views.activity.put(row, bigEndianBytes(logged.sequence), transaction)
    }
}
