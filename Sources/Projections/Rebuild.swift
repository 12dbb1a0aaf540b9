/// Why a generation has to make way for one that is folded anew.
package enum RebuildReason: Equatable, Sendable, CustomStringConvertible {
    /// Another version of the program folded it.
    case otherVersion(UInt64)
    /// It knows events that the log does not have: the log was put back to an earlier state.
    case ahead(position: UInt64, end: UInt64)
    /// It stands on events that the log has not, or has changed.
    case otherHistory
    /// The disk changed a row of it.
    case damagedRow(table: String)
    /// Nothing was folded yet, and there is much to fold.
    case empty

    package var description: String {
        switch self {
        case .otherVersion(let version):
            "the views were folded by another version of this program (\(version), this one folds \(ViewTables.version))"
        case .ahead(let position, let end):
            "the views know event \(position), and the log ends at \(end)"
        case .otherHistory: "the views stand on another history than the log"
        case .damagedRow(let table): "the disk changed a row of the view \(table)"
        case .empty: "there are none"
        }
    }
}

extension ViewError {
    /// Why folding the log anew is all that it takes; `nil` where it is not.
    var rebuildReason: RebuildReason? {
        switch self {
        case .otherHistory: .otherHistory
        case .damagedRow(let table): .damagedRow(table: table)
        case .file, .foldedElsewhere, .mustBeRebuilt, .beingRebuilt, .cancelled,
            .unfollowedMapping:
            nil
        }
    }
}

/// What a view store says of a rebuild that nobody asked for.
package enum RebuildNotice: Sendable {
    case began(RebuildReason)
    case folded(ViewStore.Progress)
    case ended
}

/// What a rebuild did.
package struct Rebuilt: Sendable, Equatable {
    /// The generation that serves now.
    package var generation: Int
    package var position: UInt64
    /// How many events an earlier rebuild had folded; 0 where this one began anew.
    package var resumedFrom: UInt64
    /// How long it took from the first fold to the new generation serving.
    package var duration: Duration
    /// How long the engine was kept waiting: the last fold and the change of generations.
    package var swap: Duration

    /// Events that this rebuild folded itself.
    package var events: UInt64 { position - resumedFrom }
}

/// How fast something goes, over a moving window.
///
/// Its clock is whoever calls: moments are durations since any one start.
struct Pace {
    private static let window = Duration.seconds(10)

    private var marks: [(moment: Duration, position: UInt64)]

    init(at moment: Duration, position: UInt64) { marks = [(moment, position)] }

    /// Takes note of a position that was reached.
    mutating func reach(_ position: UInt64, at moment: Duration) {
        marks.append((moment, position))
        // The window begins at the youngest mark that is at least as old as it is long.
        while marks.count > 2, marks[1].moment <= moment - Self.window { marks.removeFirst() }
    }

    /// What there is to say on the way to a position.
    func progress(to end: UInt64, waitingFor process: Int32? = nil) -> ViewStore.Progress {
        .init(
            position: marks.last?.position ?? 0, end: end, perSecond: perSecond,
            waitingFor: process)
    }

    /// Events a second; 0 before anything was reached.
    private var perSecond: Double {
        guard let first = marks.first, let last = marks.last, last.moment > first.moment else {
            return 0
        }
        let seconds = (last.moment - first.moment) / .seconds(1)
        // What was told and not committed is folded again: it may stand behind where it was.
        return max(0, Double(last.position) - Double(first.position)) / seconds
    }
}
