extension CompassSandbox {
    /// GET: filter, order, and a range of the rows.
    func read(_ call: CompassCall) throws(CompassRefusal) -> SandboxResponse {
        let found = sorted(
            rows(of: call.table).filter { call.filter.holds($0, call.table) == true }, call)
        let counts = call.preferences["count"] != nil
        if counts, call.offset > 0, call.offset >= found.count {
            throw .range(offset: call.offset, count: found.count)
        }
        let limit = min(call.limit ?? settings.maxRows, settings.maxRows)
        let page = found.dropFirst(max(call.offset, 0)).prefix(max(limit, 0))
        if call.wantsObject, page.count != 1 { throw .notSingular(page.count) }
        let total = counts ? String(found.count) : "*"
        let range =
            page.isEmpty
            ? "*/\(total)" : "\(call.offset)-\(call.offset + page.count - 1)/\(total)"
        let isPartial = counts && page.count < found.count
        return Self.answer(
            isPartial ? 206 : 200, Array(page), call,
            headers: [SandboxHeader("Content-Range", range)])
    }

    private func sorted(_ rows: [CompassRow], _ call: CompassCall) -> [CompassRow] {
        guard !call.order.isEmpty else { return rows }
        return rows.enumerated().sorted { a, b in
            for (column, isDescending, nullsFirst) in call.order {
                let (x, y) = (a.element[column], b.element[column])
                if x == y { continue }
                if x == .null || y == .null { return (x == .null) == nullsFirst }
                let order = CompassFilter.order(x, y, call.table.type(column) ?? .text)
                if order != 0 { return (order < 0) != isDescending }
            }
            return a.offset < b.offset
        }.map(\.element)
    }

    /// POST: one row or several; `resolution` decides about ids that are there already.
    mutating func insert(
        _ call: CompassCall, _ request: SandboxRequest, now: SandboxTime
    ) throws(CompassRefusal) -> SandboxResponse {
        guard let body = SandboxJSON(parsing: request.body),
            body.members != nil || body.elements != nil
        else { throw .badBody }
        let items = body.elements ?? [body]
        let names = items.first?.members?.map(\.name) ?? []
        guard items.allSatisfy({ Set($0.members?.map(\.name) ?? []) == Set(names) }) else {
            throw .unequalKeys
        }
        let resolution = call.preferences["resolution"]
        if resolution != nil, let conflict = call.conflict, conflict != "id" {
            throw .noConstraint
        }
        var touched: [CompassRow] = []
        var inserted = 0
        for item in items {
            let given = try values(item, call)
            if let id = given["id"], let known = index(of: id, in: call.table) {
                guard let resolution else {
                    throw .duplicate(call.table, id.scalarText ?? "")
                }
                guard resolution == "merge-duplicates" else { continue }
                touched.append(change(known, given, call.table, now: now))
            } else {
                touched.append(add(given, to: call.table, now: now))
                inserted += 1
            }
        }
        try checkReferences(of: touched, in: call.table)
        let status = inserted > 0 || items.isEmpty || resolution == nil ? 201 : 200
        return Self.written(status, touched, call, emptyStatus: status)
    }

    /// PATCH: every row the filter finds; none is no error.
    mutating func update(
        _ call: CompassCall, _ request: SandboxRequest, now: SandboxTime
    ) throws(CompassRefusal) -> SandboxResponse {
        guard let body = SandboxJSON(parsing: request.body), body.members != nil else {
            throw .badBody
        }
        let given = try values(body, call)
        if given.isEmpty { return Self.written(200, [], call, emptyStatus: 204) }
        guard !call.filter.isEmpty else { throw .needsFilter("UPDATE") }
        let found = rows(of: call.table).indices.filter {
            call.filter.holds(rows(of: call.table)[$0], call.table) == true
        }
        if call.wantsObject, found.count != 1 { throw .notSingular(found.count) }
        let touched = found.map { change($0, given, call.table, now: now) }
        try checkReferences(of: touched, in: call.table)
        return Self.written(200, touched, call, emptyStatus: 204)
    }

    mutating func delete(
        _ call: CompassCall, now: SandboxTime
    ) throws(CompassRefusal) -> SandboxResponse {
        guard !call.filter.isEmpty else { throw .needsFilter("DELETE") }
        let found = rows(of: call.table).filter { call.filter.holds($0, call.table) == true }
        if call.wantsObject, found.count != 1 { throw .notSingular(found.count) }
        for row in found { remove(row, from: call.table, now: now) }
        for row in found { try checkUnreferenced(row, of: call.table) }
        return Self.written(200, found, call, emptyStatus: 204)
    }

    /// The statement's end: whatever a row names must be there.
    private func checkReferences(
        of rows: [CompassRow], in table: CompassTable
    ) throws(CompassRefusal) {
        for (column, name) in table.references {
            for id in rows.map({ $0[column] }) where id != .null {
                guard let other = CompassTable.all.first(where: { $0.name == name }),
                    index(of: id, in: other) == nil
                else { continue }
                throw .noReferenced(table.name, column, id.scalarText ?? "", in: name)
            }
        }
    }

    /// The statement's end: nothing may name a row that is gone.
    func checkUnreferenced(
        _ row: CompassRow, of table: CompassTable
    ) throws(CompassRefusal) {
        for other in CompassTable.all {
            for (column, name) in other.references where name == table.name {
                guard rows(of: other).contains(where: { $0[column] == row["id"] }) else {
                    continue
                }
                throw .stillReferenced(
                    table.name, row["id"].scalarText ?? "", by: other.name, column)
            }
        }
    }

    /// A body's values in their columns' types.
    private func values(
        _ body: SandboxJSON, _ call: CompassCall
    ) throws(CompassRefusal) -> [String: SandboxJSON] {
        var values: [String: SandboxJSON] = [:]
        for member in body.members ?? [] {
            if let only = call.onlyColumns, !only.contains(member.name) { continue }
            guard let type = call.table.type(member.name) else {
                throw .unknownColumn(member.name, call.table.name)
            }
            values[member.name] = try type.value(of: member.value)
        }
        return values
    }

    private func index(of id: SandboxJSON, in table: CompassTable) -> Int? {
        rows(of: table).firstIndex { $0["id"] == id }
    }

    /// The answer to a write: the rows, or nothing, as `return` asks.
    private static func written(
        _ status: Int, _ rows: [CompassRow], _ call: CompassCall, emptyStatus: Int
    ) -> SandboxResponse {
        let count = call.preferences["count"] == nil ? "*" : String(rows.count)
        let isRead = status == 200 && emptyStatus == 204 && !rows.isEmpty
        let range = SandboxHeader(
            "Content-Range", isRead ? "0-\(rows.count - 1)/\(count)" : "*/\(count)")
        guard call.preferences["return"] == "representation" else {
            var headers = [range] + call.applied
            if call.preferences["return"] == "headers-only", let id = rows.first?["id"].scalarText {
                headers.append(SandboxHeader("Location", "/\(call.table.name)?id=eq.\(id)"))
            }
            return SandboxResponse(status: emptyStatus, headers: headers)
        }
        return answer(status, rows, call, headers: [range])
    }

    private static func answer(
        _ status: Int, _ rows: [CompassRow], _ call: CompassCall, headers: [SandboxHeader]
    ) -> SandboxResponse {
        let json = rows.map { $0.json(call.columns) }
        let body = call.wantsObject ? json.first ?? .null : .array(json)
        let type =
            call.wantsObject ? "application/vnd.pgrst.object+json" : "application/json"
        return SandboxResponse(
            status: status,
            headers: headers + call.applied + [
                SandboxHeader("Content-Type", "\(type); charset=utf-8")
            ],
            body: Array(body.text().utf8))
    }
}
