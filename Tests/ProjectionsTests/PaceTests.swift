import Testing

@testable import Projections

/// How fast a fold goes, as those see it who wait for it.
@Suite struct PaceTests {
    @Test func `the rate and the time left are those of the last seconds`() {
        var pace = Pace(at: .zero, position: 1_000)
        #expect(pace.progress(to: 9_000).perSecond == 0)
        #expect(pace.progress(to: 9_000).secondsLeft == nil)
        for second in 1...20 {
            pace.reach(1_000 + UInt64(second) * 100, at: .seconds(second))
        }
        #expect(pace.progress(to: 9_000).perSecond == 100)
        #expect(pace.progress(to: 9_000).secondsLeft == 60)
        // It goes ten times as fast from here on; after ten seconds nothing else counts.
        for second in 21...31 {
            pace.reach(3_000 + UInt64(second - 20) * 1_000, at: .seconds(second))
        }
        #expect(pace.progress(to: 15_000).perSecond == 1_000)
        #expect(pace.progress(to: 15_000).secondsLeft == 1)
        #expect(pace.progress(to: 14_000).secondsLeft == 0)
    }

    @Test func `who begins again behind where he was is told no rate below nothing`() {
        var pace = Pace(at: .zero, position: 0)
        pace.reach(9_000, at: .seconds(6))
        pace.reach(100, at: .seconds(17))
        pace.reach(200, at: .seconds(18))
        #expect(pace.progress(to: 10_000).perSecond == 0)
        #expect(pace.progress(to: 10_000).secondsLeft == nil)
    }

    @Test func `where it stands still there is no time left to tell`() {
        var pace = Pace(at: .zero, position: 5)
        pace.reach(5, at: .seconds(3))
        #expect(pace.progress(to: 9).secondsLeft == nil)
    }
}
