import ArgumentParser
import Connectors
import Engine
import Ledger
import Model

struct Policies: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Which law decides each field when systems differ, and how to change it.",
        discussion: """
            A change decides nothing by itself: it holds for what is seen from then on. What already \
            stood open is shown by `plan --realign` and done by `apply --realign`.
            """,
        subcommands: [List.self, Set.self, Reset.self], defaultSubcommand: List.self)

    /// Whose laws they are.
    struct Whose: ParsableArguments {
        @Option(help: "Whose laws: those of contact, account or deal.") var entity = "contact"
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "The laws in force.")
        @OptionGroup var common: Common
        @OptionGroup var whose: Whose

        func run() throws {
            try common.withWorkplace { workplace in
                let mapping = try workplace.mapping().entity(named: whose.entity)
                let policy = try workplace.policy(of: mapping.entity)
                let rows = mapping.fields.map { field in
                    let own = policy.policy(for: field)
                    return [
                        field.name, own.law.rawValue,
                        own.prefer.map(\.name).joined(separator: ", "),
                        own.enforce ? "enforced" : "",
                        policy.fields[field.name] != nil
                            ? "set here"
                            : field.law.isJoin
                                ? "always joins"
                                : field.law != .fieldMerge ? "by the mapping" : "by the preset",
                    ]
                }
                common.show(
                    json(policy, mapping),
                    [
                        "Preset: \(policy.preset.rawValue). Deleted somewhere: \(policy.existence.rawValue)."
                    ]
                        + table([["field", "law", "prefer", "", ""]] + rows))
            }
        }

        private func json(_ policy: Policy, _ mapping: EntityMapping) -> JSON {
            .object([
                .init("preset", .string(policy.preset.rawValue)),
                .init("existence", .string(policy.existence.rawValue)),
                .init(
                    "fields",
                    .array(
                        mapping.fields.map { field in
                            let own = policy.policy(for: field)
                            return .object([
                                .init("field", .string(field.name)),
                                .init("law", .string(own.law.rawValue)),
                                .init("prefer", .array(own.prefer.map { .string($0.name) })),
                                .init("enforce", .bool(own.enforce)),
                                .init("own", .bool(policy.fields[field.name] != nil)),
                            ])
                        })),
            ])
        }
    }

    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a field, the preset or existence another law.",
            usage: "syncledger policy set <what> <law> [options]",
            discussion: """
                Laws of a field: field-merge, newest, prefer, manual, last-write-wins; of numbers max \
                and min, too. Presets: field-merge, manual, last-write-wins. Existence: ask, \
                delete_wins, edit_wins. What is left out of --prefer and --enforce stays as it is. \
                Without --yes it only says what the change touches.
                """)
        @OptionGroup var common: Common
        @OptionGroup var whose: Whose
        @Argument(help: "A field, preset, or existence.") var what: String
        @Argument(help: "The law.") var law: String
        @Option(
            help:
                "Systems whose value stands where nothing else decides, such as suitecrm,mautic; '' for none."
        )
        var prefer: String?
        @Flag(
            inversion: .prefixedNo,
            help: "Write a drifted system back though the value is no news to it.")
        var enforce: Bool?
        @Flag(help: "Do it.") var yes = false

        func run() throws { try apply(common, whose, yes: yes, wanted) }

        /// The laws that can be given to it; a field that joins keeps its own.
        private func laws(_ mapping: EntityMapping) -> [Law] {
            if what == "preset" { return Law.presets }
            let field = mapping.field(what)
            if let field, field.law.isJoin { return [field.law] }
            let isNumber = field.map { [.integer, .money].contains($0.kind) } ?? false
            return Law.allCases.filter { !$0.isJoin && (isNumber || ![.max, .min].contains($0)) }
        }

        private func wanted(_ mapping: EntityMapping, _ policy: Policy) throws -> PolicyChange {
            let names = ["preset", "existence"] + mapping.fields.map(\.name)
            guard names.contains(what) else {
                throw PersonError.unknownField(what, among: names)
            }
            if ["preset", "existence"].contains(what), prefer != nil || enforce != nil {
                throw Refusal(
                    "--prefer and --enforce are of a field, not of \(what): leave them out")
            }
            if what == "existence" {
                return .existence(try word(law, of: ExistenceLaw.allCases, "a law of existence"))
            }
            let law = try Law(rawValue: law) ?? word(law, of: laws(mapping), "a law of \(what)")
            if what == "preset" { return .preset(law) }
            let before = mapping.field(what).map(policy.policy)
            let prefer = try prefer?.split(separator: ",").map { name in
                try word(String(name), of: System.real.map(SystemName.init), "a system").system
            }
            return .field(
                what,
                FieldPolicy(
                    law: law, prefer: prefer ?? before?.prefer ?? [],
                    enforce: enforce ?? before?.enforce ?? false))
        }
    }

    struct Reset: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a field back to the preset and the mapping's preference.",
            usage: "syncledger policy reset <field> [options]")
        @OptionGroup var common: Common
        @OptionGroup var whose: Whose
        @Argument(help: "The field.") var field: String
        @Flag(help: "Do it.") var yes = false

        func run() throws {
            try apply(common, whose, yes: yes) { _, _ in .field(field, nil) }
        }
    }
}

/// A system by its name, to be read like the other words.
private struct SystemName: RawRepresentable {
    var system: System
    var rawValue: String { system.name }

    init(_ system: System) { self.system = system }
    init?(rawValue: String) {
        guard let system = System(name: rawValue) else { return nil }
        self.system = system
    }
}

private func word<Word: RawRepresentable<String>>(
    _ text: String, of all: some Collection<Word>, _ kind: String
) throws -> Word {
    if let word = all.first(where: { $0.rawValue == text }) { return word }
    let near = nearest(text, in: all.map(\.rawValue))
    throw Refusal(
        "\(text) is not known as \(kind)" + (near.map { ", did you mean \($0)?" } ?? ":")
            + " take one of "
            + all.map(\.rawValue).joined(separator: ", "))
}

/// Of what, in words.
private func extent(_ reach: Workplace.PolicyReach) -> String {
    guard !reach.fields.isEmpty else { return "for \(reach.records) records" }
    return
        "\(reach.fields.joined(separator: ", ")): \(reach.values) values of \(reach.records) records"
}

private func apply(
    _ common: Common, _ whose: Policies.Whose, yes: Bool,
    _ wanted: (EntityMapping, Policy) throws -> PolicyChange
) throws {
    try common.withWorkplace { workplace in
        let lock = try workplace.engineLock()
        defer { withExtendedLifetime(lock) {} }
        let mapping = try workplace.mapping().entity(named: whose.entity)
        let change = try wanted(mapping, workplace.policy(of: mapping.entity))
        let reach = try workplace.reach(of: change, mapping)
        if yes { try workplace.change(change, mapping) }
        common.show(
            .object([
                .init("changed", .bool(yes)),
                .init("openQuestions", .number("\(reach.openQuestions)")),
                .init("records", .number("\(reach.records)")),
                .init("fields", .array(reach.fields.map(JSON.string))),
                .init("values", .number("\(reach.values)")),
            ]),
            [
                "\(yes ? "Changed" : "Would change") what decides \(extent(reach)); \(reach.openQuestions) open questions stand under it.",
                yes
                    ? "Nothing was decided by this: `syncledger plan --realign` shows what it would decide of them."
                    : "Nothing was changed yet: the same with --yes does it.",
            ])
        if !yes { throw somethingToDo }
    }
}
