import Synchronization

/// Tasks that wait for the log to grow.
final class Waiters: Sendable {
    private struct State {
        var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var lastNumber: UInt64 = 0
        var isClosed = false

        mutating func takeAll() -> [CheckedContinuation<Void, Never>] {
            defer { waiting = [:] }
            return Array(waiting.values)
        }
    }

    private let state = Mutex(State())

    /// Suspends until `ready` answers something, looking again after each `wake`.
    ///
    /// Answers `otherwise` once the waiters are closed or the task is cancelled.
    func wait(
        until ready: @Sendable () -> UInt64?, otherwise: @Sendable () -> UInt64
    ) async -> UInt64 {
        while true {
            if let answer = ready() { return answer }
            guard !Task.isCancelled, !state.withLock({ $0.isClosed }) else { return otherwise() }
            await turn(ready)
        }
    }

    /// Wakes everybody who waits; who is not ready yet waits again.
    func wake() {
        for waiter in state.withLock({ $0.takeAll() }) { waiter.resume() }
    }

    /// Lets nobody wait any more.
    func close() {
        state.withLock { $0.isClosed = true }
        wake()
    }

    private func turn(_ ready: @Sendable () -> UInt64?) async {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mayWait = state.withLock { state in
                    // Whoever wakes has changed the answer before it comes for the lock.
                    guard !state.isClosed, !Task.isCancelled, ready() == nil else { return false }
                    state.waiting[number] = continuation
                    return true
                }
                if !mayWait { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: number) }?.resume()
        }
    }
}
