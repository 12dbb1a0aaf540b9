import Foundation
import Model
import Testing

/// One rule of the merge, and the kind of world that shows what it holds up.
struct RuleCase: Sendable, CustomTestStringConvertible {
    var name: String
    var kind: WorldKind
    var merge: MergeRules = []
    var engine: EngineRules = []
    /// How many worlds to look through.
    var worlds: UInt64 = 1_000

    var testDescription: String { name }

    init(_ name: String, _ kind: WorldKind, _ merge: MergeRules, worlds: UInt64 = 1_000) {
        self.name = name
        self.kind = kind
        self.merge = merge
        self.worlds = worlds
    }

    init(_ name: String, _ kind: WorldKind, _ engine: EngineRules, worlds: UInt64 = 1_000) {
        self.name = name
        self.kind = kind
        self.engine = engine
        self.worlds = worlds
    }

    /// Its world without the rule.
    var setup: WorldSetup {
        var setup = WorldSetup(kind, seed: 0)
        setup.merge.subtract(merge)
        setup.engine.subtract(engine)
        return setup
    }

    static let merging: [RuleCase] = [
        RuleCase("While a write is open, its replica decides nothing", .sum, .openWritesWait),
        RuleCase("Our own write is known by its echo", .plain, .echoes),
        RuleCase("Showing the outcome is agreement", .plain, .agreement, worlds: 4_000),
        RuleCase("The outcome competes with who did not know it", .plain, .outcomeCompetes),
        RuleCase("The richer of two forms stands", .plain, .richerStands, worlds: 2_000),
        RuleCase("Empty joiners are silent", .plain, .emptiesAreSilent),
        RuleCase("A joiner freezes only itself", .plain, .joinersApart),
        RuleCase("A person's word loses to no law", .plain, .personStands, worlds: 2_000),
        RuleCase("Only news is written", .plain, .onlyNews),
        RuleCase("An accepted form is the outcome there", .plain, .acceptedForms),
        RuleCase("Consent is joined", .strictest, .strictConsent),
        RuleCase("Sets are joined, an add beats a remove", .union, .addsBeatRemoves),
        RuleCase("Counts are joined by their differences", .sum, .sumsOfChanges),
        RuleCase("A refused value rests", .plain, .refusalsRest),
        RuleCase("An unknown form is asked", .plain, .unknownFormsAsk, worlds: 4_000),
        RuleCase("Evidence lifts a consent", .strictest, .evidenceLifts),
        RuleCase("A fresh record hears all", .plain, .freshRecordsHearAll, worlds: 8_000),
    ]

    static let driving: [RuleCase] = [
        RuleCase("Looks count in the order they left", .plain, .looksInOrder),
        RuleCase("A look from before a write's end does not count", .plain, .looksAfterWrites),
        RuleCase("What is overtaken is logged", .plain, .overtakenIsLogged),
        RuleCase("u is what the decision named", .plain, .accountsWhatWasNamed),
        RuleCase("u is what the write stored", .plain, .accountsWhatWasStored, worlds: 2_000),
        RuleCase("A command is superseded when its ground moves", .strictest, .superseding),
        RuleCase("A contest supersedes queued writes", .plain, .contestsSupersede),
        RuleCase("An unheard write is settled by looking", .sum, .looksSettle),
        RuleCase("A plan is made anew when the record moved", .plain, .conditions),
        RuleCase("The old value still standing is a refusal", .plain, .notStoredIsRefused),
        RuleCase("Compass is written by compare-and-set", .sum, .compareAndSet),
        RuleCase("Echoes never expire", .plain, .echoesNeverExpire),
        RuleCase("u survives unlink and relink", .sum, .accountsSurviveRelink),
        RuleCase("Counts are written as deltas", .sum, .deltas),
        RuleCase("An uncertain delta is settled or parked", .sum, .deltasPark),
        RuleCase("A lift looks first", .strictest, .liftsLookFirst),
        RuleCase("Foreign elements are not ours to remove", .union, .foreignElements),
        RuleCase("A command's id derives from its ground", .plain, .derivedIDs, worlds: 4_000),
    ]
}

/// Every rule of the merge has a world that breaks a law without it, and the page says which.
@Suite struct RuleTableTests {
    private func show(_ rule: RuleCase) throws {
        guard let (seed, broken) = firstFailure(rule.setup, worlds: 0..<rule.worlds) else {
            Issue.record("without “\(rule.name)” no law breaks in \(rule.worlds) worlds")
            return
        }
        let line = "| \(rule.name) | \(broken[0].law.rawValue) | \(rule.kind) \(seed) |"
        #expect(try RulePage().lines.contains(line), "Merge.md must say: \(line)")
        var whole = WorldSetup(rule.kind, seed: seed)
        whole.seed = seed
        #expect(World(whole).run().isEmpty, "with the rule the same world must hold")
    }

    @Test(arguments: RuleCase.merging)
    func `a law breaks without the rule of the merge`(rule: RuleCase) throws { try show(rule) }

    @Test(arguments: RuleCase.driving)
    func `a law breaks without the rule of the engine`(rule: RuleCase) throws { try show(rule) }

    @Test func `the page names every rule that can be switched off, and no other`() throws {
        let named = try RulePage().rules.filter { $0.count == 3 }.map { $0[0] }
        #expect(named == (RuleCase.merging + RuleCase.driving).map(\.name))
        let switched = RuleCase.merging.reduce(into: MergeRules()) { $0.formUnion($1.merge) }
        #expect(switched == .all)
    }

    @Test func `the page names every file of vectors, and no other`() throws {
        let shown = try RulePage().rules.compactMap { $0.last }
            .filter { $0.hasPrefix("by vector `") }
            .map { String($0.dropFirst("by vector `".count).dropLast()) }
        #expect(Set(shown) == Set(MergeVectorTests.files))
    }
}

/// The tables of the page on the merge.
struct RulePage {
    let lines: [String]

    init() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Sources/syncledger/Documentation.docc/Merge.md")
        lines = try String(contentsOf: page, encoding: .utf8)
            .split(separator: "\n").map(String.init)
    }

    /// The cells of each row, without the heads.
    var rules: [[String]] {
        lines.filter { $0.hasPrefix("| ") && !$0.hasPrefix("| rule |") }
            .map { row in
                row.dropFirst(2).dropLast(2).components(separatedBy: " | ")
            }
    }
}
