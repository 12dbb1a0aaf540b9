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
        let group = try JSONDecoder().decode(VectorFile.self, from: data)
        #expect(!group.vectors.isEmpty)
        for vector in group.vectors { run(vector, "\(file): \(vector.name)") }
    }

    private func run(_ vector: Vector, _ name: String) {
        if let look = vector.look {
            let roads: [Road] = [.fetch, .sweep, .get, .outbox, .imported, .readBack]
            guard let road = roads.first(where: { $0.name == look.road }) else {
                Issue.record("\(name): no road \(look.road)")
                return
            }
            let order = LookOrder(lastLook: look.lastLook, lastSettled: look.lastSettled)
            let accepted = order.accepts(road: road, lookedAfter: look.lookedAfter)
            #expect(accepted == vector.expect.accepted, "\(name)")
        }
        guard var state = vector.fieldState else { return }
        confirm(vector, state, name)
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
            guard let branch = state.branches.first(where: { $0.replica == Vector.id(replica) })
            else { continue }
            #expect(need(vector.merge.need(branch, state)) == expected, "\(name): \(replica)")
        }
    }

    private func confirm(_ vector: Vector, _ state: FieldState, _ name: String) {
        guard let confirmation = vector.confirm,
            var branch = state.branches.first(where: {
                $0.replica == Vector.id(confirmation.replica)
            })
        else { return }
        branch.confirm(
            WriteForm(word: confirmation.form), sent: confirmation.sent.value,
            stored: confirmation.stored?.value, version: confirmation.version,
            told: confirmation.told, by: .none)
        let after = Vector.BranchAfter(
            seen: Plain(branch.seen ?? .null), accounted: Plain(branch.accounted ?? .null))
        #expect(after == vector.expect.branch, "\(name)")
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
