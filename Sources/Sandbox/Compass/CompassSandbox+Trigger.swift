extension CompassSandbox {
    /// Inserts a row with its defaults.
    mutating func add(
        _ given: [String: SandboxJSON], to table: CompassTable, now: SandboxTime
    ) -> CompassRow {
        var row = CompassRow(cells: [:])
        for (name, _) in table.columns { row[name] = given[name] ?? table.defaults[name] ?? .null }
        guard table.isSynchronised else {
            if row["id"] == .null { row["id"] = .int(takeOutboxID()) }
            outbox.append(row)
            return row
        }
        let time = stamp(now)
        if row["id"] == .null { row["id"] = .string(random.uuid()) }
        if given["created_at"] == nil { row["created_at"] = .string(time.isoMicroseconds) }
        row["updated_at"] = .string(time.isoMicroseconds)
        self[keyPath: table.rows].append(row)
        record("insert", table, before: nil, after: row, command: row["sync_command"], at: time)
        return row
    }

    /// Changes a row.
    ///
    /// The trigger stamps and records it where anything but the command and the stamps differs; a
    /// person's change carries no command.
    mutating func change(
        _ index: Int, _ given: [String: SandboxJSON], _ table: CompassTable, now: SandboxTime
    ) -> CompassRow {
        guard table.isSynchronised else {
            outbox[index].cells.merge(given) { _, new in new }
            return outbox[index]
        }
        let before = self[keyPath: table.rows][index]
        var after = before
        after.cells.merge(given) { _, new in new }
        after["updated_at"] = before["updated_at"]
        let unstamped: Set<String> = ["updated_at", "sync_command"]
        let isEffective = table.columns.contains {
            !unstamped.contains($0.name)
                && Self.differs(before[$0.name], after[$0.name], $0.type)
        }
        if isEffective {
            let time = stamp(now)
            after["updated_at"] = .string(time.isoMicroseconds)
            record(
                "update", table, before: before, after: after,
                command: given["sync_command"] ?? .null, at: time)
        }
        self[keyPath: table.rows][index] = after
        return after
    }

    /// Whether two values are distinct; `1.0` and `1.00` are the same number.
    private static func differs(
        _ a: SandboxJSON, _ b: SandboxJSON, _ type: CompassType
    ) -> Bool {
        guard type == .numeric, a != .null, b != .null else { return a != b }
        return CompassFilter.order(a, b, type) != 0
    }

    mutating func remove(_ row: CompassRow, from table: CompassTable, now: SandboxTime) {
        self[keyPath: table.rows].removeAll { $0["id"] == row["id"] }
        guard table.isSynchronised else { return }
        record("delete", table, before: row, after: nil, command: .null, at: stamp(now))
    }

    private mutating func takeOutboxID() -> Int {
        defer { nextOutboxID += 1 }
        return nextOutboxID
    }

    /// The outbox row of one change; it shows up with its commit, which may be late.
    private mutating func record(
        _ operation: String,
        _ table: CompassTable,
        before: CompassRow?,
        after: CompassRow?,
        command: SandboxJSON,
        at time: SandboxTime
    ) {
        let row = CompassRow(cells: [
            "id": .int(takeOutboxID()), "table_name": .string(table.name),
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
