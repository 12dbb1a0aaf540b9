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
                common.show(json(status), lines(status))
            }
        }

        private func json(_ status: ViewStore.Status) -> JSON {
            let root = status.root.map(hexadecimal).joined()
            let building = status.building.map { building in
                JSON.object([
                    .init("generation", .number("\(building.generation)")),
                    .init("position", .number("\(building.position)")),
                    .init("resumes", .bool(building.reason == nil)),
                ])
            }
            return .object([
                .init("generation", .number("\(status.generation)")),
                .init("version", .number("\(status.version)")),
                .init("position", .number("\(status.position)")),
                .init("end", .number("\(status.end)")),
                .init("lag", .number("\(status.lag)")), .init("root", .string(root)),
                .init("building", building ?? .null),
            ])
        }

        private func lines(_ status: ViewStore.Status) -> [String] {
            let root = status.root.map(hexadecimal).joined()
            return [
                "generation \(status.generation), folded by version \(status.version)",
                "at event \(status.position) of \(status.end), "
                    + (status.lag == 0 ? "nothing to fold" : "\(status.lag) to fold"),
                "root \(root)",
            ] + (status.building.map { [line($0, end: status.end)] } ?? [])
        }

        private func line(_ building: ViewStore.Building, end: UInt64) -> String {
            let name = "generation \(building.generation) is half built"
            if let reason = building.reason {
                return name + ", and `syncledger projector rebuild` begins it anew: \(reason)"
            }
            return name + ", at event \(building.position) of \(end): "
                + "`syncledger projector rebuild` goes on from there"
        }
    }
}

extension ViewStore.Status {
    /// Events that are not folded yet.
    fileprivate var lag: UInt64 { end - min(position, end) }
}
