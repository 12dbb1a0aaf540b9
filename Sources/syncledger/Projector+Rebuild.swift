import ArgumentParser
import Connectors
import Engine
import Ledger
import Projections

extension Projector {
    struct Rebuild: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fold the whole log into a fresh generation and swap it in.",
            discussion: """
                The views serve meanwhile, and syncs go on. Control-C stops it, and the next rebuild goes \
                on where it stood; the same holds for one that was killed. At the end it waits for \
                a syncledger that is at work.
                """)
        @OptionGroup var common: Common
        @Flag(help: "Begin with the first event, whatever an earlier rebuild left.")
        var anew = false

        func run() throws {
            try common.withWorkplace(folds: false) { workplace in
                let stop = StopSignal()
                let interrupt = Interrupt(
                    stopping: stop, saying: "Stopping: what is folded is kept.")
                defer { withExtendedLifetime(interrupt) {} }
                let progress = FoldProgress("rebuilding")
                defer { progress.clear() }
                var isTold = false
                let rebuilt = try workplace.views.rebuild(
                    anew: anew, isCancelled: { stop.isStopped }
                ) { state in
                    if let process = state.waitingFor, !isTold {
                        progress.clear()
                        Output.complain(
                            "All is folded: waiting for the syncledger that is at work (process \(process)) to finish."
                        )
                        isTold = true
                    }
                    progress.show(state)
                }
                progress.clear()
                common.show(rebuilt.json, rebuilt.lines)
            }
        }
    }
}

extension Rebuilt {
    fileprivate var seconds: Double { duration / .seconds(1) }
    fileprivate var perSecond: Int { seconds > 0 ? Int(Double(events) / seconds) : 0 }
    fileprivate var swapMilliseconds: Int { Int((swap / .milliseconds(1)).rounded(.up)) }
    /// Seconds with three places.
    private var secondsText: String {
        let thousandths = "\(Int((seconds * 1_000).rounded()) % 1_000 + 1_000)".dropFirst()
        return "\(Int((seconds * 1_000).rounded()) / 1_000).\(thousandths)"
    }

    fileprivate var json: JSON {
        .object([
            .init("generation", .number("\(generation)")),
            .init("position", .number("\(position)")),
            .init("events", .number("\(events)")),
            .init("seconds", .number(secondsText)),
            .init("perSecond", .number("\(perSecond)")),
            .init("swapMilliseconds", .number("\(swapMilliseconds)")),
            .init("resumedFrom", .number("\(resumedFrom)")),
        ])
    }

    fileprivate var lines: [String] {
        let resumed = resumedFrom > 0 ? ", going on behind \(resumedFrom)" : ""
        return [
            "Rebuilt \(position) events\(resumed); generation \(generation) serves.",
            "\(events) folded in \(secondsText) s, \(perSecond) a second; "
                + "the engine waited \(swapMilliseconds) ms for the swap.",
        ]
    }
}
