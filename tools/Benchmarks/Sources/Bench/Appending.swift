import Foundation
import Ledger
import PlainLoop

/// Appends the same events by a plain loop in C on liblmdb and by the log, in turns on the same disk.
///
/// The plain loop puts values of the same size under growing keys and does nothing else: no index, no
/// tree, no sealing. It runs beside ours in every round, so what else the machine does weighs on both.
struct Appending {
    let root: String
    /// Bytes of an event's row in the log, which the plain loop writes too.
    let rowBytes: Int

    init(root: String) throws {
        self.root = root
        rowBytes = try Self.withDirectory(in: root) { directory in
            let house = try House(directory)
            _ = try house.log.append(try house.sealer.seal([Person.observed(1)]))
            let stored = try house.log.read(from: 1, limit: 1)
            try house.close()
            return WireEncoder.encode(stored[0]).count
        }
    }

    /// Events a second at 1, 100 and 1,000 a commit; medians of three rounds, and of their ratios.
    func figures(events: Int) throws -> Figures {
        var figures: Figures = ["appendRowBytes": Double(rowBytes)]
        let most = max(1, min(200, events / 5_000))
        for (batch, commits) in [(1, 400), (100, min(500, most * 5)), (1_000, most)] {
            var (plain, ours, sealed): ([Double], [Double], [Double]) = ([], [], [])
            for _ in 0..<3 {
                plain.append(try turn { try plainLoop($0, batch, commits * batch) })
                ours.append(try turn { try log($0, batch, commits * batch) })
                sealed.append(try turn { try logSealedBefore($0, batch, commits * batch) })
            }
            let ratio = Spread(zip(ours, plain).map(/))
            let name = "append\(batch)"
            figures[name + "PlainPerSecond"] = Spread(plain).median
            figures[name + "PerSecond"] = Spread(ours).median
            figures[name + "Ratio"] = ratio.median
            figures[name + "RatioLeast"] = ratio.least
            figures[name + "RatioMost"] = ratio.most
            figures[name + "SealedBeforeRatio"] = Spread(zip(sealed, plain).map(/)).median
        }
        return figures
    }

    private func turn(_ body: (String) throws -> Double) throws -> Double {
        try Self.withDirectory(in: root, body)
    }

    private func plainLoop(_ directory: String, _ batch: Int, _ events: Int) throws -> Double {
        let took = plain_append_loop(directory, events, batch, rowBytes)
        guard took > 0 else { throw ChildProcess.Failure.plainLoop(code: took) }
        return Double(events) / (Double(took) / 1e9)
    }

    /// Encodes and seals on a thread of its own, a few batches ahead of the writer.
    private func log(_ directory: String, _ batch: Int, _ events: Int) throws -> Double {
        let house = try House(directory)
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

    private func logSealedBefore(
        _ directory: String, _ batch: Int, _ events: Int
    ) throws -> Double {
        let house = try House(directory)
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
        let path = root + "/append-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }
}

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
