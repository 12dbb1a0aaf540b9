import Crypto
import Foundation
import LMDB
import Ledger
import Model
import Synchronization

@testable import Projections

/// A log with keys and views in a temporary directory, and events about people to put into it.
final class Stand {
    let directory: String
    let ledger = LedgerID(high: 0x5EED, low: 1)
    private(set) var keys: KeyRing
    private(set) var sealer: Sealer
    private(set) var log: EventLog
    private(set) var views: ViewStore
    let connection = ConnectionID(high: 1, low: 1)
    /// Events folded in one transaction.
    private let chunk: Int
    /// Kilobytes of rows in a pass.
    private let share: Int
    /// Why the views were folded anew though nobody asked for it.
    let told = Told()

    /// A stand of its own, in memory where the machine has that.
    convenience init(chunk: Int = 16_000, share: Int = 64_000) throws {
        let memory = "/dev/shm"
        let root =
            FileManager.default.isWritableFile(atPath: memory)
            ? memory + "/" : NSTemporaryDirectory()
        let directory = root + "projections-tests-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: false)
        try self.init(at: directory, chunk: chunk, share: share)
    }

    /// Opens one that another process made.
    init(at directory: String, chunk: Int = 16_000, share: Int = 64_000) throws {
        self.directory = directory
        self.chunk = chunk
        self.share = share
        (keys, sealer, log, views) = try Self.open(directory, ledger, chunk, share, told)
    }

    private static func open(
        _ directory: String, _ ledger: LedgerID, _ chunk: Int, _ share: Int,
        _ told: Told
    ) throws -> (KeyRing, Sealer, EventLog, ViewStore) {
        let master = try MasterKey(epoch: 1, bytes: [UInt8](repeating: 7, count: 32))
        let keys = try KeyRing(directory: directory + "/keys", ledger: ledger, master: master)
        let sealer = Sealer(ledger: ledger, keys: keys)
        let log = try EventLog(directory: directory, ledger: ledger) {
            Timestamp(seconds: 1_790_000_000)
        }
        let views = try ViewStore(
            directory: directory, log: log, sealer: sealer,
            blind: master.derived("blind lookups", ledger: ledger), chunk: chunk,
            share: share
        ) { told.take($0) }
        return (keys, sealer, log, views)
    }

    func close() throws {
        try views.close()
        try log.close()
        try keys.close()
    }

    /// Closes everything, changes files, and opens again.
    func reopen(_ change: () throws -> Void = {}) throws {
        try close()
        try change()
        (keys, sealer, log, views) = try Self.open(directory, ledger, chunk, share, told)
    }

    func end() throws {
        try close()
        try FileManager.default.removeItem(atPath: directory)
    }

    /// Closes everything, changes where a generation says that it stands, and opens again.
    func changePosition(of generation: Int, _ change: (inout PositionRow) -> Void) throws {
        try reopen {
            let generation = try Generation(
                number: generation, at: path("views/\(generation)"), sealer: sealer,
                blind: SymmetricKey(size: .bits256))
            try generation.environment.write { transaction in
                var (position, frontier) = try generation.state(transaction)
                change(&position)
                try generation.setState(position, frontier, transaction)
            }
            try generation.environment.close()
        }
    }

    func path(_ name: String) -> String { directory + "/" + name }

    var serving: String? {
        try? String(contentsOfFile: path("views/serving"), encoding: .utf8)
    }

    @discardableResult
    func append(_ drafts: [Draft]) throws -> [UInt64] {
        try log.append(try sealer.seal(drafts)).sequences
    }

    // MARK: - Events

    /// The connection that people are seen at, or another one of the same kind.
    func configured(_ other: UInt64 = 0) -> Draft {
        var configured = ConnectionConfigured()
        configured.connection = ConnectionID(high: 1, low: 1 + other)
        configured.system = .mautic
        configured.label = "mautic"
        configured.url = "https://mautic.example.com"
        return draft(
            .connectionConfigured(configured), .connection(configured.connection), 1 + Int(other))
    }

    func observed(_ person: Int, _ name: String, _ number: Int) -> Draft {
        let replica = replica(person)
        var observed = Observed()
        observed.replica = replica
        observed.connection = connection
        observed.entity = "contact"
        observed.remoteID = Sealed(
            .text("\(person)"), subject: replica.subject, category: .identity)
        observed.road = .imported
        observed.attributes = [
            ObservedAttribute(
                "firstname", Sealed(.text(name), subject: replica.subject, category: .profile)),
            ObservedAttribute(
                "email",
                Sealed(
                    .text("p\(person)@example.com"), subject: replica.subject, category: .contact)),
        ]
        return draft(.observed(observed), .replica(replica), number)
    }

    func linked(_ person: Int, _ number: Int) -> Draft {
        let linked = Linked(
            record: record(person), entity: "contact", replica: replica(person), reason: .new)
        return draft(.linked(linked), .record(record(person)), number)
    }

    func decided(
        _ person: Int, _ kind: DecisionKind, _ value: String, version: UInt64, _ number: Int,
        field name: String = "first_name", _ attribute: String = "firstname"
    ) -> Draft {
        let replica = replica(person)
        func sealed() -> Sealed {
            Sealed(.text(value), subject: replica.subject, category: .profile)
        }
        var input = DecisionInput()
        input.replica = replica
        input.attribute = attribute
        input.spelt = sealed()
        input.canonical = sealed()
        input.role = .won
        var field = FieldDecision()
        field.field = name
        field.kind = kind
        field.law = "only candidate"
        field.version = version
        field.author = replica
        if kind == .moved { field.outcome = sealed() }
        field.inputs = [input]
        var decided = Decided()
        decided.record = record(person)
        decided.entity = "contact"
        decided.fields = [field]
        return draft(.decided(decided), .record(record(person)), number)
    }

    func gone(_ person: Int, _ number: Int) -> Draft {
        var gone = Gone()
        gone.replica = replica(person)
        gone.proof = .sweepAndGet
        return draft(.gone(gone), .replica(replica(person)), number)
    }

    /// Tagged as the engine tags events, by which a record's history is found.
    func draft(_ event: Event, _ stream: Ledger.Stream, _ number: Int) -> Draft {
        var draft = Draft(id: EventID(high: 9, low: UInt64(number)), stream: stream, event: event)
        let id = stream.id
        switch stream.kind {
        case .record: draft.tags = [Tag(.record, RecordID(high: id.high, low: id.low))]
        case .replica: draft.tags = [Tag(.replica, ReplicaID(high: id.high, low: id.low))]
        default: break
        }
        switch event {
        case .linked(let payload): draft.tags.append(Tag(.replica, payload.replica))
        case .unlinked(let payload): draft.tags.append(Tag(.replica, payload.replica))
        case .ambiguityRaised(let payload):
            draft.tags += payload.replicas.map { Tag(.replica, $0) }
            draft.tags.append(Tag(.question, payload.question))
        case .ambiguitySettled(let payload): draft.tags.append(Tag(.question, payload.question))
        case .commandIssued(let payload): draft.tags.append(Tag(.record, payload.record))
        default: break
        }
        return draft
    }

    func replica(_ person: Int) -> ReplicaID { ReplicaID(high: 2, low: UInt64(person)) }
    func record(_ person: Int) -> RecordID { RecordID(high: 3, low: UInt64(person)) }

    func standing(_ person: Int) throws -> StandingRow? {
        try views.read { tables, transaction in
            try tables.standings.row(record(person).bytes, transaction)
        }
    }
}

/// Why views were folded anew though nobody asked for it.
final class Told: Sendable {
    private let told = Mutex<(reasons: [RebuildReason], firstPosition: UInt64?)>(([], nil))

    func take(_ notice: RebuildNotice) {
        told.withLock { told in
            switch notice {
            case .began(let reason): told.reasons.append(reason)
            case .folded(let progress):
                told.firstPosition = told.firstPosition ?? progress.position
            case .ended: break
            }
        }
    }

    var reasons: [RebuildReason] { told.withLock { $0.reasons } }

    /// Where the first of these rebuilds stood when it first said so.
    var firstPosition: UInt64? { told.withLock { $0.firstPosition } }
}

/// Lends a stand and removes it, whatever happened.
func withStand(
    chunk: Int = 16_000, share: Int = 64_000, _ body: (Stand) throws -> Void
) throws {
    let stand = try Stand(chunk: chunk, share: share)
    let outcome = Result { try body(stand) }
    try stand.end()
    try outcome.get()
}
