import Connectors
import Ledger
import Model
import Projections
import Reconciler
import Transport

/// Looking: what the pages of walks show, and single looks where something is in doubt.
extension EngineCore {
    /// Reads again, once in a run, what looks out of order or refused writes left in doubt.
    ///
    /// - Returns: whether there is something to wait for.
    mutating func lookAgainWhereNeeded() throws -> Bool {
        guard !hasLookedAgain else { return false }
        hasLookedAgain = true
        @Sendable func isDoubtful(_ row: ReplicaRow) -> Bool {
            row.state == .live
                && (row.needsLook || row.branches.contains { $0.referredObject != nil })
        }
        var needed: [ReplicaID] = []
        var unseen: Set<ReplicaID> = []
        func see(_ row: ReplicaRow) {
            if row.needsLook { needed.append(row.replica) }
            unseen.formUnion(emptiedReferences(row))
        }
        // What stood there before this run is looked through at its beginning.
        if looks == 1 {
            let _: [Never] = try views.collect(from: \.replicas, where: isDoubtful) { row in
                see(row)
                return nil
            }
        } else {
            for replica in shown.sorted() {
                if let row = try views.replica(replica), isDoubtful(row) { see(row) }
            }
        }
        try look(at: needed)
        unseen.subtract(shown)
        guard !unseen.isEmpty else { return !calls.isEmpty }
        let meant = try views.collect(
            unopenedFrom: \.replicas,
            where: { [unseen] row in
                row.state == .live && !row.needsLook && unseen.contains(row.replica)
            }
        ) { $0.replica }
        try look(at: meant)
        return !calls.isEmpty
    }

    /// Asks for each of some objects; their rows are in memory one at a time.
    mutating func look(at replicas: [ReplicaID]) throws {
        for replica in replicas {
            if let row = try views.replica(replica) { look(at: row) }
        }
    }

    /// What an object's emptied references named, looked at before anybody takes them for edits.
    ///
    /// It may have been deleted: that empties them in SuiteCRM, and shows in no window (fact 43).
    private func emptiedReferences(_ row: ReplicaRow) -> [ReplicaID] {
        (mapping[row.entity]?.fields ?? []).compactMap { field in
            guard field.refers != nil,
                let attribute = field.spelling(at: row.system, kind: row.kind)?.attribute,
                row[attribute].seen?.value?.isBlank == true
            else { return nil }
            return row[attribute].referredObject
        }
    }

    mutating func pageAnswered(
        _ pending: PendingCall, _ walk: Walk, _ result: HTTPResult
    ) throws {
        guard let session = sessions[pending.connection] else { return }
        do {
            let page = try session.connector(of: walk.objects).page(from: result, walk)
            try take(page, pending, walk)
        } catch let error as RemoteFailure {
            try retry(pending, error) { core, failure in
                try core.pageFailed(pending.connection, walk, failure)
            }
        }
    }

    /// What a system does not have, or does not let us read, keeps the rest from nothing.
    private mutating func pageFailed(
        _ connection: ConnectionID, _ walk: Walk, _ failure: RemoteFailure
    ) throws {
        guard walk.kind != .feed, kindFailed(walk.objects, connection, failure) else {
            return fail(connection, failure.message)
        }
        try nextWalk(connection)
    }

    /// Leaves one kind of object of a connection out of this run, where the refusal is about no more
    /// than it.
    mutating func kindFailed(
        _ kind: String, _ connection: ConnectionID, _ failure: RemoteFailure
    ) -> Bool {
        guard let session = sessions[connection],
            [.refused(.permission), .refused(.notFound), .refused(.validation)]
                .contains(failure.kind)
        else { return false }
        let place = KindPlace(connection: connection, kind: kind)
        resting[place] = nil
        if unreadable.insert(place).inserted {
            let told = ("\(session.row.configured.label), \(kind)s", failure.message)
            if failure.kind == .refused(.notFound), session.row[kind].lastSweep == nil {
                report.notes.append(told)
                missing.insert(place)
            } else {
                report.failures.append(told)
            }
        }
        return true
    }

    private mutating func take(_ page: Page, _ pending: PendingCall, _ walk: Walk) throws {
        let connection = pending.connection
        guard let session = sessions[connection] else { return }
        var drafts: [Draft] = []
        var look = Observer.Look(
            connection: session.row, road: walk.kind == .sweep ? .sweep : .fetch,
            lookedAfter: pending.lookedAfter, now: now)
        if case .added(let since) = walk.kind {
            for object in page.objects {
                drafts += try observeAdded(object, since: since, look)
            }
        } else {
            for object in page.objects { drafts += try observe(object, look) }
            walks[connection]?.seen += page.objects.count
            walks[connection]?.pagesInTurn += 1
            walks[connection]?.left = page.left
            report.objectsSeen[session.row.system, default: 0] += page.objects.count
        }
        look.road = .outbox
        for change in CoalescedChange.all(of: page.changes) {
            if change.isDeletion {
                drafts += try goneByFeed(change.object, look)
            } else {
                look.isComplete = change.isComplete
                look.evidences = change.evidences
                drafts += try observe(change.object, look)
            }
        }
        let stamps = page.objects.compactMap(\.modified)
        if let highest = stamps.max() {
            let before = walks[connection]?.highest
            walks[connection]?.highest = max(before ?? min(highest, now), min(highest, now))
        }
        report.observations += drafts.count
        effects.append(progress(.looking))
        drafts = try firstWalk(page, walk, connection, drafts)
        if drafts.isEmpty {
            try pageRecorded(connection, page.next, acknowledge: page.acknowledge)
        } else {
            append(
                drafts, then: .nextPage(connection, page.next, acknowledge: page.acknowledge))
        }
    }

    /// What a page of a first walk showed, with how far that walk has come.
    private mutating func firstWalk(
        _ page: Page, _ walk: Walk, _ connection: ConnectionID, _ drafts: [Draft]
    ) throws -> [Draft] {
        guard walk.kind == .sweep, let state = walks[connection], state.isFirst,
            let kind = state.kind
        else { return drafts }
        func draft(_ event: Event) -> Draft {
            Draft(id: ids.event(), stream: .connection(connection), event: event)
        }
        var drafts = drafts
        if !state.isOpened {
            var opened = SweepOpened()
            opened.connection = connection
            opened.entity = kind
            opened.startedAt = state.startedAt
            drafts.insert(draft(.sweepOpened(opened)), at: 0)
            walks[connection]?.isOpened = true
        }
        guard let last = page.objects.last, page.next?.after == last.id else { return drafts }
        let shown = drafts.lazy.compactMap { draft -> ReplicaID? in
            if case .observed(let payload) = draft.event { payload.replica } else { nil }
        }.last
        // The last one of the page is the last one observed, unless it was known already.
        guard let after = try known(last.id, last.kind, connection).0 ?? shown else {
            return drafts
        }
        var reached = SweepReached()
        reached.connection = connection
        reached.entity = kind
        reached.after = after
        reached.seen = UInt64(state.seen)
        reached.highest = state.highest
        return drafts + [draft(.sweepReached(reached))]
    }

    mutating func noteSeen(_ replica: ReplicaID) {
        seen.insert(replica)
        fresh.insert(replica)
        shown.insert(replica)
    }

    /// The events for one object that a look showed.
    mutating func observe(_ object: RemoteObject, _ look: Observer.Look) throws -> [Draft] {
        let (replica, row) = try known(object.id, object.kind, look.connection.id)
        if let row, object.isYounger(than: row.born) {
            return observeAnother(object, insteadOf: row, look)
        }
        let id = replica ?? ids.id()
        noteSeen(id)
        let drafts = observer.observe(
            try withoutHalfDone(object, row), as: id, known: row, look, ids: &ids)
        if !drafts.isEmpty { touched.insert(id) }
        if let record = row?.record, !drafts.isEmpty { dirty.insert(record) }
        return drafts
    }

    /// The id was handed out again: whoever had it is gone, and this is somebody else.
    private mutating func observeAnother(
        _ object: RemoteObject, insteadOf row: ReplicaRow, _ look: Observer.Look
    ) -> [Draft] {
        let id: ReplicaID = ids.id()
        noteSeen(id)
        touched.insert(id)
        var drafts = row.state == .gone ? [] : [reused(row, lookedAfter: look.lookedAfter)]
        drafts += observer.observe(object, as: id, known: nil, look, ids: &ids)
        return drafts
    }

    /// Only whether its id was handed out again: what it holds is read by the walk that follows.
    ///
    /// It is, where somebody was known under it before the earliest moment at which this one can have
    /// been made, whatever the clocks.
    private mutating func observeAdded(
        _ object: RemoteObject, since: Timestamp, _ look: Observer.Look
    ) throws -> [Draft] {
        let (_, row) = try known(object.id, object.kind, look.connection.id)
        guard let row, let known = row.knownSince, let skew = sessions[row.connection]?.skew else {
            return []
        }
        let ahead = skew.skewMicroseconds + skew.uncertaintyMicroseconds
        guard known.microseconds + ahead < since.microseconds else { return [] }
        return observeAnother(object, insteadOf: row, look)
    }

    mutating func reused(_ row: ReplicaRow, lookedAfter: UInt64) -> Draft {
        gone(row, row.replica, .idReused, mergedInto: nil, lookedAfter: lookedAfter)
    }

    /// Takes out of a look what a write of ours left half done there: nobody typed that.
    private func withoutHalfDone(
        _ object: RemoteObject, _ row: ReplicaRow?
    ) throws -> RemoteObject {
        guard let row, !row.openCommands.isEmpty, let session = sessions[row.connection] else {
            return object
        }
        var object = object
        for id in row.openCommands {
            let command = try views.read { tables, transaction in
                try tables.commands.row(id.bytes, transaction)
            }
            guard let command,
                session.connector(of: row.kind).isHalfDone(
                    try order(command.issue, session), in: object)
            else { continue }
            let names = command.issue.changes.map(\.attribute)
            object.attributes.removeAll { names.contains($0.name) }
        }
        return object
    }

    func known(
        _ remoteID: String, _ kind: String, _ connection: ConnectionID
    ) throws -> (ReplicaID?, ReplicaRow?) {
        try views.read { tables, transaction in
            let id = try tables.replica(
                remoteID: remoteID, kind: kind, connection: connection, transaction)
            return (id, try id.flatMap { try tables.replicas.row($0.bytes, transaction) })
        }
    }

    private mutating func goneByFeed(
        _ object: RemoteObject, _ look: Observer.Look
    ) throws -> [Draft] {
        let (replica, row) = try known(object.id, object.kind, look.connection.id)
        guard let replica, let row, row.state == .live else { return [] }
        return [gone(row, replica, .feed, mergedInto: nil, lookedAfter: look.lookedAfter)]
    }

    mutating func gone(
        _ row: ReplicaRow, _ replica: ReplicaID, _ proof: GoneProof, mergedInto: ReplicaID?,
        lookedAfter: UInt64
    ) -> Draft {
        var payload = Gone()
        payload.replica = replica
        payload.proof = proof
        payload.mergedInto = mergedInto
        payload.lookedAfter = lookedAfter
        if proof == .merged { report.merged += 1 } else { report.gone += 1 }
        touched.insert(replica)
        if let record = row.record { dirty.insert(record) }
        return Draft(
            id: ids.event(), stream: .replica(replica), event: .gone(payload),
            tags: [Tag(.replica, replica)])
    }
}

/// Several rows of a feed about one object, taken as one look: the last value of each column, with
/// the evidence of the row that brought it.
struct CoalescedChange {
    var object: RemoteObject
    var isDeletion: Bool
    var isComplete: Bool
    var evidences: [String: Evidence] = [:]

    private init(_ change: FeedChange) {
        object = change.object
        isDeletion = change.isDeletion
        isComplete = change.isComplete
        take(change)
    }

    private mutating func take(_ change: FeedChange) {
        let evidence = Evidence(
            earliest: change.changedAt, latest: change.changedAt, exact: true)
        for attribute in change.object.attributes { evidences[attribute.name] = evidence }
    }

    private mutating func add(_ later: FeedChange) {
        for (name, value) in later.object.attributes {
            object.attributes.removeAll { $0.name == name }
            object.attributes.append((name, value))
        }
        object.stamp = later.object.stamp
        object.modified = later.object.modified
        isComplete = isComplete || later.isComplete
        take(later)
    }

    /// The changes of a page, one for each object, in the order in which the objects first appear.
    static func all(of changes: [FeedChange]) -> [CoalescedChange] {
        var order: [String] = []
        var found: [String: CoalescedChange] = [:]
        for change in changes {
            let id = change.object.kind + " " + change.object.id
            if found[id] == nil { order.append(id) }
            if var earlier = found[id], !change.isDeletion, !earlier.isDeletion {
                earlier.add(change)
                found[id] = earlier
            } else {
                found[id] = CoalescedChange(change)
            }
        }
        return order.compactMap { found[$0] }
    }
}
