import Foundation

/// All parts, one after the other, each as a process of its own.
struct BenchRun {
    let directory: String
    let events: Int
    /// The path of `syncledger-lab`; `nil` where the sync is left out.
    let lab: String?
    let machine: Machine

    /// Contacts, accounts and deals of the sync.
    var population: (people: Int, accounts: Int, deals: Int) {
        let people = max(200, min(10_000, events / 100))
        return (people, people / 10, people * 3 / 10)
    }

    /// What was measured, and what each part took.
    struct Results {
        var figures: Figures = [:]
        /// Megabytes of a part, by its name: of its own, and resident with mapped files.
        var memory: [String: (own: Double, resident: Double)] = [:]
        /// The same on a log of a tenth of the length.
        var memoryOfTenth: [String: (own: Double, resident: Double)] = [:]
        /// Parts that ended without a result.
        var failed: [String] = []
    }

    func measure() throws -> Results {
        var results = Results()
        let log = directory + "/log"
        let small = directory + "/small"
        for path in [log, small, directory + "/planning"] {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false)
        }
        try run(.append, in: directory, events, &results)
        let onLog: [Part] = [.write, .scan, .verify, .rebuild, .asOf]
        var tenth = Results()
        for part in onLog { try run(part, in: small, max(1_000, events / 10), &tenth) }
        results.memoryOfTenth = tenth.memory
        for name in ["asOfMilliseconds", "asOfMillisecondsMedian", "rebuildPerSecond"] {
            results.figures[name + "OfTenth"] = tenth.figures[name]
        }
        for part in onLog { try run(part, in: log, events, &results) }
        for path in [log, small] { try FileManager.default.removeItem(atPath: path) }
        try run(.planning, in: directory + "/planning", events, &results)
        if lab == nil {
            say("sync: left out, as --quick asks")
        } else {
            try sync(&results)
        }
        return results
    }

    private func run(
        _ part: Part, in directory: String, _ events: Int, _ results: inout Results
    ) throws {
        say("\(part.rawValue), \(events) events …")
        let child = try ChildProcess(
            "/proc/self/exe",
            ["--part", part.rawValue, "--directory", directory, "--events", "\(events)"])
        guard child.status == 0,
            let figures = try? JSONDecoder().decode(Figures.self, from: Data(child.output))
        else {
            // The others are worth knowing all the same.
            say("  \(ChildProcess.Failure.part(part.rawValue, child.status))")
            results.failed.append(part.rawValue)
            return
        }
        results.figures.merge(figures) { $1 }
        results.memory[part.rawValue] = (child.ownMegabytes, child.residentMegabytes)
        say(String(format: "  %.0f s", child.seconds))
    }

    /// A whole life through the sandbox: first contact, edits on all sides, questions answered, and a
    /// last sync that must have nothing to do.
    private func sync(_ results: inout Results) throws {
        let (people, accounts, deals) = population
        say("sync of \(people) contacts, \(accounts) accounts and \(deals) deals …")
        let child = try ChildProcess(
            lab ?? "",
            [
                "demo", "--json", "--people", "\(people)", "--accounts", "\(accounts)",
                "--deals", "\(deals)", "--ledger", directory + "/sync",
            ])
        guard
            let told = try? JSONSerialization.jsonObject(with: Data(child.output))
                as? [String: Any]
        else {
            say("  \(ChildProcess.Failure.part("sync", child.status))")
            results.failed.append("sync")
            return
        }
        func number(_ name: String) -> Double { (told[name] as? NSNumber)?.doubleValue ?? .nan }
        results.figures["syncSeconds"] = number("seconds")
        results.figures["syncCalls"] = number("apiCalls")
        results.figures["callsPerChange"] = number("callsPerChange")
        results.figures["syncEvents"] = number("events")
        results.figures["syncWrites"] = number("commandsConfirmed")
        // It ends with an error where it is not in step, or a rebuild differs.
        results.figures["syncConverged"] = child.status == 0 ? number("converged") : 0
        results.memory["sync"] = (child.ownMegabytes, child.residentMegabytes)
    }
}

func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
