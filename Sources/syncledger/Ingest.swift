import ArgumentParser
import Connectors
import Engine
import Ledger
import Model
import Projections

struct Ingest: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take in local changes from a file of JSON Lines or CSV.",
        discussion: """
            One object a line: {"id":"c-1","email":"ann@example.com","first_name":"Ann"}. A field that \
            is left out says nothing; null and "" empty it. One bad line refuses the whole file. \
            Of several lines with one id, the last word on each field counts.

            Or a table: a header that names id and fields, then a row for each object, with commas, \
            semicolons or tabs between the cells. An empty cell empties its field; a column that is \
            left out says nothing. What ends in .csv or .tsv is a table.
            """)
    @OptionGroup var common: Common
    @Argument(help: "The file, or - for standard input, which is kept in memory.") var file: String
    @Option(help: "The connection it belongs to.") var into = "local"
    @Option(help: "What its lines are: contact, account or deal.") var entity = "contact"
    @Option(help: "How it is written, json or csv, where its name does not tell.")
    var format: IngestFile.Format?
    @Option(
        name: .customLong("column"),
        help: "What a column of the header is: NAME=FIELD or NAME=id. May be repeated.")
    var columns: [String] = []
    @Flag(help: "Leave out columns that no field is called by.") var ignoreColumns = false

    func run() throws {
        let columns = try namedColumns()
        try common.withWorkplace { workplace in
            let lock = try workplace.engineLock()
            defer { withExtendedLifetime(lock) {} }
            let connection = try connection(workplace)
            let line = ProgressLine()
            // Before an error prints, too.
            defer { line.clear() }
            let path = file == "-" ? "/dev/stdin" : file
            let report: Workplace.IngestReport
            do {
                let file = try IngestFile(
                    path, of: try mapping(workplace), format: format, columns: columns,
                    ignoresUnknownColumns: ignoreColumns)
                report = try workplace.ingest(file, into: connection.id) { done, all in
                    line.show("taking in: \(done) of \(all) lines")
                }
            } catch WorkplaceError.file(path, let code) {
                throw Refusal(
                    "\(file) cannot be read (\(words(for: code))): name a file that you may read, or - for standard input"
                )
            }
            guard report.lines > 0 else {
                throw Refusal(
                    "\(file == "-" ? "standard input" : file) is empty: nothing was taken in; write one JSON object a line, or rows below a header"
                )
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

    private func mapping(_ workplace: Workplace) throws -> EntityMapping {
        try workplace.mapping().entity(named: entity)
    }

    private func namedColumns() throws -> [String: String] {
        try columns.reduce(into: [:]) { columns, text in
            guard let place = text.lastIndex(of: "="), place > text.startIndex else {
                throw Refusal(
                    "--column takes NAME=FIELD, not \(text): the name as the header writes it, and the field that it is"
                )
            }
            columns[String(text[..<place])] = String(text[text.index(after: place)...])
        }
    }
}

extension IngestFile.Format: ExpressibleByArgument {}
