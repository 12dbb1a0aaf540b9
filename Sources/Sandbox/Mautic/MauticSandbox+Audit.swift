/// One row of the audit log: who did what to which object, with old and new values (B12).
struct MauticAuditRow: Sendable, Hashable {
    var id: Int
    var user: MauticUser
    /// `lead`, or `company`.
    var object = "lead"
    var objectID: Int
    var action: String
    var details: PHPValue
    var added: SandboxTime

    /// One column's text; nil where the table has no such column.
    func cell(_ column: String) -> String? {
        switch column {
        case "id": String(id)
        case "user_id": String(user.id ?? 0)
        case "user_name": user.name
        case "bundle": "lead"
        case "object": object
        case "object_id": String(objectID)
        case "action": action
        case "details": details.serialized
        case "date_added": added.sql
        case "ip_address": "127.0.0.1"
        default: nil
        }
    }

    static let columns = [
        "id", "user_id", "user_name", "bundle", "object", "object_id", "action", "details",
        "date_added", "ip_address",
    ]

    /// The columns as the table lists them.
    var json: SandboxJSON {
        .object(Self.columns.map { .init($0, .text(cell($0))) })
    }
}

/// What one write changed, in the order in which the audit log tells it.
struct MauticChanges {
    /// A field's or the points' old and new value.
    struct Pair {
        var alias: String
        var old: PHPValue
        var new: PHPValue
    }

    var fields: [Pair] = []
    var addedTags: [String] = []
    var removedTags: [String] = []
    var ownerChanged: (old: Int?, new: Int?)?
    /// What the audit log tells of it was not recorded, so it tells nothing.
    var isStageMoved = false
    var identified: SandboxTime?
    /// Consent changes, each a row of its own.
    var consent: [PHPValue] = []

    var isEmpty: Bool {
        fields.isEmpty && addedTags.isEmpty && removedTags.isEmpty && consent.isEmpty
            && ownerChanged == nil
    }

    /// The `details` of the row; a create tells fields first, an edit tags first.
    func details(of action: String, by user: MauticUser, via key: String?) -> PHPValue {
        var entries: [(String, PHPValue)] = []
        let pairs = fields.map { ($0.alias, PHPValue.list([$0.old, $0.new])) }
        var told: [(String, PHPValue)] = []
        for (index, pair) in pairs.enumerated() {
            told.append(pair)
            if index == 0 { told.append(("fields", .map(pairs))) }
        }
        var tags: [(String, PHPValue)] = []
        if !removedTags.isEmpty {
            tags.append(("removed", .list(removedTags.map(PHPValue.string))))
        }
        if !addedTags.isEmpty { tags.append(("added", .list(addedTags.map(PHPValue.string)))) }
        let tagEntry = tags.isEmpty ? [] : [("tags", PHPValue.map(tags))]
        entries = action == "create" ? told + tagEntry : tagEntry + told
        if let ownerChanged {
            let ids = [ownerChanged.old, ownerChanged.new].map { $0.map(PHPValue.int) ?? .null }
            entries.append(("owner", .list(ids)))
        }
        if let identified, action == "create" {
            entries.append(("dateIdentified", .list([.string(""), .dateTime(identified)])))
        }
        if let key {
            entries.append(("manipulated_by", .string(user.name)))
            entries.append(("manipulator_key", .string(key)))
        }
        return .map(entries)
    }
}

extension MauticSandbox {
    mutating func log(
        _ action: String,
        _ id: Int,
        _ details: PHPValue,
        of object: String = "lead",
        by user: MauticUser,
        at now: SandboxTime
    ) {
        audit.append(
            MauticAuditRow(
                id: nextAuditID, user: user, object: object, objectID: id, action: action,
                details: details, added: now))
        nextAuditID += 1
    }

    /// The rows of one write: the change itself, then that it made somebody of a visitor, then
    /// each consent change.
    mutating func log(
        _ changes: MauticChanges,
        _ action: String,
        _ id: Int,
        by user: MauticUser,
        via key: String?,
        at now: SandboxTime
    ) {
        var plain = changes
        plain.consent = []
        if action == "create" || !plain.isEmpty {
            log(
                action, id, plain.details(of: action, by: user, via: key), by: user, at: now)
        }
        if changes.identified != nil { log("identified", id, .map([]), by: user, at: now) }
        for details in changes.consent { log("update", id, details, by: user, at: now) }
    }

    /// GET /api/stats/audit_log (B8, B12): where, order, start, limit; errors come as 200 (D7).
    func auditLog(_ request: SandboxRequest) -> SandboxResponse {
        let query = request.parameters.nested
        var table = MauticQuery<MauticAuditRow>(numeric: ["id", "user_id", "object_id"]) {
            $0.cell($1)
        }
        table.conditions = query["where"]?.parts ?? []
        for order in query["order"]?.parts ?? [] {
            table.order.append(
                (
                    order["col"]?.string ?? "",
                    order["dir"]?.string?.lowercased() == "desc"
                ))
        }
        for column in table.columns + table.order.map(\.column)
        where !MauticAuditRow.columns.contains(column) {
            return Self.databaseError(
                "SQLSTATE[42S22]: Column not found: 1054 Unknown column 's.\(column)' in 'WHERE'",
                1054)
        }
        let limit = query["limit"]?.int ?? 100
        let start = query["start"]?.int ?? 0
        guard limit >= 0, start >= 0 else {
            return Self.databaseError(
                "SQLSTATE[42000]: Syntax error or access violation: 1064 You have an error in "
                    + "your SQL syntax; check the manual that corresponds to your MariaDB server "
                    + "version for the right syntax to use near '\(min(limit, start))' at line 1",
                1064)
        }
        let found = table.select(audit)
        return .mautic([
            "total": .string(String(found.count)),
            "stats": .array(found.dropFirst(start).prefix(limit).map(\.json)),
        ])
    }

    private static func databaseError(_ text: String, _ code: Int) -> SandboxResponse {
        let message = "An exception occurred while executing a query: \(text)"
        return .mautic(["errors": [["message": .string(message), "code": .int(code)]]])
    }
}
