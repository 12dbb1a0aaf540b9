internal import Synchronization

/// The only way into the thread: orders in, wake-ups, and whether it still takes any.
final class Mailbox: Sendable {
    enum Order: Sendable {
        case start(Transfer)
        /// To be completed without being sent, but on the thread like any other.
        case refuse(HTTPFailure, @Sendable (HTTPResult) -> Void)
        case cancel(Transfer.ID)
    }

    enum Acceptance {
        case accepted
        case full
        case closed
    }

    private struct State: Sendable {
        var orders: [Order] = []
        var isStopping = false
        var outstanding = 0
        var waiters: [@Sendable () -> Void] = []
        var hasEnded = false
    }

    private let state = Mutex(State())
    private let multi: MultiHandle
    private let capacity: Int

    init(multi: MultiHandle, capacity: Int) {
        self.multi = multi
        self.capacity = capacity
    }

    /// Hands a transfer to the thread.
    ///
    /// What is not accepted must be completed by the caller.
    func start(_ transfer: Transfer) -> Acceptance {
        state.withLock { state in
            guard !state.isStopping else { return .closed }
            guard state.outstanding < capacity else { return .full }
            state.outstanding += 1
            post(.start(transfer), to: &state)
            return .accepted
        }
    }

    /// Hands a refusal to the thread, so that it is completed there; false if it takes no more.
    func refuse(
        _ failure: HTTPFailure, _ completion: @escaping @Sendable (HTTPResult) -> Void
    ) -> Bool {
        state.withLock { state in
            guard !state.isStopping else { return false }
            post(.refuse(failure, completion), to: &state)
            return true
        }
    }

    func cancel(_ id: Transfer.ID) {
        state.withLock { state in
            guard !state.isStopping else { return }
            post(.cancel(id), to: &state)
        }
    }

    /// Asks the thread to end.
    ///
    /// Returns at once; see ``whenEnded(_:)``.
    func stop() {
        state.withLock { state in
            guard !state.isStopping else { return }
            state.isStopping = true
            multi.wakeUp()
        }
    }

    /// Calls back when everything outstanding was completed and every connection closed.
    func whenEnded(_ callback: @escaping @Sendable () -> Void) {
        let hasEnded = state.withLock { state in
            if !state.hasEnded { state.waiters.append(callback) }
            return state.hasEnded
        }
        if hasEnded { callback() }
    }

    // MARK: The thread's side

    /// Everything posted since the last call, and whether it is time to end.
    func take() -> (orders: [Order], isStopping: Bool) {
        state.withLock { state in
            let orders = state.orders
            state.orders = []
            return (orders, state.isStopping)
        }
    }

    func completed(_ count: Int) {
        state.withLock { $0.outstanding -= count }
    }

    /// After this no thread touches the multi handle through the mailbox any more.
    func end() {
        let waiters = state.withLock { state in
            state.hasEnded = true
            let waiters = state.waiters
            state.waiters = []
            return waiters
        }
        for waiter in waiters { waiter() }
    }

    /// One wake-up is enough until the thread has taken the orders.
    private func post(_ order: Order, to state: inout State) {
        let mustWake = state.orders.isEmpty
        state.orders.append(order)
        if mustWake { multi.wakeUp() }
    }
}
