import Ledger
import Model

/// Commands and what became of them.
extension Fold {
    func foldCommand(
        _ logged: LoggedEvent
    ) throws {
        switch logged.event {
        case .commandIssued(let payload): try foldIssued(payload, logged)
        case .commandConfirmed(let payload): try foldConfirmed(payload, logged)
        case .commandRefused(let payload):
            try settle(
                payload.command, .refused, payload.reason, rests: payload.isTheValues,
                logged)
            // A value that was overtaken at the remote may be tried again after a fresh look.
            if try payload.isTheValues || isDelete(payload) {
                try restRefused(payload.command, logged)
            }
        case .commandUncertain(let payload):
            try settle(payload.command, .uncertain, payload.reason, logged)
        case .commandSuperseded(let payload):
            try wakeRefused(payload.command, logged)
            try settle(payload.command, .superseded, payload.reason, logged)
        case .commandParked(let payload):
            try settle(payload.command, .parked, payload.reason, logged)
            try restRefused(payload.command, logged)
        default: break
        }
    }

    private func foldIssued(
        _ payload: CommandIssued, _ logged: LoggedEvent
    ) throws {
        var row = CommandRow()
        row.issue = payload
        row.issuedAt = logged.sequence
        row.issuedTime = logged.entry.recordedAt
        views.commands.put(row, RowKey(payload.command))
        views.openCommands.put([1], payload.command.bytes)
        try change(payload.replica, logged) { replica in
            if replica.connection.isNone {
                replica.connection = payload.connection
                replica.entity = payload.entity
                replica.furtherKind = payload.furtherKind
                replica.state = .creating
                replica.record = payload.record
                replica.system =
                    try views.connections.row(RowKey(payload.connection))?.system
                    ?? .unspecified
            }
            replica.openCommands.append(payload.command)
        }
        if payload.operation == .create {
            try change(payload.record, logged) { record in
                record.entity = payload.entity
                if !record.creating.contains(payload.replica) {
                    record.creating.append(payload.replica)
                }
            }
        }
    }

    private func settle(
        _ command: CommandID, _ state: CommandRow.State, _ reason: String, rests: Bool = false,
        _ logged: LoggedEvent
    ) throws {
        guard var row = try views.commands.row(RowKey(command)) else { return }
        row.state = state
        row.reason = reason
        row.settledAt = logged.sequence
        views.commands.put(row, RowKey(command))
        guard !state.isOpen else { return }
        views.openCommands.delete(command.bytes)
        try change(row.issue.replica, logged) { replica in
            replica.lastSettled = logged.sequence
            // A parked command may have run: its echo may still come.
            if state != .parked { replica.openCommands.removeAll { $0 == command } }
        }
        if row.issue.operation == .create, state == .superseded || state == .refused {
            try change(row.issue.record, logged) { record in
                record.creating.removeAll { $0 == row.issue.replica }
                record.failedCreates += 1
                if state == .refused, rests { record.refusedCreates.append(row.issue.connection) }
            }
            if mapping.isReferredTo(row.issue.entity) { try touchReferers(of: row.issue.record) }
        }
    }

    /// Who was refused a deletion, since others still name the object, is not asked for it each time.
    private func isDelete(_ payload: CommandRefused) throws -> Bool {
        guard payload.refusal == .conflict else { return false }
        return try views.commands.row(RowKey(payload.command))?.issue.operation == .delete
    }

    /// The same value is not sent again until the outcome changes.
    private func restRefused(
        _ command: CommandID, _ logged: LoggedEvent
    ) throws {
        guard let row = try views.commands.row(RowKey(command)) else { return }
        try change(row.issue.replica, logged) { replica in
            if row.issue.operation == .delete { replica.refusesDelete = true }
            if row.issue.operation == .create { replica.isGivenUp = true }
            for written in row.issue.changes {
                try changeBranch(written.attribute, of: &replica) { branch in
                    branch.refuse(version: written.outcomeVersion)
                }
            }
        }
    }

    /// A person asked to try again what was given up or refused.
    private func wakeRefused(
        _ command: CommandID, _ logged: LoggedEvent
    ) throws {
        guard let row = try views.commands.row(RowKey(command)),
            row.state == .parked || row.state == .refused
        else { return }
        try change(row.issue.replica, logged) { replica in
            replica.refusesDelete = false
            replica.isGivenUp = false
            for written in row.issue.changes {
                try changeBranch(written.attribute, of: &replica) { $0.refusedVersion = nil }
            }
        }
        try change(row.issue.record, logged) { record in
            record.refusedCreates.removeAll { $0 == row.issue.connection }
        }
    }

    private func foldConfirmed(
        _ payload: CommandConfirmed, _ logged: LoggedEvent
    ) throws {
        guard let command = try views.commands.row(RowKey(payload.command)) else {
            return
        }
        try settle(
            payload.command, .confirmed, payload.byLooking ? "seen there" : "", logged)
        try change(command.issue.replica, logged) { row in
            if command.issue.operation == .delete {
                row.state = .gone
                row.goneProof = .command
                return
            }
            if row.state == .creating { row.state = .live }
            row.isGivenUp = false
            if row.knownSince == nil { row.knownSince = logged.entry.recordedAt }
            if let remoteID = payload.remoteID { try name(&row, remoteID, logged) }
            for stored in payload.stored {
                let written = command.issue.changes.first { $0.attribute == stored.attribute }
                try take(stored, written, in: &row, logged)
            }
        }
    }

    /// u is what the write is known to have stored.
    private func take(
        _ stored: StoredAttribute, _ written: CommandChange?, in row: inout ReplicaRow,
        _ logged: LoggedEvent
    ) throws {
        let before = row[stored.attribute].seen?.value
        try changeBranch(stored.attribute, of: &row) { branch in
            if stored.notStored {
                branch.refuse(version: stored.outcomeVersion)
            } else {
                branch.confirm(
                    written?.form ?? .absolute, sent: written?.write?.value,
                    stored: stored.value?.value, version: stored.outcomeVersion,
                    told: stored.told, by: logged.id)
            }
        }
        if let written, !stored.notStored,
            let field = mapping[row.entity]?.field(attribute: stored.attribute, of: row.system),
            field.refers != nil
        {
            try refer(
                stored.attribute, of: &row, to: row.referred(by: written, field.category), logged)
        }
        try moveKey(
            stored.attribute, of: row, from: before, to: row[stored.attribute].seen?.value)
    }
}

extension CommandRefused {
    /// Whether another try of the same value would be refused again, until the value changes.
    ///
    /// A system that does not let us in, or that somebody edited meanwhile, says nothing of it; one
    /// that answers 422 does: somebody else has the value (Mautic's facts A10 and D5).
    fileprivate var isTheValues: Bool {
        switch refusal {
        case .validation, .limit, .wrongObject, .unspecified: true
        case .conflict: status == 422
        case .authentication, .permission, .unreachable, .notFound: false
        }
    }
}
