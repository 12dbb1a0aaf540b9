extension SandboxPopulation {
    /// One company, and how each system that knows it spells it.
    package struct AccountMember: Sendable, Hashable {
        package var spellings: [System: SandboxAccount]
    }

    /// One deal, and how Compass and SuiteCRM spell it.
    package struct DealMember: Sendable, Hashable {
        package var spellings: [System: SandboxDeal]
        /// The place in `accounts` of the company it is made with.
        package var account: Int?
    }

    /// Puts the accounts into a machine, a second after each other, and returns the ids by their
    /// position.
    @discardableResult
    package func settleAccounts<Machine: SandboxMachine>(
        in machine: inout Machine, as system: System, from time: SandboxTime
    ) -> [Int: String] {
        var ids: [Int: String] = [:]
        for (index, member) in accounts.enumerated() {
            guard let account = member.spellings[system] else { continue }
            ids[index] = machine.seed(account, at: time.adding(seconds: Int64(ids.count)))
        }
        return ids
    }

    /// Puts the deals into a machine, a second after each other, and returns the ids by their
    /// position.
    @discardableResult
    package func settleDeals<Machine: SandboxDealMachine>(
        in machine: inout Machine,
        as system: System,
        from time: SandboxTime,
        accounts: [Int: String] = [:]
    ) -> [Int: String] {
        var ids: [Int: String] = [:]
        for (index, member) in deals.enumerated() {
            guard var deal = member.spellings[system] else { continue }
            deal.account = member.account.flatMap { accounts[$0] }
            ids[index] = machine.seed(deal, at: time.adding(seconds: Int64(ids.count)))
        }
        return ids
    }

    /// Adds companies, and gives two people of three one to work for.
    mutating func addAccounts(_ count: Int, _ random: inout SandboxRandom) {
        var names: Set<String> = []
        for _ in 0..<count {
            let account = Self.account(&names, &random)
            var member = AccountMember(spellings: [:])
            for system in Self.systems(&random) {
                member.spellings[system] = Self.spelling(of: account, in: system, &random)
            }
            accounts.append(member)
        }
        guard count > 0 else { return }
        for index in members.indices where Int.random(in: 0..<3, using: &random) > 0 {
            members[index].account = Int.random(in: 0..<count, using: &random)
        }
    }

    mutating func addDeals(_ count: Int, _ random: inout SandboxRandom) {
        for number in 0..<count {
            let deal = Self.deal(number, &random)
            var member = DealMember(spellings: [:])
            let known: [System] =
                switch Int.random(in: 0..<100, using: &random) {
                case ..<60: [.compass, .suitecrm]
                case ..<85: [.compass]
                default: [.suitecrm]
                }
            for system in known { member.spellings[system] = Self.spelling(of: deal, &random) }
            if !accounts.isEmpty {
                member.account = Int.random(in: 0..<accounts.count, using: &random)
            }
            deals.append(member)
        }
    }

    /// A company under a name that no other has.
    private static func account(
        _ names: inout Set<String>, _ random: inout SandboxRandom
    ) -> SandboxAccount {
        func pick(_ list: [String]) -> String {
            list[Int.random(in: 0..<list.count, using: &random)]
        }
        func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
        let plain = "\(pick(companyFirsts)) \(pick(companySeconds))"
        let name = names.contains(plain) ? "\(plain) \(names.count)" : plain
        names.insert(name)
        let domain = asciiName(name) + ".example"
        let number = padded(100 + Int.random(in: 0..<100, using: &random), 4)
        let place = places[Int.random(in: 0..<places.count, using: &random)]
        var account = SandboxAccount(
            name: "\(name) \(pick(["GmbH", "Ltd", "AS", "S.A.", "& Sons"]))",
            website: chance(80) ? "https://\(domain)" : nil,
            phone: chance(75) ? "+1-555-\(number)" : nil,
            industry: chance(70) ? pick(industries) : nil,
            employees: chance(60) ? Int.random(in: 1..<2_000, using: &random) : nil)
        if chance(75) {
            account.street = "\(Int.random(in: 1..<200, using: &random)) Market Street"
            account.city = place.city
            account.country = place.country
            account.postcode = "\(Int.random(in: 10_000..<99_999, using: &random))"
        }
        account.description = chance(20) ? "Key account; see the R&D notes." : nil
        account.email = chance(50) ? "info@\(domain)" : nil
        return account
    }

    /// How one system came to hold the company: gaps, other cases, other spellings.
    private static func spelling(
        of account: SandboxAccount, in system: System, _ random: inout SandboxRandom
    ) -> SandboxAccount {
        func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
        var spelt = account
        if chance(8) { spelt.name = account.name?.uppercased() }
        if chance(10) { spelt.website = account.website.map { "\($0)/" } }
        if chance(20) { spelt.phone = nil }
        if chance(15) { spelt.industry = nil }
        if chance(10) { spelt.city = account.city?.uppercased() }
        if chance(10) { spelt.employees = account.employees.map { $0 + 1 } }
        if system == .compass { spelt.email = nil }
        return spelt
    }

    private static func deal(_ number: Int, _ random: inout SandboxRandom) -> SandboxDeal {
        let stage = stages[Int.random(in: 0..<stages.count, using: &random)]
        let whole = Int.random(in: 100..<90_000, using: &random)
        let cents = ["", "", ".5", ".25"][Int.random(in: 0..<4, using: &random)]
        let subjects = ["Licences", "Support", "Workshop", "Relaunch"]
        let subject = subjects[Int.random(in: 0..<subjects.count, using: &random)]
        let day = SandboxTime(2027, 1, 1)
            .adding(seconds: Int64.random(in: 0..<360, using: &random) * 86_400)
        return SandboxDeal(
            name: "\(subject) \(number + 1)", amount: "\(whole)\(cents)", stage: stage.name,
            closeDate: day.date, probability: stage.probability)
    }

    /// How one system came to hold the deal: another stage, another sum, another day.
    private static func spelling(
        of deal: SandboxDeal, _ random: inout SandboxRandom
    ) -> SandboxDeal {
        func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
        var spelt = deal
        if chance(12) {
            let stage = stages[Int.random(in: 0..<stages.count, using: &random)]
            spelt.stage = stage.name
            spelt.probability = stage.probability
        }
        if chance(8) { spelt.amount = "\(Int.random(in: 100..<90_000, using: &random))" }
        if chance(10) { spelt.closeDate = nil }
        if chance(15) { spelt.description = "Asked for a discount." }
        return spelt
    }

    private static let companyFirsts = [
        "Nordwind", "Blue Heron", "Ångström", "Café", "Crown", "Delta", "Eichel", "Fjord",
        "Granite", "Hanse", "Ionian", "Juniper", "Kestrel", "L'Étoile", "Marigold", "O'Hara",
    ]
    private static let companySeconds = [
        "Analytics", "Bakery", "Consulting", "Energy", "Foods", "Instruments", "Logistics",
        "Media", "Optics", "Partners", "Shipping", "Textiles", "Tools", "Travel",
    ]
    /// Those that both Mautic and SuiteCRM offer.
    private static let industries = [
        "Banking", "Education", "Energy", "Engineering", "Insurance", "Manufacturing", "Media",
        "Retail", "Technology", "Transportation",
    ]
    private static let places: [(city: String, country: String)] = [
        ("Oslo", "Norway"), ("Köln", "Germany"), ("Lyon", "France"), ("Kraków", "Poland"),
        ("Málaga", "Spain"), ("Galway", "Ireland"),
    ]
    private static let stages: [(name: String, probability: Int)] = [
        ("Prospecting", 10), ("Qualification", 20), ("Needs Analysis", 25),
        ("Value Proposition", 30), ("Proposal/Price Quote", 65), ("Negotiation/Review", 80),
        ("Closed Won", 100), ("Closed Lost", 0),
    ]
}
