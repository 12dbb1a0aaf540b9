extension MauticSandbox {
    /// GET /api/contacts/{id}/companies: the raw columns, without the empty ones (C10).
    func companies(of id: Int) throws(MauticRefusal) -> SandboxResponse {
        guard let contact = resolve(id) else { throw .missing }
        let rows = (companyLinks[contact.id] ?? []).compactMap { link -> SandboxJSON? in
            companies[link.companyID].map { Self.row(link, $0) }
        }
        return .mautic(["total": .int(rows.count), "companies": .array(rows)])
    }

    private static func row(_ link: MauticCompanyLink, _ company: MauticCompany) -> SandboxJSON {
        let id = SandboxJSON.string(String(company.id))
        let members: [SandboxJSON.Member] = [
            .init("company_id", id), .init("date_associated", .string(link.added.sql)),
            .init("is_primary", link.isPrimary ? "1" : "0"), .init("id", id),
            .init("is_published", "1"), .init("date_added", .string(company.added.sql)),
            .init("created_by", .text(company.createdBy?.id.map(String.init))),
            .init("created_by_user", .text(company.createdBy?.name)),
            .init("date_modified", .text(company.modified?.sql)),
            .init("modified_by", .text(company.modifiedBy?.id.map(String.init))),
            .init("modified_by_user", .text(company.modifiedBy?.name)),
            .init("social_cache", "a:0:{}"), .init("score", "0"),
        ]
        let values = MauticField.listedCompanies.map {
            SandboxJSON.Member($0.alias, .text(company[$0.alias]))
        }
        return SandboxJSON.object(members + values).withoutNulls
    }

    /// Adds a contact to a company, which becomes its primary one: the contact's `company` follows
    /// and its date moves, and the audit log tells nothing of it (B12, hooks).
    mutating func add(_ contactID: Int, to company: MauticCompany, at now: SandboxTime) {
        guard link(contactID, to: company.id, at: now) else { return }
        name(contactID, company.name, at: now)
    }

    /// Takes a contact out of a company; where it was the primary one, the latest other follows.
    mutating func removeLink(_ contactID: Int, from company: MauticCompany, at now: SandboxTime) {
        let held = companyLinks[contactID] ?? []
        guard let link = held.first(where: { $0.companyID == company.id }) else { return }
        var rest = held.filter { $0.companyID != company.id }
        if link.isPrimary, let last = rest.indices.last { rest[last].isPrimary = true }
        companyLinks[contactID] = rest
        guard link.isPrimary else { return }
        name(contactID, rest.last.flatMap { companies[$0.companyID]?.name }, at: now)
    }

    /// The contact's primary company.
    func primaryCompany(of contactID: Int) -> MauticCompany? {
        companyLinks[contactID]?.last { $0.isPrimary }.flatMap { companies[$0.companyID] }
    }

    /// A company's new name reaches its contacts, whose dates stay (datemodified-matrix).
    mutating func rename(_ company: MauticCompany) {
        for (id, links) in companyLinks
        where links.contains(where: { $0.companyID == company.id && $0.isPrimary }) {
            contacts[id]?.values["company"] = company.name
        }
    }

    /// A contact's `company` text makes the company where it is new, and the contact one of it
    /// (contacts-create, contacts-edit); a blank one ends the primary membership.
    mutating func follow(
        _ changes: MauticChanges, of contactID: Int, by user: MauticUser, at now: SandboxTime
    ) {
        guard let pair = changes.fields.last(where: { $0.alias == "company" }),
            case .string(let text) = pair.new
        else { return }
        guard !text.isEmpty else {
            companyLinks[contactID]?.removeAll(where: \.isPrimary)
            return
        }
        let name = collated(text)
        let known = companies.values.filter { collated($0.name) == name }.map(\.id).min()
        if let known {
            _ = link(contactID, to: known, at: now)
            return
        }
        var draft = MauticCompanyDraft(
            MauticCompany(id: nextCompanyID, added: now, createdBy: user))
        draft.set("companyname", text)
        insert(draft, by: user, at: now)
        _ = link(contactID, to: draft.company.id, at: now)
    }

    /// Makes a company the contact's primary one; false where it is one of its companies already.
    private mutating func link(_ contactID: Int, to companyID: Int, at now: SandboxTime) -> Bool {
        var links = companyLinks[contactID] ?? []
        guard !links.contains(where: { $0.companyID == companyID }) else { return false }
        for index in links.indices { links[index].isPrimary = false }
        links.append(MauticCompanyLink(companyID: companyID, added: now, isPrimary: true))
        companyLinks[contactID] = links
        return true
    }

    private mutating func name(_ contactID: Int, _ text: String?, at now: SandboxTime) {
        guard contacts[contactID]?.values["company"] != text else { return }
        contacts[contactID]?.values["company"] = text
        contacts[contactID]?.modified = SandboxTime(seconds: now.seconds)
    }
}
