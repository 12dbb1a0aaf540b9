package import Ledger
package import Model

/// A connection as it stands.
///
/// Key: connection id.
package struct ConnectionRow: WireMessage, Equatable {
    package var configured = ConnectionConfigured()
    package var isRemoved = false
    /// The entities whose first plan a person has seen, and lets be written there.
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

    /// What the system has, and nobody lets be written there yet.
    package func unapproved(in mapping: Mapping) -> [String] {
        mapping.entities(of: system).map(\.entity).filter { !approved.contains($0) }
    }

    /// How far an entity was read there.
    package subscript(entity: String) -> MarkRow {
        get { marks.first { $0.entity == entity } ?? MarkRow(entity) }
        set {
            if let index = marks.firstIndex(where: { $0.entity == entity }) {
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

/// How far one entity was read at a connection.
package struct MarkRow: WireMessage, Equatable {
    package var entity = ""
    package var cursor = ""
    package var completeUntil: Timestamp?
    package var lastSweep: Timestamp?
    package var lastSweepSeen: UInt64 = 0
    package var unknownFields: [UInt8] = []

    package init() {}

    init(_ entity: String) { self.entity = entity }

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.string(1, &entity)
        visitor.string(2, &cursor)
        visitor.time(3, &completeUntil)
        visitor.time(4, &lastSweep)
        visitor.unsigned(5, &lastSweepSeen)
    }
}
