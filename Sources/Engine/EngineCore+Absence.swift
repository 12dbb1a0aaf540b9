import Connectors
import Ledger
import Model
import Projections
import Reconciler
import Transport

/// The end of a walk, and what it says of those that did not show.
extension EngineCore {
    // MARK: - The end of a walk

    /// Who was there and did not show: looked at one by one, for absence proves nothing yet.
    ///
    /// Of a walk that an earlier run began nobody knows whom that run saw: only those are looked at who
    /// were known before it, and the next walk finds the others.
    private mutating func suspectMissing(
        _ kind: String, _ connection: ConnectionID, _ state: WalkState
    ) {
        do {
            let known = try views.collect(
                unopenedFrom: \.replicas,
                where: { [seen] row in
                    row.connection == connection && row.kind == kind && row.state == .live
                        && !seen.contains(row.replica)
                        && !(state.isResumed
                            && row.knownSince.map { $0 >= state.startedAt } ?? false)
                }
            ) { $0.replica }
            try look(at: known)
        } catch {
            // Nobody is taken for gone; the run says that it could not look.
            report.failures.append((sessions[connection]?.row.configured.label ?? "", "\(error)"))
        }
    }

    /// Asks for one object by its id.
    mutating func look(at row: ReplicaRow) {
        guard let id = row.remoteIDText, let session = sessions[row.connection],
            session.failure == nil, mapping[row.entity] != nil,
            !unreadable.contains(KindPlace(connection: row.connection, kind: row.kind))
        else { return }
        start(
            session.connector(of: row.kind).lookCall(id: id), on: row.connection,
            for: .look(row.replica, remoteID: id))
    }

    mutating func lookAnswered(
        _ pending: PendingCall, _ replica: ReplicaID, _ remoteID: String, _ result: HTTPResult
    ) throws {
        guard let session = sessions[pending.connection],
            let row = try views.read({ tables, transaction in
                try tables.replicas.row(replica.bytes, transaction)
            })
        else { return }
        let look = Observer.Look(
            connection: session.row, road: .get, lookedAfter: pending.lookedAfter, now: now)
        do {
            switch try session.connector(of: row.kind).look(from: result, asked: remoteID) {
            case .found(let object):
                noteSeen(replica)
                let drafts = try observe(object, look)
                if !drafts.isEmpty { append(drafts, then: .lookDone) }
            case .gone:
                append(
                    [
                        gone(
                            row, replica, .sweepAndGet, mergedInto: nil,
                            lookedAfter: look.lookedAfter)
                    ],
                    then: .lookDone)
            case .merged(let survivor): try merged(row, into: survivor, look)
            }
            if let record = row.record { dirty.insert(record) }
        } catch let error as RemoteFailure {
            retry(pending, error) { core, failure in
                guard !core.kindFailed(row.kind, pending.connection, failure) else { return }
                core.fail(pending.connection, failure.message)
            }
        }
    }

    /// The remote merged one object into another: the dead one's record follows to the survivor.
    ///
    /// Where the survivor has a record of its own, a person is asked whether both are one.
    private mutating func merged(
        _ row: ReplicaRow, into survivor: RemoteObject, _ look: Observer.Look
    ) throws {
        var drafts = try observe(survivor, look)
        let (before, otherRow) = try known(survivor.id, survivor.kind, look.connection.id)
        var other = before
        if other == nil, case .observed(let payload)? = drafts.first?.event {
            other = payload.replica
        }
        guard let other else { return }
        drafts.append(
            gone(row, row.replica, .merged, mergedInto: other, lookedAfter: look.lookedAfter))
        guard let record = row.record else { return append(drafts, then: .lookDone) }
        if otherRow?.record == nil {
            let linked = Linked(
                record: record, entity: row.entity, replica: other, reason: .remoteMerge)
            drafts.append(
                Draft(
                    id: ids.event(), stream: .record(record), event: .linked(linked),
                    tags: [Tag(.record, record), Tag(.replica, other)]))
        }
        if let theirs = otherRow?.record, theirs != record, let snapshot = try snapshot(record) {
            let others = snapshot.replicas.filter {
                $0.state == .live && $0.replica != row.replica
            }.map(\.replica)
            if !others.isEmpty {
                report.ambiguous += 1
                drafts.append(question((others + [other]).sorted(), row.entity))
            }
        }
        append(drafts, then: .lookDone)
    }

    /// What the dates of its answers told of the system's clock, where that is news.
    mutating func skewMeasured(_ session: Session) -> Draft? {
        guard let reading = session.clock.reading, reading != session.row.skew else { return nil }
        if let known = session.row.skew, !reading.contradicts(known) { return nil }
        var measured = ClockSkewMeasured()
        measured.connection = session.row.id
        measured.skewMicroseconds = reading.skewMicroseconds
        measured.uncertaintyMicroseconds = UInt64(clamping: reading.uncertaintyMicroseconds)
        return Draft(
            id: ids.event(), stream: .connection(session.row.id),
            event: .clockSkewMeasured(measured))
    }

    mutating func closeWalk(_ connection: ConnectionID, _ state: WalkState) throws {
        guard let session = sessions[connection] else { return }
        guard let kind = state.kind else { return try nextWalk(connection) }
        var drafts: [Draft] = []
        if state.isSweep {
            var closed = SweepClosed()
            closed.connection = connection
            closed.entity = kind
            closed.seen = UInt64(state.seen)
            closed.openedAt = state.openedAt
            closed.startedAt = state.startedAt
            drafts.append(
                Draft(
                    id: ids.event(), stream: .connection(connection), event: .sweepClosed(closed)))
        }
        let mark = session.row[kind]
        let hidesBirth = session.connector(of: kind).hidesBirth
        // The highest stamp seen, but none of the walk's own time: what was edited behind it meanwhile
        // has an earlier one. It moves only when it grew.
        let highest = state.highest.map { min($0, session.earliest(state.passBegan)) }
        let cursor = [highest, Timestamp(mark.cursor)].compactMap { $0 }.max()
        let text = cursor?.description ?? mark.cursor
        if text != mark.cursor || state.isSweep || hidesBirth {
            var moved = CursorMoved()
            moved.connection = connection
            moved.entity = kind
            moved.cursor = text
            moved.completeUntil = state.startedAt
            drafts.append(
                Draft(id: ids.event(), stream: .connection(connection), event: .cursorMoved(moved)))
        }
        if state.isSweep { suspectMissing(kind, connection, state) }
        guard !drafts.isEmpty else {
            return try nextWalk(connection)
        }
        append(drafts, then: .closeWalk(connection))
    }
}
