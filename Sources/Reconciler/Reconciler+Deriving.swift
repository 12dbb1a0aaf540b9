import Ledger
import Model
import Projections

/// Fields that take their value from another record, or from other fields of their own.
extension Reconciler {
    /// Moves a derived field, or the set that derived fields are put into, where what they are taken
    /// from has moved.
    ///
    /// Both move in one plan, so in one event: what was put into the set is known by what the derived
    /// field stood on, and is taken out when that moves.
    func derived(
        _ field: FieldMapping, _ state: FieldState, _ snapshot: RecordSnapshot
    ) -> Ruling? {
        guard state.contest == nil else { return nil }
        if let value = move(of: field, in: snapshot) {
            return .derived(
                value, in: state, reason: field.derivation?.isJoin == true ? .joined : .derived)
        }
        let moved = ground.mapping.fields.filter { $0.derivation?.into == field.name }
            .compactMap { source in
                move(of: source, in: snapshot).map { (source.name, $0) }
            }
        guard !moved.isEmpty else { return nil }
        var elements = Set(state.outcome?.value.elements ?? [])
        let stays = ground.mapping.fields.filter { other in
            other.derivation?.into == field.name && !moved.contains { $0.0 == other.name }
        }.compactMap { snapshot.record.outcome($0.name)?.value?.value }
        // First all that go: one may come to what another leaves.
        for (name, _) in moved {
            if case .text(let old)? = snapshot.record.outcome(name)?.value?.value,
                !stays.contains(.text(old))
            {
                elements.remove(old)
            }
        }
        for case (_, .text(let new)) in moved { elements.insert(new) }
        let value = Value.set(of: elements)
        return value == state.outcome?.value ? nil : .derived(value, in: state)
    }

    /// The fields in the order in which they are decided: a join comes behind what it is made of.
    var fieldsInOrder: [FieldMapping] {
        let fields = ground.mapping.fields
        func isJoin(_ field: FieldMapping) -> Bool { field.derivation?.isJoin ?? false }
        return fields.contains(where: isJoin)
            ? fields.filter { !isJoin($0) } + fields.filter(isJoin) : fields
    }

    /// The fields that joins are made of.
    var joinedFields: Set<String> {
        Set(ground.mapping.fields.flatMap { $0.derivation?.join ?? [] })
    }

    /// What a join is now: where this plan moves one of its fields, it moves in the same decision.
    ///
    /// It says nothing while one of them is asked about and nothing stands yet, for half a name is
    /// nobody's name.
    func join(
        _ field: FieldMapping, _ plan: RecordPlan, _ parts: [String: FieldState],
        in snapshot: inout RecordSnapshot
    ) {
        guard let derivation = field.derivation, derivation.isJoin else { return }
        let isUndecided = derivation.join.contains { name in
            parts[name].map { $0.outcome == nil && $0.contest != nil } ?? false
        }
        if isUndecided {
            snapshot.derived[field.name] = nil
        } else if plan.rulings.contains(where: {
            $0.ruling.kind == .moved && derivation.join.contains($0.field.name)
        }) {
            let value = derivation.joined { parts[$0]?.outcome?.value }
            snapshot.derived[field.name] = Derived(value: value, isNews: true)
        }
    }

    /// How many derived fields newer rules alone would move.
    func waitingDerivations(_ snapshot: RecordSnapshot) -> Int {
        snapshot.derived.count { name, derived in
            !derived.isNews && !ground.realigns && isMove(derived.value, name, snapshot)
        }
    }

    /// What a derived field moves to; `nil` where it stays.
    private func move(of field: FieldMapping, in snapshot: RecordSnapshot) -> Value? {
        guard let derived = snapshot.derived[field.name], derived.isNews || ground.realigns,
            isMove(derived.value, field.name, snapshot)
        else { return nil }
        // The set and what is put into it move together or not at all.
        if let into = field.derivation?.into, snapshot.record.contest(into) != nil { return nil }
        return derived.value
    }

    private func isMove(_ value: Value, _ field: String, _ snapshot: RecordSnapshot) -> Bool {
        value != (snapshot.record.outcome(field)?.value?.value ?? .null)
    }
}
