package import Ledger

/// What decides when a field's contents differ.
package enum Law: String, Sendable, Hashable, CaseIterable {
    /// `newest` where evidence orders the edits, else `prefer` where it is set, else a person.
    case fieldMerge = "field-merge"
    case newest
    case prefer
    case manual
    /// What the object shows that was changed last stands, whatever else was typed elsewhere.
    case lastWriteWins = "last-write-wins"
    /// Of numbers: the largest stands.
    case max
    case min
    /// Consent: the stricter stands; lifting needs evidence.
    case strictest
    /// Sets: every add counts, a remove unless somebody adds.
    case union
    /// Counts: every difference counts, once.
    case sum

    /// Joins hold whatever the preset says.
    package var isJoin: Bool { [.strictest, .union, .sum].contains(self) }
    /// Laws that a whole entity may have.
    package static var presets: [Law] { [.fieldMerge, .manual, .lastWriteWins] }
}

/// The law of one field as it is in force.
package struct FieldPolicy: Sendable, Hashable {
    package var law: Law
    package var prefer: [System]
    /// Write a drifted replica back although the outcome is no news to it.
    package var enforce = false

    package init(law: Law, prefer: [System] = [], enforce: Bool = false) {
        self.law = law
        self.prefer = prefer
        self.enforce = enforce
    }
}

/// What happens to the other replicas when one is proved gone.
package enum ExistenceLaw: String, Sendable, Hashable, CaseIterable {
    case ask
    case deleteWins = "delete_wins"
    /// The object is made again where anybody edited what it did not know of when it went; else the
    /// others are deleted too.
    case editWins = "edit_wins"
}

/// All laws of an entity.
package struct Policy: Sendable, Hashable {
    package var preset: Law = .fieldMerge
    package var fields: [String: FieldPolicy] = [:]
    package var existence: ExistenceLaw = .ask

    package init(preset: Law = .fieldMerge) { self.preset = preset }

    /// The law of a field: its own, else the mapping's, else the preset, but joins stay joins.
    package func policy(for field: FieldMapping) -> FieldPolicy {
        if field.law.isJoin {
            return FieldPolicy(
                law: field.law, prefer: fields[field.name]?.prefer ?? field.prefer,
                enforce: fields[field.name]?.enforce ?? false)
        }
        let law = field.law == .fieldMerge ? preset : field.law
        return fields[field.name] ?? FieldPolicy(law: law, prefer: field.prefer)
    }
}
