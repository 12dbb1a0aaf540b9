import Ledger
import Projections

/// How a run goes, told between its steps.
extension EngineCore {
    /// Ends this step, and goes on with the same in the next one: a step may not last for seconds.
    mutating func breathe(_ phase: RunProgress.Phase) {
        isBreathing = true
        effects += [progress(phase), .wake(now)]
    }

    func progress(_ phase: RunProgress.Phase) -> EngineEffect {
        let reading = walks.sorted { $0.key < $1.key }.compactMap { id, walk in
            walk.kind.map { "\(sessions[id]?.row.configured.label ?? "") \($0)s" }
        }
        let walks = Array(walks.values) + resting.values
        let decided = appends.values.count { if case .planned = $0 { true } else { false } }
        return .progress(
            RunProgress(
                phase: phase, objects: report.objectsSeen.values.reduce(0, +),
                objectsLeft: walks.compactMap(\.left).reduce(0, +), reading: reading,
                commandsDone: report.confirmed + report.refused + report.superseded
                    + report.parked,
                recordsDone: phase == .counting
                    ? report.records - toCount.count
                    : max(0, recordsToPlan - toPlan.count - lanes.count - decided),
                recordsTotal: phase == .counting ? report.records : recordsToPlan))
    }
}
