import Ledger
import Model

/// Folds events into the views: one pass, all projectors, no clock and no decision of its own.
///
/// Whatever a decision says is taken from the event; nothing is merged or computed anew here.
struct Fold {
    let views: FoldedRows
    /// The mapping in force.
    private(set) var mapping: Mapping
    private(set) var fields: FieldIndex
    let touched = TouchedRecords()

    /// A fold that goes on where the rows stand.
    init(views: FoldedRows) throws {
        self.views = views
        (mapping, fields) = try Self.inForce(views)
    }

    private static func inForce(_ views: FoldedRows) throws -> (Mapping, FieldIndex) {
        func rules(_ entity: String) throws -> RulesRow? {
            try views.rules.row(RowKey(Array(entity.utf8)))
        }
        // A fold begins with every append: what ships is not made anew.
        let isShipped = try Mapping.shipped.entities.allSatisfy {
            try rules($0.entity)?.mapping == nil
        }
        if isShipped { return (.shipped, .shipped) }
        let mapping = try Mapping(inForce: rules)
        return (mapping, FieldIndex(mapping))
    }

    /// Folds one event; the rows it touches are written when the chunk is.
    mutating func fold(_ logged: LoggedEvent) throws {
        switch logged.event {
        case .connectionConfigured, .connectionRemoved, .writesApproved, .cursorMoved,
            .sweepOpened, .sweepReached, .sweepClosed, .clockSkewMeasured:
            try foldConnection(logged)
        case .observed(let payload): try foldObserved(payload, logged)
        case .gone(let payload): try foldGone(payload, logged)
        case .converted(let payload): try foldConverted(payload, logged)
        case .linked(let payload): try foldLinked(payload, logged)
        case .unlinked(let payload): try foldUnlinked(payload, logged)
        case .ambiguityRaised(let payload):
            var row = QuestionRow()
            row.raised = payload
            views.questions.put(row, RowKey(payload.question))
        case .ambiguitySettled(let payload):
            if var row = try views.questions.row(RowKey(payload.question)) {
                row.isSettled = true
                views.questions.put(row, RowKey(payload.question))
                for replica in row.raised.replicas {
                    try change(replica, logged) { $0.isApart = $0.record == nil }
                }
            }
        case .decided(let payload):
            try foldDecision(payload.record, payload.fields, logged)
        case .settled(let payload):
            try foldDecision(payload.record, [payload.field], logged)
        case .consentGiven(let payload):
            try change(payload.record, logged) { record in
                if !record.consentGiven.contains(payload.field) {
                    record.consentGiven.append(payload.field)
                }
            }
        case .commandIssued, .commandConfirmed, .commandRefused, .commandUncertain,
            .commandSuperseded, .commandParked:
            try foldCommand(logged)
            try countOnStream(logged)
        case .overtaken: try countOnStream(logged)
        case .policyChanged(let payload):
            try changeRules(of: payload.entity, logged) { row in
                row.policy = payload
                row.policySetBy = logged.id
            }
            try touchAll()
        case .mappingChanged(let payload): try foldMapping(payload, logged)
        case .rulesAdopted(let payload): try foldRules(payload, logged)
        case .hintReceived, .runStarted, .runFinished,
            .unrecognized:
            break
        }
    }

    /// Another mapping: where a system is told or asked otherwise, somebody approves anew what is
    /// written there.
    private mutating func foldMapping(_ payload: MappingChanged, _ logged: LoggedEvent) throws {
        let before = mapping
        try changeRules(of: payload.entity, logged) { row in
            row.keepFormer(until: logged.sequence)
            row.mapping = payload
            row.own(payload)
            row.mappingSetBy = logged.id
        }
        (mapping, fields) = try Self.inForce(views)
        try touchAll()
        guard let old = before[payload.entity], let new = mapping[payload.entity] else { return }
        // Nobody can say what one that this version cannot follow tells a system.
        let isFollowed = new.event == payload
        try takeApprovals(of: new) { !isFollowed || new.differs(from: old, at: $0) }
    }

    /// The code that decides from here on; where it ships another mapping, somebody approves anew what
    /// is written, for new code alone decides nothing (law 4).
    private mutating func foldRules(_ payload: RulesAdopted, _ logged: LoggedEvent) throws {
        let before = try views.rules.row(RowKey(Array(payload.entity.utf8)))
        let isRemapped = before?.adopted?.mapping != payload.mapping
        try changeRules(of: payload.entity, logged) { row in
            if isRemapped { row.mappedSince = logged.sequence }
            row.adopted = payload
            row.adoptedBy = logged.id
        }
        // What a file set took its approvals when it was set, and at first there is none to take.
        guard isRemapped, let before, before.adopted != nil, before.mapping == nil,
            let entity = mapping[payload.entity]
        else { return }
        try takeApprovals(of: entity) { _ in true }
        try touchAll()
    }

    private func takeApprovals(
        of entity: EntityMapping, where isMeant: (System) -> Bool
    ) throws {
        for row in try views.connections.all() where isMeant(row.system) {
            var row = row
            let kinds = entity.kinds(at: row.system)
            row.approved.removeAll { kinds.contains($0) }
            views.connections.put(row, RowKey(row.id))
        }
    }

    /// Keeps the row's version that of its stream, for events that may change nothing else of it.
    private func countOnStream(
        _ logged: LoggedEvent
    ) throws {
        guard logged.entry.stream.kind == .replica else { return }
        let replica = ReplicaID(high: logged.entry.stream.id.high, low: logged.entry.stream.id.low)
        try change(replica, logged) { _ in }
    }

    private func changeRules(
        of entity: String, _ logged: LoggedEvent,
        _ change: (inout RulesRow) -> Void
    ) throws {
        let key = Array(entity.utf8)
        var row = try views.rules.row(RowKey(key)) ?? RulesRow()
        change(&row)
        row.since = logged.sequence
        views.rules.put(row, RowKey(key))
    }

    // MARK: - Rows that several folds change

    /// Changes a replica's row and remembers that its stream moved on.
    func change(
        _ replica: ReplicaID, _ logged: LoggedEvent,
        _ body: (inout ReplicaRow) throws -> Void
    ) throws {
        var row = try views.replicas.take(RowKey(replica)) ?? ReplicaRow()
        row.replica = replica
        if logged.entry.stream == .replica(replica) { row.version = logged.entry.streamVersion }
        touched.insert(row.record)
        let before = mapping.isReferredTo(row.entity) ? row : nil
        try body(&row)
        touched.insert(row.record)
        views.replicas.put(row, RowKey(replica))
        try touchReferers(of: row, before ?? ReplicaRow())
    }

    /// Changes a record's row and remembers that its stream moved on.
    func change(
        _ record: RecordID, _ logged: LoggedEvent,
        _ body: (inout RecordRow) throws -> Void
    ) throws {
        var row = try views.records.take(RowKey(record)) ?? RecordRow()
        row.record = record
        if logged.entry.stream == .record(record) { row.version = logged.entry.streamVersion }
        touched.insert(record)
        try body(&row)
        views.records.put(row, RowKey(record))
    }

    /// Moves one branch by one of the transitions of the merge.
    ///
    /// An attribute that the mapping does not know is left alone.
    func changeBranch(
        _ attribute: String, of row: inout ReplicaRow, _ body: (inout Branch) -> Void
    ) throws {
        guard let known = fields.attributes(of: row.entity, at: row.system)[attribute],
            var branch = row.branch(known.field)
        else { return }
        let before = branch.seen
        body(&branch)
        row.set(branch, category: known.field.category)
        guard !known.consents.isEmpty, branch.seen != before,
            branch.seenContent != before.map(known.spelling.codec.content)
        else { return }
        // Consent belongs to an address: with another one, a lift there is answered once more.
        for consent in known.consents {
            try changeBranch(consent, of: &row) { $0.readdressed() }
        }
    }

    /// Keeps the lookups by content in step with what a replica was seen to hold.
    func moveKey(
        _ attribute: String, of row: ReplicaRow, from before: Value?, to after: Value?
    ) throws {
        guard before != after,
            let known = fields.attributes(of: row.entity, at: row.system)[attribute]
        else { return }
        let (field, codec) = (known.field, known.spelling.codec)
        if field.refers != nil {
            moveReference(field, codec, of: row, from: before, to: after)
        }
        guard known.isKey else { return }
        func key(_ value: Value?) -> [UInt8]? {
            guard case .text(let content)? = value.map(codec.content), !content.isEmpty else {
                return nil
            }
            return views.tables.contentKey(field: field.name, content: content, entity: row.entity)
                + row.replica.bytes
        }
        let (old, new) = (key(before), key(after))
        guard old != new else { return }
        if let old { views.lookups.delete(old) }
        if let new { views.lookups.put([1], new) }
    }

    private func foldConnection(
        _ logged: LoggedEvent
    ) throws {
        func change(_ id: ConnectionID, _ body: (inout ConnectionRow) -> Void) throws {
            var row = try views.connections.row(RowKey(id)) ?? ConnectionRow()
            body(&row)
            views.connections.put(row, RowKey(id))
        }
        switch logged.event {
        case .connectionConfigured(let payload):
            try change(payload.connection) {
                if payload.widens($0.configured) { $0.approved = [] }
                $0.configured = payload
                $0.isRemoved = false
            }
            try touchAll()
        case .connectionRemoved(let payload):
            try change(payload.connection) { $0.isRemoved = true }
            try touchAll()
        case .writesApproved(let payload):
            try change(payload.connection) { row in
                let entities = payload.entities.isEmpty ? ["contact"] : payload.entities
                row.approved += entities.filter { !row.approved.contains($0) }
            }
            try touchAll()
        case .cursorMoved(let payload):
            try change(payload.connection) {
                $0[payload.entity].cursor = payload.cursor
                if let until = payload.completeUntil { $0[payload.entity].completeUntil = until }
            }
        case .sweepOpened(let payload):
            try change(payload.connection) {
                var sweep = OpenSweepRow()
                sweep.startedAt = payload.startedAt
                sweep.openedAt = logged.sequence
                $0[payload.entity].openSweep = sweep
            }
        case .sweepReached(let payload):
            try change(payload.connection) {
                $0[payload.entity].openSweep?.after = payload.after
                $0[payload.entity].openSweep?.seen = payload.seen
                $0[payload.entity].openSweep?.highest = payload.highest
            }
        case .sweepClosed(let payload):
            try change(payload.connection) {
                $0[payload.entity].lastSweep = payload.startedAt
                $0[payload.entity].lastSweepSeen = payload.seen
                $0[payload.entity].sweptFrom = payload.openedAt
                $0[payload.entity].openSweep = nil
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
}
