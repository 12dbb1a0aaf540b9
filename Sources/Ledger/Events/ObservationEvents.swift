/// By which road an observation came.
package enum Road: UInt64, WireChoice {
    case fetch = 0
    case sweep = 1
    case get = 2
    case outbox = 3
    case imported = 4
    /// A write's own response, or the look right after it.
    case readBack = 5

    package var name: String {
        switch self {
        case .fetch: "fetch"
        case .sweep: "sweep"
        case .get: "get"
        case .outbox: "outbox"
        case .imported: "import"
        case .readBack: "read-back"
        }
    }
}

/// A system was seen to hold this of one object, as it spelt it.
package struct Observed: EventPayload {
    package static var type: UInt64 { 201 }
    package static var name: String { "observed" }
    package var replica: ReplicaID = .none
    package var connection: ConnectionID = .none
    package var entity = ""
    /// Only where it is new: at first sight, or when the remote renamed the object.
    package var remoteID: Sealed?
    package var road: Road = .fetch
    /// Whether the look showed the whole object; attributes that are as they were are left out.
    package var complete = false
    /// The log's last sequence when the request left: what orders looks.
    package var lookedAfter: UInt64 = 0
    package var attributes: [ObservedAttribute] = []
    /// The remote's own modification stamp, as it wrote it.
    package var stamp = ""
    package var codec: UInt64 = 1
    /// The command whose id the remote says wrote this (Compass stores it).
    package var writtenBy: CommandID?
    /// When the object was made, as the remote wrote it; only where that is new.
    package var born = ""
    /// Which of an entity's further kinds of object it is (`lead`); empty for the ordinary one.
    package var furtherKind = ""
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &replica)
        visitor.id(2, &connection)
        visitor.string(3, &entity)
        visitor.sealed(4, &remoteID)
        visitor.choice(5, &road)
        visitor.bool(6, &complete)
        visitor.unsigned(7, &lookedAfter)
        visitor.messages(8, &attributes)
        visitor.string(9, &stamp)
        visitor.always(10, &codec)
        visitor.id(11, &writtenBy)
        visitor.string(12, &born)
        visitor.string(13, &furtherKind)
    }
}

/// One attribute by the remote's own name, spelt as the remote spelt it.
package struct ObservedAttribute: WireMessage, Hashable {
    package var name = ""
    package var value: Sealed?
    /// Where the remote told when this very attribute changed; else the event's own.
    package var evidence: Evidence?
    package var unknownFields: [UInt8] = []
    package init() {}
    package init(_ name: String, _ value: Sealed?, evidence: Evidence? = nil) {
        self.name = name
        self.value = value
        self.evidence = evidence
    }
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.string(1, &name)
        visitor.sealed(2, &value)
        visitor.message(3, &evidence)
    }
}

/// How it was proved that an object is no longer there.
package enum GoneProof: UInt64, WireChoice {
    case unspecified = 0
    /// Two gets by id, apart in time, both said so.
    case goneTwice = 1
    /// A closed complete sweep did not show it, and a get by id then said so.
    case sweepAndGet = 2
    /// The system's own change feed told the deletion.
    case feed = 3
    /// Another object answers for its id: it was merged away.
    case merged = 4
    /// A confirmed command of ours.
    case command = 5
    /// Its id was handed out again: the remote was restored from a backup.
    case idReused = 6
}

/// An object is proved to be gone.
package struct Gone: EventPayload {
    package static var type: UInt64 { 202 }
    package static var name: String { "gone" }
    package var replica: ReplicaID = .none
    package var proof: GoneProof = .unspecified
    /// The replica that answers for it now, when it was merged.
    package var mergedInto: ReplicaID?
    package var lookedAfter: UInt64 = 0
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &replica)
        visitor.choice(2, &proof)
        visitor.id(3, &mergedInto)
        visitor.unsigned(4, &lookedAfter)
    }
}

/// An object lives on as one of another kind: a lead that was converted into a contact.
package struct Converted: EventPayload {
    package static var type: UInt64 { 207 }
    package static var name: String { "converted" }
    package var replica: ReplicaID = .none
    /// No, where that was taken back.
    package var converted = false
    /// The remote's id of what it became, where the remote tells.
    package var into: Sealed?
    /// The log's last sequence when the request left that showed it.
    package var lookedAfter: UInt64 = 0
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &replica)
        visitor.bool(2, &converted)
        visitor.sealed(3, &into)
        visitor.unsigned(4, &lookedAfter)
    }
}

/// A system told us of something: a reason to look, never content to trust.
package struct HintReceived: EventPayload {
    package static var type: UInt64 { 203 }
    package static var name: String { "hint received" }
    package var connection: ConnectionID = .none
    /// The raw body, whoever it is about, sealed to an intake subject in category `intake`: it goes
    /// with that key once its content has been taken over.
    package var body: Sealed?
    /// Whether its signature or secret was right.
    package var verified = false
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &connection)
        visitor.sealed(2, &body)
        visitor.bool(3, &verified)
    }
}

/// A walk over all objects of a connection began.
package struct SweepOpened: EventPayload {
    package static var type: UInt64 { 204 }
    package static var name: String { "sweep opened" }
    package var connection: ConnectionID = .none
    package var entity = ""
    /// Our clock when it began.
    package var startedAt: Timestamp?
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &connection)
        visitor.string(2, &entity)
        visitor.time(3, &startedAt)
    }
}

/// How far the first walk over all objects of a connection has come: a run that is stopped before its
/// end is followed by one that goes on there.
package struct SweepReached: EventPayload {
    package static var type: UInt64 { 208 }
    package static var name: String { "sweep reached" }
    package var connection: ConnectionID = .none
    package var entity = ""
    /// The object behind which it goes on.
    package var after: ReplicaID = .none
    /// How many objects it has shown so far.
    package var seen: UInt64 = 0
    /// The highest modification stamp among them.
    package var highest: Timestamp?
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &connection)
        visitor.string(2, &entity)
        visitor.id(3, &after)
        visitor.unsigned(4, &seen)
        visitor.time(5, &highest)
    }
}

/// The walk reached the end: what it did not show was not there when its page was read.
package struct SweepClosed: EventPayload {
    package static var type: UInt64 { 205 }
    package static var name: String { "sweep closed" }
    package var connection: ConnectionID = .none
    package var entity = ""
    package var seen: UInt64 = 0
    package var openedAt: UInt64 = 0
    /// Our clock when the walk began: nothing changed before it is unseen.
    package var startedAt: Timestamp?
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &connection)
        visitor.string(2, &entity)
        visitor.unsigned(3, &seen)
        visitor.unsigned(4, &openedAt)
        visitor.time(5, &startedAt)
    }
}

/// Where the next incremental read of a connection begins.
package struct CursorMoved: EventPayload {
    package static var type: UInt64 { 206 }
    package static var name: String { "cursor moved" }
    package var connection: ConnectionID = .none
    package var entity = ""
    /// In the connector's own words; holds no personal datum.
    package var cursor = ""
    /// Everything changed before this moment has been seen.
    package var completeUntil: Timestamp?
    package var unknownFields: [UInt8] = []
    package init() {}
    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.id(1, &connection)
        visitor.string(2, &entity)
        visitor.string(3, &cursor)
        visitor.time(4, &completeUntil)
    }
}
