import Connectors
package import Ledger
import Model
import Projections

/// Local changes from a file, for people without Supabase.
extension Workplace {
    /// What a file held: every line is new, changed, unchanged or repeated.
    package struct IngestReport: Sendable {
        package var lines = 0
        package var new = 0
        package var changed = 0
        package var unchanged = 0
        /// Lines of an object that the file named before.
        package var repeated = 0
    }

    /// Takes in lines such as `{"id":"c-1","email":"ann@example.com","first_name":"Ann"}`, or the rows
    /// of a table.
    ///
    /// The whole file is read before anything is written; one bad line refuses it whole. Then it is
    /// read again, 500 objects at a time, so that it takes some bytes of memory a line, and whole only
    /// those lines whose id comes more than once. The same file again observes nothing. `progress` is
    /// told how many lines are taken in, of how many.
    ///
    /// - Throws: `IngestError` with the line, or with how much is in where the store failed.
    package func ingest(
        _ file: IngestFile, into connection: ConnectionID,
        progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }
    ) throws -> IngestReport {
        let (lines, repeated) = try Self.census(of: file)
        guard
            let row = try views.read({ tables, transaction in
                try tables.connections.row(connection.bytes, transaction)
            })
        else { throw PersonError.unknownRecord }
        var ids = IdentitySource(seed: UInt64.random(in: 0...UInt64.max), now: now())
        let look = Observer.Look(
            connection: row, road: .imported, lookedAfter: log.end, isComplete: false, now: now())
        var report = IngestReport()
        report.lines = lines
        var (done, taken) = (0, 0)
        func take(_ statements: [Statement]) throws {
            progress(done, lines)
            let drafts = try statements.flatMap {
                try observed($0.object, look, counting: &report, &ids)
            }
            if !drafts.isEmpty { try append(drafts) }
            done += statements.map(\.lines).reduce(0, +)
            taken += statements.count
        }
        do {
            var chunk: [Statement] = []
            var several = Several()
            try file.each { object in
                guard !repeated.contains(object.id.hashValue) else { return several.add(object) }
                chunk.append(Statement(object: object))
                guard chunk.count == 500 else { return }
                try take(chunk)
                chunk = []
            }
            chunk += several.statements
            for start in stride(from: 0, to: chunk.count, by: 500) {
                try take(Array(chunk[start..<min(start + 500, chunk.count)]))
            }
        } catch  where done > 0 {
            throw IngestError.interrupted(done: done, of: lines, why: "\(error)")
        }
        report.repeated = lines - taken
        return report
    }

    /// How many lines a file has, all of them good, and the hashes of ids that it names again.
    private static func census(of file: IngestFile) throws -> (lines: Int, repeated: Set<Int>) {
        var lines = 0
        var (seen, repeated): (Set<Int>, Set<Int>) = ([], [])
        try file.each { object in
            lines += 1
            if !seen.insert(object.id.hashValue).inserted { repeated.insert(object.id.hashValue) }
        }
        return (lines, repeated)
    }

    private func observed(
        _ object: RemoteObject, _ look: Observer.Look, counting report: inout IngestReport,
        _ ids: inout IdentitySource
    ) throws -> [Draft] {
        let known = try views.read { tables, transaction in
            let id = try tables.replica(
                remoteID: object.id, kind: object.entity, connection: look.connection.id,
                transaction)
            return (id, try id.flatMap { try tables.replicas.row($0.bytes, transaction) })
        }
        let drafts = Observer(mapping: try mapping()).observe(
            object, as: known.0 ?? ids.id(), known: known.1, look, ids: &ids)
        if drafts.isEmpty {
            report.unchanged += 1
        } else if known.1 == nil {
            report.new += 1
        } else {
            report.changed += 1
        }
        return drafts
    }

    /// What a file says of an object, on one line or on several.
    private struct Statement {
        var object: RemoteObject
        var lines = 1
    }

    /// Several lines of one object are one statement: the last value of each field.
    private struct Several {
        private(set) var statements: [Statement] = []
        private var places: [String: Int] = [:]

        mutating func add(_ object: RemoteObject) {
            guard let place = places[object.id] else {
                places[object.id] = statements.count
                statements.append(Statement(object: object))
                return
            }
            statements[place].lines += 1
            for (name, value) in object.attributes {
                statements[place].object.attributes.removeAll { $0.name == name }
                statements[place].object.attributes.append((name, value))
            }
        }
    }
}
