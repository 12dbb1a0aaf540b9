import Crypto
import Foundation
import LMDB
import Testing

@testable import Ledger

@Suite struct SealingTests {
    let house: House

    init() throws { house = try House() }

    @Test func `the same event sealed twice is the same, byte for byte`() throws {
        let draft = person("Ada", 1)
        let first = try house.sealer.seal([draft])[0]
        let second = try house.sealer.seal([draft])[0]
        #expect(first.entry == second.entry)
        #expect(first.bodies == second.bodies)
        #expect(first.entry.parts[1].mac.count == 32)
        var other = draft
        other.id = EventID(high: 5, low: 999)
        #expect(try house.sealer.seal([other])[0].entry.parts[1].mac != first.entry.parts[1].mac)
    }

    @Test func `both keys of a part are those of RFC 5869, as a library makes them`() throws {
        for byte in UInt8.min...UInt8.max {
            let dataKey = SymmetricKey(data: [UInt8](repeating: byte, count: 32))
            let keys = PartKeys(dataKey: dataKey)
            func made(_ purpose: String) -> SymmetricKey {
                HKDF<SHA256>.deriveKey(
                    inputKeyMaterial: dataKey, info: Array(purpose.utf8), outputByteCount: 32)
            }
            #expect(keys.seal == made("syncledger seal"))
            let expected = HMAC<SHA256>.authenticationCode(
                for: [byte, 2, 3], using: made("syncledger mac"))
            #expect(keys.recognise.code(of: [byte, 2, 3]) == Array(expected))
        }
    }

    @Test
    func `a code is that of RFC 2104, as a library makes it, for every length of key and message`()
    {
        for length in 0...64 {
            let key = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7 + length) }
            let message = (0..<length * 3).map { UInt8(truncatingIfNeeded: $0 + length) }
            let expected = HMAC<SHA256>.authenticationCode(
                for: message, using: SymmetricKey(data: key))
            #expect(KeyedHash(key: key).code(of: message) == Array(expected))
        }
    }

    @Test func `another context, other bytes or another key are refused`() throws {
        let subject = SubjectID(high: 1, low: 1)
        let name = KeyRing.Name(subject: subject, category: .contact)
        let other = KeyRing.Name(subject: subject, category: .profile)
        let keys = try house.keys.keys(for: [name, other])
        let (mine, theirs) = (try #require(keys[name]), try #require(keys[other]))
        let context = [UInt8]("context".utf8)
        let closed = try PartSeal.seal([1, 2, 3], context: context, keys: mine)
        #expect(try PartSeal.open(closed.bytes, context: context, keys: mine) == [1, 2, 3])
        for byte in closed.bytes.indices {
            var bytes = closed.bytes
            bytes[byte] ^= 1
            #expect(throws: (any Error).self) {
                try PartSeal.open(bytes, context: context, keys: mine)
            }
        }
        #expect(throws: (any Error).self) {
            try PartSeal.open(closed.bytes, context: context + [0], keys: mine)
        }
        #expect(throws: (any Error).self) {
            try PartSeal.open(closed.bytes, context: context, keys: theirs)
        }
    }

    @Test func `what a part is bound to differs in each of its members`() {
        func context(
            _ ledger: UInt64, _ event: UInt64, _ part: Int, _ subject: UInt64,
            _ kind: Ledger.Category,
            _ schema: UInt64
        ) -> [UInt8] {
            PartSeal.context(
                ledger: LedgerID(high: 0, low: ledger), event: EventID(high: 0, low: event),
                part: part, subject: SubjectID(high: 0, low: subject), category: kind,
                schema: schema)
        }
        let contexts = [
            context(1, 1, 1, 1, .contact, 1), context(2, 1, 1, 1, .contact, 1),
            context(1, 2, 1, 1, .contact, 1), context(1, 1, 2, 1, .contact, 1),
            context(1, 1, 1, 2, .contact, 1), context(1, 1, 1, 1, .consent, 1),
            context(1, 1, 1, 1, .contact, 2),
        ]
        #expect(Set(contexts).count == contexts.count)
    }

    @Test func `a changed part, plain or sealed, is damage`() throws {
        try house.append([person("Ada", 1)])
        let stored = try house.log.read(from: 1, limit: 1)[0]
        for body in stored.bodies.indices {
            var changed = stored
            changed.bodies[body].bytes[0] ^= 1
            #expect(throws: LogError.damaged(sequence: 1)) {
                try house.sealer.open(changed, sequence: 1)
            }
        }
        var plainless = stored
        plainless.bodies.removeFirst()
        #expect(throws: LogError.damaged(sequence: 1)) {
            try house.sealer.open(plainless, sequence: 1)
        }
        #expect(throws: LogError.damaged(sequence: 2)) {
            try house.sealer.open(stored, sequence: 2)
        }
    }

    @Test func `a wrong master key is refused before anything is written`() throws {
        try house.append([person("Ada", 1)])
        try house.close()
        let before = try contents("keys/data.mdb")
        let error = #expect(throws: KeyError.self) {
            try KeyRing(
                directory: house.scratch("keys"), ledger: house.ledger, master: House.master(8))
        }
        #expect(error == .wrongMasterKey(epoch: 1))
        #expect(error?.description.contains("does not open this ledger's keys") == true)
        #expect(try contents("keys/data.mdb") == before)
        #expect(throws: KeyError.badMasterKey) { try MasterKey(epoch: 1, bytes: [1, 2, 3]) }
    }

    @Test func `keys of another ledger do not open here`() throws {
        try house.close()
        #expect(throws: KeyError.wrongMasterKey(epoch: 1)) {
            try KeyRing(
                directory: house.scratch("keys"), ledger: LedgerID(high: 0, low: 77),
                master: House.master(7))
        }
    }

    @Test func `a key that the disk changed is named, and the master key is not blamed`() throws {
        try house.append([person("Ada", 1)])
        try house.close()
        let environment = try Environment(at: house.scratch("keys"), tables: ["keys"])
        let table = environment.table("keys")
        let key = KeyRing.Name(subject: subject(1), category: .contact).key
        try environment.write { try $0.put(table, key: key, value: [1, 2, 3]) }
        try environment.close()
        let again = try House(at: house.scratch)
        #expect(throws: KeyError.damagedKey(subject(1))) { try again.events() }
        try again.close()
    }

    @Test func `a key that another process destroys is gone here at once`() async throws {
        try house.append([person("Ada", 1), person("Ben", 2)])
        #expect(try value(house.events()[0])?.value == .text("Ada"))
        let path = house.scratch("keys")
        let key = KeyRing.Name(subject: subject(1), category: .contact).key
        await #expect(processExitsWith: .success) { [path = path as String, key = key as [UInt8]] in
            let environment = try Environment(at: path, tables: ["keys"])
            let table = environment.table("keys")
            guard try environment.write({ try $0.delete(table, key: key) }) else { exit(2) }
            try environment.close()
        }
        let events = try house.events()
        #expect(value(events[0]) == Sealed(nil, subject: subject(1), category: .contact))
        #expect(value(events[1])?.value == .text("Ben"))
    }

    @Test func `an erased key leaves entry and proofs, and a person who comes back gets another`()
        throws
    {
        try house.append([person("Ada", 1), person("Ben", 2)])
        let root = try house.log.head().root
        try house.close()
        try house.erase(subject(1))

        let after = try House(at: house.scratch)
        var events = try after.events()
        #expect(value(events[0]) == Sealed(nil, subject: subject(1), category: .contact))
        #expect(value(events[1])?.value == .text("Ben"))
        #expect(try after.log.head().root == root)
        #expect(try after.recomputedRoot() == root)

        try after.append([person("Ada again", 3, subject: subject(1))])
        events = try after.events()
        #expect(value(events[0])?.value == nil)
        #expect(value(events[2])?.value == .text("Ada again"))
        try after.close()
    }

    @Test func `neither clear text nor a key stands in any file`() throws {
        let markers = ["MARKER-of-Ada", "MARKER-a-template"]
        for round in 0..<200 {
            try house.append([
                person("MARKER-of-Ada-\(round)", round + 1),
                person(String(repeating: "MARKER-a-template", count: 200), round + 10_000),
            ])
        }
        let name = KeyRing.Name(subject: subject(1), category: .contact)
        let keys = try #require(try house.keys.key(for: name))
        try house.close()
        var needles = markers.map { Data($0.utf8) }
        needles.append(Data(repeating: 7, count: 32))
        needles.append(keys.seal.withUnsafeBytes { Data($0) })
        let files = try FileManager.default.subpathsOfDirectory(atPath: house.scratch.path)
            .filter { $0.hasSuffix(".mdb") }
        #expect(files.count == 6)
        for file in files {
            let bytes = try contents(file)
            for needle in needles { #expect(bytes.range(of: needle) == nil, "\(file)") }
        }
    }

    @Test func `two people in one event are erased apart`() throws {
        var confirmed = CommandConfirmed()
        confirmed.remoteID = Sealed(.text("17"), subject: subject(1), category: .identity)
        var stored = StoredAttribute()
        stored.value = Sealed(.text("ben@example.org"), subject: subject(2), category: .contact)
        confirmed.stored = [stored]
        try house.append([draft(.commandConfirmed(confirmed), 1)])
        #expect(try house.events()[0].event == .commandConfirmed(confirmed))
        try house.close()
        try house.erase(subject(2))

        let after = try House(at: house.scratch)
        guard case .commandConfirmed(let read) = try after.events()[0].event else {
            Issue.record("another event came back")
            return
        }
        #expect(read.remoteID?.value == .text("17"))
        #expect(read.stored[0].value == Sealed(nil, subject: subject(2), category: .contact))
        try after.close()
    }

    @Test func `ten people in one raw webhook are taken over, and its body goes with one key`()
        throws
    {
        let body = [UInt8]((1...10).map { "person \($0)" }.joined(separator: "\n").utf8)
        let intake = SubjectID.derived("intake", [[1]])
        var hint = HintReceived()
        hint.body = Sealed(.bytes(body), subject: intake, category: .intake)
        hint.verified = true
        let told = draft(.hintReceived(hint), 1)
        let people = (1...10).map { number in
            var observed = Observed()
            observed.attributes = [
                ObservedAttribute(
                    "email",
                    Sealed(.text("person \(number)"), subject: subject(number), category: .contact))
            ]
            var seen = draft(.observed(observed), 1 + number)
            seen.causation = told.id
            return seen
        }
        try house.append([told] + people)
        #expect(try house.events()[0].event == .hintReceived(hint))
        #expect(try house.events()[0].entry.parts.count == 2)
        let root = try house.log.head().root
        try house.close()
        try house.erase(intake, .intake)

        let after = try House(at: house.scratch)
        let events = try after.events()
        guard case .hintReceived(let read) = events[0].event else {
            Issue.record("another event came back")
            return
        }
        #expect(read.verified)
        #expect(read.body == Sealed(nil, subject: intake, category: .intake))
        for (event, sent) in zip(events.dropFirst(), people) {
            #expect(event.event == sent.event)
            #expect(event.entry.causation == told.id)
        }
        #expect(try after.recomputedRoot() == root)
        try after.close()
    }

    @Test func `a template of 70 KB stands beside the log and comes back`() throws {
        let text = String(repeating: "<p>Hello {contactfield=firstname}</p>\n", count: 1_900)
        #expect(text.utf8.count > 70_000)
        try house.append([person(text, 1), person("small", 2)])
        #expect(value(try house.events()[0])?.value == .text(text))
        let (rows, widest) = try house.log.environment.read { transaction in
            var widest = 0
            try transaction.scan(house.log.tables.events) { _, row in
                widest = max(widest, row.count)
                return .next
            }
            return (try transaction.count(house.log.tables.parts), widest)
        }
        #expect(rows == 1)
        #expect(widest < 1_900)
    }

    @Test func `a part that was dropped takes its values with it and no proof`() throws {
        try house.append([person("Ada", 1), person("Ben", 2), person("Cy", 3)])
        let events = try house.log.read(from: 1, limit: 3)
        var dropped = events[1]
        dropped.bodies.removeAll { $0.index == 1 }
        let read = try house.sealer.open(dropped, sequence: 2)
        #expect(value(read) == Sealed(nil, subject: subject(2), category: .contact))
        let leaves = events.map { Merkle.leaf($0.entry) }
        let proved = MerkleProof.verifyInclusion(
            of: Merkle.leaf(dropped.entry), index: 1, size: 3,
            path: MerkleProof.inclusion(of: 1, in: leaves[...]),
            root: try house.log.head().root)
        #expect(proved)
    }

    @Test func `a decision is read without the codec that made it`() throws {
        var input = DecisionInput()
        input.spelt = Sealed(.text("+49 30 1234"), subject: subject(1), category: .contact)
        input.canonical = Sealed(.text("+49301234"), subject: subject(1), category: .contact)
        var field = FieldDecision()
        field.kind = .moved
        field.outcome = Sealed(.text("+49301234"), subject: subject(1), category: .contact)
        field.inputs = [input]
        var decided = Decided()
        decided.codec = 4_711
        decided.fields = [field]
        try house.append([draft(.decided(decided), 1)])
        guard case .decided(let read) = try house.events()[0].event else {
            Issue.record("another event came back")
            return
        }
        #expect(read.codec == 4_711)
        #expect(read.fields[0].outcome?.value == .text("+49301234"))
        #expect(read.fields[0].inputs[0].canonical?.value == .text("+49301234"))
    }

    @Test(arguments: 0..<56)
    func `every kind of event comes back as it went in`(seed: Int) throws {
        let event = Samples.event(seed: seed)
        try house.append([draft(event, 1)])
        #expect(try house.events()[0].event == event)
    }

    @Test func `an event of an unknown type comes back byte for byte`() throws {
        let event = Event.unrecognized(type: 4_242, schema: 3, plain: [9, 8, 7])
        try house.append([draft(event, 1)])
        let read = try house.events()[0]
        #expect(read.event == event)
        #expect(read.entry.type == 4_242)
    }

    @Test func `many new people at once get their keys`() throws {
        let names = (0..<20_000).map { KeyRing.Name(subject: subject($0), category: .contact) }
        let keys = try house.keys.keys(for: Set(names))
        #expect(keys.count == names.count)
    }

    // MARK: - People

    private func subject(_ number: Int) -> SubjectID { SubjectID(high: 77, low: UInt64(number)) }

    private func draft(_ event: Event, _ number: Int) -> Draft {
        Draft(
            id: EventID(high: 6, low: UInt64(number)), stream: .record(RecordID(high: 1, low: 1)),
            event: event)
    }

    private func person(_ name: String, _ number: Int, subject: SubjectID? = nil) -> Draft {
        var given = ConsentGiven()
        given.evidence = Sealed(
            .text(name), subject: subject ?? self.subject(number), category: .contact)
        return draft(.consentGiven(given), number)
    }

    private func value(_ event: LoggedEvent) -> Sealed? {
        if case .consentGiven(let given) = event.event { given.evidence } else { nil }
    }

    private func contents(_ file: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: house.scratch(file)))
    }
}
