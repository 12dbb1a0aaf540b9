import Ledger
import Model

/// What must hold, checked by one who sees the remotes, the people and the log at once.
extension World {
    /// No look that counts shows an older state than the one that counted before it.
    func checkLooksGoForward(_ capture: Capture, at replica: Int) {
        if capture.serial < lastSerial[replica] {
            violate(.looksForward, "\(capture.value) at \(replica)")
        }
        lastSerial[replica] = capture.serial
    }

    // MARK: - At each decision

    func check(_ ruling: Ruling, _ record: Int) {
        let outcome = records[record].outcome
        let version = outcome?.version ?? 0
        if let after = ruling.outcome,
            after.version < version
                || after.version == version && after.value != outcome?.value
        {
            violate(.versionsGrow, "\(after.value) v\(after.version) after v\(version)")
        }
        checkJoiners(ruling, outcome)
        checkAgreement(ruling, outcome)
        if ruling.kind == .moved {
            if ruling.outcome?.author == nil { violate(.versionsGrow, "nobody is the author") }
            checkOwnWritesAreSilent(ruling)
            if setup.kind == .plain, let outcome { checkChoice(ruling, outcome, record) }
            checkOrder(ruling, outcome, record)
        }
        let isLifted = outcome?.value == .bool(true) && ruling.outcome?.value == .bool(false)
        if setup.kind == .strictest, isLifted, !records[record].consentGiven {
            violate(.consentTightens, "lifted by \(ruling.reason.rawValue)")
        }
        if ruling.kind == .moved || ruling.kind == .settled {
            let winners = ruling.inputs.filter { $0.role == .won }
            let times = winners.compactMap { captures[$0.observation]?.changedAt }
            if ruling.kind == .settled || !times.isEmpty {
                records[record].editedAt = times.max() ?? now
            }
        }
        for input in ruling.inputs where input.content == .bool(true) && setup.kind == .strictest {
            guard case .person? = captures[input.observation]?.author else { continue }
            records[record].hasOptedOut = true
            if input.observation.low > records[record].consentAt { records[record].mayLift = false }
        }
        for input in ruling.inputs where setup.kind == .union && input.role == .echo {
            // What a person makes equal to a write of unheard fate is taken for that write.
            let before = Set(branches[index(input.replica)].accountedContent?.elements ?? [])
            unclear.formUnion(before.symmetricDifference(input.content.elements))
        }
        let wasHeld = setup.kind == .union && outcome != nil
        for input in ruling.inputs where wasHeld && joinedWith[index(input.replica)] == nil {
            let lost = Set(outcome?.value.elements ?? [])
                .subtracting(ruling.outcome?.value.elements ?? []).subtracting(removed)
                .subtracting(unclear)
            if !lost.isEmpty { violate(.blankSilent, "joiner removed \(lost)") }
        }
    }

    /// What the outcome is replaced by was judged against it, and is no poorer form of it.
    private func checkChoice(_ ruling: Ruling, _ outcome: Outcome, _ record: Int) {
        let known = state(record).branches
        func branch(_ input: Ruling.Input) -> Branch? {
            known.first { $0.replica == input.replica }
        }
        let winners = ruling.inputs.filter { $0.role == .won }
        if ruling.reason == .onlyCandidate,
            !ruling.inputs.contains(where: { branch($0)?.knows(outcome) ?? false }),
            ruling.outcome?.value != outcome.value
        {
            violate(.outcomeHeard, "\(outcome.value) gave way to \(winners.map(\.content))")
        }
        if [.newest, .preferred].contains(ruling.reason), outcome.settledByPerson,
            ruling.outcomeCompeted
        {
            violate(.personStands, "\(outcome.value) lost by \(ruling.reason.rawValue)")
        }
        let richer = [outcome.value] + ruling.inputs.filter { $0.role == .lost }.map(\.content)
        for winner in winners {
            let codec = branch(winner)?.spelling.codec
            for other in richer
            where other != winner.content && codec?.held(other) == winner.content
                && winner.content == ruling.outcome?.value
                && (other != outcome.value || ruling.reason == .onlyCandidate)
            {
                violate(.richerStays, "\(winner.content) replaced \(other)")
            }
        }
    }

    /// Who shows the outcome as its system holds it is no party to a contest.
    private func checkAgreement(_ ruling: Ruling, _ outcome: Outcome?) {
        guard setup.kind == .plain, let outcome, ruling.kind == .contested,
            ruling.reason == .noLawDecides
        else { return }
        for input in ruling.inputs
        where branches[index(input.replica)].held(outcome) == input.content {
            violate(.agreementIsSilent, "\(index(input.replica)) holds \(input.content)")
        }
    }

    /// Who is empty is no side at first contact; a late joiner neither takes away by being empty nor
    /// freezes the others.
    private func checkJoiners(_ ruling: Ruling, _ outcome: Outcome?) {
        guard setup.kind == .plain else { return }
        guard outcome != nil else {
            if ruling.inputs.contains(where: { $0.role == .candidate && $0.content.isBlank }) {
                violate(.blankSilent, "an empty side at first contact")
            }
            return
        }
        let joiners = ruling.inputs.filter { branches[index($0.replica)].accounted == nil }
        let asks = ruling.kind == .contested && ruling.reason == .noLawDecides
        if asks, !joiners.isEmpty, !ruling.freezesOnlyInputs {
            violate(.joinerAlone, "\(joiners.map(\.content))")
        }
        if joiners.contains(where: { $0.content.isBlank && ($0.role == .won || asks) }) {
            violate(.blankSilent, "\(ruling.kind)")
        }
    }

    /// What is sent may be sent.
    func checkSending(_ command: Command) {
        let record = records[command.record]
        let remote = remotes[command.replica]
        let codec = remote.spelling.codec
        // Back to what stood before looks the same as never having run.
        if remote.ran.contains(command.id), case .person(let edit) = remote.author,
            ![
                codec.content(of: remote.result(of: command.write)),
                codec.content(of: command.before),
            ]
            .contains(remote.content)
        {
            violate(.notRolledBack, "command \(command.id.low) goes again over edit \(edit)")
        }
        if let contest = record.contest, home[command.replica] == command.record,
            !contest.freezesOnlyInputs
                || contest.sides.contains(where: { index($0.replica) == command.replica })
        {
            violate(.frozen, "\(command.write.spelling) to \(command.replica)")
        }
        let lifts = setup.kind == .strictest && record.outcome?.value == .bool(false)
        if lifts, remotes[command.replica].row != seenRow[command.replica] {
            violate(.consentTightens, "lifted at \(command.replica) without a fresh look")
        }
    }

    /// What is issued is news to the replica, and not on its way already.
    func checkIssuing(_ command: Command, _ state: FieldState) {
        let branch = branches[command.replica]
        if let outcome = state.outcome, branch.knows(outcome), !merge.policy.enforce,
            setup.kind == .plain
        {
            violate(.driftStays, "\(command.replica) gets \(command.write.spelling)")
        }
        let isTwice = open.contains { id in
            commands[id].map {
                $0.replica == command.replica && $0.version == command.version
                    && $0.base == command.base && $0.isOpen && id != command.id
                    && $0.record == command.record
            } ?? false
        }
        if isTwice { violate(.nothingTwice, "two commands for \(command.replica)") }
    }

    /// No outcome moves to what a command of ours made a remote hold.
    private func checkOwnWritesAreSilent(_ ruling: Ruling) {
        guard ruling.reason != .firstContact, setup.kind == .plain
        else { return }
        for input in ruling.inputs where input.role == .won {
            let replica = index(input.replica)
            guard case .command(let id)? = captures[input.observation]?.author,
                let command = commands[id], joinedWith[replica] != nil
            else { continue }
            let left = remotes[replica].spelling.codec.content(of: command.write.leaves)
            violate(
                left == input.content ? .silentWrites : .neverSpread,
                "\(input.spelt) at \(replica) came from our command \(id.low)")
        }
    }

    /// Where age decided, the winner's edit was made last.
    private func checkOrder(_ ruling: Ruling, _ outcome: Outcome?, _ record: Int) {
        guard ruling.reason == .newest else { return }
        func latest(_ role: InputRole) -> Int64? {
            ruling.inputs.filter { $0.role == role }
                .compactMap { captures[$0.observation]?.changedAt }.max()
        }
        guard let won = latest(.won) else { return }
        if let lost = latest(.lost), lost > won {
            violate(.orderedByTime, "an edit at \(won) beat one at \(lost)")
        }
        if ruling.outcomeCompeted, records[record].editedAt > won {
            violate(
                .orderedByTime, "an edit at \(won) beat the outcome of \(records[record].editedAt)")
        }
    }

    /// What was just planned, planned again, gives nothing.
    func checkNothingTwice(_ record: Int) {
        let state = state(record)
        if let ruling = merge.decide(state) {
            violate(.nothingTwice, "decided again: \(ruling.reason.rawValue)")
        }
        let again = commandsNeeded(
            record, state, salt: setup.engine.contains(.derivedIDs) ? nil : log)
        if !again.isEmpty {
            violate(.nothingTwice, "commanded again: \(again.map(\.write.spelling))")
        }
    }

    // MARK: - When a write lands

    func checkArrival(of command: Command, at remote: Remote) {
        let result = remote.spelling.codec.content(of: remote.result(of: command.write))
        guard command.write.form == .elements else { return }
        let gone = Set(remote.content.elements).subtracting(result.elements)
        let foreign = gone.subtracting(ours[command.replica])
        if !foreign.isEmpty { violate(.foreignKept, "\(foreign) removed at \(command.replica)") }
        ours[command.replica].subtract(gone)
        ours[command.replica].formUnion(
            Set(result.elements).subtracting(remote.content.elements))
    }

    // MARK: - At the end

    func judgeTheEnd(asksPerson: Bool) {
        guard violations.isEmpty else { return }
        for record in records.indices { judge(record, asksPerson: asksPerson) }
        for (observation, shown) in undecided where !isExplained(shown) {
            violate(.nothingLost, "\(shown.content) at \(shown.replica) by \(observation.low)")
        }
        guard violations.isEmpty else { return }
        switch setup.kind {
        case .plain: break
        case .sum: judgeCount()
        case .union: judgeElements()
        case .strictest: judgeConsent()
        }
    }

    private func judge(_ record: Int, asksPerson: Bool) {
        let state = state(record)
        if asksPerson, records[record].contest != nil, answers[record] < 6 {
            violate(.converges, "a contest is open although a person answered")
        }
        for branch in state.branches {
            let replica = index(branch.replica)
            let remote = remotes[replica]
            if remote.content != branch.seenContent {
                violate(
                    .converges, "\(replica) holds \(remote.value), we know \(branch.seen ?? .null)")
            }
            switch merge.need(branch, state) {
            case .inSync, .wait(.lossy): judgeInSync(branch, state, replica)
            case .write(let write):
                violate(.converges, "\(replica) still needs \(write.spelling)")
            case .wait(.contested), .wait(.readOnly), .wait(.refused), .wait(.unreadable),
                .wait(.tooLarge), .wait(.unknownReference), .wait(.absentReference),
                .wait(.referenceIsMade), .wait(.keepsValue), .wait(.noWord), .wait(.respelt):
                break
            case .wait(.drifted):
                if branch.maySpeak, remote.author != .origin, state.contest == nil {
                    violate(.converges, "\(replica) drifted: \(remote.value)")
                }
            case .wait(.pending):
                let isParked = branch.pending.contains {
                    [.parked, .uncertain].contains(commands[$0.command]?.state)
                }
                if asksPerson && answers[record] < 6 || !isParked {
                    violate(.converges, "\(replica) waits for a write")
                }
            case .wait(.undecided):
                if records[record].contest == nil {
                    violate(.converges, "\(replica) waits for a decision")
                }
            case .wait(.noOutcome), .wait(.notSeen):
                let isHeard = state.branches.contains {
                    $0.maySpeak && !($0.seenContent?.isBlank ?? true)
                }
                if isHeard, records[record].contest == nil {
                    violate(.converges, "\(replica) was never decided")
                }
            }
        }
    }

    /// What counts as in sync is what the system makes of the outcome, not merely what stands there.
    private func judgeInSync(_ branch: Branch, _ state: FieldState, _ replica: Int) {
        guard let outcome = state.outcome else { return }
        let codec = branch.spelling.codec
        let content = remotes[replica].content
        let isExplained: Bool =
            switch setup.kind {
            case .plain: forms[replica].contains(content) || content == outcome.value
            case .sum: content == .null && outcome.value.integer == 0
            case .union:
                Set(content.elements).isSuperset(of: codec.held(outcome.value).elements)
                    && branch.spelling.form == .elements
            case .strictest: false
            }
        if content != codec.held(outcome.value), !isExplained {
            violate(.converges, "\(replica) holds \(content) for \(outcome.value)")
        }
    }

    private func isExplained(_ shown: (replica: Int, content: Value)) -> Bool {
        guard let record = home[shown.replica], branches[shown.replica].maySpeak else {
            return true
        }
        // It is still in view, and what it waits for is open to see.
        guard branches[shown.replica].seenContent == shown.content else { return false }
        if !branches[shown.replica].hasChanged { return true }
        let waits = state(record).branches.contains {
            index($0.replica) == shown.replica && $0.isOpen
        }
        return waits || records[record].contest != nil
    }

    /// Outcome = what it began with + what people added at each replica since it joined.
    private func judgeCount() {
        guard let first = records[0].firstValue, let outcome = records[0].outcome else { return }
        var expected = first.integer
        for replica in remotes.indices {
            guard let joined = joinedWith[replica] else { continue }
            if home[replica] == nil { return }
            expected += remotes[replica].content.integer - joined - remotes[replica].ourEffect
        }
        if expected != outcome.value.integer {
            violate(.countedOnce, "\(outcome.value.integer) instead of \(expected)")
        }
    }

    private func judgeElements() {
        guard let outcome = records[0].outcome, !home.contains(nil) else { return }
        let elements = Set(outcome.value.elements)
        let present = Set(remotes.flatMap(\.content.elements))
        for element in addedBy.keys where !unclear.contains(element) {
            if removed.contains(element), elements.contains(element) {
                violate(.elementsKept, "\(element) was removed and came back")
            }
            if !removed.contains(element), present.contains(element), !elements.contains(element) {
                violate(.elementsKept, "\(element) was added and got lost")
            }
        }
        for element in addedBy.keys
        where !removed.union(unclear).contains(element) && !present.contains(element) {
            violate(.elementsKept, "\(element) is nowhere any more, and nobody removed it")
        }
    }

    private func judgeConsent() {
        if records[0].consentGiven, records[0].outcome?.value == .bool(true) {
            violate(.converges, "a re-consent with evidence was not taken")
        }
        if records[0].outcome?.value == .bool(false), records[0].hasOptedOut, !records[0].mayLift {
            violate(.consentTightens, "an opt-out that was seen does not stand")
        }
    }
}
