import Foundation
import Ledger
import PlainLoop

/// Appends the same events by a plain loop and by the log, one after the other on the same disk.
struct Bench {
    let root: String
    let ledger = LedgerID(high: 1, low: 1)
    /// Bytes of an event's row in the log, which the plain loop writes too.
    let rowBytes: Int

    private static var subjects: Int { 1_000 }

    init(root: String) throws {
        let ledger = ledger
        self.root = root
        rowBytes = try Self.withDirectory(in: root) { directory in
            let house = try House(directory, ledger)
            _ = try house.log.append(try house.sealer.seal([Self.draft(1)]))
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
        _ = try house.sealer.seal((0..<Self.subjects).map(Self.draft))
        let drafts = (0..<events).map(Self.draft)
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
            try house.sealer.seal((first..<first + batch).map(Self.draft))
        }
        let start = ContinuousClock.now
        for batch in batches { _ = try house.log.append(batch) }
        let took = ContinuousClock.now - start
        try house.close()
        return Double(events) / seconds(took)
    }

    /// An observation of a contact: six attributes in two sealed parts.
    private static func draft(_ number: Int) -> Draft {
        let replica = ReplicaID(high: 7, low: UInt64(number % subjects))
        let subject = replica.subject
        var observed = Observed()
        observed.replica = replica
        observed.connection = ConnectionID(high: 1, low: 1)
        observed.entity = "contact"
        observed.lookedAfter = UInt64(number)
        observed.attributes = [
            attribute("firstname", "Ada \(number)", subject, .profile),
            attribute("lastname", "Lovelace", subject, .profile),
            attribute("email", "ada\(number)@example.org", subject, .contact),
            attribute("phone", "+44 20 7946 0\(number % 1_000)", subject, .contact),
        ]
        observed.stamp = "2026-01-02 03:04:05"
        return Draft(
            id: EventID(high: UInt64(number) &* 0x9E37_79B9_7F4A_7C15, low: UInt64(number)),
            stream: .replica(replica), event: .observed(observed))
    }

    private static func attribute(
        _ name: String, _ text: String, _ subject: SubjectID, _ category: Ledger.Category
    ) -> ObservedAttribute {
        ObservedAttribute(name, Sealed(.text(text), subject: subject, category: category))
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

/// A log and its keys.
struct House {
    let keys: KeyRing
    let sealer: Sealer
    let log: EventLog

    init(_ directory: String, _ ledger: LedgerID) throws {
        keys = try KeyRing(
            directory: directory + "/keys", ledger: ledger,
            master: MasterKey(epoch: 1, bytes: [UInt8](repeating: 7, count: 32)))
        sealer = Sealer(ledger: ledger, keys: keys)
        log = try EventLog(directory: directory, ledger: ledger) {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Timestamp(
                microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
        }
    }

    func close() throws {
        try log.close()
        try keys.close()
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

func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
}
