import Glibc

/// State under a lock that threads can also wait on, which `Mutex` does not offer.
///
/// Also used where nobody waits: the thread sanitizer follows pthreads, but not `Mutex`.
/// Every change made in `update` or by a successful `wait` wakes all waiters.
// Unchecked: the state is only touched while the pthread mutex is held.
@safe package final class Monitor<State>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var state: State

    package init(_ state: State) {
        self.state = state
        unsafe mutex = .allocate(capacity: 1)
        unsafe changed = .allocate(capacity: 1)
        unsafe require(pthread_mutex_init(mutex, nil))
        var attributes = pthread_condattr_t()
        unsafe require(pthread_condattr_init(&attributes))
        unsafe require(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC))
        unsafe require(pthread_cond_init(changed, &attributes))
        unsafe require(pthread_condattr_destroy(&attributes))
    }

    deinit {
        unsafe require(pthread_cond_destroy(changed))
        unsafe require(pthread_mutex_destroy(mutex))
        unsafe changed.deallocate()
        unsafe mutex.deallocate()
    }

    /// Looks at the state under the lock.
    package func look<R>(_ body: (borrowing State) -> R) -> R {
        unsafe require(pthread_mutex_lock(mutex))
        defer { unsafe require(pthread_mutex_unlock(mutex)) }
        return body(state)
    }

    /// Changes the state under the lock and wakes everybody who waits.
    package func update<R>(_ body: (inout State) -> R) -> R {
        unsafe require(pthread_mutex_lock(mutex))
        defer { unsafe require(pthread_mutex_unlock(mutex)) }
        defer { unsafe require(pthread_cond_broadcast(changed)) }
        return body(&state)
    }

    /// Blocks until `attempt` answers, trying again after each change; `nil` at the deadline.
    ///
    /// An attempt that answers `nil` must leave the state as it was.
    package func wait<R>(until deadline: Moment? = nil, _ attempt: (inout State) -> R?) -> R? {
        unsafe require(pthread_mutex_lock(mutex))
        defer { unsafe require(pthread_mutex_unlock(mutex)) }
        var isOver = false
        while true {
            if let result = attempt(&state) {
                unsafe require(pthread_cond_broadcast(changed))
                return result
            }
            if isOver { return nil }
            guard let deadline else {
                unsafe require(pthread_cond_wait(changed, mutex))
                continue
            }
            var time = deadline.time
            let status = unsafe pthread_cond_timedwait(changed, mutex, &time)
            isOver = status == ETIMEDOUT
            if !isOver { require(status) }
        }
    }
}

/// Traps when a pthread call fails, which only a bug of ours can cause.
private func require(_ status: Int32) {
    precondition(status == 0, "a pthread call failed with \(status)")
}
