internal import CCurl

/// Runs every transfer of a client on one thread, from its order to its completion.
///
/// Made and used on that thread only. It holds no state machine of HTTP: libcurl does. It decides
/// when a transfer starts, when its time is up, and that each completion is called exactly once.
final class TransferLoop {
    private let mailbox: Mailbox
    private let multi: MultiHandle
    private let configuration: HTTPClient.Configuration
    private let clock = ContinuousClock()
    private var live: [Transfer.ID: LiveTransfer] = [:]

    /// No deadline passes before this, so that the transfers need not be looked through.
    private var nextDeadline: ContinuousClock.Instant?

    private static let longestSleep = Duration.seconds(60)

    init(mailbox: Mailbox, multi: MultiHandle, configuration: HTTPClient.Configuration) {
        self.mailbox = mailbox
        self.multi = multi
        self.configuration = configuration
    }

    /// Blocks until the mailbox says stop, then completes what is left as cancelled.
    func run() {
        while takeOrders() {
            multi.perform()
            endFinished()
            endOverdue()
            multi.poll(milliseconds: Int32(clamping: sleep().milliseconds))
        }
        for one in live.values {
            end(one, .failure(one.failure(.cancelled)))
        }
        multi.close()
        mailbox.end()
    }

    // MARK: Orders

    private func takeOrders() -> Bool {
        let (orders, isStopping) = mailbox.take()
        for order in orders {
            switch order {
            case .start(let transfer) where isStopping:
                mailbox.completed(1)
                transfer.completion(.failure(transfer.failure(.cancelled, wasSent: false)))
            case .start(let transfer): start(transfer)
            case .refuse(let failure, let completion): completion(.failure(failure))
            case .cancel(let id):
                guard let one = live[id] else { continue }
                end(one, .failure(one.failure(.cancelled)))
            }
        }
        return !isStopping
    }

    private func start(_ transfer: Transfer) {
        let one = LiveTransfer(transfer, configuration: configuration)
        live[transfer.id] = one
        nextDeadline = min(nextDeadline ?? transfer.deadline, transfer.deadline)
        multi.add(one)
    }

    // MARK: Ends

    private func endFinished() {
        while let (id, code) = multi.nextEnded() {
            guard let one = live[id] else { continue }
            end(one, one.result(code))
        }
    }

    private func endOverdue() {
        let now = clock.now
        guard let deadline = nextDeadline, deadline <= now else { return }
        for one in live.values where one.transfer.deadline <= now {
            end(one, .failure(one.failure(.totalTimeout)))
        }
        nextDeadline = live.values.lazy.map(\.transfer.deadline).min()
    }

    private func end(_ one: LiveTransfer, _ result: HTTPResult) {
        multi.remove(one)
        live[one.transfer.id] = nil
        mailbox.completed(1)
        one.transfer.completion(result)
    }

    private func sleep() -> Duration {
        guard let nextDeadline else { return Self.longestSleep }
        return min(max(.zero, clock.now.duration(to: nextDeadline)), Self.longestSleep)
    }
}
