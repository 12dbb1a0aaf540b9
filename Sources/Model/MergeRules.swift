/// The rules of the merge, each of which can be switched off to see what it holds up.
///
/// In the product all are on; the rule table in the tests shows what each prevents.
package struct MergeRules: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// While a write is open, what is seen there enters no decision.
    package static let openWritesWait = MergeRules(rawValue: 1 << 0)
    /// What an unconfirmed command would leave is its echo, not an edit.
    package static let echoes = MergeRules(rawValue: 1 << 1)
    /// What a system shows of the outcome is agreement, not an edit.
    package static let agreement = MergeRules(rawValue: 1 << 2)
    /// The outcome stands against edits by replicas that did not know it.
    package static let outcomeCompetes = MergeRules(rawValue: 1 << 3)
    /// Two contents are one if the poorer system would make the one of the other.
    package static let richerStands = MergeRules(rawValue: 1 << 4)
    /// A joiner's empty field does not speak.
    package static let emptiesAreSilent = MergeRules(rawValue: 1 << 5)
    /// A joiner's difference freezes the joiner alone.
    package static let joinersApart = MergeRules(rawValue: 1 << 6)
    /// A person's word loses to no law.
    package static let personStands = MergeRules(rawValue: 1 << 7)
    /// A replica that knew the outcome and drifted is not written, unless enforced.
    package static let onlyNews = MergeRules(rawValue: 1 << 8)
    /// The form in which a system took the outcome is the outcome there.
    package static let acceptedForms = MergeRules(rawValue: 1 << 9)
    /// Consent is joined: the stricter stands.
    package static let strictConsent = MergeRules(rawValue: 1 << 10)
    /// Sets are joined element by element: an add beats a remove.
    package static let addsBeatRemoves = MergeRules(rawValue: 1 << 11)
    /// Counts are joined by their differences.
    package static let sumsOfChanges = MergeRules(rawValue: 1 << 12)
    /// A refused value is not sent again.
    package static let refusalsRest = MergeRules(rawValue: 1 << 13)
    /// What only the system can have made of an unverified write is asked, never spread.
    package static let unknownFormsAsk = MergeRules(rawValue: 1 << 14)
    /// A re-consent with evidence lifts.
    package static let evidenceLifts = MergeRules(rawValue: 1 << 15)
    /// A record without an outcome hears its replicas even if they spoke in another record.
    package static let freshRecordsHearAll = MergeRules(rawValue: 1 << 16)
    package static let all = MergeRules(rawValue: (1 << 17) - 1)
}
