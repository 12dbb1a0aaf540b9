import Ledger
import Model

/// Observations, proofs of absence, and which record a replica belongs to.
extension Fold {
    func foldObserved(
        _ payload: Observed, _ logged: LoggedEvent
    ) throws {
        try change(payload.replica, logged) { row in
            if row.connection.isNone {
                row.connection = payload.connection
                row.entity = payload.entity
                row.furtherKind = payload.furtherKind
                row.system =
                    try views.connections.row(RowKey(payload.connection))?.system
                    ?? .unspecified
            }
            if let remoteID = payload.remoteID { try name(&row, remoteID, logged) }
            if !payload.born.isEmpty { row.born = payload.born }
            if row.knownSince == nil { row.knownSince = logged.entry.recordedAt }
            let order = LookOrder(lastLook: row.lastLook, lastSettled: row.lastSettled)
            guard order.accepts(road: payload.road, lookedAfter: payload.lookedAfter) else {
                row.needsLook = true
                return
            }
            let isBack = row.state == .gone
            row.state = .live
            row.goneProof = .unspecified
            row.mergedInto = nil
            row.lastLook = logged.sequence
            if payload.complete { row.needsLook = false }
            if !payload.stamp.isEmpty { row.stamp = payload.stamp }
            let known = fields.attributes(of: row.entity, at: row.system)
            let subject = row.subject
            for attribute in payload.attributes {
                // A value whose key is gone tells nothing.
                guard let value = attribute.value?.value else { continue }
                let evidence = attribute.evidence ?? logged.entry.validAt
                if let field = known[attribute.name],
                    row.see(value, field, subject, by: logged.id, evidence)
                {
                    continue
                }
                try see(value, attribute.name, in: &row, logged, evidence)
            }
            if isBack { try putKeys(of: row) }
        }
    }

    private func see(
        _ value: Value, _ attribute: String, in row: inout ReplicaRow, _ logged: LoggedEvent,
        _ evidence: Evidence?
    ) throws {
        let before = row[attribute].seen?.value
        try changeBranch(attribute, of: &row) { branch in
            branch.see(value, by: logged.id, evidence: evidence)
        }
        try moveKey(attribute, of: row, from: before, to: value)
    }

    /// Puts an object that was gone back into the lookups, with what it was last seen to hold.
    private func putKeys(
        of row: ReplicaRow
    ) throws {
        for field in mapping[row.entity]?.keyFields ?? [] {
            guard let attribute = field.spelling(at: row.system, kind: row.kind)?.attribute else {
                continue
            }
            try moveKey(attribute, of: row, from: nil, to: row[attribute].seen?.value)
        }
    }

    /// Takes a remote id into the row and the lookups.
    func name(
        _ row: inout ReplicaRow, _ remoteID: Sealed, _ logged: LoggedEvent
    ) throws {
        row.remoteID = remoteID
        guard let text = row.remoteIDText else { return }
        row.namedAt = logged.sequence
        try views.name(row.replica, text, of: row.kind, row.connection, in: logged.sequence)
    }

    func foldConverted(_ payload: Converted, _ logged: LoggedEvent) throws {
        try change(payload.replica, logged) { row in
            func key(_ row: ReplicaRow) -> [UInt8]? {
                row.successorText.map {
                    views.tables.successorKey($0, entity: row.entity, connection: row.connection)
                        + row.replica.bytes
                }
            }
            if let before = key(row) { views.lookups.delete(before) }
            row.isConverted = payload.converted
            row.lastLook = logged.sequence
            row.successor = payload.into
            if let now = key(row) { views.lookups.put([1], now) }
        }
    }

    func foldGone(
        _ payload: Gone, _ logged: LoggedEvent
    ) throws {
        try change(payload.replica, logged) { row in
            row.state = .gone
            row.goneProof = payload.proof
            row.mergedInto = payload.mergedInto
            row.lastSettled = logged.sequence
            for field in mapping[row.entity]?.keyFields ?? [] {
                guard let attribute = field.spelling(at: row.system, kind: row.kind)?.attribute
                else { continue }
                try moveKey(
                    attribute, of: row, from: row[attribute].seen?.value, to: nil)
            }
        }
    }

    func foldLinked(
        _ payload: Linked, _ logged: LoggedEvent
    ) throws {
        let merged = try payload.reason == .remoteMerge ? mergedInto(payload) : []
        let converted = try payload.reason == .conversion ? convertedInto(payload) : nil
        try change(payload.replica, logged) { row in
            row.record = payload.record
            row.isApart = false
            for field in mapping[row.entity]?.fields ?? [] {
                guard let attribute = field.spelling(at: row.system, kind: row.kind)?.attribute
                else { continue }
                if merged.isEmpty, converted == nil, row.relink(attribute) { continue }
                try changeBranch(attribute, of: &row) { branch in
                    branch.relinked()
                    // It began as a copy: what was accounted for there is no news here. What was not
                    // copied was not taken away by anybody: it is told here as to whoever joins.
                    if let before = converted?.branch(field), branch.accounted == nil,
                        branch.seenContent?.isBlank != true
                    {
                        branch.accounted = before.accounted
                    }
                    guard field.law == .sum else { return }
                    for other in merged.compactMap({ $0.branch(field) }) { branch.takeOver(other) }
                }
            }
        }
        try change(payload.record, logged) { row in
            row.entity = payload.entity
            row.creating.removeAll { $0 == payload.replica }
            row.isEmptied = false
            if !row.replicas.contains(payload.replica) { row.replicas.append(payload.replica) }
        }
    }

    /// The object of the record that the remote converted into the one that is linked now.
    private func convertedInto(_ payload: Linked) throws -> ReplicaRow? {
        guard let name = try views.replicas.row(RowKey(payload.replica))?.remoteIDText else {
            return nil
        }
        let record = try views.records.row(RowKey(payload.record))
        return try (record?.replicas ?? []).compactMap { try views.replicas.row(RowKey($0)) }
            .first { $0.isConverted && $0.successorText?.lowercased() == name.lowercased() }
    }

    /// The objects of the record that the remote merged into the one that is linked now.
    private func mergedInto(
        _ payload: Linked
    ) throws -> [ReplicaRow] {
        let record = try views.records.row(RowKey(payload.record))
        return try (record?.replicas ?? []).compactMap {
            try views.replicas.row(RowKey($0))
        }.filter { $0.goneProof == .merged && $0.mergedInto == payload.replica }
    }

    func foldUnlinked(
        _ payload: Unlinked, _ logged: LoggedEvent
    ) throws {
        let isPersons = logged.entry.actor.kind == .person
        var isAlive = false
        try change(payload.replica, logged) { row in
            row.record = nil
            isAlive = row.state != .gone
            row.isApart = isPersons && isAlive
        }
        try change(payload.record, logged) { row in
            row.replicas.removeAll { $0 == payload.replica }
            if row.replicas.isEmpty { row.isEmptied = isAlive }
            // What is made again is another object, under another id.
            row.failedCreates += 1
        }
        guard !isAlive, let record = try views.records.row(RowKey(payload.record)) else {
            return
        }
        // Who is kept may be deleted anew one day.
        for replica in record.replicas {
            guard try views.replicas.row(RowKey(replica))?.refusesDelete == true else {
                continue
            }
            try change(replica, logged) { $0.refusesDelete = false }
        }
    }
}
