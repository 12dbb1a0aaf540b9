import Ledger
package import Model
import Projections

extension Policy {
    /// The event that sets this policy.
    func event(for entity: String) -> PolicyChanged {
        func text(_ field: String, _ policy: FieldPolicy) -> FieldPolicyText {
            var text = FieldPolicyText()
            text.field = field
            text.law = policy.law.rawValue
            text.prefer = policy.prefer.map(\.name)
            text.enforce = policy.enforce
            return text
        }
        var changed = PolicyChanged()
        changed.entity = entity
        changed.preset = preset.rawValue
        changed.fields = fields.sorted { $0.key < $1.key }.map(text)
        if existence != .ask {
            var own = FieldPolicyText()
            own.field = Self.existenceField
            own.law = existence.rawValue
            changed.fields.append(own)
        }
        return changed
    }

}

extension Workplace {
    /// The laws in force for the records of an entity.
    package func policy(of entity: String) throws -> Policy {
        Policy(from: try views.rules(entity)?.policy)
    }

    /// What a change of the laws touches.
    package struct PolicyReach: Sendable, Equatable {
        package var openQuestions = 0
        /// The fields that get another law.
        package var fields: [String] = []
        /// Records that one of them is decided for.
        package var records = 0
        /// How many of these fields those records have between them.
        package var values = 0
    }

    package func reach(
        of change: PolicyChange, _ mapping: EntityMapping
    ) throws -> PolicyReach {
        let old = try policy(of: mapping.entity)
        let new = try old.changed(change, of: mapping)
        let fields = mapping.fields.filter { old.policy(for: $0) != new.policy(for: $0) }
            .map(\.name)
        if case .existence(let law) = change {
            return law == old.existence
                ? PolicyReach(fields: fields) : try reachOfExistence(mapping.entity)
        }
        let entity = mapping.entity
        let counts = try views.collect(
            unopenedFrom: \.records, where: { $0.entity == entity }
        ) { record in
            (
                questions: record.contests.count { fields.contains($0.field) },
                values: record.outcomes.count { fields.contains($0.field) }
            )
        }
        var reach = PolicyReach(fields: fields)
        for count in counts {
            reach.openQuestions += count.questions
            reach.values += count.values
            reach.records += count.values > 0 ? 1 : 0
        }
        return reach
    }

    /// Whom another law about deletions would be about: everybody who is somewhere, and asked about
    /// who was deleted elsewhere.
    private func reachOfExistence(_ entity: String) throws -> PolicyReach {
        let objects = try views.collect(
            unopenedFrom: \.replicas,
            where: {
                $0.entity == entity && $0.record != nil && ($0.isDeleted || $0.state == .live)
            }
        ) { (record: $0.record, isLive: $0.state == .live) }
        let living = Set(objects.filter(\.isLive).map(\.record))
        let deleted = Set(objects.filter { !$0.isLive }.map(\.record))
        var reach = PolicyReach(fields: [])
        reach.records = living.count
        reach.openQuestions = living.intersection(deleted).count
        return reach
    }

    /// Puts a change of the laws in force; by itself it decides and writes nothing.
    package func change(_ change: PolicyChange, _ mapping: EntityMapping) throws {
        let changed = try policy(of: mapping.entity).changed(change, of: mapping)
            .event(for: mapping.entity)
        var draft = Draft(
            id: eventID(),
            stream: Stream(.ledger, .derived("policy", [Array(mapping.entity.utf8)]) as EventID),
            event: .policyChanged(changed))
        draft.actor = Actor(.person)
        try append([draft])
    }
}
