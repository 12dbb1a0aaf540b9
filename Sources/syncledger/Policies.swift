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

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "The laws in force.")
        @OptionGroup var common: Common

        func run() throws {
            try common.withWorkplace { workplace in
                let policy = try workplace.policy()
                let rows = EntityMapping.contact.fields.map { field in
                    let own = policy.policy(for: field)
                    return [
                        field.name, own.law.rawValue,
                        own.prefer.map(\.name).joined(separator: ", "),
                        own.enforce ? "enforced" : "",
                        policy.fields[field.name] != nil
                            ? "set here" : field.law.isJoin ? "always joins" : "by the preset",
                    ]
                }
                common.show(
                    json(policy, .contact),
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
                delete_wins, edit_wins. Without --yes it only says what the change touches.
                """)
        @OptionGroup var common: Common
        @Argument(help: "A field, preset, or existence.") var what: String
        @Argument(help: "The law.") var law: String
        @Option(
            help: "Systems whose value stands where nothing else decides, such as suitecrm,mautic.")
        var prefer: String?
        @Flag(help: "Write a drifted system back though the value is no news to it.")
        var enforce = false
        @Flag(help: "Do it.") var yes = false

        func run() throws { try apply(wanted(), common, yes: yes) }

        /// The laws that can be given to it; a field that joins keeps its own.
        private var laws: [Law] {
            if what == "preset" { return Law.presets }
            let field = EntityMapping.contact.field(what)
            if let field, field.law.isJoin { return [field.law] }
            let isCount = field?.spellings.values.allSatisfy { $0.codec.kind == .integer } ?? false
            return Law.allCases.filter { !$0.isJoin && (isCount || ![.max, .min].contains($0)) }
        }

        private func wanted() throws -> PolicyChange {
            let names = ["preset", "existence"] + EntityMapping.contact.fields.map(\.name)
            guard names.contains(what) else { throw PersonError.unknownField(what) }
            if what == "existence" {
                return .existence(try word(law, of: ExistenceLaw.allCases, "a law of existence"))
            }
            let law = try Law(rawValue: law) ?? word(law, of: laws, "a law of \(what)")
            if what == "preset" { return .preset(law) }
            let prefer = try (prefer ?? "").split(separator: ",").map { name in
                try word(String(name), of: System.real.map(SystemName.init), "a system").system
            }
            return .field(what, FieldPolicy(law: law, prefer: prefer, enforce: enforce))
        }
    }

    struct Reset: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a field back to the preset and its shipped preference.")
        @OptionGroup var common: Common
        @Argument(help: "The field.") var field: String
        @Flag(help: "Do it.") var yes = false

        func run() throws { try apply(.field(field, nil), common, yes: yes) }
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

private func apply(_ change: PolicyChange, _ common: Common, yes: Bool) throws {
    try common.withWorkplace { workplace in
        let lock = try workplace.engineLock()
        defer { withExtendedLifetime(lock) {} }
        let reach = try workplace.reach(of: change)
        if yes { try workplace.change(change) }
        common.show(
            .object([
                .init("changed", .bool(yes)),
                .init("openQuestions", .number("\(reach.openQuestions)")),
                .init("records", .number("\(reach.records)")),
            ]),
            [
                "\(yes ? "Changed" : "Would change") what decides for \(reach.records) records; \(reach.openQuestions) open questions stand under it.",
                yes
                    ? "Nothing was decided by this: `syncledger plan --realign` shows what it would decide of them."
                    : "Nothing was changed yet: the same with --yes does it.",
            ])
        if !yes { throw somethingToDo }
    }
}
