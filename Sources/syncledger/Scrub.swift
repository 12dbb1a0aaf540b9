import ArgumentParser
import Connectors
import Engine
import Ledger

/// The verb; `ScrubReport` is what it tells of.
struct Scrub: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read the whole log again and hold everything in it against the tree.",
        discussion: """
            Hashes every entry and body, and compares roots, hash tiles, sequences, times, keys and the index. \
            Goes on behind damage, and runs where other verbs refuse. Exit code 1 when anything \
            is damaged.
            """)
    @OptionGroup var common: Common

    func run() throws {
        let progress = FoldProgress("scrubbing")
        defer { progress.clear() }
        let started = systemNow()
        let report = try Workplace.scrub(at: common.ledger) { position, end in
            progress.show(position: position, end: end)
        }
        progress.clear()
        let seconds = Double(systemNow().microseconds - started.microseconds) / 1_000_000
        common.show(Self.json(report), Self.lines(report, seconds: seconds))
        if !report.isClean { throw ExitCode(1) }
    }

    static func lines(_ report: ScrubReport, seconds: Double) -> [String] {
        let pace = seconds > 0 ? Int(Double(report.events) / seconds) : 0
        var lines = [
            "Read \(report.events) events in \(report.commits) commits, with \(report.parts) parts and "
                + "\(report.tiles) hash tiles: \(report.bytes) bytes, \(pace) events a second."
        ]
        lines += report.damages.map { "Damaged: \(sentence($0))." }
        let more = report.damageCount - UInt64(report.damages.count)
        if more > 0 { lines.append("Damaged: \(more) more that are not listed.") }
        lines += report.uncovered.map { uncovered in
            "Not covered: " + (uncovered.count.map { "\($0) " } ?? "") + uncovered.what + "."
        }
        lines.append(
            report.isClean
                ? "Clean: the log is what its tree committed to."
                : "\(report.damageCount) damaged: keep a copy of the directory before you mend anything."
        )
        return lines
    }

    private static func sentence(_ damage: ScrubReport.Damage) -> String {
        guard let sequences = damage.sequences else { return "\(damage.problem): \(damage.fix)" }
        let events =
            sequences.count == 1
            ? "event \(sequences.lowerBound)"
            : "of events \(sequences.lowerBound) to \(sequences.upperBound) one or more"
        return "\(events) \(damage.problem): \(damage.fix)"
    }

    private static func json(_ report: ScrubReport) -> JSON {
        .object([
            .init("clean", .bool(report.isClean)),
            .init("events", .number("\(report.events)")),
            .init("commits", .number("\(report.commits)")),
            .init("parts", .number("\(report.parts)")),
            .init("tiles", .number("\(report.tiles)")),
            .init("bytes", .number("\(report.bytes)")),
            .init("indexed", .number("\(report.indexed)")),
            .init("damageCount", .number("\(report.damageCount)")),
            .init("damages", .array(report.damages.map(json))),
            .init(
                "notCovered",
                .array(
                    report.uncovered.map { uncovered in
                        .object([
                            .init("what", .string(uncovered.what)),
                            .init("count", uncovered.count.map { .number("\($0)") } ?? .null),
                        ])
                    })),
        ])
    }

    private static func json(_ damage: ScrubReport.Damage) -> JSON {
        .object([
            .init("first", damage.sequences.map { .number("\($0.lowerBound)") } ?? .null),
            .init("last", damage.sequences.map { .number("\($0.upperBound)") } ?? .null),
            .init("problem", .string(damage.problem)), .init("fix", .string(damage.fix)),
        ])
    }
}
