import Sandbox
import Testing

@Suite struct `A population` {
    private let world = SandboxPopulation(seed: 42, people: 1_000)

    @Test func `is the same for the same seed`() {
        #expect(world == SandboxPopulation(seed: 42, people: 1_000))
        #expect(world != SandboxPopulation(seed: 43, people: 1_000))
    }

    @Test func `overlaps as in life`() {
        let counts = world.members.map(\.spellings.count)
        #expect(counts.filter { $0 > 1 }.count > 700)
        #expect(counts.filter { $0 == 1 }.count > 100)
        for system in SandboxPopulation.System.allCases {
            #expect(world.people(in: system).count > 500)
        }
    }

    @Test func `is messy as in life`() {
        let all = world.members
        func some(_ holds: (SandboxPopulation.Member) -> Bool) -> Bool {
            all.contains(where: holds)
        }
        #expect(some { Set($0.spellings.values.map(\.email)).count > 1 })
        #expect(some { Set($0.spellings.values.map(\.emailOptOut)).count > 1 })
        #expect(some { $0.spellings.values.contains { $0.lastName?.contains("'") == true } })
        #expect(some { $0.spellings.values.contains { $0.lastName?.contains("&") == true } })
        let emails = world.people(in: .compass).compactMap { $0.email?.lowercased() }
        #expect(Set(emails).count < emails.count)
    }

    @Test func `uses only names and numbers that belong to nobody`() {
        for person in world.members.flatMap(\.spellings.values) {
            let domain = person.email?.lowercased().split(separator: "@").last ?? ""
            #expect(["example.com", "example.org", "example.net", "mail.example"].contains(domain))
            for number in [person.phone, person.mobile].compactMap(\.self) {
                let digits = number.filter(\.isNumber)
                #expect(digits.hasPrefix("155501") && digits.count == 8)
            }
        }
    }

    @Test func `has accounts and deals where they are asked for, and the same people`() {
        let wide = SandboxPopulation(seed: 42, people: 1_000, accounts: 120, deals: 200)
        #expect(wide == SandboxPopulation(seed: 42, people: 1_000, accounts: 120, deals: 200))
        #expect(wide.members.map(\.spellings) == world.members.map(\.spellings))
        #expect(world.accounts.isEmpty && world.deals.isEmpty)
        #expect(wide.members.contains { $0.account != nil })
        #expect(wide.accounts.contains { Set($0.spellings.values.map(\.name)).count > 1 })
        #expect(wide.deals.contains { Set($0.spellings.values.map(\.amount)).count > 1 })
        #expect(wide.deals.allSatisfy { $0.spellings[.mautic] == nil })
        let town = SandboxWorld(seed: 1, population: wide, at: SandboxTime(2026, 1, 1))
        let names = wide.accounts.compactMap { $0.spellings[.mautic]?.name?.lowercased() }
        #expect(Set(names).count == names.count)
        #expect(Set(town.mautic.accountRows.compactMap(\.account.name)).count == names.count)
        let known = Set(town.suiteCRM.accountRows.map(\.id))
        let employers = town.suiteCRM.rows.compactMap(\.person.account)
        #expect(!employers.isEmpty && known.isSuperset(of: employers))
        #expect(known.isSuperset(of: town.suiteCRM.dealRows.compactMap(\.deal.account)))
        for deal in town.compass.dealRows { #expect(deal.deal.amount != nil) }
        let spelt = wide.deals.compactMap { $0.spellings[.suitecrm]?.amount }
        #expect(town.suiteCRM.dealRows.compactMap(\.deal.amount).sorted() == spelt.sorted())
    }

    @Test func `settles in all three systems`() {
        var mautic = MauticSandbox(seed: 1)
        var suite = SuiteCRMSandbox(seed: 1)
        var compass = CompassSandbox(seed: 1)
        let start = SandboxTime(2026, 1, 1)
        let ids = world.settle(in: &mautic, as: .mautic, from: start)
        world.settle(in: &suite, as: .suitecrm, from: start)
        world.settle(in: &compass, as: .compass, from: start)
        #expect(ids.count == mautic.rows.count)
        #expect(Set(mautic.rows.map(\.person)) == Set(world.people(in: .mautic).map(\.sorted)))
        #expect(compass.rows.count == world.people(in: .compass).count)
        // An opt-out stands on the address, so in SuiteCRM whoever shares it has it too.
        let alike = Set(suite.rows.map(\.person.withoutConsent))
        #expect(alike == Set(world.people(in: .suitecrm).map(\.withoutConsent)))
    }
}

extension SandboxPerson {
    fileprivate var sorted: SandboxPerson {
        var person = self
        person.tags.sort()
        return person
    }

    fileprivate var withoutConsent: SandboxPerson {
        var person = self
        person.emailOptOut = false
        person.email = email?.lowercased()
        return person
    }
}
