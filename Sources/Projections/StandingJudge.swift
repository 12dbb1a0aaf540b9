package import Ledger
package import Model

/// Says where a record stands at each system, in the words that a plan would use.
struct StandingJudge {
    typealias Part = StandingRow.Part
    typealias Bucket = StandingRow.Bucket

    let mapping: EntityMapping
    let policy: Policy
    let connections: [ConnectionRow]
    private let scopes: [ConnectionID: Scope]
    private let making: [ConnectionID: Scope]
    private let fields: [(mapping: FieldMapping, merge: Merge)]
    private let respellings: Respellings

    init(mapping: EntityMapping, rules: RulesRow?, connections: [ConnectionRow]) {
        let policy = Policy(from: rules?.policy)
        respellings = Respellings(rules, shipped: Mapping.shipped[mapping.entity])
        self.mapping = mapping
        self.policy = policy
        self.connections = connections.filter {
            !mapping.attributes(of: $0.system).isEmpty
        }
        scopes = Dictionary(
            connections.map { ($0.id, Scope(of: $0.configured, mapping: mapping)) },
            uniquingKeysWith: { $1 })
        making = connections.reduce(into: [:]) {
            $0[$1.id] = Scope(making: $1.configured, mapping: mapping)
        }
        fields = mapping.fields.map { ($0, Merge(policy: policy.policy(for: $0))) }
    }

    func standing(
        of record: RecordRow, _ replicas: [ReplicaRow], _ references: References,
        parked: Set<ReplicaID>
    ) -> StandingRow {
        var standing = StandingRow()
        standing.record = record.record
        standing.entity = record.entity
        let isAlive = replicas.contains(where: \.isActive)
        var isWhole = isAlive || !record.creating.isEmpty || record.isEmptied
        for connection in connections {
            let all = replicas.filter { $0.connection == connection.id }
            let converted = all.filter { $0.state == .live && $0.isConverted }
            let living = all.filter { $0.state != .gone && !converted.contains($0) }
            // An object that stands where another one was deleted answers for it.
            let shown =
                living.isEmpty
                ? all.filter(\.isDeleted) : living
            for replica in shown + converted {
                let (bucket, reason): (Bucket, String)
                if replica.state == .live && replica.isConverted {
                    (bucket, reason) = (.excluded, Exclusion.converted.rawValue)
                } else if !(scopes[connection.id]?.admits(record, replica, mapping) ?? true) {
                    (bucket, reason) = (.excluded, Exclusion.outOfScope.rawValue)
                } else if replica.state == .gone {
                    (bucket, reason) = gone(replica, isAlive: isAlive)
                    isWhole = false
                } else {
                    (bucket, reason) = place(
                        of: replica, record, connection, references,
                        isParked: parked.contains(replica.replica))
                }
                standing.parts.append(Part(connection.id, bucket, reason))
            }
        }
        if standing.parts.isEmpty, let last = replicas.first {
            standing.parts = [Part(last.connection, .excluded, Exclusion.merged.rawValue)]
        }
        guard isWhole else { return standing }
        let active = replicas.filter(\.isActive)
        let isHeard =
            active.isEmpty
            || active.contains { replica in
                connections.first { $0.id == replica.connection }?.hears(replica) ?? true
            }
        for connection in connections
        where !replicas.contains(where: { $0.connection == connection.id }) {
            guard let (bucket, reason) = missing(record, connection, isHeard: isHeard) else {
                continue
            }
            standing.parts.append(Part(connection.id, bucket, reason))
        }
        return standing
    }

    private func gone(_ replica: ReplicaRow, isAlive: Bool) -> (Bucket, String) {
        guard isAlive else { return (.excluded, Exclusion.deleted.rawValue) }
        return policy.existence == .ask || replica.goneProof == .idReused
            ? (.failing, "deleted there: keep or delete?")
            : (.waiting, "deleted there: the next sync tells the others")
    }

    /// Whether somebody who is not there is to be made there.
    private func missing(
        _ record: RecordRow, _ connection: ConnectionRow, isHeard: Bool
    ) -> (Bucket, String)? {
        guard !connection.configured.url.isEmpty else { return nil }
        if record.refusedCreates.contains(connection.id) {
            return (.failing, "creating it there was refused")
        }
        if record.isEmptied { return (.excluded, Exclusion.emptied.rawValue) }
        guard let making = making[connection.id] else {
            return (.excluded, Exclusion.neverMade.rawValue)
        }
        if let reason = unwritten(connection, mapping.entity) { return (.excluded, reason) }
        if !isHeard { return (.excluded, Exclusion.unapproved.rawValue) }
        let isIn = scopes[connection.id]?.admits(record, nil, mapping) ?? true
        if !isIn { return (.excluded, Exclusion.outOfScope.rawValue) }
        if !making.admits({ record.outcome($0)?.value?.value }) {
            return (.excluded, Exclusion.notMade.rawValue)
        }
        if mapping.lacksRequired(at: connection.system, { record.outcome($0)?.value?.value }) {
            return (.excluded, Exclusion.lacksRequired.rawValue)
        }
        let isReachable = mapping.keys.contains {
            record.outcome($0)?.value?.value?.isBlank == false
        }
        if !isReachable {
            return (.excluded, Exclusion.unreachable.rawValue)
        }
        return (.waiting, StandingRow.toBeMade)
    }

    /// Why nothing is written there.
    private func unwritten(_ connection: ConnectionRow, _ kind: String) -> String? {
        if connection.configured.direction == .pull { return WriteNeed.Wait.readOnly.rawValue }
        return connection.approved.contains(mapping.entity) && connection.approved.contains(kind)
            ? nil : Exclusion.unapproved.rawValue
    }

    private func place(
        of replica: ReplicaRow, _ record: RecordRow, _ connection: ConnectionRow,
        _ references: References, isParked: Bool
    ) -> (Bucket, String) {
        let contested = record.contests.filter { contest in
            !contest.freezesOnlyInputs
                || contest.sides.contains { $0.replica == replica.replica }
        }.map(\.field).filter { mapping.field($0) != nil }
        if !contested.isEmpty {
            return (.failing, "contested: " + contested.joined(separator: ", "))
        }
        if isParked || replica.refusesDelete { return (.failing, "a command was given up") }
        let refused = mapping.fields.filter { field in
            guard let version = replica.branch(field)?.refusedVersion else { return false }
            return version == record.outcome(field.name)?.version
        }.map(\.name)
        if !refused.isEmpty { return (.failing, "refused: " + refused.joined(separator: ", ")) }
        if !replica.openCommands.isEmpty { return (.waiting, "a command is under way") }
        return content(of: replica, record, connection, references)
    }

    /// What the fields say: one that waits makes the whole wait.
    private func content(
        of replica: ReplicaRow, _ record: RecordRow, _ connection: ConnectionRow,
        _ references: References
    ) -> (Bucket, String) {
        let unwritten = unwritten(connection, replica.kind)
        var (isInSync, isExcluded) = (false, false)
        for (field, merge) in fields {
            guard
                let (need, hasChanged) = need(
                    of: field, merge, replica, record, connection, references,
                    mayWrite: unwritten == nil)
            else { continue }
            switch need {
            case .inSync, .wait(.lossy): isInSync = true
            case .write: return (.waiting, "to be written there")
            case .wait(.noOutcome) where !hasChanged: isInSync = true
            case .wait(.readOnly), .wait(.keepsValue), .wait(.noWord), .wait(.unknownReference),
                .wait(.absentReference):
                isExcluded = true
            case .wait(let wait): return (.waiting, wait.rawValue)
            }
        }
        return isInSync || !isExcluded ? (.inSync, "") : (.excluded, unwritten ?? "")
    }

    /// What one field needs at an object, and whether the object says something new of it; `nil` where it
    /// does not have the field.
    private func need(
        of field: FieldMapping, _ merge: Merge, _ replica: ReplicaRow, _ record: RecordRow,
        _ connection: ConnectionRow, _ references: References, mayWrite: Bool
    ) -> (WriteNeed, hasChanged: Bool)? {
        guard var branch = replica.branch(field, references) else { return nil }
        branch.mayWrite = mayWrite
        branch.maySpeak = connection.configured.direction != .push && connection.hears(replica)
        let outcome = record.outcome(field.name)
        branch.limitByTerms()
        respellings.mark(&branch, outcome, realigns: false)
        let state = FieldState(outcome: outcome?.outcome, branches: [branch], contest: nil)
        let need = references.spelling(
            merge.need(branch, state), field, branch, at: connection.id)
        return (need, branch.hasChanged)
    }

    /// Why fields of a record are not told to its objects as they stand, but for what is only read.
    func waits(
        of record: RecordRow, _ replicas: [ReplicaRow], _ references: References
    ) -> [FieldWait] {
        replicas.filter(\.isActive).flatMap { replica -> [FieldWait] in
            guard let connection = connections.first(where: { $0.id == replica.connection })
            else { return [] }
            let mayWrite = unwritten(connection, replica.kind) == nil
            return fields.compactMap { field, merge in
                guard record.outcome(field.name) != nil,
                    case .wait(let wait)? = need(
                        of: field, merge, replica, record, connection, references,
                        mayWrite: mayWrite)?.0,
                    wait != .readOnly
                else { return nil }
                return FieldWait(replica: replica.replica, field: field.name, wait: wait)
            }
        }
    }
}

/// Why a field is not told to an object as it stands.
package struct FieldWait: Sendable, Equatable {
    package var replica: ReplicaID
    package var field: String
    package var wait: WriteNeed.Wait
}

extension ViewStore {
    /// Why fields of a record are not told to its objects as they stand, field by field.
    ///
    /// Of what stands only: a field of which nothing is decided waits for that.
    package func waits(
        of record: RecordRow, _ replicas: [ReplicaRow], _ references: References,
        by mapping: Mapping
    ) throws -> [FieldWait] {
        guard let entity = mapping[record.entity] else { return [] }
        let connections = try read { try $0.connections.all($1) }.filter { !$0.isRemoved }
        let judge = StandingJudge(
            mapping: entity, rules: try rules(record.entity), connections: connections)
        return judge.waits(of: record, replicas, references)
    }
}
