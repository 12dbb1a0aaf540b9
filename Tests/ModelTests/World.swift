import Ledger
import Model

/// A world in which people, remotes, a network and an engine do what they may, in seeded order.
///
/// The engine in it (`World+Engine`, `World+Commands`) follows the design to the letter and keeps
/// its state in memory; `World+Laws` looks over its shoulder with the eyes of one who knows all.
final class World {
    struct Record {
        var outcome: Outcome?
        var contest: Contest?
        var contestReason: Reason?
        var consentGiven = false
        /// The stream version that a plan depends on.
        var version: UInt64 = 0
        /// True time of the edit the outcome came from; what the laws know.
        var editedAt: Int64 = 0
        var firstValue: Value?
        /// The consent event was appended after the last opt-out that was seen.
        var mayLift = false
        var hasOptedOut = false
        var consentAt: UInt64 = 0
    }

    let setup: WorldSetup
    let merge: Merge
    var random: SplitMix64
    var now: Int64 = 1_000_000
    var step = 0
    var isTyping = true

    var remotes: [Remote] = []
    var looks: [Look] = []
    var calls: [Call] = []
    var edits = 0
    /// How often, of a hundred steps, nobody does anything and the engine catches up.
    var rest = 0
    /// How long we wait for answers, of a hundred.
    var patience = 60
    /// How often a person answered for each record once typing had stopped.
    var answers = [0, 0]
    /// How closely the remotes' stamps tell the time of a change.
    var evidenceKinds: [Int] = []

    // What the engine knows.
    var log: UInt64 = 0
    var records = [Record(), Record()]
    var branches: [Branch] = []
    var home: [Int?] = []
    var order: [LookOrder] = []
    var needsLook: [Bool] = []
    var seenRow: [Int] = []
    var lastLeftAt: [Int64] = []
    /// The last look that left before what is seen now had changed.
    var changedAfter: [Int64] = []
    var commands: [CommandID: Command] = [:]
    var open: [CommandID] = []
    var activity = 0

    // What the laws know.
    var violations: [Violation] = []
    var undecided: [EventID: (replica: Int, content: Value)] = [:]
    var captures: [EventID: Capture] = [:]
    var joinedWith: [Int64?] = []
    var addedBy: [String: Int] = [:]
    var removed: Set<String> = []
    var unclear: Set<String> = []
    /// Contents that our writes left at a replica, however it made them so.
    var forms: [Set<Value>] = []
    var serial = 0
    var lastSerial: [Int] = []
    /// Elements that our writes put at a replica and nobody has removed since.
    var ours: [Set<String>] = []
    var history: [String] = []

    init(_ setup: WorldSetup) {
        self.setup = setup
        random = SplitMix64(
            seed: setup.seed &* 4 &+ UInt64(WorldKind.allCases.firstIndex(of: setup.kind) ?? 0))
        let name = random.pick(setup.kind.fields)
        guard let field = EntityMapping.contact.field(name) else { fatalError("no field \(name)") }
        var policy = FieldPolicy(law: field.law, prefer: field.prefer)
        if setup.kind == .plain {
            policy.law = random.pick([.fieldMerge, .fieldMerge, .newest, .prefer, .manual])
            policy.prefer = random.pick([[], [.suitecrm], [.mautic, .compass], [.compass]])
            policy.enforce = random.chance(15)
        }
        rest = random.pick([0, 0, 30, 50])
        patience = random.pick([30, 60, 85])
        merge = Merge(policy: policy, skew: 8_000_000, rules: setup.merge)
        populate(field)
    }

    private func populate(_ field: FieldMapping) {
        let common = newContent()
        for (index, system) in setup.kind.systems.enumerated() {
            guard var spelling = field.spellings[system] else { continue }
            if !setup.engine.contains(.deltas), spelling.form == .delta {
                spelling.form = .absolute
            }
            var remote = Remote(spelling: spelling, value: .null)
            remote.clock = Int64(random.below(8_000_000)) - 4_000_000
            remote.tells = system != .suitecrm || random.chance(60)
            let first = random.chance(50) ? common : random.chance(30) ? blank : newContent()
            remote.value = spelling.codec.stored(spelling.codec.spelling(of: first))
            remotes.append(remote)
            let id = ReplicaID(high: 1, low: UInt64(index + 1))
            var branch = Branch(replica: id, system: system, spelling: spelling)
            if setup.kind == .plain, random.chance(8) { branch.mayWrite = false }
            if setup.kind == .plain, random.chance(8) { branch.maySpeak = false }
            branches.append(branch)
            evidenceKinds.append(random.below(3))
            home.append(random.chance(75) ? 0 : nil)
            order.append(LookOrder())
            needsLook.append(false)
            seenRow.append(-1)
            lastLeftAt.append(0)
            changedAfter.append(0)
            joinedWith.append(nil)
            forms.append([])
            lastSerial.append(0)
            ours.append([])
            note(
                "\(index) \(system.name) holds \(remote.value), home \(home[index].map(String.init) ?? "-")"
            )
        }
        if random.chance(60) { lookAtAll() }
    }

    var blank: Value {
        switch setup.kind {
        case .plain: .text("")
        case .union: .set([])
        case .sum: .null
        case .strictest: .bool(false)
        }
    }

    /// Something a person might type here.
    func newContent() -> Value {
        edits += 1
        switch setup.kind {
        case .plain:
            let words = ["Ann", "Bo", "a<b", "R&amp;D", " Eve ", "", "O'Hara", "<i>Kit</i>"]
            return .text(random.chance(55) ? "w\(edits)" : random.pick(words))
        case .union: return .set(of: ["t\(edits)"])
        case .sum: return .number(String(random.below(90_000)))
        case .strictest: return .bool(random.chance(40))
        }
    }

    func note(_ text: @autoclosure () -> String) {
        if setup.keepsHistory { history.append("\(step): \(text())") }
    }

    func violate(_ law: WorldLaw, _ detail: @autoclosure () -> String) {
        if violations.count < 5 {
            violations.append(Violation(law: law, detail: "\(detail()) (step \(step))"))
        }
    }

    /// Appends nothing to any log, but moves its end; returns the new sequence as an id.
    func append() -> EventID {
        log += 1
        activity += 1
        return EventID(high: 7, low: log)
    }

    // MARK: - Time passes

    /// Lives through the world; what broke, if anything.
    func run() -> [Violation] {
        while step < setup.steps {
            step += 1
            now += Int64(random.below(6_000_000))
            act()
            if !violations.isEmpty { return violations }
        }
        isTyping = false
        note("typing stops")
        settleDown()
        return violations
    }

    private func act() {
        let replica = random.below(remotes.count)
        if random.chance(rest) {
            requestLook(at: replica)
            plan(0, interrupted: random.chance(25))
            return random.chance(patience) ? dispatch() : timeOut()
        }
        switch random.below(100) {
        case 0..<22: someoneTypes(at: replica)
        case 22..<38: requestLook(at: replica)
        case 38..<66: somethingArrives()
        case 66..<82:
            plan(random.below(setup.kind == .plain ? 2 : 1), interrupted: random.chance(25))
        case 82..<92: dispatch()
        case 92..<95: timeOut()
        case 95..<98 where random.chance(80): relink(replica)
        case 95..<98: changeQuirk(of: replica)
        case 98: settleByPerson(0)
        default: if setup.kind == .strictest { consent(0) } else { someoneTypes(at: replica) }
        }
    }

    private func changeQuirk(of replica: Int) {
        let quirks: [Remote.Quirk] =
            setup.kind == .plain
            ? [.none, .rewrites, .ignores, .refuses] : [.none, .ignores, .refuses]
        remotes[replica].quirk = random.pick(quirks)
        note("\(replica) now \(remotes[replica].quirk)")
    }

    private func someoneTypes(at replica: Int) {
        let before = remotes[replica].content
        var content = newContent()
        switch setup.kind {
        case .plain: break
        case .strictest: content = .bool(before != .bool(true))
        case .sum:
            let grown =
                before.integer + Int64(random.below(99_991)) - (random.chance(20) ? 90_000 : 0)
            content = .number(String(grown))
        case .union:
            if random.chance(40), let gone = before.elements.randomElement(using: &random) {
                content = .set(of: before.elements.filter { $0 != gone })
                let isUnheard = open.contains { id in
                    commands[id]?.replica == replica && commands[id]?.write.form == .elements
                        && commands[id]?.write.spelling.elements.contains(gone) ?? false
                }
                // Put there by a write of unheard fate and gone again: it may as well never have run.
                if isUnheard { unclear.insert(gone) } else { removed.insert(gone) }
            } else {
                addedBy["t\(edits)"] = replica
                content = .set(of: before.elements + ["t\(edits)"])
            }
        }
        remotes[replica].type(content, edit: edits, at: now)
        ours[replica].formIntersection(remotes[replica].content.elements)
        note("person types \(content) at \(replica): \(remotes[replica].value)")
    }

    private func somethingArrives() {
        let count = looks.count + calls.count
        guard count > 0 else { return }
        let index = random.below(count)
        if index < looks.count { advanceLook(index) } else { advanceCall(index - looks.count) }
    }

    func requestLook(at replica: Int) {
        looks.append(Look(replica: replica, lookedAfter: log, leftAt: now, step: step))
    }

    func advanceLook(_ index: Int) {
        guard looks[index].capture == nil else {
            observe(looks.remove(at: index))
            return
        }
        let remote = remotes[looks[index].replica]
        serial += 1
        looks[index].capture = Capture(
            serial: serial,
            value: remote.value, author: remote.author, changedAt: remote.changedAt,
            stamp: remote.changedAt + remote.clock, row: remote.row, writtenBy: remote.writtenBy)
        note(
            "look at \(looks[index].replica) (after \(looks[index].lookedAfter)) captures \(remote.value)"
        )
    }

    /// A look at every replica, there and back.
    func lookAtAll() {
        for replica in remotes.indices {
            requestLook(at: replica)
            advanceLook(looks.count - 1)
            advanceLook(looks.count - 1)
        }
    }

    private func relink(_ replica: Int) {
        guard let record = home[replica] else {
            link(replica, to: setup.kind == .plain && random.chance(30) ? 1 : 0)
            return
        }
        guard random.chance(50) else { return }
        unlink(replica, from: record)
    }

    // MARK: - The end

    /// A person answers what is open, but not for ever: a system may not do as it is told.
    private func answerEverything() {
        for record in records.indices where records[record].contest != nil && answers[record] < 6 {
            answers[record] += 1
            settleByPerson(record)
        }
    }

    /// Everything on its way arrives, everything is looked at, until nothing more happens.
    private func settleDown() {
        if random.chance(50) { for index in remotes.indices { remotes[index].quirk = .none } }
        let asksPerson = random.chance(50) || setup.kind == .sum
        for replica in remotes.indices where home[replica] == nil && random.chance(70) {
            link(replica, to: 0)
        }
        var rounds = 0
        var calm = 0
        while calm < 2, violations.isEmpty {
            rounds += 1
            step += 1
            now += 10_000_000
            if rounds > 60 {
                violate(.quiet, "no end after \(rounds) rounds")
                return
            }
            let before = activity
            while !calls.isEmpty { advanceCall(random.below(calls.count)) }
            while !looks.isEmpty { advanceLook(random.below(looks.count)) }
            timeOut()
            step += 1
            lookAtAll()
            for record in records.indices { plan(record, interrupted: false) }
            if asksPerson { answerEverything() }
            for record in records.indices { plan(record, interrupted: false) }
            dispatch()
            if asksPerson { settleParked() }
            calm = before == activity ? calm + 1 : 0
        }
        judgeTheEnd(asksPerson: asksPerson)
    }
}
