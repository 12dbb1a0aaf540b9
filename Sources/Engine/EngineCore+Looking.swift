import Connectors
import Ledger
import Model
import Projections
import Reconciler
import Transport

/// Where the walk over a connection stands.
struct WalkState {
    /// Whose objects are read; `nil` for a feed that is read once more at a run's end.
    var kind: String?
    var steps: [Walk]
    var startedAt: Timestamp
    var openedAt: UInt64
    var seen = 0
    var highest: Timestamp?
    var isSweep: Bool
    /// Our clock when the pass over the objects began that it is in now.
    var passBegan: Timestamp
    var passes = 1
    /// Whether nobody has read all of these objects before.
    var isFirst = false
    /// Whether an earlier run began it.
    var isResumed = false
    /// Whether the log says that it has begun.
    var isOpened = false
    /// Pages that were read since what changed was asked for last: it is never laid aside without one.
    var pagesInTurn = 0
    /// About how many objects are still to come.
    var left: Int?

    init(kind: String?, steps: [Walk], startedAt: Timestamp, openedAt: UInt64, isSweep: Bool) {
        self.kind = kind
        self.steps = steps
        self.startedAt = startedAt
        self.openedAt = openedAt
        self.isSweep = isSweep
        passBegan = startedAt
    }
}

/// Looking: walks over the systems, and single looks where something is in doubt.
extension EngineCore {
    /// Asks every system for what changed, and reads on what is read whole.
    mutating func look() throws {
        phase = .looking
        rounds = 0
        looks += 1
        nextLook = now.adding(seconds: request.looksEverySeconds)
        hasLookedAgain = false
        shown = []
        unfinished = []
        if freshUntil < now {
            fresh = []
            freshUntil = now.adding(seconds: Self.freshSeconds)
        }
        try readMarks()
        asksForChanges = !resting.isEmpty
        try beginWalks(live: resting.isEmpty, whole: true)
    }

    /// Asks for what changed while something was read whole: it is decided on next.
    ///
    /// - Returns: whether there is something to wait for.
    mutating func askForChanges() throws -> Bool {
        guard asksForChanges else { return false }
        asksForChanges = false
        try readMarks()
        try beginWalks(live: true, whole: false)
        return !walks.isEmpty
    }

    private mutating func beginWalks(live: Bool, whole: Bool) throws {
        for (id, session) in sessions.sorted(by: { $0.key < $1.key }) where session.failure == nil {
            let kinds = mapping.kinds(at: session.row.system).filter {
                looks == 1 || !unreadable.contains(KindPlace(connection: id, kind: $0))
            }
            // What is read whole comes last: it may be laid aside for the rest.
            var waiting =
                (live ? kinds.filter { isLive($0, session) } : [])
                + (whole ? kinds.filter { !isLive($0, session) } : [])
            guard !waiting.isEmpty else { continue }
            // A feed tells of all entities at once, and so is read once.
            let first = waiting.removeFirst()
            waitingWalks[id] = waiting
            try beginWalk(
                id, session, of: first, feed: live && session.connector.hasFeed)
        }
    }

    /// How long it is known who answers for an id that was looked at.
    private static var freshSeconds: Double { 600 }

    /// Whether only what changed is still to be asked for.
    private func isLive(_ kind: String, _ session: Session) -> Bool {
        session.row[kind].lastSweep != nil
            && resting[KindPlace(connection: session.row.id, kind: kind)] == nil
    }

    /// How far everything was read, as the log says now.
    private mutating func readMarks() throws {
        for row in try views.read({ try $0.connections.all($1) }) {
            sessions[row.id]?.row.marks = row.marks
            sessions[row.id]?.row.skewMicroseconds = row.skewMicroseconds
            sessions[row.id]?.row.skewUncertainty = row.skewUncertainty
            sessions[row.id]?.row.isSkewMeasured = row.isSkewMeasured
        }
    }

    /// Lays a first walk aside, where what changed elsewhere waits for it.
    ///
    /// Nothing is laid aside in a plan, which decides only once everything is read, and no later walk:
    /// who is written to meanwhile may have been edited behind it. Where only what changed is wanted
    /// it goes on by one page, which tells whether there is such a thing at all.
    private mutating func rests(_ state: WalkState, _ id: ConnectionID) -> Bool {
        guard let kind = state.kind, state.isFirst, request.verb == .sync,
            now >= nextLook || request.isOnlyChanges, state.pagesInTurn > 0,
            sessions.values.contains(where: { session in
                mapping.kinds(at: session.row.system).contains { isLive($0, session) }
            })
        else { return false }
        resting[KindPlace(connection: id, kind: kind)] = state
        walks[id] = nil
        // One page takes no time in which anything changes.
        asksForChanges = !request.isOnlyChanges
        return true
    }

    /// What nobody has read whole yet: because a walk rests, or failed.
    mutating func noteUnfinished() throws {
        try readMarks()
        for (id, session) in sessions {
            for kind in mapping.kinds(at: session.row.system)
            where session.row[kind].lastSweep == nil {
                unfinished.insert(KindPlace(connection: id, kind: kind))
            }
        }
        unfinished.subtract(missing)
    }

    private mutating func beginWalk(
        _ id: ConnectionID, _ session: Session, of kind: String, feed: Bool
    ) throws {
        if let state = resting.removeValue(forKey: KindPlace(connection: id, kind: kind)) {
            walks[id] = state
            walks[id]?.pagesInTurn = 0
            return try nextStep(id)
        }
        let mark = session.row[kind]
        let mappedSince = try mapping.entity(ofKind: kind).flatMap {
            try views.rules($0.entity)?.mappedSince
        }
        // Another mapping may name attributes that nobody asked for before.
        let isRemapped = mappedSince ?? 0 > mark.sweptFrom
        // Once in a run, as long as nothing was laid aside.
        let isAsked = request.isSweep && looks == 1 && resting.isEmpty
        let isSweep =
            isAsked || mark.lastSweep == nil || isRemapped && !request.isOnlyChanges
        var steps: [Walk] = feed ? [Walk(.feed, of: kind)] : []
        let from = windowStart(mark, session)
        if let from, session.connector(of: kind).hidesBirth {
            steps.append(Walk(.added(since: from), of: kind))
        }
        var state = WalkState(
            kind: kind, steps: steps, startedAt: now, openedAt: end, isSweep: isSweep)
        state.isFirst = mark.lastSweep == nil
        if isSweep {
            let after = try goOn(mark.openSweep, mappedSince: mappedSince ?? 0, &state)
            state.steps.append(Walk(.sweep, of: kind, after: after))
        } else if !session.connector.hasFeed {
            state.steps.append(Walk(.changes(since: from ?? now), of: kind))
        }
        walks[id] = state
        try nextStep(id)
    }

    /// Takes up a first walk that an earlier run did not finish.
    ///
    /// - Returns: the id behind which it goes on; `nil` where it begins anew.
    private func goOn(
        _ open: OpenSweepRow?, mappedSince: UInt64, _ state: inout WalkState
    ) throws -> String? {
        guard state.isFirst, let open, open.openedAt > mappedSince, let began = open.startedAt,
            let after = try views.replica(open.after)?.remoteIDText
        else { return nil }
        state.startedAt = began
        state.passBegan = began
        state.openedAt = open.openedAt
        state.seen = Int(clamping: open.seen)
        state.highest = open.highest
        state.isResumed = true
        state.isOpened = true
        return after
    }

    /// From which moment of the system's own clock what changed is asked for; `nil` before the first
    /// sweep.
    private func windowStart(_ mark: MarkRow, _ session: Session) -> Timestamp? {
        let overlap = session.connector.overlapSeconds
        if let stamp = Timestamp(mark.cursor) { return stamp.adding(seconds: -overlap) }
        // What shows no stamps is asked for from when it was last read whole, by our clock.
        guard let read = mark.completeUntil else { return nil }
        return min(read, session.earliest(read)).adding(seconds: -overlap)
    }

    /// Goes on with the next kind of object of a connection, where there is one.
    mutating func nextWalk(_ id: ConnectionID) throws {
        walks[id] = nil
        guard !isCancelled, let session = sessions[id], session.failure == nil,
            let kind = waitingWalks[id]?.first
        else {
            // Once, when all of them are read or found not to be readable.
            let isLast = waitingWalks.removeValue(forKey: id) != nil
            if isLast, let session = sessions[id], let skew = skewMeasured(session) {
                append([skew], then: .lookDone)
            }
            return
        }
        waitingWalks[id]?.removeFirst()
        try beginWalk(id, session, of: kind, feed: false)
    }

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
        // What stood there before this run was looked through at its beginning.
        let rows =
            looks == 1
            ? try views.collect(from: \.replicas, where: isDoubtful) { $0 }
            : try shown.sorted().compactMap(views.replica).filter(isDoubtful)
        for row in rows where row.needsLook { look(at: row) }
        let unseen = Set(rows.flatMap(emptiedReferences)).subtracting(shown)
        guard !unseen.isEmpty else { return !calls.isEmpty }
        let meant = try views.collect(
            from: \.replicas,
            where: { $0.state == .live && !$0.needsLook && unseen.contains($0.replica) }
        ) { $0 }
        for row in meant { look(at: row) }
        return !calls.isEmpty
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

    mutating func beginFeed(_ connection: ConnectionID) throws {
        walks[connection] = WalkState(
            kind: nil, steps: [Walk(.feed)], startedAt: now, openedAt: end, isSweep: false)
        try nextStep(connection)
    }

    private mutating func nextStep(_ connection: ConnectionID) throws {
        guard var state = walks[connection], let session = sessions[connection] else { return }
        if isCancelled {
            return try nextWalk(connection)
        }
        if state.steps.isEmpty { passAgain(&state, session) }
        guard let walk = state.steps.first else { return try closeWalk(connection, state) }
        if walk.kind == .sweep, rests(state, connection) { return try nextWalk(connection) }
        state.steps.removeFirst()
        walks[connection] = state
        start(
            session.connector(of: walk.objects).pageCall(walk), on: connection, for: .page(walk))
    }

    /// Asks once more for what was changed meanwhile, where a pass took so long that nothing else
    /// would show what was edited behind it before it is decided on.
    private func passAgain(_ state: inout WalkState, _ session: Session) {
        let overlap = session.connector.overlapSeconds
        let long = state.passBegan.adding(seconds: overlap / 2) < now
        guard let kind = state.kind, !session.connector.hasFeed, long, state.passes < 3 else {
            return
        }
        let since = session.earliest(state.passBegan).adding(seconds: -overlap)
        state.steps = [Walk(.changes(since: since), of: kind)]
        state.passBegan = now
        state.passes += 1
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

    mutating func pageRecorded(
        _ connection: ConnectionID, _ next: Walk?, acknowledge rows: [String]
    ) throws {
        guard let session = sessions[connection], walks[connection] != nil else { return }
        // Acknowledged only now: what the rows said is durable.
        if let call = session.connector.acknowledgeCall(rows, now: now) {
            start(call, on: connection, for: .acknowledge(rows))
        }
        if let next { walks[connection]?.steps.insert(next, at: 0) }
        try nextStep(connection)
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
