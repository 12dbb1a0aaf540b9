package import Ledger
package import Model
package import Transport

/// FCMO Compass on Supabase, by PostgREST.
///
/// Changes come from the outbox table that triggers fill in the same transaction
/// (`Schemas/compass/`): unacknowledged rows are read in id order and acknowledged once they are
/// durable here. There is no id cursor from run to run, since commits overtake each other; within
/// one walk the next page begins behind the last row, so that a walk ends even where rows cannot be
/// acknowledged.
package struct CompassConnector: Connector {
    package var system: System { .compass }
    package var overlapSeconds: Double { 0 }
    package var hasFeed: Bool { true }

    private static var pageSize: Int { 500 }

    /// What is read and written.
    let entity: EntityMapping

    package init(_ entity: EntityMapping = .contact) { self.entity = entity }

    package func tokenCall(_ credentials: Credentials) -> Call? { nil }

    package func token(from answer: HTTPResult) throws(RemoteFailure) -> Token {
        throw RemoteFailure(.refused(.authentication), "Compass needs no token")
    }

    package func authorization(_ credentials: Credentials, token: String?) -> HTTPHeaders {
        [
            "apikey": credentials.clientSecret,
            "Authorization": "Bearer \(credentials.clientSecret)", "Accept": "application/json",
        ]
    }

    // MARK: - Looking

    /// The tables of the entities.
    private static let tables = [
        ("contacts", EntityMapping.contact), ("clients", .account), ("deals", .deal),
    ]

    /// Where the rows are read and written.
    var path: String {
        let table = Self.tables.first { $0.1.entity == entity.entity }?.0 ?? entity.entity
        return "/rest/v1/\(table)"
    }

    /// All columns: one that an older installation lacks is then not told, and refuses nothing.
    package func pageCall(_ walk: Walk) -> Call {
        switch walk.kind {
        case .feed:
            Call(
                .get, "/rest/v1/syncledger_outbox",
                query: [
                    ("table_name", "in.(\(Self.tables.map(\.0).joined(separator: ",")))"),
                    ("acknowledged_at", "is.null"),
                ] + Self.keyset(walk), headers: Self.counting)
        case .sweep, .changes, .added:
            Call(
                .get, path,
                query: [("select", "*")] + Self.keyset(walk), headers: Self.counting)
        }
    }

    private static func keyset(_ walk: Walk) -> [(String, String)] {
        [("order", "id.asc")] + (walk.after.map { [("id", "gt.\($0)")] } ?? [])
            + [("limit", String(pageSize))]
    }

    /// A project may answer fewer rows than were asked for (`max-rows`): only a count tells whether
    /// there are more.
    private static var counting: HTTPHeaders { ["Prefer": "count=exact"] }

    package func page(from answer: HTTPResult, _ walk: Walk) throws(RemoteFailure) -> Page {
        let rows = try self.rows(of: answer)
        let last = try last(rows, walk)
        var page = Page()
        let total = Self.total(try readable(answer))
        page.left = total.map { max(0, $0 - rows.count) }
        if !rows.isEmpty, total.map({ $0 > rows.count }) ?? (rows.count >= Self.pageSize) {
            page.next = last.map { Walk(walk.kind, of: walk.objects, after: $0) }
        }
        guard walk.kind == .feed else {
            for row in rows { page.objects.append(try object(row, of: entity)) }
            return page
        }
        for row in rows {
            if let id = row["id"]?.text { page.acknowledge.append(id) }
            page.changes.append(try change(row))
        }
        return page
    }

    /// The id of the last row; all of them must grow, or the walk would not end.
    private func last(_ rows: [JSON], _ walk: Walk) throws(RemoteFailure) -> String? {
        let ids = rows.compactMap { $0["id"]?.text }
        guard ids.count == rows.count else {
            throw RemoteFailure(.unclear, "a Compass row without an id")
        }
        try checkGrowth(of: ids, after: walk.after, "Compass") { earlier, later in
            guard walk.kind == .feed else { return earlier.lowercased() < later.lowercased() }
            guard let earlier = Int64(earlier), let later = Int64(later) else { return false }
            return earlier < later
        }
        return ids.last
    }

    /// How many rows are behind the last page: `Content-Range` is `0-499/1234`, or `*/0`.
    private static func total(_ response: HTTPResponse) -> Int? {
        (response.headers["Content-Range"]?.split(separator: "/").last).flatMap { Int($0) }
    }

    /// One row of the outbox: only the columns that changed speak.
    private func change(_ row: JSON) throws(RemoteFailure) -> FeedChange {
        let before = row["before"] ?? .null
        let after = row["after"] ?? .null
        let isDeletion = row["operation"]?.text == "delete"
        let table = row["table_name"]?.text
        guard let entity = Self.tables.first(where: { $0.0 == table })?.1 else {
            throw RemoteFailure(.unclear, "an outbox row of a table that was not asked for")
        }
        var object = try object(isDeletion ? before : after, of: entity)
        let isUpdate = row["operation"]?.text == "update"
        if isUpdate {
            object.attributes.removeAll { before[$0.name] == after[$0.name] }
        }
        return FeedChange(
            object: object, isDeletion: isDeletion, isComplete: !isUpdate,
            changedAt: row["changed_at"]?.text.flatMap { Timestamp($0) })
    }

    package func acknowledgeCall(_ rows: [String], now: Timestamp) -> Call? {
        guard !rows.isEmpty else { return nil }
        return Call(
            .patch, "/rest/v1/syncledger_outbox",
            query: [("id", "in.(\(rows.joined(separator: ",")))"), ("select", "id")],
            headers: ["Content-Type": "application/json", "Prefer": "return=representation"],
            body: JSON.object([.init("acknowledged_at", .string(now.description))]).bytes)
    }

    /// Row-level security hides rows instead of refusing: what is not answered was not written.
    package func acknowledged(
        from answer: HTTPResult, _ rows: [String]
    ) throws(RemoteFailure) {
        let told = Set(try self.rows(of: answer).compactMap { $0["id"]?.text })
        guard told.isSuperset(of: rows) else {
            throw RemoteFailure(
                .refused(.permission), status: 200,
                "Compass did not let outbox rows be acknowledged: the service key may not update "
                    + "syncledger_outbox")
        }
    }

    package func lookCall(id: String) -> Call {
        Call(.get, path, query: [("select", "*"), ("id", "eq.\(id)")])
    }

    package func look(from answer: HTTPResult, asked id: String) throws(RemoteFailure) -> Looked {
        let rows = try self.rows(of: answer)
        guard let row = rows.first else { return .gone }
        let object = try object(row, of: entity)
        // A filter that was not followed answers everybody.
        guard rows.count == 1, object.id.lowercased() == id.lowercased() else {
            throw RemoteFailure(.unclear, status: 200, "Compass answered other rows than asked")
        }
        return .found(object)
    }

    package func findCall(_ order: WriteOrder) -> Call? { lookCall(id: chosenID(order) ?? "") }

    package func found(
        from answer: HTTPResult, _ order: WriteOrder
    ) throws(RemoteFailure) -> RemoteObject? {
        if case .found(let object) = try look(from: answer, asked: chosenID(order) ?? "") {
            return object
        }
        return nil
    }

    package func chosenID(_ order: WriteOrder) -> String? { order.replica.description }

    package func write(_ order: WriteOrder) -> any Conversation { CompassWrite(order, self) }

    // MARK: - Reading answers

    /// The rows of an answer; an empty body is no empty list, for that would prove rows gone.
    func rows(of answer: HTTPResult) throws(RemoteFailure) -> [JSON] {
        guard case .array(let rows) = try success(answer) else {
            throw RemoteFailure(.unclear, "Compass's answer is no list of rows")
        }
        return rows
    }

    private func success(_ answer: HTTPResult) throws(RemoteFailure) -> JSON {
        let response = try readable(answer)
        func failure(_ kind: RemoteFailure.Kind, _ message: String) -> RemoteFailure {
            RemoteFailure(kind, status: response.status, message)
        }
        if let busy = tooBusy(response, "Compass", unsaid: 30) { throw busy }
        switch response.status {
        case 200..<300:
            do {
                return try JSON(parsing: response.body)
            } catch {
                throw failure(.unclear, "Compass's answer is \(error)")
            }
        case 401:
            throw failure(
                .refused(.authentication),
                "Compass refused the service key: run `syncledger connect compass` again")
        case 403: throw failure(.refused(.permission), "row-level security forbids this in Compass")
        case 404: throw failure(.refused(.notFound), "Compass has no such table or row")
        case 409: throw failure(.refused(.conflict), "Compass has such a row already")
        case 400..<500: throw failure(.refused(.validation), "Compass refused the request")
        default: throw failure(.unclear, "Compass answered \(response.status)")
        }
    }

    func object(
        _ row: JSON, of entity: EntityMapping
    ) throws(RemoteFailure) -> RemoteObject {
        guard let id = row["id"]?.text else {
            throw RemoteFailure(.unclear, "a Compass row without an id")
        }
        var attributes: [(name: String, value: Value)] = []
        for name in entity.attributes(of: .compass) {
            guard let value = row[name] else { continue }
            switch value {
            case .null: attributes.append((name, .null))
            case .string(let text): attributes.append((name, .text(text)))
            case .number(let text): attributes.append((name, .number(text)))
            case .bool(let flag): attributes.append((name, .bool(flag)))
            case .array(let elements):
                attributes.append((name, .set(of: elements.compactMap(\.text))))
            case .object: continue
            }
        }
        let stamp = row["updated_at"]?.text ?? ""
        var object = RemoteObject(
            id: id, attributes: attributes, stamp: stamp, modified: Timestamp(stamp))
        object.entity = entity.entity
        return object
    }
}
