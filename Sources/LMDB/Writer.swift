import CLMDB
import Glibc
import Synchronization

/// The one thread that an environment's write transactions run on, one job at a time.
///
/// LMDB's write lock belongs to an operating system thread: a commit on another one answers success
/// and leaves the lock held.
final class Writer: Sendable {
    /// Why a job was not run.
    enum Refusal: Error { case stopped, busy }

    private struct State {
        var waiting: [@Sendable () -> Void] = []
        /// Jobs taken over from `waiting`, the next one last.
        var next: [@Sendable () -> Void] = []
        /// Run when no job has come for a while, and again at once as long as it answers `true`.
        var quietJob: (@Sendable () -> Bool)?
        var isStopping = false
        var hasEnded = false
        var busySince: Moment?
    }

    /// What the thread does next.
    private enum Turn {
        case job(@Sendable () -> Void)
        case quiet((@Sendable () -> Bool)?)
        case end
    }

    private let monitor = Monitor(State())
    private let thread = Atomic<pthread_t>(0)
    /// How long there must have been no job for the queue to count as quiet.
    private let quietAge: Duration

    /// Starts the thread; throws if the system has none left to give.
    init(for path: String, quietAge: Duration) throws(LMDBError) {
        self.quietAge = quietAge
        var handle = pthread_t()
        let context = unsafe Unmanaged.passRetained(self)
        let status = unsafe pthread_create(
            &handle, nil,
            { context in
                guard let context = unsafe context else { return nil }
                let writer = unsafe Unmanaged<Writer>.fromOpaque(context).takeRetainedValue()
                writer.run()
                return nil
            }, context.toOpaque())
        guard status == 0 else {
            unsafe context.release()
            throw LMDBError(
                .init(rawValue: status), operation: "start the writer's thread", path: path)
        }
        precondition(pthread_detach(handle) == 0)
    }

    /// Whether this is the writer's thread.
    var isCurrent: Bool { thread.load(ordering: .relaxed) == pthread_self() }

    /// How long the job that runs now has been running.
    var busyFor: Duration? { monitor.look { $0.busySince }?.elapsed }

    /// Jobs that wait for their turn.
    var queueLength: Int { monitor.look { $0.waiting.count + $0.next.count } }

    /// Queues a job and returns at once.
    func enqueue(_ job: @escaping @Sendable () -> Void) throws(Refusal) {
        let isQueued = monitor.update { state in
            if !state.isStopping { state.waiting.append(job) }
            return !state.isStopping
        }
        if !isQueued { throw .stopped }
    }

    /// Sets what runs on the thread whenever no job has come for `quietAge`, after each burst of jobs.
    ///
    /// It is called again, after a look at the queue, as long as it answers that there is more to do.
    func whenQuiet(_ job: @escaping @Sendable () -> Bool) throws(Refusal) {
        monitor.update { $0.quietJob = job }
        // The first burst, after which there is quiet.
        try enqueue {}
    }

    /// Runs a job on the thread and blocks until it has run; gives up if it has not begun in time.
    func perform<R>(within patience: Duration, _ body: () throws -> R) throws -> R {
        try withoutActuallyEscaping(body) { body in
            let call = Call(body)
            try enqueue { call.run() }
            return try call.result(within: patience).get()
        }
    }

    /// Runs what is queued, then ends the thread; blocks until it ended unless called on it.
    func stop() {
        monitor.update { $0.isStopping = true }
        if isCurrent { return }
        monitor.wait { $0.hasEnded ? () : nil }
    }

    private func run() {
        thread.store(pthread_self(), ordering: .relaxed)
        // A name for debuggers only, so it does not matter if it is refused.
        _ = unsafe syncledger_name_current_thread("lmdb-writer")
        var quietFrom: Moment?
        loop: while true {
            switch nextTurn(quietFrom: quietFrom) {
            case .job(let job):
                job()
                quietFrom = .now + quietAge
            case .quiet(let job): quietFrom = job?() == true ? .now : nil
            case .end: break loop
            }
        }
        monitor.update { state in
            state.quietJob = nil
            state.hasEnded = true
        }
    }

    /// Blocks until there is a job, or none until `quietFrom`.
    private func nextTurn(quietFrom: Moment?) -> Turn {
        monitor.update { $0.busySince = nil }
        let turn: Turn? = monitor.wait(until: quietFrom) { state in
            if state.next.isEmpty {
                state.next = state.waiting.reversed()
                state.waiting.removeAll(keepingCapacity: true)
            }
            guard let job = state.next.popLast() else { return state.isStopping ? .end : nil }
            state.busySince = .now
            return .job(job)
        }
        return turn
            ?? monitor.update { state in
                state.busySince = .now
                return .quiet(state.quietJob)
            }
    }
}

/// One synchronous call on the writer's thread and its way back.
// Unchecked: the body and the result cross threads, but the caller blocks while the writer has them.
private final class Call<R>: @unchecked Sendable {
    private enum Phase { case waiting, running, done, abandoned }

    private let phase = Monitor(Phase.waiting)
    private var body: (() throws -> R)?
    private var outcome: Result<R, any Error>?

    init(_ body: @escaping () throws -> R) {
        self.body = body
    }

    func run() {
        let isWanted = phase.update { phase in
            if phase == .waiting { phase = .running }
            return phase == .running
        }
        guard isWanted else { return }
        execute()
        phase.update { $0 = .done }
    }

    /// Lets go of the body before the caller wakes up, for whom it must not have escaped.
    private func execute() {
        outcome = Result { try body.take()?() }.flatMap { value in
            value.map(Result.success) ?? .failure(Writer.Refusal.stopped)
        }
    }

    func result(within patience: Duration) -> Result<R, any Error> {
        let begun: Bool? = phase.wait(until: Moment.now + patience) { phase in
            phase == .waiting ? nil : true
        }
        if begun == nil, abandon() { return .failure(Writer.Refusal.busy) }
        phase.wait { $0 == .done ? () : nil }
        return outcome.take() ?? .failure(Writer.Refusal.stopped)
    }

    /// Takes the call back; `false` if the writer has just begun it.
    private func abandon() -> Bool {
        let isOurs = phase.update { phase in
            if phase == .waiting { phase = .abandoned }
            return phase == .abandoned
        }
        if isOurs { body = nil }
        return isOurs
    }
}
