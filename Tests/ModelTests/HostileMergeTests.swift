import Ledger
import Model
import Testing

/// Whatever a remote or a newer version tells: no trap, an end, and nothing unread is spread.
@Suite struct HostileMergeTests {
    private static let values: [Value] = [
        .null, .text(""), .text("A"), .text("B."), .text("9223372036854775807"), .number("0"),
        .number("5"), .number("-9223372036854775808"), .number("9223372036854775807"),
        .number("9223372036854775808"), .number("1e400"), .number("-"), .bool(true), .bool(false),
        .set([]), .set(["-x", "a,b", "ok"]), .bytes([0]), .unrecognized([58, 1, 0]),
        .unrecognized([58, 1, 1]),
    ]
    private static let moments: [Int64] = [.min, -1, 0, 10, 30, .max]

    private static func evidence(_ random: inout SplitMix64) -> Evidence? {
        guard random.chance(70) else { return nil }
        func moment() -> Timestamp? {
            random.chance(20) ? nil : Timestamp(microseconds: random.pick(moments))
        }
        return Evidence(earliest: moment(), latest: moment())
    }

    private static func branch(
        _ number: Int, _ field: FieldMapping, _ random: inout SplitMix64
    ) -> Branch {
        let system = random.pick(field.spellings.keys.sorted())
        let spelling = field.spellings[system] ?? Spelling("none", FieldCodec(system, .text))
        var branch = Branch(
            replica: ReplicaID(high: 1, low: UInt64(number)), system: system, spelling: spelling)
        branch.seen = random.chance(90) ? random.pick(values) : nil
        branch.accounted = random.chance(70) ? random.pick(values) : nil
        branch.evidence = evidence(&random)
        branch.maySpeak = random.chance(90)
        branch.mayWrite = random.chance(90)
        branch.isUnverified = random.chance(10)
        branch.liftsAnswered = random.below(2)
        if random.chance(20) {
            branch.pending = [
                PendingWrite(
                    command: .none, leaves: random.pick(values), isOpen: random.chance(30))
            ]
        }
        return branch
    }

    @Test(arguments: UInt64(0)..<200)
    func `any state ends in rulings under somebody's name and writes of what is known`(
        seed: UInt64
    ) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<50 {
            let field = random.pick(EntityMapping.contact.fields)
            let law = field.law.isJoin ? field.law : random.pick([.fieldMerge, .newest, .manual])
            let merge = Merge(
                policy: FieldPolicy(law: law, prefer: field.prefer, enforce: random.chance(20)),
                skew: random.chance(30) ? nil : random.pick(Self.moments))
            var state = FieldState(
                branches: (1...3).map { Self.branch($0, field, &random) })
            if random.chance(70) {
                state.outcome = Outcome(
                    value: random.pick(Self.values), version: 1, author: state.branches[0].replica,
                    authorSystem: state.branches[0].system, evidence: Self.evidence(&random))
            }
            state.consentGiven = random.chance(20)
            check(merge, state, &random, "seed \(seed), \(field.name)")
        }
    }

    private func check(
        _ merge: Merge, _ start: FieldState, _ random: inout SplitMix64, _ name: String
    ) {
        var state = start
        for _ in 0..<4 {
            state = decided(merge, state, name)
            for index in state.branches.indices {
                let branch = state.branches[index]
                guard case .write(let write) = merge.need(branch, state),
                    let outcome = state.outcome
                else { continue }
                #expect(branch.spelling.codec.reads(outcome.value), "\(name): \(write)")
                #expect(!write.spelling.isUnrecognized, "\(name)")
                state.branches[index].confirm(
                    write.form, sent: write.spelling, stored: write.leaves,
                    version: outcome.version, told: random.chance(50), by: .none)
            }
            // A set has no order that a seed would repeat.
            let sides = (state.contest?.sides ?? []).map(\.content)
                .sorted { "\($0)" < "\($1)" }
            if !sides.isEmpty, random.chance(50) {
                state = state.folding(merge.settle(state, on: random.pick(sides)))
            }
        }
    }

    private func decided(_ merge: Merge, _ start: FieldState, _ name: String) -> FieldState {
        var state = start
        var story: [String] = []
        for _ in 0..<20 {
            guard let ruling = merge.decide(state) else { return state }
            if ruling.kind == .moved {
                #expect(ruling.outcome?.author != nil, "\(name): \(ruling)")
                let codec = start.branches[0].spelling.codec
                #expect(ruling.outcome.map { codec.reads($0.value) } ?? false, "\(name): \(ruling)")
            }
            story.append("\(ruling.kind) \(ruling.reason) of \(ruling.inputs.map(\.content))")
            state = state.folding(ruling)
        }
        Issue.record(
            "\(name), \(merge.policy.law): \(story.joined(separator: ", "))"
        )
        return state
    }
}
