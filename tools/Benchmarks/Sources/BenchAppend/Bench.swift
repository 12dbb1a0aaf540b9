import BenchHouse
import Foundation
import Ledger
import PlainLoop

/// Appends the same events by a plain loop and by the log, one after the other on the same disk.
struct Bench {
    let root: String
    let ledger = LedgerID(high: 1, low: 1)
    /// Bytes of an event's row in the log, which the plain loop writes too.
    let rowBytes: Int

    init(root: String) throws {
        let ledger = ledger
        self.root = root
        rowBytes = try Self.withDirectory(in: root) { directory in
            let house = try House(directory, ledger)
            _ = try house.log.append(try house.sealer.seal([Person.observed(1)]))
            let stored = try house.log.read(from: 1, limit: 1)
            try house.close()
            return WireEncoder.encode(stored[0]).count
        }
    }

    func measure(batch: Int, events: Int, rounds: Int) throws -> Figure {
        var plain: [Double] = []
        var whole: [Double] = []
        var sealed: [Double] = []
        for _ in 0..<rounds {
            plain.append(try Self.withDirectory(in: root) { try plainLoop($0, batch, events) })
            whole.append(try Self.withDirectory(in: root) { try ours($0, batch, events) })
            sealed.append(
                try Self.withDirectory(in: root) { try oursSealedBefore($0, batch, events) })
        }
        return Figure(batch: batch, events: events, plain: plain, whole: whole, sealed: sealed)
    }

    private func plainLoop(_ directory: String, _ batch: Int, _ events: Int) throws -> Double {
        let took = plain_append_loop(directory, events, batch, rowBytes)
        guard took > 0 else { throw Failure.plainLoop(code: took) }
        return Double(events) / (Double(took) / 1e9)
    }

    /// Encodes and seals on a thread of its own, a few batches ahead of the writer.
    private func ours(_ directory: String, _ batch: Int, _ events: Int) throws -> Double {
        let house = try House(directory, ledger)
        // Keys are made once for a person, not once for an event.
        _ = try house.sealer.seal((0..<Person.count).map(Person.observed))
        let drafts = (0..<events).map(Person.observed)
        let queue = Pipe(limit: 4)
        let sealer = house.sealer
        let start = ContinuousClock.now
        Thread {
            for first in stride(from: 0, to: events, by: batch) {
                queue.put(Result { try sealer.seal(Array(drafts[first..<first + batch])) })
            }
        }.start()
        for _ in stride(from: 0, to: events, by: batch) {
            _ = try house.log.append(try queue.take().get())
        }
        let took = ContinuousClock.now - start
        try house.close()
        return Double(events) / seconds(took)
    }

    private func oursSealedBefore(
        _ directory: String, _ batch: Int, _ events: Int
    ) throws -> Double {
        let house = try House(directory, ledger)
        let batches = try stride(from: 0, to: events, by: batch).map { first in
            try house.sealer.seal((first..<first + batch).map(Person.observed))
        }
        let start = ContinuousClock.now
        for batch in batches { _ = try house.log.append(batch) }
        let took = ContinuousClock.now - start
        try house.close()
        return Double(events) / seconds(took)
    }

    private static func withDirectory<R>(
        in root: String, _ body: (String) throws -> R
    ) throws -> R {
        let path = root + "/bench-append-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }
}

enum Failure: Error { case plainLoop(code: Int64) }

/// Sealed batches on their way from one thread to another.
// Unchecked: the condition guards the batches.
final class Pipe: @unchecked Sendable {
    typealias Batch = Result<[SealedDraft], any Error>
    private let condition = NSCondition()
    private var batches: [Batch] = []
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    func put(_ batch: Batch) {
        condition.lock()
        while batches.count >= limit { condition.wait() }
        batches.append(batch)
        condition.broadcast()
        condition.unlock()
    }

    func take() -> Batch {
        condition.lock()
        while batches.isEmpty { condition.wait() }
        defer {
            condition.broadcast()
            condition.unlock()
        }
        return batches.removeFirst()
    }
}
