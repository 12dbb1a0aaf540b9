import Engine
import Ledger
import Projections

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

    func show(_ progress: ViewStore.Progress) {
        show(position: progress.position, end: progress.end)
    }

    func show(position: UInt64, end: UInt64) {
        let seconds =
            Double(systemNow().microseconds - started.microseconds) / 1_000_000
        line.show(Self.text(verb, position: position, end: end, seconds: seconds))
    }

    func clear() { line.clear() }

    static func text(
        _ verb: String, position: UInt64, end: UInt64, seconds: Double
    ) -> String {
        let pace = seconds > 0 ? Double(position) / seconds : 0
        let left = pace > 0 ? Double(end - position) / pace : 0
        return "\(verb): event \(position) of \(end), \(Int(pace)) a second, "
            + "\(Int(left.rounded(.up))) s left"
    }
}
