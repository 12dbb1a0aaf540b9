import ArgumentParser
import Connectors
import Engine
import Ledger
import Model
import Projections

struct Conflicts: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Differences that wait for you, side by side.",
        discussion: """
            A field that no rule decides waits until you say what stands: `take` one system's value, \
            or `set` another. A person who was deleted somewhere is kept or deleted everywhere.
            """,
        subcommands: [List.self, Take.self, Set.self, Keep.self, Delete.self],
        defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show every open difference with all its sides.")
        @OptionGroup var common: Common

        func run() throws {
            try common.withWorkplace { workplace in
                let open = try OpenConflicts(workplace)
                common.show(
                    open.json, open.isEmpty ? ["Nothing waits for you."] : open.lines)
            }
        }
    }

    struct Take: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Settle a field: one system's value stands, or what stood before.",
            usage: "syncledger conflicts take <record> <field> <side> [options]")
        @OptionGroup var common: Common
        @Argument(help: "The record.") var record: String
        @Argument(help: "The field.") var field: String
        @Argument(help: "mautic, suitecrm, compass, local, or standing.") var side: String

        func run() throws {
            let choice: Workplace.Choice
            if side == "standing" {
                choice = .standing
            } else if let system = side == "local" ? .compass : System(name: side) {
                choice = .system(system)
            } else {
                let near = nearest(side, in: System.real.map(\.name) + ["local", "standing"])
                throw Refusal(
                    "\(side) is no side" + (near.map { ", did you mean \($0)?" } ?? ":")
                        + " take mautic, suitecrm, compass, local or standing")
            }
            try settle(common, record, field) { _ in choice }
        }
    }

    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Settle a field with a value that no side has.",
            usage: "syncledger conflicts set <record> <field> <value> [options]",
            discussion: "An empty value empties the field. Several tags are told apart by commas.")
        @OptionGroup var common: Common
        @Argument(help: "The record.") var record: String
        @Argument(help: "The field.") var field: String
        @Argument(help: "What stands from now on.") var value: String

        func run() throws {
            try settle(common, record, field) {
                .value(try given(value, for: field, of: try $0.mapping()))
            }
        }
    }

    struct Keep: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep a person that was deleted somewhere.")
        @OptionGroup var common: Common
        @Argument(help: "The record.") var record: String
        func run() throws { try answer(common, record, keep: true) }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a person everywhere who was deleted somewhere.")
        @OptionGroup var common: Common
        @Argument(help: "The record.") var record: String
        func run() throws { try answer(common, record, keep: false) }
    }
}

private func settle(
    _ common: Common, _ record: String, _ field: String,
    as choice: (Workplace) throws -> Workplace.Choice
) throws {
    guard let id = RecordID(record) else { throw PersonError.unknownRecord }
    try common.withWorkplace { workplace in
        let lock = try workplace.engineLock()
        defer { withExtendedLifetime(lock) {} }
        try workplace.settle(id, field, as: try choice(workplace))
    }
    common.show(
        .object([.init("settled", .bool(true))]),
        ["Settled. `syncledger sync` writes it to the others."])
}

/// A typed word as the field's kind of value.
private func given(
    _ text: String, for field: String, of mapping: Model.Mapping
) throws -> Value {
    let known = mapping.entities.lazy.compactMap { $0.field(field) }.first
    guard let known, let codec = known.spellings.values.first?.codec else {
        let fields = mapping.entities.flatMap(\.fields).map(\.name)
        throw PersonError.unknownField(field, among: fields)
    }
    switch codec.kind {
    case .text: return text.isEmpty ? .null : .text(text)
    case .email:
        guard text.isEmpty || text.contains("@") else {
            throw Refusal("\(text) is no e-mail address: \(field) holds one, or nothing")
        }
        return text.isEmpty ? .null : .text(text.lowercased())
    case .integer:
        guard let number = Int64(text) else {
            throw Refusal("\(text) is no whole number, and \(field) holds one")
        }
        return .number("\(number)")
    case .flag:
        guard let flag = ["yes": true, "true": true, "no": false, "false": false][text] else {
            throw Refusal("\(field) is yes or no, not \(text)")
        }
        return .bool(flag)
    case .money, .day:
        let value = codec.content(of: .text(text))
        guard value.isBlank || codec.reads(value) else {
            let kind = codec.kind == .money ? "number" : "day such as 2027-01-31"
            throw Refusal("\(text) is no \(kind), and \(field) holds one")
        }
        return value
    case .reference, .referenceByName:
        throw Refusal("\(field) refers to another record: take the side of a system that names it")
    case .tags:
        let tags = text.split(separator: ",").map {
            $0.trimmingPrefix { $0 == " " }
        }
        return .set(of: tags.map(String.init))
    }
}

private func answer(_ common: Common, _ record: String, keep: Bool) throws {
    guard let id = RecordID(record) else { throw PersonError.unknownRecord }
    try common.withWorkplace { workplace in
        let lock = try workplace.engineLock()
        defer { withExtendedLifetime(lock) {} }
        try workplace.answerDeletion(id, keep: keep)
    }
    common.show(
        .object([.init("settled", .bool(true))]), ["Settled. `syncledger sync` does the rest."])
}
