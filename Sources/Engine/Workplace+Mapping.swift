package import Ledger
package import Model
import Projections

/// What another mapping of an entity is to those that stand under the present one.
package struct MappingReach: Sendable, Equatable {
    package var entity: String
    /// The fields that are new, that are no longer mapped, and that stand otherwise.
    package var added: [String]
    package var removed: [String]
    package var changed: [String]
    /// How many records have a value in a field that is removed or changed.
    package var records = 0
    /// How many open questions are about a field that is removed or changed.
    package var openQuestions = 0
    /// The connections where somebody approves anew what is written.
    package var approvals: [String] = []
    /// Whether others belong or are made at a system.
    package var movesPlaces = false
    /// Whether this version can follow the mapping in force; else the new one replaces it.
    package var isFollowed = true

    package var isEmpty: Bool {
        added.isEmpty && removed.isEmpty && changed.isEmpty && approvals.isEmpty
            && !movesPlaces && isFollowed
    }
}

extension Workplace {
    /// What a mapping changes of the one in force; nothing is done.
    ///
    /// - Throws: `WorkplaceMappingError` where a connection's own scope names a field that it lacks,
    ///   or an attribute would get another field's history.
    package func reach(of new: EntityMapping) throws -> MappingReach {
        // One that this version cannot follow can only be replaced.
        let (inForce, isFollowed) = try leniently()
        guard let old = inForce[new.entity] else {
            throw WorkplaceMappingError.unknownEntity(new.entity)
        }
        try refuseTakenAttributes(old, new)
        let names = old.fields.map(\.name)
        var reach = MappingReach(
            entity: new.entity,
            added: new.fields.map(\.name).filter { !names.contains($0) },
            removed: names.filter { new.field($0) == nil },
            changed: old.fields.filter { field in
                new.field(field.name).map { $0 != field } ?? false
            }.map(\.name))
        reach.isFollowed = isFollowed
        reach.movesPlaces = new.scopes != old.scopes || new.creates != old.creates
        let touched = Set(reach.removed + reach.changed)
        try views.read { tables, transaction in
            for row in try tables.connections.all(transaction) where !row.isRemoved {
                let kinds = new.kinds(at: row.system)
                if new.differs(from: old, at: row.system),
                    row.approved.contains(where: kinds.contains)
                {
                    reach.approvals.append(row.configured.label)
                }
                guard new.entity == EntityMapping.contact.entity else { continue }
                do {
                    _ = try Scope(row.configured.scope, of: new)
                } catch {
                    throw WorkplaceMappingError.scope(row.configured.label, "\(error)")
                }
            }
        }
        guard !touched.isEmpty else { return reach }
        let entity = new.entity
        let counts = try views.collect(
            unopenedFrom: \.records, where: { $0.entity == entity }
        ) { record in
            (
                record: record.outcomes.contains { touched.contains($0.field) } ? 1 : 0,
                questions: record.contests.count { touched.contains($0.field) }
            )
        }
        reach.records = counts.reduce(0) { $0 + $1.record }
        reach.openQuestions = counts.reduce(0) { $0 + $1.questions }
        return reach
    }

    /// The mapping in force, and whether all of it can be followed.
    private func leniently() throws -> (Mapping, Bool) {
        do {
            return (try mapping(), true)
        } catch ViewError.unfollowedMapping {
            let found = try views.read { tables, transaction in
                try Mapping { try tables.rules.row(Array($0.utf8), transaction) }
            }
            return (found, false)
        }
    }

    /// What stands at an attribute was seen, told and refused as one field's: under another name it would
    /// be taken for that one's history.
    private func refuseTakenAttributes(_ old: EntityMapping, _ new: EntityMapping) throws {
        let rules = try views.rules(new.entity)
        for field in new.fields {
            for (system, spelling) in field.spellings.sorted(by: { $0.key < $1.key }) {
                // What ships counts only where no mapping of this ledger ever named it.
                let owner =
                    rules?.owner(of: spelling.attribute, at: system)
                    ?? old.field(attribute: spelling.attribute, of: system)?.name
                    ?? Mapping.shipped[new.entity]?
                    .field(attribute: spelling.attribute, of: system)?.name
                if let owner, owner != field.name {
                    throw WorkplaceMappingError.taken(
                        field.name, spelling.attribute, system, owner)
                }
            }
        }
    }

    /// Puts mappings in force, all in one append; by itself that decides and writes nothing.
    package func change(_ mappings: [EntityMapping]) throws {
        try append(
            mappings.map { mapping in
                var draft = Draft(
                    id: eventID(),
                    stream: Stream(
                        .ledger, .derived("mapping", [Array(mapping.entity.utf8)]) as EventID),
                    event: .mappingChanged(mapping.event))
                draft.actor = Actor(.person)
                return draft
            })
    }
}

package enum WorkplaceMappingError: Error, Equatable, CustomStringConvertible {
    case unknownEntity(String)
    case scope(String, String)
    case taken(String, String, System, String)

    /// What of the mapping it is about.
    var place: MappingError.Place {
        switch self {
        case .taken(let field, _, let system, _): .init(field: field, system: system)
        case .unknownEntity, .scope: .init()
        }
    }

    package var description: String {
        switch self {
        case .unknownEntity(let entity):
            "there is no entity \(entity): a mapping is of "
                + Mapping.shipped.entities.map(\.entity).joined(separator: ", ")
        case .taken(let field, let attribute, let system, let owner):
            "\(field) at \(system.name): \(attribute) is the attribute of the field \(owner), whose history stands there: leave it to that field"
        case .scope(let label, let error):
            "\(error); \(label) was connected with it: give it another scope first with `syncledger connect`"
        }
    }
}
