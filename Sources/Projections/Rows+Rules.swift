package import Ledger
package import Model

/// The laws and the code that are in force for an entity.
///
/// Key: the entity's name.
package struct RulesRow: ViewRow, Equatable {
    package var policy: PolicyChanged?
    package var policySetBy: EventID?
    package var adopted: RulesAdopted?
    package var adoptedBy: EventID?
    package var mapping: MappingChanged?
    package var mappingSetBy: EventID?
    /// Every attribute that a mapping ever named, as `system attribute field`: what stands there is that
    /// field's history.
    package var owners: [String] = []
    /// The sequence of the event that changed any of it last.
    package var since: UInt64 = 0
    /// The sequence at which another mapping was adopted last.
    package var mappedSince: UInt64 = 0
    /// The mappings that were in force before, the oldest first.
    package var formers: [FormerMappingRow] = []
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.message(1, &policy)
        visitor.id(2, &policySetBy)
        visitor.message(3, &adopted)
        visitor.id(4, &adoptedBy)
        visitor.unsigned(5, &since)
        visitor.message(6, &mapping)
        visitor.id(7, &mappingSetBy)
        visitor.strings(8, &owners)
        visitor.unsigned(9, &mappedSince)
        visitor.messages(10, &formers)
    }
}

/// A mapping that was in force.
package struct FormerMappingRow: WireMessage, Equatable {
    /// `nil` for the one that ships.
    package var mapping: MappingChanged?
    /// The sequence of the event that put another one in its place.
    package var until: UInt64 = 0
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.message(1, &mapping)
        visitor.unsigned(2, &until)
    }
}

/// How attributes were spelt when what stands there was decided.
///
/// A mapping alone writes nothing (law 4): what a system was told, and would be told otherwise now,
/// waits for `--realign`.
package struct Respellings: Sendable, Equatable {
    private let formers: [(until: UInt64, mapping: EntityMapping)]

    package init(_ rules: RulesRow?, shipped: EntityMapping?) {
        formers = (rules?.formers ?? []).compactMap { row in
            guard let shipped else { return nil }
            let mapping = row.mapping.map { try? EntityMapping($0, shipped: shipped) } ?? shipped
            return mapping.map { (row.until, $0) }
        }
    }

    package static func == (one: Self, other: Self) -> Bool {
        one.formers.map(\.until) == other.formers.map(\.until)
    }

    /// Marks a branch that is spelt otherwise than when its outcome was decided, unless the outcome is
    /// still owed to it; with `realigns` lets it be told in the new words.
    package func mark(_ branch: inout Branch, _ decided: OutcomeRow?, realigns: Bool) {
        guard let decided, !branch.spelling.codec.kind.isReference,
            let former = formers.first(where: { $0.until > decided.sequence })?.mapping,
            let was = former.field(attribute: branch.spelling.attribute, of: branch.system)?
                .spellings[branch.system],
            was != branch.spelling, let outcome = decided.outcome
        else { return }
        var then = branch
        then.spelling = was
        guard !then.isOwed(outcome) else { return }
        if !realigns {
            branch.isRespelt = true
        } else if was.codec != branch.spelling.codec {
            // In which form it held the outcome was said in the old words.
            branch.accepted = nil
        }
    }
}

extension RulesRow {
    /// Keeps the mapping that is in force until an event; the oldest go, for few are asked for.
    mutating func keepFormer(until sequence: UInt64) {
        var row = FormerMappingRow()
        row.mapping = mapping
        row.until = sequence
        formers = formers.suffix(15) + [row]
    }

    mutating func own(_ mapping: MappingChanged) {
        for field in mapping.fields {
            for spelling in field.spellings
            where owner(of: spelling.place, at: spelling.system) == nil {
                owners.append("\(spelling.system.rawValue) \(spelling.place)\n\(field.field)")
            }
        }
    }

    /// The field whose history stands at an attribute; `nil` where no mapping of a file named it.
    package func owner(of attribute: String, at system: System) -> String? {
        let head = "\(system.rawValue) \(attribute)\n"
        return owners.first { $0.hasPrefix(head) }.map { String($0.dropFirst(head.count)) }
    }
}

extension Policy {
    /// The policy that an event set; the default without one.
    package init(from changed: PolicyChanged?) {
        self.init(preset: changed.flatMap { Law(rawValue: $0.preset) } ?? .fieldMerge)
        for field in changed?.fields ?? [] {
            if field.field == Self.existenceField {
                existence = ExistenceLaw(rawValue: field.law) ?? .ask
            } else if let law = Law(rawValue: field.law) {
                fields[field.field] = FieldPolicy(
                    law: law, prefer: field.prefer.compactMap { System(name: $0) },
                    enforce: field.enforce)
            }
        }
    }

    package static var existenceField: String { "existence" }
}

extension Mapping {
    /// The mapping in force: as it ships, but for the entities that were given another.
    ///
    /// One that a newer version of the program wrote so that this one cannot follow it is as it ships,
    /// too; `ViewStore.mapping` refuses it.
    package init(inForce rules: (_ entity: String) throws -> RulesRow?) throws {
        self.init(
            try Mapping.shipped.entities.map { shipped in
                guard let text = try rules(shipped.entity)?.mapping else { return shipped }
                return (try? EntityMapping(text, shipped: shipped)) ?? shipped
            })
    }
}
