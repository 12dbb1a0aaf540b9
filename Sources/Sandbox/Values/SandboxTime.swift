/// A moment, in microseconds since 1970 in UTC.
///
/// The sandbox is told it and never asks a clock.
package struct SandboxTime: Sendable, Hashable, Comparable {
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    /// A moment on a whole second.
    package init(seconds: Int64) { self.init(microseconds: seconds * 1_000_000) }

    /// A moment of the proleptic Gregorian calendar in UTC.
    package init(
        _ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0, _ second: Int = 0
    ) {
        let days = Self.days(year: year, month: month, day: day)
        self.init(seconds: Int64(((days * 24 + hour) * 60 + minute) * 60 + second))
    }

    package static func < (a: SandboxTime, b: SandboxTime) -> Bool {
        a.microseconds < b.microseconds
    }

    /// This moment so many seconds later.
    package func adding(seconds: Int64) -> SandboxTime {
        SandboxTime(microseconds: microseconds + seconds * 1_000_000)
    }

    /// This moment so many microseconds later.
    package func adding(microseconds more: Int64) -> SandboxTime {
        SandboxTime(microseconds: microseconds + more)
    }

    package var seconds: Int64 {
        microseconds >= 0 ? microseconds / 1_000_000 : (microseconds - 999_999) / 1_000_000
    }

    /// `2026-11-23 14:53:24`, the spelling of both PHP programs' databases.
    package var sql: String { "\(date) \(clock)" }

    /// `2026-11-23T14:53:24+00:00`, Mautic's spelling.
    package var iso: String { "\(date)T\(clock)+00:00" }

    /// `2026-11-23T14:53:00+00:00`: SuiteCRM shows no seconds.
    package var isoMinutes: String { "\(date)T\(clock.dropLast(2))00+00:00" }

    /// `2026-11-23T14:53:24.000123+00:00`, PostgreSQL's spelling; trailing zeros are left out.
    package var isoMicroseconds: String {
        var fraction = padded(Int(microseconds - seconds * 1_000_000), 6)
        while fraction.last == "0" { fraction.removeLast() }
        return "\(date)T\(clock)\(fraction.isEmpty ? "" : "." + fraction)+00:00"
    }

    /// `2026-11-23 15:49:36.818170`, as PHP serializes a `DateTime`.
    package var sqlMicroseconds: String {
        "\(sql).\(padded(Int(microseconds - seconds * 1_000_000), 6))"
    }

    /// `Mon, 23 Nov 2026 14:51:59 GMT`, the `Date` header.
    package var http: String {
        let names = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        let (year, month, day) = civil
        let weekday = names[((dayNumber % 7) + 7) % 7]
        return "\(weekday), \(padded(day, 2)) \(months[month - 1]) \(year) \(clock) GMT"
    }

    package var date: String {
        let (year, month, day) = civil
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    package var clock: String {
        let second = Int(seconds - Int64(dayNumber) * 86_400)
        return
            "\(padded(second / 3_600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
    }

    private var dayNumber: Int {
        Int(seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400)
    }

    private var civil: (year: Int, month: Int, day: Int) {
        // Howard Hinnant's days-to-civil, over eras of 400 years.
        let shifted = dayNumber + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func days(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
            - 719_468
    }
}

extension SandboxTime {
    /// Reads `Y-m-d`, `Y-m-d H:i:s` with up to six fraction digits, a `T` for the space, and
    /// `Z`, `+02`, `+02:00` or nothing for the zone; nil where a part is out of range.
    package init?(parsing text: String) {
        var rest = Substring(text.trimmingSpaces)
        guard let year = rest.takeInt(4), rest.take("-"), let month = rest.takeInt(2),
            rest.take("-"), let day = rest.takeInt(2), (1...12).contains(month),
            (1...31).contains(day)
        else { return nil }
        self.init(year, month, day)
        guard date == "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))" else { return nil }
        guard !rest.isEmpty else { return }
        guard rest.take(" ") || rest.take("T"), let hour = rest.takeInt(2), rest.take(":"),
            let minute = rest.takeInt(2), hour < 24, minute < 60
        else { return nil }
        var second = 0
        if rest.take(":") {
            guard let value = rest.takeInt(2), value < 60 else { return nil }
            second = value
        }
        self = adding(seconds: Int64(hour * 3_600 + minute * 60 + second))
        if rest.take(".") {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard (1...6).contains(digits.count), let value = Int64(digits) else { return nil }
            rest.removeFirst(digits.count)
            let scale = (digits.count..<6).reduce(Int64(1)) { power, _ in power * 10 }
            self = adding(microseconds: value * scale)
        }
        guard let offset = rest.takeZone(), rest.isEmpty else { return nil }
        self = adding(seconds: -Int64(offset))
    }
}

extension Substring {
    fileprivate mutating func take(_ character: Character) -> Bool {
        guard first == character else { return false }
        removeFirst()
        return true
    }

    fileprivate mutating func takeInt(_ count: Int) -> Int? {
        let digits = prefix(count)
        guard digits.count == count, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else {
            return nil
        }
        removeFirst(count)
        return Int(digits)
    }

    /// The zone's seconds east of UTC; 0 for none.
    fileprivate mutating func takeZone() -> Int? {
        if isEmpty || take("Z") { return 0 }
        guard first == "+" || first == "-" else { return nil }
        let sign = removeFirst() == "-" ? -1 : 1
        guard let hours = takeInt(2) else { return nil }
        _ = take(":")
        return sign * (hours * 60 + (takeInt(2) ?? 0)) * 60
    }
}

/// The number with leading zeros up to that width.
func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
