import Foundation

// `tools/bench` starts this with checked arguments; this starts itself once for each part.
let arguments = Array(CommandLine.arguments.dropFirst())

/// The word behind an option.
func option(_ name: String) -> String? {
    arguments.firstIndex(of: name).flatMap { place in
        arguments.indices.contains(place + 1) ? arguments[place + 1] : nil
    }
}

guard let directory = option("--directory"), let events = option("--events").flatMap({ Int($0) })
else {
    say("bench: run tools/bench instead, see its --help")
    exit(64)
}

do {
    if let name = option("--part"), let part = Part(rawValue: name) {
        let figures = try part.figures(directory: directory, events: events)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        print(String(decoding: try encoder.encode(figures), as: UTF8.self))
    } else {
        let run = BenchRun(
            directory: directory, events: events, lab: option("--lab"),
            machine: Machine(
                swift: option("--swift") ?? "?", filesystem: option("--filesystem") ?? "?"))
        let results = try run.measure()
        let table = Table(results: results, machine: run.machine, run: run)
        if arguments.contains("--json") {
            say(table.plain)
            print(table.json)
        } else {
            print(arguments.contains("--markdown") ? table.markdown : table.plain)
        }
        if !results.failed.isEmpty { exit(1) }
    }
} catch {
    say("bench: \(error)")
    exit(1)
}
