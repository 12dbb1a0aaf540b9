package import Ledger

/// Where one record stands, system by system.
///
/// Key: record id.
package struct StandingRow: ViewRow, Equatable {
    /// The seed's three buckets, and what is on its way to one of them.
    package enum Bucket: UInt64, WireChoice, CaseIterable {
        case inSync = 0
        /// Something is to be decided, written or made there, or a command is under way.
        case waiting = 1
        case excluded = 2
        /// It needs a person.
        case failing = 3

        package var name: String {
            switch self {
            case .inSync: "in sync"
            case .waiting: "waiting"
            case .excluded: "excluded"
            case .failing: "failing"
            }
        }
    }

    /// One system's part: the worst that can be said of it, and why.
    package struct Part: WireMessage, Equatable {
        package var connection: ConnectionID = .none
        package var bucket: Bucket = .inSync
        package var reason = ""
        package var unknownFields: [UInt8] = []
        package init() {}
        init(_ connection: ConnectionID, _ bucket: Bucket, _ reason: String) {
            self.connection = connection
            self.bucket = bucket
            self.reason = reason
        }
        package mutating func visit(_ visitor: inout some WireVisitor) {
            visitor.id(1, &connection)
            visitor.choice(2, &bucket)
            visitor.string(3, &reason)
        }
    }

    /// Why somebody waits who is nowhere near an edit.
    package static let toBeMade = "to be made there"

    package var record: RecordID = .none
    package var entity = ""
    package var parts: [Part] = []
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &record)
        visitor.string(2, &entity)
        visitor.messages(3, &parts)
    }

    /// The record's bucket: that of the part that most needs somebody; excluded only where no part of
    /// it is in sync.
    package var bucket: Bucket {
        for bucket in [Bucket.failing, .waiting, .inSync, .excluded]
        where parts.contains(where: { $0.bucket == bucket }) {
            return bucket
        }
        return .inSync
    }
}

/// Why somebody is left out somewhere: said alike by plans and by the status view.
package enum Exclusion: String, Sendable {
    case outOfScope = "it is out of scope there"
    case unapproved = "its first plan is not approved yet"
    case neverMade = "nothing is created there"
    case notMade = "it is none of those that are created there"
    case lacksRequired = "it lacks what the mapping requires there"
    case unreachable =
        "without the name or address that it is found by, it is not created elsewhere"
    case emptied = "its objects were all taken out of it"
    case deleted = "deleted everywhere"
    case merged = "merged into another one"
    case converted = "it was converted into a contact"
}

/// An event that could not be folded; it stands in the log, and a rebuild tries it again.
///
/// Only a rebuild does: folded now, behind younger events, it would say something else than in its
/// place.
///
/// Key: sequence.
package struct ParkedRow: ViewRow, Equatable {
    package var sequence: UInt64 = 0
    package var reason = ""
    /// The event's type on the wire; 0 where the entry cannot be read.
    package var type: UInt64 = 0
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.unsigned(1, &sequence)
        visitor.string(2, &reason)
        visitor.unsigned(3, &type)
    }
}
