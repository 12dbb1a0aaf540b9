import ArgumentParser
import Connectors
import Engine
import Ledger
import Model

/// How each field stands in each system.
struct Mapping: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show, check or change how each field is spelt in each system.",
        discussion: """
            To change it: `syncledger mapping show --yaml > mapping.yaml`, edit the file, `mapping \
            check mapping.yaml`, `mapping apply mapping.yaml --yes`. Where a system is told or asked \
            otherwise than before, nothing is written until a plan with it is approved by `apply`.
            """,
        subcommands: [ShowMapping.self, CheckMapping.self, ApplyMapping.self],
        defaultSubcommand: ShowMapping.self)
}

struct ShowMapping: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "The mapping in force.",
        usage: "syncledger mapping show [options]")
    @OptionGroup var common: Common
    @Option(help: "Only that of contact, account or deal.") var entity: String?
    @Flag(help: "As a file for `mapping apply`.") var yaml = false

    func run() throws {
        try common.withWorkplace { workplace in
            let all = try workplace.mapping()
            let entities = try entity.map { [try all.entity(named: $0)] } ?? all.entities
            if yaml {
                let text = MappingFile.text(of: Model.Mapping(entities))
                let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
                common.show(.string(text), lines.dropLast().map(String.init))
            } else {
                common.show(.array(entities.flatMap(Self.json)), Self.lines(entities))
            }
        }
    }

    private static func lines(_ entities: [EntityMapping]) -> [String] {
        let rows = entities.flatMap { entity in
            entity.fields.map { field in
                [entity.entity, field.name, field.law.rawValue]
                    + System.real.map { field.spellings[$0].map(\.words) ?? "–" }
            }
        }
        let further = entities.flatMap { entity in
            entity.furtherKinds.map { kind in
                let lacks = entity.fields.filter { $0.lackedBy.contains(kind.name) }.map(\.name)
                return "\(kind.system.name)'s \(kind.name)s are \(entity.entity)s too, spelt alike"
                    + (lacks.isEmpty ? "" : ", without " + lacks.joined(separator: ", "))
            }
        }
        let places = entities.flatMap { entity in
            System.real.flatMap { system in
                [("belong at", entity.scopes[system]), ("are made at", entity.creates[system])]
                    .compactMap { words, text in
                        text.map { "Of \(entity.entity)s, these \(words) \(system.name): \($0)" }
                    }
            }
        }
        let derived = entities.flatMap { entity in
            entity.fields.compactMap { field in
                field.derivation.map { "\(field.name) of a \(entity.entity) is \($0.words)" }
            }
        }
        return table([["entity", "field", "law"] + System.real.map(\.name)] + rows) + derived
            + further + places
    }

    private static func json(_ entity: EntityMapping) -> [JSON] {
        entity.fields.map { field in
            .object(
                [
                    .init("entity", .string(entity.entity)), .init("field", .string(field.name)),
                    .init("law", .string(field.law.rawValue)),
                ]
                    + System.real.map { system in
                        .init(
                            system.name,
                            field.spellings[system].map { .string($0.remoteName) } ?? .null)
                    } + [
                        .init("derived", field.derivation.map { .string($0.words) } ?? .null),
                        .init(
                            "terms",
                            .object(
                                System.real.compactMap { system in
                                    field.spellings[system].map {
                                        .init(system.name, .array($0.asked.map(JSON.string)))
                                    }
                                })),
                    ])
        }
    }
}

extension Spelling {
    /// Its attribute, and what the mapping asks of it.
    fileprivate var words: String {
        remoteName + (asked.isEmpty ? "" : " (\(asked.joined(separator: ", ")))")
    }

    /// What the mapping asks of it, each in words.
    fileprivate var asked: [String] {
        var words: [String] = []
        if direction != .both { words.append(direction.name) }
        if terms.contains(.onlyCreate) { words.append("only at create") }
        if terms.contains(.required) { words.append("required") }
        if terms.contains(.silentBlank) { words.append("blank says nothing") }
        if let constant { words.append("always \(constant)") }
        if let translation = codec.translation {
            words += translation.functions.map(\.text)
            if !translation.words.isEmpty { words.append("by lookup") }
            if let blank = translation.blank { words.append("\(blank) for blank") }
        }
        return words
    }
}

extension Derivation {
    /// Where its value comes from.
    fileprivate var words: String {
        guard !isJoin else {
            return "\(join.joined(separator: ", ")), joined with \"\(separator)\""
        }
        let picked: String? =
            switch pick {
            case .greatest(let field): "the one with the greatest \(field)"
            case .least(let field): "the one with the least \(field)"
            case .order(let words): "preferred in the order \(words.joined(separator: ", "))"
            case nil: nil
            }
        return "the \(take) of the \(from) by \(by)" + (picked.map { ", \($0)" } ?? "")
            + (into.map { ", among \($0)" } ?? "")
            + (prefix.isEmpty ? "" : ", behind \"\(prefix)\"")
    }
}

extension Model.Mapping {
    /// - Throws: a `Refusal` where there is no such entity.
    func entity(named name: String) throws -> EntityMapping {
        if let found = self[name] { return found }
        let names = entities.map(\.entity)
        throw Refusal(
            "there is no entity \(name)"
                + didYouMean(name, among: names)
                + " --entity takes \(names.joined(separator: ", "))")
    }
}

struct ApplyMapping: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Put the mapping of a file in force.",
        discussion: """
            Without --yes it only says what the file changes. By itself a change decides and writes \
            nothing: the next plan shows what it comes to.
            """)
    @OptionGroup var common: Common
    @Argument(help: "The file, or - for standard input.") var file: String
    @Flag(help: "Do it.") var yes = false

    func run() throws {
        let mappings = try readMapping(file)
        try common.withWorkplace { workplace in
            let lock = try workplace.engineLock()
            defer { withExtendedLifetime(lock) {} }
            let reaches = try reaches(of: mappings, named: file, workplace)
            let changed = mappings.entities.filter { entity in
                reaches.contains { $0.entity == entity.entity && !$0.isEmpty }
            }
            if yes, !changed.isEmpty { try workplace.change(changed) }
            let told = reaches.filter { !$0.isEmpty }
            common.show(
                .object([
                    .init("changed", .bool(yes && !changed.isEmpty)),
                    .init("entities", .array(told.map(Self.json))),
                ]),
                told.flatMap { Self.lines($0, isDone: yes) }
                    + [
                        changed.isEmpty
                            ? "The file says what is in force: nothing to change."
                            : yes
                                ? "In force from here on. Nothing was decided or written by this: `syncledger plan` shows what comes of it."
                                : "Nothing was changed yet: the same with --yes does it."
                    ])
            if !yes, !changed.isEmpty { throw somethingToDo }
        }
    }

    private static func lines(_ reach: MappingReach, isDone: Bool) -> [String] {
        var lines = [
            ("new", reach.added), ("no longer mapped", reach.removed),
            ("otherwise", reach.changed),
        ].filter { !$0.1.isEmpty }.map { words, fields in
            "\(reach.entity), \(words): \(fields.joined(separator: ", "))"
        }
        if reach.movesPlaces { lines.append("\(reach.entity): others belong or are made") }
        if reach.records > 0 || reach.openQuestions > 0 {
            lines.append(
                "  \(reach.records) records have values there; \(reach.openQuestions) open questions are about them."
            )
        }
        if !reach.approvals.isEmpty {
            let labels = reach.approvals.joined(separator: ", ")
            lines.append(
                "  Nothing is written to \(labels) until `syncledger apply` approves it anew.")
        }
        return lines
    }

    private static func json(_ reach: MappingReach) -> JSON {
        func names(_ names: [String]) -> JSON { .array(names.map { .string($0) }) }
        return .object([
            .init("entity", .string(reach.entity)), .init("added", names(reach.added)),
            .init("removed", names(reach.removed)), .init("changed", names(reach.changed)),
            .init("records", .number("\(reach.records)")),
            .init("openQuestions", .number("\(reach.openQuestions)")),
            .init("approvals", names(reach.approvals)),
        ])
    }
}
