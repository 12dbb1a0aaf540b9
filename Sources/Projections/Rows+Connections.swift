package import Ledger
package import Model

/// A connection as it stands.
///
/// Key: connection id.
package struct ConnectionRow: ViewRow, Equatable {
    package var configured = ConnectionConfigured()
    package var isRemoved = false
    /// The kinds of object whose first plan a person has seen, and lets be written there.
    package var approved: [String] = []
    package var marks: [MarkRow] = []
    package var skewMicroseconds: Int64 = 0
    package var skewUncertainty: UInt64 = 0
    package var isSkewMeasured = false
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.message(1, &configured)
        visitor.bool(2, &isRemoved)
        visitor.strings(3, &approved)
        visitor.messages(4, &marks)
        visitor.signed(8, &skewMicroseconds)
        visitor.unsigned(9, &skewUncertainty)
        visitor.bool(10, &isSkewMeasured)
    }

    /// Whether an object may speak: one of a further kind only once a plan with such was approved.
    ///
    /// An update that brings a kind would else tell the other systems of people whom nobody expects.
    package func hears(_ replica: ReplicaRow) -> Bool {
        replica.furtherKind.isEmpty || approved.contains(replica.kind)
    }

    /// What the system has, and nobody lets be written there yet.
    package func unapproved(in mapping: Mapping) -> [String] {
        mapping.kinds(at: system).filter { !approved.contains($0) }
    }

    /// How far the objects of a kind were read there.
    package subscript(kind: String) -> MarkRow {
        get { marks.first { $0.kind == kind } ?? MarkRow(kind) }
        set {
            if let index = marks.firstIndex(where: { $0.kind == kind }) {
                marks[index] = newValue
            } else {
                marks.append(newValue)
            }
        }
    }

    /// When all that is read there was last read whole: the earliest of its sweeps.
    package var lastSweep: Timestamp? {
        let sweeps = marks.map(\.lastSweep)
        return sweeps.contains(nil) ? nil : sweeps.compactMap(\.self).min()
    }

    package var id: ConnectionID { configured.connection }
    package var system: System { configured.system }
}

/// How far the objects of one kind were read at a connection.
package struct MarkRow: WireMessage, Equatable {
    package var kind = ""
    package var cursor = ""
    package var completeUntil: Timestamp?
    package var lastSweep: Timestamp?
    package var lastSweepSeen: UInt64 = 0
    /// The log's end when that sweep began.
    package var sweptFrom: UInt64 = 0
    /// A first sweep that was not finished.
    package var openSweep: OpenSweepRow?
    package var unknownFields: [UInt8] = []

    package init() {}

    init(_ kind: String) { self.kind = kind }

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.string(1, &kind)
        visitor.string(2, &cursor)
        visitor.time(3, &completeUntil)
        visitor.time(4, &lastSweep)
        visitor.unsigned(5, &lastSweepSeen)
        visitor.unsigned(6, &sweptFrom)
        visitor.message(7, &openSweep)
    }
}

/// A sweep that has begun and not ended, and where it goes on.
package struct OpenSweepRow: WireMessage, Equatable {
    package var startedAt: Timestamp?
    /// The sequence of the event that opened it.
    package var openedAt: UInt64 = 0
    /// The object behind which it goes on; `.none` before the first page.
    package var after: ReplicaID = .none
    package var seen: UInt64 = 0
    package var highest: Timestamp?
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.time(1, &startedAt)
        visitor.unsigned(2, &openedAt)
        visitor.id(3, &after)
        visitor.unsigned(4, &seen)
        visitor.time(5, &highest)
    }
}
