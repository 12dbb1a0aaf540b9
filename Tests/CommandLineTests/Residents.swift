import Sandbox

/// The people of a town, what was typed about them, and so what every system must hold in the end.
///
/// Each text field of each person is typed at one system only, so that no rule has to choose and the
/// end is known exactly: the last text typed. Tags and points are typed at two systems at once, and
/// an opt-out anywhere counts everywhere. Where somebody works, and how far the deals are, is typed at
/// Compass; the account is a tag as well, and its deal's stage that of the contact in Mautic.
struct Residents {
    typealias System = SandboxWorld.System

    struct Resident {
        var person: SandboxPerson
        /// Where the person is known to stand, and under which id.
        var ids: [System: String]
        /// The account's name.
        var account: String
    }

    /// A deal of each account.
    struct Deal {
        var name: String
        var account: String
        var stage = "Prospecting"
        /// Its id at Compass.
        var id = ""
    }

    static let accounts = ["Acme", "Globex"]
    /// Deals' stages, and what Mautic calls them.
    static let stages = [("Prospecting", "Lead"), ("Negotiation", "Prospect"), ("Won", "Customer")]
    /// What is derived, for the end of the contacts' mapping.
    static let mapping = """
            client:
              derive: {from: account, take: name, by: account, into: tags, prefix: "at "}
            stage:
              derive: {from: deal, take: stage, by: account, pick: [Won, Negotiation]}
              mautic:
                attribute: stage
                direction: push
                lookup: {Prospecting: Lead, Negotiation: Prospect, Won: Customer}

        """

    private(set) var deals = accounts.map { Deal(name: "\($0)'s deal", account: $0) }
    /// Each account's id at each system.
    private var accountIDs: [System: [String: String]] = [:]

    private(set) var all: [Resident] = []
    private(set) var edits = 0
    private var dice: Dice

    static let texts:
        [(name: String, part: any WritableKeyPath<SandboxPerson, String?> & Sendable)] = [
            ("first", \.firstName), ("last", \.lastName), ("city", \.city), ("phone", \.phone),
            ("mobile", \.mobile), ("title", \.jobTitle), ("street", \.street),
            ("postcode", \.postcode), ("email", \.email),
        ]

    init(count: Int, seed: UInt64) {
        dice = Dice(seed)
        for _ in 0..<count { settle() }
    }

    /// A new person, not standing anywhere yet.
    private mutating func settle() {
        let number = all.count
        var person = SandboxPerson(
            email: "person\(number)@example.com", firstName: "Søren \(number)",
            lastName: "O'Brien \(number)", phone: "+1-555-\(1_000 + number)")
        person.city = number % 2 == 0 ? "Kraków \(number)" : nil
        person.jobTitle = number % 3 == 0 ? "R&D Lead \(number)" : nil
        person.points = number
        all.append(
            Resident(
                person: person, ids: [:], account: Self.accounts[number % Self.accounts.count]))
    }

    /// Puts everybody into one, two or three systems.
    mutating func moveIn(_ world: inout SandboxWorld, at time: SandboxTime) {
        openAccounts(&world, at: time)
        for index in all.indices {
            let systems: [System] =
                switch index % 5 {
                case 0: [.mautic]
                case 1: [.compass, .suitecrm]
                case 2: [.suitecrm]
                case 3: [.compass, .mautic]
                default: System.allCases
                }
            // SuiteCRM and Mautic tell Compass nothing of what they have no field for.
            if !systems.contains(where: { $0 != .suitecrm }) { all[index].person.points = 0 }
            for system in systems {
                all[index].ids[system] = world.seed(working(index, system), in: system, at: time)
            }
        }
    }

    private mutating func openAccounts(_ world: inout SandboxWorld, at time: SandboxTime) {
        for (_, stage) in Self.stages { world.mautic.addStage(stage, at: time) }
        for name in Self.accounts {
            let account = SandboxAccount(name: name)
            accountIDs[.mautic, default: [:]][name] = world.mautic.seed(account, at: time)
            accountIDs[.suitecrm, default: [:]][name] = world.suiteCRM.seed(account, at: time)
            accountIDs[.compass, default: [:]][name] = world.compass.seed(account, at: time)
        }
        for index in deals.indices {
            deals[index].id = world.compass.seed(
                SandboxDeal(
                    name: deals[index].name,
                    account: accountIDs[.compass]?[deals[index].account],
                    stage: deals[index].stage), at: time)
        }
    }

    /// The person as somebody types it into a system, with the account that it has there.
    private func working(_ index: Int, _ system: System) -> SandboxPerson {
        var person = all[index].person
        person.account = accountIDs[system]?[all[index].account]
        return person
    }

    /// One edit by somebody, somewhere, of something.
    ///
    /// Points are typed in Mautic only where `mauticPoints` says so: never while a write of points
    /// may be under way, for then nobody could tell whether it ran.
    mutating func edit(
        _ world: inout SandboxWorld, mauticPoints: Bool, at time: SandboxTime
    ) {
        edits += 1
        switch dice.roll(0..<20) {
        case 0: arrive(&world, at: time)
        case 1: optOut(&world, at: time)
        case 2, 3: type(\.email, "email", &world, at: time)
        case 4, 5: tag(&world, at: time)
        case 6, 7: score(&world, mauticPoints: mauticPoints, at: time)
        case 8, 9: move(&world, at: time)
        case 10: goOn(&world, at: time)
        default:
            let field = Self.texts[dice.roll(0..<Self.texts.count - 1)]
            type(field.part, field.name, &world, at: time)
        }
    }

    /// The systems by which everybody is found after a sync that ran to its end.
    mutating func lookUp(in world: SandboxWorld) {
        for system in System.allCases {
            let rows = Dictionary(
                world.rows(of: system).map { ($0.person.email?.lowercased() ?? "", $0.id) },
                uniquingKeysWith: { first, _ in first })
            for index in all.indices where all[index].ids[system] == nil {
                all[index].ids[system] = rows[all[index].person.email?.lowercased() ?? ""]
            }
        }
    }

    // MARK: - Edits

    private mutating func arrive(_ world: inout SandboxWorld, at time: SandboxTime) {
        settle()
        let index = all.count - 1
        let system = System.allCases[dice.roll(0..<3)]
        if system == .suitecrm { all[index].person.points = 0 }
        all[index].ids[system] = world.arrive(working(index, system), in: system, at: time)
    }

    /// Somebody works at the other account from now on.
    private mutating func move(_ world: inout SandboxWorld, at time: SandboxTime) {
        let index = dice.roll(0..<all.count)
        guard let id = all[index].ids[.compass] else { return }
        let account = Self.accounts[dice.roll(0..<Self.accounts.count)]
        all[index].account = account
        let accountID = accountIDs[.compass]?[account]
        world.edit(id, in: .compass, at: time) { $0.account = accountID }
    }

    /// A deal changes its stage.
    private mutating func goOn(_ world: inout SandboxWorld, at time: SandboxTime) {
        let index = dice.roll(0..<deals.count)
        let stage = Self.stages[dice.roll(0..<Self.stages.count)].0
        deals[index].stage = stage
        world.compass.personEditsDeal(deals[index].id, at: time) { $0.stage = stage }
    }

    private mutating func optOut(_ world: inout SandboxWorld, at time: SandboxTime) {
        let index = dice.roll(0..<all.count)
        guard index % 3 == 0, let (system, id) = anywhere(index, System.allCases) else { return }
        all[index].person.emailOptOut = true
        world.optOut(id, in: system, at: time)
    }

    private mutating func tag(_ world: inout SandboxWorld, at time: SandboxTime) {
        let index = dice.roll(0..<all.count)
        guard let (system, id) = anywhere(index, [.mautic, .compass]) else { return }
        let tag = "tag\(edits)"
        all[index].person.tags.append(tag)
        world.edit(id, in: system, at: time) { $0.tags.append(tag) }
    }

    private mutating func score(
        _ world: inout SandboxWorld, mauticPoints: Bool, at time: SandboxTime
    ) {
        let index = dice.roll(0..<all.count)
        let more = dice.roll(1..<9)
        guard let (system, id) = anywhere(index, mauticPoints ? [.mautic, .compass] : [.compass])
        else { return }
        all[index].person.points += more
        world.edit(id, in: system, at: time) { $0.points += more }
    }

    private mutating func type(
        _ part: any WritableKeyPath<SandboxPerson, String?> & Sendable, _ name: String,
        _ world: inout SandboxWorld, at time: SandboxTime
    ) {
        let index = dice.roll(0..<all.count)
        let field = Self.texts.firstIndex { $0.name == name } ?? 0
        let owner = System.allCases[(index + field) % 3]
        guard let id = all[index].ids[owner] else { return }
        let isEmail = name == "email"
        // Who opted out keeps the address: SuiteCRM's opt-out belongs to it.
        if isEmail, all[index].person.emailOptOut || index % 3 == 0 { return }
        let text =
            isEmail ? "person\(index).\(edits)@example.org" : "\(name) \(edits) œ & 'o'"
        all[index].person[keyPath: part] = text
        world.edit(id, in: owner, at: time) { $0[keyPath: part] = text }
    }

    private mutating func anywhere(_ index: Int, _ systems: [System]) -> (System, String)? {
        let known = systems.compactMap { system in
            all[index].ids[system].map { (system, $0) }
        }
        return known.isEmpty ? nil : known[dice.roll(0..<known.count)]
    }

    // MARK: - The end

    /// Everything that is not as it must be, in words; empty when all is well.
    func differences(in world: SandboxWorld) -> [String] {
        differencesOfPeople(in: world) + differencesOfWork(in: world)
    }

    /// Where everybody works, in which stage they are, and the deals.
    private func differencesOfWork(in world: SandboxWorld) -> [String] {
        var wrong: [String] = []
        func check(_ found: [String?], _ wanted: [String?], _ what: String) {
            if found != wanted { wrong.append("\(what): \(found), not \(wanted)") }
        }
        let companies: [(System, [SandboxAccountRow])] = [
            (.mautic, world.mautic.accountRows), (.suitecrm, world.suiteCRM.accountRows),
            (.compass, world.compass.accountRows),
        ]
        for (system, rows) in companies {
            let found = rows.compactMap(\.account.name).sorted()
            check(found, Self.accounts, "\(system)'s accounts")
            let names = Dictionary(uniqueKeysWithValues: rows.map { ($0.id, $0.account.name) })
            for row in world.rows(of: system) {
                let email = row.person.email?.lowercased()
                guard let one = all.first(where: { $0.person.email?.lowercased() == email }) else {
                    continue
                }
                let account = row.person.account.flatMap { names[$0] ?? nil }
                check([account], [one.account], "\(system) \(email ?? "")'s account")
                guard system == .mautic else { continue }
                let deal = deals.first { $0.account == one.account }
                let stage = Self.stages.first { $0.0 == deal?.stage }?.1
                check(
                    [world.mautic.stageName(of: row.id)], [stage], "\(email ?? "")'s stage")
            }
        }
        func told(_ rows: [SandboxDealRow], _ accounts: [SandboxAccountRow]) -> [String?] {
            rows.sorted { $0.deal.name ?? "" < $1.deal.name ?? "" }.flatMap { row in
                [
                    row.deal.name, row.deal.stage,
                    accounts.first { $0.id == row.deal.account }?.account.name,
                ]
            }
        }
        let wanted = deals.flatMap { [$0.name, $0.stage, $0.account] }
        check(told(world.compass.dealRows, world.compass.accountRows), wanted, "Compass's deals")
        check(told(world.suiteCRM.dealRows, world.suiteCRM.accountRows), wanted, "SuiteCRM's deals")
        return wrong
    }

    private func differencesOfPeople(in world: SandboxWorld) -> [String] {
        System.allCases.flatMap { system -> [String] in
            let rows = world.rows(of: system)
            var wrong: [String] = []
            let byEmail = Dictionary(grouping: rows) { $0.person.email?.lowercased() ?? "" }
            for (email, rows) in byEmail where rows.count > 1 {
                wrong.append("\(system.rawValue) has \(rows.count) people with \(email)")
            }
            if rows.count != all.count {
                wrong.append("\(system.rawValue) has \(rows.count) people, not \(all.count)")
            }
            for resident in all {
                let email = resident.person.email?.lowercased() ?? ""
                guard let row = byEmail[email]?.first else {
                    let held = rows.first { $0.id == resident.ids[system] }?.person.email
                    wrong.append("\(system.rawValue) lacks \(email), and holds \(held ?? "nobody")")
                    continue
                }
                if let id = resident.ids[system], id != row.id {
                    wrong.append("\(system.rawValue) holds \(email) as \(row.id), not \(id)")
                }
                var person = resident.person
                person.tags.append("at \(resident.account)")
                let expected = person.plain(in: system)
                let found = row.person.plain(in: system)
                if found != expected {
                    let pairs = zip(found, expected).filter { $0 != $1 }
                    wrong.append(
                        "\(system.rawValue) \(row.id) (\(email)): "
                            + pairs.map { "\($0), not \($1)" }.joined(separator: "; "))
                }
            }
            return wrong
        }
    }
}

extension SandboxPerson {
    /// The person as a system can hold one, in the words of a comparison.
    fileprivate func plain(in system: SandboxWorld.System) -> [String] {
        var words = Residents.texts.map { name, part in "\(name)=\(self[keyPath: part] ?? "")" }
        words.append("optOut=\(emailOptOut)")
        if system != .suitecrm {
            words.append("tags=\(tags.sorted().joined(separator: ","))")
            words.append("points=\(points)")
        }
        return words
    }
}

/// One verb for all three machines.
extension SandboxWorld {
    fileprivate mutating func seed(
        _ person: SandboxPerson, in system: System, at time: SandboxTime
    ) -> String {
        switch system {
        case .mautic: mautic.seed(person, at: time)
        case .suitecrm: suiteCRM.seed(person, at: time)
        case .compass: compass.seed(person, at: time)
        }
    }

    /// A person who comes while the systems are being kept in step: Compass's outbox tells of it.
    fileprivate mutating func arrive(
        _ person: SandboxPerson, in system: System, at time: SandboxTime
    ) -> String {
        let id = seed(person, in: system, at: time)
        if system == .compass { compass.personEdits(id, at: time) { $0.description = nil } }
        return id
    }

    fileprivate mutating func edit(
        _ id: String, in system: System, at time: SandboxTime,
        _ body: (inout SandboxPerson) -> Void
    ) {
        switch system {
        case .mautic: mautic.personEdits(id, at: time, body)
        case .suitecrm: suiteCRM.personEdits(id, at: time, body)
        case .compass: compass.personEdits(id, at: time, body)
        }
    }

    fileprivate mutating func optOut(_ id: String, in system: System, at time: SandboxTime) {
        switch system {
        case .mautic: mautic.personOptsOut(id, at: time)
        case .suitecrm: suiteCRM.personOptsOut(id, at: time)
        case .compass: compass.personOptsOut(id, at: time)
        }
    }

    func rows(of system: System) -> [SandboxRow] {
        switch system {
        case .mautic: mautic.rows
        case .suitecrm: suiteCRM.rows
        case .compass: compass.rows
        }
    }

    var writeCalls: Int { mautic.writeCalls + suiteCRM.writeCalls + compass.writeCalls }
}
