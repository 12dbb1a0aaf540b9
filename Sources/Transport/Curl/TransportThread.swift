internal import Glibc

/// A thread of the transport's own, since `curl_multi_poll` blocks.
enum TransportThread {
    private final class Body {
        let run: () -> Void

        init(_ run: @escaping () -> Void) {
            self.run = run
        }
    }

    /// Runs `body` on a new, detached thread that takes no signals.
    ///
    /// Signals are for the program's other threads; above all, writing to a closed connection must
    /// not end the process through SIGPIPE.
    static func start(_ body: @escaping @Sendable () -> Void) {
        let context = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                var signals = sigset_t()
                unsafe sigfillset(&signals)
                unsafe pthread_sigmask(SIG_SETMASK, &signals, nil)
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context)
        precondition(code == 0, "pthread_create failed with code \(code).")
        pthread_detach(thread)
    }
}
