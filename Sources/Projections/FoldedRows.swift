import LMDB
import Ledger

/// The rows of one generation as a fold reads and changes them.
///
/// A row is opened when it is first asked for, and sealed once, when what changed is written, however
/// many events touched it. Between two writes they stand for the generation: after an error they must
/// be dropped. For one thread.
final class FoldedRows {
    let tables: ViewTables
    private let environment: Environment?
    let replicas: CachedRows<ReplicaRow>
    let records: CachedRows<RecordRow>
    let commands: CachedRows<CommandRow>
    let connections: CachedRows<ConnectionRow>
    let conflicts: CachedRows<ConflictRow>
    let questions: CachedRows<QuestionRow>
    let rules: CachedRows<RulesRow>
    let standings: CachedRows<StandingRow>
    let lookups: ChangedKeys
    let openCommands: ChangedKeys
    /// The pass of which these are the rows; `nil` where they are all.
    let pass: Pass?
    /// Where records of other passes stood; with a pass.
    let timelines: Timelines?

    /// The rows of a generation; with `isEmpty`, as if it had none.
    ///
    /// In a pass, those of other passes are out of reach: asking for one throws `StrayRow`.
    init(
        _ generation: Generation, isEmpty: Bool = false, pass: Pass? = nil,
        timelines: Timelines? = nil
    ) {
        tables = generation.tables
        self.pass = pass
        self.timelines = timelines
        environment = isEmpty ? nil : generation.environment
        let isOurs = pass.map { pass in { (key: RowKey) in pass.holds(key.id) } }
        replicas = CachedRows(tables.replicas, environment, isOurs: isOurs)
        records = CachedRows(tables.records, environment, isOurs: isOurs)
        commands = CachedRows(tables.commands, environment)
        let shared = pass?.isFirst ?? true ? environment : nil
        connections = CachedRows(tables.connections, shared)
        conflicts = CachedRows(tables.conflicts, environment)
        questions = CachedRows(tables.questions, environment)
        rules = CachedRows(tables.rules, shared)
        standings = CachedRows(tables.standings, environment)
        lookups = ChangedKeys(tables.lookups, environment)
        openCommands = ChangedKeys(tables.openCommands, environment)
    }

    /// Whether so many rows have changed that they should be written.
    ///
    /// What may change with an event is bounded by the rows of people; some kilobytes each.
    var isFull: Bool { replicas.changes > 32_000 || records.changes + commands.changes > 64_000 }

    /// A remote object as the lookups know it.
    private struct RemoteObject: Hashable {
        let remoteID: String
        let kind: String
        let connection: ConnectionID
    }

    /// Who stands for a remote object in the lookups, as far as this fold has put it there.
    private var named: [RemoteObject: ReplicaID] = [:]

    /// Takes into the lookups who stands for a remote object from an event on.
    ///
    /// The blind key costs more than all else that a look does, so it is not made where nothing moves.
    func name(
        _ replica: ReplicaID, _ remoteID: String, of kind: String, _ at: ConnectionID,
        in sequence: UInt64
    ) throws {
        let object = RemoteObject(remoteID: remoteID, kind: kind, connection: at)
        guard named[object] != replica else { return }
        let key = tables.remoteKey(remoteID, kind: kind, connection: at)
        guard try !isNamedLater(remoteID, key, sequence) else { return }
        if named.count >= Self.mostNamed { named = [:] }
        named[object] = replica
        lookups.put(replica.bytes, key)
    }

    /// Whether an earlier pass gave a remote id to an object of its own by a later event.
    private func isNamedLater(
        _ remoteID: String, _ key: [UInt8], _ sequence: UInt64
    ) throws -> Bool {
        guard let pass, !pass.isFirst,
            let other = try lookups.value(key).flatMap({ ReplicaID(bytes: $0) }), !pass.holds(other)
        else { return false }
        let row = try environment?.read { try tables.replicas.row(other.bytes, $0) }
        // When it had this id while it had several is told nowhere.
        guard let row, row.remoteIDText == remoteID else { throw StrayRow() }
        return row.namedAt > sequence
    }

    private static var mostNamed: Int { 64_000 }

    /// What changed since it was last taken, sealed and in key order; for `write`.
    func takeChanges() throws -> RowChanges {
        var changes = RowChanges()
        changes.puts.append(try replicas.takeChanges())
        changes.puts.append(try records.takeChanges())
        changes.puts.append(try commands.takeChanges())
        changes.puts.append(try conflicts.takeChanges())
        changes.puts.append(try questions.takeChanges())
        if pass?.isFirst ?? true {
            changes.puts.append(try connections.takeChanges())
            changes.puts.append(try rules.takeChanges())
        }
        changes.puts.append(try standings.takeChanges())
        changes.keys = [lookups, openCommands].map { ($0.table, $0.takeChanges()) }
        return changes
    }
}

/// A row of another pass was asked for: the log names together what the passes keep apart.
struct StrayRow: Error {}

/// Rows on their way to the disk.
struct RowChanges: Sendable {
    var puts: [(table: Table, rows: [(key: [UInt8], value: [UInt8])])] = []
    /// Values as they are; `nil` removes the key.
    var keys: [(table: Table, rows: [(key: [UInt8], value: [UInt8]?)])] = []

    /// Takes out the rows of some tables, so many at a time.
    mutating func take(from tables: [Table], atOnce limit: Int) -> [RowChanges] {
        func pieces<Row>(
            _ all: inout [(table: Table, rows: [Row])], _ piece: (Table, [Row]) -> RowChanges
        ) -> [RowChanges] {
            let taken = all.filter { tables.contains($0.table) }
            all.removeAll { tables.contains($0.table) }
            return taken.flatMap { table, rows in
                stride(from: 0, to: rows.count, by: limit).map { first in
                    piece(table, Array(rows[first..<min(rows.count, first + limit)]))
                }
            }
        }
        return pieces(&puts) { RowChanges(puts: [($0, $1)]) }
            + pieces(&keys) { RowChanges(keys: [($0, $1)]) }
    }

    /// May be called again, in another transaction.
    func write(_ transaction: borrowing WriteTransaction) throws {
        for (table, rows) in puts {
            for row in rows { try transaction.put(table, key: row.key, value: row.value) }
        }
        for (table, rows) in keys {
            for row in rows {
                if let value = row.value {
                    try transaction.put(table, key: row.key, value: value)
                } else {
                    _ = try transaction.delete(table, key: row.key)
                }
            }
        }
    }
}

/// The rows of one table, by key, as far as a fold has met them.
final class CachedRows<Row: ViewRow> {
    /// One row, where it is changed in place.
    // Unchecked: the fold has it, and waits while others seal what is in it.
    private final class Cached: @unchecked Sendable {
        let key: RowKey
        /// `nil` where the table has no such row.
        var row: Row?
        var isChanged = false

        init(_ key: RowKey, _ row: Row?) {
            self.key = key
            self.row = row
        }
    }

    /// Rows that are kept over a write: some kilobytes each, where they are people's.
    private static var limit: Int { 32_000 }

    private let table: RowTable<Row>
    /// Where the rows stand that were not changed; `nil` where there are none.
    private let environment: Environment?
    private let isOurs: ((RowKey) -> Bool)?
    private var cached: [RowKey: Cached] = [:]
    private var changed: [Cached] = []

    /// How many rows changed since they were last taken.
    var changes: Int { changed.count }

    /// Those for which `isOurs` says no are out of reach.
    init(
        _ table: RowTable<Row>, _ environment: Environment?, isOurs: ((RowKey) -> Bool)? = nil
    ) {
        self.table = table
        self.environment = environment
        self.isOurs = isOurs
    }

    func row(_ key: RowKey) throws -> Row? { try cached(key).row }

    /// The row, to be changed in place and put back; until then it reads as absent.
    func take(_ key: RowKey) throws -> Row? { try cached(key).row.take() }

    func put(_ row: Row, _ key: RowKey) {
        let place = cached[key] ?? Cached(key, nil)
        place.row = row
        guard !place.isChanged else { return }
        place.isChanged = true
        changed.append(place)
        cached[key] = place
    }

    /// All rows, in key order.
    func all() throws -> [Row] { try keys().compactMap { try row(RowKey($0)) } }

    /// The keys of all rows, in their order.
    func keys() throws -> [[UInt8]] {
        var keys = Set(changed.map(\.key))
        try environment?.read { transaction in
            try transaction.scan(table.table) { key, _ in
                keys.insert(RowKey(key.copy()))
                return .next
            }
        }
        return keys.sorted().map(\.bytes)
    }

    /// What changed since it was last taken, sealed on all cores and in key order.
    func takeChanges() throws -> (table: Table, rows: [(key: [UInt8], value: [UInt8])]) {
        let places = changed.sorted { $0.key < $1.key }
        changed = []
        let rows = try inPieces(places) { [table] places in
            try table.closed(places.map { ($0.key.bytes, $0.row) }[...])
        }
        for place in places { place.isChanged = false }
        if cached.count > Self.limit { cached = [:] }
        return (table.table, rows)
    }

    private func cached(_ key: RowKey) throws -> Cached {
        if let place = cached[key] { return place }
        if let isOurs, !isOurs(key) { throw StrayRow() }
        let place = Cached(key, try environment?.read { try table.row(key.bytes, $0) } ?? nil)
        cached[key] = place
        return place
    }
}

/// Keys that a fold puts or removes; what it reads of them is what stands with its changes.
final class ChangedKeys {
    let table: Table
    private let environment: Environment?
    private var changed: [RowKey: [UInt8]?] = [:]
    /// The changed keys by all but their last sixteen bytes, an id: so are several found by one
    /// content.
    private var byPrefix: [RowKey: [RowKey]] = [:]

    init(_ table: Table, _ environment: Environment?) {
        self.table = table
        self.environment = environment
    }

    func put(_ value: [UInt8], _ key: [UInt8]) { change(key, value) }

    func delete(_ key: [UInt8]) { change(key, nil) }

    private func change(_ bytes: [UInt8], _ value: [UInt8]?) {
        let key = RowKey(bytes)
        guard changed.updateValue(value, forKey: key) == nil else { return }
        byPrefix[RowKey(Array(bytes.dropLast(16))), default: []].append(key)
    }

    func value(_ key: [UInt8]) throws -> [UInt8]? {
        if let value = changed[RowKey(key)] { return value }
        return try environment?.read { try $0.bytes(table, key: key) } ?? nil
    }

    /// The ids that stand behind a prefix.
    func ids(behind prefix: [UInt8]) throws -> [[UInt8]] {
        var found: Set<[UInt8]> = []
        try environment?.read { transaction in
            try transaction.scan(table, .prefix(prefix)) { key, _ in
                found.insert(key.copy())
                return .next
            }
        }
        for key in byPrefix[RowKey(prefix)] ?? [] {
            if let value = changed[key], value == nil {
                found.remove(key.bytes)
            } else {
                found.insert(key.bytes)
            }
        }
        return found.sorted { $0.lexicographicallyPrecedes($1) }.map { Array($0.suffix(16)) }
    }

    /// In key order.
    func takeChanges() -> [(key: [UInt8], value: [UInt8]?)] {
        defer { (changed, byPrefix) = ([:], [:]) }
        return changed.sorted { $0.key < $1.key }.map { ($0.key.bytes, $0.value) }
    }
}

extension FoldedRows: ReferenceSource {
    func replica(_ id: ReplicaID) throws -> ReplicaRow? { try replicas.row(RowKey(id)) }

    func record(_ id: RecordID) throws -> RecordRow? { try records.row(RowKey(id)) }

    func replica(remoteID: String, entity: String, connection: ConnectionID) throws -> ReplicaID? {
        try lookups.value(
            tables.remoteKey(remoteID, kind: entity, connection: connection)
        ).flatMap { ReplicaID(bytes: $0) }
    }

    func replicas(field: String, content: String, entity: String) throws -> [ReplicaID] {
        try lookups.ids(
            behind: tables.contentKey(field: field, content: content, entity: entity)
        ).compactMap { ReplicaID(bytes: $0) }
    }
}
