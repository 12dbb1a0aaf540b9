import Connectors
import Ledger
package import Model

#if canImport(Glibc)
    import Glibc
#endif

/// A file of local changes: JSON Lines, one object a line, or CSV with a header row.
///
/// It is read in pieces, as often as it is asked for; a pipe, which tells everything once, is kept in
/// memory.
package struct IngestFile {
    package enum Format: String, Sendable, CaseIterable {
        case json
        case csv
    }

    let format: Format
    let entity: EntityMapping
    /// What the columns of a header are that have other names than the fields.
    let columns: [String: String]
    let ignoresUnknownColumns: Bool
    private let content: Content

    private enum Content {
        case file(String)
        case memory([UInt8])
    }

    /// Looks at a file; a format that is not said follows from its name.
    ///
    /// - Throws: `WorkplaceError.file` where it cannot be opened.
    package init(
        _ path: String, of entity: EntityMapping, format: Format? = nil,
        columns: [String: String] = [:], ignoresUnknownColumns: Bool = false
    ) throws {
        let isTable = [".csv", ".tsv"].contains { path.lowercased().hasSuffix($0) }
        self.format = format ?? (isTable ? .csv : .json)
        self.entity = entity
        self.columns = columns
        self.ignoresUnknownColumns = ignoresUnknownColumns
        var status = stat()
        let isFile = stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        content = isFile ? .file(path) : .memory(try readFile(path))
    }

    /// Every object of the file, in order.
    ///
    /// - Throws: `IngestError` with the line, `WorkplaceError.file`, and what the closure throws.
    func each(_ body: (RemoteObject) throws -> Void) throws {
        switch format {
        case .json: try eachLine(body)
        case .csv: try eachRow(body)
        }
    }

    // MARK: - JSON Lines

    private func eachLine(_ body: (RemoteObject) throws -> Void) throws {
        let next = try pieces()
        var rest: [UInt8] = []
        var number = 0
        func take(_ line: some Sequence<UInt8>) throws {
            number += 1
            let bytes = Array(line)
            if bytes.contains(where: { $0 > 32 }) { try body(object(in: bytes, line: number)) }
        }
        while true {
            let piece = try next()
            guard !piece.isEmpty else { break }
            var lines = piece.split(
                separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            rest += lines.removeFirst()
            for line in lines {
                try take(rest)
                rest = Array(line)
            }
        }
        try take(rest)
    }

    private func object(in bytes: [UInt8], line: Int) throws -> RemoteObject {
        let json: JSON
        do {
            json = try JSON(parsing: bytes)
        } catch {
            throw IngestError.notJSON(line: line, error)
        }
        var names: Set<String> = []
        for member in json.members
        where !names.insert(attribute(member.name) ?? member.name).inserted {
            throw IngestError.repeatedName(line: line, member.name)
        }
        guard case .object(let members) = json, let id = json["id"]?.text, !trimmed(id).isEmpty
        else { throw IngestError.noID(line: line) }
        let attributes = try members.filter { $0.name != "id" }.map { member in
            guard let attribute = attribute(member.name) else {
                throw IngestError.unknownField(
                    line: line, member.name, nearest: nearest(member.name, in: fieldNames))
            }
            return try value(member.value, of: attribute, called: member.name, line: line)
        }
        return object(id, attributes)
    }

    // MARK: - CSV

    private func eachRow(_ body: (RemoteObject) throws -> Void) throws {
        do {
            var reader = try CSVReader(pieces())
            guard let header = try reader.record() else { return }
            let columns = try attributes(of: header.cells)
            while let row = try reader.record() {
                guard row.cells.count == columns.count else {
                    throw IngestError.otherWidth(
                        line: row.line, cells: row.cells.count, columns: columns.count)
                }
                try body(try object(in: row, columns, header.cells))
            }
        } catch let error as CSVError {
            throw IngestError.notCSV(error)
        }
    }

    /// The attribute of each column; `nil` where it is left out.
    private func attributes(of header: [String]) throws -> [String?] {
        let names = header.map(trimmed)
        if let missing = columns.keys.sorted().first(where: { !names.contains($0) }) {
            throw IngestError.noSuchColumn(missing)
        }
        let found = names.map { attribute(columns[$0] ?? $0) }
        let unknown = zip(names, found).filter { $1 == nil }.map(\.0)
        let mistaken = columns.filter { attribute($0.value) == nil }.map(\.value).sorted()
        guard mistaken.isEmpty, unknown.isEmpty || ignoresUnknownColumns else {
            let wrong = mistaken.isEmpty ? unknown : mistaken
            throw IngestError.unknownColumns(
                wrong, nearest: wrong.lazy.compactMap { nearest($0, in: fieldNames) }.first)
        }
        var places: [String: Int] = [:]
        for (place, attribute) in found.enumerated() {
            guard let attribute else { continue }
            if let before = places.updateValue(place, forKey: attribute) {
                throw IngestError.repeatedColumn(names[before], names[place])
            }
        }
        guard places["id"] != nil else { throw IngestError.noIDColumn }
        return found
    }

    private func object(
        in row: CSVReader.Record, _ columns: [String?], _ header: [String]
    ) throws -> RemoteObject {
        var id = ""
        var attributes: [(name: String, value: Value)] = []
        for (place, attribute) in columns.enumerated() {
            let cell = row.cells[place]
            switch attribute {
            case nil: continue
            case "id": id = cell
            case let attribute?:
                attributes.append(
                    try value(
                        cell.isEmpty ? .null : .string(cell), of: attribute,
                        called: header[place], line: row.line))
            }
        }
        guard !trimmed(id).isEmpty else { throw IngestError.noID(line: row.line) }
        return object(id, attributes)
    }

    // MARK: - Fields

    private func object(
        _ id: String, _ attributes: [(name: String, value: Value)]
    ) -> RemoteObject {
        var object = RemoteObject(id: id, attributes: attributes, stamp: "", modified: nil)
        object.entity = entity.entity
        return object
    }

    /// Compass's own name of what a file names so or by the field's name; `id` stands for itself.
    private func attribute(_ name: String) -> String? {
        if name == "id" || spelling(name) != nil { return name }
        // A part of a name has no column of its own.
        guard let spelling = entity.field(name)?.spellings[.compass], !spelling.isPart else {
            return nil
        }
        return spelling.attribute
    }

    private func spelling(_ attribute: String) -> Spelling? {
        entity.fields.lazy.compactMap { $0.spellings[.compass] }
            .first { $0.remoteName == attribute }
    }

    private var fieldNames: [String] {
        entity.attributes(of: .compass) + entity.fields.map(\.name)
    }

    /// What a line says of a field, if the field can hold it whole.
    private func value(
        _ json: JSON, of attribute: String, called name: String, line: Int
    ) throws -> (name: String, value: Value) {
        guard let codec = spelling(attribute)?.codec else {
            throw IngestError.unknownField(line: line, name, nearest: nil)
        }
        guard let value = Self.value(json, as: codec.kind), codec.reads(codec.content(of: value))
        else {
            throw IngestError.badValue(line: line, name, json, holds: codec.kind.words)
        }
        return (attribute, value)
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

// MARK: - Bytes

extension IngestFile {
    /// What hands out the file, 64 KiB at a time and an empty piece at the end, from its beginning.
    ///
    /// A table may begin with the mark that spreadsheets write.
    private func pieces() throws -> () throws -> [UInt8] {
        let read = try rawPieces()
        var first: [UInt8]? = try read()
        let head = first ?? []
        if head.starts(with: [0xEF, 0xBB, 0xBF]) {
            guard format == .csv else { throw IngestError.byteOrderMark }
            first = Array(head.dropFirst(3))
            if first == [] { first = nil }
        }
        let marks: [[UInt8]] = [[0xFE, 0xFF], [0xFF, 0xFE]]
        if marks.contains(where: head.starts(with:)) || head.prefix(2).contains(0) {
            throw IngestError.notUTF8
        }
        return {
            defer { first = nil }
            return try first ?? read()
        }
    }

    private func rawPieces() throws -> () throws -> [UInt8] {
        switch content {
        case .memory(let bytes):
            var rest: [UInt8]? = bytes
            return {
                defer { rest = nil }
                return rest ?? []
            }
        case .file(let path):
            let file = try OpenFile(path)
            return { try file.read() }
        }
    }
}

/// A file that closes with its last user.
private final class OpenFile {
    private let path: String
    private let descriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: 65_536)

    init(_ path: String) throws {
        self.path = path
        descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw WorkplaceError.file(path, errno) }
    }

    deinit { Glibc.close(descriptor) }

    func read() throws -> [UInt8] {
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        guard count >= 0 else { throw WorkplaceError.file(path, errno) }
        return Array(buffer[..<count])
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
