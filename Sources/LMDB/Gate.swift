import Glibc

/// Counts the transactions of one environment, so that its map is only replaced while there are none.
///
/// LMDB does not check this itself: a map replaced under a transaction leaves it reading freed
/// memory.
struct Gate: Sendable {
    enum Kind { case read, write, inspection }

    /// Why nobody gets in any more.
    enum Refusal: Error { case closed, poisoned }

    /// The right to touch the environment's map until it is handed back.
    struct Ticket {
        let number: UInt64
        let kind: Kind
        let thread: pthread_t
        let since: Moment
    }

    private struct State {
        var tickets: [UInt64: Ticket] = [:]
        var lastNumber: UInt64 = 0
        /// The thread that waits for, or has, the environment to itself.
        var barrier: pthread_t?
        var refusal: Refusal?

        func isHeld(by thread: pthread_t) -> Bool {
            tickets.values.contains { $0.thread == thread }
        }
    }

    private let monitor = Monitor(State())

    /// Blocks while a barrier is up, unless this thread is inside already and so holds it up.
    func enter(_ kind: Kind) throws(Refusal) -> Ticket {
        let thread = pthread_self()
        let entry: Result<Ticket, Refusal>? = monitor.wait { state in
            if let refusal = state.refusal { return .failure(refusal) }
            if state.barrier != nil && !state.isHeld(by: thread) { return nil }
            state.lastNumber += 1
            let ticket = Ticket(
                number: state.lastNumber, kind: kind, thread: thread, since: .now)
            state.tickets[ticket.number] = ticket
            return .success(ticket)
        }
        guard let entry else { preconditionFailure("a wait without a deadline gave up") }
        return try entry.get()
    }

    func leave(_ ticket: Ticket) {
        let held = monitor.update { $0.tickets.removeValue(forKey: ticket.number) }
        precondition(held != nil, "a ticket was handed back twice")
    }

    /// Runs `body` while no transaction of this process is open; `nil` if they do not end in time.
    ///
    /// New transactions wait meanwhile. A thread that holds a transaction itself gets `nil` at once.
    func alone<R>(within patience: Duration, _ body: () throws -> R) rethrows -> R? {
        let thread = pthread_self()
        let deadline = Moment.now + patience
        let raised: Bool? = monitor.wait(until: deadline) { state in
            if state.isHeld(by: thread) { return false }
            guard state.barrier == nil else { return nil }
            state.barrier = thread
            return true
        }
        guard raised == true else { return nil }
        defer { monitor.update { $0.barrier = nil } }
        let drained: Bool? = monitor.wait(until: deadline) { state in
            state.tickets.isEmpty ? true : nil
        }
        return drained == nil ? nil : try body()
    }

    /// Lets nobody in any more; the first reason stays, but a closed gate is closed.
    func refuse(_ refusal: Refusal) {
        monitor.update { state in
            if state.refusal == nil || refusal == .closed { state.refusal = refusal }
        }
    }

    /// Whether this thread is inside with a transaction of that kind.
    func isInside(_ kind: Kind) -> Bool {
        let thread = pthread_self()
        return monitor.look { state in
            state.tickets.values.contains { $0.thread == thread && $0.kind == kind }
        }
    }

    var isClosed: Bool { monitor.look { $0.refusal == .closed } }

    /// How long the oldest open read transaction of this process has been open.
    var oldestReaderAge: Duration? {
        monitor.look { state in
            state.tickets.values.filter { $0.kind == .read }.map(\.since).min()
        }?.elapsed
    }
}
