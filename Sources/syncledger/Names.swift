import Connectors
import Engine
import Ledger
import Model
import Projections

/// What people call the connections, objects and records of a ledger.
struct Names {
    private let workplace: Workplace
    let mapping: Model.Mapping
    private let connections: [ConnectionID: ConnectionRow]

    init(_ workplace: Workplace) throws {
        self.workplace = workplace
        mapping = try workplace.mapping()
        connections = try workplace.views.read { tables, transaction in
            Dictionary(
                try tables.connections.all(transaction).map { ($0.id, $0) },
                uniquingKeysWith: { one, _ in one })
        }
    }

    func connection(_ id: ConnectionID) -> String? { connections[id]?.configured.label }

    /// The system that an object is in, for programs.
    func system(_ row: ReplicaRow) -> String {
        connections[row.connection]?.systemName ?? row.system.name
    }

    /// Where an object is.
    func place(_ row: ReplicaRow) -> String {
        let place = connection(row.connection) ?? row.system.name
        return row.furtherKind.isEmpty ? place : "\(place) \(row.furtherKind)"
    }

    /// Where an object is, and its id there.
    func object(_ row: ReplicaRow) -> String { "\(place(row)) \(row.remoteIDText ?? "?")" }

    /// A person by name and address, as they stand or, before anything stands, as objects show them;
    /// empty where neither is known.
    func person(_ record: RecordRow) throws -> String {
        let standing = words(of: record.entity) { record.outcome($0.name)?.value?.value }
        guard standing.isEmpty else { return standing }
        let ids = record.replicas + record.creating
        let replicas = try workplace.views.read { tables, transaction in
            try ids.compactMap { try tables.replicas.row($0.bytes, transaction) }
        }
        return replicas.lazy.map(person).first { !$0.isEmpty } ?? ""
    }

    func person(_ record: RecordID) throws -> String {
        try workplace.views.read { tables, transaction in
            try tables.records.row(record.bytes, transaction)
        }.map(person) ?? ""
    }

    /// A person as one object shows them.
    func person(_ replica: ReplicaRow) -> String {
        words(of: replica.entity) { replica.branch($0)?.seenContent }
    }

    /// A value as people read it: of a reference, the name of what it refers to.
    func words(_ value: Value?, of field: FieldMapping?) -> String {
        guard field?.refers != nil, let record = value?.reference else { return text(value) }
        // A name that cannot be read is no reason to show nothing.
        let name = (try? person(record)) ?? ""
        return name.isEmpty ? "\(record)" : name
    }

    private func words(of entity: String, _ value: (FieldMapping) -> Value?) -> String {
        func word(_ name: String) -> String? {
            guard let field = mapping[entity]?.field(name),
                case .text(let text) = value(field),
                !text.isEmpty
            else { return nil }
            return text
        }
        let names = ["name", "first_name", "last_name"].compactMap(word)
        return (names + (word("email").map { ["<\($0)>"] } ?? [])).joined(separator: " ")
    }

    /// What an event is about: a connection, an object and its person, a person.
    func subject(of logged: LoggedEvent) throws -> String {
        let stream = logged.entry.stream
        let found: [String?]
        switch stream.kind {
        case .connection: found = [connection(stream.id.cast())]
        case .record: found = [try person(stream.id.cast() as RecordID)]
        case .replica:
            let row = try workplace.views.read { tables, transaction in
                try tables.replicas.row(stream.id.bytes, transaction)
            }
            let shown = row.map(person) ?? ""
            let record = shown.isEmpty ? try row?.record.map(person) : nil
            found = [row.map(object), record ?? shown]
        default: found = []
        }
        return found.compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " ")
    }
}
