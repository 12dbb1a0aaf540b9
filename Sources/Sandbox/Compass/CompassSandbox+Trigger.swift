extension CompassSandbox {
    /// Inserts a row with its defaults.
    mutating func add(
        _ given: [String: SandboxJSON], to table: CompassTable, now: SandboxTime
    ) -> CompassRow {
        var row = CompassRow(cells: [:])
        for (name, _) in table.columns { row[name] = given[name] ?? .null }
        guard table.name == CompassTable.contacts.name else {
            if row["id"] == .null { row["id"] = .int(takeOutboxID()) }
            outbox.append(row)
            return row
        }
        let time = stamp(now)
        if row["id"] == .null { row["id"] = .string(random.uuid()) }
        if given["tags"] == nil { row["tags"] = [] }
        if given["points"] == nil { row["points"] = 0 }
        if given["email_opt_out"] == nil { row["email_opt_out"] = false }
        if given["created_at"] == nil { row["created_at"] = .string(time.isoMicroseconds) }
        row["updated_at"] = .string(time.isoMicroseconds)
        contacts.append(row)
        record("insert", before: nil, after: row, command: row["sync_command"], at: time)
        return row
    }

    /// Changes a row.
    ///
    /// The trigger stamps and records it where anything but the command and the stamps differs; a
    /// person's change carries no command.
    mutating func change(
        _ index: Int, _ given: [String: SandboxJSON], _ table: CompassTable, now: SandboxTime
    ) -> CompassRow {
        guard table.name == CompassTable.contacts.name else {
            outbox[index].cells.merge(given) { _, new in new }
            return outbox[index]
        }
        let before = contacts[index]
        var after = before
        after.cells.merge(given) { _, new in new }
        after["updated_at"] = before["updated_at"]
        let unstamped: Set<String> = ["updated_at", "sync_command"]
        let isEffective = table.columns.contains {
            !unstamped.contains($0.name) && before[$0.name] != after[$0.name]
        }
        if isEffective {
            let time = stamp(now)
            after["updated_at"] = .string(time.isoMicroseconds)
            record(
                "update", before: before, after: after, command: given["sync_command"] ?? .null,
                at: time)
        }
        contacts[index] = after
        return after
    }

    mutating func remove(_ row: CompassRow, from table: CompassTable, now: SandboxTime) {
        guard table.name == CompassTable.contacts.name else {
            outbox.removeAll { $0["id"] == row["id"] }
            return
        }
        contacts.removeAll { $0["id"] == row["id"] }
        record("delete", before: row, after: nil, command: .null, at: stamp(now))
    }

    private mutating func takeOutboxID() -> Int {
        defer { nextOutboxID += 1 }
        return nextOutboxID
    }

    /// The outbox row of one change; it shows up with its commit, which may be late.
    private mutating func record(
        _ operation: String,
        before: CompassRow?,
        after: CompassRow?,
        command: SandboxJSON,
        at time: SandboxTime
    ) {
        let row = CompassRow(cells: [
            "id": .int(takeOutboxID()), "table_name": "contacts",
            "row_id": (after ?? before)?["id"] ?? .null, "operation": .string(operation),
            "before": before?.jsonb ?? .null, "after": after?.jsonb ?? .null,
            "command_id": command, "changed_at": .string(time.isoMicroseconds),
            "acknowledged_at": .null,
        ])
        guard lateCommits == 0 else {
            lateCommits -= 1
            lateRows.append(row)
            return
        }
        outbox.append(row)
    }

    /// Makes the outbox rows of so many next changes invisible until `commitLateRows`: their ids
    /// are taken, but later ids show up before them, as overtaking transactions do.
    package mutating func delayCommits(_ count: Int) { lateCommits += count }

    /// Shows the outbox rows that were held back.
    package mutating func commitLateRows() {
        outbox += lateRows
        lateRows = []
        lateCommits = 0
    }
}
