import Foundation

/// The figures beside what they should be, for people and for programs.
struct Table {
    let results: BenchRun.Results
    let machine: Machine
    let run: BenchRun

    private struct Row {
        var what: String
        var figure: String
        var target = ""
        var isMet: Bool?
        /// The part whose memory is shown.
        var part: Part?
        /// The part's name where it is none of ours.
        var name: String?
        var memory: String?
    }

    private var rows: [Row] { appending + reading + working }

    private var appending: [Row] {
        [1, 100, 1_000].map { batch in
            let name = "append\(batch)"
            let isTarget = batch == 1_000
            return Row(
                what: "durable append, \(batch) a commit, beside a plain C loop",
                figure: "\(count(name + "PerSecond"))/s, ratio \(decimal(name + "Ratio")) "
                    + "(\(decimal(name + "RatioLeast"))–\(decimal(name + "RatioMost"))) "
                    + "of \(count(name + "PlainPerSecond"))/s; "
                    + "\(decimal(name + "SealedBeforeRatio")) without the sealing",
                target: isTarget ? "ratio ≥ 0.25" : "",
                isMet: isTarget ? self[name + "Ratio"] >= 0.25 : nil, part: .append)
        }
    }

    private var reading: [Row] {
        [
            Row(
                what: "writing the log, sealed, 1,000 a commit",
                figure: "\(count("writePerSecond"))/s", part: .write),
            Row(
                what: "decoding scan",
                figure: "\(count("scanPerSecond"))/s "
                    + "(\(count("scanPerSecondLeast"))–\(count("scanPerSecondMost")))",
                target: "≥ 1,500,000/s", isMet: self["scanPerSecond"] >= 1_500_000, part: .scan),
            Row(
                what: "reading whole events", figure: "\(count("readPerSecond"))/s", part: .scan),
            Row(what: "verify (scrub)", figure: "\(count("verifyPerSecond"))/s", part: .verify),
            Row(
                what: "rebuild of all views",
                figure: "\(count("rebuildPerSecond"))/s "
                    + "(\(count("rebuildPerSecondLeast"))–\(count("rebuildPerSecondMost")))",
                target: "≥ 250,000/s", isMet: self["rebuildPerSecond"] >= 250_000, part: .rebuild),
            Row(
                what: "change of generations at its end",
                figure: "\(decimal("rebuildSwapMilliseconds")) ms", target: "< 50 ms",
                isMet: self["rebuildSwapMilliseconds"] < 50),
            Row(
                what: "one record as of any event, \(decimal("asOfEventsFolded", 0)) events each",
                figure: "\(decimal("asOfMillisecondsMedian")) ms median, "
                    + "\(decimal("asOfMilliseconds")) ms of 99 in 100, "
                    + "\(decimal("asOfMillisecondsMost")) ms at most; on a tenth of the log "
                    + "\(decimal("asOfMillisecondsMedianOfTenth")) and "
                    + "\(decimal("asOfMillisecondsOfTenth")) ms",
                target: "< 5 ms", isMet: self["asOfMilliseconds"] < 5, part: .asOf),
        ]
    }

    private var working: [Row] {
        var rows = [
            Row(
                what: "planning over \(count("planPeople")) linked people",
                figure: "\(decimal("planSeconds", 1)) s, \(count("planWouldWrite")) writes planned",
                target: "< 10 s for 100,000",
                isMet: self["planPeople"] < 100_000 ? nil : self["planSeconds"] < 10,
                part: .planning)
        ]
        let (people, accounts, deals) = run.population
        let what =
            "sync of \(grouped(people)) contacts, \(grouped(accounts)) accounts, "
            + "\(grouped(deals)) deals"
        if run.lab == nil {
            rows.append(Row(what: what, figure: "left out (--quick)"))
        } else {
            let memory = results.memory["sync"].map { megabytes($0) + ", sandbox included" }
            rows.append(
                Row(
                    what: what,
                    figure: "\(decimal("syncSeconds", 0)) s, \(count("syncCalls")) calls, "
                        + "\(decimal("callsPerChange", 3)) a change, "
                        + "\(count("syncWrites")) writes"
                        + (self["syncConverged"] == 1 ? "" : ", NOT CONVERGED"),
                    target: "≤ 1.2 calls a change, in step",
                    isMet: self["callsPerChange"] <= 1.2 && self["syncConverged"] == 1,
                    name: "sync", memory: memory))
        }
        return rows + [flatness]
    }

    /// Each part's own memory on a log of a tenth of the length and on the whole one.
    private var flatness: Row {
        let parts = [Part.scan, .verify, .rebuild, .asOf].map(\.rawValue)
        let pairs = parts.map { part in
            (results.memoryOfTenth[part]?.own ?? .nan, results.memory[part]?.own ?? .nan)
        }
        let words = zip(parts, pairs).map { String(format: "%@ %.0f → %.0f MB", $0, $1.0, $1.1) }
        return Row(
            what: "memory of its own, a tenth of the log → the log",
            figure: words.joined(separator: ", "), target: "flat",
            isMet: pairs.allSatisfy { $1 <= $0 * 1.25 + 16 })
    }

    // MARK: - Shapes

    private var heading: String {
        let share = String(format: "%.0f", self["sealedShare"] * 100)
        return "\(grouped(run.events)) events about \(count("people")) people, "
            + "\(count("bytesPerEvent")) bytes each: 70 % observations of 8 fields, 20 % decisions "
            + "and commands, 10 % others; \(share) % of the parts sealed"
    }

    private var footnote: String {
        "Memory: the peak of its own, and in brackets the peak with LMDB's mapped pages, which are "
            + "the kernel's cache of the file."
    }

    private var cells: [[String]] {
        [["what", "measured", "should be", "", "peak memory"]]
            + rows.map { row in
                let memory =
                    row.memory
                    ?? row.part.flatMap { results.memory[$0.rawValue] }.map(megabytes) ?? ""
                let verdict = row.isMet.map { $0 ? "met" : "MISSED" } ?? ""
                if let part = row.part?.rawValue ?? row.name, results.failed.contains(part) {
                    return [row.what, "FAILED", row.target, "MISSED", memory]
                }
                return [row.what, row.figure, row.target, verdict, memory]
            }
    }

    var plain: String {
        let cells = cells
        let widths = cells[0].indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        let lines = cells.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
                .joined(separator: "  ").trimmingCharacters(in: .whitespaces)
        }
        return ([""] + machine.lines + [heading, ""] + lines + ["", footnote])
            .joined(separator: "\n")
    }

    var markdown: String {
        var lines = cells.map { "| " + $0.joined(separator: " | ") + " |" }
        lines.insert("|---|---|---|---|---|", at: 1)
        return (machine.lines + [heading + "."]).joined(separator: "  \n") + "\n\n"
            + lines.joined(separator: "\n") + "\n\n" + footnote
    }

    var json: String {
        var object: [String: Any] = results.figures.mapValues { number($0) }
        object["events"] = run.events
        object["appendPerSecond"] = number(self["append1000PerSecond"])
        object["appendRatio"] = number(self["append1000Ratio"])
        let own = results.memory.filter { $0.key != "sync" }.values.map(\.own)
        let resident = results.memory.filter { $0.key != "sync" }.values.map(\.resident)
        object["peakMegabytes"] = number(own.max() ?? .nan)
        object["peakResidentMegabytes"] = number(resident.max() ?? .nan)
        object["memory"] = results.memory.mapValues {
            ["own": number($0.own), "resident": number($0.resident)]
        }
        object["memoryOfTenth"] = results.memoryOfTenth.mapValues {
            ["own": number($0.own), "resident": number($0.resident)]
        }
        object["machine"] = machine.lines
        object["missed"] = rows.filter { $0.isMet == false }.map(\.what)
        object["failed"] = results.failed
        object["leftOut"] = run.lab == nil ? ["sync"] : []
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
        let data = try? JSONSerialization.data(withJSONObject: object, options: options)
        return String(decoding: data ?? Data(), as: UTF8.self)
    }

    // MARK: - Numbers

    private subscript(name: String) -> Double { results.figures[name] ?? .nan }

    /// Three digits behind the point, and no more than were measured.
    private func number(_ value: Double) -> Any {
        guard value.isFinite else { return NSNull() }
        return NSDecimalNumber(string: String(format: value >= 1_000 ? "%.0f" : "%.3f", value))
    }

    private func decimal(_ name: String, _ digits: Int = 2) -> String {
        String(format: "%.\(digits)f", self[name])
    }

    private func count(_ name: String) -> String {
        self[name].isFinite ? grouped(Int(self[name].rounded())) : "–"
    }

    private func grouped(_ number: Int) -> String {
        var digits = Array("\(number)")
        for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
        return String(digits)
    }

    private func megabytes(_ memory: (own: Double, resident: Double)) -> String {
        String(format: "%.0f MB (%.0f)", memory.own, memory.resident)
    }
}
