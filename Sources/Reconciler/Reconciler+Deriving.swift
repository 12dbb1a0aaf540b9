import Ledger
import Model
import Projections

/// Fields that take their value from another record.
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
        if let value = move(of: field, in: snapshot) { return .derived(value, in: state) }
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
