import Ledger
import Model

/// The half of the engine that writes, and what the remotes answer.
extension World {
    /// The writes that the record needs now, as commands with derived ids.
    func commandsNeeded(_ record: Int, _ state: FieldState, salt: UInt64?) -> [Command] {
        state.branches.compactMap { branch in
            let replica = index(branch.replica)
            guard case .write(let write) = merge.need(branch, state), let outcome = state.outcome,
                !needsLook[replica]
            else { return nil }
            let id = CommandID(
                high: UInt64(record * 8 + replica) << 40 | outcome.version,
                low: salt ?? branch.seenBy.low)
            if let known = commands[id], mayGoAgain(known) {
                commands[id]?.state = .queued
                if !open.contains(id) { open.append(id) }
                activity += 1
            }
            guard commands[id] == nil else { return nil }
            return Command(
                id: id, replica: replica, record: record, write: write, version: outcome.version,
                base: branch.seenBy, before: branch.seen ?? .null, row: seenRow[replica])
        }
    }

    /// What was never sent, or was seen not to have run, goes again under its own id.
    private func mayGoAgain(_ command: Command) -> Bool {
        switch command.state {
        case .superseded, .refused: true
        case .givenUp:
            command.attempts < 4 && command.isSeenNotRun
        default: false
        }
    }

    func finish(_ id: CommandID, _ state: Command.State) {
        commands[id]?.state = state
        // What may still show up at the remote is remembered for its echo.
        let mayShow =
            state == .givenUp && setup.engine.contains(.echoesNeverExpire)
            && commands[id]?.write.form == .absolute
        if !mayShow, state != .uncertain, state != .parked { open.removeAll { $0 == id } }
        let sequence = append().low
        if state == .uncertain { commands[id]?.uncertainSince = sequence }
        if let replica = commands[id]?.replica, state != .uncertain, state != .superseded {
            order[replica].lastSettled = sequence
        }
        note("command \(id.low) \(state)")
    }

    func supersedeContested(_ record: Int) {
        guard records[record].contest != nil, setup.engine.contains(.contestsSupersede) else {
            return
        }
        for id in open {
            guard let command = commands[id], command.record == record, command.state == .queued
            else { continue }
            if case .wait(.contested) = merge.need(branches[command.replica], state(record)) {
                finish(id, .superseded)
            }
        }
    }

    // MARK: - Sending

    /// Sends the next queued command of a record whose lane is free.
    func dispatch() {
        for id in open {
            guard let command = commands[id], command.state == .queued else { continue }
            let isBusy = open.contains { other in
                commands[other].map { $0.record == command.record && $0.state == .sent } ?? false
            }
            if isBusy { continue }
            let lifts =
                setup.kind == .strictest && command.write.leaves != .bool(true)
                && command.write.leaves != .text("1")
            if lifts, setup.engine.contains(.liftsLookFirst) {
                requestLook(at: command.replica)
                advanceLook(looks.count - 1)
                advanceLook(looks.count - 1)
            }
            guard isCurrent(command) || !setup.engine.contains(.superseding) else {
                finish(id, .superseded)
                continue
            }
            send(id)
        }
    }

    private func isCurrent(_ command: Command) -> Bool {
        guard home[command.replica] == command.record,
            records[command.record].outcome?.version == command.version
        else { return false }
        let branch = branches[command.replica]
        return branch.seenBy == command.base && !(branch.hasChanged && branch.maySpeak)
    }

    private func send(_ id: CommandID) {
        if let command = commands[id] { checkSending(command) }
        commands[id]?.state = .sent
        commands[id]?.attempts += 1
        commands[id]?.isSeenNotRun = false
        var call = Call(command: id)
        if isTyping {
            call.isLostOnTheWay = random.chance(10)
            call.isAnswerLost = random.chance(15)
        }
        calls.append(call)
        activity += 1
        note("send \(id.low)")
    }

    func advanceCall(_ index: Int) {
        guard let command = commands[calls[index].command] else { return }
        if let answer = calls[index].answer {
            calls.remove(at: index)
            hear(answer, command)
            return
        }
        if calls[index].isLostOnTheWay {
            calls.remove(at: index)
            rest(command.id)
            return
        }
        let answer = arrive(command)
        rest(command.id)
        calls[index].answer = answer
        if calls[index].isAnswerLost { calls.remove(at: index) }
    }

    private func rest(_ id: CommandID) {
        commands[id]?.restsSince = step
    }

    /// The request reaches the remote.
    private func arrive(_ command: Command) -> Call.Answer {
        let replica = command.replica
        let remote = remotes[replica]
        let isGuarded =
            branches[replica].system == .compass && setup.engine.contains(.compareAndSet)
        if isGuarded, remote.row != command.row { return .conflict }
        switch remote.quirk {
        case .refuses: return .refused
        case .ignores where remote.content == remote.spelling.codec.content(of: command.before):
            return .stored(remote.value, row: remote.row)
        default: break
        }
        checkArrival(of: command, at: remote)
        let result = remote.result(of: command.write)
        let before = remote.content.integer
        remotes[replica].set(result, .command(command.id), now)
        remotes[replica].ourEffect += remotes[replica].content.integer - before
        if branches[replica].system == .compass { remotes[replica].writtenBy = command.id }
        remotes[replica].ran.insert(command.id)
        serial += 1
        commands[command.id]?.landedAt = serial
        forms[replica].insert(remotes[replica].content)
        note("command \(command.id.low) lands at \(replica): \(remotes[replica].value)")
        return .stored(result, row: remotes[replica].row)
    }

    // MARK: - Hearing

    private func hear(_ answer: Call.Answer, _ command: Command) {
        // Nobody listens any more once it was given up as unheard.
        guard commands[command.id]?.state == .sent else { return }
        let replica = command.replica
        switch answer {
        case .refused:
            finish(command.id, .refused)
            branches[replica].refuse(version: command.version)
        case .conflict:
            finish(command.id, .refused)
            needsLook[replica] = true
        case .stored(let value, let row):
            seenRow[replica] = row
            let tells = remotes[replica].tells
            let codec = branches[replica].spelling.codec
            if tells, setup.engine.contains(.notStoredIsRefused),
                codec.content(of: value) == codec.content(of: command.before)
            {
                finish(command.id, .refused)
                branches[replica].refuse(version: command.version)
                note("not stored")
                return
            }
            confirm(command, stored: tells ? value : command.write.leaves, told: tells)
        }
    }

    func confirm(_ command: Command, stored: Value, told: Bool) {
        let replica = command.replica
        finish(command.id, .confirmed)
        if branches[replica].hasChanged { overtaken(replica) }
        lastSerial[replica] = max(lastSerial[replica], commands[command.id]?.landedAt ?? 0)
        let stored = setup.engine.contains(.accountsWhatWasStored) ? stored : command.write.leaves
        branches[replica].confirm(
            command.write.form, sent: command.write.spelling, stored: stored,
            version: command.version, told: told, by: append())
        if !setup.engine.contains(.foreignElements) {
            branches[replica].addedByUs.formUnion(branches[replica].seenContent?.elements ?? [])
        }
        note(
            "confirmed at \(replica): u = \(branches[replica].accounted ?? .null)\(told ? "" : ", not told")"
        )
    }

    /// What was sent and not heard of becomes uncertain.
    func timeOut() {
        for id in open where commands[id]?.state == .sent {
            let isTravelling = calls.contains { $0.command == id }
            if isTravelling, !isTyping || random.chance(patience) { continue }
            finish(id, .uncertain)
            if !setup.engine.contains(.looksSettle) { commands[id]?.state = .queued }
        }
    }

    /// A look that left after all tries of an uncertain command came to rest says what became of it.
    func settleByLook(_ look: Look, _ capture: Capture) {
        let replica = look.replica
        let codec = branches[replica].spelling.codec
        let content = codec.content(of: capture.value)
        if let id = capture.writtenBy, let command = commands[id], command.state != .confirmed {
            note("\(id.low) is known by its id")
            // That it ran is known, what it stored is not, unless the look shows just that.
            let isPlain = content == codec.content(of: command.write.leaves)
            confirm(command, stored: command.write.leaves, told: isPlain)
            seenRow[replica] = capture.row
        }
        for id in open {
            guard let command = commands[id], command.replica == replica,
                command.state == .uncertain || command.state == .givenUp && !command.isSeenNotRun,
                look.lookedAfter >= command.uncertainSince
            else { continue }
            let isAbsolute = command.write.form == .absolute
            let isTravelling = calls.contains { $0.command == id && $0.answer == nil }
            let isAtRest = !isTravelling && command.restsSince < look.step
            if !isAbsolute, !isAtRest { continue }
            if isAtRest { commands[id]?.isSeenNotRun = true }
            if command.state == .givenUp { continue }
            if shows(
                command.write, content, leaves: codec.content(of: command.write.leaves),
                before: codec.content(of: command.before))
            {
                confirm(
                    command, stored: isAbsolute ? capture.value : command.write.leaves, told: true)
            } else if content == codec.content(of: command.before) || command.write.form != .delta
                || !setup.engine.contains(.deltasPark)
            {
                finish(id, .givenUp)
            } else {
                finish(id, .parked)
            }
        }
    }

    /// Whether a content shows that a write has run: all of it, or of elements any one.
    private func shows(_ write: WriteNeed.Write, _ content: Value, leaves: Value, before: Value)
        -> Bool
    {
        guard write.form == .elements else { return content == leaves }
        // A remove may as well be a person's; an add that shows is ours.
        let adds = write.spelling.elements.filter { !$0.hasPrefix("-") }
        return (adds.isEmpty ? write.spelling.elements : adds).contains { change in
            let name = change.hasPrefix("-") ? String(change.dropFirst()) : change
            return before.elements.contains(name) != content.elements.contains(name)
                && content.elements.contains(name) != change.hasPrefix("-")
        }
    }

    /// A person reads the remote's own audit and says what became of a parked command.
    func settleParked() {
        for id in open {
            guard let command = commands[id], command.state == .parked else { continue }
            if remotes[command.replica].ran.contains(id) {
                confirm(command, stored: command.write.leaves, told: true)
            } else {
                finish(id, .givenUp)
            }
            needsLook[command.replica] = true
        }
    }
}
