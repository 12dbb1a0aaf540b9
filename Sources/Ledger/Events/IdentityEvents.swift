/// Why replicas are taken for one thing.
package enum LinkReason: UInt64, WireChoice {
    case unspecified = 0
    /// The first replica of a new record.
    case new = 1
    /// A key (e-mail) that exactly one object of each side holds.
    case key = 2
    /// We created the object ourselves.
    case created = 3
    /// A person said so.
    case person = 4
    /// The remote merged one object into another.
    case remoteMerge = 5
    /// The remote converted an object of the record into this one.
    case conversion = 6

    package var name: String {
        switch self {
        case .unspecified: "unspecified"
        case .new: "new"
        case .key: "same key"
        case .created: "created by us"
        case .person: "a person's word"
        case .remoteMerge: "merged at the remote"
        case .conversion: "converted at the remote"
        }
    }
}

/// A replica belongs to a record from here on.
package struct Linked: EventPayload {
    package static var type: UInt64 { 301 }
    package static var name: String { "linked" }
    package var record: RecordID = .none
    package var entity = ""
    package var replica: ReplicaID = .none
    package var reason: LinkReason = .unspecified
    package var unknownFields: [UInt8] = []
    package init() {}
    package init(record: RecordID, entity: String, replica: ReplicaID, reason: LinkReason) {
        self.record = record
        self.entity = entity
        self.replica = replica
        self.reason = reason
    }
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &record)
        visitor.string(2, &entity)
        visitor.id(3, &replica)
        visitor.choice(4, &reason)
    }
}

/// A replica no longer belongs to its record; what was accounted for at it stays with it.
package struct Unlinked: EventPayload {
    package static var type: UInt64 { 302 }
    package static var name: String { "unlinked" }
    package var record: RecordID = .none
    package var replica: ReplicaID = .none
    package var unknownFields: [UInt8] = []
    package init() {}
    package init(record: RecordID, replica: ReplicaID) {
        self.record = record
        self.replica = replica
    }
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &record)
        visitor.id(2, &replica)
    }
}

/// Several objects could be the same person: a question for a person, not a guess.
package struct AmbiguityRaised: EventPayload {
    package static var type: UInt64 { 303 }
    package static var name: String { "ambiguity raised" }
    package var question: QuestionID = .none
    package var entity = ""
    package var replicas: [ReplicaID] = []
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &question)
        visitor.string(2, &entity)
        visitor.ids(3, &replicas)
    }
}

/// A person answered the question; the links that follow stand beside it.
package struct AmbiguitySettled: EventPayload {
    package static var type: UInt64 { 304 }
    package static var name: String { "ambiguity settled" }
    package var question: QuestionID = .none
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &question)
    }
}
