extension MauticSandbox {
    /// The alias that holds each part of an account.
    private static let companyParts: [(alias: String, part: SandboxAccountPart)] = [
        ("companyname", \.name), ("companywebsite", \.website), ("companyphone", \.phone),
        ("companyindustry", \.industry), ("companyaddress1", \.street),
        ("companycity", \.city), ("companyzipcode", \.postcode),
        ("companycountry", \.country), ("companydescription", \.description),
        ("companyemail", \.email),
    ]

    @discardableResult
    package mutating func seed(_ account: SandboxAccount, at time: SandboxTime) -> String {
        var draft = MauticCompanyDraft(
            MauticCompany(id: nextCompanyID, added: time, createdBy: .admin))
        apply(account, to: &draft)
        insert(draft, by: .admin, at: time)
        return String(draft.company.id)
    }

    @discardableResult
    package mutating func personEditsAccount(
        _ id: String, at time: SandboxTime, _ edit: (inout SandboxAccount) -> Void
    ) -> Bool {
        guard let known = Int(id).flatMap({ companies[$0] }) else { return false }
        var account = Self.account(known)
        edit(&account)
        var draft = MauticCompanyDraft(known)
        apply(account, to: &draft)
        _ = store(draft, by: .admin, at: time)
        return true
    }

    @discardableResult
    package mutating func personDeletesAccount(_ id: String, at time: SandboxTime) -> Bool {
        guard let company = Int(id).flatMap({ companies[$0] }) else { return false }
        remove(company, by: .admin, at: time)
        return true
    }

    /// The companies in id order.
    package var accountRows: [SandboxAccountRow] {
        companies.values.sorted { $0.id < $1.id }.map {
            SandboxAccountRow(
                id: String($0.id), account: Self.account($0), added: $0.added,
                modified: $0.modified)
        }
    }

    /// Gives a contact another primary company, or none.
    mutating func move(_ contactID: Int, to account: String?, at time: SandboxTime) {
        let before = primaryCompany(of: contactID)
        let after = account.flatMap(Int.init).flatMap { companies[$0] }
        guard before?.id != after?.id else { return }
        if let before { removeLink(contactID, from: before, at: time) }
        if let after { add(contactID, to: after, at: time) }
    }

    private func apply(_ account: SandboxAccount, to draft: inout MauticCompanyDraft) {
        for field in MauticField.companies {
            if field.alias == "companynumber_of_employees" {
                draft.set(field.alias, account.employees.map(String.init))
            }
            guard let part = Self.companyParts.first(where: { $0.alias == field.alias })?.part
            else { continue }
            let text = account[keyPath: part]
            draft.set(field.alias, text?.isEmpty == true ? nil : text)
        }
    }

    private static func account(_ company: MauticCompany) -> SandboxAccount {
        var account = SandboxAccount(
            employees: company["companynumber_of_employees"].flatMap { Int($0) })
        for (alias, part) in companyParts { account[keyPath: part] = company[alias] }
        return account
    }
}
