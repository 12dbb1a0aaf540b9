package import Ledger
package import Model
package import Projections

/// What planning stands on besides the record itself.
package struct Ground: Sendable, Equatable {
    package let mapping: EntityMapping
    package var policy: Policy
    /// The log's sequence at which policy, mapping or code changed last.
    package var rulesSince: UInt64 = 0
    /// How things were spelt when they were decided.
    package var respellings = Respellings(nil, shipped: nil)
    /// Whether what those changed may decide and write by itself.
    package var realigns = false
    package var connections: [ConnectionRow] { didSet { skew = Self.skew(connections) } }
    /// Commands that this process holds and provably has not sent.
    package var queued: Set<CommandID> = []
    /// Connections that could not be read in this run: what stood there still counts, but nothing is
    /// written on the strength of it.
    package var unreadable: Set<ConnectionID> = []
    /// The same of objects of a further kind alone.
    package var unreadableKinds: Set<KindPlace> = []
    /// Those of them that the system never had.
    package var missingKinds: Set<KindPlace> = []
    /// Objects that this run is about to make: what refers to one waits for it.
    package var beingMade: Set<References.Place> = []
    /// Who belongs where.
    private let scopes: [ConnectionID: Scope]
    /// Who is made where.
    let making: [ConnectionID: Scope]
    /// The largest clock skew that stands between any two of the systems, with its uncertainty.
    ///
    /// `nil` while one of them was never measured: then evidence of different clocks orders nothing.
    package private(set) var skew: Int64?
    /// Plan as if every connection had been approved: what the first plan shows.
    package var assumesApproval = false

    package init(mapping: EntityMapping, policy: Policy, connections: [ConnectionRow]) {
        self.mapping = mapping
        self.policy = policy
        self.connections = connections.filter {
            !$0.isRemoved && !mapping.attributes(of: $0.system).isEmpty
        }
        skew = Self.skew(self.connections)
        scopes = Dictionary(
            connections.map { ($0.id, Scope(of: $0.configured, mapping: mapping)) },
            uniquingKeysWith: { $1 })
        making = connections.reduce(into: [:]) {
            $0[$1.id] = Scope(making: $1.configured, mapping: mapping)
        }
    }

    package func connection(_ id: ConnectionID) -> ConnectionRow? {
        connections.first { $0.id == id }
    }

    private static func skew(_ connections: [ConnectionRow]) -> Int64? {
        let remote = connections.filter { !$0.configured.url.isEmpty }
        guard remote.allSatisfy(\.isSkewMeasured) else { return nil }
        let each = remote.map { row in
            let (sum, overflows) = row.skewMicroseconds.magnitude.addingReportingOverflow(
                row.skewUncertainty)
            return min(overflows ? .max : sum, UInt64(Int64.max / 4))
        }
        return Int64(each.max() ?? 0) * 2
    }

    /// Whether a record belongs at a connection, as `replica` shows it there.
    func admits(
        _ record: RecordRow, to connection: ConnectionID, as replica: ReplicaRow?
    ) -> Bool {
        (scopes[connection] ?? .everybody).admits(record, replica, mapping)
    }

    /// Whether somebody with this content belongs at a connection.
    func admits(_ connection: ConnectionID, _ content: (_ field: String) -> Value?) -> Bool {
        (scopes[connection] ?? .everybody).admits(content)
    }

    func isUnreadable(_ replica: ReplicaRow) -> Bool {
        unreadable.contains(replica.connection)
            || unreadableKinds.contains(
                KindPlace(connection: replica.connection, kind: replica.kind))
    }

    /// Whether objects of a further kind stand there that were read before and cannot be read now:
    /// who is one of them would be made a second time.
    func hidesPeople(at connection: ConnectionRow) -> Bool {
        mapping.kinds(at: connection.system).dropFirst().contains { kind in
            unreadableKinds.contains(KindPlace(connection: connection.id, kind: kind))
                && !missingKinds.contains(KindPlace(connection: connection.id, kind: kind))
        }
    }

    /// Whether the entity's ordinary objects may be written there.
    func mayWrite(_ connection: ConnectionRow) -> Bool {
        connection.configured.direction != .pull && !unreadable.contains(connection.id)
            && (connection.approved.contains(mapping.entity) || assumesApproval)
    }

    func hears(_ replica: ReplicaRow) -> Bool {
        assumesApproval || connection(replica.connection)?.hears(replica) ?? true
    }

    func mayWrite(_ replica: ReplicaRow) -> Bool {
        guard let connection = connection(replica.connection), mayWrite(connection) else {
            return false
        }
        return !isUnreadable(replica)
            && (connection.approved.contains(replica.kind) || assumesApproval)
    }
}

/// The objects of one kind at one connection.
package struct KindPlace: Hashable, Sendable {
    package var connection: ConnectionID
    package var kind: String

    package init(connection: ConnectionID, kind: String) {
        self.connection = connection
        self.kind = kind
    }
}

/// A record with everything of it that planning looks at.
package struct RecordSnapshot: Sendable {
    package var record: RecordRow
    package var replicas: [ReplicaRow]
    package var openCommands: [CommandRow]
    /// Where an object is being made right now.
    package var creating: Set<ConnectionID>
    /// Where an object that is not this record's holds the same key, such as the e-mail address.
    package var namesakes: Set<ConnectionID>
    /// What its reference fields point at.
    package var references: References
    /// What its derived fields are now.
    package var derived: [String: Derived] = [:]

    package init(
        record: RecordRow, replicas: [ReplicaRow], openCommands: [CommandRow],
        creating: Set<ConnectionID> = [], namesakes: Set<ConnectionID> = [],
        references: References = References()
    ) {
        self.references = references
        self.namesakes = namesakes
        self.record = record
        self.replicas = replicas
        self.openCommands = openCommands
        self.creating = creating
    }

    package func replica(_ id: ReplicaID) -> ReplicaRow? { replicas.first { $0.replica == id } }
}

/// What the plan says of one field at one system.
package struct Verdict: Sendable, Hashable {
    package enum Standing: Sendable, Hashable {
        case inSync
        case write
        case wait
        case conflict
        case excluded
        /// The system could not be read, so nobody knows.
        case failing
    }

    package var field: String
    package var system: System
    package var standing: Standing
    package var reason: String
}

/// The plan for one record: pure values, nothing done yet.
package struct RecordPlan: Sendable {
    package var record: RecordID
    package var entity: String
    package var rulings: [(field: FieldMapping, ruling: Ruling)] = []
    package var commands: [CommandIssued] = []
    package var verdicts: [Verdict] = []
    /// What the rules as they are now would decide of what stood before them: open questions, derived
    /// fields.
    package var realignable = 0
    /// Objects that are gone and let go, so that they can be made anew.
    package var released: [ReplicaID] = []
    /// Where the record stands as a whole: by the verdict that most needs somebody; excluded only
    /// where nothing of it is in sync.
    package var standing: Verdict.Standing {
        for standing in [Verdict.Standing.conflict, .failing, .write, .wait, .inSync, .excluded]
        where verdicts.contains(where: { $0.standing == standing }) {
            return standing
        }
        return .inSync
    }

    package var isEmpty: Bool { rulings.isEmpty && commands.isEmpty && released.isEmpty }
}
