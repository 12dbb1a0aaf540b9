import Foundation
import Ledger
import Model
import Testing

/// The language-neutral vectors of `Schemas/merge`, run as anybody's implementation can.
@Suite struct MergeVectorTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Schemas/merge")

    static let files: [String] = {
        let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        return (names ?? []).filter { $0.hasSuffix(".json") }.sorted()
    }()

    @Test func `there is a file for each group of rules`() {
        #expect(Self.files.count >= 18)
    }

    @Test(arguments: files)
    func `the merge gives what the vectors say`(file: String) throws {
        let data = try Data(contentsOf: Self.folder.appending(path: file))
        try #require(VectorWords.problems(in: JSONSerialization.jsonObject(with: data)) == [])
        let group = try JSONDecoder().decode(VectorFile.self, from: data)
        #expect(!group.vectors.isEmpty)
        for vector in group.vectors { try run(vector, "\(file): \(vector.name)") }
    }

    @Test func `a word that nobody knows fails its vector`() throws {
        func problems(_ vector: String) throws -> [String] {
            let text = #"{"rule": "", "vectors": [\#(vector)]}"#
            return VectorWords.problems(
                in: try JSONSerialization.jsonObject(with: Data(text.utf8)))
        }
        let sound = #"{"name": "", "state": {"branches": [{"replica": "mautic"}]}, "expect": {"#
        #expect(try problems(sound + #""rulings": []}}"#) == [])
        for (wrong, word) in [
            (sound + #""ruling": []}}"#, "ruling"),
            (sound + #""needs": {"mautik": {"verdict": "in sync"}}}}"#, "mautik"),
            (sound + #""needs": {"compass": {"verdict": "in sync"}}}}"#, "compass"),
            (sound + #""after": {"suitecrm": {"seen": 1, "accounted": 1}}}}"#, "suitecrm"),
            (sound + "}}", "expects nothing"),
            (#"{"name": "", "law": "newset", "expect": {"rulings": []}}"#, "newset"),
            (#"{"name": "", "prefer": ["mautik"], "expect": {"rulings": []}}"#, "mautik"),
            (#"{"name": "", "look": {"rode": 1}, "expect": {"accepted": true}}"#, "rode"),
        ] {
            let found = try problems(wrong)
            #expect(found.contains { $0.contains(word) }, "\(wrong): \(found)")
        }
    }

    private func run(_ vector: Vector, _ name: String) throws {
        if let look = vector.look {
            let roads: [Road] = [.fetch, .sweep, .get, .outbox, .imported, .readBack]
            let road = try #require(roads.first { $0.name == look.road })
            let order = LookOrder(lastLook: look.lastLook, lastSettled: look.lastSettled)
            let accepted = order.accepts(road: road, lookedAfter: look.lookedAfter)
            #expect(accepted == vector.expect.accepted, "\(name)")
        }
        if let spell = vector.spell { try run(spell, vector.expect, name) }
        guard var state = vector.fieldState else { return }
        try confirm(vector, state, name)
        try change(&state, vector)
        var rulings: [Vector.RulingText] = []
        if let word = vector.settle {
            let ruling = vector.merge.settle(state, on: word.value)
            rulings.append(text(ruling))
            state = state.folding(ruling)
        }
        while let ruling = vector.merge.decide(state), rulings.count < 10 {
            rulings.append(text(ruling))
            state = state.folding(ruling)
        }
        if let expected = vector.expect.rulings { #expect(rulings == expected, "\(name)") }
        for (replica, expected) in vector.expect.needs ?? [:] {
            let branch = try branch(replica, state)
            #expect(need(vector.merge.need(branch, state)) == expected, "\(name): \(replica)")
        }
        for (replica, expected) in vector.expect.after ?? [:] {
            let after = Vector.BranchAfter(try branch(replica, state), like: expected)
            #expect(after == expected, "\(name): \(replica)")
        }
    }

    private func run(_ spell: Vector.Spell, _ expect: Vector.Expectation, _ name: String) throws {
        let codec = FieldCodec(
            Vector.system(spell.system), try #require(Vector.BranchText.kinds[spell.kind]),
            maximumLength: spell.maximumLength)
        if let spelling = expect.spelling {
            #expect(Plain(codec.spelling(of: spell.content.value)) == spelling, "\(name)")
        }
        if let held = expect.held {
            #expect(Plain(codec.held(spell.content.value)) == held, "\(name)")
        }
    }

    private func branch(_ replica: String, _ state: FieldState) throws -> Branch {
        try #require(state.branches.first { $0.replica == Vector.id(replica) })
    }

    /// What happens to a branch before anything is decided.
    private func change(_ state: inout FieldState, _ vector: Vector) throws {
        func position(_ replica: String) throws -> Int {
            try #require(state.branches.firstIndex { $0.replica == Vector.id(replica) })
        }
        if let replica = vector.relink { state.branches[try position(replica)].relinked() }
        if let merged = vector.merged {
            let other = try branch(merged.replica, state)
            state.branches[try position(merged.into)].takeOver(other)
            state.branches.remove(at: try position(merged.replica))
        }
        if let replica = vector.readdress { state.branches[try position(replica)].readdressed() }
    }

    private func confirm(_ vector: Vector, _ state: FieldState, _ name: String) throws {
        guard let confirmation = vector.confirm else { return }
        var branch = try branch(confirmation.replica, state)
        branch.confirm(
            WriteForm(word: confirmation.form), sent: confirmation.sent.value,
            stored: confirmation.stored?.value, version: confirmation.version,
            told: confirmation.told, by: .none)
        let expected = try #require(vector.expect.branch)
        let after = Vector.BranchAfter(branch, like: expected)
        #expect(after == expected, "\(name)")
    }

    private func text(_ ruling: Ruling) -> Vector.RulingText {
        Vector.RulingText(
            kind: ruling.kind.name, reason: ruling.reason.rawValue,
            outcome: ruling.outcome.flatMap { $0.value == .null ? nil : Plain($0.value) },
            version: ruling.outcome?.version,
            inputs: Dictionary(
                uniqueKeysWithValues: ruling.inputs.map { (Vector.name($0.replica), $0.role.name) })
        )
    }

    private func ordered(_ value: Value) -> Value {
        if case .set(let elements) = value { .set(of: elements) } else { value }
    }

    private func need(_ need: WriteNeed) -> Vector.Need {
        switch need {
        case .inSync: Vector.Need(verdict: "in sync")
        case .wait(let wait): Vector.Need(verdict: wait.rawValue)
        case .write(let write):
            Vector.Need(
                verdict: "write", send: Plain(ordered(write.spelling)), form: write.form.word)
        }
    }
}
