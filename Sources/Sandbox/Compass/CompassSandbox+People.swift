extension CompassSandbox {
    private static let columns: [(column: String, part: SandboxPart)] = [
        ("email", \.email), ("first_name", \.firstName), ("last_name", \.lastName),
        ("phone", \.phone), ("mobile", \.mobile), ("title", \.jobTitle), ("street", \.street),
        ("city", \.city), ("postcode", \.postcode), ("description", \.description),
    ]

    private static func cells(_ person: SandboxPerson) -> [String: SandboxJSON] {
        var cells: [String: SandboxJSON] = [
            "tags": .array(person.tags.map(SandboxJSON.string)), "points": .int(person.points),
            "email_opt_out": .bool(person.emailOptOut), "client_id": .text(person.account),
        ]
        for (column, part) in columns { cells[column] = .text(person[keyPath: part]) }
        return cells
    }

    private static func person(_ row: CompassRow) -> SandboxPerson {
        var person = SandboxPerson(
            tags: row["tags"].elements?.compactMap(\.string) ?? [],
            points: row["points"].int ?? 0,
            emailOptOut: row["email_opt_out"] == true,
            account: row["client_id"].string)
        for (column, part) in columns { person[keyPath: part] = row[column].string }
        return person
    }

    /// A row from before the outbox was there: no outbox row tells of it.
    @discardableResult
    package mutating func seed(_ person: SandboxPerson, at time: SandboxTime) -> String {
        seed(Self.cells(person), in: .contacts, at: time)
    }

    /// A row that no outbox row tells of.
    mutating func seed(
        _ cells: [String: SandboxJSON], in table: CompassTable, at time: SandboxTime
    ) -> String {
        let (shown, late, next) = (outbox, lateRows, nextOutboxID)
        let row = add(cells, to: table, now: time)
        (outbox, lateRows, nextOutboxID) = (shown, late, next)
        return row["id"].string ?? ""
    }

    @discardableResult
    package mutating func personEdits(
        _ id: String, at time: SandboxTime, _ edit: (inout SandboxPerson) -> Void
    ) -> Bool {
        guard let index = contacts.firstIndex(where: { $0["id"].string == id }) else {
            return false
        }
        var person = Self.person(contacts[index])
        edit(&person)
        _ = change(index, Self.cells(person), .contacts, now: time)
        return true
    }

    @discardableResult
    package mutating func personDeletes(_ id: String, at time: SandboxTime) -> Bool {
        guard let row = contacts.first(where: { $0["id"].string == id }) else { return false }
        remove(row, from: .contacts, now: time)
        return true
    }

    @discardableResult
    package mutating func personOptsOut(_ id: String, at time: SandboxTime) -> Bool {
        personEdits(id, at: time) { $0.emailOptOut = true }
    }

    /// The living contacts in id order.
    package var rows: [SandboxRow] {
        contacts.map { row in
            SandboxRow(
                id: row["id"].string ?? "", person: Self.person(row),
                added: row.time("created_at") ?? SandboxTime(seconds: 0),
                modified: row.time("updated_at"))
        }.sorted { $0.id < $1.id }
    }

    /// The outbox rows nobody has acknowledged, as an answer would show them.
    package var unacknowledged: [SandboxJSON] {
        let columns = CompassTable.outbox.columns.map { ($0.name, $0.name) }
        return outbox.filter { $0["acknowledged_at"] == .null }.map { $0.json(columns) }
    }
}
