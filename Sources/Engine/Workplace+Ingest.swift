package import Connectors
package import Ledger
import Model
import Projections

/// Local changes from a file, for people without Supabase: JSON Lines, one object a line.
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

    /// Takes in lines such as `{"id":"c-1","email":"ann@example.com","first_name":"Ann"}`.
    ///
    /// The whole file is read before anything is written; one bad line refuses it whole. The same
    /// file again observes nothing. `progress` is told how many lines are taken in, of how many.
    ///
    /// - Throws: `IngestError` with the line, or with how much is in where the store failed.
    package func ingest(
        _ bytes: [UInt8], into connection: ConnectionID,
        progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }
    ) throws -> IngestReport {
        let objects = try read(bytes)
        let statements = Self.coalesced(objects)
        guard
            let row = try views.read({ tables, transaction in
                try tables.connections.row(connection.bytes, transaction)
            })
        else { throw PersonError.unknownRecord }
        var ids = IdentitySource(seed: UInt64.random(in: 0...UInt64.max), now: now())
        let look = Observer.Look(
            connection: row, road: .imported, lookedAfter: log.end, isComplete: false, now: now())
        var report = IngestReport()
        report.lines = objects.count
        report.repeated = objects.count - statements.count
        var done = 0
        for start in stride(from: 0, to: statements.count, by: 500) {
            progress(done, objects.count)
            let chunk = statements[start..<min(start + 500, statements.count)]
            do {
                let drafts = try chunk.flatMap {
                    try observed($0.object, look, counting: &report, &ids)
                }
                if !drafts.isEmpty { try append(drafts) }
            } catch  where done > 0 {
                throw IngestError.interrupted(done: done, of: objects.count, why: "\(error)")
            }
            done += chunk.map(\.lines).reduce(0, +)
        }
        return report
    }

    private func observed(
        _ object: RemoteObject, _ look: Observer.Look, counting report: inout IngestReport,
        _ ids: inout IdentitySource
    ) throws -> [Draft] {
        let known = try views.read { tables, transaction in
            let id = try tables.replica(
                remoteID: object.id, kind: EntityMapping.contact.entity,
                connection: look.connection.id,
                transaction)
            return (id, try id.flatMap { try tables.replicas.row($0.bytes, transaction) })
        }
        let drafts = Observer(mapping: mapping).observe(
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

    /// Several lines of one object are one statement: the last value of each field.
    private static func coalesced(
        _ objects: [RemoteObject]
    ) -> [(object: RemoteObject, lines: Int)] {
        var places: [String: Int] = [:]
        var statements: [(object: RemoteObject, lines: Int)] = []
        for object in objects {
            guard let place = places[object.id] else {
                places[object.id] = statements.count
                statements.append((object, 1))
                continue
            }
            statements[place].lines += 1
            for (name, value) in object.attributes {
                statements[place].object.attributes.removeAll { $0.name == name }
                statements[place].object.attributes.append((name, value))
            }
        }
        return statements
    }
}

// MARK: - Reading

extension Workplace {
    private func read(_ bytes: [UInt8]) throws -> [RemoteObject] {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw IngestError.byteOrderMark }
        let marks: [[UInt8]] = [[0xFE, 0xFF], [0xFF, 0xFE]]
        if marks.contains(where: bytes.starts(with:)) || bytes.prefix(2).contains(0) {
            throw IngestError.notUTF8
        }
        return try bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .enumerated().filter { $0.element.contains { $0 > 32 } }
            .map { try object(in: Array($0.element), line: $0.offset + 1) }
    }

    private func object(in bytes: [UInt8], line: Int) throws -> RemoteObject {
        let json: JSON
        do {
            json = try JSON(parsing: bytes)
        } catch {
            throw IngestError.notJSON(line: line, error)
        }
        var names: Set<String> = []
        for member in json.members where !names.insert(member.name).inserted {
            throw IngestError.repeatedName(line: line, member.name)
        }
        guard case .object(let members) = json, let id = json["id"]?.text, !trimmed(id).isEmpty
        else { throw IngestError.noID(line: line) }
        let attributes = try members.filter { $0.name != "id" }.map { member in
            (name: member.name, value: try value(member, line: line))
        }
        return RemoteObject(id: id, attributes: attributes, stamp: "", modified: nil)
    }

    /// What a line says of a field, if the field can hold it whole.
    private func value(_ member: JSON.Member, line: Int) throws -> Value {
        guard let field = EntityMapping.contact.field(attribute: member.name, of: .compass),
            let codec = field.spellings[.compass]?.codec
        else {
            let known = EntityMapping.contact.attributes(of: .compass)
            throw IngestError.unknownField(
                line: line, member.name, nearest: nearest(member.name, in: known))
        }
        guard let value = Self.value(member.value, as: codec.kind),
            codec.reads(codec.content(of: value))
        else {
            throw IngestError.badValue(
                line: line, member.name, member.value, holds: codec.kind.words)
        }
        return value
    }

    /// The value, unless reading it as this kind would lose some of it.
    private static func value(_ json: JSON, as kind: FieldCodec.Kind) -> Value? {
        switch json {
        case .null: return .null
        case .string(let text): return isWhole(text, as: kind) ? .text(text) : nil
        case .number(let text): return isWhole(text, as: kind) ? .number(text) : nil
        case .bool(let flag): return kind == .flag ? .bool(flag) : nil
        case .array(let elements):
            let texts = elements.compactMap(\.text)
            return kind == .tags && texts.count == elements.count ? .set(of: texts) : nil
        case .object: return nil
        }
    }

    /// The codec drops fractions, as a system does that was asked to hold one.
    private static func isWhole(_ text: String, as kind: FieldCodec.Kind) -> Bool {
        kind != .integer || text.drop { $0 != "." }.dropFirst().allSatisfy { $0 == "0" }
    }
}

extension FieldCodec.Kind {
    fileprivate var words: String {
        switch self {
        case .text: "a text"
        case .email: "an e-mail address"
        case .integer: "a whole number"
        case .flag: "true or false"
        case .tags: "a list of texts"
        case .money: "a number"
        case .day: "a day such as 2027-01-31"
        case .reference, .referenceByName: "the id of another record"
        }
    }
}

package enum IngestError: Error, Equatable, CustomStringConvertible {
    case notJSON(line: Int, JSONError)
    case noID(line: Int)
    case unknownField(line: Int, String, nearest: String?)
    case repeatedName(line: Int, String)
    case badValue(line: Int, String, JSON, holds: String)
    case byteOrderMark
    case notUTF8
    case interrupted(done: Int, of: Int, why: String)

    package var description: String {
        switch self {
        case .notJSON(let line, let error):
            "line \(line) is \(error): mend that line and run it again; nothing was taken in"
        case .noID(let line):
            "line \(line) has no \"id\", or a blank one: every line needs one; nothing was taken in"
        case .unknownField(let line, let name, let nearest):
            "line \(line): there is no field \"\(name)\""
                + (nearest.map { ", did you mean \"\($0)\"?" } ?? ":")
                + " `syncledger mapping` lists them; nothing was taken in"
        case .repeatedName(let line, let name):
            "line \(line) says \"\(name)\" twice: leave one of them; nothing was taken in"
        case .badValue(let line, let name, let value, let holds):
            "line \(line): \"\(name)\" cannot be \(Self.words(value)): it holds \(holds), or null; nothing was taken in"
        case .byteOrderMark:
            "the file begins with a byte order mark: save it as UTF-8 without one, or take it out with `tail -c +4`; nothing was taken in"
        case .notUTF8:
            "the file is UTF-16 or binary, and JSON Lines are UTF-8: convert it with `iconv -f UTF-16 -t UTF-8`; nothing was taken in"
        case .interrupted(let done, let all, let why):
            "\(done) of \(all) lines are in, and then \(why); the same file again goes on from there"
        }
    }

    private static func words(_ value: JSON) -> String {
        switch value {
        case .object: return "an object"
        case .array: return "such a list"
        default:
            let text = String(decoding: value.bytes, as: UTF8.self)
            return text.count > 40 ? text.prefix(40) + "…" : text
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
