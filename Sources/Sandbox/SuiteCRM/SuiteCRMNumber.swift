/// Numbers as SuiteCRM reads and shows them.
enum SuiteCRMNumber {
    /// A decimal number's text: fourteen significant digits, which PHP shows (fact 22).
    ///
    /// A text is read with the API user's separators, `,` for groups and `.` for decimals; what
    /// is no number is 0 (fact 7).
    static func decimal(_ value: SandboxJSON) -> String {
        let text = (value.scalarText ?? "").trimmingSpaces.filter { $0 != "," }
        let isNegative = text.hasPrefix("-")
        let parts = text.drop { $0 == "-" || $0 == "+" }
            .prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            .split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let whole = parts.first.map { String($0.drop { $0 == "0" }) } ?? ""
        let fraction = parts.count > 1 ? parts[1].prefix { $0 != "." } : ""
        let shown = rounded(whole, String(fraction))
        return isNegative && shown != "0" ? "-\(shown)" : shown
    }

    /// A whole number's text.
    static func whole(_ value: SandboxJSON) -> String {
        let text = (value.scalarText ?? "").trimmingSpaces.filter { $0 != "," }
        let sign = text.hasPrefix("-") ? "-" : ""
        let digits = text.drop { $0 == "-" }.prefix { $0.isASCII && $0.isNumber }
        return Int(sign + digits).map(String.init) ?? "0"
    }

    private static func rounded(_ whole: String, _ fraction: String) -> String {
        var digits = (whole + fraction).compactMap(\.wholeNumberValue)
        var point = whole.count
        let leading = whole.isEmpty ? digits.prefix { $0 == 0 }.count : 0
        let kept = leading + 14
        if digits.count > kept {
            let isUp = digits[kept] >= 5
            digits.removeSubrange(kept...)
            var index = kept - 1
            while isUp, index >= 0 {
                digits[index] += 1
                guard digits[index] > 9 else { break }
                digits[index] = 0
                index -= 1
            }
            if isUp, index < 0 {
                digits.insert(1, at: 0)
                point += 1
            }
        }
        while digits.count < point { digits.append(0) }
        while digits.count > point, digits.last == 0 { digits.removeLast() }
        let text = digits.map(String.init).joined()
        let head = text.prefix(point)
        let tail = text.dropFirst(point)
        return (head.isEmpty ? "0" : head) + (tail.isEmpty ? "" : ".\(tail)")
    }
}
