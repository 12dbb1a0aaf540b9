import Ledger
import Projections

/// What the `Date` headers of a system's answers tell of its clock.
///
/// A date is the second in which the answer was made (RFC 9110, section 6.6.1), so it lies half a
/// second later on average, and anywhere between the request and its answer.
struct RemoteClock: Sendable, Equatable {
    struct Reading: Sendable, Equatable {
        /// The system's clock minus ours.
        var skewMicroseconds: Int64
        /// How far from that it can be.
        var uncertaintyMicroseconds: Int64

        /// Whether two readings of one clock cannot both be right: it was set, or has drifted.
        func contradicts(_ other: Reading) -> Bool {
            abs(skewMicroseconds - other.skewMicroseconds)
                > uncertaintyMicroseconds + other.uncertaintyMicroseconds
        }
    }

    /// The narrowest reading so far; `nil` while no answer had a date.
    private(set) var reading: Reading?

    /// Takes one answer's date into account; a text that is no date tells nothing.
    mutating func hear(_ date: String, sent: Timestamp, heard: Timestamp) {
        guard let second = Timestamp(httpDate: date), heard >= sent else { return }
        let flight = heard.microseconds - sent.microseconds
        let middle = sent.microseconds + flight / 2
        let next = Reading(
            skewMicroseconds: second.microseconds + 500_000 - middle,
            uncertaintyMicroseconds: 500_000 + flight / 2)
        guard let reading else { return self.reading = next }
        if next.uncertaintyMicroseconds < reading.uncertaintyMicroseconds { self.reading = next }
    }
}

extension Timestamp {
    /// Reads an IMF-fixdate such as `Wed, 25 Nov 2026 08:49:37 GMT` (RFC 9110, section 5.6.7).
    init?(httpDate text: String) {
        let parts = text.split(separator: " ")
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: "\(parts[2])"),
            parts[1].count == 2, parts[3].count == 4, parts[4].count == 8
        else { return nil }
        let number = month + 1 < 10 ? "0\(month + 1)" : "\(month + 1)"
        self.init("\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z")
    }
}

extension ConnectionRow {
    /// What was measured of the system's clock.
    var skew: RemoteClock.Reading? {
        guard isSkewMeasured else { return nil }
        return RemoteClock.Reading(
            skewMicroseconds: skewMicroseconds,
            uncertaintyMicroseconds: Int64(clamping: skewUncertainty))
    }
}
