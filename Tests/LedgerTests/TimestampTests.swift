import Testing

@testable import Ledger

@Suite struct TimestampTests {
    @Test(arguments: [Double.infinity, 1e30, 9.3e12, .greatestFiniteMagnitude])
    func `a wait beyond all time ends at the last moment there is`(seconds: Double) {
        let now = Timestamp(seconds: 1_790_000_000)
        #expect(now.adding(seconds: seconds).microseconds == .max)
        #expect(Timestamp(seconds: -1_790_000_000).adding(seconds: -seconds).microseconds == .min)
    }

    @Test func `what is no number adds nothing, and what is one adds itself`() {
        let now = Timestamp(seconds: 1_790_000_000)
        #expect(now.adding(seconds: .nan) == now)
        #expect(now.adding(seconds: -0.5).microseconds == now.microseconds - 500_000)
        #expect(now.adding(seconds: 1.000_001_5).microseconds == now.microseconds + 1_000_001)
    }

    @Test func `seconds beyond all time are the nearest moment`() {
        #expect(Timestamp(seconds: .max).microseconds == .max)
        #expect(Timestamp(seconds: .min).microseconds == .min)
        #expect(Timestamp(seconds: -1).microseconds == -1_000_000)
    }

    @Test(arguments: [
        "2026-02-29T00:00:00Z", "2026-02-31T08:49:37Z", "2026-04-31 00:00:00",
        "2100-02-29T00:00:00Z", "2026-12-32T00:00:00Z", "2026-00-01T00:00:00Z",
    ])
    func `a day that its month does not have is no time`(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test(arguments: [
        "2024-02-29T23:59:59Z", "2000-02-29T00:00:00Z", "2026-12-31T23:59:59Z",
        "2026-04-30T00:00:00Z",
    ])
    func `the last day of a month is one`(text: String) {
        #expect(Timestamp(text)?.description == text)
    }
}
