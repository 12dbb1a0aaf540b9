import Connectors
import Ledger
import Model

/// The end of a run: the feeds are read once more, everything is counted, and the log is told.
extension EngineCore {
    /// Our own writes stand in Compass's outbox: taken note of now, the next run finds it empty.
    mutating func drainFeeds() throws {
        phase = .ending
        guard report.confirmed > 0, !isCancelled else { return try finishIfQuiet() }
        for (id, session) in sessions where session.connector.hasFeed && session.failure == nil {
            try beginFeed(id)
        }
        try finishIfQuiet()
    }

    private mutating func finishIfQuiet() throws {
        if calls.isEmpty, appends.isEmpty, walks.isEmpty { try beginCounting() }
    }

    mutating func finish() {
        report.pairsChanged = touched.count
        var finished = RunFinished()
        finished.run = request.run
        finished.counts = [
            .init("records", report.records), .init("inSync", report.inSync),
            .init("waiting", report.waiting), .init("conflicted", report.conflicted),
            .init("excluded", report.excluded), .init("failing", report.failing),
            .init("objectsRead", report.objectsSeen.values.reduce(0, +)),
            .init("objects", report.objects), .init("asked", report.asked),
            .init("apart", report.apart),
            .init("unlinked", report.unlinked),
            .init("issued", report.issued),
            .init("confirmed", report.confirmed), .init("refused", report.refused),
            .init("uncertain", report.uncertain), .init("superseded", report.superseded),
            .init("parked", report.parked), .init("calls", report.calls),
        ]
        append(
            [
                Draft(
                    id: .derived("run finished", [request.run.bytes]), stream: .run(request.run),
                    event: .runFinished(finished))
            ], then: .finish)
    }
}
