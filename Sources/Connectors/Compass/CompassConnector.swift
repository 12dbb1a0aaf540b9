package import Ledger
import Model
package import Transport

/// FCMO Compass on Supabase, by PostgREST.
///
/// Changes come from the outbox table that triggers fill in the same transaction
/// (`Schemas/compass/`): unacknowledged rows are read in id order and acknowledged once they are
/// durable here. There is no id cursor, since commits overtake each other.
package struct CompassConnector: Connector {
    package var system: System { .compass }
    package var overlapSeconds: Double { 0 }
    package var hasFeed: Bool { true }

    private static var pageSize: Int { 500 }

    package init() {}

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

    private static var columns: String {
        (["id"] + EntityMapping.contact.attributes(of: .compass) + ["updated_at"])
            .joined(separator: ",")
    }

    package func pageCall(_ walk: Walk) -> Call {
        switch walk.kind {
        case .feed:
            Call(
                .get, "/rest/v1/syncledger_outbox",
                query: [
                    ("table_name", "eq.contacts"), ("acknowledged_at", "is.null"),
                    ("order", "id.asc"), ("limit", String(Self.pageSize)),
                ])
        case .sweep, .changes:
            Call(
                .get, "/rest/v1/contacts",
                query: [("select", Self.columns), ("order", "id.asc")]
                    + (walk.after.map { [("id", "gt.\($0)")] } ?? [])
                    + [("limit", String(Self.pageSize))])
        }
    }

    package func page(from answer: HTTPResult, _ walk: Walk) throws(RemoteFailure) -> Page {
        let json = try success(answer)
        guard case .array(let rows) = json else {
            throw RemoteFailure(.unclear, "Compass's answer is no list of rows")
        }
        var page = Page()
        if walk.kind == .feed {
            for row in rows {
                guard let id = row["id"]?.text else {
                    throw RemoteFailure(.unclear, "an outbox row without an id")
                }
                page.acknowledge.append(id)
                if let change = try change(row) { page.changes.append(change) }
            }
            if rows.count == Self.pageSize { page.next = walk }
            return page
        }
        for row in rows { page.objects.append(try object(row)) }
        if rows.count == Self.pageSize, let last = page.objects.last {
            page.next = Walk(walk.kind, after: last.id)
        }
        return page
    }

    /// One row of the outbox: only the columns that changed speak.
    private func change(_ row: JSON) throws(RemoteFailure) -> FeedChange? {
        let before = row["before"] ?? .null
        let after = row["after"] ?? .null
        let isDeletion = row["operation"]?.text == "delete"
        var object = try object(isDeletion ? before : after)
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
            query: [("id", "in.(\(rows.joined(separator: ",")))")],
            headers: ["Content-Type": "application/json", "Prefer": "return=minimal"],
            body: JSON.object([.init("acknowledged_at", .string(now.description))]).bytes)
    }

    package func lookCall(id: String) -> Call {
        Call(
            .get, "/rest/v1/contacts", query: [("select", Self.columns), ("id", "eq.\(id)")])
    }

    package func look(from answer: HTTPResult, asked id: String) throws(RemoteFailure) -> Looked {
        let json = try success(answer)
        guard case .array(let rows) = json else {
            throw RemoteFailure(.unclear, "Compass's answer is no list of rows")
        }
        guard let row = rows.first else { return .gone }
        return .found(try object(row))
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

    func success(_ answer: HTTPResult) throws(RemoteFailure) -> JSON {
        let response = try readable(answer)
        func failure(_ kind: RemoteFailure.Kind, _ message: String) -> RemoteFailure {
            RemoteFailure(kind, status: response.status, message)
        }
        switch response.status {
        case 204: return .array([])
        case 200..<300:
            if response.body.isEmpty { return .array([]) }
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
        case 429: throw failure(.again(afterSeconds: 30), "Compass's rate limit is reached")
        case 400..<500: throw failure(.refused(.validation), "Compass refused the request")
        default: throw failure(.unclear, "Compass answered \(response.status)")
        }
    }

    func object(_ row: JSON) throws(RemoteFailure) -> RemoteObject {
        guard let id = row["id"]?.text else {
            throw RemoteFailure(.unclear, "a Compass row without an id")
        }
        var attributes: [(name: String, value: Value)] = []
        for name in EntityMapping.contact.attributes(of: .compass) {
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
        return RemoteObject(
            id: id, attributes: attributes, stamp: stamp, modified: Timestamp(stamp))
    }
}
