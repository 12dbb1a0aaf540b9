import BenchHouse
import Foundation
import Ledger
import PlainLoop

/// Three ways of appending at one size of commit, one after the other in each round.
struct Figure {
    var batch: Int
    var events: Int
    /// Events a second in each round: the plain loop, ours from drafts, ours from drafts that were
    /// sealed before.
    var plain: [Double]
    var whole: [Double]
    var sealed: [Double]
    var ratio: Spread { Spread(zip(whole, plain).map { $0 / $1 }) }
    var sealedRatio: Spread { Spread(zip(sealed, plain).map { $0 / $1 }) }
}

let arguments = CommandLine.arguments
let isJSON = arguments.contains("--json")
let root =
    arguments.firstIndex(of: "--directory").map { arguments[$0 + 1] }
    ?? FileManager.default.temporaryDirectory.path
let rounds = arguments.firstIndex(of: "--rounds").flatMap { Int(arguments[$0 + 1]) } ?? 3
let only = arguments.firstIndex(of: "--batch").flatMap { Int(arguments[$0 + 1]) }

let sizes = [(1, 400), (100, 50_000), (1_000, 200_000)].filter { only == nil || $0.0 == only }
let bench = try Bench(root: root)
var figures: [Figure] = []
for (batch, events) in sizes {
    figures.append(try bench.measure(batch: batch, events: events, rounds: rounds))
}

if isJSON {
    let rows = figures.map {
        """
        {"batch": \($0.batch), "events": \($0.events), "plain": \(middle($0.plain)), \
        "ours": \(middle($0.whole)), "ratio": \($0.ratio.json), \
        "oursSealedBefore": \(middle($0.sealed)), "ratioSealedBefore": \($0.sealedRatio.json)}
        """
    }
    print("{\"rowBytes\": \(bench.rowBytes), \"appends\": [\(rows.joined(separator: ", "))]}")
} else {
    print("rows of \(bench.rowBytes) bytes; events/s, medians of \(rounds) rounds")
    print("a commit   plain C      ours   ratio to plain C      sealed before   ratio to plain C")
    for figure in figures {
        print(
            padded("\(figure.batch)", 8), padded("\(middle(figure.plain))", 9),
            padded("\(middle(figure.whole))", 9), padded("\(figure.ratio)", 21),
            padded("\(middle(figure.sealed))", 13), padded("\(figure.sealedRatio)", 21))
    }
}
