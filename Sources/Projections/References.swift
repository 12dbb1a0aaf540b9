import LMDB
package import Ledger
package import Model

/// What the reference fields of one record point at, as the views know it.
///
/// A system spells a reference in its own ids or names; the merge compares records. This is the only
/// way between them: spelling → record, and record → where it stands at a connection.
package struct References: Sendable, Equatable {
    /// An object that a reference can be written to.
    package struct Target: Sendable, Equatable {
        package var object: ReplicaID
        package var remoteID: String
        /// What the object's key field shows there.
        package var name: String
    }

    private struct Spelt: Hashable {
        var connection: ConnectionID
        var entity: String
        var text: String
    }

    /// A record at a connection.
    package struct Place: Sendable, Hashable {
        package var record: RecordID
        package var connection: ConnectionID
        package init(record: RecordID, connection: ConnectionID) {
            self.record = record
            self.connection = connection
        }
    }

    private var records: [Spelt: RecordID] = [:]
    private var targets: [Place: Target] = [:]
    private var beingMade: Set<Place> = []

    package init() {}

    /// The record that an object of this spelling belongs to; `nil` where none is known, or several
    /// have the name.
    package func record(
        _ spelt: Value?, _ field: FieldMapping, at connection: ConnectionID
    ) -> RecordID? {
        guard case .text(let text)? = spelt, let entity = field.refers else { return nil }
        return records[Spelt(connection: connection, entity: entity, text: text)]
    }

    package func target(_ record: RecordID, at connection: ConnectionID) -> Target? {
        targets[Place(record: record, connection: connection)]
    }

    package func isBeingMade(_ record: RecordID, at connection: ConnectionID) -> Bool {
        beingMade.contains(Place(record: record, connection: connection))
    }

    /// Turns what the merge wants written into what the system is told: an id that it knows.
    package func spelling(
        _ need: WriteNeed, _ field: FieldMapping, _ branch: Branch, at connection: ConnectionID
    ) -> WriteNeed {
        if branch.refersToUnknown { return .wait(.unknownReference) }
        guard field.refers != nil, case .write(let write) = need else { return need }
        let isNamed = branch.spelling.codec.kind == .referenceByName
        // A membership begins and ends by the id of the one whose it is.
        let old = branch.seen?.reference.flatMap { target($0, at: connection) }
        let leaving = isNamed ? old.map { ["-" + $0.remoteID] } ?? [] : []
        guard let record = write.leaves.reference else {
            guard isNamed else { return need }
            return leaving.isEmpty
                ? .wait(.absentReference)
                : .write(.init(spelling: .set(leaving), form: .absolute, leaves: .null))
        }
        guard let target = target(record, at: connection) else {
            return .wait(
                isBeingMade(record, at: connection) ? .referenceIsMade : .absentReference)
        }
        return .write(
            isNamed
                ? .init(
                    spelling: .set([target.remoteID] + leaving), form: .absolute,
                    leaves: .text(target.name))
                : .init(
                    spelling: .text(target.remoteID), form: .absolute,
                    leaves: .text(target.remoteID)))
    }
}

extension References {
    /// Looks up whatever the reference fields of a record and its objects name.
    package init(
        of record: RecordRow, _ replicas: [ReplicaRow], _ mapping: EntityMapping,
        among mappings: Mapping, _ source: some ReferenceSource
    ) throws {
        for field in mapping.fields {
            guard let refers = field.refers, let target = mappings[refers] else { continue }
            var found: Set<RecordID> = []
            if let outcome = record.outcome(field.name)?.value?.value?.reference {
                found.insert(outcome)
            }
            for replica in replicas {
                guard let spelling = field.spelling(at: replica.system, kind: replica.kind)
                else { continue }
                let row = replica[spelling.attribute]
                if case .text(let text)? = row.seen?.value, !text.isEmpty {
                    let spelt = Spelt(connection: replica.connection, entity: refers, text: text)
                    records[spelt] = try source.referred(
                        text, by: spelling.codec.kind, to: target, at: replica.connection)
                }
                if let referred = row.referred?.value?.reference { found.insert(referred) }
            }
            for record in found.union(records.values) {
                try place(record, target, source)
            }
        }
    }

    /// Where a record has objects that can be referred to.
    private mutating func place(
        _ record: RecordID, _ mapping: EntityMapping, _ source: some ReferenceSource
    ) throws {
        guard let row = try source.record(record) else { return }
        for id in row.replicas + row.creating {
            guard let replica = try source.replica(id) else { continue }
            let place = Place(record: record, connection: replica.connection)
            switch replica.state {
            case .gone: continue
            case .creating where replica.isGivenUp: continue
            case .creating: beingMade.insert(place)
            case .live:
                guard let remoteID = replica.remoteIDText else { continue }
                targets[place] = Target(
                    object: id, remoteID: remoteID, name: replica.keyText(mapping) ?? "")
            }
        }
    }
}

/// What an object's key is unique within.
package enum Within: Sendable, Equatable {
    /// It names nothing.
    case nothing
    /// It names something that nobody knows yet.
    case unknown
    case record(RecordID)
}

/// Where references are looked up: the views as they stand, or as a fold is about to leave them.
package protocol ReferenceSource {
    func replica(_ id: ReplicaID) throws -> ReplicaRow?
    func record(_ id: RecordID) throws -> RecordRow?
    func replica(remoteID: String, entity: String, connection: ConnectionID) throws -> ReplicaID?
    /// The live objects that hold a key's content.
    func replicas(field: String, content: String, entity: String) throws -> [ReplicaID]
}

extension ViewStore: ReferenceSource {
    /// The records whose outcome refers to a record.
    package func referers(of record: RecordID) throws -> [RecordID] {
        try read { tables, transaction in
            var found: [RecordID] = []
            try transaction.scan(tables.lookups, .prefix(tables.refererKey(record))) { key, _ in
                if let referer = RecordID(bytes: key.copy().suffix(16)) { found.append(referer) }
                return .next
            }
            return found
        }
    }

    package func replica(_ id: ReplicaID) throws -> ReplicaRow? {
        try read { try $0.replicas.row(id.bytes, $1) }
    }

    package func record(_ id: RecordID) throws -> RecordRow? {
        try read { try $0.records.row(id.bytes, $1) }
    }

    /// The laws, code and mapping that are in force for an entity.
    package func rules(_ entity: String) throws -> RulesRow? {
        try read { try $0.rules.row(Array(entity.utf8), $1) }
    }

    package func replica(
        remoteID: String, entity: String, connection: ConnectionID
    ) throws -> ReplicaID? {
        try read {
            try $0.replica(remoteID: remoteID, kind: entity, connection: connection, $1)
        }
    }

    package func replicas(
        field: String, content: String, entity: String
    ) throws -> [ReplicaID] {
        try read { try $0.replicas(field: field, content: content, entity: entity, $1) }
    }
}

extension ReferenceSource {
    /// The record within which an object's key tells it apart.
    package func within(
        _ replica: ReplicaRow, _ mapping: EntityMapping, among mappings: Mapping
    ) throws -> Within {
        guard let field = mapping.within.flatMap({ mapping.field($0) }),
            let spelling = field.spellings[replica.system],
            let target = field.refers.flatMap({ mappings[$0] }),
            case .text(let text)? = replica[spelling.attribute].seen?.value, !text.isEmpty
        else { return .nothing }
        return try referred(
            text, by: spelling.codec.kind, to: target, at: replica.connection
        ).map(Within.record) ?? .unknown
    }

    /// The connections at which a live object that is not this record's holds one of its keys.
    package func namesakes(
        of record: RecordRow, _ mapping: EntityMapping, among mappings: Mapping
    ) throws -> Set<ConnectionID> {
        var found: Set<ConnectionID> = []
        let own = record.replicas + record.creating
        let within = mapping.within.flatMap { record.outcome($0)?.value?.value?.reference }
        for name in mapping.keys {
            guard case .text(let content)? = record.outcome(name)?.value?.value, !content.isEmpty
            else { continue }
            for id in try replicas(field: name, content: content, entity: record.entity)
            where !own.contains(id) {
                guard let row = try replica(id), row.isActive else { continue }
                if let within,
                    case .record(let other) = try self.within(row, mapping, among: mappings),
                    within != other
                {
                    continue
                }
                found.insert(row.connection)
            }
        }
        return found
    }

    /// The record of the one object that a reference spells; of one that is gone, too, for its id is
    /// nobody else's.
    fileprivate func referred(
        _ text: String, by kind: FieldCodec.Kind, to mapping: EntityMapping,
        at connection: ConnectionID
    ) throws -> RecordID? {
        guard kind == .referenceByName else {
            return try replica(
                remoteID: text, entity: mapping.entity, connection: connection
            ).flatMap(replica)?.record
        }
        let alike = try mapping.keyFields.flatMap { field in
            try replicas(field: field.name, content: text, entity: mapping.entity)
        }.compactMap(replica).filter { $0.connection == connection && $0.state == .live }
        let same = alike.filter { $0.keyText(mapping) == text }
        return same.count == 1 ? same[0].record : alike.count == 1 ? alike[0].record : nil
    }
}

extension ReplicaRow {
    /// What the object's first key field was seen to hold.
    package func keyText(_ mapping: EntityMapping) -> String? {
        guard let field = mapping.keyFields.first,
            case .text(let text)? = branch(field)?.seenContent
        else { return nil }
        return text
    }

    /// This replica's side of a field, references as the records they name.
    package func branch(_ field: FieldMapping, _ references: References) -> Branch? {
        guard var branch = branch(field), field.refers != nil else { return branch(field) }
        let row = self[branch.spelling.attribute]
        let codec = branch.spelling.codec
        let (told, before) = (
            row.seen?.value.map(codec.content), row.accounted?.value.map(codec.content)
        )
        branch.accounted = before.map { _ in row.referred?.value ?? .null }
        if told == nil || told?.isBlank == true {
            branch.seen = told.map { _ in .null }
        } else if told == before, codec.kind == .referenceByName {
            // A name that is told as before says what it said, whoever has it meanwhile.
            branch.seen = branch.accounted
        } else if let record = references.record(told, field, at: connection) {
            branch.seen = .reference(record)
        } else {
            branch.refersToUnknown = told != before
            branch.seen = branch.accounted
        }
        return branch
    }
}

extension Value {
    /// A reference to a record, in the ledger's own form.
    package static func reference(_ record: RecordID) -> Value { .text("\(record)") }

    /// The record that it refers to; `nil` for any other value.
    package var reference: RecordID? {
        guard case .text(let text) = self else { return nil }
        return RecordID(text)
    }
}
