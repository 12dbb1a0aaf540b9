package import Ledger

/// The mappings of all entities, in the order in which they are worked through: what others refer to
/// comes first.
package struct Mapping: Sendable, Hashable {
    package let entities: [EntityMapping]

    /// What other entities refer to.
    private let referred: Set<String>

    package init(_ entities: [EntityMapping]) {
        self.entities = entities
        referred = Set(entities.flatMap(\.fields).compactMap(\.refers))
    }

    package subscript(entity: String) -> EntityMapping? {
        entities.first { $0.entity == entity }
    }

    /// The entity whose objects a kind is of.
    package func entity(ofKind kind: String) -> EntityMapping? {
        entities.first { entity in
            entity.entity == kind || entity.furtherKinds.contains { $0.name == kind }
        }
    }

    /// The kinds of object that are read at a system, in the order in which they are read.
    package func kinds(at system: System) -> [String] {
        entities.flatMap { $0.kinds(at: system) }
    }

    /// Those that a system has objects of.
    package func entities(of system: System) -> [EntityMapping] {
        entities.filter { !$0.attributes(of: system).isEmpty }
    }

    /// Whether other records refer to those of an entity.
    package func isReferredTo(_ entity: String) -> Bool { referred.contains(entity) }

    /// As it ships.
    package static let shipped = Mapping([.account, .contact, .deal])
}
