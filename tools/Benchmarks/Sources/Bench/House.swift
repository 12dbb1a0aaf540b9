import Foundation
import Ledger
import Model
import Projections

/// A log and its keys, and views of it where they are wanted.
struct House {
    static var ledger: LedgerID { LedgerID(high: 1, low: 1) }
    let directory: String
    let keys: KeyRing
    let sealer: Sealer
    let log: EventLog
    private let master: MasterKey

    init(_ directory: String) throws {
        self.directory = directory
        master = try MasterKey(epoch: 1, bytes: [UInt8](repeating: 7, count: 32))
        keys = try KeyRing(directory: directory + "/keys", ledger: Self.ledger, master: master)
        sealer = Sealer(ledger: Self.ledger, keys: keys)
        log = try EventLog(directory: directory, ledger: Self.ledger) {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Timestamp(
                microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
        }
    }

    func views() throws -> ViewStore {
        try ViewStore(
            directory: directory, log: log, sealer: sealer,
            blind: master.derived("blind lookups", ledger: Self.ledger))
    }

    func close() throws {
        try log.close()
        try keys.close()
    }
}

/// Events of people.
enum Person {
    /// Keys are made once for a person, not once for an event.
    static var count: Int { 1_000 }

    /// An observation of a contact: four attributes in two sealed parts.
    static func observed(_ number: Int) -> Draft {
        let replica = replica(number)
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

    static func replica(_ number: Int) -> ReplicaID {
        ReplicaID(high: 7, low: UInt64(number % count))
    }

    private static func attribute(
        _ name: String, _ text: String, _ subject: SubjectID, _ category: Ledger.Category
    ) -> ObservedAttribute {
        ObservedAttribute(name, Sealed(.text(text), subject: subject, category: category))
    }
}
