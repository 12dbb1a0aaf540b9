import LMDB
import Testing

@testable import Ledger

/// What sending an event again gives when a key was erased in between and another was made.
@Suite struct RepeatTests {
    let house: House

    init() throws { house = try House() }

    @Test func `a repeat whose key is gone gets its old place, and is said not to be verified`()
        throws
    {
        let sent = [person(1, "Ada"), person(2, "Ben")]
        #expect(try receipt(house, sent) == Receipt(sequences: [1, 2]))
        let after = try erased(subject(1))
        for _ in 0..<2 {
            let again = try receipt(after, sent + [person(3, "Cy")])
            #expect(again == Receipt(sequences: [1, 2, 3], unverified: [1]))
            try after.log.flushIndex()
        }
        #expect(after.log.end == 3)
    }

    @Test(arguments: [3, 4_000])
    func `other content under the key that stands is a conflict`(length: Int) throws {
        try house.append([person(1, text("a", length)), person(2, "Ben")])
        let after = try erased(subject(2))
        #expect(throws: LogError.idConflict(person(1, "").id, sequence: 1)) {
            try after.append([person(1, text("b", length))])
        }
    }

    @Test(arguments: [3, 4_000])
    func `other content of the same length passes unverified when the key is gone`(
        length: Int
    ) throws {
        try house.append([person(1, text("a", length))])
        let after = try erased(subject(1))
        let again = try receipt(after, [person(1, text("b", length))])
        #expect(again == Receipt(sequences: [1], unverified: [1]))
    }

    @Test func `what differs in more than a MAC is a conflict though the key is gone`() throws {
        try house.append([person(1, "Ada")])
        let after = try erased(subject(1))
        var elsewhere = person(1, "Ada")
        elsewhere.stream = .record(RecordID(high: 2, low: 2))
        for other in [
            person(1, "Adam"), person(1, "Ada", of: subject(9)),
            person(1, "Ada", category: .profile), elsewhere,
        ] {
            #expect(throws: LogError.idConflict(other.id, sequence: 1)) {
                try after.append([other])
            }
        }
    }

    @Test func `of two parts, the one whose key stands still tells`() throws {
        try house.append([two("Ada", "Ben")])
        let after = try erased(subject(1))
        let again = try receipt(after, [two("Ada", "Ben")])
        #expect(again == Receipt(sequences: [1], unverified: [1]))
        #expect(throws: LogError.idConflict(two("", "").id, sequence: 1)) {
            try after.append([two("Ada", "Bob")])
        }
    }

    @Test func `a body that opens under no key and is not what was committed to is damage`()
        throws
    {
        try house.append([person(1, "Ada")])
        let after = try erased(subject(1))
        let tables = after.log.tables
        try after.log.environment.write { transaction in
            let row = try #require(
                try transaction.get(tables.events, key: BigEndianKey(1)) { $0.copy() })
            var changed = row
            changed[row.count - 1] ^= 1
            try transaction.put(tables.events, key: BigEndianKey(1), value: changed)
        }
        #expect(throws: LogError.damaged(sequence: 1)) { try after.append([person(1, "Ada")]) }
    }

    // MARK: - People

    private func subject(_ number: Int) -> SubjectID { SubjectID(high: 77, low: UInt64(number)) }

    private func text(_ letter: String, _ length: Int) -> String {
        String(repeating: letter, count: length)
    }

    private func person(
        _ number: Int, _ name: String, of other: SubjectID? = nil,
        category: Ledger.Category = .contact
    ) -> Draft {
        var given = ConsentGiven()
        given.evidence = Sealed(
            .text(name), subject: other ?? subject(number), category: category)
        return draft(number, .consentGiven(given))
    }

    /// An event with a part of subject 1 and a part of subject 2.
    private func two(_ one: String, _ other: String) -> Draft {
        var confirmed = CommandConfirmed()
        confirmed.remoteID = Sealed(.text(one), subject: subject(1), category: .contact)
        var stored = StoredAttribute()
        stored.value = Sealed(.text(other), subject: subject(2), category: .contact)
        confirmed.stored = [stored]
        return draft(1, .commandConfirmed(confirmed))
    }

    private func draft(_ number: Int, _ event: Event) -> Draft {
        Draft(
            id: EventID(high: 6, low: UInt64(number)), stream: .record(RecordID(high: 1, low: 1)),
            event: event)
    }

    private func receipt(_ house: House, _ drafts: [Draft]) throws -> Receipt {
        try house.log.append(house.sealer.seal(drafts))
    }

    /// The house opened again, with one key less.
    private func erased(_ subject: SubjectID) throws -> House {
        try house.close()
        try house.erase(subject)
        return try House(at: house.scratch)
    }
}
