/// A type of PostgreSQL, as far as Compass's tables need it.
enum CompassType: Sendable {
    case uuid, text, textArray, integer, bigint, numeric, bool, timestamp, date, jsonb

    /// PostgreSQL's name, for its error texts.
    var name: String {
        switch self {
        case .uuid: "uuid"
        case .text: "text"
        case .textArray: "text[]"
        case .integer: "integer"
        case .bigint: "bigint"
        case .numeric: "numeric"
        case .bool: "boolean"
        case .timestamp: "timestamp with time zone"
        case .date: "date"
        case .jsonb: "jsonb"
        }
    }

    /// The value a text stands for, in the form in which it is stored.
    func value(of text: String) throws(CompassRefusal) -> SandboxJSON {
        switch self {
        case .text: return .string(text)
        case .uuid:
            guard SuiteCRMSandbox.isUUID(text) else { throw .syntax(self, text) }
            return .string(text.lowercased())
        case .integer, .bigint:
            guard let number = Int(text) else { throw .syntax(self, text) }
            guard self == .bigint || Int32(exactly: number) != nil else {
                throw .outOfRange(text, self)
            }
            return .int(number)
        case .bool:
            switch text.lowercased() {
            case "true", "t", "on", "yes", "1": return true
            case "false", "f", "off", "no", "0": return false
            default: throw .syntax(self, text)
            }
        case .timestamp:
            guard let time = SandboxTime(parsing: text) else { throw .syntax(self, text) }
            return .string(time.isoMicroseconds)
        case .numeric:
            guard let number = CompassNumeric(text) else { throw .syntax(self, text) }
            return .number(number.text)
        case .date:
            let shape = text.prefix(10).map { $0.isASCII && $0.isNumber ? "0" : $0 }
            guard String(shape) == "0000-00-00" else { throw .syntax(self, text) }
            guard let time = SandboxTime(parsing: text), time.date == text.prefix(10) else {
                throw .noSuchDay(text)
            }
            return .string(time.date)
        case .textArray:
            guard let elements = Self.array(text) else { throw .array(text) }
            return .array(elements.map(SandboxJSON.string))
        case .jsonb:
            guard let json = SandboxJSON(parsing: text) else { throw .syntax(self, text) }
            return json
        }
    }

    /// The value a JSON body gives a column.
    func value(of json: SandboxJSON) throws(CompassRefusal) -> SandboxJSON {
        if json == .null { return .null }
        if self == .jsonb { return json }
        if self == .textArray, let elements = json.elements {
            return .array(elements.map { .string($0.scalarText ?? $0.text()) })
        }
        if case .bool(let flag) = json { return try value(of: flag ? "true" : "false") }
        return try value(of: json.scalarText ?? json.text())
    }

    /// The elements of `{a,"b c"}`.
    static func array(_ text: String) -> [String]? {
        guard text.hasPrefix("{"), text.hasSuffix("}") else { return nil }
        return CompassFilter.list(text.dropFirst().dropLast())
    }
}

/// One of Compass's tables.
struct CompassTable: Sendable {
    var name: String
    var columns: [(name: String, type: CompassType)]
    /// Where the project holds its rows.
    var rows: any WritableKeyPath<CompassSandbox, [CompassRow]> & Sendable
    /// What a column holds where nobody says; NULL where it is not here.
    var defaults: [String: SandboxJSON] = [:]
    /// Columns that must name a row of another table, and that table.
    var references: [(column: String, table: String)] = []

    func type(_ column: String) -> CompassType? {
        columns.first { $0.name == column }?.type
    }

    /// Whether the triggers stamp and record its rows.
    var isSynchronised: Bool { name != "syncledger_outbox" }

    static let all = [contacts, clients, deals, outbox]

    static let contacts = CompassTable(
        name: "contacts",
        columns: [
            ("id", .uuid), ("email", .text), ("first_name", .text), ("last_name", .text),
            ("phone", .text), ("mobile", .text), ("title", .text), ("street", .text),
            ("city", .text), ("postcode", .text), ("description", .text), ("tags", .textArray),
            ("points", .integer), ("email_opt_out", .bool), ("created_at", .timestamp),
            ("updated_at", .timestamp), ("sync_command", .uuid), ("client_id", .uuid),
        ],
        rows: \.contacts,
        defaults: ["tags": [], "points": 0, "email_opt_out": false],
        references: [("client_id", "clients")])

    static let clients = CompassTable(
        name: "clients",
        columns: [
            ("id", .uuid), ("company_name", .text), ("website", .text), ("phone", .text),
            ("industry", .text), ("street", .text), ("city", .text), ("postcode", .text),
            ("country", .text), ("employees", .integer), ("description", .text),
            ("created_at", .timestamp), ("updated_at", .timestamp), ("sync_command", .uuid),
        ],
        rows: \.clients)

    static let deals = CompassTable(
        name: "deals",
        columns: [
            ("id", .uuid), ("name", .text), ("client_id", .uuid), ("amount", .numeric),
            ("stage", .text), ("close_date", .date), ("probability", .integer),
            ("description", .text), ("created_at", .timestamp), ("updated_at", .timestamp),
            ("sync_command", .uuid),
        ],
        rows: \.deals,
        references: [("client_id", "clients")])

    static let outbox = CompassTable(
        name: "syncledger_outbox",
        columns: [
            ("id", .bigint), ("table_name", .text), ("row_id", .uuid), ("operation", .text),
            ("before", .jsonb), ("after", .jsonb), ("command_id", .uuid),
            ("changed_at", .timestamp), ("acknowledged_at", .timestamp),
        ],
        rows: \.outbox)
}

/// A row: every column of its table, NULL included.
struct CompassRow: Sendable, Hashable {
    var cells: [String: SandboxJSON]

    subscript(column: String) -> SandboxJSON {
        get { cells[column] ?? .null }
        set { cells[column] = newValue }
    }

    /// The row as `to_jsonb` writes it: shorter names first, then by their bytes.
    var jsonb: SandboxJSON {
        let names = cells.keys.sorted {
            ($0.utf8.count, $0) < ($1.utf8.count, $1)
        }
        return .object(names.map { .init($0, self[$0]) })
    }

    /// The columns of a selection, in its order.
    func json(_ columns: [(alias: String, column: String)]) -> SandboxJSON {
        .object(columns.map { .init($0.alias, self[$0.column]) })
    }
}
