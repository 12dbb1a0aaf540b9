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
    /// Where a mapping changed how a system is told of an attribute, as it changed last.
    package var respellings: [RespellingRow] = []
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
        visitor.messages(10, &respellings)
    }
}

/// An attribute that a mapping spells otherwise than the one before it.
package struct RespellingRow: WireMessage, Equatable {
    package var system: System = .unspecified
    package var attribute = ""
    /// The sequence of the mapping's event.
    package var sequence: UInt64 = 0
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.choice(1, &system)
        visitor.string(2, &attribute)
        visitor.unsigned(3, &sequence)
    }
}

/// Which attributes are spelt otherwise than when what stands there was decided.
///
/// A mapping alone writes nothing (law 4): what they would be told otherwise waits for `--realign`.
package struct Respellings: Sendable, Equatable {
    private var since: [System: [String: UInt64]] = [:]

    package init(_ rules: RulesRow?) {
        for row in rules?.respellings ?? [] {
            since[row.system, default: [:]][row.attribute] = row.sequence
        }
    }

    /// Marks a branch whose outcome had reached it before the mapping changed.
    package func mark(_ branch: inout Branch, of replica: ReplicaRow, _ outcome: OutcomeRow?) {
        guard let since = since[branch.system]?[branch.spelling.attribute], let outcome,
            outcome.sequence < since
        else { return }
        let row = replica[branch.spelling.attribute]
        branch.isRespelt = row.accounted != nil && row.accountedAt < since
    }
}

extension RulesRow {
    /// Takes note of every attribute that a system is told of otherwise by the new mapping.
    mutating func noteRespellings(
        from old: EntityMapping, to new: EntityMapping, at sequence: UInt64
    ) {
        for field in new.fields {
            for (system, spelling) in field.spellings.sorted(by: { $0.key < $1.key }) {
                let before = old.field(attribute: spelling.attribute, of: system)
                guard let was = before?.spellings[system], was != spelling else { continue }
                var row = RespellingRow()
                row.system = system
                row.attribute = spelling.attribute
                row.sequence = sequence
                respellings.removeAll { $0.system == system && $0.attribute == row.attribute }
                respellings.append(row)
            }
        }
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
