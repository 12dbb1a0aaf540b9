import ArgumentParser
import Connectors
import Engine
import Ledger
import Projections

/// All ledgers of a directory at once.
struct Houses: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "house",
        abstract: "All ledgers of a directory: one for each client.",
        discussion: """
            A house is a directory with a ledger in each of its subdirectories: \
            `syncledger init --ledger clients/acme` makes one. They share nothing, and one that fails \
            keeps the others from nothing.
            """,
        subcommands: [Status.self, Sync.self])

    struct Options: ParsableArguments {
        @Argument(help: ArgumentHelp("The directory that holds the ledgers.", valueName: "dir"))
        var directory: String
        @Flag(help: "Print JSON instead of text.")
        var json = false
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "How many records of each ledger are in step, excluded or failing.")
        @OptionGroup var options: Options

        func run() throws {
            var rows: [[String]] = []
            let told = try options.each { name, common, _ in
                let overview = try common.withWorkplace { try Overview($0) }
                rows.append([name] + overview.row)
                return .init(json: overview.json, lines: [], needsSomebody: false)
            }
            rows += told.filter { $0.failure != nil }.map { [$0.name, "failed"] }
            let width = Overview.header.count + 1
            let cells = rows.sorted { $0[0] < $1[0] }.map { row in
                row + Array(repeating: "", count: width - row.count)
            }
            options.show(told, table([["ledger"] + Overview.header] + cells) + told.failures)
            if !told.failures.isEmpty { throw ExitCode.failure }
        }
    }

    struct Sync: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sync each ledger, one after the other.",
            discussion: """
                Exit code 1 means that one of them failed, 2 that something waits for you in one or that \
                it was stopped. \
                Control-C ends the ledger at work in order and begins no other.
                """)
        @OptionGroup var options: Options
        @Flag(help: "Take up only what changed: see sync --help.") var changesOnly = false

        func run() throws {
            let told = try options.each { name, common, stop in
                let run = try runEngine(common, .sync, changesOnly: changesOnly, stop: stop)
                return .init(
                    json: run.report.json, lines: ["\(name):"] + run.lines.map { "  " + $0 },
                    failure: run.report.failures.isEmpty
                        ? nil : "not all of it could be read",
                    needsSomebody: run.waitsForPerson)
            }
            options.show(told, told.flatMap(\.lines) + told.failures)
            if !told.failures.isEmpty { throw ExitCode.failure }
            if told.contains(where: { $0.needsSomebody || $0.isStopped }) { throw somethingToDo }
        }
    }
}

/// What is told of one ledger of a house.
struct ToldLedger {
    var name = ""
    var json: JSON = .object([])
    var lines: [String] = []
    var failure: String?
    var needsSomebody = false
    /// Whether a person ended it, so that no other begins.
    var isStopped = false
}

extension [ToldLedger] {
    var failures: [String] {
        compactMap { ledger in ledger.failure.map { "\(ledger.name): \($0)" } }
    }
}

extension Houses.Options {
    /// Does the same with each ledger; what fails in one is told, and the next one goes on.
    ///
    /// - Throws: a `Refusal` where the house has no ledger; `WorkplaceError` where it cannot be read.
    func each(
        _ body: (_ name: String, Common, _ stop: StopSignal) throws -> ToldLedger
    ) throws -> [ToldLedger] {
        let ledgers = try House(at: directory).ledgers()
        guard !ledgers.isEmpty else {
            throw Refusal(
                "there is no ledger in a subdirectory of \(directory): `syncledger init --ledger \(directory)/NAME` makes one"
            )
        }
        var told: [ToldLedger] = []
        for (name, path) in ledgers where told.last?.isStopped != true {
            var common = Common()
            common.ledger = path
            common.json = json
            let stop = StopSignal()
            var one: ToldLedger
            do {
                one = try body(name, common, stop)
                one.name = name
            } catch {
                one = ToldLedger(name: name, failure: "\(error)")
            }
            one.isStopped = stop.isStopped
            told.append(one)
        }
        return told
    }

    func show(_ told: [ToldLedger], _ lines: [String]) {
        var common = Common()
        common.json = json
        let ledgers = told.map { ledger in
            JSON.object(
                [.init("ledger", .string(ledger.name))]
                    + (ledger.failure.map { [.init("error", .string($0))] } ?? [])
                    + ledger.json.members)
        }
        common.show(.object([.init("ledgers", .array(ledgers))]), lines)
    }
}
