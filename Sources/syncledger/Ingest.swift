import ArgumentParser
import Connectors
import Engine
import Ledger
import Model
import Projections

struct Ingest: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take in local changes from a file of JSON Lines.",
        discussion: """
            One object a line: {"id":"c-1","email":"ann@example.com","first_name":"Ann"}. A field that \
            is left out says nothing; null and "" empty it. One bad line refuses the whole file. \
            Of several lines with one id, the last word on each field counts.
            """)
    @OptionGroup var common: Common
    @Argument(help: "The file, or - for standard input.") var file: String
    @Option(help: "The connection it belongs to.") var into = "local"

    func run() throws {
        try common.withWorkplace { workplace in
            let lock = try workplace.engineLock()
            defer { withExtendedLifetime(lock) {} }
            let connection = try connection(workplace)
            let line = ProgressLine()
            // Before an error prints, too.
            defer { line.clear() }
            let report = try workplace.ingest(try read(), into: connection.id) { done, all in
                line.show("taking in: \(done) of \(all) lines")
            }
            line.clear()
            common.show(
                .object([
                    .init("lines", .number("\(report.lines)")),
                    .init("observed", .number("\(report.new + report.changed)")),
                    .init("new", .number("\(report.new)")),
                    .init("changed", .number("\(report.changed)")),
                    .init("unchanged", .number("\(report.unchanged)")),
                    .init("repeated", .number("\(report.repeated)")),
                ]),
                [
                    "Took in \(report.lines) lines: \(report.new) new, \(report.changed) changed, \(report.unchanged) known already"
                        + (report.repeated == 0
                            ? "."
                            : ", \(report.repeated) more of an id that the file named before.")
                ])
        }
    }

    private func connection(_ workplace: Workplace) throws -> ConnectionRow {
        let rows = try workplace.views.read { tables, transaction in
            try tables.connections.all(transaction)
        }.filter { !$0.isRemoved }
        guard let row = rows.first(where: { $0.configured.label == into }) else {
            let near = nearest(into, in: rows.map(\.configured.label))
            throw Refusal(
                "there is no connection \(into)" + (near.map { ", did you mean \($0)?" } ?? ":")
                    + " run `syncledger connect local`")
        }
        guard row.configured.url.isEmpty else {
            throw Refusal(
                "\(into) is read from \(row.configured.url), so files do not go in there: run `syncledger connect local` and ingest into that"
            )
        }
        return row
    }

    /// Everything that is to be taken in.
    private func read() throws -> [UInt8] {
        let bytes: [UInt8]
        do {
            bytes = try readFile(file == "-" ? "/dev/stdin" : file)
        } catch WorkplaceError.file(_, let code) {
            throw Refusal(
                "\(file) cannot be read (\(words(for: code))): name a file that you may read, or - for standard input"
            )
        }
        guard bytes.contains(where: { $0 > 32 }) else {
            throw Refusal(
                "\(file == "-" ? "standard input" : file) is empty: nothing was taken in; write one JSON object a line"
            )
        }
        return bytes
    }
}
