/// PostgREST's horizontal filters: conditions on columns, and trees of `and` and `or`.
indirect enum CompassFilter: Sendable {
    case all([CompassFilter])
    case any([CompassFilter])
    case not(CompassFilter)
    case condition(column: String, operation: String, value: String)

    /// The filters of a query; parameters with a meaning of their own are no columns.
    init(_ parameters: Parameters, _ table: CompassTable) throws(CompassRefusal) {
        let reserved: Set<String> = [
            "select", "order", "limit", "offset", "on_conflict", "columns", "apikey",
        ]
        var parts: [CompassFilter] = []
        for (name, value) in parameters.pairs where !reserved.contains(name) {
            switch name {
            case "and", "or", "not.and", "not.or":
                parts.append(try Self.tree(name, value[...], table))
            default: parts.append(try Self.condition(name, value[...], table))
            }
        }
        self = .all(parts)
    }

    var isEmpty: Bool {
        if case .all(let parts) = self { return parts.isEmpty }
        return false
    }

    private static func tree(
        _ name: String, _ text: Substring, _ table: CompassTable
    ) throws(CompassRefusal) -> CompassFilter {
        guard text.hasPrefix("("), text.hasSuffix(")") else { throw .unreadable(String(text)) }
        var parts: [CompassFilter] = []
        for part in split(text.dropFirst().dropLast()) {
            parts.append(try Self.part(part, table))
        }
        let filter: CompassFilter = name.hasSuffix("and") ? .all(parts) : .any(parts)
        return name.hasPrefix("not.") ? .not(filter) : filter
    }

    private static func part(
        _ text: Substring, _ table: CompassTable
    ) throws(CompassRefusal) -> CompassFilter {
        for name in ["and", "or", "not.and", "not.or"] where text.hasPrefix("\(name)(") {
            return try tree(name, text.dropFirst(name.count), table)
        }
        guard let dot = text.firstIndex(of: ".") else { throw .unreadable(String(text)) }
        return try condition(String(text[..<dot]), text[text.index(after: dot)...], table)
    }

    private static func condition(
        _ column: String, _ text: Substring, _ table: CompassTable
    ) throws(CompassRefusal) -> CompassFilter {
        guard let type = table.type(column) else { throw .noColumn(column, table.name) }
        if text.hasPrefix("not.") {
            return .not(try condition(column, text.dropFirst(4), table))
        }
        guard let dot = text.firstIndex(of: ".") else { throw .unreadable(String(text)) }
        let operation = String(text[..<dot])
        let value = unquoted(text[text.index(after: dot)...])
        switch operation {
        case "eq", "neq", "gt", "gte", "lt", "lte": _ = try type.value(of: value)
        case "in":
            guard value.hasPrefix("("), value.hasSuffix(")") else { throw .unreadable(value) }
            for item in list(value.dropFirst().dropLast()) { _ = try type.value(of: item) }
        case "is":
            guard ["null", "not_null", "true", "false", "unknown"].contains(value) else {
                throw .unreadable(value)
            }
        case "like", "ilike", "cs": break
        default: throw .unreadable("\(operation).\(value)")
        }
        return .condition(column: column, operation: operation, value: value)
    }

    /// The parts between commas that stand in no parentheses and no quotes.
    private static func split(_ text: Substring) -> [Substring] {
        var parts: [Substring] = []
        var depth = 0
        var isQuoted = false
        var isEscaped = false
        var start = text.startIndex
        for index in text.indices {
            let character = text[index]
            if isEscaped {
                isEscaped = false
                continue
            }
            switch character {
            case "\\": isEscaped = isQuoted
            case "\"": isQuoted.toggle()
            case "(", "{": depth += isQuoted ? 0 : 1
            case ")", "}": depth -= isQuoted ? 0 : 1
            case "," where depth == 0 && !isQuoted:
                parts.append(text[start..<index])
                start = text.index(after: index)
            default: break
            }
        }
        if start < text.endIndex { parts.append(text[start...]) }
        return parts
    }

    /// The items of a list, without their quotes.
    static func list(_ text: Substring) -> [String] { split(text).map(unquoted) }

    private static func unquoted(_ text: Substring) -> String {
        guard text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") else {
            return String(text)
        }
        var out = ""
        var isEscaped = false
        for character in text.dropFirst().dropLast() {
            if character == "\\", !isEscaped {
                isEscaped = true
            } else {
                out.append(character)
                isEscaped = false
            }
        }
        return out
    }

    /// Whether the row meets it; nil where NULL leaves that open, as in SQL.
    func holds(_ row: CompassRow, _ table: CompassTable) -> Bool? {
        switch self {
        case .all(let parts):
            // Most rows fail the first part, an id: the rest, a date perhaps, is not read then.
            var isOpen = false
            for part in parts {
                guard let result = part.holds(row, table) else {
                    isOpen = true
                    continue
                }
                if !result { return false }
            }
            return isOpen ? nil : true
        case .any(let parts):
            let results = parts.map { $0.holds(row, table) }
            return results.contains(true) ? true : results.contains(nil) ? nil : false
        case .not(let filter): return filter.holds(row, table).map(!)
        case .condition(let column, let operation, let value):
            guard let type = table.type(column) else { return nil }
            return Self.meets(row[column], operation, value, type)
        }
    }

    private static func meets(
        _ cell: SandboxJSON, _ operation: String, _ text: String, _ type: CompassType
    ) -> Bool? {
        if operation == "is" {
            switch text {
            case "null", "unknown": return cell == .null
            case "not_null": return cell != .null
            default: return cell == .bool(text == "true")
            }
        }
        guard cell != .null else { return nil }
        switch operation {
        case "like", "ilike":
            let pattern = String(text.map { $0 == "*" ? "%" : $0 })
            let string = cell.scalarText ?? ""
            return operation == "like"
                ? string.matchesLike(pattern)
                : string.lowercased().matchesLike(pattern.lowercased())
        case "in":
            return list(text.dropFirst().dropLast()).contains {
                order(cell, $0, type) == 0
            }
        case "cs":
            let wanted = CompassType.array(text) ?? []
            let have = Set(cell.elements?.compactMap(\.string) ?? [])
            return have.isSuperset(of: wanted)
        default: break
        }
        guard let order = order(cell, text, type) else { return nil }
        switch operation {
        case "eq": return order == 0
        case "neq": return order != 0
        case "gt": return order > 0
        case "gte": return order >= 0
        case "lt": return order < 0
        default: return order <= 0
        }
    }

    private static func order(_ cell: SandboxJSON, _ text: String, _ type: CompassType) -> Int? {
        guard let value = try? type.value(of: text) else { return nil }
        return order(cell, value, type)
    }

    /// Below, equal or above 0 as the first value sorts before, with or after the second.
    static func order(_ a: SandboxJSON, _ b: SandboxJSON, _ type: CompassType) -> Int {
        func sign<Value: Comparable>(_ x: Value, _ y: Value) -> Int { x < y ? -1 : x > y ? 1 : 0 }
        switch type {
        case .integer, .bigint: return sign(a.int ?? 0, b.int ?? 0)
        case .numeric:
            guard let x = CompassNumeric(a.scalarText ?? ""),
                let y = CompassNumeric(b.scalarText ?? "")
            else { return 0 }
            return x.order(y)
        case .timestamp:
            func time(_ json: SandboxJSON) -> Int64 {
                json.string.flatMap(SandboxTime.init(parsing:))?.microseconds ?? 0
            }
            return sign(time(a), time(b))
        case .bool: return sign(a == true ? 1 : 0, b == true ? 1 : 0)
        case .textArray, .jsonb: return a == b ? 0 : sign(a.text(), b.text())
        case .uuid, .text, .date: return sign(a.string ?? "", b.string ?? "")
        }
    }
}
