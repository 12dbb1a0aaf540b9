import Dispatch
import Engine

#if canImport(Glibc)
    import Glibc
#endif

/// Ends a run in order when the person presses Control-C or the machine is shut down.
///
/// The first signal begins nothing new and lets what was sent be heard; the second ends the process,
/// which loses nothing either: the next run looks up what it left.
final class Interrupt {
    private let sources: [any DispatchSourceSignal]

    init(stopping signal: StopSignal) {
        sources = [SIGINT, SIGTERM].map { number in
            Glibc.signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if signal.isStopped { exit(128 + number) }
                signal.stop()
                let words = Array("\nStopping: what was sent is still heard.\n".utf8)
                _ = write(2, words, words.count)
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
