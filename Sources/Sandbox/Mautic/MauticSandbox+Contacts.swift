extension MauticSandbox {
    /// The contact that answers for an id: its own, or the survivor of its merge (A1).
    func resolve(_ id: Int) -> MauticContact? {
        var id = id
        while contacts[id] == nil {
            guard let next = survivors[id] else { return nil }
            id = next
        }
        return contacts[id]
    }

    /// The body as Mautic reads it; types it does not know count as empty (A15).
    static func body(of request: SandboxRequest) throws(MauticRefusal) -> SandboxJSON {
        switch request.mediaType {
        case "application/x-www-form-urlencoded":
            return Parameters(String(decoding: request.body, as: UTF8.self)).nested
        case "application/json", nil:
            guard !request.body.isEmpty else { return [:] }
            switch SandboxJSON(parsing: request.body) {
            case .object(let members): return .object(members)
            case .array(let elements): return .array(elements)
            default: throw .crash(400)
            }
        default: return [:]
        }
    }

    func read(_ id: Int) throws(MauticRefusal) -> SandboxResponse {
        guard let contact = resolve(id) else { throw .missing }
        return .mautic(["contact": json(contact, .read())])
    }

    /// POST /api/contacts/new: a create, or an edit of the contact that has the e-mail (A9).
    mutating func create(
        _ request: SandboxRequest, caller: MauticCaller, now: SandboxTime
    ) throws(MauticRefusal) -> SandboxResponse {
        guard caller.mayWrite else { throw .forbidden }
        let body = try Self.body(of: request)
        let (status, contact) = try createOrEdit(body, by: caller.user, via: "api-single", at: now)
        return .mautic(
            status: status, ["contact": contact.json],
            headers: status == 201
                ? [SandboxHeader("Location", "/api/contacts/\(contact.id)")] : [])
    }

    /// What a write answers: the contact's id and its JSON in that call's form.
    struct Written {
        var id: Int
        var json: SandboxJSON
        var form: MauticForm
    }

    mutating func createOrEdit(
        _ body: SandboxJSON, by user: MauticUser, via key: String, at now: SandboxTime
    ) throws(MauticRefusal) -> (status: Int, contact: Written) {
        if let email = body["email"]?.scalarText.map(cleaned), !email.isEmpty,
            let known = holders(of: email).first.flatMap({ contacts[$0] })
        {
            let draft = try draft(body, .patch, on: known, now: now)
            let contact = store(draft, by: user, via: key, at: now)
            return (200, Written(id: contact.id, json: json(contact, .read()), form: .read()))
        }
        return (201, try insert(body, .create, by: user, via: key, at: now))
    }

    /// Makes a new contact from a POST, or from a PUT on an id that is none (D6).
    mutating func insert(
        _ body: SandboxJSON,
        _ mode: MauticWrite,
        by user: MauticUser,
        via key: String,
        at now: SandboxTime
    ) throws(MauticRefusal) -> Written {
        let blank = MauticContact(id: nextContactID, added: now, createdBy: user)
        let draft = try draft(body, mode, on: blank, now: now)
        nextContactID += 1
        contacts[blank.id] = draft.contact
        follow(draft.changes, of: blank.id, by: user, at: now)
        log(draft.changes, "create", blank.id, by: user, via: "lead:\(key)", at: now)
        let form = MauticForm.created(draft.echo)
        return Written(id: blank.id, json: json(draft.contact, form), form: form)
    }

    /// Stores an edit; without an effective change the stamp stays (B3).
    mutating func store(
        _ draft: MauticDraft, by user: MauticUser, via key: String?, at now: SandboxTime
    ) -> MauticContact {
        var contact = draft.contact
        // Who saved is noted even where nothing changed (timezone-user).
        if key != nil { contact.modifiedBy = user }
        if !draft.changes.isEmpty || draft.changes.isStageMoved {
            contact.modified = SandboxTime(seconds: now.seconds)
            contact.modifiedBy = user
        }
        if !draft.changes.isEmpty {
            follow(draft.changes, of: contact.id, by: user, at: now)
            log(
                draft.changes, "update", contact.id, by: user, via: key.map { "lead:\($0)" },
                at: now)
        }
        contacts[contact.id] = contact
        return contact
    }

    /// PATCH and PUT on one contact.
    mutating func edit(
        _ id: Int, _ request: SandboxRequest, caller: MauticCaller, now: SandboxTime
    ) throws(MauticRefusal) -> SandboxResponse {
        let known = resolve(id)
        let mode: MauticWrite = request.method == "PUT" ? .put : .patch
        if known == nil, mode == .patch { throw .missing }
        guard caller.mayWrite else { throw .forbidden }
        let body = try Self.body(of: request)
        guard let known else {
            let made = try insert(body, .put, by: caller.user, via: "api-single", at: now)
            return .mautic(
                status: 201, ["contact": made.json],
                headers: [SandboxHeader("Location", "/api/contacts/\(made.id)")])
        }
        let draft = try draft(body, mode, on: known, now: now)
        let contact = store(draft, by: caller.user, via: "api-single", at: now)
        return .mautic(["contact": json(contact, .read(draft.echo))])
    }

    /// DELETE by an id that a merge ended deletes the survivor (A1).
    mutating func delete(
        _ id: Int, caller: MauticCaller, now: SandboxTime
    ) throws(MauticRefusal) -> SandboxResponse {
        guard let contact = resolve(id) else { throw .missing }
        guard caller.mayWrite else { throw .forbidden }
        remove(contact, by: caller.user, at: now)
        // Nothing of what is gone has an id any more (C9).
        var shown = contact
        shown.addresses = []
        for index in shown.doNotContact.indices { shown.doNotContact[index].id = 0 }
        return .mautic(["contact": json(shown, .read(), showing: .null)])
    }

    mutating func remove(_ contact: MauticContact, by user: MauticUser, at now: SandboxTime) {
        contacts[contact.id] = nil
        companyLinks[contact.id] = nil
        log(
            "delete", contact.id, .map([("name", .string(contact.displayName))]), by: user,
            at: now)
    }

    /// GET /api/fields/contact and /api/fields/company.
    func fieldList(
        _ all: [MauticField], of object: String, _ request: SandboxRequest
    ) -> SandboxResponse {
        let limit = request.parameters["limit"].flatMap(Int.init) ?? 30
        let start = request.parameters["start"].flatMap(Int.init) ?? 0
        let shown = all.dropFirst(max(start, 0)).prefix(limit == 0 ? .max : limit)
        let first = all.first?.id ?? 1
        let members = shown.map { field in
            SandboxJSON.Member(
                String(field.id),
                Self.definition(of: field, object: object, order: field.id - first + 1))
        }
        return .mautic([
            "total": .int(all.count),
            "fields": members.isEmpty ? [] : .object(members),
        ])
    }

    private static func definition(
        of field: MauticField, object: String, order: Int
    ) -> SandboxJSON {
        let isShort = ["firstname", "lastname", "email"].contains(field.alias)
        let properties = field.properties == [] ? [:] : field.properties
        return [
            "isPublished": true, "dateAdded": .null, "dateModified": .null, "createdBy": .null,
            "createdByUser": .null, "modifiedBy": .null, "modifiedByUser": .null,
            "id": .int(field.id), "label": .string(field.label), "alias": .string(field.alias),
            "type": .string(field.type), "group": .string(field.group), "order": .int(order),
            "object": .string(object), "defaultValue": field.alias == "points" ? "0" : .null,
            "isRequired": false, "isFixed": .bool(field.isFixed), "isListable": true,
            "isVisible": true, "isShortVisible": .bool(isShort),
            "isUniqueIdentifier": .bool(field.alias == "email"), "isPubliclyUpdatable": false,
            "properties": properties,
        ]
    }
}
