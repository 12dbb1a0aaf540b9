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
                common.show(
                    links.json,
                    links.lines.isEmpty
                        ? [
                            questions
                                ? "No open questions." : "Nothing is linked yet: syncledger plan"
                        ] : links.lines)
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
    private var records: [RecordRow]
    private var questions: [QuestionRow]
    private var replicas: [ReplicaID: ReplicaRow]
    private let names: Names
    private var persons: [RecordID: String] = [:]

    init(_ workplace: Workplace, onlyQuestions: Bool) throws {
        names = try Names(workplace)
        (records, questions, replicas) = try workplace.views.read { tables, transaction in
            (
                onlyQuestions ? [] : try tables.records.all(transaction),
                try tables.questions.all(transaction).filter { !$0.isSettled },
                Dictionary(
                    uniqueKeysWithValues: try tables.replicas.all(transaction).map {
                        ($0.replica, $0)
                    })
            )
        }
        for record in records { persons[record.record] = try names.person(record) }
    }

    private func name(_ id: ReplicaID) -> String {
        guard let row = replicas[id] else { return "\(id)" }
        return names.object(row)
            + (row.state == .gone ? " (gone)" : row.isConverted ? " (converted)" : "")
    }

    var lines: [String] {
        records.map { record in
            "\(record.record)  \(persons[record.record] ?? "")  "
                + record.replicas.map(name).joined(separator: " = ")
        }
            + questions.flatMap { question in
                [heading(of: question)]
                    + question.raised.replicas.map {
                        "  \($0)  \(name($0))  \(replicas[$0].map(names.person) ?? "")"
                    }
                    + [
                        "  say which: syncledger links merge ID ID …",
                        "  or nobody: syncledger links apart \(question.raised.question)",
                    ]
            }
    }

    /// People who stand in records already are asked about only when a system merged two of them.
    private func heading(of question: QuestionRow) -> String {
        let isMerge = question.raised.replicas.allSatisfy { replicas[$0]?.record != nil }
        return isMerge
            ? "A system merged two people; are these one person?" : "Could be one person:"
    }

    var json: JSON {
        .object([
            .init(
                "records",
                .array(
                    records.map { record in
                        .object([
                            .init("record", .string("\(record.record)")),
                            .init("entity", .string(record.entity)),
                            .init("objects", .array(record.replicas.map(object))),
                        ])
                    })),
            .init(
                "questions",
                .array(
                    questions.map { question in
                        .object([
                            .init("question", .string("\(question.raised.question)")),
                            .init("objects", .array(question.raised.replicas.map(object))),
                        ])
                    })),
        ])
    }

    private func object(_ id: ReplicaID) -> JSON {
        guard let row = replicas[id] else {
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
