package import Ledger
package import Model
package import Transport

/// SuiteCRM 7.14 by its V8 API.
///
/// Fact numbers are those of the recordings' findings.
package struct SuiteCRMConnector: Connector {
    package var system: System { .suitecrm }
    /// Stamps have minutes (fact 3), so at least one; commits may be two more behind.
    package var overlapSeconds: Double { 180 }
    package var hasFeed: Bool { false }

    private static var pageSize: Int { 100 }

    /// What is read and written.
    let entity: EntityMapping
    let kind: String

    package init(_ entity: EntityMapping = .contact, kind: String? = nil) {
        self.entity = entity
        self.kind = kind ?? entity.entity
    }

    /// SuiteCRM's name for what is read and written.
    var module: String {
        switch kind {
        case "account": "Accounts"
        case "deal": "Opportunities"
        case "lead": "Leads"
        default: "Contacts"
        }
    }

    /// The fields of the mapping that it has.
    private var mapped: [String] { entity.attributes(of: .suitecrm, kind: kind) }

    /// What is asked for: a lead also tells whether it was converted, and into which contact (its
    /// columns stand in recording 03; its status alone converts nothing, fact 46).
    private var asked: String {
        (mapped + ["date_modified"] + (module == "Leads" ? ["converted", "contact_id"] : []))
            .joined(separator: ",")
    }

    // MARK: - Session

    package func tokenCall(_ credentials: Credentials) -> Call? {
        let body = JSON.object([
            .init("grant_type", .string("client_credentials")),
            .init("client_id", .string(credentials.clientID)),
            .init("client_secret", .string(credentials.clientSecret)),
        ])
        return Call(
            .post, "/Api/access_token", headers: ["Content-Type": "application/json"],
            body: body.bytes)
    }

    /// Blames the client id and secret only where SuiteCRM itself does.
    package func token(from answer: HTTPResult) throws(RemoteFailure) -> Token {
        let response = try readable(answer)
        let json = try? JSON(parsing: response.body)
        if response.status == 200, let text = json?["access_token"]?.text, !text.isEmpty {
            return Token(text: text, lifetimeSeconds: tokenLifetime(json ?? .null))
        }
        throw tokenRefusal(response, error: json?["error"]?.text)
    }

    /// An unknown client id is a 500 `unknown_error`, and its text may quote the secret (fact 15).
    private func tokenRefusal(_ response: HTTPResponse, error: String?) -> RemoteFailure {
        if let busy = tooBusy(response, "SuiteCRM", unsaid: 60) { return busy }
        func failure(_ kind: RemoteFailure.Kind, _ message: String) -> RemoteFailure {
            RemoteFailure(kind, status: response.status, message)
        }
        switch (response.status, error) {
        case (400...401, "invalid_client"), (400...401, "invalid_grant"),
            (400...401, "unauthorized_client"), (500, "unknown_error"):
            return failure(
                .refused(.authentication),
                "SuiteCRM refused the client id or secret: run `syncledger connect suitecrm` again")
        case (400..<500, .some):
            return failure(.refused(.validation), "SuiteCRM refused the request for a token")
        default:
            return failure(
                .unclear,
                "SuiteCRM gave no token but \(response.status): check its address and try again")
        }
    }

    package func authorization(_ credentials: Credentials, token: String?) -> HTTPHeaders {
        ["Authorization": "Bearer \(token ?? "")", "Accept": "application/vnd.api+json"]
    }

    // MARK: - Looking

    /// Asks by keyset on the id inside a date window: complete, and immune to edits (fact 35).
    ///
    /// Size and number are always both given (facts 9, 10).
    package func pageCall(_ walk: Walk) -> Call {
        var query = [
            ("fields[\(module)]", asked), ("sort", "id"),
            ("page[size]", String(Self.pageSize)), ("page[number]", "1"),
        ]
        if let after = walk.after { query.append(("filter[id][gt]", after)) }
        if case .changes(let since) = walk.kind {
            query.append(("filter[date_modified][gte]", Self.sqlText(since)))
        }
        if query.count > 5 { query.append(("filter[operator]", "and")) }
        return Call(.get, "/Api/V8/module/\(module)", query: query)
    }

    package func page(from answer: HTTPResult, _ walk: Walk) throws(RemoteFailure) -> Page {
        let json = try success(answer)
        guard case .array(let rows)? = json["data"] else {
            throw RemoteFailure(.unclear, "SuiteCRM's answer is no list")
        }
        var page = Page()
        for row in rows { page.objects.append(try object(row)) }
        try checkGrowth(
            of: page.objects.map(\.id), after: walk.after, "SuiteCRM", precedes: Self.precedes)
        if rows.count == Self.pageSize, let last = page.objects.last {
            page.next = Walk(walk.kind, of: walk.objects, after: last.id)
        }
        // Pages of what was asked for, this one among them; objects are not counted (fact 30).
        if let pages = json["meta"]?["total-pages"]?.text.flatMap({ Int($0) }) {
            page.left = max(0, pages - 1) * Self.pageSize
        }
        return page
    }

    package func acknowledgeCall(_ rows: [String], now: Timestamp) -> Call? { nil }

    package func lookCall(id: String) -> Call {
        Call(
            .get, "/Api/V8/module/\(module)/\(percentEncoded(id))",
            query: [("fields[\(module)]", asked)])
    }

    package func look(from answer: HTTPResult, asked id: String) throws(RemoteFailure) -> Looked {
        do {
            let found = try contact(answer)
            return found.id.lowercased() == id.lowercased() ? .found(found) : .merged(into: found)
        } catch {
            if error.kind == .refused(.notFound) { return .gone }
            throw error
        }
    }

    /// The id of a create is ours: a look by it tells whether it ran.
    package func findCall(_ order: WriteOrder) -> Call? {
        lookCall(id: chosenID(order) ?? "")
    }

    package func found(
        from answer: HTTPResult, _ order: WriteOrder
    ) throws(RemoteFailure) -> RemoteObject? {
        if case .found(let object) = try look(from: answer, asked: chosenID(order) ?? "") {
            return object
        }
        return nil
    }

    /// A create under our own id is safe to repeat (fact 26).
    package func chosenID(_ order: WriteOrder) -> String? { order.replica.description }

    package func write(_ order: WriteOrder) -> any Conversation {
        guard order.operation != .create, order.operation != .delete else {
            return SuiteCRMWrite(order, self)
        }
        return switch order.changes.first?.call ?? .object {
        case .email: SuiteCRMEmailChange(order, self)
        case .optOut: SuiteCRMOptOut(order, self)
        case .object, .points, .company, .stage: SuiteCRMWrite(order, self)
        }
    }

    /// An address is changed by taking away the old one first (fact 1): a contact without one was
    /// left so in between.
    package func isHalfDone(_ order: WriteOrder, in object: RemoteObject) -> Bool {
        guard order.operation == .update, let change = order.changes.first, change.call == .email,
            let told = object[change.attribute]
        else { return false }
        return told.isBlank && !change.write.isBlank && order.email?.isEmpty == false
    }

    /// Whether an id sorts before another one, as far as that can be told.
    ///
    /// The database compares without regard to case, and for other characters than those of a UUID
    /// in ways that its collation decides: there, being another id is enough.
    static func precedes(_ earlier: String, _ later: String) -> Bool {
        let (earlier, later) = (earlier.uppercased(), later.uppercased())
        let isPlain = (earlier + later).utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || $0 == UInt8(ascii: "-")
        }
        return isPlain
            ? earlier.utf8.lexicographicallyPrecedes(later.utf8) : earlier != later
    }

    // MARK: - Reading answers

    func contact(_ answer: HTTPResult) throws(RemoteFailure) -> RemoteObject {
        let json = try success(answer)
        guard let data = json["data"] else {
            throw RemoteFailure(.unclear, "SuiteCRM's answer is no record")
        }
        return try object(data)
    }

    func success(_ answer: HTTPResult) throws(RemoteFailure) -> JSON {
        let response = try readable(answer)
        let json = try? JSON(parsing: response.body)
        if (200..<300).contains(response.status) {
            if case .object? = json, let json { return json }
            throw RemoteFailure(
                .unclear, status: response.status,
                "SuiteCRM's answer is not JSON: switch off display_errors in its PHP")
        }
        throw refusal(response, detail: json?["errors"]?["detail"]?.text)
    }

    /// Tells refusals apart by their text, for nearly everything that fails is 400 (fact 19).
    ///
    /// Bodies may not be JSON (fact 20).
    private func refusal(_ response: HTTPResponse, detail: String?) -> RemoteFailure {
        if let busy = tooBusy(response, "SuiteCRM", unsaid: 60) { return busy }
        let text = detail ?? String(decoding: response.body.prefix(2_000), as: UTF8.self)
        func failure(_ kind: RemoteFailure.Kind, _ message: String) -> RemoteFailure {
            RemoteFailure(kind, status: response.status, message)
        }
        switch response.status {
        case 401: return failure(.token, "SuiteCRM did not accept the token")
        case 400 where text.contains("module with id") && text.contains("is not found"):
            return failure(.refused(.notFound), "SuiteCRM has no such contact")
        case 400 where text.contains("is not related to"):
            return failure(.refused(.notFound), "SuiteCRM has no such link")
        case 400 where text.contains("AccessDenied"):
            return failure(.refused(.permission), "the API user may not do this in SuiteCRM")
        case 400 where text.contains("already exist"):
            return failure(.refused(.conflict), "SuiteCRM has this id already")
        case 400 where text.contains("Database failure"):
            return failure(.unclear, "SuiteCRM's database failed")
        case 400: return failure(.refused(.validation), "SuiteCRM refused the request")
        default: return failure(.unclear, "SuiteCRM answered \(response.status)")
        }
    }

    /// Text attributes are decoded by exactly four entities, once (fact 6).
    func object(_ json: JSON) throws(RemoteFailure) -> RemoteObject {
        guard let id = json["id"]?.text else {
            throw RemoteFailure(.unclear, "a SuiteCRM contact without an id")
        }
        var attributes: [(name: String, value: Value)] = []
        for name in mapped {
            guard let value = json["attributes"]?[name] else { continue }
            switch value {
            case .string(let text):
                attributes.append((name, .text(TextRules.decodingSuiteEntities(text))))
            case .number(let text): attributes.append((name, .text(text)))
            case .bool(let flag): attributes.append((name, .text(flag ? "1" : "0")))
            case .null: attributes.append((name, .text("")))
            case .array, .object: continue
            }
        }
        let stamp = json["attributes"]?["date_modified"]?.text ?? ""
        // A stamp shows the beginning of its minute (fact 3): the change is no later than its end.
        let modified = Timestamp(stamp)?.adding(seconds: 60)
        var object = RemoteObject(
            id: id, attributes: attributes, stamp: stamp, modified: modified)
        object.entity = entity.entity
        object.furtherKind = kind == entity.entity ? "" : kind
        if module == "Leads" { object.conversion = conversion(json["attributes"] ?? .null) }
        return object
    }

    /// The interface, which alone converts, marks the lead and names its contact.
    private func conversion(_ attributes: JSON) -> RemoteObject.Conversion? {
        guard let converted = attributes["converted"] else { return nil }
        guard ["1", "true"].contains(converted.text ?? "") || converted == .bool(true) else {
            return RemoteObject.Conversion.none
        }
        let contact = attributes["contact_id"]?.text ?? ""
        return .converted(into: contact.isEmpty ? nil : contact)
    }

    private static func sqlText(_ moment: Timestamp) -> String {
        String(moment.description.prefix(19).map { $0 == "T" ? " " : $0 })
    }
}
