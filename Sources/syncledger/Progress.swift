import Engine
import Ledger
import Projections
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// One line on a terminal's standard error, written over and over; nothing where there is none.
final class ProgressLine {
    private let isTerminal = isatty(2) == 1
    private var last = ""

    func show(_ state: RunProgress) {
        var text = "\(state.phase.rawValue): \(state.objects) objects read"
        if state.commandsTotal > 0 {
            text += ", \(state.commandsDone) of \(state.commandsTotal) writes done"
        }
        show(text)
    }

    func show(_ text: String) {
        guard isTerminal, text != last else { return }
        last = text
        put("\r\u{1B}[K\(visible(text))")
    }

    func clear() {
        if isTerminal, !last.isEmpty { put("\r\u{1B}[K") }
        last = ""
    }

    private func put(_ text: String) {
        let bytes = Array(text.utf8)
        // A progress line that cannot be shown is no reason to stop.
        _ = write(2, bytes, bytes.count)
    }
}

/// How a reading of the log goes: position, pace, time left.
struct FoldProgress {
    private let line = ProgressLine()
    private let verb: String
    private let started = systemNow()

    init(_ verb: String) { self.verb = verb }

    func show(_ progress: ViewStore.Progress) { line.show(Self.text(verb, progress)) }

    /// For work whose pace nobody measures but us, from its beginning.
    func show(position: UInt64, end: UInt64) {
        let seconds = Double(systemNow().microseconds - started.microseconds) / 1_000_000
        let pace = seconds > 0 ? Double(position) / seconds : 0
        line.show(
            Self.text(
                verb,
                .init(
                    position: position, end: end, perSecond: pace,
                    secondsLeft: pace > 0 ? Double(end - min(end, position)) / pace : nil)))
    }

    func clear() { line.clear() }

    static func text(_ verb: String, _ progress: ViewStore.Progress) -> String {
        let place = "\(verb): event \(progress.position) of \(progress.end)"
        if let process = progress.waitingFor { return place + ", waiting for process \(process)" }
        let pace = ", \(Int(progress.perSecond)) a second"
        guard let left = progress.secondsLeft else { return place + pace }
        return place + pace + ", \(Int(left.rounded(.up))) s left"
    }
}

/// Says on standard error, once, that the views are folded anew though nobody asked for it, and why.
final class RebuildTeller: Sendable {
    private let progress = Mutex(FoldProgress("folding anew"))

    func tell(_ notice: RebuildNotice) {
        progress.withLock { progress in
            switch notice {
            case .began(let reason):
                Output.complain("Folding the views anew from the log, for \(reason).")
            case .folded(let state): progress.show(state)
            case .ended: progress.clear()
            }
        }
    }
}
