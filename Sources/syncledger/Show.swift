import ArgumentParser
import Connectors
import Engine
import Ledger
import Model
import Projections

struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show anything: an event, a record, an object, a command, a run, a connection.",
        usage: "syncledger show <what> [--proof | --as-of <event>] [options]",
        discussion: """
            An event by its number or id, everything else by its id, as the other verbs print them. \
            With --proof an event comes with the hashes that lead from it to the root of the log \
            (RFC 9162, in hexadecimal), which were followed before they are shown. With --as-of a \
            record is shown as it stood once that event was folded; what fields and names mean is \
            as it is now.
            """)
    @OptionGroup var common: Common
    @Argument(help: "What to show.") var what: String
    @Flag(help: "Prove that the event stands in the log.") var proof = false
    @Option(help: ArgumentHelp("Show a record as it stood then.", valueName: "event"))
    var asOf: UInt64?

    func validate() throws {
        if proof, asOf != nil {
            throw ValidationError(
                "--proof is about an event and --as-of about a record: choose one")
        }
    }

    func run() throws {
        try common.withWorkplace { workplace in
            let page = try find(workplace)
            common.show(page.json, page.lines)
        }
    }

    private func find(_ workplace: Workplace) throws -> Shown {
        if let asOf { return try record(asOf: asOf, workplace) }
        if let number = UInt64(what) { return try event(number, workplace) }
        guard let id = EventID(what) else {
            throw Refusal(
                "\(what) is no event number and no id: `syncledger log` and `links` show them")
        }
        if let sequence = try workplace.log.sequence(of: id) {
            return try event(sequence, workplace)
        }
        guard !proof else {
            throw Refusal(
                "\(what) is no event, and only events have a proof: `syncledger log` shows their numbers"
            )
        }
        let found = try workplace.views.read { tables, transaction -> Row? in
            if let row = try tables.records.row(id.bytes, transaction) { return .record(row) }
            if let row = try tables.replicas.row(id.bytes, transaction) { return .replica(row) }
            if let row = try tables.commands.row(id.bytes, transaction) { return .command(row) }
            if let row = try tables.connections.row(id.bytes, transaction) {
                return .connection(row)
            }
            return nil
        }
        switch found {
        case .record(let row): return try Shown(row, workplace)
        case .replica(let row): return try Shown(row, workplace)
        case .command(let row): return try Shown(row, workplace)
        case .connection(let row): return Shown(row)
        case nil:
            let run: RunID = id.cast()
            let events = try workplace.log.sequences(of: run)
            guard events.isEmpty else { return try Shown(run, events, workplace) }
            throw Refusal(
                "nothing in this ledger has the id \(what): `syncledger links`, `commands` and `log` show ids"
            )
        }
    }

    /// A record as it stood, folded from its own events.
    private func record(asOf sequence: UInt64, _ workplace: Workplace) throws -> Shown {
        let end = workplace.log.end
        guard sequence > 0, sequence <= end else {
            throw Refusal(
                end == 0
                    ? "there is no event \(sequence): the log is empty"
                    : "there is no event \(sequence): the log holds 1 to \(end)")
        }
        guard let id = RecordID(what), try workplace.views.record(id) != nil else {
            throw Refusal(
                "\(what) is no record, and only records are shown as of an event: `syncledger links` shows their ids"
            )
        }
        guard let then = try workplace.views.record(id, asOf: sequence) else {
            throw Refusal(
                "nothing was known of \(what) at event \(sequence): `syncledger log --record \(what)` shows its first"
            )
        }
        let event = try read(workplace, from: sequence, limit: 1).first
        let time = event.map { " (\(text($0.recordedAt)))" } ?? ""
        var shown = try Shown(then.record, then.replicas, workplace)
        shown.lines.insert("as of event \(sequence)\(time), from \(then.events) events", at: 0)
        shown.json = .object(shown.json.members + [.init("asOf", .number("\(sequence)"))])
        return shown
    }

    private enum Row {
        case record(RecordRow)
        case replica(ReplicaRow)
        case command(CommandRow)
        case connection(ConnectionRow)
    }

    private func event(_ sequence: UInt64, _ workplace: Workplace) throws -> Shown {
        let end = workplace.log.end
        guard sequence > 0, sequence <= end,
            let event = try read(workplace, from: sequence, limit: 1).first
        else {
            throw Refusal(
                end == 0
                    ? "there is no event \(sequence): the log is empty"
                    : "there is no event \(sequence): the log holds 1 to \(end)")
        }
        let words = try EventWords(event, try Names(workplace))
        let proof = proof ? try EventProof(of: sequence, in: workplace.log) : nil
        let members = words.members + (proof.map { [.init("proof", $0.json)] } ?? [])
        return Shown(
            json: .object(members), lines: [words.line] + words.details + (proof?.lines ?? []))
    }
}

/// One thing, for programs and for people.
struct Shown {
    var json: JSON
    var lines: [String]

    init(json: JSON, lines: [String]) {
        self.json = json
        self.lines = lines
    }

    /// A command, and every event that tells of it.
    init(_ row: CommandRow, _ workplace: Workplace) throws {
        let issue = row.issue
        let names = try Names(workplace)
        let events = try workplace.log.sequences(tagged: Tag(.command, issue.command)).flatMap {
            try read(workplace, from: $0, limit: 1)
        }.map { try EventWords($0, names) }
        let person = try names.person(issue.record)
        let changes = issue.changes.map { change in
            [
                change.field, change.attribute, text(change.before), text(change.write),
                "\(change.form)",
            ]
        }
        lines =
            [
                "command \(issue.command): \(issue.operation.name), \(row.state.name)"
                    + (row.reason.isEmpty ? "" : " (\(row.reason))"),
                "  record      \(issue.record)  \(person)", "  object      \(issue.replica)",
                "  connection  \(issue.connection)  \(names.connection(issue.connection) ?? "")",
            ]
            + (changes.isEmpty
                ? [] : table([["field", "attribute", "before", "write", "form"]] + changes))
            + events.map(\.line)
        json = .object([
            .init("command", .string("\(issue.command)")),
            .init("operation", .string(issue.operation.name)),
            .init("state", .string(row.state.name)), .init("reason", .string(row.reason)),
            .init("record", .string("\(issue.record)")),
            .init("object", .string("\(issue.replica)")),
            .init("connection", .string("\(issue.connection)")),
            .init(
                "changes",
                .array(
                    issue.changes.map { change in
                        .object([
                            .init("field", .string(change.field)),
                            .init("attribute", .string(change.attribute)),
                            .init("form", .string("\(change.form)")),
                            .init("before", syncledger.json(change.before?.value)),
                            .init("write", syncledger.json(change.write?.value)),
                            .init("leaves", syncledger.json(change.leaves?.value)),
                        ])
                    })),
            .init("events", .array(events.map(\.json))),
        ])
    }

    /// A run, and every event that carries its id.
    init(_ run: RunID, _ sequences: [UInt64], _ workplace: Workplace) throws {
        let names = try Names(workplace)
        let events = try sequences.flatMap { try read(workplace, from: $0, limit: 1) }
            .map { try EventWords($0, names) }
        lines = ["run \(run): \(events.count) events"] + events.map(\.line)
        json = .object([
            .init("run", .string("\(run)")),
            .init("events", .array(events.map(\.json))),
        ])
    }

    init(_ row: ConnectionRow) {
        let configured = row.configured
        let rows: [(String, String)] =
            [
                ("system", row.systemName), ("url", configured.url.isEmpty ? "–" : configured.url),
                ("direction", configured.direction.name), ("create", configured.create.name),
                ("scope", configured.scope.isEmpty ? "everybody" : configured.scope),
                ("calls a minute", "\(configured.callsPerMinute)"),
                (
                    "writes",
                    row.approved.isEmpty
                        ? "not approved yet"
                        : "approved for " + row.approved.map { $0 + "s" }.joined(separator: ", ")
                ),
            ]
            + row.marks.map { mark in
                (
                    mark.kind + "s",
                    "position \(mark.cursor.isEmpty ? "–" : mark.cursor), last swept "
                        + "\(text(mark.lastSweep)), \(mark.lastSweepSeen) seen then"
                )
            }
        lines =
            ["connection \(configured.label)  \(row.id)"]
            + rows.map { "  " + padded($0.0, 16) + $0.1 }
        json = .object(
            members(of: row) + [
                .init(
                    "read",
                    .array(
                        row.marks.map { mark in
                            .object([
                                .init("entity", .string(mark.kind)),
                                .init("position", .string(mark.cursor)),
                                .init("lastSweep", syncledger.json(mark.lastSweep)),
                                .init("lastSweepSeen", .number("\(mark.lastSweepSeen)")),
                            ])
                        }))
            ])
    }
}
