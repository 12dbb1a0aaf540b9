package import Ledger
import Model
import Projections
package import Reconciler

/// Linking and planning: from what was seen to decisions and commands.
extension EngineCore {
    // MARK: - Linking

    /// Finds a record for every replica that has none, entity by entity: what tells two of one name
    /// apart is linked first.
    mutating func link() throws {
        effects.append(progress(.linking))
        // Everything is planned in a run's first round: what an earlier run left is found so.
        try markAllDirty()
        let approvals = request.approves ? try approvals() : []
        unlinked = mapping.entities.map(\.entity)
        if approvals.isEmpty { try linkNext() } else { append(approvals, then: .linked) }
    }

    mutating func linkNext() throws {
        while !unlinked.isEmpty {
            let drafts = try links(of: unlinked.removeFirst())
            guard drafts.isEmpty else { return append(drafts, then: .linked) }
        }
        phase = .planning
    }

    private mutating func links(of entity: String) throws -> [Draft] {
        let (unlinked, asked) = try views.read { tables, transaction in
            let unlinked = try tables.replicas.all(transaction).filter {
                $0.entity == entity && $0.record == nil && $0.state == .live
            }
            let asked = try tables.questions.all(transaction).filter { !$0.isSettled }
            // Those that a person keeps apart are linked by a person only.
            return (
                unlinked.filter { !$0.isApart },
                Set(asked.flatMap(\.raised.replicas)).union(
                    unlinked.filter(\.isApart).map(\.replica))
            )
        }
        var drafts: [Draft] = []
        var done: Set<ReplicaID> = asked
        var taken: Set<Ground.Place> = []
        for row in unlinked.sorted(by: { $0.replica < $1.replica })
        where !done.contains(row.replica) {
            guard try !isNameless(row), try !isNowhere(row) else { continue }
            let alike = try self.alike(row)
            let match = try Identity().match(row, alike: alike) { record in
                try taken.contains(.init(record: record, connection: row.connection))
                    || isTaken(record, row.connection)
            }
            switch match {
            case .join(let record):
                report.linked += 1
                taken.insert(.init(record: record, connection: row.connection))
                drafts.append(linked(row.replica, row.entity, to: record, .key))
                done.insert(row.replica)
            case .found(let replicas):
                let record = Identity.record(replicas, entity: row.entity)
                if replicas.count > 1 { report.linked += 1 } else { report.newRecords += 1 }
                for replica in replicas {
                    drafts.append(
                        linked(replica, row.entity, to: record, replicas.count > 1 ? .key : .new))
                }
                done.formUnion(replicas)
            case .ambiguous(let replicas):
                report.ambiguous += 1
                drafts.append(question(replicas, row.entity))
                done.formUnion(replicas)
            }
        }
        return drafts
    }

    /// Lets every connection be written to from now on, but for what could not be read: of that
    /// nobody has seen a plan.
    private func approvals() throws -> [Draft] {
        let connections = try views.read { tables, transaction in
            try tables.connections.all(transaction)
        }
        return connections.filter { !$0.isRemoved }.compactMap { row in
            if !row.configured.url.isEmpty, !isUsable(row.id) { return nil }
            let entities = row.unapproved(in: mapping).filter {
                !unreadable.contains(EntityPlace(connection: row.id, entity: $0))
            }
            guard !entities.isEmpty else { return nil }
            var approved = WritesApproved()
            approved.connection = row.id
            approved.entities = entities
            return Draft(
                id: .derived("writes approved", [row.id.bytes, request.run.bytes]),
                stream: .connection(row.id), event: .writesApproved(approved))
        }
    }

    private func alike(_ row: ReplicaRow) throws -> [ReplicaRow] {
        guard let entity = mapping[row.entity] else { return [] }
        let found = try views.read { tables, transaction in
            var found: [ReplicaRow] = []
            for field in entity.keyFields {
                guard let branch = row.branch(field),
                    case .text(let content)? = branch.seenContent, !content.isEmpty
                else { continue }
                let ids = try tables.replicas(
                    field: field.name, content: content, entity: row.entity, transaction)
                for id in ids
                where id != row.replica && !found.contains(where: { $0.replica == id }) {
                    if let other = try tables.replicas.row(id.bytes, transaction),
                        other.state == .live
                    {
                        found.append(other)
                    }
                }
            }
            return found
        }
        guard entity.within != nil else { return found }
        // Of one name within one account is the same; elsewhere it is another, and where that is not
        // known, nobody guesses.
        let own = try views.within(row, entity, among: mapping)
        let places = try found.map { try views.within($0, entity, among: mapping) }
        let same = zip(found, places).filter { $0.1 == own && own != .unknown }
        guard same.isEmpty || own == .nothing else { return same.map(\.0) }
        return zip(found, places).filter { own == .nothing ? $0.1 != .unknown : $0.1 == .nothing }
            .map(\.0)
    }

    /// Whether it names something to be told apart by that nobody knows yet: linked once it is known.
    private func isNowhere(_ row: ReplicaRow) throws -> Bool {
        guard let entity = mapping[row.entity], entity.within != nil else { return false }
        return try views.within(row, entity, among: mapping) == .unknown
    }

    /// Whether an edit told of an object before it was ever read whole, so that nobody knows its key:
    /// it is linked once a sweep has shown it.
    private func isNameless(_ row: ReplicaRow) throws -> Bool {
        let keys = (mapping[row.entity]?.keyFields ?? []).compactMap { row.branch($0) }
        guard !keys.isEmpty, keys.allSatisfy({ $0.seen == nil }) else { return false }
        return try views.read { tables, transaction in
            let connection = try tables.connections.row(row.connection.bytes, transaction)
            // Files are told once, and whole.
            guard let connection, !connection.configured.url.isEmpty else { return false }
            return connection[row.entity].lastSweep == nil
        }
    }

    private func isTaken(_ record: RecordID, _ connection: ConnectionID) throws -> Bool {
        guard let snapshot = try snapshot(record) else { return false }
        return snapshot.creating.contains(connection)
            || snapshot.replicas.contains { $0.connection == connection && $0.state == .live }
    }

    private mutating func linked(
        _ replica: ReplicaID, _ entity: String, to record: RecordID, _ reason: LinkReason
    ) -> Draft {
        dirty.insert(record)
        return Draft(
            id: .derived("linked", [record.bytes, replica.bytes, request.run.bytes]),
            stream: .record(record),
            event: .linked(
                Linked(record: record, entity: entity, replica: replica, reason: reason)),
            tags: [Tag(.record, record), Tag(.replica, replica)])
    }

    func question(_ replicas: [ReplicaID], _ entity: String) -> Draft {
        var payload = AmbiguityRaised()
        payload.question = Identity.question(replicas)
        payload.entity = entity
        payload.replicas = replicas
        return Draft(
            id: .derived("ambiguity", [payload.question.bytes]),
            stream: Stream(.ledger, payload.question), event: .ambiguityRaised(payload),
            tags: replicas.map { Tag(.replica, $0) } + [Tag(.question, payload.question)])
    }

    private mutating func markAllDirty() throws {
        let records = try views.read { tables, transaction in
            try tables.records.all(transaction).map(\.record)
        }
        dirty.formUnion(records)
    }

    // MARK: - Planning

    package func snapshot(_ record: RecordID) throws -> RecordSnapshot? {
        let found = try views.read { tables, transaction -> RecordSnapshot? in
            guard let row = try tables.records.row(record.bytes, transaction) else { return nil }
            let replicas = try row.replicas.compactMap {
                try tables.replicas.row($0.bytes, transaction)
            }
            let creating = try row.creating.compactMap {
                try tables.replicas.row($0.bytes, transaction)
            }
            let commands = try (replicas + creating).flatMap(\.openCommands).compactMap {
                try tables.commands.row($0.bytes, transaction)
            }
            return RecordSnapshot(
                record: row, replicas: replicas, openCommands: commands,
                creating: Set(creating.map(\.connection)))
        }
        guard var snapshot = found, let entity = mapping[snapshot.record.entity] else {
            return nil
        }
        if lacksPlace(snapshot, entity) {
            snapshot.namesakes = try views.namesakes(of: snapshot.record, entity, among: mapping)
        }
        snapshot.references = try References(
            of: snapshot.record, snapshot.replicas, entity, among: mapping, views)
        return snapshot
    }

    /// Whether it could be made somewhere, so that it matters who else is there.
    private func lacksPlace(_ snapshot: RecordSnapshot, _ entity: EntityMapping) -> Bool {
        let places = Set(snapshot.replicas.map(\.connection))
        return sessions.isEmpty
            || sessions.values.contains {
                !places.contains($0.row.id) && !entity.attributes(of: $0.row.system).isEmpty
            }
    }

    /// The laws, code and mapping that are in force.
    func rules(_ entity: String) throws -> RulesRow? {
        try views.read { tables, transaction in
            try tables.rules.row(Array(entity.utf8), transaction)
        }
    }

    /// Who decides for an entity; `nil` for one that this version does not know.
    package func reconciler(of entity: String) throws -> Reconciler? {
        guard let mapping = mapping[entity] else { return nil }
        let connections = try views.read { tables, transaction in
            try tables.connections.all(transaction)
        }
        let rules = try rules(entity)
        var ground = Ground(
            mapping: mapping, policy: Policy(from: rules?.policy), connections: connections)
        ground.rulesSince = rules?.since ?? 0
        ground.realigns = request.realigns
        ground.unreadable = Set(
            connections.filter {
                !$0.configured.url.isEmpty && !isUsable($0.id)
                    || unreadable.contains(EntityPlace(connection: $0.id, entity: entity))
            }.map(\.id))
        ground.queued = queued
        ground.assumesApproval = request.verb == .plan
        return Reconciler(ground)
    }

    private func reconcilers() throws -> [String: Reconciler] {
        try mapping.entities.reduce(into: [:]) { $0[$1.entity] = try reconciler(of: $1.entity) }
    }

    mutating func plan() throws {
        effects.append(progress(.planning))
        rounds += 1
        var reconcilers = try reconcilers()
        let inForce = try mapping.entities.reduce(into: [String: RulesRow]()) {
            $0[$1.entity] = try rules($1.entity)
        }
        let records = try inOrder(dirty.subtracting(lanes.keys))
        dirty = []
        phase = .writing
        for record in records {
            guard let snapshot = try snapshot(record),
                let reconciler = reconcilers[snapshot.record.entity]
            else { continue }
            let entity = snapshot.record.entity
            var plan = reconciler.plan(snapshot)
            plan.commands.removeAll { refusedInRun.contains(RefusedPlace($0)) }
            guard !plan.isEmpty else { continue }
            let made = plan.commands.filter { $0.operation == .create }.map {
                Ground.Place(record: $0.record, connection: $0.connection)
            }
            if mapping.isReferredTo(entity), !made.isEmpty {
                for key in reconcilers.keys { reconcilers[key]?.ground.beingMade.formUnion(made) }
            }
            if request.verb == .plan {
                propose(plan, snapshot)
            } else {
                commit(plan, snapshot, under: inForce[entity])
            }
        }
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
        _ plan: RecordPlan, _ snapshot: RecordSnapshot, under rules: RulesRow?
    ) {
        var drafts: [Draft] = []
        var ticket = RecordPlanTicket(
            record: plan.record, commands: plan.commands.map(\.command))
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
        if ruling.kind == .moved, let outcome = ruling.outcome, let author = outcome.author {
            decision.outcome = sealed(outcome.value, author)
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

    /// Sums every record's verdicts: each record stands in exactly one count.
    mutating func countVerdicts() throws {
        let reconcilers = try reconcilers()
        let (records, unlinked) = try views.read { tables, transaction in
            (
                try tables.records.all(transaction).map(\.record),
                try tables.replicas.all(transaction).filter {
                    $0.record == nil && $0.state == .live
                }
            )
        }
        report.records = records.count
        report.apart = unlinked.count(where: \.isApart)
        report.asked = unlinked.count - report.apart
        for record in records {
            guard let snapshot = try snapshot(record),
                let reconciler = reconcilers[snapshot.record.entity]
            else { continue }
            let plan = reconciler.plan(snapshot)
            report.realignable += plan.realignable
            switch plan.standing {
            case .conflict: report.conflicted += 1
            case .failing: report.failing += 1
            case .write, .wait: report.waiting += 1
            case .excluded: report.excluded += 1
            case .inSync: report.inSync += 1
            }
        }
    }
}
