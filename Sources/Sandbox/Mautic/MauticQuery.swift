/// Rows filtered and sorted the way Mautic's `where` and `order` parameters ask.
struct MauticQuery<Row> {
    /// A row's column as text; nil for NULL.
    var cell: (Row, String) -> String?
    /// Columns that compare as numbers; all others compare as text.
    var numeric: Set<String>
    /// Columns that hold moments: what is no date compares as the earliest of them.
    var dates: Set<String> = []
    var conditions: [SandboxJSON] = []
    var order: [(column: String, isDescending: Bool)] = []

    init(numeric: Set<String>, dates: Set<String> = [], cell: @escaping (Row, String) -> String?) {
        self.cell = cell
        self.numeric = numeric
        self.dates = dates
    }

    /// The rows that meet every condition, in order; ties keep the order they came in.
    func select(_ rows: [Row]) -> [Row] {
        let found = rows.filter { row in conditions.allSatisfy { holds($0, row) } }
        guard !order.isEmpty else { return found }
        return found.enumerated().sorted { a, b in
            for (column, isDescending) in order {
                if let ascends = ascends(a.element, b.element, column) {
                    return ascends != isDescending
                }
            }
            return a.offset < b.offset
        }.map(\.element)
    }

    /// The columns the conditions name, at any depth.
    var columns: [String] { conditions.flatMap(Self.columns) }

    private static func columns(of condition: SandboxJSON) -> [String] {
        if condition.isGroup { return condition.operands.flatMap(columns) }
        return [condition["col"]?.string ?? ""]
    }

    /// Whether the row meets one condition; what is not understood is no condition (A7).
    private func holds(_ condition: SandboxJSON, _ row: Row) -> Bool {
        let operation = condition["expr"]?.string ?? ""
        let operands = condition.operands
        switch operation {
        case "orX": return operands.contains { holds($0, row) }
        case "andX": return operands.allSatisfy { holds($0, row) }
        default: break
        }
        let column = condition["col"]?.string ?? ""
        let cell = cell(row, column)
        let value = condition["val"]?.scalarText ?? ""
        switch operation {
        case "isNull": return cell == nil
        case "isNotNull": return cell != nil
        case "isEmpty": return cell == nil || cell == ""
        case "isNotEmpty", "notEmpty": return cell != nil && cell != ""
        case "eq", "neq", "gt", "gte", "lt", "lte":
            guard let cell else { return false }
            return compares(cell, operation, value, column)
        case "like", "notLike":
            guard let cell else { return false }
            return collated(cell).matchesLike(collated(value)) == (operation == "like")
        case "in", "notIn":
            guard let cell else { return false }
            let wanted =
                operands.isEmpty
                ? value.split(separator: ",").map(String.init) : operands.compactMap(\.scalarText)
            return wanted.contains { compares(cell, "eq", $0, column) } == (operation == "in")
        case "between" where operands.count == 2:
            guard let cell, let low = operands[0].scalarText, let high = operands[1].scalarText
            else { return false }
            return compares(cell, "gte", low, column) && compares(cell, "lte", high, column)
        default: return true
        }
    }

    private func compares(
        _ cell: String, _ operation: String, _ value: String, _ column: String
    ) -> Bool {
        if numeric.contains(column) { return meets(number(cell), operation, number(value)) }
        if dates.contains(column) { return meets(cell, operation, moment(value)) }
        return meets(collated(cell), operation, collated(value))
    }

    private func meets<Value: Comparable>(_ a: Value, _ operation: String, _ b: Value) -> Bool {
        switch operation {
        case "eq": a == b
        case "neq": a != b
        case "gt": a > b
        case "gte": a >= b
        case "lt": a < b
        default: a <= b
        }
    }

    /// The leading number of a text, as a database casts it; 0 where there is none.
    private func number(_ text: String) -> Double {
        Double(text.prefix { $0.isNumber || $0 == "-" || $0 == "." }) ?? 0
    }

    /// A date as the columns spell it; any offset is ignored (B2), what is none is "".
    private func moment(_ text: String) -> String {
        let plain = String(text.prefix(19).map { $0 == "T" ? " " : $0 })
        return SandboxTime(parsing: plain)?.sql ?? ""
    }

    /// Whether one row sorts before the other; nil for a tie, and NULL sorts first.
    private func ascends(_ left: Row, _ right: Row, _ column: String) -> Bool? {
        let (a, b) = (cell(left, column), cell(right, column))
        guard let a, let b else { return (a == nil) == (b == nil) ? nil : a == nil }
        if numeric.contains(column) {
            let (x, y) = (number(a), number(b))
            return x == y ? nil : x < y
        }
        let (x, y) = (collated(a), collated(b))
        return x == y ? nil : x < y
    }
}

extension SandboxJSON {
    fileprivate var isGroup: Bool {
        ["orX", "andX"].contains(self["expr"]?.string)
    }

    /// The parts of a `val` that is a list, whatever its keys.
    fileprivate var operands: [SandboxJSON] { self["val"]?.parts ?? [] }

    /// The values of an array, or of an object in order.
    var parts: [SandboxJSON] { elements ?? (members ?? []).map(\.value) }
}
