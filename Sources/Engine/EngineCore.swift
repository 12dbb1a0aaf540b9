package import Connectors
package import Ledger
package import Model
package import Projections
import Reconciler
import Transport

/// The engine as a synchronous state machine.
///
/// `step(input, now)` → effects, and nothing else.
///
/// It has no task, lock, clock or socket; time and answers come in, appends and calls go out. An
/// effect on the world is only asked for once the event that intends it is durable. It reads the
/// views, which its shell folds before it says `recorded`.
package struct EngineCore {
    let views: ViewStore
    let mapping: Mapping
    let observer: Observer
    var ids: IdentitySource
    var now: Timestamp

    var request: RunRequest
    var report: RunReport
    var phase = Phase.idle
    var sessions: [ConnectionID: Session] = [:]
    var walks: [ConnectionID: WalkState] = [:]
    /// What could not be read in this run, though its connection could.
    var unreadable: Set<KindPlace> = []
    /// What of that the system never had.
    var missing: Set<KindPlace> = []
    /// What is still to be read at a connection, entity by entity.
    var waitingWalks: [ConnectionID: [String]] = [:]
    /// Walks over everything that are laid aside while what changed is decided and written.
    var resting: [KindPlace: WalkState] = [:]
    /// What was never read whole and is not yet, while a walk over it rests: who is not known there
    /// may be there all the same.
    var unfinished: Set<KindPlace> = []
    /// What was unfinished when records were planned last.
    var plannedUnfinished: Set<KindPlace> = []
    /// How often this run has asked for what changed, and when it does again.
    var looks = 0
    var nextLook = Timestamp(microseconds: 0)
    /// Whether it does so once more before it decides anything, for it has read other things meanwhile.
    var asksForChanges = false
    /// Whether what is read now is that.
    var isAskingForChanges = false
    /// Set when a step ends before its work does, so that what was asked meanwhile has its turn.
    var isBreathing = false
    /// Whether the step before this one ended so.
    var goesOn = false
    /// Records that are still to be counted in this run's summary.
    var toCount: ArraySlice<RecordID> = []
    /// Objects that are still to be linked, entity by entity, some at a time.
    var unlinked: [ArraySlice<ReplicaID>] = []
    /// Objects that a question was raised about meanwhile.
    var askedAbout: Set<ReplicaID> = []
    var calls: [CallID: PendingCall] = [:]
    var appends: [AppendID: Continuation] = [:]
    var lanes: [RecordID: [CommandID]] = [:]
    var laneOf: [CommandID: RecordID] = [:]
    var active: Set<RecordID> = []
    /// Held in a lane and provably not sent by this process.
    var queued: Set<CommandID> = []
    var attempts: [CommandID: Int] = [:]
    var creating: [CreateKey: CommandID] = [:]
    var waitingToCreate: [CreateKey: [CommandID]] = [:]
    var refusedInRun: Set<RefusedPlace> = []
    /// Records that something moved since they were planned.
    var dirty: Set<RecordID> = []
    /// Records whose turn to be planned comes in this round, in their order.
    var toPlan: ArraySlice<RecordID> = []
    /// The most that there ever were, for the progress line.
    var recordsToPlan = 0
    /// Where records stand, as far as a run that only plans has looked already.
    var standings = KnownStandings()
    var touched: Set<ReplicaID> = []
    /// Replicas that a look of this run showed.
    var seen: Set<ReplicaID> = []
    /// Those of them of which it is known who answers for their ids: shown not long ago.
    var fresh: Set<ReplicaID> = []
    var freshUntil = Timestamp(microseconds: 0)
    var timers: [Timer] = []
    var rounds = 0
    /// Those that the present look showed.
    var shown: Set<ReplicaID> = []
    var hasLookedAgain = false
    var end: UInt64
    var runStart: UInt64 = 0
    var isCancelled = false
    private var lastID = 0
    var effects: [EngineEffect] = []
    private let credentials: [ConnectionID: Credentials]

    enum Phase {
        case idle
        /// Commands of an earlier process are settled before anything is looked at or linked: what
        /// they may have made must not be taken for somebody new.
        case resuming
        case looking
        case linking
        case planning
        case writing
        case ending
        /// Everything is done, and where every record stands is summed up.
        case counting
        case done
    }

    /// What to do once an append is durable.
    enum Continuation {
        case startWalks
        case nextPage(ConnectionID, Walk?, acknowledge: [String])
        case closeWalk(ConnectionID)
        case plan
        case linked
        case planned(RecordPlanTicket)
        case commandSettled(CommandID, look: ReplicaID?)
        case uncertain(CommandID, until: Timestamp)
        case lookDone
        case finish
    }

    struct RecordPlanTicket {
        var record: RecordID
        var commands: [CommandID]
        /// How many fields were decided, and how many of them wait for a person now.
        var decisions = 0
        var contested = 0
        /// Whose derived fields hung on the record before it.
        var derivers: [RecordID] = []
    }

    struct Timer {
        var at: Timestamp
        var action: Action
        enum Action {
            case call(CallID)
            case settle(CommandID)
            case begin(CommandID)
        }
    }

    package init(
        views: ViewStore, mapping: Mapping, credentials: [ConnectionID: Credentials],
        seed: UInt64, end: UInt64, now: Timestamp
    ) {
        self.views = views
        self.mapping = mapping
        self.credentials = credentials
        self.end = end
        self.now = now
        observer = Observer(mapping: mapping)
        ids = IdentitySource(seed: seed, now: now)
        request = RunRequest(run: .none, verb: .plan)
        report = RunReport(run: .none)
    }

    /// Takes one input and says what is to be done because of it.
    ///
    /// - Throws: when the views cannot be read; the run is then over.
    package mutating func step(_ input: EngineInput, now: Timestamp) throws -> [EngineEffect] {
        self.now = now
        ids.now = now
        effects = []
        (isBreathing, goesOn) = (false, isBreathing)
        switch input {
        case .begin(let request): try begin(request)
        case .answered(let call, let result): try answered(call, result)
        case .recorded(let append, let result): try recorded(append, result)
        case .tick: break
        case .cancel: stop()
        }
        try fireTimers()
        try pump()
        // A phase with nothing to do is passed at once: nobody would call again.
        var before: (Phase, Int, Int)
        repeat {
            before = (phase, rounds, toPlan.count)
            try advance()
            try pump()
        } while (phase, rounds, toPlan.count) != before
        try refuseToHang()
        return effects
    }

    /// A run that waits for nothing and is not over would wait for ever: a mistake of ours is told.
    private func refuseToHang() throws {
        let waits = !calls.isEmpty || !appends.isEmpty || !timers.isEmpty || isBreathing
        if case .done = phase { return }
        if !waits {
            throw EngineError.stuck("\(phase), \(lanes.count) lanes, \(walks.count) walks")
        }
    }

    // MARK: - The run

    private mutating func begin(_ request: RunRequest) throws {
        self.request = request
        report = RunReport(run: request.run)
        runStart = end
        let connections = try views.read { tables, transaction in
            try tables.connections.all(transaction)
        }
        // A connection without an address takes in files; there is nobody to call.
        for row in connections where !row.isRemoved && !row.configured.url.isEmpty {
            guard let credentials = credentials[row.id] else {
                report.failures.append(
                    (
                        row.configured.label,
                        "its credentials are missing: run `syncledger connect \(row.system.name) --label \(row.configured.label)` again"
                    ))
                continue
            }
            sessions[row.id] = Session(
                row: row, credentials: credentials, mapping: mapping, now: now)
        }
        var started = RunStarted()
        started.run = request.run
        started.verb = request.verb.rawValue
        var drafts = [
            Draft(
                id: .derived("run started", [request.run.bytes]), stream: .run(request.run),
                event: .runStarted(started))
        ]
        for entity in mapping.entities {
            if let adopted = try rulesAdopted(entity) { drafts.append(adopted) }
        }
        append(drafts, then: .startWalks)
    }

    /// Says in the log which code and mapping decide from here on, where that is news.
    private mutating func rulesAdopted(_ mapping: EntityMapping) throws -> Draft? {
        var adopted = RulesAdopted()
        adopted.entity = mapping.entity
        adopted.merge = Merge.version
        adopted.codec = FieldCodec.version
        adopted.mapping = mapping.digest
        let before = try adoptedBefore(mapping)
        guard before != adopted else { return nil }
        // The same mapping keeps the digest that it was adopted by: another would look like another one.
        if before?.mapping == adopted.mapping,
            let said = try views.rules(mapping.entity)?.adopted?.mapping
        {
            adopted.mapping = said
        }
        return Draft(
            id: .derived(
                "rules adopted", [request.run.bytes, Array(mapping.entity.utf8)]),
            stream: Stream(.ledger, .derived("rules", [Array(mapping.entity.utf8)]) as EventID),
            event: .rulesAdopted(adopted))
    }

    /// What was said last, in the form in which it would be said today.
    ///
    /// An earlier version of the program made the digest otherwise: the same mapping under it is no
    /// news, unless another one was set since, which that digest might not tell from it.
    private func adoptedBefore(_ mapping: EntityMapping) throws -> RulesAdopted? {
        guard let rules = try views.rules(mapping.entity), var adopted = rules.adopted else {
            return nil
        }
        guard adopted.mapping == mapping.formerDigest else { return adopted }
        let (set, said) = try (
            rules.mappingSetBy.flatMap(views.sequence), rules.adoptedBy.flatMap(views.sequence)
        )
        if set ?? 0 < said ?? 0 { adopted.mapping = mapping.digest }
        return adopted
    }

    private mutating func recorded(
        _ id: AppendID, _ result: Result<Receipt, any Error>
    ) throws {
        guard let continuation = appends.removeValue(forKey: id) else { return }
        switch result {
        case .success(let receipt): end = max(end, receipt.sequences.max() ?? 0)
        case .failure(let error):
            // Another process was faster: look again and plan anew. Anything else ends the run.
            guard case .conditionFailed? = error as? LogError,
                case .planned(let ticket) = continuation
            else { throw error }
            dirty.insert(ticket.record)
            return
        }
        switch continuation {
        case .startWalks:
            phase = .resuming
            try resumeOpenCommands()
        case .nextPage(let connection, let walk, let rows):
            try pageRecorded(connection, walk, acknowledge: rows)
        case .closeWalk(let connection): try nextWalk(connection)
        case .plan, .lookDone: break
        case .linked: try linkNext()
        case .planned(let ticket): try enqueue(ticket)
        case .commandSettled(let command, let look): try settled(command, look: look)
        case .uncertain(let command, let moment):
            if isCancelled {
                drop(command)
            } else {
                timers.append(Timer(at: moment, action: .settle(command)))
            }
        case .finish:
            phase = .done
            effects.append(.finished(report))
        }
    }

    /// Moves from one phase to the next when nothing of the old one is left.
    private mutating func advance() throws {
        switch phase {
        case .resuming
        where lanes.isEmpty && calls.isEmpty && appends.isEmpty && timers.isEmpty:
            if isCancelled { phase = .looking } else { try look() }
        case .looking where walks.isEmpty && calls.isEmpty && appends.isEmpty && timers.isEmpty:
            if isCancelled { return try beginCounting() }
            if try askForChanges() { return }
            if try lookAgainWhereNeeded() { return }
            phase = .linking
            try noteUnfinished()
            try link()
        case .planning where appends.isEmpty && !isBreathing: try plan()
        case .writing where wantsMore:
            phase = .planning
            try plan()
        case .writing
        where lanes.isEmpty && calls.isEmpty && appends.isEmpty && timers.isEmpty:
            if isCancelled {
                try drainFeeds()
            } else if isLookDue || isQuiet && isReading {
                try look()
            } else if isQuiet {
                try drainFeeds()
            } else {
                phase = .planning
                try plan()
            }
        case .ending where calls.isEmpty && appends.isEmpty && walks.isEmpty: try beginCounting()
        case .counting where appends.isEmpty && !isBreathing:
            if try countSome() { finish() }
        default: break
        }
    }

    /// Whether there is nothing more to decide.
    private var isQuiet: Bool {
        toPlan.isEmpty && (dirty.isEmpty || rounds >= Self.maximumRounds)
    }

    /// Whether something is still to be read whole in this run.
    private var isReading: Bool { !resting.isEmpty && !request.isOnlyChanges }

    /// Whether what is left to do has gone on for so long that what changed comes first.
    var isLookDue: Bool {
        now >= nextLook && request.verb == .sync && !(toPlan.isEmpty && !isReading)
    }

    /// A record that is still not quiet after so many rounds waits for the next run.
    private static var maximumRounds: Int { 8 }

    // MARK: - Appending

    mutating func nextID() -> Int {
        lastID += 1
        return lastID
    }

    /// Asks for an append; `continuation` goes on once it is durable and folded.
    mutating func append(
        _ drafts: [Draft], conditions: [AppendCondition] = [], then continuation: Continuation
    ) {
        let id = nextID()
        appends[id] = continuation
        let drafts = drafts.map { draft in
            var draft = draft
            draft.run = request.run
            draft.receivedAt = now
            return draft
        }
        effects.append(.append(id, drafts, conditions))
    }
}
