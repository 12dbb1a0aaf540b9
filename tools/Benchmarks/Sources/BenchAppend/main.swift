import Foundation
import Ledger
import PlainLoop

/// One way of appending at one size of commit.
struct Figure {
    var batch: Int
    var events: Int
    /// Events a second: the plain loop, ours from drafts, ours from drafts that were sealed before.
    var plain: Double
    var whole: Double
    var sealed: Double
    var ratio: Double { whole / plain }
    var sealedRatio: Double { sealed / plain }
}

let arguments = CommandLine.arguments
let isJSON = arguments.contains("--json")
let root =
    arguments.firstIndex(of: "--directory").map { arguments[$0 + 1] }
    ?? FileManager.default.temporaryDirectory.path
let rounds = arguments.firstIndex(of: "--rounds").flatMap { Int(arguments[$0 + 1]) } ?? 3
let only = arguments.firstIndex(of: "--batch").flatMap { Int(arguments[$0 + 1]) }

let sizes = [(1, 400), (100, 20_000), (1_000, 100_000)].filter { only == nil || $0.0 == only }
let bench = try Bench(root: root)
var figures: [Figure] = []
for (batch, events) in sizes {
    figures.append(try bench.measure(batch: batch, events: events, rounds: rounds))
}

if isJSON {
    let rows = figures.map {
        """
        {"batch": \($0.batch), "events": \($0.events), "plain": \(Int($0.plain)), \
        "ours": \(Int($0.whole)), "ratio": \(rounded($0.ratio)), \
        "oursSealedBefore": \(Int($0.sealed)), "ratioSealedBefore": \(rounded($0.sealedRatio))}
        """
    }
    print("{\"rowBytes\": \(bench.rowBytes), \"appends\": [\(rows.joined(separator: ", "))]}")
} else {
    print("rows of \(bench.rowBytes) bytes; events/s, median of \(rounds) rounds")
    print("a commit   plain C      ours   ratio   sealed before   ratio")
    for figure in figures {
        print(
            padded("\(figure.batch)", 8), padded("\(Int(figure.plain))", 9),
            padded("\(Int(figure.whole))", 9), padded("\(rounded(figure.ratio))", 7),
            padded("\(Int(figure.sealed))", 15), padded("\(rounded(figure.sealedRatio))", 7))
    }
}

func rounded(_ number: Double) -> Double { (number * 1_000).rounded() / 1_000 }

func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}
