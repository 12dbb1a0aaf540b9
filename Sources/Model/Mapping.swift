package import Ledger

/// The mappings of all entities, in the order in which they are worked through: what others refer to
/// comes first.
package struct Mapping: Sendable, Hashable {
    package let entities: [EntityMapping]

    package init(_ entities: [EntityMapping]) { self.entities = entities }

    package subscript(entity: String) -> EntityMapping? {
        entities.first { $0.entity == entity }
    }

    /// Those that a system has objects of.
    package func entities(of system: System) -> [EntityMapping] {
        entities.filter { !$0.attributes(of: system).isEmpty }
    }

    /// As it ships.
    package static let shipped = Mapping([.account, .contact])
}
