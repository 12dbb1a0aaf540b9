import ArgumentParser
import Connectors
import Engine
import Ledger
import Model
import Projections
import Transport

struct Plan: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look, link what is one person, and say what would be done. Writes to no system.",
        discussion: """
            Exit code 2 means that there is something to do: `syncledger apply` does it, or a person \
            must answer something, or that it was stopped before all was planned.
            """)
    @OptionGroup var common: Common
    @Flag(help: "Read every person again, not only what changed.") var sweep = false
    @Flag(help: "Also what changed rules would decide of what stood before them.")
    var realign = false

    func run() throws {
        let run = try runEngine(common, .plan, sweep: sweep, realign: realign)
        let (report, questions) = (run.report, run.questions)
        common.show(report.json, report.planLines(realign: realign) + asking(questions, report))
        if !report.failures.isEmpty { throw ExitCode.failure }
        let open = report.wouldWrite + report.contested + report.waitsForPerson + questions
        if open > 0 || report.wasStopped { throw somethingToDo }
    }
}

struct Apply: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Approve every connection's first plan and do it.",
        usage: "syncledger apply [options]",
        discussion: "Until then a connection is only read. Afterwards `sync` is enough.")
    @OptionGroup var common: Common
    @Flag(help: "Let changed rules decide what stood before them: look at plan --realign first.")
    var realign = false
    @OptionGroup var settling: Settling

    func run() throws {
        try reportRun(
            common,
            try runEngine(
                common, .sync, approve: true, realign: realign, settling: settling))
    }
}

struct Sync: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read what changed, decide, and write it where it is news.",
        usage: "syncledger sync [options]")
    @OptionGroup var common: Common
    @Flag(help: "Read every person again: finds deletions and what moved no date.") var sweep =
        false
    @Flag(
        help: ArgumentHelp(
            "Take up only what changed.",
            discussion:
                "What was never read whole, and who is still to be made somewhere, stays for a run without it."
        )) var changesOnly = false
    @OptionGroup var settling: Settling

    func validate() throws {
        if sweep, changesOnly {
            throw Refusal("--sweep reads everybody and --changes-only does not: give one of them")
        }
    }

    func run() throws {
        try reportRun(
            common,
            try runEngine(
                common, .sync, sweep: sweep, changesOnly: changesOnly, settling: settling))
    }
}

/// How long to wait before it is looked up what a call left that was not heard.
struct Settling: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How long a call that was not heard may still take effect.",
            discussion: "The longest that the systems' web servers let one request run.",
            valueName: "seconds"))
    var settleAfter = 30.0

    func validate() throws {
        guard (0...3_600).contains(settleAfter) else {
            throw Refusal("--settle-after is a number of seconds from 0 to 3,600")
        }
    }
}

private func reportRun(_ common: Common, _ run: EngineRun) throws {
    common.show(run.report.json, run.lines)
    if !run.report.failures.isEmpty { throw ExitCode.failure }
    if run.waitsForPerson || run.report.wasStopped { throw somethingToDo }
}

private func asking(_ questions: Int, _ report: RunReport) -> [String] {
    var lines: [String] = []
    if questions > 0 {
        lines.append("\(questions) could be one person: `syncledger links --questions` asks.")
    }
    if report.unlinked > 0 { lines.append("\(report.unlinked) \(unlinkedObjects).") }
    return lines
}

/// What is said of objects that are no record's yet, behind their number.
let unlinkedObjects =
    "objects are no record's yet: a sync links them once what they are told apart by is known, such as a deal's account"

private func approving(_ labels: [String]) -> [String] {
    guard !labels.isEmpty else { return [] }
    return [
        "Not approved yet, so nothing is written to \(labels.joined(separator: ", ")): run `syncledger plan`, then `syncledger apply`."
    ]
}

/// What a run did, and what stands open after it.
struct EngineRun {
    var report: RunReport
    var questions: Int
    /// The connections that may be written to once a person said so.
    var unapproved: [String]

    /// Whether there is something that only a person can end.
    var waitsForPerson: Bool { report.waitsForPerson + questions > 0 }

    var lines: [String] { report.syncLines + approving(unapproved) + asking(questions, report) }
}

func runEngine(
    _ common: Common, _ verb: RunRequest.Verb, sweep: Bool = false, changesOnly: Bool = false,
    approve: Bool = false, realign: Bool = false, settling: Settling? = nil,
    stop: StopSignal = StopSignal()
) throws -> EngineRun {
    try common.withWorkplace { workplace in
        let lock = try workplace.engineLock()
        defer { withExtendedLifetime(lock) {} }
        guard try !connections(workplace).isEmpty else {
            throw Refusal(
                "nothing is connected yet: run `syncledger connect mautic --url https://…`, and the other systems so, or `syncledger connect local`"
            )
        }
        let progress = RunLine()
        // Before an error prints, too.
        defer { progress.clear() }
        let interrupt = Interrupt(stopping: stop)
        defer { withExtendedLifetime(interrupt) {} }
        var request = RunRequest(
            run: workplace.newRun(), verb: verb, isSweep: sweep, approves: approve)
        request.realigns = realign
        request.isOnlyChanges = changesOnly
        if let settling { request.settlesAfterSeconds = settling.settleAfter }
        let report = try workplace.run(
            request, client: HTTPClient(), stop: stop, progress: progress.show)
        let questions = try workplace.views.read { tables, transaction in
            try tables.questions.all(transaction).count { !$0.isSettled }
        }
        let mapping = try workplace.mapping()
        let unapproved = try connections(workplace).filter {
            !$0.unapproved(in: mapping).isEmpty && $0.configured.direction != .pull
        }.map(\.configured.label)
        return EngineRun(report: report, questions: questions, unapproved: unapproved)
    }
}

private func connections(_ workplace: Workplace) throws -> [ConnectionRow] {
    try workplace.views.read { tables, transaction in
        try tables.connections.all(transaction).filter { !$0.isRemoved }
    }
}

extension RunReport {
    /// What of this run nobody but a person can end.
    var waitsForPerson: Int { conflicted + refused + parked + uncertain }

    var json: JSON {
        func number(_ name: String, _ value: Int) -> JSON.Member {
            .init(name, .number("\(value)"))
        }
        return .object([
            .init("run", .string("\(run)")),
            number("observations", observations), number("linked", linked),
            number("newRecords", newRecords), number("ambiguous", ambiguous),
            number("records", records), number("inSync", inSync), number("waiting", waiting),
            number("conflicted", conflicted), number("excluded", excluded),
            number("failing", failing),
            .init(
                "objectsRead",
                .object(
                    objectsSeen.sorted { $0.key < $1.key }.map { number($0.key.name, $0.value) })),
            number("objects", objects), number("objectsOfRecords", objectsOfRecords),
            number("asked", asked), number("apart", apart),
            number("unlinked", unlinked),
            number("decisions", decisions), number("contested", contested),
            number("realignable", realignable), number("wouldWrite", wouldWrite),
            number("issued", issued),
            number("confirmed", confirmed), number("refused", refused),
            number("uncertain", uncertain), number("superseded", superseded),
            number("parked", parked), number("gone", gone), number("merged", merged),
            number("calls", calls), number("writeCalls", writeCalls),
            number("pairsChanged", pairsChanged),
            .init("stopped", .bool(wasStopped)), number("open", open),
            .init("failures", told(failures)), .init("notes", told(notes)),
            .init(
                "proposals",
                .object(
                    proposals.sorted { $0.key < $1.key }.map {
                        .init($0.key, .number("\($0.value)"))
                    }
                )),
        ])
    }

    private func told(_ reasons: [(connection: String, reason: String)]) -> JSON {
        .array(
            reasons.map {
                .object([
                    .init("connection", .string($0.connection)),
                    .init("reason", .string($0.reason)),
                ])
            })
    }

    private var seenLine: String {
        "Read "
            + (objectsSeen.isEmpty
                ? "nothing new"
                : objectsSeen.sorted { $0.key < $1.key }.map { "\($0.value) in \($0.key.name)" }
                    .joined(separator: ", ")) + "."
    }

    private var failureLines: [String] {
        failures.map {
            "Could not use \($0.connection): \($0.reason)" + ($0.reason.hasSuffix(".") ? "" : ".")
        } + notes.map { "Left out \($0.connection): \($0.reason)." }
    }

    func planLines(realign: Bool) -> [String] {
        var lines = [seenLine]
        if linked + newRecords + ambiguous > 0 {
            lines.append(
                "Linked \(linked) that are the same, \(newRecords) are new, \(ambiguous) could be several."
            )
        }
        lines += failureLines
        if !proposals.isEmpty { lines.append("Would do:") }
        lines += proposals.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
            "  \($0.value) × \($0.key)"
        }
        lines += conflictLines
        lines += realigningLines
        if wasStopped {
            return lines + ["Stopped before all was planned: `syncledger plan` again."]
        }
        lines.append(
            wouldWrite == 0
                ? "Nothing is to be written."
                : "\(wouldWrite) writes in all. `syncledger apply\(realign ? " --realign" : "")` does them; nothing was written yet."
        )
        return lines
    }

    /// What is no record's, so that the objects add up too.
    private var objectLines: [String] {
        let alone = [
            (asked, "in questions"), (apart, "kept apart"), (unlinked, "no record's yet"),
        ].filter { $0.0 > 0 }
        guard !alone.isEmpty else { return [] }
        return [
            "\(objects) objects: \(objectsOfRecords) of these records, "
                + alone.map { "\($0.0) \($0.1)" }.joined(separator: ", ") + "."
        ]
    }

    private var conflictLines: [String] {
        conflicted == 0
            ? []
            : ["\(conflicted) wait for you: `syncledger conflicts` shows what to decide."]
    }

    private var realigningLines: [String] {
        realignable == 0
            ? []
            : [
                "\(realignable) fields would be decided or told otherwise by the rules as they are now: `syncledger plan --realign` shows how."
            ]
    }

    private var stoppedLines: [String] {
        guard wasStopped else { return [] }
        let left =
            open > 0 ? "\(open) writes are decided and not done" : "no write stands open"
        return ["Stopped before its end; \(left): `syncledger sync` goes on."]
    }

    var syncLines: [String] {
        var lines = [seenLine]
        lines += failureLines
        lines.append(
            "Wrote \(confirmed) of \(issued)"
                + (refused > 0 ? ", \(refused) refused" : "")
                + (superseded > 0 ? ", \(superseded) overtaken before they were sent" : "")
                + (uncertain > 0 ? ", \(uncertain) in doubt" : "")
                + (parked > 0 ? ", \(parked) parked" : "") + ".")
        lines.append(
            "\(records) records: \(inSync) in step, \(conflicted) ask for you, \(waiting) waiting, \(excluded) excluded"
                + (failing > 0 ? ", \(failing) not read everywhere." : "."))
        lines += objectLines
        lines += conflictLines
        lines += realigningLines
        lines += stoppedLines
        lines.append("\(calls) calls for \(pairsChanged) changes.")
        return lines
    }
}
