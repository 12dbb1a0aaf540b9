import Connectors
import Ledger
import Model
import Projections
import Reconciler

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

/// Walks over the systems: which are begun, laid aside, taken up again and followed by which.
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
        isAskingForChanges = false
        try beginWalks(live: resting.isEmpty, whole: true)
    }

    /// Asks for what changed while something was read whole: it is decided on next.
    ///
    /// - Returns: whether there is something to wait for.
    mutating func askForChanges() throws -> Bool {
        guard asksForChanges else { return false }
        asksForChanges = false
        isAskingForChanges = true
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
            try beginWalk(id, session, of: first, feed: live && session.connector.hasFeed)
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
            request.isOnlyChanges || isAnythingLive
        else { return false }
        resting[KindPlace(connection: id, kind: kind)] = state
        walks[id] = nil
        // One page takes no time in which anything changes.
        asksForChanges = !request.isOnlyChanges
        return true
    }

    private var isAnythingLive: Bool {
        sessions.values.contains { session in
            mapping.kinds(at: session.row.system).contains { isLive($0, session) }
        }
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
        let isAsked = request.isSweep && looks == 1 && !isAskingForChanges
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
}
