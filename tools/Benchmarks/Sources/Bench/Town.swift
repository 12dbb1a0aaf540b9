import Ledger
import Model

/// Events about the people of a town, in the order in which a year of syncing would write them.
///
/// Of 20 events 14 are observations of eight fields, 1 is a decision on two fields, 3 are commands
/// issued, confirmed or refused, and 2 are links, cursors, sweeps and runs. Every event has one plain
/// part; four of five observations have one sealed part, the fifth has two (names and texts under one
/// key, addresses under another), so that about half of all parts are sealed. Everybody is linked at
/// first sight, and events are tagged as the engine tags them.
struct Town {
    let people: Int
    let connection = ConnectionID(high: 1, low: 1)
    private var number: UInt64 = 0
    private var source = Random(seed: 0x9E37_79B9)
    private var seen: Set<Int> = []
    private var open: [CommandIssued] = []
    private var versions: [Int: UInt64] = [:]

    init(people: Int) { self.people = people }

    /// As many people as a log of so many events is about: some fifty events each.
    init(events: Int) { self.init(people: max(100, events / 50)) }

    /// The connection that all of it came from.
    mutating func first() -> Draft {
        var configured = ConnectionConfigured()
        configured.connection = connection
        configured.system = .mautic
        configured.label = "mautic"
        configured.url = "https://mautic.example.com"
        return draft(.connectionConfigured(configured), .connection(connection))
    }

    mutating func next() -> [Draft] {
        let person = Int(random() % UInt64(people))
        let kind = random() % 20
        if !seen.contains(person) || kind < 14 { return observe(person) }
        if kind < 15 { return [decide(person)] }
        if kind < 18 { return [command(person)] }
        return [other()]
    }

    private mutating func observe(_ person: Int) -> [Draft] {
        let replica = replica(person)
        var observed = Observed()
        observed.replica = replica
        observed.connection = connection
        observed.entity = "contact"
        observed.remoteID = Sealed(
            .text("\(person)"), subject: replica.subject, category: .contact)
        observed.road = .fetch
        observed.stamp = "2026-01-02 03:04:05"
        observed.complete = true
        let names: Ledger.Category = random() % 5 == 0 ? .profile : .contact
        observed.attributes = [
            seen("firstname", "Ada \(random() % 50)", replica, names),
            seen("lastname", "Lovelace", replica, names),
            seen("position", "Analyst", replica, names),
            seen("email", "ada\(person)@example.org", replica, .contact),
            seen("phone", "+44 20 7946 0\(random() % 1_000)", replica, .contact),
            seen("address1", "12 St James's Square", replica, .contact),
            seen("city", "London", replica, .contact),
            seen("zipcode", "SW1Y 4JH", replica, .contact),
        ]
        let look = draft(.observed(observed), .replica(replica), [Tag(.replica, replica)])
        guard seen.insert(person).inserted else { return [look] }
        let linked = Linked(
            record: record(person), entity: "contact", replica: replica, reason: .new)
        let tags = [Tag(.record, record(person)), Tag(.replica, replica)]
        return [look, draft(.linked(linked), .record(record(person)), tags)]
    }

    private func seen(
        _ name: String, _ text: String, _ replica: ReplicaID, _ category: Ledger.Category
    ) -> ObservedAttribute {
        ObservedAttribute(name, Sealed(.text(text), subject: replica.subject, category: category))
    }

    private mutating func decide(_ person: Int) -> Draft {
        versions[person, default: 0] += 1
        var decided = Decided()
        decided.record = record(person)
        decided.entity = "contact"
        decided.fields = [
            field("first_name", "firstname", "Ada \(random() % 50)", person),
            field("last_name", "lastname", "Lovelace", person),
        ]
        return draft(
            .decided(decided), .record(record(person)), [Tag(.record, record(person))])
    }

    private func field(
        _ name: String, _ attribute: String, _ text: String, _ person: Int
    ) -> FieldDecision {
        let value = Sealed(.text(text), subject: replica(person).subject, category: .profile)
        var input = DecisionInput()
        input.replica = replica(person)
        input.attribute = attribute
        input.spelt = value
        input.canonical = value
        input.role = .won
        var field = FieldDecision()
        field.field = name
        field.kind = .moved
        field.law = "only candidate"
        field.version = versions[person, default: 1]
        field.author = replica(person)
        field.outcome = value
        field.inputs = [input]
        return field
    }

    private mutating func command(_ person: Int) -> Draft {
        guard open.count > 8 else { return issue(person) }
        let issued = open.removeFirst()
        if random() % 10 == 0 {
            var refused = CommandRefused()
            refused.command = issued.command
            refused.refusal = .validation
            refused.status = 422
            refused.reason = "the value is taken"
            return draft(.commandRefused(refused), .replica(issued.replica), tags(of: issued))
        }
        var confirmed = CommandConfirmed()
        confirmed.command = issued.command
        confirmed.replica = issued.replica
        var stored = StoredAttribute()
        stored.field = "first_name"
        stored.attribute = "firstname"
        stored.value = issued.changes[0].write
        stored.outcomeVersion = 1
        stored.told = true
        confirmed.stored = [stored]
        return draft(.commandConfirmed(confirmed), .replica(issued.replica), tags(of: issued))
    }

    private mutating func issue(_ person: Int) -> Draft {
        var issued = CommandIssued()
        issued.command = CommandID(high: 5, low: number)
        issued.record = record(person)
        issued.replica = replica(person)
        issued.connection = connection
        issued.entity = "contact"
        issued.operation = .update
        var change = CommandChange()
        change.field = "first_name"
        change.attribute = "firstname"
        change.write = Sealed(
            .text("Ada \(random() % 50)"), subject: replica(person).subject, category: .profile)
        change.outcomeVersion = 1
        issued.changes = [change]
        open.append(issued)
        return draft(.commandIssued(issued), .replica(replica(person)), tags(of: issued))
    }

    private func tags(of issued: CommandIssued) -> [Tag] {
        [Tag(.command, issued.command), Tag(.record, issued.record)]
    }

    private mutating func other() -> Draft {
        switch random() % 3 {
        case 0:
            var moved = CursorMoved()
            moved.connection = connection
            moved.entity = "contact"
            moved.cursor = "\(number)"
            return draft(.cursorMoved(moved), .connection(connection))
        case 1:
            var started = RunStarted()
            started.run = RunID(high: 6, low: number)
            started.verb = "sync"
            return draft(.runStarted(started), .run(started.run))
        default:
            var closed = SweepClosed()
            closed.connection = connection
            closed.entity = "contact"
            closed.seen = 20_000
            return draft(.sweepClosed(closed), .connection(connection))
        }
    }

    private mutating func draft(
        _ event: Event, _ stream: Ledger.Stream, _ tags: [Tag] = []
    ) -> Draft {
        number += 1
        return Draft(id: EventID(high: 9, low: number), stream: stream, event: event, tags: tags)
    }

    func record(_ person: Int) -> RecordID { RecordID(high: 3, low: UInt64(person)) }
    private func replica(_ person: Int) -> ReplicaID { ReplicaID(high: 2, low: UInt64(person)) }

    private mutating func random() -> UInt64 { source.next() }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Random: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
