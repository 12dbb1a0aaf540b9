/// People as they are spread over three systems in life: overlapping, and never quite the same.
///
/// Everybody is invented. Addresses end in domains nobody can own, telephone numbers are from the
/// range kept for fiction. The same seed gives the same people.
package struct SandboxPopulation: Sendable, Hashable {
    /// Which systems know somebody.
    package enum System: String, Sendable, Hashable, CaseIterable {
        case compass, mautic, suitecrm
    }

    /// One human being, and how each system that knows them spells them.
    package struct Member: Sendable, Hashable {
        package var spellings: [System: SandboxPerson]
        /// The place in `accounts` of the company they work for.
        package var account: Int?
    }

    package var members: [Member]
    /// None unless they were asked for.
    package var accounts: [AccountMember] = []
    /// None unless they were asked for.
    package var deals: [DealMember] = []

    /// The people are the same however many accounts and deals there are.
    package init(seed: UInt64, people: Int, accounts: Int = 0, deals: Int = 0) {
        self.init(seed: seed, everybody: people)
        guard accounts > 0 || deals > 0 else { return }
        var random = SandboxRandom(seed: seed ^ 0x4143_434F_554E_5453)
        addAccounts(accounts, &random)
        addDeals(deals, &random)
    }

    private init(seed: UInt64, everybody people: Int) {
        var random = SandboxRandom(seed: seed)
        var members: [Member] = []
        members.reserveCapacity(people)
        for number in 0..<people {
            let person = Self.person(number, &random)
            var member = Member(spellings: [:])
            for system in Self.systems(&random) {
                member.spellings[system] = Self.spelling(of: person, in: system, &random)
            }
            if member.spellings.count > 1 { Self.optOut(&member, &random) }
            members.append(member)
        }
        self.members = members
        shareAddresses(&random)
    }

    /// The people one system knows, in order.
    package func people(in system: System) -> [SandboxPerson] {
        members.compactMap { $0.spellings[system] }
    }

    /// Puts everybody into a machine, a second after each other, and returns the ids by the
    /// member's position; `accounts` tells which id there each account has.
    @discardableResult
    package func settle<Machine: SandboxMachine>(
        in machine: inout Machine,
        as system: System,
        from time: SandboxTime,
        accounts: [Int: String] = [:]
    ) -> [Int: String] {
        var ids: [Int: String] = [:]
        var now = time
        for (index, member) in members.enumerated() {
            guard var person = member.spellings[system] else { continue }
            person.account = member.account.flatMap { accounts[$0] }
            ids[index] = machine.seed(person, at: now)
            now = now.adding(seconds: 1)
        }
        return ids
    }
}

extension SandboxPopulation {
    /// Most people are in two or three systems, some in one alone.
    static func systems(_ random: inout SandboxRandom) -> [System] {
        switch Int.random(in: 0..<100, using: &random) {
        case ..<45: [.compass, .mautic, .suitecrm]
        case ..<60: [.compass, .mautic]
        case ..<72: [.compass, .suitecrm]
        case ..<82: [.mautic, .suitecrm]
        case ..<90: [.mautic]
        case ..<96: [.suitecrm]
        default: [.compass]
        }
    }

    private static func person(_ number: Int, _ random: inout SandboxRandom) -> SandboxPerson {
        func pick(_ list: [String]) -> String {
            list[Int.random(in: 0..<list.count, using: &random)]
        }
        func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
        let (first, last) = (pick(firstNames), pick(lastNames))
        let domain = pick(["example.com", "example.org", "example.net", "mail.example"])
        let local = asciiName(first) + "." + asciiName(last) + "\(number)"
        let number = padded(100 + Int.random(in: 0..<100, using: &random), 4)
        let other = padded(100 + Int.random(in: 0..<100, using: &random), 4)
        var person = SandboxPerson(
            email: "\(local)@\(domain)", firstName: first, lastName: last,
            phone: chance(75) ? "+1-555-\(number)" : nil,
            mobile: chance(40) ? "+1-555-\(other)" : nil)
        person.jobTitle = chance(60) ? pick(titles) : nil
        if chance(70) {
            person.street = "\(Int.random(in: 1..<200, using: &random)) \(pick(streets))"
            person.city = pick(cities)
            person.postcode = "\(Int.random(in: 10_000..<99_999, using: &random))"
        }
        person.description = chance(20) ? pick(notes) : nil
        person.tags = tags.filter { _ in chance(15) }
        person.points = chance(50) ? Int.random(in: 1..<120, using: &random) : 0
        return person
    }

    /// How one system came to hold the person: gaps, other cases, other spellings.
    private static func spelling(
        of person: SandboxPerson, in system: System, _ random: inout SandboxRandom
    ) -> SandboxPerson {
        func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
        var spelt = person
        if chance(12) {
            spelt.email = person.email.map { $0.prefix(1).uppercased() + $0.dropFirst() }
        }
        if chance(4) { spelt.email = person.email?.uppercased() }
        if chance(20) { spelt.phone = nil }
        if chance(15) { spelt.phone = spelt.phone?.replacingDashes }
        if chance(10) { spelt.city = person.city?.uppercased() }
        if chance(6) { spelt.street = person.street.map { $0.replacingStreet } }
        if chance(5) { spelt.firstName = person.firstName.map { "\($0.prefix(1))." } }
        if chance(8) { spelt.jobTitle = nil }
        switch system {
        case .compass: break
        case .mautic: spelt.description = nil
        case .suitecrm:
            spelt.tags = []
            spelt.points = 0
        }
        return spelt
    }

    /// Some have opted out, and mostly one system alone knows.
    private static func optOut(_ member: inout Member, _ random: inout SandboxRandom) {
        guard Int.random(in: 0..<100, using: &random) < 6 else { return }
        let known = System.allCases.filter { member.spellings[$0] != nil }
        let knowing = known[Int.random(in: 0..<known.count, using: &random)]
        member.spellings[knowing]?.emailOptOut = true
    }

    /// Now and then two people of one system share an address: a couple, or an office.
    private mutating func shareAddresses(_ random: inout SandboxRandom) {
        // Mautic refuses a second contact with an address, so it is not among these.
        for system in [System.compass, .suitecrm] {
            let known = members.indices.filter { members[$0].spellings[system] != nil }
            guard known.count > 1 else { continue }
            for _ in 0..<max(1, known.count / 100) {
                let one = known[Int.random(in: 0..<known.count, using: &random)]
                let other = known[Int.random(in: 0..<known.count, using: &random)]
                let shared = members[one].spellings[system]?.email
                members[other].spellings[system]?.email = shared
            }
        }
    }

    /// A name in the letters an address has.
    static func asciiName(_ name: String) -> String {
        String(collated(name).filter { $0.isASCII && ($0.isLetter || $0.isNumber) })
    }

    private static let firstNames = [
        "Ada", "Björn", "Chloé", "Dmitri", "Elif", "Fatima", "Gwen", "Håkon", "Inés", "Jürgen",
        "Kwame", "Łucja", "Mei", "Niamh", "Oluwaseun", "Paulo", "Quentin", "Renée", "Søren",
        "Tomás", "Ursula", "Víctor", "Wen", "Xenia", "Yusuf", "Zoë", "花子", "Олена",
    ]
    private static let lastNames = [
        "O'Brien", "D'Angelo", "Smith & Daughters", "Müller", "Østergård", "Nguyễn", "García",
        "Kowalska", "van den Berg", "Åkesson", "Şahin", "Novák", "Ionescu", "MacLeod", "Okafor",
        "Lindqvist", "Dubois", "Rossi", "Papadopoulou", "山田", "Шевченко", "Brown", "Green",
        "White-Jones", "Fischer", "Almeida", "Haddad", "Ndiaye", "Petrov", "Quist",
    ]
    private static let titles = [
        "Head of Marketing", "CEO", "Buyer", "R&D Lead", "Office Manager", "CFO", "Consultant",
        "Chief \"Everything\" Officer", "Sales Representative", "Editor",
    ]
    private static let streets = [
        "Main Street", "High Street", "Lindenstraße", "Rue de l'Église", "Calle Mayor",
        "Storgata", "King's Road",
    ]
    private static let cities = [
        "Oslo", "Köln", "São Paulo", "Zürich", "Kraków", "Málaga", "Galway", "Lyon", "Gdańsk",
        "Aarhus",
    ]
    private static let notes = [
        "Met at the fair; wants the brochure.", "Prefers calls before noon.",
        "Asked for the R&D price list.", "Knows our founder.\nSend the newsletter.",
    ]
    private static let tags = ["customer", "newsletter", "partner", "press", "VIP"]
}

extension String {
    fileprivate var replacingDashes: String {
        let digits = filter { $0 != "-" }
        return "\(digits.prefix(2)) (\(digits.dropFirst(2).prefix(3))) \(digits.dropFirst(5))"
    }

    fileprivate var replacingStreet: String {
        guard let range = firstRange(of: "Street") else { return lowercased() }
        return replacingCharacters(in: range)
    }

    private func replacingCharacters(in range: Range<String.Index>) -> String {
        String(self[..<range.lowerBound]) + "St." + String(self[range.upperBound...])
    }
}
