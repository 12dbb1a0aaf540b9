import ArgumentParser
import Connectors
import Engine
import Ledger
import Projections

extension Projector {
    struct State: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status",
            abstract: "The generation that serves, its position, and one that is being built.")
        @OptionGroup var common: Common
        func run() throws {
            // As they are: folding them first would hide what is asked for.
            try common.withWorkplace(folds: false) { workplace in
                let status = try workplace.views.status()
                let parked =
                    status.parked == 0
                    ? [] : try workplace.views.parked(limit: Self.parkedShown)
                common.show(json(status, parked), lines(status, parked))
            }
        }

        /// Parked events that are listed; the rest is counted.
        private static var parkedShown: Int { 20 }

        private func json(_ status: ViewStore.Status, _ parked: [ParkedRow]) -> JSON {
            let root = status.root.map(hexadecimal).joined()
            let building = status.building.map { building in
                let builder = building.builder
                return JSON.object([
                    .init("generation", .number("\(building.generation)")),
                    .init(
                        "position",
                        .number("\(builder?.progress.position ?? building.position)")),
                    .init("resumes", .bool(building.reason == nil)),
                    .init("process", builder.map { .number("\($0.process)") } ?? .null),
                    .init(
                        "perSecond",
                        builder.map { .number("\(Int($0.progress.perSecond))") } ?? .null),
                    .init(
                        "secondsLeft",
                        builder?.progress.secondsLeft.map { .number("\(Int($0))") } ?? .null),
                ])
            }
            return .object([
                .init("generation", .number("\(status.generation)")),
                .init("version", .number("\(status.version)")),
                .init("position", .number("\(status.position)")),
                .init("end", .number("\(status.end)")),
                .init("lag", .number("\(status.lag)")), .init("root", .string(root)),
                .init("building", building ?? .null),
                .init("parked", .number("\(status.parked)")),
                .init(
                    "parkedEvents",
                    .array(
                        parked.map {
                            .object([
                                .init("sequence", .number("\($0.sequence)")),
                                .init("type", .string(Event.name(ofType: $0.type))),
                                .init("reason", .string($0.reason)),
                            ])
                        })),
            ])
        }

        private func lines(_ status: ViewStore.Status, _ parked: [ParkedRow]) -> [String] {
            let root = status.root.map(hexadecimal).joined()
            return [
                "generation \(status.generation), folded by version \(status.version)",
                "at event \(status.position) of \(status.end), "
                    + (status.lag == 0 ? "nothing to fold" : "\(status.lag) to fold"),
                "root \(root)",
            ] + (status.building.map { [line($0, end: status.end)] } ?? [])
                + lines(parked, of: status.parked)
        }

        /// What could not be folded, and how it is tried again.
        private func lines(_ parked: [ParkedRow], of count: Int) -> [String] {
            guard count > 0 else { return [] }
            let events = parked.map {
                "  event \($0.sequence), \(Event.name(ofType: $0.type)): \($0.reason)"
            }
            let head = count == 1 ? "1 event" : "\(count) events"
            return ["\(head) could not be folded:"] + events
                + (count > parked.count ? ["  and \(count - parked.count) more"] : [])
                + [
                    "They are tried again in their places, so with all that came after them: syncledger projector rebuild --anew"
                ]
        }

        private func line(_ building: ViewStore.Building, end: UInt64) -> String {
            if let (process, progress) = building.builder {
                return FoldProgress.text(
                    "generation \(building.generation) is being built by process \(process)",
                    progress)
            }
            let name = "generation \(building.generation) is half built"
            if let reason = building.reason {
                return name + ", and `syncledger projector rebuild` begins it anew: \(reason)"
            }
            return name + ", \(building.position) of \(end) events are folded: "
                + "`syncledger projector rebuild` goes on from there"
        }
    }
}

extension ViewStore.Status {
    /// Events that are not folded yet.
    fileprivate var lag: UInt64 { end - min(position, end) }
}
