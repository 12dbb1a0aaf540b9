package import LMDB
package import Ledger
import Model

/// Who refers to whom: kept so that a record stands anew where what it refers to comes, goes or moves.
extension Fold {
    /// Keeps the index of what an object's reference spells.
    func moveReference(
        _ field: FieldMapping, _ codec: FieldCodec, of row: ReplicaRow, from before: Value?,
        to after: Value?, _ transaction: borrowing WriteTransaction
    ) throws {
        guard let target = field.refers.flatMap({ mapping[$0] }) else { return }
        func key(_ value: Value?) -> [UInt8]? {
            guard case .text(let text)? = value.map(codec.content) else { return nil }
            return views.referenceKey(
                text, to: target, at: row.connection, byName: codec.kind == .referenceByName)
                + row.replica.bytes
        }
        let (old, new) = (key(before), key(after))
        guard old != new else { return }
        if let old { _ = try transaction.delete(views.lookups, key: old) }
        if let new { try transaction.put(views.lookups, key: new, value: [1]) }
    }

    /// Keeps the index of what a record's outcome refers to.
    func moveReferer(
        _ row: RecordRow, _ field: String, from before: Value?, to after: Value?,
        _ transaction: borrowing WriteTransaction
    ) throws {
        guard mapping[row.entity]?.field(field)?.refers != nil, before != after else { return }
        if let old = before?.reference {
            _ = try transaction.delete(
                views.lookups, key: views.refererKey(old) + row.record.bytes)
        }
        if let new = after?.reference {
            try transaction.put(
                views.lookups, key: views.refererKey(new) + row.record.bytes, value: [1])
        }
    }

    /// Whoever refers to an object stands anew where it came, went, was linked or renamed.
    func touchReferers(
        of row: ReplicaRow, _ before: ReplicaRow, _ transaction: borrowing WriteTransaction
    ) throws {
        guard let target = mapping[row.entity], mapping.isReferredTo(row.entity) else { return }
        let (name, old) = (row.keyText(target), before.keyText(target))
        guard
            row.record != before.record || row.state != before.state
                || row.remoteID != before.remoteID || name != old
        else { return }
        for record in Set([row.record, before.record].compactMap(\.self)).sorted() {
            for referer in try views.referers(of: record, transaction) { touched.insert(referer) }
        }
        var keys = [name, old].compactMap(\.self).map {
            views.referenceKey($0, to: target, at: row.connection, byName: true)
        }
        if let id = row.remoteIDText {
            keys.append(views.referenceKey(id, to: target, at: row.connection, byName: false))
        }
        for key in keys {
            for replica in try views.referringReplicas(key, transaction) {
                touched.insert(try views.replicas.row(replica.bytes, transaction)?.record)
            }
        }
    }
}

extension ViewTables {
    func referenceKey(
        _ text: String, to target: EntityMapping, at connection: ConnectionID, byName: Bool
    ) -> [UInt8] {
        guard byName else {
            return [UInt8(ascii: "f")]
                + remoteKey(text, entity: target.entity, connection: connection)
        }
        return [UInt8(ascii: "n")] + connection.bytes
            + contentKey(field: "", content: text, entity: target.entity)
    }

    func refererKey(_ record: RecordID) -> [UInt8] { [UInt8(ascii: "o")] + record.bytes }

    /// The records whose outcome refers to a record.
    package func referers(
        of record: RecordID, _ transaction: borrowing some Reading & ~Copyable
    ) throws -> [RecordID] {
        var found: [RecordID] = []
        try transaction.scan(lookups, .prefix(refererKey(record))) { key, _ in
            if let referer = RecordID(bytes: key.copy().suffix(16)) { found.append(referer) }
            return .next
        }
        return found
    }

    func referringReplicas(
        _ key: [UInt8], _ transaction: borrowing WriteTransaction
    ) throws -> [ReplicaID] {
        var found: [ReplicaID] = []
        try transaction.scan(lookups, .prefix(key)) { key, _ in
            if let replica = ReplicaID(bytes: key.copy().suffix(16)) { found.append(replica) }
            return .next
        }
        return found
    }
}
