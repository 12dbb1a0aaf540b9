import LMDB
import Synchronization

@testable import Ledger

/// A ledger's log and keys in a temporary directory.
final class House: Sendable {
    let scratch: Scratch
    let ledger = LedgerID(high: 0x1ED6E2, low: 1)
    let keys: KeyRing
    let sealer: Sealer
    let log: EventLog
    let clock: TestClock

    init(
        at scratch: Scratch? = nil, master: UInt8 = 7, clock: TestClock = TestClock(),
        options: Options? = nil
    ) throws {
        self.scratch = try scratch ?? Scratch()
        self.clock = clock
        keys = try KeyRing(
            directory: self.scratch("keys"), ledger: ledger, master: Self.master(master))
        sealer = Sealer(ledger: ledger, keys: keys)
        var standard = Options()
        standard.mapSize = 1 << 30
        log = try EventLog(
            directory: self.scratch.path, ledger: ledger, options: options ?? standard,
            clock: { clock.now })
    }

    static func master(_ byte: UInt8) throws -> MasterKey {
        try MasterKey(epoch: 1, bytes: [UInt8](repeating: byte, count: 32))
    }

    func close() throws {
        try log.close()
        try keys.close()
    }

    /// Takes a key out of the ring, which must be closed.
    func erase(_ subject: SubjectID, _ category: Ledger.Category = .contact) throws {
        let environment = try Environment(at: scratch("keys"), tables: ["keys"])
        let table = environment.table("keys")
        let name = KeyRing.Name(subject: subject, category: category)
        let erased = try environment.write { try $0.delete(table, key: name.key) }
        precondition(erased, "there was no such key")
        try environment.close()
    }

    /// Seals and appends.
    @discardableResult
    func append(_ drafts: [Draft], _ conditions: [AppendCondition] = []) throws -> [UInt64] {
        try log.append(sealer.seal(drafts), conditions: conditions).sequences
    }

    /// Every event of the log, opened.
    func events() throws -> [LoggedEvent] {
        let stored = try log.read(from: 1, limit: .max)
        return try stored.enumerated().map { position, event in
            try sealer.open(event, sequence: UInt64(position) + 1)
        }
    }

    /// The root over all entries, by the definition.
    func recomputedRoot() throws -> Hash {
        let leaves = try log.read(from: 1, limit: .max).map { Merkle.leaf($0.entry) }
        return Naive.root(leaves[...])
    }
}

/// A clock that is moved by hand.
final class TestClock: Sendable {
    private let time = Mutex(Timestamp(seconds: 1_790_000_000))

    var now: Timestamp {
        get { time.withLock { $0 } }
        set { time.withLock { $0 = newValue } }
    }
}

/// Small events for when their content does not matter.
enum Plain {
    static func draft(
        _ number: Int, stream: Ledger.Stream = .run(RunID(high: 1, low: 1)),
        tags: [Ledger.Tag] = [], verb: String? = nil
    ) -> Draft {
        var started = RunStarted()
        started.run = RunID(high: 9, low: UInt64(number))
        started.verb = verb ?? "sync \(number)"
        return Draft(
            id: EventID(high: 5, low: UInt64(number)), stream: stream,
            event: .runStarted(started), tags: tags)
    }
}

/// RFC 9162, section 2.1, word for word: slow and plain.
enum Naive {
    static func root(_ leaves: ArraySlice<Hash>) -> Hash {
        guard let first = leaves.first else { return Merkle.emptyRoot }
        guard leaves.count > 1 else { return first }
        var split = 1
        while split * 2 < leaves.count { split *= 2 }
        let middle = leaves.startIndex + split
        return Merkle.node(root(leaves[..<middle]), root(leaves[middle...]))
    }
}
