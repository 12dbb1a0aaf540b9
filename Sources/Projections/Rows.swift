package import Ledger

/// What is known of one remote object.
///
/// Key: replica id.
package struct ReplicaRow: ViewRow, Equatable {
    package enum State: UInt64, WireChoice {
        case live = 0
        /// We asked for it to be made, and have not heard yet.
        case creating = 1
        case gone = 2
    }

    package var replica: ReplicaID = .none
    package var connection: ConnectionID = .none
    package var system: System = .unspecified
    package var entity = ""
    package var record: RecordID?
    package var remoteID: Sealed?
    package var state: State = .live
    package var goneProof: GoneProof = .unspecified
    package var mergedInto: ReplicaID?
    package var lastLook: UInt64 = 0
    package var lastSettled: UInt64 = 0
    /// The last event of this replica's stream; what a decision was made on.
    package var version: UInt64 = 0
    /// A look came out of order, so another is needed.
    package var needsLook = false
    package var stamp = ""
    package var branches: [BranchRow] = []
    /// Commands that were issued and neither confirmed nor known not to have run.
    package var openCommands: [CommandID] = []
    /// A person said that it is nobody of those it resembles: only a person links it.
    package var isApart = false
    /// Deleting it there was refused or given up: not again until a person says so, or keeps who
    /// was deleted elsewhere.
    package var refusesDelete = false
    /// When the object was made, as the remote wrote it, where it hands out ids that may come again.
    package var born = ""
    /// When it was first known to exist, by our clock.
    package var knownSince: Timestamp?
    /// Making it was given up: nothing waits for it until a person lets it be tried again.
    package var isGivenUp = false
    /// Which of the entity's further kinds of object it is; empty for the ordinary one.
    package var furtherKind = ""
    /// It lives on as an object of another kind: it speaks no longer, and is not written.
    package var isConverted = false
    /// The remote's id of what it became, where the remote tells.
    package var successor: Sealed?
    /// The last event that told its remote id: of two objects with one id the later named has it.
    package var namedAt: UInt64 = 0
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &replica)
        visitor.id(2, &connection)
        visitor.choice(3, &system)
        visitor.string(4, &entity)
        visitor.id(5, &record)
        visitor.sealed(6, &remoteID)
        visitor.choice(7, &state)
        visitor.choice(8, &goneProof)
        visitor.id(9, &mergedInto)
        visitor.unsigned(10, &lastLook)
        visitor.unsigned(11, &lastSettled)
        visitor.unsigned(12, &version)
        visitor.bool(13, &needsLook)
        visitor.string(14, &stamp)
        visitor.messages(15, &branches)
        visitor.ids(16, &openCommands)
        visitor.bool(17, &isApart)
        visitor.bool(18, &refusesDelete)
        visitor.string(19, &born)
        visitor.time(20, &knownSince)
        visitor.bool(21, &isGivenUp)
        visitor.string(22, &furtherKind)
        visitor.bool(23, &isConverted)
        visitor.sealed(24, &successor)
        visitor.unsigned(25, &namedAt)
    }

    /// What kind of object it is.
    package var kind: String { furtherKind.isEmpty ? entity : furtherKind }

    /// Whether it was deleted there, and lives on as no other.
    package var isDeleted: Bool { state == .gone && goneProof != .merged && !isConverted }

    /// Whether it is there and in use: it speaks, and may be written.
    package var isActive: Bool { state == .live && !isConverted }

    /// The branch of an attribute, made when it is first asked for.
    package subscript(attribute: String) -> BranchRow {
        get {
            branches.first { $0.attribute == attribute } ?? BranchRow(attribute: attribute)
        }
        set {
            if let index = branches.firstIndex(where: { $0.attribute == attribute }) {
                branches[index] = newValue
            } else {
                branches.append(newValue)
            }
        }
    }

    /// The remote's id in clear text, where the key still opens it.
    package var remoteIDText: String? {
        if case .text(let text) = remoteID?.value { text } else { nil }
    }

    /// The same of what it became.
    package var successorText: String? {
        if case .text(let text) = successor?.value { text } else { nil }
    }
}

/// One attribute of a replica: what was seen, and what of it is accounted for.
package struct BranchRow: WireMessage, Equatable {
    package var attribute = ""
    package var seen: Sealed?
    package var seenBy: EventID = .none
    package var evidence: Evidence?
    package var accounted: Sealed?
    package var acceptedVersion: UInt64 = 0
    package var accepted: Sealed?
    package var liftsAnswered: UInt64 = 0
    package var refusedVersion: UInt64?
    package var addedByUs: Sealed?
    package var isUnverified = false
    /// The record that a reference's accounted spelling stood for.
    package var referred: Sealed?
    /// The object of that record that it stood for; another one in its place is news.
    package var referredObject: ReplicaID?
    package var unknownFields: [UInt8] = []

    package init() {}
    package init(attribute: String) { self.attribute = attribute }

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.string(1, &attribute)
        visitor.sealed(2, &seen)
        visitor.id(3, &seenBy)
        visitor.message(4, &evidence)
        visitor.sealed(5, &accounted)
        visitor.unsigned(6, &acceptedVersion)
        visitor.sealed(7, &accepted)
        visitor.unsigned(8, &liftsAnswered)
        visitor.unsigned(9, &refusedVersion)
        visitor.sealed(10, &addedByUs)
        visitor.bool(11, &isUnverified)
        visitor.sealed(12, &referred)
        visitor.id(13, &referredObject)
    }
}

/// One record, its replicas and what its fields stand on.
///
/// Key: record id.
package struct RecordRow: ViewRow, Equatable {
    package var record: RecordID = .none
    package var entity = ""
    package var replicas: [ReplicaID] = []
    /// Replicas that are being made at a system.
    package var creating: [ReplicaID] = []
    package var outcomes: [OutcomeRow] = []
    package var contests: [ContestRow] = []
    /// Events of the record's stream: what a decision was made on.
    package var version: UInt64 = 0
    package var consentGiven: [String] = []
    /// How many creates of this record ended without an object.
    package var failedCreates: UInt64 = 0
    /// Connections that refused to make this record, until one of its outcomes moves.
    package var refusedCreates: [ConnectionID] = []
    /// Its last object was taken out alive: nobody is left whom it could be made anew for.
    package var isEmptied = false
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.unsigned(9, &failedCreates)
        visitor.ids(10, &refusedCreates)
        visitor.bool(11, &isEmptied)
        visitor.id(1, &record)
        visitor.string(2, &entity)
        visitor.ids(3, &replicas)
        visitor.ids(4, &creating)
        visitor.messages(5, &outcomes)
        visitor.messages(6, &contests)
        visitor.unsigned(7, &version)
        visitor.strings(8, &consentGiven)
    }

    package func outcome(_ field: String) -> OutcomeRow? { outcomes.first { $0.field == field } }
    package func contest(_ field: String) -> ContestRow? { contests.first { $0.field == field } }
}

/// What one field of a record stands on, and by which event.
package struct OutcomeRow: WireMessage, Equatable {
    package var field = ""
    package var value: Sealed?
    package var version: UInt64 = 0
    package var author: ReplicaID?
    package var authorSystem: System = .unspecified
    package var evidence: Evidence?
    package var settledByPerson = false
    package var decidedBy: EventID = .none
    package var law = ""
    /// The sequence of the event that decided it.
    package var sequence: UInt64 = 0
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.string(1, &field)
        visitor.sealed(2, &value)
        visitor.unsigned(3, &version)
        visitor.id(4, &author)
        visitor.choice(5, &authorSystem)
        visitor.message(6, &evidence)
        visitor.bool(7, &settledByPerson)
        visitor.id(8, &decidedBy)
        visitor.string(9, &law)
        visitor.unsigned(10, &sequence)
    }
}

/// A difference that waits for a person.
package struct ContestRow: WireMessage, Equatable {
    package struct Side: WireMessage, Equatable {
        package var replica: ReplicaID = .none
        package var system: System = .unspecified
        package var observation: EventID = .none
        package var content: Sealed?
        package var unknownFields: [UInt8] = []
        package init() {}
        package mutating func visit(_ visitor: inout some WireVisitor) {
            visitor.id(1, &replica)
            visitor.choice(2, &system)
            visitor.id(3, &observation)
            visitor.sealed(4, &content)
        }
    }

    package var field = ""
    package var sides: [Side] = []
    package var freezesOnlyInputs = false
    package var outcomeCompeted = false
    package var raisedBy: EventID = .none
    package var raisedAt: Timestamp?
    /// The sequence of the event that raised it.
    package var sequence: UInt64 = 0
    package var reason = ""
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.string(1, &field)
        visitor.messages(2, &sides)
        visitor.bool(3, &freezesOnlyInputs)
        visitor.bool(4, &outcomeCompeted)
        visitor.id(5, &raisedBy)
        visitor.time(6, &raisedAt)
        visitor.string(7, &reason)
        visitor.unsigned(8, &sequence)
    }
}

/// A contest that was open once.
///
/// Key: record id, sequence of its raising.
package struct ConflictRow: ViewRow, Equatable {
    package var record: RecordID = .none
    package var contest = ContestRow()
    package var settledBy: EventID?
    package var settledAt: Timestamp?
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &record)
        visitor.message(2, &contest)
        visitor.id(3, &settledBy)
        visitor.time(4, &settledAt)
    }
}

/// One API call that was wanted, and what became of it.
///
/// Key: command id.
package struct CommandRow: ViewRow, Equatable {
    package enum State: UInt64, WireChoice, CaseIterable {
        case issued = 0
        case confirmed = 1
        case refused = 2
        case uncertain = 3
        case superseded = 4
        case parked = 5

        package var name: String {
            switch self {
            case .issued: "issued"
            case .confirmed: "confirmed"
            case .refused: "refused"
            case .uncertain: "uncertain"
            case .superseded: "superseded"
            case .parked: "parked"
            }
        }

        /// Whether the remote may or may not have run it, and we have not heard.
        package var isOpen: Bool { self == .issued || self == .uncertain }
    }

    package var issue = CommandIssued()
    package var state: State = .issued
    package var issuedAt: UInt64 = 0
    package var issuedTime: Timestamp?
    package var settledAt: UInt64 = 0
    package var reason = ""
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.message(1, &issue)
        visitor.choice(2, &state)
        visitor.unsigned(3, &issuedAt)
        visitor.unsigned(4, &settledAt)
        visitor.string(5, &reason)
        visitor.time(6, &issuedTime)
    }
}

/// Several objects that could be one person.
///
/// Key: question id.
package struct QuestionRow: ViewRow, Equatable {
    package var raised = AmbiguityRaised()
    package var isSettled = false
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.message(1, &raised)
        visitor.bool(2, &isSettled)
    }
}
