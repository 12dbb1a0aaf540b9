import ArgumentParser
import Connectors
import Engine
import Ledger
import Model
import Projections

struct Log: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The events, oldest first.", usage: "syncledger log [options]",
        discussion: """
            `--record ID` shows one person's history, `--from N` begins at an event. What is left out \
            for want of room is said at the end.
            """)
    @OptionGroup var common: Common
    @Option(parsing: .unconditional, help: "The first event.") var from = 1
    @Option(parsing: .unconditional, help: "How many at most, 1 to 10,000.") var limit = 100
    @Option(help: "Only events of this record.") var record: String?

    func run() throws {
        guard from > 0 else {
            throw Refusal("events are numbered from 1: --from is 1 or more, not \(from)")
        }
        guard (1...10_000).contains(limit) else {
            throw Refusal("--limit is a number from 1 to 10,000, not \(limit)")
        }
        try common.withWorkplace { workplace in
            let end = workplace.log.end
            guard first <= end || first == 1 else {
                throw Refusal("there is no event \(from): the log ends at event \(end)")
            }
            let (events, next) = try record.map { try history($0, workplace) } ?? page(workplace)
            let names = try Names(workplace)
            let words = try events.map { try EventWords($0, names) }
            common.show(
                .array(words.map(\.json)),
                (words.isEmpty ? ["No events."] : words.map(\.line))
                    + (next.map { ["More: syncledger log --from \($0)" + recordOption] } ?? []))
        }
    }

    private var first: UInt64 { UInt64(from) }
    private var recordOption: String { record.map { " --record \($0)" } ?? "" }

    private func page(_ workplace: Workplace) throws -> ([LoggedEvent], UInt64?) {
        let events = try read(workplace, from: first, limit: limit)
        let next = (events.last?.sequence ?? first) + 1
        return (events, next <= workplace.log.end ? next : nil)
    }

    private func history(
        _ record: String, _ workplace: Workplace
    ) throws -> ([LoggedEvent], UInt64?) {
        guard let id = RecordID(record),
            try workplace.views.read({ tables, transaction in
                try tables.records.row(id.bytes, transaction)
            }) != nil
        else { throw PersonError.unknownRecord }
        let numbers = try sequences(of: id, workplace).filter { $0 >= first }
        let events = try numbers.prefix(limit).flatMap { try read(workplace, from: $0, limit: 1) }
        return (events, numbers.dropFirst(limit).first)
    }
}

/// Every event of a record in order: its own and those of its replicas.
func sequences(of record: RecordID, _ workplace: Workplace) throws -> [UInt64] {
    let replicas = try workplace.views.read { tables, transaction in
        try tables.records.row(record.bytes, transaction)?.replicas ?? []
    }
    var found = Set(try workplace.log.sequences(tagged: Tag(.record, record)))
    for replica in replicas {
        found.formUnion(try workplace.log.sequences(tagged: Tag(.replica, replica)))
    }
    return found.sorted()
}

/// So many events from a number on, opened.
func read(_ workplace: Workplace, from: UInt64, limit: Int) throws -> [LoggedEvent] {
    try workplace.log.read(from: from, limit: limit).enumerated().map { index, stored in
        try workplace.sealer.open(stored, sequence: from + UInt64(index))
    }
}
