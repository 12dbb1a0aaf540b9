package import Ledger
package import Model
package import Transport

/// Mautic 5 by its REST API.
///
/// Fact numbers are those of the recordings' findings.
package struct MauticConnector: Connector {
    package var system: System { .mautic }
    /// Stamps have one second (B2); a request that is still running commits within two minutes.
    package var overlapSeconds: Double { 120 }
    package var hasFeed: Bool { false }
    package var hidesBirth: Bool { isCompany }

    /// How many contacts a page holds: the seed's default.
    private static var pageSize: Int { 100 }

    /// What is read and written.
    let entity: EntityMapping

    package init(_ entity: EntityMapping = .contact) { self.entity = entity }

    /// Mautic's word for one and for many.
    private var words: (one: String, many: String) {
        isCompany ? ("company", "companies") : ("contact", "contacts")
    }

    var isCompany: Bool { entity.entity == EntityMapping.account.entity }

    /// Where the objects are read and written.
    var path: String { "/api/\(words.many)" }

    // MARK: - Session

    package func tokenCall(_ credentials: Credentials) -> Call? {
        let form = [
            ("grant_type", "client_credentials"), ("client_id", credentials.clientID),
            ("client_secret", credentials.clientSecret),
        ]
        return Call(
            .post, "/oauth/v2/token",
            headers: ["Content-Type": "application/x-www-form-urlencoded"],
            body: Array(
                form.map { percentEncoded($0.0) + "=" + percentEncoded($0.1) }
                    .joined(separator: "&").utf8))
    }

    /// Blames the client id and secret only where Mautic itself does (E3).
    package func token(from answer: HTTPResult) throws(RemoteFailure) -> Token {
        let response = try readable(answer)
        let json = try? JSON(parsing: response.body)
        if response.status == 200, let text = json?["access_token"]?.text, !text.isEmpty {
            return Token(text: text, lifetimeSeconds: tokenLifetime(json ?? .null))
        }
        throw tokenRefusal(response, type: json?["errors"]?.elements.first?["type"]?.text)
    }

    private func tokenRefusal(_ response: HTTPResponse, type: String?) -> RemoteFailure {
        if let busy = tooBusy(response, "Mautic", unsaid: 60) { return busy }
        func failure(_ kind: RemoteFailure.Kind, _ message: String) -> RemoteFailure {
            RemoteFailure(kind, status: response.status, message)
        }
        switch (response.status, type) {
        case (400...401, "invalid_client"), (400...401, "invalid_grant"),
            (400...401, "unauthorized_client"):
            return failure(
                .refused(.authentication),
                "Mautic refused the client id or secret: run `syncledger connect mautic` again")
        case (403, "api_disabled"):
            return failure(
                .refused(.permission), "the API is switched off in Mautic's configuration")
        case (400..<500, .some):
            return failure(.refused(.validation), "Mautic refused the request for a token")
        default:
            return failure(
                .unclear,
                "Mautic gave no token but \(response.status): check its address and try again")
        }
    }

    /// The scheme must be spelt `Bearer` (E5).
    package func authorization(_ credentials: Credentials, token: String?) -> HTTPHeaders {
        ["Authorization": "Bearer \(token ?? "")", "Accept": "application/json"]
    }

    // MARK: - Looking

    /// Asks for identified contacts, or for companies, in id order.
    ///
    /// Always with an order (B6), without anonymous contacts (B9), and by both dates, for a new object
    /// has no modification date (B1). Companies show no dates, but can be asked by them (B10).
    package func pageCall(_ walk: Walk) -> Call {
        let own = isCompany ? "companyname" : "date_identified"
        var query = [
            ("where[0][col]", own), ("where[0][expr]", "isNotNull"),
            ("where[1][col]", "id"), ("where[1][expr]", "gt"), ("where[1][val]", walk.after ?? "0"),
            ("orderBy", "id"), ("orderByDir", "ASC"), ("limit", String(Self.pageSize)),
        ]
        switch walk.kind {
        case .added(let since):
            query += [
                ("where[2][col]", "date_added"), ("where[2][expr]", "gte"),
                ("where[2][val]", Self.sqlText(since)),
            ]
        case .changes(let since):
            let moment = Self.sqlText(since)
            query += [("where[2][expr]", "orX")]
            for (index, column) in ["date_modified", "date_added"].enumerated() {
                query += [
                    ("where[2][val][\(index)][col]", column),
                    ("where[2][val][\(index)][expr]", "gte"),
                    ("where[2][val][\(index)][val]", moment),
                ]
            }
        case .sweep, .feed: break
        }
        return Call(.get, path, query: query)
    }

    package func page(from answer: HTTPResult, _ walk: Walk) throws(RemoteFailure) -> Page {
        let json = try success(answer)
        var page = Page()
        for contact in try contacts(json) { page.objects.append(try object(contact)) }
        try checkGrowth(of: page.objects.map(\.id), after: walk.after, "Mautic") { earlier, later in
            guard let earlier = UInt64(earlier), let later = UInt64(later) else { return false }
            return earlier < later
        }
        if page.objects.count == Self.pageSize, let last = page.objects.last {
            page.next = Walk(walk.kind, of: walk.objects, after: last.id)
        }
        // Of what was asked for, so of what is behind the last page; a string here (fact C2).
        if let total = json["total"]?.text.flatMap({ Int($0) }) {
            page.left = max(0, total - page.objects.count)
        }
        return page
    }

    /// The contacts of a list: an object keyed by id, or an empty array (C1).
    private func contacts(_ json: JSON) throws(RemoteFailure) -> [JSON] {
        switch json[words.many] {
        case .object(let members)?: return members.map(\.value)
        case .array(let elements)?: return elements
        default: throw RemoteFailure(.unclear, "Mautic's answer is no list of contacts")
        }
    }

    package func acknowledgeCall(_ rows: [String], now: Timestamp) -> Call? { nil }

    package func lookCall(id: String) -> Call { Call(.get, "\(path)/\(percentEncoded(id))") }

    /// A dead id answers with the survivor under its own id (A1): the ids are compared.
    package func look(from answer: HTTPResult, asked id: String) throws(RemoteFailure) -> Looked {
        do {
            let found = try contact(answer)
            return found.id == id ? .found(found) : .merged(into: found)
        } catch {
            if error.kind == .refused(.notFound) { return .gone }
            throw error
        }
    }

    package func findCall(_ order: WriteOrder) -> Call? {
        guard let key = isCompany ? order.companyName : order.email else { return nil }
        return Call(
            .get, path,
            query: [
                ("where[0][col]", isCompany ? "companyname" : "email"), ("where[0][expr]", "eq"),
                ("where[0][val]", key),
                ("orderBy", "id"), ("orderByDir", "ASC"), ("limit", "2"),
            ])
    }

    package func found(
        from answer: HTTPResult, _ order: WriteOrder
    ) throws(RemoteFailure) -> RemoteObject? {
        guard let first = try contacts(try success(answer)).first else { return nil }
        var found = try object(first)
        // Wrong filters return everything (A7): what was found must be what was asked for.
        guard Self.isAsked(found, order) else { return nil }
        // The create may have met somebody, or may not have run, or not to its end: what differs
        // from what it would leave is not its doing.
        for change in order.differing(in: found) { found.unsettle(change.attribute) }
        return found
    }

    package func chosenID(_ order: WriteOrder) -> String? { nil }

    package func write(_ order: WriteOrder) -> any Conversation {
        order.operation == .create ? MauticCreate(order, self) : MauticWrite(order, self)
    }

    /// Whether a contact has the e-mail address that an order is about; Mautic compares without
    /// regard to case and outer spaces (A9).
    static func isAsked(_ object: RemoteObject, _ order: WriteOrder) -> Bool {
        if case .text(let name)? = object["companyname"] { return name == order.companyName }
        guard case .text(let email)? = object["email"], let asked = order.email else {
            return false
        }
        return trimmed(email).lowercased() == trimmed(asked).lowercased()
    }

    // MARK: - Reading answers

    func contact(_ answer: HTTPResult) throws(RemoteFailure) -> RemoteObject {
        let json = try success(answer)
        guard let contact = json[words.one] else {
            throw RemoteFailure(.unclear, "Mautic's answer is no contact")
        }
        return try object(contact)
    }

    func success(_ answer: HTTPResult) throws(RemoteFailure) -> JSON {
        let response = try readable(answer)
        guard (200..<300).contains(response.status) else { throw refusal(response) }
        let json = try body(response)
        if json["errors"]?.elements.isEmpty == false, json[words.one] == nil {
            throw RemoteFailure(
                .refused(.validation), status: response.status, "Mautic reported an error")
        }
        return json
    }

    private func body(_ response: HTTPResponse) throws(RemoteFailure) -> JSON {
        func unclear(_ message: String) -> RemoteFailure {
            RemoteFailure(.unclear, status: response.status, message)
        }
        do {
            let json = try JSON(parsing: response.body)
            if case .object = json { return json }
        } catch {
            throw unclear("Mautic's answer is \(error)")
        }
        throw unclear("Mautic's answer is no object")
    }

    private func refusal(_ response: HTTPResponse) -> RemoteFailure {
        if let busy = tooBusy(response, "Mautic", unsaid: 60) { return busy }
        let text = String(decoding: response.body, as: UTF8.self)
        func failure(_ kind: RemoteFailure.Kind, _ message: String) -> RemoteFailure {
            RemoteFailure(kind, status: response.status, message)
        }
        switch response.status {
        case 401: return failure(.token, "Mautic did not accept the token")
        case 403: return failure(.refused(.permission), "the API user may not do this in Mautic")
        case 404 where isAboutTheContact(response):
            return failure(.refused(.notFound), "Mautic has no such contact")
        case 404:
            return failure(.unclear, "Mautic does not know the address that was asked: check it")
        // A deadlock comes as 400 with SQL text and did not run (A11).
        case 400 where text.contains("SQLSTATE[40001]"):
            return failure(.again(afterSeconds: 0.5), "Mautic's database was busy")
        case 422:
            return isCompany
                ? failure(.refused(.conflict), "another Mautic company has this name")
                : failure(.refused(.conflict), "another Mautic contact has this e-mail address")
        case 400: return failure(.refused(.validation), "Mautic refused a value")
        default: return failure(.unclear, "Mautic answered \(response.status)")
        }
    }

    /// Tells a contact that is not there from an address that is none.
    ///
    /// Only Mautic's controllers give `details` (D5); its router, and a proxy before it, answer 404
    /// to a wrong address, and that proves nobody gone.
    private func isAboutTheContact(_ response: HTTPResponse) -> Bool {
        let json = try? JSON(parsing: response.body)
        return json?["errors"]?.elements.first?["details"] != nil
    }

    /// Group entries are read by alias and value only (C4, C5); `all` is missing in some answers.
    func object(_ json: JSON) throws(RemoteFailure) -> RemoteObject {
        guard let id = json["id"]?.text else {
            throw RemoteFailure(.unclear, "a Mautic contact without an id")
        }
        var attributes: [(name: String, value: Value)] = []
        let wanted = Set(entity.attributes(of: .mautic))
        for group in json["fields"]?.members ?? [] where group.name != "all" {
            for field in group.value.elements {
                guard let alias = field["alias"]?.text, wanted.contains(alias),
                    let value = field["value"]
                else { continue }
                if alias != "points" { attributes.append((alias, Self.value(value))) }
            }
        }
        if let tags = json["tags"] {
            attributes.append(("tags", .set(of: tags.elements.compactMap { $0["tag"]?.text })))
        }
        if let points = json["points"]?.text { attributes.append(("points", .number(points))) }
        if wanted.contains("stage"), let stage = json["stage"] {
            attributes.append(("stage", stage["name"].map(Self.value) ?? .null))
        }
        if let channels = json["doNotContact"] {
            let isOut = channels.elements.contains { $0["channel"]?.text == "email" }
            attributes.append(("dnc_email", .bool(isOut)))
        }
        let stamp = json["dateModified"]?.text ?? json["dateAdded"]?.text ?? ""
        var object = RemoteObject(
            id: id, attributes: attributes, stamp: stamp, modified: Timestamp(stamp))
        object.entity = entity.entity
        object.born = json["dateAdded"]?.text ?? ""
        return object
    }

    private static func value(_ json: JSON) -> Value {
        switch json {
        case .string(let text): .text(text)
        case .number(let text): .number(text)
        case .bool(let flag): .bool(flag)
        default: .null
        }
    }

    /// `where` values compare as UTC text (B2).
    private static func sqlText(_ moment: Timestamp) -> String {
        String(moment.description.prefix(19)).replacing("T", with: " ")
    }
}

extension String {
    fileprivate func replacing(_ one: Character, with other: Character) -> String {
        String(map { $0 == one ? other : $0 })
    }
}
