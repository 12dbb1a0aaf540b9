package import Ledger

/// The order of looks: which one may move what is known of a replica.
///
/// Looks are ordered by when their requests left, told as the log's last sequence at that moment. A
/// request that left before the last accepted look at the same replica, or before a write to it was
/// settled, may show a state that is no more.
package struct LookOrder: Sendable, Hashable {
    /// The sequence of the observation that the last accepted look appended: of two looks that
    /// overlapped nobody can say which saw the later state.
    package var lastLook: UInt64
    /// The sequence at which the last write to the replica was settled.
    package var lastSettled: UInt64

    package init(lastLook: UInt64 = 0, lastSettled: UInt64 = 0) {
        self.lastLook = lastLook
        self.lastSettled = lastSettled
    }

    /// Whether a look counts.
    ///
    /// A write's own answer and a local feed are told in order.
    package func accepts(road: Road, lookedAfter: UInt64) -> Bool {
        switch road {
        case .readBack, .outbox, .imported: true
        case .fetch, .sweep, .get: lookedAfter >= lastLook && lookedAfter >= lastSettled
        }
    }
}
