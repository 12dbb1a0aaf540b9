/// Decimal numbers as texts: an amount must not pass through binary fractions.
extension TextRules {
    /// A decimal number without what says nothing: signs before zero, zeros at its ends; `nil` for
    /// what is none.
    static func decimal(_ text: String) -> String? {
        let isNegative = text.hasPrefix("-")
        let digits = isNegative || text.hasPrefix("+") ? text.dropFirst() : text[...]
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, digits.contains(where: { $0 != "." }),
            digits.utf8.allSatisfy({ (48...57).contains($0) || $0 == UInt8(ascii: ".") })
        else { return nil }
        let whole = parts[0].drop { $0 == "0" }
        var fraction = parts.count > 1 ? parts[1] : ""
        while fraction.last == "0" { fraction.removeLast() }
        guard !whole.isEmpty || !fraction.isEmpty else { return "0" }
        return (isNegative ? "-" : "") + (whole.isEmpty ? "0" : whole)
            + (fraction.isEmpty ? "" : "." + fraction)
    }

    /// Whether one plain decimal number is less than another.
    static func isLess(_ one: String, than other: String) -> Bool {
        switch (one.hasPrefix("-"), other.hasPrefix("-")) {
        case (true, false): return true
        case (false, true): return false
        case (true, true): return isSmaller(other.dropFirst(), than: one.dropFirst())
        case (false, false): return isSmaller(one[...], than: other[...])
        }
    }

    /// Of numbers without signs: the longer whole part, else the digits in order.
    private static func isSmaller(_ one: Substring, than other: Substring) -> Bool {
        let (left, right) = (one.split(separator: "."), other.split(separator: "."))
        if left[0].count != right[0].count { return left[0].count < right[0].count }
        return left.lexicographicallyPrecedes(right)
    }

    /// A plain decimal number times ten to the power of `places`.
    static func shifted(_ plain: String, by places: Int) -> String {
        let isNegative = plain.hasPrefix("-")
        let parts = (isNegative ? plain.dropFirst() : plain[...]).split(separator: ".")
        var digits = parts.joined()
        var point = parts[0].count + places
        if point < 0 {
            digits = String(repeating: "0", count: -point) + digits
            point = 0
        }
        if point > digits.count { digits += String(repeating: "0", count: point - digits.count) }
        let shown = "0" + digits.prefix(point) + "." + digits.dropFirst(point)
        return decimal((isNegative ? "-" : "") + shown) ?? plain
    }

    /// A decimal number of so many significant digits at most; half is rounded away from zero.
    static func rounded(_ text: String, digits limit: Int) -> String {
        guard let plain = decimal(text) else { return text }
        let isNegative = plain.hasPrefix("-")
        let magnitude = isNegative ? plain.dropFirst() : plain[...]
        let point = magnitude.firstIndex(of: ".").map {
            magnitude.distance(from: magnitude.startIndex, to: $0)
        }
        var digits = magnitude.utf8.filter { $0 != UInt8(ascii: ".") }.map { Int($0) - 48 }
        var whole = point ?? digits.count
        let leading = digits.prefix { $0 == 0 }.count
        guard digits.count > leading + limit else { return plain }
        var carry = digits[leading + limit] >= 5
        for index in (leading + limit)..<digits.count { digits[index] = 0 }
        for index in (0..<(leading + limit)).reversed() where carry {
            carry = digits[index] == 9
            digits[index] = carry ? 0 : digits[index] + 1
        }
        if carry {
            digits.insert(1, at: 0)
            whole += 1
        }
        let shown = digits.map(String.init)
        let text = shown[..<whole].joined() + "." + shown[whole...].joined()
        return decimal((isNegative ? "-" : "") + text) ?? plain
    }
}
