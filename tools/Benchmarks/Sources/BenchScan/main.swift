import BenchHouse
import Foundation
import LMDB
import Ledger

// How fast a log of bundles is read: the fields of every entry, whole events, and everything again.
//
// The events, by turns of ten: six observations of a contact (four values in two sealed parts, 690
// bytes), two confirmed commands with two tags (one sealed part), two starts of a run (plain).

let arguments = CommandLine.arguments
let isJSON = arguments.contains("--json")
let root =
    arguments.firstIndex(of: "--directory").map { arguments[$0 + 1] }
    ?? FileManager.default.temporaryDirectory.path
let events = arguments.firstIndex(of: "--events").flatMap { Int(arguments[$0 + 1]) } ?? 1_000_000
let rounds = arguments.firstIndex(of: "--rounds").flatMap { Int(arguments[$0 + 1]) } ?? 3

func draft(_ number: Int) -> Draft {
    let id = EventID(high: UInt64(number) &* 0x9E37_79B9_7F4A_7C15, low: UInt64(number))
    switch number % 10 {
    case 0..<6: return Person.observed(number)
    case 6, 7:
        let replica = Person.replica(number)
        var confirmed = CommandConfirmed()
        confirmed.remoteID = Sealed(
            .text("\(number)"), subject: replica.subject, category: .identity)
        return Draft(
            id: id, stream: .replica(replica), event: .commandConfirmed(confirmed),
            tags: [Tag(.command, id), Tag(.replica, replica)])
    default:
        var started = RunStarted()
        started.run = RunID(high: 9, low: UInt64(number))
        started.verb = "sync"
        return Draft(id: id, stream: .run(started.run), event: .runStarted(started))
    }
}

/// One way of reading: events a second by the clock on the wall, and by the processor's time, which
/// other work on the machine does not take from.
struct Figure {
    var name: String
    var wall: [Double] = []
    var processor: [Double] = []

    mutating func measure(_ body: () throws -> Void) rethrows {
        let before = clock()
        let took = try ContinuousClock().measure(body)
        wall.append((Double(events) / seconds(took)).rounded())
        let used = Double(clock() - before) / Double(CLOCKS_PER_SEC)
        processor.append((Double(events) / used).rounded())
    }
}

/// Walks over all fields of every entry, its tags and its parts.
func walk(_ log: EventLog) throws {
    var sum: UInt64 = 0
    var count = 0
    try log.scan(from: 1) { sequence, entry, _ in
        let view = try EntryView(entry)
        for tag in try view.tags(entry) { sum &+= tag.id.low }
        try view.eachPart(entry) { sum &+= $0.length &+ ($0.subject?.low ?? 0) }
        sum &+= view.id.low &+ view.stream.id.low &+ view.streamVersion &+ view.type
        precondition(view.sequence == sequence)
        count += 1
        return .next
    }
    precondition(count == events && sum != 0)
}

/// Copies whole events, page by page, as folding reads them.
func pages(_ log: EventLog) throws {
    var next: UInt64 = 1
    while next <= UInt64(events) {
        next += UInt64(try log.read(from: next, limit: 1_000, bytes: 16 << 20).count)
    }
}

let directory = root + "/bench-scan-\(UUID().uuidString)"
try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
defer { try? FileManager.default.removeItem(atPath: directory) }
let ledger = LedgerID(high: 1, low: 1)
let house = try House(directory, ledger)
for first in stride(from: 0, to: events, by: 1_000) {
    let drafts = (first..<min(first + 1_000, events)).map(draft)
    _ = try house.log.append(try house.sealer.seal(drafts))
}
while try house.log.seal() {}

var entries = Figure(name: "entries, all fields")
var whole = Figure(name: "pages with bodies")
var scrub = Figure(name: "scrub")
for _ in 0..<rounds {
    try entries.measure { try walk(house.log) }
    try whole.measure { try pages(house.log) }
}
try house.close()
var isClean = true
for _ in 0..<rounds {
    try scrub.measure {
        isClean = try Scrub(directory: directory, ledger: ledger).run().isClean && isClean
    }
}
precondition(isClean)
let size = try FileManager.default.attributesOfItem(atPath: directory + "/log/data.mdb")[.size]
let bytes = (size as? NSNumber)?.intValue ?? 0

let figures = [entries, whole, scrub]
if isJSON {
    let rows = figures.map {
        """
        "\($0.name)": {"wall": \(Spread($0.wall).json), \
        "processor": \(Spread($0.processor).json)}
        """
    }
    print("{\"events\": \(events), \"fileBytes\": \(bytes), \(rows.joined(separator: ", "))}")
} else {
    print("\(events) events, \(bytes / events) bytes each in the file; events/s, \(rounds) rounds")
    print(padded("", 20), padded("wall", 36), padded("processor", 36))
    for figure in figures {
        print(
            padded(figure.name, 20), padded("\(Spread(figure.wall))", 36),
            padded("\(Spread(figure.processor))", 36))
    }
}
