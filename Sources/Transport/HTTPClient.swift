internal import Synchronization

/// Sends requests over HTTP with libcurl, each once: it never retries and never redirects.
///
/// All transfers share one background thread and its pool of kept connections. TLS is verified
/// always. A client that is let go cancels what is outstanding; ``shutdown()`` also waits for it.
package final class HTTPClient: Sendable {
    /// What holds for every request of a client.
    package struct Configuration: Sendable {
        package var userAgent: String

        /// A PEM file of authorities to trust instead of the system's, for private ones.
        package var authorityFile: String?

        package var proxy: Proxy

        /// More requests than this to one host wait for a connection, within their total timeout.
        package var maximumConnectionsPerHost: Int

        package var maximumConnections: Int

        /// More requests than this at once are refused instead of queued.
        package var maximumOutstanding: Int

        /// How long a connection may have been unused and still carry a GET or HEAD.
        ///
        /// Whole seconds. Common servers close after five, some after two.
        package var idleLifetimeForReads: Duration

        /// The same for every other method, whose outcome must not be left uncertain for nothing.
        package var idleLifetimeForWrites: Duration

        package init(
            userAgent: String = "SyncLedger",
            authorityFile: String? = nil,
            proxy: Proxy = .none,
            maximumConnectionsPerHost: Int = 8,
            maximumConnections: Int = 64,
            maximumOutstanding: Int = 10_000,
            idleLifetimeForReads: Duration = .seconds(3),
            idleLifetimeForWrites: Duration = .seconds(1)
        ) {
            self.userAgent = userAgent
            self.authorityFile = authorityFile
            self.proxy = proxy
            self.maximumConnectionsPerHost = maximumConnectionsPerHost
            self.maximumConnections = maximumConnections
            self.maximumOutstanding = maximumOutstanding
            self.idleLifetimeForReads = idleLifetimeForReads
            self.idleLifetimeForWrites = idleLifetimeForWrites
        }
    }

    package enum Proxy: Sendable {
        case none
        /// As `https_proxy`, `all_proxy` and `no_proxy` say; never for loopback.
        case fromEnvironment
    }

    /// A request under way.
    package struct Handle: Sendable {
        fileprivate let id: Transfer.ID
        fileprivate let mailbox: Mailbox

        /// Ends the request as cancelled, unless it has ended already.
        ///
        /// Returns at once.
        package func cancel() {
            mailbox.cancel(id)
        }
    }

    private let mailbox: Mailbox
    private let lastID = Atomic<Transfer.ID>(0)

    /// Starts the thread.
    ///
    /// A configuration that cannot be meant is a mistake of the caller and traps.
    package init(_ configuration: Configuration = Configuration()) {
        precondition(configuration.userAgent.isFieldContent, "The user agent is no header value.")
        // Zero would mean no limit to libcurl.
        precondition(
            configuration.maximumConnectionsPerHost > 0 && configuration.maximumConnections > 0,
            "A client needs at least one connection.")
        let multi = MultiHandle(configuration: configuration)
        let mailbox = Mailbox(multi: multi, capacity: configuration.maximumOutstanding)
        self.mailbox = mailbox
        TransportThread.start {
            TransferLoop(mailbox: mailbox, multi: multi, configuration: configuration).run()
        }
    }

    deinit {
        mailbox.stop()
    }

    /// Sends a request and calls back exactly once with how it ended.
    ///
    /// `completion` runs on the transport thread, where every other transfer waits for it: hand the
    /// result on and return. Only after a shutdown does it run inside this call.
    @discardableResult
    package func start(
        _ request: HTTPRequest,
        limits: HTTPLimits = HTTPLimits(),
        completion: @escaping @Sendable (HTTPResult) -> Void
    ) -> Handle {
        let handle = Handle(id: nextID(), mailbox: mailbox)
        start(request, limits: limits, id: handle.id, completion: completion)
        return handle
    }

    /// Sends a request and waits for how it ended.
    ///
    /// Cancelling the task cancels the transfer.
    package func perform(
        _ request: HTTPRequest, limits: HTTPLimits = HTTPLimits()
    ) async -> HTTPResult {
        let handle = Handle(id: nextID(), mailbox: mailbox)
        let isCancelled = Atomic(false)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                start(request, limits: limits, id: handle.id) { continuation.resume(returning: $0) }
                // A cancellation before the start above found nothing to cancel.
                if isCancelled.load(ordering: .acquiring) { handle.cancel() }
            }
        } onCancel: {
            isCancelled.store(true, ordering: .releasing)
            handle.cancel()
        }
    }

    /// Completes everything outstanding as cancelled, closes every connection and ends the thread.
    ///
    /// Returns when that is done. What is started afterwards is cancelled at once. Must not be
    /// awaited by a completion, which would be waiting for itself.
    package func shutdown() async {
        mailbox.stop()
        await withCheckedContinuation { continuation in
            mailbox.whenEnded { continuation.resume() }
        }
    }

    private func nextID() -> Transfer.ID {
        lastID.add(1, ordering: .relaxed).newValue
    }

    private func start(
        _ request: HTTPRequest, limits: HTTPLimits, id: Transfer.ID,
        completion: @escaping @Sendable (HTTPResult) -> Void
    ) {
        let checked: CheckedRequest
        do {
            checked = try CheckedRequest(request)
        } catch {
            refuse(error, completion)
            return
        }
        let transfer = Transfer(
            id: id, checked: checked, limits: limits,
            deadline: .now.advanced(by: limits.totalTimeout), completion: completion)
        switch mailbox.start(transfer) {
        case .accepted: break
        case .full: refuse(transfer.failure(.tooManyOutstanding, wasSent: false), completion)
        case .closed: completion(.failure(transfer.failure(.cancelled, wasSent: false)))
        }
    }

    private func refuse(
        _ failure: HTTPFailure, _ completion: @escaping @Sendable (HTTPResult) -> Void
    ) {
        guard mailbox.refuse(failure, completion) else {
            completion(.failure(failure))
            return
        }
    }
}
