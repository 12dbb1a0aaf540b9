import Ledger
import Model

/// Which field a world is about.
enum WorldKind: String, Sendable, CaseIterable {
    case plain, union, sum, strictest

    var fields: [String] {
        switch self {
        case .plain: ["first_name", "email", "title", "postcode"]
        case .union: ["tags"]
        case .sum: ["points"]
        case .strictest: ["email_opt_out"]
        }
    }

    /// Two systems have tags and points, so a second Mautic makes the third replica.
    var systems: [System] {
        switch self {
        case .plain, .strictest: [.compass, .mautic, .suitecrm]
        case .union, .sum: [.compass, .mautic, .mautic]
        }
    }
}

/// The rules of the merge that live outside `Merge`, in whatever engine drives it.
///
/// Each can be switched off to see what it holds up, as `MergeRules` can.
struct EngineRules: OptionSet, Sendable, Hashable {
    let rawValue: UInt32
    /// A look whose request left before the last accepted look moves nothing.
    static let looksInOrder = EngineRules(rawValue: 1 << 0)
    /// A look whose request left before a write was settled moves nothing.
    static let looksAfterWrites = EngineRules(rawValue: 1 << 1)
    /// An undecided content that is replaced is logged.
    static let overtakenIsLogged = EngineRules(rawValue: 1 << 2)
    /// u is what the decision names, never what is seen when it is folded.
    static let accountsWhatWasNamed = EngineRules(rawValue: 1 << 3)
    /// u after a write is what it is known to have stored, not what we wished.
    static let accountsWhatWasStored = EngineRules(rawValue: 1 << 4)
    /// A queued command is superseded when what it was decided on has moved.
    static let superseding = EngineRules(rawValue: 1 << 5)
    /// A contest supersedes what is queued.
    static let contestsSupersede = EngineRules(rawValue: 1 << 6)
    /// An unheard outcome is settled by looking, never by sending again.
    static let looksSettle = EngineRules(rawValue: 1 << 7)
    /// A plan is made anew when the record moved under it.
    static let conditions = EngineRules(rawValue: 1 << 8)
    /// The old value still standing is a refusal.
    static let notStoredIsRefused = EngineRules(rawValue: 1 << 9)
    /// Compass is written only if its row is still the one that was read.
    static let compareAndSet = EngineRules(rawValue: 1 << 10)
    /// An unconfirmed command is remembered for its echo, without end.
    static let echoesNeverExpire = EngineRules(rawValue: 1 << 11)
    /// u belongs to the replica and survives unlink and relink.
    static let accountsSurviveRelink = EngineRules(rawValue: 1 << 12)
    /// Counts are written as deltas.
    static let deltas = EngineRules(rawValue: 1 << 13)
    /// An uncertain delta settles only where the look equals before or after.
    static let deltasPark = EngineRules(rawValue: 1 << 14)
    /// A write that lifts a consent goes out only after a fresh look.
    static let liftsLookFirst = EngineRules(rawValue: 1 << 15)
    /// Elements that others put there are not ours to remove.
    static let foreignElements = EngineRules(rawValue: 1 << 16)
    /// The id of a command derives from what it was decided on, so a repeat is recognised.
    static let derivedIDs = EngineRules(rawValue: 1 << 17)
    static let all = EngineRules(rawValue: (1 << 18) - 1)
}

/// What must hold in every world.
enum WorldLaw: String, Sendable, CaseIterable {
    case converges = "all replicas hold the outcome, or something in the log says why not"
    case quiet = "nothing more happens once nobody types"
    case nothingLost = "what a look showed is decided, logged or open"
    case silentWrites = "our own write never speaks as if a person had typed it"
    case notRolledBack = "a repeated write never replaces a person's edit"
    case countedOnce = "every increment counts, and counts once"
    case elementsKept = "an added element stays, a removed one goes"
    case foreignKept = "an element that we did not add is not removed by us"
    case consentTightens = "consent is never loosened without evidence"
    case orderedByTime = "the newest is the newest"
    case nothingTwice = "the same input again yields nothing"
    case neverSpread = "what a system made of our write goes to no other system"
    case looksForward = "what is known of a replica never goes back to an older look"
    case blankSilent = "an empty joiner neither takes away nor asks"
    case richerStays = "a system's poorer form never replaces the richer content"
    case outcomeHeard = "who did not know the outcome does not replace it unjudged"
    case joinerAlone = "a joiner's difference freezes nobody else"
    case personStands = "no law overrules a person"
    case driftStays = "a replica that knew the outcome is written only where enforced"
    case frozen = "a contested field is not written"
    case agreementIsSilent = "who holds the outcome already is not asked"
    case versionsGrow = "a version of an outcome names one content and its author"
}

/// A law that did not hold, with where.
struct Violation: Sendable, CustomStringConvertible {
    var law: WorldLaw
    var detail: String
    var description: String { "\(law.rawValue): \(detail)" }
}

/// One world: what it is about and which rules hold in it.
struct WorldSetup: Sendable {
    var kind: WorldKind
    var seed: UInt64
    var merge: MergeRules = .all
    var engine: EngineRules = .all
    var steps = 45
    var keepsHistory = false

    init(_ kind: WorldKind, seed: UInt64) {
        self.kind = kind
        self.seed = seed
    }
}
