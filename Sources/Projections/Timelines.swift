import Ledger

/// Which object stood for a record at each system, event by event: of records that other passes fold.
///
/// They are folded from their own history, which the log's index finds. For one thread.
final class Timelines {
    /// From an event on, an object or none.
    private typealias Change = (since: UInt64, object: ReplicaID?)

    private let views: ViewStore
    private let generation: Generation
    private let end: UInt64
    private var known: [RecordID: [ConnectionID: [Change]]] = [:]

    init(_ views: ViewStore, _ generation: Generation, end: UInt64) {
        self.views = views
        self.generation = generation
        self.end = end
    }

    /// The first of a record's objects that stood at a connection when an event was folded.
    func object(
        standingFor record: RecordID, at connection: ConnectionID, before sequence: UInt64
    ) throws -> ReplicaID? {
        let changes = try changes(of: record)[connection] ?? []
        return changes.last { $0.since < sequence }?.object ?? nil
    }

    private func changes(of record: RecordID) throws -> [ConnectionID: [Change]] {
        if let found = known[record] { return found }
        var changes: [ConnectionID: [Change]] = [:]
        var fold = try Fold(views: FoldedRows(generation, isEmpty: true))
        // What cannot be folded is parked, and changes nothing.
        func pass(over error: any Error) throws {
            guard ViewStore.isTheEvents(error) else { throw error }
        }
        for event in try views.history(of: record, upTo: end, damaged: pass) {
            do { try fold.fold(event) } catch { try pass(over: error) }
            let objects = try fold.views.record(record)?.replicas ?? []
            let rows = try objects.compactMap(fold.views.replica)
            for connection in Set(rows.map(\.connection)).union(changes.keys) {
                let object = try fold.views.object(standingFor: record, at: connection)
                if changes[connection]?.last?.object != object {
                    changes[connection, default: []].append((event.sequence, object))
                }
            }
        }
        if known.count >= Self.mostKept { known = [:] }
        known[record] = changes
        return changes
    }

    private static var mostKept: Int { 64_000 }
}
