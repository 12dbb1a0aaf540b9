/// A moment in microseconds since 1970-01-01T00:00:00Z.
public struct Timestamp: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// So many seconds after 1970; the nearest moment there is where that is beyond all of them.
    public init(seconds: Int64) {
        let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000)
        microseconds = overflows ? (seconds < 0 ? .min : .max) : product
    }

    public static func < (left: Self, right: Self) -> Bool {
        left.microseconds < right.microseconds
    }

    /// This moment, later by so many seconds.
    ///
    /// Seconds may come from a remote: beyond the last moment there is the last one, and what is no
    /// number adds nothing.
    public func adding(seconds: Double) -> Self {
        guard !seconds.isNaN else { return self }
        let added = seconds * 1_000_000
        let whole =
            Int64(exactly: added.rounded(.towardZero)) ?? (added < 0 ? Int64.min : Int64.max)
        let (sum, overflows) = microseconds.addingReportingOverflow(whole)
        return Self(microseconds: overflows ? (whole < 0 ? .min : .max) : sum)
    }

    /// RFC 3339 in UTC, with as many of the six decimals as are needed.
    public var description: String {
        let (days, rest) = floorDivision(microseconds, 86_400_000_000)
        let date = civilDate(daysSince1970: days)
        let seconds = rest / 1_000_000
        var text =
            "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T"
            + "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
        if rest % 1_000_000 != 0 {
            var fraction = padded(rest % 1_000_000, 6)
            while fraction.hasSuffix("0") { fraction.removeLast() }
            text += "." + fraction
        }
        return text + "Z"
    }

    /// Reads RFC 3339 (`2026-11-23T14:53:24.123+00:00`, `…Z`) and SQL's `2026-11-23 14:53:24`.
    ///
    /// The latter is taken as UTC. Anything else is `nil`.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        func number(_ from: Int, _ count: Int) -> Int64? {
            guard from + count <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[from..<from + count] {
                guard (48...57).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            return value
        }
        guard bytes.count >= 19, bytes[4] == 45, bytes[7] == 45, bytes[10] == 84 || bytes[10] == 32,
            bytes[13] == 58, bytes[16] == 58,
            let year = number(0, 4), let month = number(5, 2), let day = number(8, 2),
            let hour = number(11, 2), let minute = number(14, 2), let second = number(17, 2),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var position = 19
        var fraction: Int64 = 0
        if position < bytes.count, bytes[position] == 46 {
            position += 1
            var scale: Int64 = 100_000
            while position < bytes.count, (48...57).contains(bytes[position]) {
                fraction += Int64(bytes[position] - 48) * scale
                scale /= 10
                position += 1
            }
        }
        var offset: Int64 = 0
        if position < bytes.count {
            switch bytes[position] {
            case 90 where position + 1 == bytes.count: break
            case 43, 45:
                guard let hours = number(position + 1, 2) else { return nil }
                let minutes = position + 3 == bytes.count ? 0 : number(bytes.count - 2, 2)
                guard let minutes, [3, 5, 6].contains(bytes.count - position) else { return nil }
                offset = (hours * 3600 + minutes * 60) * (bytes[position] == 43 ? 1 : -1)
            default: return nil
            }
        }
        let days = daysSince1970(year: year, month: month, day: day)
        let next =
            month == 12
            ? daysSince1970(year: year + 1, month: 1, day: 1)
            : daysSince1970(year: year, month: month + 1, day: 1)
        // A day that its month does not have is no later day of the next.
        guard days < next else { return nil }
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
        self.init(microseconds: seconds * 1_000_000 + fraction)
    }
}

private func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

private func floorDivision(_ value: Int64, _ by: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: by)
    return remainder < 0 ? (quotient - 1, remainder + by) : (quotient, remainder)
}

/// The proleptic Gregorian calendar, by counting eras of 400 years (146,097 days) that begin on
/// 1 March, so that the leap day ends a year.
private func civilDate(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = floorDivision(days + 719_468, 146_097)
    let yearOfEra =
        (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (
        yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month,
        dayOfYear - (153 * shifted + 2) / 5 + 1
    )
}

private func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
    let (era, yearOfEra) = floorDivision(month <= 2 ? year - 1 : year, 400)
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}
