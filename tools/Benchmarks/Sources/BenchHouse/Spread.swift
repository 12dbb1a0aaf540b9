/// The middle and the ends of what the rounds gave.
package struct Spread: CustomStringConvertible {
    package let least: Double
    package let median: Double
    package let most: Double

    package init(_ numbers: [Double]) {
        let sorted = numbers.sorted()
        least = sorted[0]
        median = sorted[sorted.count / 2]
        most = sorted[sorted.count - 1]
    }

    package var json: String { "[\(rounded(least)), \(rounded(median)), \(rounded(most))]" }
    package var description: String {
        "\(rounded(median)) (\(rounded(least))–\(rounded(most)))"
    }
}

package func middle(_ numbers: [Double]) -> Int { Int(Spread(numbers).median) }

package func rounded(_ number: Double) -> Double { (number * 1_000).rounded() / 1_000 }

package func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}

package func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
}
