import Ledger
import Model

/// The fields of all entities by what each system calls them: what a fold asks for every attribute.
struct FieldIndex: Sendable {
    /// A field as one system has it.
    final class Known: Sendable {
        let field: FieldMapping
        let spelling: Spelling
        /// Whether objects are looked up by what it holds.
        let isKey: Bool
        /// Whether nothing else hangs on what it holds: no lookup, no reference, no consent.
        let isPlain: Bool
        /// What the system calls the consents that belong to its content.
        let consents: [String]

        init(
            _ field: FieldMapping, _ spelling: Spelling, of entity: EntityMapping,
            at system: System
        ) {
            self.field = field
            self.spelling = spelling
            isKey = entity.keys.contains(field.name)
            consents = entity.consents(to: field.name).compactMap {
                $0.spellings[system]?.attribute
            }
            isPlain = !isKey && field.refers == nil && consents.isEmpty
        }
    }

    /// The fields of one entity at one system, by attribute.
    typealias Attributes = [String: Known]

    static let shipped = FieldIndex(.shipped)

    private let places: [(entity: String, system: System, attributes: Attributes)]

    init(_ mapping: Mapping) {
        places = mapping.entities.flatMap { entity in
            System.real.map { system in
                let known = entity.fields.compactMap { field in
                    field.spelling(at: system, kind: entity.entity).map {
                        ($0.attribute, Known(field, $0, of: entity, at: system))
                    }
                }
                // The first field of an attribute counts, as in the mapping itself.
                let attributes = Dictionary(known) { first, _ in first }
                return (entity.entity, system, attributes)
            }
        }
    }

    /// Empty where the mapping does not have the entity, or the system.
    func attributes(of entity: String, at system: System) -> Attributes {
        for place in places where place.system == system && place.entity == entity {
            return place.attributes
        }
        return [:]
    }
}
