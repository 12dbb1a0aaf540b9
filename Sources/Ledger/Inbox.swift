import LMDB

/// Where threads leave what another one blocks for, such as answers.
///
/// It does not belong on Swift's cooperative thread pool, for waiting blocks the thread.
package final class Inbox<Element: Sendable>: Sendable {
    private let waiting = Monitor<[Element]>([])

    package init() {}

    /// Leaves one element and wakes whoever waits.
    package func put(_ element: Element) {
        waiting.update { $0.append(element) }
    }

    /// Takes everything that has arrived, in that order; blocks for the first of it.
    ///
    /// With a patience it gives up when that is over, and not earlier, and answers nothing.
    package func takeAll(within patience: Duration? = nil) -> [Element] {
        let arrived: [Element]? = waiting.wait(until: patience.map(Moment.after)) { waiting in
            if waiting.isEmpty { return nil }
            defer { waiting = [] }
            return waiting
        }
        return arrived ?? []
    }

    /// Takes the first that arrives; blocks until it does.
    package func take() -> Element {
        let first: Element? = waiting.wait { waiting in
            waiting.isEmpty ? nil : waiting.removeFirst()
        }
        guard let first else { preconditionFailure("a wait without a deadline gave up") }
        return first
    }
}
