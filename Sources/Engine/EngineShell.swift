package import Ledger
package import Projections
import Synchronization
package import Transport

/// Runs the core against the real world: the log, the network and the clock.
///
/// One blocking loop on the calling thread. Everything that arrived since the last turn is stepped
/// through first; what those steps want appended becomes one group commit, is folded, and only then
/// is the core told, so that no request leaves before its intent is durable.
package final class EngineShell {
    private let log: EventLog
    private let sealer: Sealer
    private let views: ViewStore
    private let client: HTTPClient
    private let clock: @Sendable () -> Timestamp
    private let inbox = Inbox<EngineInput>()
    private var core: EngineCore
    private var wakeAt: Timestamp?
    private var report: RunReport?

    package init(
        log: EventLog, sealer: Sealer, views: ViewStore, core: EngineCore, client: HTTPClient,
        clock: @escaping @Sendable () -> Timestamp
    ) {
        self.log = log
        self.sealer = sealer
        self.views = views
        self.core = core
        self.client = client
        self.clock = clock
    }

    /// Does one run and returns its report.
    ///
    /// Blocks until it is over.
    package func run(
        _ request: RunRequest, progress: (RunProgress) -> Void = { _ in }
    ) throws -> RunReport {
        var inputs = [.begin(request)] + inbox.takeAll(within: .zero)
        while true {
            var appends: [(AppendID, [Draft], [AppendCondition])] = []
            for input in inputs {
                for effect in try core.step(input, now: clock()) {
                    switch effect {
                    case .append(let id, let drafts, let conditions):
                        appends.append((id, drafts, conditions))
                    case .send(let id, let request): send(id, request)
                    case .wake(let at): wakeAt = min(wakeAt ?? at, at)
                    case .progress(let state): progress(state)
                    case .finished(let finished): report = finished
                    }
                }
            }
            if let report { return report }
            inputs = try record(appends)
            if inputs.isEmpty { inputs = wait() }
        }
    }

    /// Says, from any thread, that nothing new is to be begun.
    var onStop: @Sendable () -> Void {
        let inbox = inbox
        return { inbox.put(.cancel) }
    }

    /// One group commit for all, then the fold, then the word to the core.
    private func record(
        _ appends: [(AppendID, [Draft], [AppendCondition])]
    ) throws -> [EngineInput] {
        guard !appends.isEmpty else { return [] }
        let sealed = try appends.map { ($0.0, try sealer.seal($0.1), $0.2) }
        let results = log.appendAll(sealed.map { ($0.1, $0.2) })
        try views.project()
        return zip(sealed, results).map { .recorded($0.0, $1) }
    }

    private func send(_ id: CallID, _ request: HTTPRequest) {
        let inbox = inbox
        client.start(request) { result in inbox.put(.answered(id, result)) }
    }

    /// Blocks until something arrives or a moment that was asked for has come.
    private func wait() -> [EngineInput] {
        let now = clock()
        let pause = wakeAt.map { Duration.microseconds(max(0, $0.microseconds - now.microseconds)) }
        let arrived = inbox.takeAll(within: pause)
        if let wakeAt, clock() >= wakeAt { self.wakeAt = nil }
        return arrived.isEmpty ? [.tick] : arrived
    }
}

/// Asks a run to end early; may be told before, during and after it.
package final class StopSignal: Sendable {
    private struct State {
        var isStopped = false
        var action: (@Sendable () -> Void)?
    }
    private let state = Mutex(State())

    package init() {}

    package var isStopped: Bool { state.withLock { $0.isStopped } }

    package func stop() {
        let action = state.withLock { state in
            state.isStopped = true
            return state.action
        }
        action?()
    }

    func reaches(_ shell: EngineShell) {
        let action = shell.onStop
        let isStopped = state.withLock { state in
            state.action = action
            return state.isStopped
        }
        if isStopped { action() }
    }
}
