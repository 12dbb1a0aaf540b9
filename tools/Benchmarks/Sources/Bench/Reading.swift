import Foundation
import LMDB
import Ledger
import Projections

/// What is measured on one log of a town: writing it, reading it, verifying it, folding it, asking it.
///
/// Each is a process of its own, so each opens the log anew and has its own peak of memory. A log is
/// scanned three times and the median counts, above two million events once; a short one is verified
/// and folded three times, too, above 300,000 events once.
struct Reading {
    let directory: String
    let events: Int
    private var scans: Int { events > 2_000_000 ? 1 : 3 }
    private var rounds: Int { events > 300_000 ? 1 : 3 }

    /// Writes the log, 1,000 events a durable commit, and seals it into bundles.
    func write() throws -> Figures {
        let house = try House(directory)
        var town = Town(events: events)
        var (parts, sealed, written) = (0, 0, 0)
        var batch = [town.first()]
        let took = try timed {
            while written < events {
                while batch.count < 1_000 { batch += town.next() }
                let drafts = try house.sealer.seal(Array(batch.prefix(events - written)))
                batch = []
                for draft in drafts {
                    parts += draft.entry.parts.count
                    sealed += draft.entry.parts.count - 1
                }
                written += try house.log.append(drafts).sequences.count
            }
        }
        while try house.log.seal() {}
        try house.close()
        let size = try FileManager.default.attributesOfItem(atPath: directory + "/log/data.mdb")
        let bytes = (size[.size] as? NSNumber)?.doubleValue ?? 0
        return [
            "writePerSecond": Double(events) / took, "sealedShare": Double(sealed) / Double(parts),
            "bytesPerEvent": bytes / Double(events), "people": Double(town.people),
        ]
    }

    /// Reads the fields of every entry, its tags and its parts; then whole events with their bodies.
    func scan() throws -> Figures {
        let house = try House(directory)
        var (fields, whole): ([Double], [Double]) = ([], [])
        for _ in 0..<scans {
            fields.append(Double(events) / (try timed { try walk(house.log) }))
            whole.append(Double(events) / (try timed { try copy(house.log) }))
        }
        try house.close()
        return [
            "scanPerSecond": Spread(fields).median, "scanPerSecondLeast": Spread(fields).least,
            "scanPerSecondMost": Spread(fields).most, "readPerSecond": Spread(whole).median,
        ]
    }

    private func walk(_ log: EventLog) throws {
        var sum: UInt64 = 0
        var count = 0
        try log.scan(from: 1) { sequence, entry, _ in
            let view = try EntryView(entry)
            for tag in try view.tags(entry) { sum &+= tag.id.low }
            try view.eachPart(entry) { sum &+= $0.length &+ ($0.subject?.low ?? 0) }
            sum &+= view.id.low &+ view.stream.id.low &+ view.streamVersion &+ view.type
            try require(view.sequence == sequence, "the entry \(view.sequence)")
            count += 1
            return .next
        }
        try require(count == events && sum != 0, "a scan of \(count) events")
    }

    /// Copies whole events, page by page, as folding reads them.
    private func copy(_ log: EventLog) throws {
        var next: UInt64 = 1
        while next <= UInt64(events) {
            next += UInt64(try log.read(from: next, limit: 1_000, bytes: 16 << 20).count)
        }
    }

    /// Scrubs: hashes every entry and body again and holds them against tree, keys and index.
    func verify() throws -> Figures {
        var rates: [Double] = []
        for _ in 0..<rounds {
            let took = try timed {
                let report = try Scrub(directory: directory, ledger: House.ledger).run()
                try require(report.isClean, "a log with damage")
            }
            rates.append(Double(events) / took)
        }
        return ["verifyPerSecond": Spread(rates).median]
    }

    /// Folds all views from the first event, in a new generation each time.
    func rebuild() throws -> Figures {
        let house = try House(directory)
        let views = try house.views()
        var (rates, swaps): ([Double], [Double]) = ([], [])
        for _ in 0..<rounds {
            let rebuilt = try views.rebuild(anew: true)
            try require(rebuilt.events == UInt64(events), "a rebuild of \(rebuilt.events) events")
            rates.append(Double(rebuilt.events) / seconds(rebuilt.duration))
            swaps.append(seconds(rebuilt.swap) * 1_000)
        }
        try views.close()
        try house.close()
        return [
            "rebuildPerSecond": Spread(rates).median, "rebuildPerSecondLeast": Spread(rates).least,
            "rebuildPerSecondMost": Spread(rates).most,
            "rebuildSwapMilliseconds": Spread(swaps).median,
        ]
    }

    /// Asks for 1,000 records as of an event each, both drawn evenly.
    func asOf() throws -> Figures {
        let house = try House(directory)
        let views = try house.views()
        let town = Town(events: events)
        var random = Random(seed: 2_026)
        var took: [Double] = []
        var folded = 0
        for _ in 0..<1_000 {
            let record = town.record(Int.random(in: 0..<town.people, using: &random))
            let sequence = UInt64.random(in: 1...UInt64(events), using: &random)
            took.append(
                try timed { folded += try views.record(record, asOf: sequence)?.events ?? 0 })
        }
        try views.close()
        try house.close()
        let sorted = took.sorted().map { $0 * 1_000 }
        return [
            "asOfMilliseconds": sorted[990], "asOfMillisecondsMedian": sorted[500],
            "asOfMillisecondsMost": sorted[999], "asOfEventsFolded": Double(folded) / 1_000,
        ]
    }

    private func require(_ isRight: Bool, _ what: @autoclosure () -> String) throws {
        guard isRight else { throw ChildProcess.Failure.wrongResult(what()) }
    }
}
