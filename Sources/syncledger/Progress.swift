import Engine
import Ledger
import Projections
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// How a run goes: what it does, pace, time left.
final class RunLine {
    private let line: ProgressLine
    private let clock: () -> Timestamp
    private var phase: RunProgress.Phase?
    private var began: Timestamp
    private var doneBefore = 0

    init(clock: @escaping () -> Timestamp = systemNow) {
        self.clock = clock
        line = ProgressLine(clock: clock)
        began = clock()
    }

    func show(_ state: RunProgress) {
        let now = clock()
        let done = state.phase == .looking ? state.objects : state.recordsDone
        if state.phase != phase, state.phase != .planning {
            (phase, began, doneBefore) = (state.phase, now, done)
        }
        line.show(
            Self.text(
                state, done: done - doneBefore,
                seconds: Double(now.microseconds - began.microseconds) / 1_000_000))
    }

    func clear() { line.clear() }

    /// The line, from what was `done` (objects or records) in the `seconds` since the phase began.
    static func text(_ state: RunProgress, done: Int, seconds: Double) -> String {
        var text = "\(state.phase.rawValue): \(state.objects)"
        if state.objectsLeft > 0 { text += " of about \(state.objects + state.objectsLeft)" }
        text += " objects read"
        let isWriting = state.phase == .writing
        if state.phase == .looking, !state.reading.isEmpty {
            text += " (\(state.reading.joined(separator: ", ")))"
        }
        let isCounting = state.phase == .counting
        if state.recordsTotal > 0, isCounting || state.phase == .planning && state.commandsDone == 0
        {
            text += ", \(state.recordsDone) of \(state.recordsTotal) records looked through"
        } else if state.recordsTotal > 0, isWriting || state.commandsDone > 0 {
            text += ", \(state.recordsDone) of \(state.recordsTotal) records settled, "
            text += "\(state.commandsDone) writes done"
        }
        guard isWriting || isCounting || state.phase == .looking, done > 0, seconds >= 1 else {
            return text
        }
        let pace = Double(done) / seconds
        text += ", \(Int(pace.rounded())) a second"
        let left =
            state.phase == .looking ? state.objectsLeft : state.recordsTotal - state.recordsDone
        guard left > 0 else { return text }
        return text + ", \(timeLeft(Double(left) / pace)) left"
    }

    /// As people say it: `40 s`, `12 min`, `3 h 5 min`.
    static func timeLeft(_ seconds: Double) -> String {
        let seconds = Int(min(seconds, 1e9).rounded(.up))
        guard seconds >= 120 else { return "\(seconds) s" }
        let minutes = (seconds + 59) / 60
        return minutes < 120 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
    }
}

/// One line on standard error: on a terminal written over and over, elsewhere a new one, once a minute
/// at most.
final class ProgressLine {
    private let isTerminal: Bool
    private let clock: () -> Timestamp
    private let say: (String) -> Void
    private var last = ""
    private var told: Timestamp

    init(
        isTerminal: Bool = isatty(2) == 1, clock: @escaping () -> Timestamp = systemNow,
        say: @escaping (String) -> Void = Output.complain
    ) {
        self.isTerminal = isTerminal
        self.clock = clock
        self.say = say
        told = clock()
    }

    func show(_ text: String) {
        guard isTerminal else { return tell(text) }
        guard text != last else { return }
        last = text
        put("\r\u{1B}[K\(visible(text))")
    }

    private func tell(_ text: String) {
        let now = clock()
        guard now.microseconds - told.microseconds >= 60_000_000 else { return }
        told = now
        say(text)
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
        line.show(Self.text(verb, .init(position: position, end: end, perSecond: pace)))
    }

    func clear() { line.clear() }

    static func text(_ verb: String, _ progress: ViewStore.Progress) -> String {
        let place = "\(verb): event \(progress.position) of \(progress.end)"
        if let process = progress.waitingFor { return place + ", waiting for process \(process)" }
        let pace = ", \(Int(progress.perSecond)) a second"
        guard let left = progress.secondsLeft else { return place + pace }
        return place + pace + ", \(RunLine.timeLeft(left)) left"
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
