import Dispatch
import Engine

#if canImport(Glibc)
    import Glibc
#endif

/// Ends long work in order when the person presses Control-C or the machine is shut down.
///
/// The first signal begins nothing new: a run still hears what was sent, a rebuild keeps what it folded.
/// The second ends the process, which loses nothing either: the next one looks up what it left.
final class Interrupt {
    private let sources: [any DispatchSourceSignal]

    /// At the first signal the words are said on standard error.
    init(
        stopping signal: StopSignal,
        saying words: String = "Stopping: what was sent is still heard."
    ) {
        sources = [SIGINT, SIGTERM].map { number in
            Glibc.signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if signal.isStopped { exit(128 + number) }
                signal.stop()
                Output.complain("\n" + words)
            }
            source.activate()
            return source
        }
    }

    deinit {
        for source in sources { source.cancel() }
        for number in [SIGINT, SIGTERM] { Glibc.signal(number, SIG_DFL) }
    }
}
