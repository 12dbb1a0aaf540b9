import ArgumentParser
import Connectors
import Engine
import Ledger
import Projections

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "How many people are in step, excluded or failing, and what waits for you.")
    @OptionGroup var common: Common

    func run() throws {
        try common.withWorkplace { workplace in
            let figures = try workplace.views.read { tables, transaction in
                let commands = try tables.commands.all(transaction)
                return [
                    ("people", try tables.records.all(transaction).count),
                    (
                        "conflicts",
                        try tables.conflicts.all(transaction).filter { $0.settledBy == nil }.count
                    ),
                    (
                        "questions",
                        try tables.questions.all(transaction).filter { !$0.isSettled }.count
                    ),
                    ("commands in doubt", commands.filter { $0.state == .uncertain }.count),
                    ("commands parked", commands.filter { $0.state == .parked }.count),
                    ("commands waiting", commands.filter { $0.state == .issued }.count),
                ]
            }
            let views = try workplace.views.status()
            common.show(
                .object(
                    figures.map { .init($0.0, .number("\($0.1)")) }
                        + [.init("events", .number("\(views.end)"))]),
                table(figures.map { [$0.0, "\($0.1)"] } + [["events", "\(views.end)"]]))
        }
    }
}
