import Sandbox
import Testing

/// The recordings of the real programs, played against the sandbox.
@Suite(.enabled(if: Recording.isThere, "the recordings are not here"))
struct `The sandbox answers as the recordings do` {
    @Test func `Mautic`() throws {
        let reports = try Recording.names(of: "mautic").map { name in
            var replay = try MauticReplay(name)
            return replay.run()
        }
        judge(reports, known: KnownDifference.mautic, atLeast: 360)
    }

    @Test func `SuiteCRM`() throws {
        let reports = try Recording.names(of: "suitecrm").map { name in
            var replay = try SuiteCRMReplay(name)
            return replay.run()
        }
        judge(reports, known: KnownDifference.suiteCRM, atLeast: 1_300)
    }

    /// Prints the counts; every difference must be in the reviewed list, and every entry of that
    /// list must still be needed.
    private func judge(
        _ reports: [ReplayReport], known: [KnownDifference], atLeast count: Int
    ) {
        for report in reports { print(report.summary) }
        let differences = reports.flatMap(\.differences)
        let unknown = differences.filter { difference in
            !known.contains { $0.covers(difference) }
        }
        for difference in unknown { Issue.record("\(difference)") }
        for entry in known where !differences.contains(where: entry.covers) {
            Issue.record("no longer needed: \(entry)")
        }
        let replayed = reports.map(\.replayed).reduce(0, +)
        let skipped = reports.flatMap(\.skipped.values).reduce(0, +)
        let cut = reports.map(\.cut).reduce(0, +)
        print(
            "total: replayed \(replayed) (\(cut) cut), skipped \(skipped), known differences "
                + "\(differences.count - unknown.count), unknown \(unknown.count)")
        #expect(replayed >= count)
    }
}
