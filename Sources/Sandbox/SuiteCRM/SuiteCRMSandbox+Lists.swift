extension SuiteCRMSandbox {
    /// GET /Api/V8/module/{M}: filter, one sort field, pages, fields (facts 2, 9, 10, 30-36).
    func list(
        _ module: SuiteCRMModule, _ request: SandboxRequest
    ) throws(SuiteCRMRefusal) -> SandboxResponse {
        let query = request.parameters.nested
        try Self.checkOptions(
            query, allowed: ["fields", "filter", "moduleName", "page", "sort"])
        let page = try Self.page(query["page"])
        let fields = try Self.fields(query["fields"], of: module)
        let filter = try SuiteCRMFilter(query["filter"], module)
        let sort = try Self.sort(query["sort"], module)
        let all = table(module).values.sorted { $0.id.lowercased() < $1.id.lowercased() }
        let found = selected(all, filter, sort, module)
        // Without a size there is one page of 20 and neither meta nor links (fact 9).
        let size = page?.size ?? 20
        let number = max(page?.number ?? 1, 1)
        let shown = found.dropFirst((number - 1) * size).prefix(size)
        if let gone = shown.first(where: \.isDeleted) { throw .missing(module, gone.id) }
        guard !shown.isEmpty else {
            return .suiteCRM([
                "meta": ["message": "Request was successful, but there is no result"], "data": [],
            ])
        }
        let data = SandboxJSON.array(shown.map { json($0, module, fields: fields) })
        guard let page else { return .suiteCRM(["data": data]) }
        let pages = (found.count + size - 1) / size
        return .suiteCRM([
            "meta": ["total-pages": .int(pages), "records-on-this-page": .int(shown.count)],
            "data": data,
            "links": Self.links(module.rawValue, query, page, pages: pages),
        ])
    }

    static func page(
        _ parameter: SandboxJSON?
    ) throws(SuiteCRMRefusal) -> (size: Int, number: Int?)? {
        guard let parameter else { return nil }
        if let text = parameter.string {
            throw .invalid(
                "The option \"page\" with value \"\(text)\" is expected to be of type "
                    + "\"array\", but is of type \"string\".")
        }
        for name in ["size", "number"] {
            guard let text = parameter[name]?.string else { continue }
            guard !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }) else {
                throw .invalid("The option \"page\" with value array is invalid.")
            }
            guard Int(text) != 0 else {
                throw .invalid("The option \"\(name)\" with value \"0\" is invalid.")
            }
        }
        guard let size = parameter["size"]?.int else { return nil }
        return (size, parameter["number"]?.int)
    }

    static func sort(
        _ parameter: SandboxJSON?, _ module: SuiteCRMModule
    ) throws(SuiteCRMRefusal) -> (column: String, isDescending: Bool)? {
        guard let text = parameter?.string, !text.isEmpty else { return nil }
        let name = text.hasPrefix("-") ? String(text.dropFirst()) : text
        guard !name.isEmpty,
            name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
        else { throw .invalid("The option \"sort\" with value \"\(text)\" is invalid.") }
        guard name == "id" || module.field(name) != nil else {
            throw .invalid("Sort field \(name) in \(module.singular) module is not found")
        }
        // Sorting by the name is taken and does nothing; other made-up fields break (fact 20).
        if module.isOfPeople, name == "name" || name == "full_name" { return nil }
        guard name == "id" || module.field(name)?.isColumn == true else { throw .database }
        return (name, text.hasPrefix("-"))
    }

    /// Those of the records that a filter covers, sorted.
    func selected(
        _ all: [SuiteCRMRecord],
        _ filter: SuiteCRMFilter,
        _ sort: (column: String, isDescending: Bool)?,
        _ module: SuiteCRMModule
    ) -> [SuiteCRMRecord] {
        var found: [SuiteCRMRecord] = []
        for record in all {
            guard record.isDeleted == filter.wantsDeleted else { continue }
            guard filter.namesAddress else {
                if filter.covers(record, address: nil) { found.append(record) }
                continue
            }
            // Once for each address it has or ever had that matches (fact 40).
            for link in links where link.holderID == record.id {
                let address = addresses[link.addressID.lowercased()]?["email_address"]
                if filter.covers(record, address: address) { found.append(record) }
            }
        }
        guard let sort else { return found }
        let isNumeric = module.field(sort.column)?.isNumeric == true
        return found.enumerated().sorted { a, b in
            let left = sort.column == "id" ? a.element.id : a.element[sort.column]
            let right = sort.column == "id" ? b.element.id : b.element[sort.column]
            let (x, y) = (left.map(collated), right.map(collated))
            if x == y { return a.offset < b.offset }
            guard let x, let y else { return (x == nil) != sort.isDescending }
            if isNumeric, let x = Double(x), let y = Double(y), x != y {
                return (x < y) != sort.isDescending
            }
            return (x < y) != sort.isDescending
        }.map(\.element)
    }

    /// The page links: relative, not encoded, and counting from 0 without a number (fact 10).
    static func links(
        _ path: String,
        _ query: SandboxJSON,
        _ page: (size: Int, number: Int?),
        pages: Int
    ) -> SandboxJSON {
        func link(_ number: Int) -> SandboxJSON {
            var parts: [String] = []
            for member in query.members ?? [] {
                if member.name == "page" {
                    parts += ["page[size]=\(page.size)", "page[number]=\(number)"]
                } else {
                    parts += flattened(member.name, member.value)
                }
            }
            return .string("V8/module/\(path)?\(parts.joined(separator: "&"))")
        }
        let number = page.number ?? 0
        return [
            "first": number > 1 ? link(1) : .null, "prev": number > 1 ? link(number - 1) : .null,
            "next": number < pages ? link(number + 1) : .null,
            "last": number < pages ? link(pages) : .null,
        ]
    }

    private static func flattened(_ name: String, _ value: SandboxJSON) -> [String] {
        if let members = value.members {
            return members.flatMap { flattened("\(name)[\($0.name)]", $0.value) }
        }
        if let elements = value.elements {
            return elements.enumerated().flatMap { flattened("\(name)[\($0.offset)]", $0.element) }
        }
        return ["\(name)=\(value.scalarText ?? "")"]
    }
}

/// The `filter` parameter of a list (facts 2, 32, 33, 40).
struct SuiteCRMFilter {
    private struct Condition {
        var field: SuiteCRMField
        var operation: String
        var value: String
    }

    private var conditions: [Condition] = []
    private var isAny = false
    /// Whether it asks for deleted rows: `filter[deleted][eq]=1` alone does.
    private(set) var wantsDeleted = false

    /// Whether a condition is about the address.
    var namesAddress: Bool { conditions.contains { $0.field.name == "email1" } }

    init(_ parameter: SandboxJSON?, _ module: SuiteCRMModule) throws(SuiteCRMRefusal) {
        for member in parameter?.members ?? [] {
            if member.name == "operator" {
                isAny = member.value.string?.lowercased() == "or"
                continue
            }
            guard
                let field = member.name == "id"
                    ? SuiteCRMField("id", .text(36)) : module.field(member.name)
            else {
                throw .invalid(
                    "Filter field \(member.name) in \(module.singular) module is not found")
            }
            if field.name == "deleted" {
                // Any other operator on it is dropped without a word (fact 2).
                wantsDeleted = member.value["eq"]?.scalarText == "1"
                continue
            }
            guard let operations = member.value.members else {
                throw .invalid("Filter field \(member.name) must be an array")
            }
            for operation in operations {
                let known = ["eq", "neq", "gt", "gte", "lt", "lte", "like"]
                guard known.contains(operation.name) else {
                    throw .invalid("Filter operator \(operation.name) is invalid")
                }
                let value = operation.value.scalarText ?? ""
                guard field.isColumn || field.name == "email1" else { throw .database }
                conditions.append(
                    Condition(
                        field: field, operation: operation.name,
                        value: decodedEntities(value)))
            }
        }
    }

    func covers(_ record: SuiteCRMRecord, address: String?) -> Bool {
        if conditions.isEmpty { return true }
        func holds(_ condition: Condition) -> Bool {
            let cell =
                switch condition.field.name {
                case "id": record.id
                case "email1": address
                default: record[condition.field.name]
                }
            guard let cell else { return false }
            return Self.meets(cell, condition.operation, condition.value, condition.field.kind)
        }
        return isAny ? conditions.contains(where: holds) : conditions.allSatisfy(holds)
    }

    private static func meets(
        _ cell: String, _ operation: String, _ value: String, _ kind: SuiteCRMField.Kind
    ) -> Bool {
        if kind == .money || kind == .integer {
            return meets(Double(cell) ?? 0, operation, Double(value.trimmingSpaces) ?? 0)
        }
        let isDate = kind == .dateTime || kind == .date
        let a = isDate ? cell : collated(cell)
        let b = isDate ? moment(value) : collated(value)
        return operation == "like" ? a.matchesLike(b) : meets(a, operation, b)
    }

    private static func meets<Value: Comparable>(
        _ a: Value, _ operation: String, _ b: Value
    ) -> Bool {
        switch operation {
        case "eq", "like": a == b
        case "neq": a != b
        case "gt": a > b
        case "gte": a >= b
        case "lt": a < b
        default: a <= b
        }
    }

    /// A date as the database reads it: offsets are ignored, what is none is the earliest date.
    private static func moment(_ text: String) -> String {
        let plain = String(text.prefix(19).map { $0 == "T" ? " " : $0 })
        return SandboxTime(parsing: plain)?.sql ?? ""
    }
}
