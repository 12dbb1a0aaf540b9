import ArgumentParser
import Connectors
import Engine
import Ledger
import Model
import Projections

struct Links: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Which objects are one person, and which could be.",
        discussion: """
            Objects with the same e-mail address are linked by themselves where that leaves no doubt. \
            Where it does, nothing is guessed: `merge` says which of them are one person. Where a \
            system merged two people that are not one, `apart` lets the lost one be made there anew.
            """,
        subcommands: [List.self, Merge.self, Apart.self, Unlink.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show links and open questions.")
        @OptionGroup var common: Common
        @Flag(help: "Only the questions.") var questions = false

        func run() throws {
            try common.withWorkplace { workplace in
                let links = try LinkTable(workplace, onlyQuestions: questions)
                if common.json { return common.show(try links.json(), []) }
                let lines = try links.lines()
                common.show(
                    .null,
                    lines.isEmpty
                        ? [
                            questions
                                ? "No open questions." : "Nothing is linked yet: syncledger plan"
                        ] : lines)
            }
        }
    }

    struct Merge: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say that these objects are one person.")
        @OptionGroup var common: Common
        @Argument(help: "Two or more object ids, as `links` shows them.") var objects: [String]

        func run() throws {
            let ids = objects.compactMap { ReplicaID($0) }
            guard ids.count == objects.count else { throw PersonError.unknownReplica }
            guard Swift.Set(ids).count == ids.count, ids.count > 1 else {
                throw Refusal(
                    "name two different objects or more: `syncledger links` shows their ids")
            }
            try common.withWorkplace { workplace in
                let lock = try workplace.engineLock()
                defer { withExtendedLifetime(lock) {} }
                let question = try workplace.views.read { tables, transaction in
                    try tables.questions.all(transaction).first {
                        !$0.isSettled && Swift.Set(ids).isSubset(of: $0.raised.replicas)
                    }
                }
                try workplace.link(ids, answering: question?.raised.question)
            }
            common.show(.object([.init("linked", .bool(true))]), ["Linked."])
        }
    }

    struct Apart: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say that the objects of a question are different people.",
            discussion: "They are left as they are, each by itself, until `merge` links them.")
        @OptionGroup var common: Common
        @Argument(help: "The question's id, as `links --questions` shows it.") var question: String

        func run() throws {
            guard let id = QuestionID(question) else { throw PersonError.noSuchQuestion }
            try common.withWorkplace { workplace in
                let lock = try workplace.engineLock()
                defer { withExtendedLifetime(lock) {} }
                try workplace.keepApart(id)
            }
            common.show(.object([.init("apart", .bool(true))]), ["Kept apart."])
        }
    }

    struct Unlink: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take an object out of its record, and keep it apart.")
        @OptionGroup var common: Common
        @Argument(help: "The object's id.") var object: String

        func run() throws {
            guard let id = ReplicaID(object) else { throw PersonError.unknownReplica }
            try common.withWorkplace { workplace in
                let lock = try workplace.engineLock()
                defer { withExtendedLifetime(lock) {} }
                try workplace.unlink(id)
            }
            common.show(.object([.init("unlinked", .bool(true))]), ["Unlinked."])
        }
    }
}

/// Records with their objects, and the questions that nobody has answered.
private struct LinkTable {
    private let records: [RecordID]
    private let questions: [QuestionRow]
    private let views: ViewStore
    private let names: Names

    init(_ workplace: Workplace, onlyQuestions: Bool) throws {
        names = try Names(workplace)
        views = workplace.views
        records =
            onlyQuestions ? [] : try views.keys(of: \.records).compactMap { RecordID(bytes: $0) }
        questions = try views.collect(from: \.questions, where: { !$0.isSettled }) { $0 }
    }

    private func name(_ id: ReplicaID) throws -> String {
        guard let row = try views.replica(id) else { return "\(id)" }
        return names.object(row)
            + (row.state == .gone ? " (gone)" : row.isConverted ? " (converted)" : "")
    }

    /// Rows are read one by one: all of them at once are too much to hold.
    func lines() throws -> [String] {
        let linked = try records.compactMap(views.record).map { record in
            "\(record.record)  \(try names.person(record))  "
                + (try record.replicas.map(name).joined(separator: " = "))
        }
        let asked = try questions.flatMap { question in
            [try heading(of: question)]
                + (try question.raised.replicas.map {
                    "  \($0)  \(try name($0))  \(try views.replica($0).map(names.person) ?? "")"
                })
                + [
                    "  say which: syncledger links merge ID ID …",
                    "  or nobody: syncledger links apart \(question.raised.question)",
                ]
        }
        return linked + asked
    }

    /// People who stand in records already are asked about only when a system merged two of them.
    private func heading(of question: QuestionRow) throws -> String {
        let isMerge = try question.raised.replicas.allSatisfy {
            try views.replica($0)?.record != nil
        }
        return isMerge
            ? "A system merged two people; are these one person?" : "Could be one person:"
    }

    func json() throws -> JSON {
        .object([
            .init(
                "records",
                .array(
                    try records.compactMap(views.record).map { record in
                        .object([
                            .init("record", .string("\(record.record)")),
                            .init("entity", .string(record.entity)),
                            .init("objects", .array(try record.replicas.map(object))),
                        ])
                    })),
            .init(
                "questions",
                .array(
                    try questions.map { question in
                        .object([
                            .init("question", .string("\(question.raised.question)")),
                            .init("objects", .array(try question.raised.replicas.map(object))),
                        ])
                    })),
        ])
    }

    private func object(_ id: ReplicaID) throws -> JSON {
        guard let row = try views.replica(id) else {
            return .object([.init("object", .string("\(id)"))])
        }
        return .object([
            .init("object", .string("\(id)")), .init("system", .string(names.system(row))),
            .init("connection", .string(names.connection(row.connection) ?? "")),
            .init("remoteID", row.remoteIDText.map { .string($0) } ?? .null),
            .init("kind", .string(row.kind)), .init("state", .string(row.stateName)),
            .init("record", row.record.map { .string("\($0)") } ?? .null),
            .init("person", .string(names.person(row))),
        ])
    }
}

extension ReplicaRow {
    var stateName: String { state == .live && isConverted ? "converted" : state.name }
}

extension ReplicaRow.State {
    var name: String {
        switch self {
        case .live: "live"
        case .creating: "being created"
        case .gone: "gone"
        }
    }
}
