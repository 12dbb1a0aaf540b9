package import Ledger

/// What a person changes of the laws of an entity.
package enum PolicyChange: Sendable, Equatable {
    /// The law of every field that has none of its own.
    case preset(Law)
    case existence(ExistenceLaw)
    /// A field's own law; `nil` gives it back to the preset.
    case field(String, FieldPolicy?)
}

extension Policy {
    /// This policy with one change.
    ///
    /// - Throws: `PolicyError`, which says what may be had instead.
    package func changed(_ change: PolicyChange, of mapping: EntityMapping) throws -> Policy {
        var policy = self
        switch change {
        case .preset(let law):
            guard Law.presets.contains(law) else { throw PolicyError.noPreset(law) }
            policy.preset = law
        case .existence(let law): policy.existence = law
        case .field(let name, let own):
            guard let field = mapping.field(name) else {
                throw PolicyError.unknownField(name, among: mapping.fields.map(\.name))
            }
            if let own { try Self.check(own, for: field) }
            policy.fields[name] = own
        }
        return policy
    }

    private static func check(_ own: FieldPolicy, for field: FieldMapping) throws {
        let kinds = Set(field.spellings.values.map(\.codec.kind))
        if field.law.isJoin, own.law != field.law {
            throw PolicyError.isJoin(field.name, field.law)
        }
        if own.law.isJoin, own.law != field.law { throw PolicyError.noJoin(field.name, own.law) }
        if [.max, .min].contains(own.law), kinds != [.integer], kinds != [.money] {
            throw PolicyError.noNumber(field.name, own.law)
        }
        if own.law == .prefer, own.prefer.isEmpty { throw PolicyError.nobodyPreferred }
        if let other = own.prefer.first(where: { field.spellings[$0] == nil }) {
            throw PolicyError.lacksField(other, field.name)
        }
    }
}

package enum PolicyError: Error, Equatable, CustomStringConvertible {
    case unknownField(String, among: [String])
    case noPreset(Law)
    case isJoin(String, Law)
    case noJoin(String, Law)
    case noNumber(String, Law)
    case nobodyPreferred
    case lacksField(System, String)

    package var description: String {
        switch self {
        case .unknownField(let name, let fields):
            "there is no field \(name)\(didYouMean(name, among: fields)) `syncledger mapping` lists them"
        case .noPreset(let law):
            "\(law.rawValue) is no preset: take "
                + Law.presets.map(\.rawValue).joined(separator: ", ")
        case .isJoin(let name, let law):
            "\(name) always joins by \(law.rawValue): only its --prefer and --enforce can be set"
        case .noJoin(let name, let law):
            "\(name) cannot join by \(law.rawValue): that is for consents, sets and counts"
        case .noNumber(let name, let law):
            "\(law.rawValue) needs a field of numbers, which \(name) is not"
        case .nobodyPreferred:
            "the law prefer needs --prefer with one system or several, such as suitecrm,mautic"
        case .lacksField(let system, let name): "\(system.name) does not have the field \(name)"
        }
    }
}
