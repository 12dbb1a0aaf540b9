import Ledger
import Model
import Projections
package import Reconciler

/// Planning: from what was seen to decisions and commands.
extension EngineCore {
    /// Who decides for an entity; `nil` for one that this version does not know.
    package func reconciler(of entity: String) throws -> Reconciler? {
        guard let mapping = mapping[entity] else { return nil }
        let connections = try views.read { tables, transaction in
            try tables.connections.all(transaction)
        }
        let rules = try views.rules(entity)
        let unread = unreadable.union(unfinished)
        var ground = Ground(
            mapping: mapping, policy: Policy(from: rules?.policy), connections: connections)
        ground.rulesSince = rules?.since ?? 0
        ground.respellings = Respellings(rules, shipped: Mapping.shipped[entity])
        ground.realigns = request.realigns
        ground.unreadable = Set(
            connections.filter {
                !$0.configured.url.isEmpty && !isUsable($0.id)
                    || unread.contains(KindPlace(connection: $0.id, kind: entity))
            }.map(\.id))
        ground.unreadableKinds = unread
        ground.missingKinds = missing
        ground.queued = queued
        ground.assumesApproval = request.verb == .plan
        return Reconciler(ground)
    }

    func reconcilers() throws -> [String: Reconciler] {
        try mapping.entities.reduce(into: [:]) { $0[$1.entity] = try reconciler(of: $1.entity) }
    }

    /// Plans what is to be planned in this round, and commits it, a portion at a time.
    ///
    /// What a run has begun stays little so: a stop leaves few commands that the next run has to look
    /// up, memory holds no more of them, and what is typed meanwhile waits for no more than that.
    mutating func plan() throws {
        effects.append(progress(.planning))
        if toPlan.isEmpty {
            rounds += 1
            try planNext(dirty.subtracting(lanes.keys))
        }
        phase = .writing
        var reconcilers = try reconcilers()
        let inForce = try mapping.entities.reduce(into: [String: RulesRow]()) {
            $0[$1.entity] = try views.rules($1.entity)
        }
        if !goesOn {
            standings = KnownStandings(
                grounds: reconcilers.mapValues(\.ground), end: end, isKept: request.verb == .plan)
        } else if isCancelled {
            toPlan = []
        }
        var (committed, lookedAt) = (0, 0)
        while !toPlan.isEmpty, committed < portion, lookedAt < recordsPerStep {
            let some = toPlan.prefix(portion)
            toPlan.removeFirst(some.count)
            lookedAt += some.count
            // The entities of which objects are to be made, since these records were planned.
            var made: Set<String> = []
            for (snapshot, planned) in try plans(
                of: some.filter { lanes[$0] == nil }[...], by: reconcilers)
            {
                let entity = snapshot.record.entity
                guard let reconciler = reconcilers[entity] else { continue }
                var plan = reconciler.refers(to: made) ? reconciler.plan(snapshot) : planned
                standings.note(plan, of: snapshot, by: reconciler)
                plan.commands.removeAll { refusedInRun.contains(RefusedPlace($0)) }
                guard !plan.isEmpty else { continue }
                let places = plan.commands.filter { $0.operation == .create }.map {
                    References.Place(record: $0.record, connection: $0.connection)
                }
                if mapping.isReferredTo(entity), !places.isEmpty {
                    made.insert(entity)
                    for key in reconcilers.keys {
                        reconcilers[key]?.ground.beingMade.formUnion(places)
                    }
                }
                if request.verb == .plan {
                    propose(plan, snapshot)
                } else {
                    committed += 1
                    commit(
                        plan, snapshot, under: inForce[entity],
                        derivers: plan.rulings.isEmpty
                            ? [] : try reader.derivers(of: snapshot.record))
                }
            }
        }
        if committed == 0, !toPlan.isEmpty {
            phase = .planning
            breathe(.planning)
        }
    }

    /// A second's worth or two.
    var recordsPerStep: Int { 16 * request.portion }

    /// So many records are decided and written at once: about a minute's work of the slowest system.
    private var portion: Int {
        let slowest = sessions.values.filter {
            $0.failure == nil && $0.row.configured.direction != .pull
        }.map { Int(clamping: $0.row.configured.callsPerMinute) }.min()
        return max(1, min(request.portion, slowest ?? request.portion))
    }

    /// Whether there is more to plan, and little enough under way: few lanes, or a system that has
    /// nothing to do while another one rests.
    var wantsMore: Bool {
        guard !toPlan.isEmpty, appends.isEmpty, !isCancelled, !isLookDue else { return false }
        return lanes.count <= portion / 2
            || lanes.count < 2 * portion && sessions.values.contains(where: \.isIdle)
    }

    /// Lets these records be planned before those that wait for it.
    mutating func planNext(_ records: Set<RecordID>) throws {
        dirty = []
        toPlan = try inOrder(records) + toPlan.filter { !records.contains($0) }
        recordsToPlan = max(recordsToPlan, toPlan.count)
    }

    /// What others refer to comes first.
    private func inOrder(_ records: Set<RecordID>) throws -> [RecordID] {
        var found: [String: [RecordID]] = [:]
        try views.read { tables, transaction in
            for record in records.sorted() {
                let entity = try tables.standings.row(record.bytes, transaction)?.entity
                found[entity ?? "", default: []].append(record)
            }
        }
        let known = mapping.entities.map(\.entity)
        let others = found.keys.filter { !known.contains($0) }.sorted()
        return (known + others).flatMap { found[$0] ?? [] }
    }

    /// What the plan would do, counted for people.
    private mutating func propose(_ plan: RecordPlan, _ snapshot: RecordSnapshot) {
        for (field, ruling) in plan.rulings where ruling.kind == .contested {
            report.contested += 1
            report.proposals["ask about \(field.name)", default: 0] += 1
        }
        for (field, ruling) in plan.rulings
        where ruling.kind != .contested && snapshot.record.contest(field.name) != nil {
            report.proposals["settle \(field.name): \(ruling.reason.rawValue)", default: 0] += 1
        }
        report.wouldWrite += plan.commands.count
        for command in plan.commands {
            let system = sessions[command.connection]?.row.system.name ?? "?"
            switch command.operation {
            case .create: report.proposals["\(system): create", default: 0] += 1
            case .delete: report.proposals["\(system): delete", default: 0] += 1
            case .update, .unspecified:
                for change in command.changes {
                    report.proposals["\(system): change \(change.field)", default: 0] += 1
                }
            }
        }
    }

    /// Appends a record's decisions and commands in one commit, if nothing moved meanwhile.
    private mutating func commit(
        _ plan: RecordPlan, _ snapshot: RecordSnapshot, under rules: RulesRow?,
        derivers: [RecordID]
    ) {
        var drafts: [Draft] = []
        var ticket = RecordPlanTicket(
            record: plan.record, commands: plan.commands.map(\.command), derivers: derivers)
        let version = bigEndianBytes(snapshot.record.version)
        let ground = snapshot.replicas.flatMap { bigEndianBytes($0.version) }
        let decision = EventID.derived("decided", [plan.record.bytes, version, ground])
        if !plan.rulings.isEmpty {
            var decided = Decided()
            decided.record = plan.record
            decided.entity = plan.entity
            decided.codec = FieldCodec.version
            decided.merge = Merge.version
            decided.policy = rules?.policySetBy
            decided.mapping = rules?.adoptedBy
            decided.fields = plan.rulings.map { fieldDecision($0.field, $0.ruling, snapshot) }
            ticket.decisions = decided.fields.count
            ticket.contested = decided.fields.count { $0.kind == .contested || $0.kind == .held }
            drafts.append(
                Draft(
                    id: decision, stream: .record(plan.record), event: .decided(decided),
                    tags: [Tag(.record, plan.record)]))
        }
        for command in plan.commands {
            var draft = Draft(
                id: .derived("command issued", [command.command.bytes]),
                stream: .replica(command.replica), event: .commandIssued(command),
                tags: [Tag(.command, command.command), Tag(.record, plan.record)])
            draft.causation = drafts.first?.id
            drafts.append(draft)
        }
        for replica in plan.released {
            let payload = Unlinked(record: plan.record, replica: replica)
            drafts.append(
                Draft(
                    id: .derived("released", [plan.record.bytes, replica.bytes, version]),
                    stream: .record(plan.record), event: .unlinked(payload),
                    tags: [Tag(.record, plan.record), Tag(.replica, replica)]))
        }
        var conditions: [AppendCondition] = [
            .streamVersion(.record(plan.record), snapshot.record.version)
        ]
        for replica in snapshot.replicas {
            conditions.append(.streamVersion(.replica(replica.replica), replica.version))
        }
        append(drafts, conditions: conditions, then: .planned(ticket))
    }

    /// As the system spelt it: the merge saw the record in a reference's place.
    private func spelt(
        _ input: Ruling.Input, _ field: FieldMapping, _ snapshot: RecordSnapshot
    ) -> Value {
        guard field.refers != nil, input.spelt != .null,
            let replica = snapshot.replica(input.replica),
            let attribute = field.spellings[replica.system]?.attribute
        else { return input.spelt }
        return replica[attribute].seen?.value ?? .null
    }

    private func fieldDecision(
        _ field: FieldMapping, _ ruling: Ruling, _ snapshot: RecordSnapshot
    ) -> FieldDecision {
        func sealed(_ value: Value?, _ replica: ReplicaID) -> Sealed? {
            value.map { Sealed($0, subject: replica.subject, category: field.category) }
        }
        var decision = FieldDecision()
        decision.field = field.name
        decision.kind = ruling.kind
        decision.law = ruling.reason.rawValue
        decision.version = ruling.outcome?.version ?? 0
        decision.author = ruling.outcome?.author
        decision.evidence = ruling.outcome?.evidence
        decision.outcomeCompeted = ruling.outcomeCompeted
        decision.freezesOnlyInputs = ruling.freezesOnlyInputs
        // What is taken from another record is the record's own: sealed as its objects are.
        if ruling.kind == .moved, let outcome = ruling.outcome,
            let owner = outcome.author ?? snapshot.replicas.first?.replica
        {
            decision.outcome = sealed(outcome.value, owner)
        }
        decision.inputs = ruling.inputs.map { input in
            var row = DecisionInput()
            row.replica = input.replica
            row.observation = input.observation
            row.role = input.role
            if let system = snapshot.replica(input.replica)?.system {
                row.attribute = field.spellings[system]?.attribute ?? ""
            }
            row.spelt = sealed(spelt(input, field, snapshot), input.replica)
            row.canonical = sealed(input.content, input.replica)
            return row
        }
        return decision
    }
}
