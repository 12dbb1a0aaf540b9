import Ledger
import Model

/// Who refers to whom: kept so that a record stands anew where what it refers to comes, goes or moves.
extension Fold {
    /// Keeps what an attribute's accounted spelling stood for, and which object that was.
    func refer(
        _ attribute: String, of row: inout ReplicaRow, to record: Sealed?, _ logged: LoggedEvent
    ) throws {
        var branch = row[attribute]
        branch.referred = record
        branch.referredObject = try record?.value?.reference.flatMap { record in
            if let pass = views.pass, !pass.holds(record) {
                return try views.timelines?.object(
                    standingFor: record, at: row.connection, before: logged.sequence)
            }
            return try views.object(standingFor: record, at: row.connection)
        }
        row[attribute] = branch
    }

    /// Keeps the index of what an object's reference spells.
    func moveReference(
        _ field: FieldMapping, _ codec: FieldCodec, of row: ReplicaRow, from before: Value?,
        to after: Value?
    ) {
        guard let target = field.refers.flatMap({ mapping[$0] }) else { return }
        func key(_ value: Value?) -> [UInt8]? {
            guard case .text(let text)? = value.map(codec.content) else { return nil }
            return views.tables.referenceKey(
                text, to: target, at: row.connection, byName: codec.kind == .referenceByName)
                + row.replica.bytes
        }
        move(from: key(before), to: key(after))
    }

    /// Keeps the index of what a record's outcome refers to.
    func moveReferer(_ row: RecordRow, _ field: String, from before: Value?, to after: Value?) {
        guard mapping[row.entity]?.field(field)?.refers != nil else { return }
        func key(_ value: Value?) -> [UInt8]? {
            value?.reference.map { views.tables.refererKey($0) + row.record.bytes }
        }
        move(from: key(before), to: key(after))
    }

    private func move(from old: [UInt8]?, to new: [UInt8]?) {
        guard old != new else { return }
        if let old { views.lookups.delete(old) }
        if let new { views.lookups.put([1], new) }
    }

    /// Whoever refers to a record stands anew where its objects do.
    func touchReferers(of record: RecordID) throws {
        guard views.pass == nil else { return }
        for id in try views.lookups.ids(behind: views.tables.refererKey(record)) {
            touched.insert(RecordID(bytes: id))
        }
    }

    /// Whoever refers to an object stands anew where it came, went, was linked or renamed.
    func touchReferers(of row: ReplicaRow, _ before: ReplicaRow) throws {
        guard views.pass == nil, mapping.isReferredTo(row.entity),
            let target = mapping[row.entity]
        else { return }
        let (name, old) = (row.keyText(target), before.keyText(target))
        guard
            row.record != before.record || row.state != before.state
                || row.remoteID != before.remoteID || row.isGivenUp != before.isGivenUp
                || name != old
        else { return }
        for record in Set([row.record, before.record].compactMap(\.self)) {
            try touchReferers(of: record)
        }
        var keys = [name, old].compactMap(\.self).map {
            views.tables.referenceKey($0, to: target, at: row.connection, byName: true)
        }
        if let id = row.remoteIDText {
            keys.append(
                views.tables.referenceKey(id, to: target, at: row.connection, byName: false))
        }
        for id in try keys.flatMap({ try views.lookups.ids(behind: $0) }) {
            touched.insert(try ReplicaID(bytes: id).flatMap(views.replica)?.record)
        }
    }
}

extension FoldedRows {
    /// The first of a record's objects that stands at a connection now.
    func object(standingFor record: RecordID, at connection: ConnectionID) throws -> ReplicaID? {
        try self.record(record)?.replicas.first {
            guard let object = try replica($0) else { return false }
            return object.state == .live && object.connection == connection
        }
    }
}

extension ViewTables {
    func referenceKey(
        _ text: String, to target: EntityMapping, at connection: ConnectionID, byName: Bool
    ) -> [UInt8] {
        guard byName else {
            return [UInt8(ascii: "f")]
                + remoteKey(text, kind: target.entity, connection: connection)
        }
        return [UInt8(ascii: "n")] + connection.bytes
            + contentKey(field: "", content: text, entity: target.entity)
    }

    func refererKey(_ record: RecordID) -> [UInt8] { [UInt8(ascii: "o")] + record.bytes }
}
