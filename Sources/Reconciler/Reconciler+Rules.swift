import Ledger
import Model
import Projections

/// New code, mapping or policy alone neither decides nor writes: what stood before waits for new facts,
/// a person, or `plan --realign`.
extension Reconciler {
    /// Whether a ruling would answer an open question with nothing but newer rules.
    func waits(_ ruling: Ruling, _ field: FieldMapping, _ record: RecordRow) -> Bool {
        guard !ground.realigns, let contest = record.contest(field.name),
            contest.sequence < ground.rulesSince, !ruling.inputs.isEmpty
        else { return false }
        let sides = contest.contest.sides
        return ruling.inputs.allSatisfy {
            sides.contains(Contest.Side(replica: $0.replica, content: $0.content))
        }
    }

    /// The law of a field.
    func merge(_ field: FieldMapping) -> Merge {
        Merge(policy: ground.policy.policy(for: field), skew: ground.skew)
    }

    /// The law of existence for those who are gone: whoever went before it was made is asked about.
    func existenceLaw(_ gone: [ReplicaRow]) -> ExistenceLaw {
        // A restored backup is nobody's wish to delete.
        guard !gone.contains(where: { $0.goneProof == .idReused }) else { return .ask }
        let isNewer = gone.contains { $0.lastSettled < ground.rulesSince }
        return isNewer && !ground.realigns ? .ask : ground.policy.existence
    }

    /// Whether any field's law does.
    var asksWhoWroteLast: Bool {
        ground.mapping.fields.contains { ground.policy.policy(for: $0).law == .lastWriteWins }
    }

    /// Who was changed last, by the stamps that the systems told; `nil` where any is missing or two
    /// are the same.
    func lastWriter(in snapshot: RecordSnapshot) -> ReplicaID? {
        var latest: [(replica: ReplicaID, at: Int64)] = []
        for replica in snapshot.replicas where replica.isActive {
            let changed = ground.mapping.fields.filter { $0.law != .strictest }
                .compactMap { replica.branch($0, snapshot.references) }
                .filter { $0.hasChanged && $0.accounted != nil }
            guard !changed.isEmpty else { continue }
            let stamps = changed.compactMap { $0.evidence?.latest?.microseconds }
            guard stamps.count == changed.count, let last = stamps.max() else { return nil }
            latest.append((replica.replica, last))
        }
        guard let last = latest.max(by: { $0.at < $1.at }),
            latest.count(where: { $0.at == last.at }) == 1
        else { return nil }
        return last.replica
    }
}
