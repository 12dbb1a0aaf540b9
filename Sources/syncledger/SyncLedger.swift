import ArgumentParser
import Connectors
import Engine
import Ledger
import Transport

#if canImport(Glibc)
    import Glibc
#endif

/// The program: one command, and its exit code.
@main
enum Program {
    static func main() {
        do {
            let words = try WordOrder.arranged(
                Array(CommandLine.arguments.dropFirst()),
                verbs: SyncLedger.configuration.subcommands.map { $0._commandName })
            var command = try SyncLedger.parseAsRoot(words)
            try command.run()
            leave(with: 0)
        } catch {
            leave(because: error)
        }
    }

    /// Says why on standard error and ends the process.
    ///
    /// A word that is not understood ends with 1 like every other error, not with 64: scripts know
    /// three codes. Asking for help is no error.
    private static func leave(because error: any Error) -> Never {
        let code = SyncLedger.exitCode(for: error)
        let message = SyncLedger.fullMessage(for: error)
        if code.isSuccess {
            if !message.isEmpty { Output.put([message]) }
            leave(with: 0)
        }
        let isUsage = code == .validationFailure
        if !message.isEmpty {
            // Only the parser's messages have several lines; ours quote what others wrote.
            Output.complain(isUsage ? visibleLines(message) : visible(message))
        }
        leave(with: isUsage ? 1 : code.rawValue)
    }

    private static func leave(with code: Int32) -> Never {
        guard let failure = Output.failure else { exit(code) }
        Output.complain(
            "Error: the output could not be written (\(words(for: failure))): make room for it, or look with another verb what was done"
        )
        exit(1)
    }
}

/// The command line: few verbs, each doing what its name says.
struct SyncLedger: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "syncledger",
        abstract:
            "Keeps people, accounts and deals in step between Compass, Mautic and SuiteCRM, and can show why.",
        discussion: """
            First steps:
              syncledger init                      make a ledger, in ./ledger
              syncledger connect mautic --url https://… --client-id …
              syncledger plan                      look, link, and say what would be done
              syncledger apply                     approve that and do it
              syncledger sync                      from then on, as often as you like

            Exit codes: 0 done or clean, 1 error, 2 there is something to do. Every verb takes \
            --json, and --ledger for another directory; `house` takes the directory of several.
            """,
        version: "syncledger 0.1.0",
        subcommands: [
            Init.self, Connect.self, Connections.self, Mapping.self, Policies.self, Ingest.self,
            Plan.self,
            Apply.self, Sync.self, Status.self, Conflicts.self, Links.self, Commands.self,
            Log.self, Show.self, Projector.self, Scrub.self, Houses.self,
        ])
}

/// Options of every verb.
struct Common: ParsableArguments {
    @Option(help: ArgumentHelp("The ledger's directory.", valueName: "dir"))
    var ledger = "ledger"

    @Flag(help: "Print JSON instead of text.")
    var json = false

    func validate() throws {
        guard !ledger.isEmpty else {
            throw Refusal("--ledger is empty: name a directory, such as --ledger ledger")
        }
    }

    /// Opens the ledger, runs `body` and closes it again, whatever happened.
    ///
    /// Its views are folded up to the log's end before, unless another process is at work.
    func withWorkplace<R>(folds: Bool = true, _ body: (Workplace) throws -> R) throws -> R {
        let teller = RebuildTeller()
        let workplace = try Workplace(at: ledger, folds: folds) { teller.tell($0) }
        do {
            let result = try body(workplace)
            try workplace.close()
            return result
        } catch {
            // The first error is the one to tell.
            try? workplace.close()
            throw error
        }
    }

    /// Prints a value as JSON or its lines as text.
    func show(_ value: JSON, _ lines: [String]) {
        if json {
            Output.put([visibleJSON(String(decoding: value.bytes, as: UTF8.self))])
        } else {
            Output.put(lines.map(visible))
        }
    }
}

/// A sentence for the person, with the fix.
struct Refusal: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// There is something to do: exit code 2.
let somethingToDo = ExitCode(2)
