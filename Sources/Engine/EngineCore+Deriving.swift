import Ledger
import Model
import Projections

/// What derived fields of a record are now, and whose derived fields hang on a record.
extension SnapshotReader {
    /// The derived fields of a record, from what the views say of the records they are taken from.
    func derived(_ record: RecordRow, _ entity: EntityMapping) throws -> [String: Derived] {
        var derived: [String: Derived] = [:]
        for field in entity.fields {
            guard let derivation = field.derivation else { continue }
            let (value, decisions) = try taken(derivation, record, entity)
            var isNews = false
            if value != record.outcome(field.name)?.value?.value ?? .null {
                let since = try views.rules(entity.entity)?.since ?? 0
                isNews = try decisions.contains { event in
                    try views.sequence(of: event).map { $0 > since } ?? false
                }
            }
            derived[field.name] = Derived(value: value, isNews: isNews)
        }
        return derived
    }

    /// What a derivation comes to, and the decisions that led to it.
    private func taken(
        _ derivation: Derivation, _ record: RecordRow, _ entity: EntityMapping
    ) throws -> (Value, [EventID]) {
        if derivation.isJoin {
            let value = derivation.joined { record.outcome($0)?.value?.value }
            return (value, derivation.join.compactMap { record.outcome($0)?.decidedBy })
        }
        let reference = record.outcome(derivation.by)
        let target = reference?.value?.value?.reference
        let sources = try target.map { try self.sources(derivation, entity, of: $0) } ?? []
        let value = derivation.value(
            from: sources.map { source in
                .init(
                    record: source.record,
                    content: derivation.looksAt.reduce(into: [:]) {
                        $0[$1] = source.outcome($1)?.value?.value
                    })
            })
        let decisions =
            [reference?.decidedBy]
            + sources.flatMap { source in
                derivation.looksAt.map { source.outcome($0)?.decidedBy }
            }
        return (value, decisions.compactMap(\.self))
    }

    /// The living records that a derivation may take from: the one referred to, or those of another
    /// entity that refer to it too.
    private func sources(
        _ derivation: Derivation, _ entity: EntityMapping, of target: RecordID
    ) throws -> [RecordRow] {
        let refers = entity.field(derivation.by)?.refers
        let found = refers == derivation.from ? [target] : try views.referers(of: target)
        return try found.compactMap(views.record).filter { row in
            try row.entity == derivation.from
                && row.replicas.contains { try views.replica($0)?.isActive ?? false }
        }
    }

    /// The records with a field that is taken from a record, as it refers now.
    func derivers(of record: RecordRow) throws -> [RecordID] {
        let derivations = mapping.entities.flatMap { entity in
            entity.fields.compactMap { field in field.derivation.map { (entity, $0) } }
        }.filter { $0.1.from == record.entity }
        guard !derivations.isEmpty else { return [] }
        return try derivations.flatMap { entity, derivation -> [RecordID] in
            let refers = entity.field(derivation.by)?.refers
            let targets =
                refers == record.entity
                ? [record.record]
                : (mapping[record.entity]?.fields ?? []).filter { $0.refers == refers }
                    .compactMap { record.outcome($0.name)?.value?.value?.reference }
            return try targets.flatMap(views.referers).filter {
                try views.record($0)?.entity == entity.entity
            }
        }
    }
}
