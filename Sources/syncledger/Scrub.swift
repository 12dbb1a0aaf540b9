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
            is damaged. Where that is only hash tiles, of which proofs are made, --mend makes \
            them anew from the events and reads everything once more.
            """)
    @OptionGroup var common: Common
    @Flag(help: "Make hash tiles anew, where nothing else is damaged.") var mend = false

    func run() throws {
        var (report, seconds) = try scrub()
        var told: [String] = []
        if mend, report.hasOnlyTilesDamaged {
            let last = try Workplace.mendTiles(at: common.ledger)
            told = Self.damages(report)
            told.append("Made the hash tiles of events 1 to \(last) anew, and read all again:")
            (report, seconds) = try scrub()
        } else if mend, !report.isClean {
            told = ["Nothing was mended: more than hash tiles is damaged."]
        }
        common.show(Self.json(report), told + Self.lines(report, seconds: seconds))
        if !report.isClean { throw ExitCode(1) }
    }

    /// Reads everything once, and tells how long that took.
    private func scrub() throws -> (ScrubReport, seconds: Double) {
        let progress = FoldProgress("scrubbing")
        defer { progress.clear() }
        let started = systemNow()
        let report = try Workplace.scrub(at: common.ledger) { position, end in
            progress.show(position: position, end: end)
        }
        return (report, Double(systemNow().microseconds - started.microseconds) / 1_000_000)
    }

    static func lines(_ report: ScrubReport, seconds: Double) -> [String] {
        let pace = seconds > 0 ? Int(Double(report.events) / seconds) : 0
        var lines = [
            "Read \(report.events) events in \(report.commits) commits, with \(report.parts) parts and "
                + "\(report.tiles) hash tiles: \(report.bytes) bytes, \(pace) events a second."
        ]
        lines += damages(report)
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

    private static func damages(_ report: ScrubReport) -> [String] {
        let more = report.damageCount - UInt64(report.damages.count)
        return report.damages.map { "Damaged: \(sentence($0))." }
            + (more > 0 ? ["Damaged: \(more) more that are not listed."] : [])
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
