/// A number of PostgreSQL's `numeric`: every digit of it, and no more.
struct CompassNumeric {
    private var isNegative: Bool
    /// Without leading zeros.
    private var whole: String
    private var fraction: String

    /// Reads `-1234.50` or `1.2e3`; nil where the text is no number.
    init?(_ text: String) {
        var rest = text.trimmingSpaces[...]
        isNegative = rest.hasPrefix("-")
        if isNegative || rest.hasPrefix("+") { rest = rest.dropFirst() }
        let parts = rest.split(omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
        guard parts.count < 3, let mantissa = parts.first else { return nil }
        let digits = mantissa.split(
            separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard digits.allSatisfy({ $0.allSatisfy { $0.isASCII && $0.isNumber } }),
            digits.contains(where: { !$0.isEmpty })
        else { return nil }
        var head = String(digits[0])
        var tail = digits.count > 1 ? String(digits[1]) : ""
        if parts.count == 2 {
            guard let shift = Int(parts[1]), abs(shift) < 1_000 else { return nil }
            if shift > 0 {
                tail += String(repeating: "0", count: max(0, shift - tail.count))
                head += tail.prefix(shift)
                tail = String(tail.dropFirst(shift))
            } else {
                head = String(repeating: "0", count: max(0, -shift - head.count)) + head
                tail = head.suffix(-shift) + tail
                head = String(head.dropLast(-shift))
            }
        }
        whole = String(head.drop { $0 == "0" })
        fraction = tail
        if whole.isEmpty, fraction.allSatisfy({ $0 == "0" }) { isNegative = false }
    }

    /// The number as PostgreSQL writes it, zeros at its end included.
    var text: String {
        (isNegative ? "-" : "") + (whole.isEmpty ? "0" : whole)
            + (fraction.isEmpty ? "" : ".\(fraction)")
    }

    /// Below, equal or above 0 as this number is less, the same or greater; `1.0` is `1.00`.
    func order(_ other: CompassNumeric) -> Int {
        if isNegative != other.isNegative { return isNegative ? -1 : 1 }
        let order = magnitudeOrder(other)
        return isNegative ? -order : order
    }

    private func magnitudeOrder(_ other: CompassNumeric) -> Int {
        if whole.count != other.whole.count { return whole.count < other.whole.count ? -1 : 1 }
        let width = max(fraction.count, other.fraction.count)
        func digits(_ number: CompassNumeric) -> String {
            number.whole + number.fraction
                + String(repeating: "0", count: width - number.fraction.count)
        }
        let (a, b) = (digits(self), digits(other))
        return a < b ? -1 : a > b ? 1 : 0
    }
}
