/// What a part measured, by the name it has in the JSON.
typealias Figures = [String: Double]

/// The middle and the ends of what the rounds gave.
struct Spread {
    let least: Double
    let median: Double
    let most: Double

    init(_ numbers: [Double]) {
        let sorted = numbers.sorted()
        least = sorted[0]
        median = sorted[sorted.count / 2]
        most = sorted[sorted.count - 1]
    }
}

func seconds(_ duration: Duration) -> Double { duration / .seconds(1) }

/// How long something took, in seconds by the clock on the wall.
func timed(_ body: () throws -> Void) rethrows -> Double {
    seconds(try ContinuousClock().measure(body))
}
