import Ledger
import Model
import Projections

@testable import Reconciler

/// One person on the desk: rows put together by hand, and what the reconciler makes of them.
struct Desk {
    var connections = System.real.map(Desk.connection)
    var record = RecordRow()
    var replicas: [ReplicaRow] = []
    var commands: [CommandRow] = []
    var creating: Set<ConnectionID> = []
    var namesakes: Set<ConnectionID> = []
    var policy = Policy()
    var unreadable: Set<ConnectionID> = []

    /// Ann in Compass and Mautic, in step; SuiteCRM lacks her.
    init() {
        record.record = RecordID(high: 9, low: 1)
        record.entity = "contact"
        for (field, text) in [("first_name", "Ann"), ("email", "ann@example.com")] {
            stand(field, .text(text))
        }
        add(.compass)
        add(.mautic)
    }

    static func connection(_ system: System) -> ConnectionRow {
        var row = ConnectionRow()
        row.configured.connection = id(system)
        row.configured.system = system
        row.configured.url = "https://\(system.name).example"
        row.approved = ["contact"]
        row.isSkewMeasured = true
        return row
    }

    static func id(_ system: System) -> ConnectionID {
        ConnectionID(high: 1, low: system.rawValue)
    }

    static func replica(_ system: System) -> ReplicaID {
        ReplicaID(high: 2, low: system.rawValue)
    }

    mutating func stand(_ field: String, _ value: Value, version: UInt64 = 1) {
        var row = OutcomeRow()
        row.field = field
        row.value = Sealed(value, subject: Self.replica(.compass).subject, category: .profile)
        row.version = version
        record.outcomes.removeAll { $0.field == field }
        record.outcomes.append(row)
    }

    /// An object that shows what the record stands on.
    mutating func add(_ system: System) {
        var row = ReplicaRow()
        row.replica = Self.replica(system)
        row.connection = Self.id(system)
        row.system = system
        row.entity = "contact"
        row.record = record.record
        for field in EntityMapping.contact.fields {
            guard let spelling = field.spellings[system] else { continue }
            let content = record.outcome(field.name)?.value?.value ?? .null
            let value = spelling.codec.spelling(of: content)
            var branch = BranchRow(attribute: spelling.attribute)
            branch.seen = Sealed(value, subject: row.replica.subject, category: field.category)
            branch.accounted = branch.seen
            row.branches.append(branch)
        }
        replicas.append(row)
        record.replicas.append(row.replica)
    }

    mutating func change(_ system: System, _ body: (inout ReplicaRow) -> Void) {
        for index in replicas.indices where replicas[index].system == system {
            body(&replicas[index])
        }
    }

    /// Somebody typed into one of its fields.
    mutating func type(_ system: System, _ field: String, _ value: Value) {
        guard let spelling = EntityMapping.contact.field(field)?.spellings[system] else { return }
        change(system) { row in
            row[spelling.attribute].seen = Sealed(
                value, subject: row.replica.subject, category: .profile)
        }
    }

    mutating func delete(_ system: System) {
        change(system) {
            $0.state = .gone
            $0.goneProof = .sweepAndGet
        }
    }

    mutating func configure(_ system: System, _ body: (inout ConnectionRow) -> Void) {
        for index in connections.indices where connections[index].system == system {
            body(&connections[index])
        }
    }

    var snapshot: RecordSnapshot {
        RecordSnapshot(
            record: record, replicas: replicas, openCommands: commands, creating: creating,
            namesakes: namesakes)
    }

    var reconciler: Reconciler {
        var ground = Ground(mapping: .contact, policy: policy, connections: connections)
        ground.unreadable = unreadable
        return Reconciler(ground)
    }

    var plan: RecordPlan { reconciler.plan(snapshot) }

    /// Commands as the views show them, once they were issued.
    mutating func issue(_ issued: [CommandIssued], _ state: CommandRow.State) {
        commands += issued.map { command in
            var row = CommandRow()
            row.issue = command
            row.state = state
            return row
        }
    }

    /// What is said of whether the person exists at a system.
    func existence(_ system: System) -> Verdict? {
        plan.verdicts.first { $0.field == "existence" && $0.system == system }
    }

    func operations() -> [String] {
        plan.commands.map { command in
            let system = System.real.first { Self.id($0) == command.connection }
            return "\(command.operation) \(system?.name ?? "?")"
        }.sorted()
    }
}
