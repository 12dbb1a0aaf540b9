import Testing

@testable import Sandbox

/// Accounts and deals as plain values, put into the systems and changed there by people.
@Suite struct `Accounts and deals of people` {
    private static let acme = SandboxAccount(
        name: "Acme", website: "https://acme.example", phone: "+1-555-0100",
        industry: "Technology", street: "1 Main Street", city: "Oslo", postcode: "0150",
        country: "Norway", employees: 42, description: "Met at the fair.")

    private func lives<Machine: SandboxMachine>(in machine: inout Machine) {
        let id = machine.seed(Self.acme, at: noon)
        let contact = machine.seed(
            SandboxPerson(email: "a@example.com", account: id), at: noon)
        #expect(machine.accountRows.map(\.account) == [Self.acme])
        #expect(machine.rows.map(\.person.account) == [id])
        let later = noon.adding(seconds: 60)
        let isEdited = machine.personEditsAccount(id, at: later) {
            $0.city = "Bonn"
            $0.employees = nil
        }
        #expect(isEdited)
        #expect(machine.accountRows[0].account.city == "Bonn")
        #expect(machine.accountRows[0].account.employees == nil)
        #expect(machine.accountRows[0].account.name == "Acme")
        #expect(machine.accountRows[0].modified == later)
        let other = machine.seed(SandboxAccount(name: "Other"), at: noon)
        machine.personEdits(contact, at: later) { $0.account = other }
        #expect(machine.rows[0].person.account == other)
        machine.personEdits(contact, at: later) { $0.account = nil }
        #expect(machine.rows[0].person.account == nil)
        let isDeleted = machine.personDeletesAccount(id, at: later)
        #expect(isDeleted)
        #expect(machine.accountRows.map(\.id) == [other])
    }

    @Test func `live in all three systems`() {
        var mautic = MauticSandbox(seed: 1)
        lives(in: &mautic)
        var suite = SuiteCRMSandbox(seed: 1)
        lives(in: &suite)
        var compass = CompassSandbox(seed: 1)
        lives(in: &compass)
    }

    private func deals<Machine: SandboxDealMachine>(in machine: inout Machine) {
        let account = machine.seed(Self.acme, at: noon)
        let deal = SandboxDeal(
            name: "Licences", account: account, amount: "1234.5", stage: "Prospecting",
            closeDate: "2027-01-31", probability: 10, description: "Asked twice.")
        let id = machine.seed(deal, at: noon)
        #expect(machine.dealRows.map(\.deal) == [deal])
        let later = noon.adding(seconds: 60)
        let isEdited = machine.personEditsDeal(id, at: later) {
            $0.amount = "99.9"
            $0.account = nil
        }
        #expect(isEdited)
        #expect(machine.dealRows[0].deal.amount == "99.9")
        #expect(machine.dealRows[0].deal.account == nil)
        #expect(machine.dealRows[0].deal.stage == "Prospecting")
        #expect(machine.dealRows[0].modified == later)
        let isDeleted = machine.personDeletesDeal(id, at: later)
        #expect(isDeleted)
        #expect(machine.dealRows.isEmpty)
    }

    @Test func `have deals in two of them`() {
        var suite = SuiteCRMSandbox(seed: 1)
        deals(in: &suite)
        var compass = CompassSandbox(seed: 1)
        deals(in: &compass)
    }
}
