import Ledger
import Model

/// The half of the engine that looks and decides.
extension World {
    /// One record's field as the merge sees it.
    func state(_ record: Int) -> FieldState {
        var state = FieldState(
            outcome: records[record].outcome,
            branches: branches.indices.filter { home[$0] == record }.map { branch($0) },
            contest: records[record].contest)
        state.consentGiven = records[record].consentGiven
        return state
    }

    /// A branch with the writes that may still show in it.
    private func branch(_ replica: Int) -> Branch {
        var branch = branches[replica]
        branch.pending = open.compactMap { id in
            guard let command = commands[id], command.replica == replica else { return nil }
            return PendingWrite(command: id, leaves: command.write.leaves, isOpen: command.isOpen)
        }
        return branch
    }

    func index(_ id: ReplicaID) -> Int { Int(id.low) - 1 }

    // MARK: - Looking

    func observe(_ look: Look) {
        guard let capture = look.capture else { return }
        let replica = look.replica
        let codec = branches[replica].spelling.codec
        guard accepts(look) else {
            note("look at \(replica) is stale: \(capture.value)")
            needsLook[replica] = true
            let content = codec.content(of: capture.value)
            if content != branches[replica].seenContent, setup.engine.contains(.overtakenIsLogged) {
                _ = append()
            }
            return
        }
        settleByLook(look, capture)
        needsLook[replica] = false
        let isNew =
            branches[replica].seen == nil
            || codec.content(of: capture.value) != branches[replica].seenContent
        // A look that shows nothing new appends nothing; a new stamp is something new.
        if isNew || seenRow[replica] != capture.row && branches[replica].system == .compass {
            take(capture, at: replica, look)
        }
        seenRow[replica] = capture.row
        lastLeftAt[replica] = look.leftAt
    }

    private func accepts(_ look: Look) -> Bool {
        var known = order[look.replica]
        if !setup.engine.contains(.looksInOrder) { known.lastLook = 0 }
        if !setup.engine.contains(.looksAfterWrites) { known.lastSettled = 0 }
        return known.accepts(road: .fetch, lookedAfter: look.lookedAfter)
    }

    private func take(_ capture: Capture, at replica: Int, _ look: Look) {
        let id = append()
        let codec = branches[replica].spelling.codec
        let content = codec.content(of: capture.value)
        if branches[replica].hasChanged, branches[replica].seenContent != content {
            overtaken(replica)
        }
        let carries = branches[replica].seenContent == content && branches[replica].hasChanged
        if carries { undecided[branches[replica].seenBy] = nil }
        // A look that shows what an undecided one showed says nothing of when it changed.
        if !carries { changedAfter[replica] = lastLeftAt[replica] }
        order[replica].lastLook = id.low
        checkLooksGoForward(capture, at: replica)
        branches[replica].see(capture.value, by: id, evidence: evidence(capture, at: replica))
        captures[id] = capture
        if branches[replica].hasChanged, branches[replica].maySpeak {
            undecided[id] = (replica, content)
        }
        note(
            "\(replica) seen \(capture.value) by \(id.low)\(branches[replica].hasChanged ? ", changed" : "")"
        )
    }

    /// Says in the log that an undecided content is gone from view.
    func overtaken(_ replica: Int) {
        guard setup.engine.contains(.overtakenIsLogged) else { return }
        undecided[branches[replica].seenBy] = nil
        _ = append()
        needsLook[replica] = true
        lastLeftAt[replica] = changedAfter[replica]
        note("overtaken at \(replica): \(branches[replica].seen ?? .null)")
    }

    private func evidence(_ capture: Capture, at replica: Int) -> Evidence? {
        let stamp = Timestamp(microseconds: capture.stamp)
        switch evidenceKinds[replica] {
        case 0: return nil
        case 1: return Evidence(earliest: stamp, latest: stamp, exact: true)
        default:
            let before = Timestamp(microseconds: changedAfter[replica])
            return Evidence(earliest: before, latest: stamp)
        }
    }

    // MARK: - Deciding

    /// Plans a record and commits the plan, unless the record moved in between.
    func plan(_ record: Int, interrupted: Bool) {
        let version = records[record].version
        let before = state(record)
        let (rulings, after) = rule(before)
        let wanted = setup.engine.contains(.derivedIDs) ? nil : log
        let issued = commandsNeeded(record, after, salt: wanted)
        if interrupted { interrupt(record) }
        guard version == records[record].version || !setup.engine.contains(.conditions) else {
            note("plan of \(record) is made anew")
            return
        }
        let fresh = issued.filter { commands[$0.id] == nil }
        let expected = log + UInt64(rulings.count + fresh.count)
        for ruling in rulings { fold(ruling, record, before) }
        for command in fresh {
            _ = append()
            checkIssuing(command, state(record))
            commands[command.id] = command
            open.append(command.id)
            note(
                "command \(command.id.low) for \(command.replica): \(command.write.spelling) v\(command.version)"
            )
        }
        if !interrupted, log == expected { checkNothingTwice(record) }
    }

    private func rule(_ state: FieldState) -> (rulings: [Ruling], after: FieldState) {
        var state = state
        var rulings: [Ruling] = []
        while let ruling = merge.decide(state) {
            rulings.append(ruling)
            state = state.folding(ruling)
            if rulings.count > 20 {
                violate(.quiet, "deciding does not end: \(ruling.reason) \(ruling.kind)")
                break
            }
        }
        return (rulings, state)
    }

    /// What other processes and remotes do between a plan and its commit.
    private func interrupt(_ record: Int) {
        for _ in 0..<2 {
            switch random.below(5) {
            case 0: if !looks.isEmpty { advanceLook(random.below(looks.count)) }
            case 1: if !calls.isEmpty { advanceCall(random.below(calls.count)) }
            case 2: settleByPerson(record)
            case 3: plan(record, interrupted: false)
            default:
                let replica = random.below(remotes.count)
                requestLook(at: replica)
                advanceLook(looks.count - 1)
                advanceLook(looks.count - 1)
            }
        }
    }

    func fold(_ ruling: Ruling, _ record: Int, _ before: FieldState) {
        _ = append()
        records[record].version += 1
        check(ruling, record)
        note(
            "\(record): \(ruling.kind) (\(ruling.reason.rawValue)) -> \(ruling.outcome?.value ?? .null) v\(ruling.outcome?.version ?? 0), \(ruling.inputs.map { "\(index($0.replica)) \($0.role) \($0.spelt)" })"
        )
        let now = state(record).folding(ruling)
        records[record].outcome = now.outcome
        records[record].contest = now.contest
        records[record].consentGiven = now.consentGiven
        records[record].contestReason = now.contest == nil ? nil : ruling.reason
        for branch in now.branches {
            let replica = index(branch.replica)
            var folded = branch
            folded.pending = []
            if !setup.engine.contains(.accountsWhatWasNamed),
                ruling.inputs.contains(where: { $0.replica == branch.replica }), now.contest == nil
            {
                folded.accounted = folded.seen
            }
            branches[replica] = folded
        }
        if records[record].firstValue == nil { records[record].firstValue = now.outcome?.value }
        for input in ruling.inputs where ruling.kind != .contested && ruling.kind != .held {
            let replica = index(input.replica)
            undecided[input.observation] = nil
            undecided = undecided.filter {
                $0.value.replica != replica || $0.value.content != input.content
            }
            if joinedWith[replica] == nil {
                joinedWith[replica] = input.content.integer
            }
        }
        supersedeContested(record)
    }

    /// A person answers what is open, sometimes with a word of their own.
    func settleByPerson(_ record: Int) {
        guard let contest = records[record].contest else { return }
        var choices = contest.sides.map(\.content)
        choices.sort { "\($0)" < "\($1)" }
        if let outcome = records[record].outcome,
            records[record].contestReason != .unknownNormalisation
        {
            choices.append(outcome.value)
        }
        let altered = branches.first { $0.isUnverified && home[index($0.replica)] == record }
        var choice = setup.kind == .strictest ? .bool(true) : random.pick(choices)
        if records[record].contestReason == .unknownNormalisation, let seen = altered?.seenContent {
            choice = seen
        }
        let before = state(record)
        fold(merge.settle(before, on: choice), record, before)
    }

    /// A re-consent with its evidence comes in.
    func consent(_ record: Int) {
        guard records[record].outcome?.value == .bool(true) else { return }
        records[record].consentAt = append().low
        records[record].version += 1
        records[record].consentGiven = true
        records[record].mayLift = true
        note("consent given")
    }

    // MARK: - Linking

    func link(_ replica: Int, to record: Int) {
        _ = append()
        note("link \(replica) to \(record)")
        home[replica] = record
        records[record].version += 1
        if !setup.engine.contains(.accountsSurviveRelink) { branches[replica].accounted = nil }
        branches[replica].relinked()
        if branches[replica].hasChanged, branches[replica].maySpeak {
            undecided[branches[replica].seenBy] = (replica, branches[replica].seenContent ?? .null)
        }
    }

    func unlink(_ replica: Int, from record: Int) {
        _ = append()
        note("unlink \(replica)")
        home[replica] = nil
        records[record].version += 1
        for id in open where commands[id]?.replica == replica && commands[id]?.state == .queued {
            finish(id, .superseded)
        }
    }
}
