import LMDB
import Ledger
import Model
import Testing

@testable import Projections

/// A log that is folded in passes, each for some of its records.
@Suite struct `A log folded in passes` {
    @Test(arguments: 0..<150)
    func `ends with the content of one go, wherever it was stopped`(seed: Int) throws {
        var random = Seeded(seed)
        let share = 1 + random.next(8)
        try withStand(chunk: 1 + random.next(20), share: share) { stand in
            var town = SmallTown(stand: stand, random: random)
            // Empty views would be built in passes at once.
            try stand.append([town.connections()[0]])
            try stand.views.project()
            try stand.append(Array(town.connections()[1...]))
            for _ in 0..<3 {
                try stand.append(town.batch(20 + random.next(40)))
                try stand.views.project()
            }
            #expect(try Passes(stand.log, through: stand.log.end, share: share).count > 1)
            let digest = try stand.views.digest()
            var stops = random.next(4)
            while true {
                var patience = stops > 0 ? 1 + random.next(20) : .max
                stops -= 1
                do {
                    try stand.views.rebuild(isCancelled: {
                        patience -= 1
                        return patience < 0
                    })
                    break
                } catch ViewError.cancelled(let position, let end) {
                    #expect(position <= end)
                    #expect(try stand.views.status().building?.position == position)
                    if random.next(2) == 0 { try stand.reopen() }
                }
            }
            #expect(try stand.views.digest() == digest)
            #expect(try stand.views.status().building == nil)
            #expect(try stand.views.verify().isIdentical)
            #expect(stand.told.reasons.isEmpty)
        }
    }

    @Test func `which names together what other events keep apart is folded in one go after all`()
        throws
    {
        try withStand(share: 1) { stand in
            var people = People(stand: stand, random: Seeded(1))
            var issued = CommandIssued()
            issued.command = CommandID(high: 6, low: 1)
            issued.record = stand.record(2)
            issued.replica = stand.replica(1)
            issued.connection = stand.connection
            issued.operation = .create
            // Its tag would say that the record is another person's.
            var draft = stand.draft(.commandIssued(issued), .replica(stand.replica(1)), 900)
            draft.tags = []
            try stand.append([stand.configured()] + people.batch(80) + [draft] + people.batch(40))
            try stand.views.project()
            let digest = try stand.views.digest()
            #expect(try stand.views.rebuild().position == 122)
            #expect(try stand.views.digest() == digest)
            #expect(try stand.views.verify().isIdentical)
        }
    }

    @Test(arguments: 0..<20)
    func `finds what a killed pass wrote ahead, and ends the same`(seed: Int) throws {
        let share = 3
        try withStand(share: share) { stand in
            var town = SmallTown(stand: stand, random: Seeded(seed))
            try stand.append(town.connections() + town.batch(150))
            try stand.views.rebuild()
            let digest = try stand.views.digest()
            let passes = try Passes(stand.log, through: stand.log.end, share: share)
            let last = passes.folded(before: passes.count - 1)
            var folded: UInt64 = 0
            do {
                try stand.views.rebuild(isCancelled: { folded == last }) { folded = $0.position }
                // An id that changed: this one is folded in one go.
                return
            } catch is ViewError {}
            let whole = try stand.views.serving()
            let half = try Generation(
                number: 3, at: stand.path("views/3"), sealer: stand.sealer,
                blind: stand.views.blind)
            #expect(try half.environment.read { try half.tables.position($0) }.loading != nil)
            for name in ["commands", "conflicts", "questions", "lookups", "open_commands"] {
                var rows: [(key: [UInt8], value: [UInt8])] = []
                try whole.environment.read { transaction in
                    try transaction.scan(whole.environment.table(name)) { key, value in
                        rows.append((key.copy(), value.copy()))
                        return .next
                    }
                }
                let table = half.environment.table(name)
                try half.environment.write { transaction in
                    for row in rows { try transaction.put(table, key: row.key, value: row.value) }
                }
            }
            try half.environment.close()
            #expect(try stand.views.rebuild().resumedFrom == last)
            #expect(try stand.views.digest() == digest)
        }
    }

    @Test func `is gone on with where it was stopped, in whatever pass`() throws {
        try withStand(chunk: 7, share: 2) { stand in
            var people = People(stand: stand, random: Seeded(3))
            try stand.append([stand.configured()] + people.batch(199))
            try stand.views.project()
            let digest = try stand.views.digest()
            for stop in stride(from: UInt64(5), to: 200, by: 30) {
                var folded: UInt64 = 0
                #expect(throws: ViewError.self) {
                    try stand.views.rebuild(isCancelled: { folded >= stop }) {
                        folded = $0.position
                    }
                }
                try stand.reopen()
                #expect(folded >= stop)
                #expect(try stand.views.status().building?.position == folded)
            }
            #expect(try stand.views.rebuild().resumedFrom >= 185)
            #expect(try stand.views.digest() == digest)
        }
    }

    @Test func `is begun anew where what was folded is of another log`() throws {
        try withStand(chunk: 5, share: 2) { stand in
            var people = People(stand: stand, random: Seeded(2))
            try stand.append([stand.configured()] + people.batch(99))
            try stand.views.project()
            let digest = try stand.views.digest()
            let changes: [(inout PositionRow) -> Void] = [
                { $0.version += 1 }, { $0.boundaryRoot[0] ^= 1 }, { $0.sequence = 1_000 },
            ]
            for change in changes {
                var folded: UInt64 = 0
                #expect(throws: ViewError.self) {
                    try stand.views.rebuild(isCancelled: { folded > 30 }) { folded = $0.position }
                }
                #expect(try stand.views.status().building?.reason == nil)
                try stand.changePosition(of: stand.views.generation + 1, change)
                #expect(try stand.views.status().building?.reason != nil)
                #expect(try stand.views.rebuild().resumedFrom == 0)
                #expect(try stand.views.digest() == digest)
            }
        }
    }

    @Test func `divides people, and keeps together what shares a record or a question`() throws {
        try withStand { stand in
            var raised = AmbiguityRaised()
            raised.question = QuestionID(high: 5, low: 1)
            raised.replicas = [stand.replica(3), stand.replica(4)]
            try stand.append(
                [stand.configured()] + (0..<6).map { stand.observed($0, "N", 100 + $0) }
                    + (0..<6).map { stand.linked($0, 200 + $0) } + [
                        stand.draft(
                            .linked(
                                Linked(
                                    record: stand.record(0), entity: "contact",
                                    replica: stand.replica(1), reason: .person)),
                            .record(stand.record(0)), 300),
                        stand.draft(.ambiguityRaised(raised), .connection(stand.connection), 301),
                    ])
            let passes = try Passes(stand.log, through: stand.log.end, share: 1)
            #expect(passes.count == 4)
            #expect(passes.shared == [1])
            func pass(_ person: Int) -> Int? { passes.pass(of: stand.replica(person).cast()) }
            #expect(pass(0) != nil)
            #expect(pass(0) == pass(1))
            #expect(pass(3) == pass(4))
            #expect(Set([pass(0), pass(2), pass(3), pass(5)]).count == 4)
            #expect(passes.pass(of: stand.record(5).cast()) == pass(5))
            #expect(passes.pass(of: stand.replica(99).cast()) == nil)
            for sequence in 1...stand.log.end {
                let folding = (0..<4).filter { passes.folds(sequence, in: $0) }
                #expect(folding.count == (sequence == 1 ? 4 : 1))
            }
            #expect(
                (0..<4).map { passes.folded(in: $0, through: stand.log.end) }.reduce(0, +)
                    == stand.log.end)
            #expect(passes.folded(before: 4) == stand.log.end)
        }
    }
}

/// Events of every kind about a few people and accounts at three systems, as a seed gives them.
///
/// They need make no sense together: whatever one go makes of them, passes make too.
private struct SmallTown {
    private let stand: Stand
    private var random: Seeded
    private var number = 1_000
    private var commands: [CommandIssued] = []
    private var owners: [ReplicaID: RecordID] = [:]

    init(stand: Stand, random: Seeded) {
        self.stand = stand
        self.random = random
    }

    func connections() -> [Draft] { (0..<3).map(configured) }

    mutating func batch(_ count: Int) -> [Draft] { (0..<count).map { _ in draft() } }

    private func configured(_ index: Int) -> Draft {
        var configured = ConnectionConfigured()
        configured.connection = connection(index)
        configured.system = system(index)
        configured.label = "system \(index)"
        configured.url = "https://\(index).example.com"
        return stand.draft(
            .connectionConfigured(configured), .connection(configured.connection), 1 + index)
    }

    private func connection(_ index: Int) -> ConnectionID {
        ConnectionID(high: 1, low: 1 + UInt64(index))
    }

    private func system(_ index: Int) -> System { [.mautic, .suitecrm, .suitecrm][index] }

    /// Of the first eight things two are accounts.
    private func isAccount(_ thing: Int) -> Bool { thing < 2 }
    private func entity(_ thing: Int) -> String { isAccount(thing) ? "account" : "contact" }
    private func record(_ thing: Int) -> RecordID { RecordID(high: 3, low: UInt64(thing)) }
    private func replica(_ thing: Int, _ index: Int) -> ReplicaID {
        ReplicaID(high: 2, low: UInt64(thing * 3 + index))
    }

    private mutating func draft() -> Draft {
        number += 1
        let (thing, index) = (random.next(8), random.next(3))
        let ledger = Stream(.ledger, EventID(high: 8, low: 1))
        switch random.next(20) {
        case 0..<6: return observed(thing, index)
        case 6..<8: return linked(thing, index)
        case 8: return unlinked(thing, index)
        case 9: return question(thing, index)
        case 10..<13: return decided(thing, index)
        case 13..<17: return command(thing, index)
        case 17:
            var gone = Gone()
            gone.replica = replica(thing, index)
            gone.proof = [.sweepAndGet, .merged, .idReused][random.next(3)]
            gone.mergedInto = gone.proof == .merged ? replica(thing, (index + 1) % 3) : nil
            return stand.draft(.gone(gone), .replica(gone.replica), number)
        case 18:
            var moved = CursorMoved()
            moved.connection = connection(index)
            moved.entity = entity(thing)
            moved.cursor = "\(number)"
            return stand.draft(.cursorMoved(moved), .connection(moved.connection), number)
        default:
            switch random.next(4) {
            case 0:
                var policy = PolicyChanged()
                // One for no entity would stand under an empty key, which LMDB refuses.
                policy.entity = random.next(3) == 0 ? "" : entity(thing)
                policy.preset = Law.lastWriteWins.rawValue
                return stand.draft(.policyChanged(policy), ledger, number)
            case 1:
                var mapping = EntityMapping.contact
                if random.next(2) == 0 { mapping.fields.removeAll { $0.name == "first_name" } }
                return stand.draft(.mappingChanged(mapping.event), ledger, number)
            case 2:
                var approved = WritesApproved()
                approved.connection = connection(index)
                approved.entities = [entity(thing)]
                return stand.draft(
                    .writesApproved(approved), .connection(approved.connection), number)
            default: return configured(index).with(number)
            }
        }
    }

    private mutating func observed(_ thing: Int, _ index: Int) -> Draft {
        let replica = replica(thing, index)
        var observed = Observed()
        observed.replica = replica
        observed.connection = connection(index)
        observed.entity = entity(thing)
        observed.remoteID = remoteID(of: replica)
        observed.road = .imported
        observed.complete = true
        observed.attributes =
            isAccount(thing)
            ? [
                .init(
                    index == 0 ? "companyname" : "name",
                    sealed("A\(random.next(3))", replica, .profile))
            ]
            : [
                .init(
                    index == 0 ? "firstname" : "first_name",
                    sealed("N\(random.next(4))", replica, .profile)),
                .init(
                    index == 0 ? "email" : "email1",
                    sealed("p\(random.next(5))@example.com", replica, .contact)),
                index == 0
                    ? .init("company", sealed("A\(random.next(3))", replica, .profile))
                    : .init("account_id", sealed("\(random.next(12))", replica, .profile)),
            ]
        return stand.draft(.observed(observed), .replica(replica), number)
    }

    /// Few enough that several objects have one, one behind the other; now and then it changes.
    private mutating func remoteID(of replica: ReplicaID) -> Sealed {
        let id = random.next(200) == 0 ? UInt64(random.next(9)) : replica.low % 9
        return sealed("\(id)", replica, .identity)
    }

    /// Who is linked elsewhere is unlinked first, as the engine does.
    private mutating func linked(_ thing: Int, _ index: Int) -> Draft {
        let replica = replica(thing, index)
        // Now and then to somebody else's record.
        let isMoved = random.next(12) == 0
        let owner =
            !isMoved ? thing : isAccount(thing) ? 1 - thing : 2 + random.next(6)
        if let other = owners[replica], other != record(owner) {
            return unlinked(thing, index)
        }
        owners[replica] = record(owner)
        let linked = Linked(
            record: record(owner), entity: entity(thing), replica: replica,
            reason: [.new, .key, .remoteMerge, .conversion][random.next(4)])
        return stand.draft(.linked(linked), .record(linked.record), number)
    }

    private mutating func unlinked(_ thing: Int, _ index: Int) -> Draft {
        let replica = replica(thing, index)
        let unlinked = Unlinked(
            record: owners.removeValue(forKey: replica) ?? record(thing), replica: replica)
        return stand.draft(.unlinked(unlinked), .record(unlinked.record), number)
    }

    private mutating func question(_ thing: Int, _ index: Int) -> Draft {
        let question = QuestionID(high: 5, low: UInt64(thing))
        guard random.next(3) == 0 else {
            var settled = AmbiguitySettled()
            settled.question = question
            return stand.draft(.ambiguitySettled(settled), .connection(connection(index)), number)
        }
        var raised = AmbiguityRaised()
        raised.question = question
        raised.entity = entity(thing)
        raised.replicas = [replica(thing, index), replica(thing, (index + 1) % 3)]
        return stand.draft(.ambiguityRaised(raised), .connection(connection(index)), number)
    }

    private mutating func decided(_ thing: Int, _ index: Int) -> Draft {
        let replica = replica(thing, index)
        let account = !isAccount(thing) && random.next(2) == 0
        let canonical = account ? "\(record(random.next(2)))" : "N\(random.next(4))"
        var input = DecisionInput()
        input.replica = replica
        input.attribute = account ? "account_id" : "first_name"
        input.spelt = sealed(account ? "\(random.next(12))" : canonical, replica, .profile)
        input.canonical = sealed(canonical, replica, .profile)
        input.role = .won
        var field = FieldDecision()
        field.field = account ? "account" : "first_name"
        field.kind = [.moved, .moved, .contested, .agreed, .held][random.next(5)]
        field.version = UInt64(number)
        field.author = replica
        if field.kind == .moved { field.outcome = sealed(canonical, replica, .profile) }
        field.inputs = [input]
        var decided = Decided()
        decided.record = record(thing)
        decided.entity = entity(thing)
        decided.fields = [field]
        return stand.draft(.decided(decided), .record(decided.record), number)
    }

    private mutating func command(_ thing: Int, _ index: Int) -> Draft {
        guard random.next(2) == 0, !commands.isEmpty else { return issued(thing, index) }
        let command = commands[random.next(commands.count)]
        let event: Event
        switch random.next(5) {
        case 0, 1:
            var confirmed = CommandConfirmed()
            confirmed.command = command.command
            confirmed.replica = command.replica
            confirmed.remoteID = remoteID(of: command.replica)
            for change in command.changes {
                var stored = StoredAttribute()
                stored.field = change.field
                stored.attribute = change.attribute
                stored.value = sealed("\(random.next(12))", command.replica, .profile)
                stored.outcomeVersion = change.outcomeVersion
                confirmed.stored.append(stored)
            }
            event = .commandConfirmed(confirmed)
        case 2:
            var refused = CommandRefused()
            refused.command = command.command
            refused.refusal = .validation
            event = .commandRefused(refused)
        case 3:
            var parked = CommandParked()
            parked.command = command.command
            event = .commandParked(parked)
        default:
            var superseded = CommandSuperseded()
            superseded.command = command.command
            event = .commandSuperseded(superseded)
        }
        return stand.draft(event, .replica(command.replica), number)
    }

    private mutating func issued(_ thing: Int, _ index: Int) -> Draft {
        var issued = CommandIssued()
        issued.command = CommandID(high: 6, low: UInt64(number))
        issued.record = record(thing)
        issued.replica = replica(thing, index)
        issued.connection = connection(index)
        issued.entity = entity(thing)
        issued.operation = [.create, .update, .delete][random.next(3)]
        // What is made has been seen by nobody.
        if issued.operation == .create {
            issued.replica = ReplicaID(high: 4, low: UInt64(number))
        }
        if !isAccount(thing), index > 0 {
            var change = CommandChange()
            change.field = "account"
            change.attribute = "account_id"
            change.outcomeVersion = UInt64(number)
            change.write = sealed("\(random.next(12))", issued.replica, .profile)
            change.refers = record(random.next(2))
            issued.changes = [change]
        }
        commands.append(issued)
        return stand.draft(.commandIssued(issued), .replica(issued.replica), number)
    }

    private func sealed(
        _ text: String, _ replica: ReplicaID, _ category: Ledger.Category
    ) -> Sealed {
        Sealed(.text(text), subject: replica.subject, category: category)
    }
}

extension Draft {
    fileprivate func with(_ number: Int) -> Draft {
        Draft(
            id: EventID(high: 9, low: UInt64(number)), stream: stream, event: event, tags: tags)
    }
}
