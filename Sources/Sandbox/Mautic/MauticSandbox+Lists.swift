extension MauticSandbox {
    /// GET /api/contacts: where, search, order, start and limit.
    func list(_ request: SandboxRequest) throws(MauticRefusal) -> SandboxResponse {
        let query = request.parameters.nested
        let (start, limit) = try (
            Self.count(query["start"], default: 0),
            Self.count(query["limit"], default: 30)
        )
        let selection = try Self.selection(query["select"])
        var table = MauticQuery<MauticContact>(
            numeric: ["id", "points", "owner_id", "is_published", "attribution"],
            dates: ["date_added", "date_modified", "date_identified", "last_active"],
            cell: Self.cell)
        table.conditions = try Self.conditions(query, columns: Self.columns)
        table.order = try Self.order(
            query, columns: Self.columns, otherwise: ("last_active", true))
        let wanted = query["search"]?.string.flatMap(MauticSearch.init)
        let candidates = contacts.values.sorted { $0.id < $1.id }
        let found = table.select(candidates.filter { wanted?.covers($0) ?? true })
        let page = found.dropFirst(start).prefix(limit == 0 ? .max : limit)
        let isMinimal = ["true", "1"].contains(query["minimal"]?.string)
        let members = page.map { contact in
            SandboxJSON.Member(
                String(contact.id), listed(contact, isMinimal: isMinimal, selection: selection))
        }
        return .mautic([
            "total": .string(String(found.count)), "contacts": .object(members),
        ])
    }

    private func listed(
        _ contact: MauticContact, isMinimal: Bool, selection: Selection?
    ) -> SandboxJSON {
        var contact = contact
        contact.tags.sort { collated($0) < collated($1) }
        let full = json(contact, .listed)
        guard case .object(let members) = full else { return full }
        // `minimal` ends with the fields; `select[]` drops nulls and other fields (C8).
        if isMinimal { return .object(Array(members.prefix(11))) }
        guard let selection else { return full }
        guard case .columns(let columns) = selection else { return full.withoutAnyNulls }
        let shown = members.map { member in
            member.name == "fields"
                ? .init("fields", Self.shrunk(member.value, to: columns)) : member
        }
        return SandboxJSON.object(shown).withoutAnyNulls
    }

    private static func shrunk(_ fields: SandboxJSON, to columns: Set<String>) -> SandboxJSON {
        .object(
            (fields.members ?? []).map { group in
                let kept = (group.value.members ?? []).filter {
                    columns.contains($0.name) || (group.name == "all" && $0.name == "id")
                }
                return .init(group.name, kept.isEmpty ? [] : .object(kept))
            })
    }

    /// What `select` asks for.
    private enum Selection {
        case columns(Set<String>)
        /// A text instead of a list: all columns, but their nulls are dropped.
        case text
    }

    /// Reads `select`; a list without `id` makes the call fail (C8).
    private static func selection(
        _ parameter: SandboxJSON?
    ) throws(MauticRefusal) -> Selection? {
        guard let parameter else { return nil }
        guard parameter.string == nil else { return .text }
        let columns = parameter.parts.compactMap(\.string)
        guard columns.contains("id") else { throw .crash(500) }
        return .columns(Set(columns))
    }

    static func count(
        _ parameter: SandboxJSON?, default value: Int
    ) throws(MauticRefusal) -> Int {
        guard let text = parameter?.scalarText, !text.isEmpty else { return value }
        guard let number = Int(text), number >= 0 else { throw .crash(500) }
        return number
    }

    /// The conditions of `where`.
    static func conditions(
        _ query: SandboxJSON, columns: Set<String>
    ) throws(MauticRefusal) -> [SandboxJSON] {
        var found: [SandboxJSON] = []
        for condition in query["where"]?.parts ?? [] {
            found.append(try normalized(condition, columns: columns))
        }
        return found
    }

    /// A condition with its columns in the database's spelling; both spellings are taken (B5).
    private static func normalized(
        _ condition: SandboxJSON, columns: Set<String>
    ) throws(MauticRefusal) -> SandboxJSON {
        guard let operation = condition["expr"]?.string else { throw .crash(500) }
        var members = condition.members ?? []
        for index in members.indices {
            switch members[index].name {
            case "col":
                let column = databaseName(members[index].value.string ?? "")
                guard columns.contains(column) else { throw .crash(500) }
                members[index].value = .string(column)
            case "val" where operation == "orX" || operation == "andX":
                var inner: [SandboxJSON] = []
                for part in members[index].value.parts {
                    inner.append(try normalized(part, columns: columns))
                }
                members[index].value = .array(inner)
            default: break
            }
        }
        return .object(members)
    }

    /// `orderBy` is a list of columns; `orderByDir` is for the last of them alone (B6).
    static func order(
        _ query: SandboxJSON,
        columns: Set<String>,
        otherwise: (column: String, isDescending: Bool)
    ) throws(MauticRefusal) -> [(column: String, isDescending: Bool)] {
        var order: [(column: String, isDescending: Bool)] = []
        for entry in query["order"]?.parts ?? [] {
            let column = databaseName(entry["col"]?.string ?? "")
            guard columns.contains(column) else { throw .crash(500) }
            order.append((column, entry["dir"]?.string?.lowercased() == "desc"))
        }
        if !order.isEmpty { return order }
        let direction = query["orderByDir"]?.string?.uppercased() ?? "ASC"
        guard ["ASC", "DESC", ""].contains(direction) else { throw .crash(500) }
        guard let wanted = query["orderBy"]?.string, !wanted.isEmpty else {
            return [otherwise]
        }
        for name in wanted.split(separator: ",") {
            let column = String(unprefixed(name))
            guard columns.contains(column) else { throw .crash(500) }
            order.append((column, false))
        }
        if direction == "DESC", let last = order.indices.last { order[last].isDescending = true }
        return order
    }

    private static let columns: Set<String> = MauticField.aliases.union([
        "id", "is_published", "date_added", "created_by_user", "date_modified",
        "modified_by_user", "owner_id", "points", "last_active", "date_identified",
    ])

    /// `dateModified` and `l.date_modified` as `date_modified`.
    private static func databaseName(_ name: String) -> String {
        unprefixed(name[...]).map { $0.isUppercase ? "_\($0.lowercased())" : String($0) }.joined()
    }

    /// A column without the name of its table.
    private static func unprefixed(_ name: Substring) -> Substring {
        for table in ["l.", "comp."] where name.hasPrefix(table) {
            return name.dropFirst(table.count)
        }
        return name
    }

    private static func cell(_ contact: MauticContact, _ column: String) -> String? {
        switch column {
        case "id": String(contact.id)
        case "points": String(contact.points)
        case "is_published": "1"
        case "date_added": contact.added.sql
        case "date_modified": contact.modified?.sql
        case "date_identified": contact.identified?.sql
        case "last_active": contact.lastActive?.sql
        case "created_by_user": contact.createdBy?.name
        case "modified_by_user": contact.modifiedBy?.name
        case "owner_id": contact.ownerID.map(String.init)
        default: contact[column]
        }
    }
}

/// The `search` parameter: terms that must all hold.
///
/// What is no term is no search (A7).
struct MauticSearch {
    private var terms: [(command: String, value: String, isNegated: Bool)] = []

    init?(_ text: String) {
        for word in text.split(separator: " ") {
            let isNegated = word.hasPrefix("!")
            let parts = word.drop { $0 == "!" }.split(separator: ":", maxSplits: 1)
            let (command, value) =
                parts.count == 2 ? (String(parts[0]), String(parts[1])) : ("", String(word))
            guard !value.contains("("), !value.contains(")") else { return nil }
            terms.append((command, value, isNegated))
        }
    }

    func covers(_ contact: MauticContact) -> Bool {
        terms.allSatisfy { covers(contact, $0.command, $0.value) != $0.isNegated }
    }

    /// Whether the words stand in a company's name, or in the field they name.
    func covers(_ company: MauticCompany) -> Bool {
        terms.allSatisfy { command, value, isNegated in
            if command == "ids" || command == "id" {
                let isAmong = value.split(separator: ",").contains { Int($0) == company.id }
                return isAmong != isNegated
            }
            let isName = command.isEmpty || command == "name"
            let text = company[isName ? "companyname" : command]
            let holds = text.map { collated($0).matchesLike("%\(collated(value))%") } ?? false
            return holds != isNegated
        }
    }

    private func covers(_ contact: MauticContact, _ command: String, _ value: String) -> Bool {
        func holds(_ text: String?) -> Bool {
            text.map { collated($0).matchesLike("%\(collated(value))%") } ?? false
        }
        switch command {
        case "ids", "id":
            return value.split(separator: ",").contains { Int($0) == contact.id }
        case "is": return value == "anonymous" ? contact.identified == nil : true
        case "tag": return contact.tags.contains { collated($0) == collated(value) }
        case "dnc": return contact.doNotContact.contains { $0.channel == value }
        case "name":
            return holds(
                [contact["firstname"], contact["lastname"]].compactMap(\.self)
                    .joined(separator: " "))
        case "":
            return ["firstname", "lastname", "email", "company", "city"].contains {
                holds(contact[$0])
            }
        default: return holds(contact[command])
        }
    }
}
