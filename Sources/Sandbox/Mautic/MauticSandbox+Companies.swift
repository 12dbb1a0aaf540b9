extension MauticSandbox {
    /// The calls under `/api/companies`; nil where the route does not exist.
    mutating func companyCall(
        _ request: SandboxRequest, caller: MauticCaller, now: SandboxTime
    ) throws(MauticRefusal) -> SandboxResponse? {
        let path = Array(request.segments.dropFirst())
        guard path.first == "companies" else { return nil }
        let id = path.count > 1 ? Int(path[1]) : nil
        switch ((request.method, path.count), id) {
        case (("GET", 1), _): return try companyList(request)
        case (("GET", 2), let id?):
            return .mautic(["company": json(try company(id), .read)])
        case (("POST", 2), nil) where path[1] == "new":
            return try createCompany(request, .create, caller: caller, now: now)
        case (("PATCH", 3), let id?) where path[2] == "edit",
            (("PUT", 3), let id?) where path[2] == "edit":
            return try editCompany(id, request, caller: caller, now: now)
        case (("DELETE", 3), let id?) where path[2] == "delete":
            return try deleteCompany(id, caller: caller, now: now)
        case (("POST", 5), let id?) where path[2] == "contact":
            return try changeLink(id, path[3], path[4], caller: caller, now: now)
        default: return nil
        }
    }

    private func company(_ id: Int) throws(MauticRefusal) -> MauticCompany {
        guard let company = companies[id] else { throw .missing }
        return company
    }

    /// GET /api/companies: as with contacts; `minimal` leaves nothing out (companies-incremental).
    private func companyList(_ request: SandboxRequest) throws(MauticRefusal) -> SandboxResponse {
        let query = request.parameters.nested
        let (start, limit) = try (
            Self.count(query["start"], default: 0), Self.count(query["limit"], default: 30)
        )
        var table = MauticQuery<MauticCompany>(
            numeric: [
                "id", "score", "is_published", "companynumber_of_employees",
                "companyannual_revenue",
            ],
            dates: ["date_added", "date_modified"], cell: Self.cell)
        table.conditions = try Self.conditions(query, columns: Self.companyColumns)
        table.order = try Self.order(
            query, columns: Self.companyColumns, otherwise: ("companyname", false))
        let wanted = query["search"]?.string.flatMap(MauticSearch.init)
        let candidates = companies.values.sorted { $0.id < $1.id }
        let found = table.select(candidates.filter { wanted?.covers($0) ?? true })
        let page = found.dropFirst(start).prefix(limit == 0 ? .max : limit)
        return .mautic([
            "total": .string(String(found.count)),
            "companies": .object(page.map { .init(String($0.id), json($0, .listed)) }),
        ])
    }

    private static let companyColumns: Set<String> = MauticField.companyAliases.union([
        "id", "is_published", "date_added", "created_by_user", "date_modified",
        "modified_by_user", "score",
    ])

    private static func cell(_ company: MauticCompany, _ column: String) -> String? {
        switch column {
        case "id": String(company.id)
        case "is_published": "1"
        case "score": "0"
        case "date_added": company.added.sql
        case "date_modified": company.modified?.sql
        case "created_by_user": company.createdBy?.name
        case "modified_by_user": company.modifiedBy?.name
        default: company[column]
        }
    }

    /// POST /api/companies/new, or a PUT on an id that is none (D6).
    private mutating func createCompany(
        _ request: SandboxRequest, _ mode: MauticWrite, caller: MauticCaller, now: SandboxTime
    ) throws(MauticRefusal) -> SandboxResponse {
        guard caller.mayWrite else { throw .forbidden }
        let blank = MauticCompany(id: nextCompanyID, added: now, createdBy: caller.user)
        let draft = try companyDraft(Self.body(of: request), mode, on: blank)
        insert(draft, by: caller.user, at: now)
        return .mautic(
            status: 201, ["company": json(draft.company, .created)],
            headers: [SandboxHeader("Location", "/api/companies/\(blank.id)")])
    }

    private mutating func editCompany(
        _ id: Int, _ request: SandboxRequest, caller: MauticCaller, now: SandboxTime
    ) throws(MauticRefusal) -> SandboxResponse {
        let mode: MauticWrite = request.method == "PUT" ? .put : .patch
        if mode == .put, companies[id] == nil {
            return try createCompany(request, .put, caller: caller, now: now)
        }
        let known = try company(id)
        guard caller.mayWrite else { throw .forbidden }
        let draft = try companyDraft(Self.body(of: request), mode, on: known)
        let stored = store(draft, by: caller.user, at: now)
        return .mautic(["company": json(stored, .read)])
    }

    private mutating func deleteCompany(
        _ id: Int, caller: MauticCaller, now: SandboxTime
    ) throws(MauticRefusal) -> SandboxResponse {
        let known = try company(id)
        guard caller.mayWrite else { throw .forbidden }
        remove(known, by: caller.user, at: now)
        return .mautic(["company": json(known, .read, showing: .null)])
    }

    /// POST /api/companies/{id}/contact/{contactId}/add and /remove; a second time is a success
    /// too (G3).
    private mutating func changeLink(
        _ id: Int, _ contactID: String, _ verb: String, caller: MauticCaller, now: SandboxTime
    ) throws(MauticRefusal) -> SandboxResponse? {
        guard verb == "add" || verb == "remove", let contactID = Int(contactID) else { return nil }
        let company = try company(id)
        guard caller.mayWrite else { throw .forbidden }
        guard let contact = resolve(contactID) else { throw .missing }
        if verb == "add" {
            add(contact.id, to: company, at: now)
        } else {
            removeLink(contact.id, from: company, at: now)
        }
        return .mautic(["success": 1])
    }
}

/// What a body did to a company, before it is stored.
struct MauticCompanyDraft {
    var company: MauticCompany
    var changes = MauticChanges()

    init(_ company: MauticCompany) { self.company = company }

    mutating func set(_ alias: String, _ text: String?) {
        let old = company[alias]
        guard old != text else { return }
        changes.fields.append(.init(alias: alias, old: .text(old), new: .string(text ?? "")))
        company.values[alias] = text
    }
}

extension MauticSandbox {
    /// Applies a body to a company; a PATCH blanks what it is told to (A8).
    private func companyDraft(
        _ body: SandboxJSON, _ mode: MauticWrite, on company: MauticCompany
    ) throws(MauticRefusal) -> MauticCompanyDraft {
        var draft = MauticCompanyDraft(company)
        var violations: [MauticViolation] = []
        for field in MauticField.companies {
            let sent = body[field.alias]
            guard sent != nil || mode == .put else { continue }
            draft.set(
                field.alias, try Self.text(sent ?? "", for: field, mode, &violations))
        }
        let name = collated(draft.company.name)
        if name.isEmpty {
            violations.append(
                MauticViolation(field: "companyname", message: "This value should not be blank."))
        } else if companies.values.contains(where: {
            $0.id != company.id && collated($0.name) == name
        }) {
            violations.append(
                MauticViolation(
                    field: "companyname", message: "This field must be unique.",
                    isUniqueness: true))
        }
        guard violations.isEmpty else { throw .invalid(violations) }
        return draft
    }

    mutating func insert(
        _ draft: MauticCompanyDraft, by user: MauticUser, at now: SandboxTime
    ) {
        nextCompanyID = max(nextCompanyID, draft.company.id + 1)
        companies[draft.company.id] = draft.company
        log(
            "create", draft.company.id,
            draft.changes.details(of: "create", by: user, via: nil), of: "company", by: user,
            at: now)
    }

    /// Stores an edit; its row of the audit log tells the stamp too (audit-feed).
    mutating func store(
        _ draft: MauticCompanyDraft, by user: MauticUser, at now: SandboxTime
    ) -> MauticCompany {
        var company = draft.company
        company.modifiedBy = user
        if !draft.changes.isEmpty {
            let stamp = SandboxTime(seconds: now.seconds)
            let dates = PHPValue.list([.text(company.modified?.iso), .string(stamp.iso)])
            let details = draft.changes.details(of: "update", by: user, via: nil)
            company.modified = stamp
            log(
                "update", company.id, details.appending("dateModified", dates), of: "company",
                by: user, at: now)
        }
        companies[company.id] = company
        rename(company)
        return company
    }

    mutating func remove(_ company: MauticCompany, by user: MauticUser, at now: SandboxTime) {
        companies[company.id] = nil
        for id in companyLinks.keys {
            companyLinks[id]?.removeAll { $0.companyID == company.id }
        }
        log(
            "delete", company.id, .map([("name", .string(company.name))]), of: "company",
            by: user, at: now)
    }
}

extension PHPValue {
    /// This array with one more entry.
    func appending(_ name: String, _ value: PHPValue) -> PHPValue {
        guard case .array(let entries) = self else { return self }
        return .array(entries + [Entry(key: .string(name), value: value)])
    }
}
