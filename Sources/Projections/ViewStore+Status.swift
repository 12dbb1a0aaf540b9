import LMDB
package import Ledger
import Synchronization

extension ViewStore {
    package struct Status: Sendable {
        package var generation: Int
        /// The version of the program that folded it; 0 before any event was.
        package var version: UInt64
        package var position: UInt64
        package var end: UInt64
        package var root: Hash
        /// Events that could not be folded, and stand in the log for another try.
        package var parked: Int
        package var rows: [(table: String, count: Int)]
        /// A generation that is being built, or that waits for its builder to go on.
        package var building: Building?
    }

    /// The first events that could not be folded, in their order.
    package func parked(limit: Int) throws -> [ParkedRow] {
        try read { tables, transaction in
            var rows: [ParkedRow] = []
            try tables.parked.scan(transaction) { _, row in
                if rows.count < limit { rows.append(row) }
                return rows.count < limit ? .next : .stop
            }
            return rows
        }
    }

    /// A generation that does not serve yet.
    package struct Building: Sendable {
        package var generation: Int
        package var position: UInt64
        /// Why the next rebuild cannot go on from there and begins anew; `nil` where it can.
        package var reason: RebuildReason?
        /// The process that is at it, and how far that is; `nil` where none is.
        package var builder: (process: Int32, progress: Progress)?
    }

    /// Where the serving generation stands, how many rows each table has, and what is being built.
    package func status() throws -> Status {
        let generation = try serving()
        var status = try generation.environment.read { transaction in
            let position = try generation.tables.position(transaction)
            return Status(
                generation: generation.number, version: position.version,
                position: position.sequence, end: log.end, root: position.root,
                parked: try transaction.count(generation.environment.table("parked")),
                rows: try ViewTables.names.map { name in
                    (name, try transaction.count(generation.environment.table(name)))
                })
        }
        status.building = try halfBuilt(above: generation.number)
        return status
    }

    /// Looks at the generation above the serving one, which this process or another may be building.
    private func halfBuilt(above serving: Int) throws -> Building? {
        do {
            if let ours = building.withLock({ $0 }) { return try look(at: ours) }
            guard directory.holds(serving + 1) else { return nil }
            let generation = try Generation(
                number: serving + 1, at: directory.path(of: serving + 1), sealer: sealer,
                blind: blind, readOnly: true)
            let found = try look(at: generation)
            try generation.environment.close()
            return found
        } catch is LMDBError {
            // Just made, given up or removed, or damaged: the next rebuild begins anew.
            return nil
        }
    }

    private func look(at generation: Generation) throws -> Building {
        let reason = try fault(of: generation)
        let position =
            reason == nil ? try generation.folded() : 0
        return Building(
            generation: generation.number, position: position, reason: reason,
            builder: directory.note().map { ($0.process, $0.progress) })
    }
}
