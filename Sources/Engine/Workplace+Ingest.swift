package import Connectors
package import Ledger
import Model
import Projections

/// Local changes from a file, for people without Supabase: JSON Lines, one object a line.
extension Workplace {
    package struct IngestReport: Sendable {
        package var lines = 0
        package var observed = 0
        package var unchanged = 0
    }

    /// Takes in lines such as `{"id":"c-1","email":"ann@example.com","first_name":"Ann"}`.
    ///
    /// The whole file is read before anything is written; one bad line refuses it whole. The same
    /// file again observes nothing. `progress` is told how many objects are taken in, of how many.
    ///
    /// - Throws: `IngestError` with the line.
    package func ingest(
        _ bytes: [UInt8], into connection: ConnectionID,
        progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }
    ) throws -> IngestReport {
        let objects = try read(bytes)
        guard
            let row = try views.read({ tables, transaction in
                try tables.connections.row(connection.bytes, transaction)
            })
        else { throw PersonError.unknownRecord }
        var ids = IdentitySource(seed: UInt64.random(in: 0...UInt64.max), now: now())
        let observer = Observer(mapping: mapping)
        let look = Observer.Look(
            connection: row, road: .imported, lookedAfter: log.end, isComplete: false, now: now())
        var report = IngestReport()
        report.lines = objects.count
        var fresh: [String: ReplicaID] = [:]
        for chunk in stride(from: 0, to: objects.count, by: 500) {
            progress(chunk, objects.count)
            var drafts: [Draft] = []
            for object in Self.coalesced(objects[chunk..<min(chunk + 500, objects.count)]) {
                let known = try views.read { tables, transaction in
                    let id = try tables.replica(
                        remoteID: object.id, entity: mapping.entity, connection: connection,
                        transaction)
                    return (id, try id.flatMap { try tables.replicas.row($0.bytes, transaction) })
                }
                let replica = known.0 ?? fresh[object.id] ?? ids.id()
                fresh[object.id] = replica
                let new = observer.observe(
                    object, as: replica, known: known.1, look, ids: &ids)
                if new.isEmpty { report.unchanged += 1 } else { report.observed += 1 }
                drafts += new
            }
            if !drafts.isEmpty { try append(drafts) }
        }
        return report
    }

    /// Several lines of one object are one statement: the last value of each field.
    private static func coalesced(_ objects: ArraySlice<RemoteObject>) -> [RemoteObject] {
        var order: [String] = []
        var found: [String: RemoteObject] = [:]
        for object in objects {
            guard var earlier = found[object.id] else {
                order.append(object.id)
                found[object.id] = object
                continue
            }
            for (name, value) in object.attributes {
                earlier.attributes.removeAll { $0.name == name }
                earlier.attributes.append((name, value))
            }
            found[object.id] = earlier
        }
        return order.compactMap { found[$0] }
    }

    private func read(_ bytes: [UInt8]) throws -> [RemoteObject] {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let known = mapping.attributes(of: .compass)
        var objects: [RemoteObject] = []
        for (index, line) in lines.enumerated() where line.contains(where: { $0 > 32 }) {
            let number = index + 1
            let json: JSON
            do {
                json = try JSON(parsing: Array(line))
            } catch {
                throw IngestError.notJSON(line: number, error)
            }
            guard case .object(let members) = json, let id = json["id"]?.text, !id.isEmpty else {
                throw IngestError.noID(line: number)
            }
            var attributes: [(name: String, value: Value)] = []
            for member in members where member.name != "id" {
                guard known.contains(member.name) else {
                    throw IngestError.unknownField(
                        line: number, member.name, nearest: nearest(member.name, in: known))
                }
                attributes.append((member.name, try value(member, line: number)))
            }
            objects.append(
                RemoteObject(id: id, attributes: attributes, stamp: "", modified: nil))
        }
        return objects
    }

    private func value(_ member: JSON.Member, line: Int) throws -> Value {
        switch member.value {
        case .null: .null
        case .string(let text): .text(text)
        case .number(let text): .number(text)
        case .bool(let flag): .bool(flag)
        case .array(let elements): .set(of: elements.compactMap(\.text))
        case .object: throw IngestError.badValue(line: line, member.name)
        }
    }
}

package enum IngestError: Error, Equatable, CustomStringConvertible {
    case notJSON(line: Int, JSONError)
    case noID(line: Int)
    case unknownField(line: Int, String, nearest: String?)
    case badValue(line: Int, String)

    package var description: String {
        switch self {
        case .notJSON(let line, let error):
            "line \(line) is \(error): mend that line and run it again; nothing was taken in"
        case .noID(let line):
            "line \(line) has no \"id\": every line needs one; nothing was taken in"
        case .unknownField(let line, let name, let nearest):
            "line \(line): there is no field \"\(name)\""
                + (nearest.map { ", did you mean \"\($0)\"?" } ?? "")
                + " `syncledger mapping` lists them; nothing was taken in"
        case .badValue(let line, let name):
            "line \(line): \"\(name)\" cannot be an object; nothing was taken in"
        }
    }
}

/// The word that needs the fewest changes to become this one, if they are few.
package func nearest(_ word: String, in words: [String]) -> String? {
    let scored = words.map { ($0, editDistance(Array(word.lowercased()), Array($0.lowercased()))) }
    guard let best = scored.min(by: { $0.1 < $1.1 }), best.1 <= max(2, word.count / 3) else {
        return nil
    }
    return best.0
}

/// Levenshtein's distance.
private func editDistance(_ left: [Character], _ right: [Character]) -> Int {
    var row = Array(0...right.count)
    for (i, one) in left.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, other) in right.enumerated() {
            let cost = one == other ? diagonal : min(diagonal, row[j], row[j + 1]) + 1
            diagonal = row[j + 1]
            row[j + 1] = cost
        }
    }
    return row[right.count]
}
