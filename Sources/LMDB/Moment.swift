import Glibc

/// A point on the monotonic clock, in nanoseconds, for ages and deadlines.
package struct Moment: Comparable {
    let nanoseconds: UInt64

    /// The present, to the nearest few milliseconds; cheap enough for every read.
    static var now: Moment { read(CLOCK_MONOTONIC_COARSE) }

    /// When so much time has passed from now, not a few milliseconds earlier.
    package static func after(_ duration: Duration) -> Moment { read(CLOCK_MONOTONIC) + duration }

    private static func read(_ clock: clockid_t) -> Moment {
        var time = timespec()
        guard unsafe clock_gettime(clock, &time) == 0 else {
            preconditionFailure("the monotonic clock cannot be read")
        }
        return Moment(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    /// How much time has passed since.
    var elapsed: Duration {
        let now = Moment.now.nanoseconds
        return .nanoseconds(Int64(now > nanoseconds ? now - nanoseconds : 0))
    }

    /// As pthreads take a deadline.
    var time: timespec {
        timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }

    static func + (moment: Moment, duration: Duration) -> Moment {
        let (seconds, attoseconds) = duration.components
        // A year is as good as for ever, and keeps the sum far from overflow.
        let whole = UInt64(min(max(seconds, 0), 31_536_000)) * 1_000_000_000
        return Moment(
            nanoseconds: moment.nanoseconds + whole + UInt64(max(attoseconds, 0) / 1_000_000_000))
    }

    package static func < (left: Moment, right: Moment) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}
