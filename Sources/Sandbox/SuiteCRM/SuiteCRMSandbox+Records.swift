extension SuiteCRMSandbox {
    /// A module's records by id in lower case.
    func table(_ module: SuiteCRMModule) -> [String: SuiteCRMRecord] {
        switch module {
        case .accounts: accounts
        case .contacts: contacts
        case .leads: leads
        case .opportunities: opportunities
        case .emailAddresses: addresses
        }
    }

    func record(_ module: SuiteCRMModule, _ id: String) -> SuiteCRMRecord? {
        table(module)[id.lowercased()]
    }

    mutating func store(_ record: SuiteCRMRecord, in module: SuiteCRMModule) {
        switch module {
        case .accounts: accounts[record.id.lowercased()] = record
        case .contacts: contacts[record.id.lowercased()] = record
        case .leads: leads[record.id.lowercased()] = record
        case .opportunities: opportunities[record.id.lowercased()] = record
        case .emailAddresses: addresses[record.id.lowercased()] = record
        }
    }

    /// The record that is not deleted; a deleted one answers as one that never was (fact 2).
    func living(
        _ module: SuiteCRMModule, _ id: String
    ) throws(SuiteCRMRefusal) -> SuiteCRMRecord {
        guard let record = record(module, id), !record.isDeleted else {
            throw .missing(module, id)
        }
        return record
    }

    /// GET /Api/V8/module/{M}/{id}.
    func read(
        _ module: SuiteCRMModule, _ id: String, _ request: SandboxRequest
    ) throws(SuiteCRMRefusal) -> SandboxResponse {
        let query = request.parameters.nested
        try Self.checkOptions(query, allowed: ["fields", "id", "moduleName"])
        let fields = try Self.fields(query["fields"], of: module)
        let record = try living(module, id)
        return .suiteCRM(["data": json(record, module, fields: fields)])
    }

    /// DELETE /Api/V8/module/{M}/{id}: the row stays, marked, and its date moves (fact 2).
    mutating func delete(
        _ module: SuiteCRMModule, _ id: String, now: SandboxTime
    ) throws(SuiteCRMRefusal) -> SandboxResponse {
        let record = try living(module, id)
        markDeleted(record, module, now: now)
        return .suiteCRM([
            "meta": ["message": .string("Record with id \(id) is deleted")], "data": [],
        ])
    }

    mutating func markDeleted(
        _ record: SuiteCRMRecord, _ module: SuiteCRMModule, now: SandboxTime
    ) {
        var record = record
        record["deleted"] = "1"
        record["date_modified"] = now.sql
        store(record, in: module)
        untieAll(record.id, module)
    }

    /// A record as its JSON: attributes in the module's order, then the links.
    func json(
        _ record: SuiteCRMRecord,
        _ module: SuiteCRMModule,
        fields: Set<String>? = nil,
        isWrite: Bool = false
    ) -> SandboxJSON {
        let attributes = attributes(record, module, fields: fields)
        return [
            "type": .string(module.singular), "id": .string(record.id),
            "attributes": attributes,
            "relationships": module.relationships(of: record.id, isWrite: isWrite),
        ]
    }

    func attributes(
        _ record: SuiteCRMRecord, _ module: SuiteCRMModule, fields: Set<String>?
    ) -> SandboxJSON {
        let emails = module.hasAddresses ? emails(of: record.id) : []
        let account = account(of: record.id, module)
        let shown = module.fields.filter { fields?.contains($0.name) ?? true }.map { field in
            SandboxJSON.Member(
                field.name, value(field, record, module, emails: emails, account: account))
        }
        return shown.isEmpty ? [] : .object(shown)
    }

    private func value(
        _ field: SuiteCRMField,
        _ record: SuiteCRMRecord,
        _ module: SuiteCRMModule,
        emails: [SuiteCRMRecord],
        account: SuiteCRMRecord?
    ) -> SandboxJSON {
        let text = record[field.name]
        switch field.kind {
        // The stub of a deal's account is an empty text where there is one (08).
        case .stub: return field.name == "accounts" && account != nil ? "" : [:]
        case .link: return ""
        case .computed:
            return .string(
                computed(field.name, record, module, emails: emails, account: account))
        case .dateTime:
            let time = text.flatMap(SandboxTime.init(parsing:))
            return .string(time?.isoMinutes ?? "")
        case .bool:
            // A bool that was never written comes as a real false (fact 24).
            if text == nil, field.initial == nil { return false }
            return .string(text ?? field.initial ?? "")
        case .text, .longText, .date, .number, .money, .integer:
            return .string(SuiteCRMText.shown(text ?? field.initial ?? ""))
        }
    }

    private func computed(
        _ name: String,
        _ record: SuiteCRMRecord,
        _ module: SuiteCRMModule,
        emails: [SuiteCRMRecord],
        account: SuiteCRMRecord?
    ) -> String {
        switch name {
        case "name", "full_name":
            let parts = [record["first_name"], record["last_name"]]
            if parts.allSatisfy({ $0 == nil }) { return " " }
            return SuiteCRMText.shown(
                parts.compactMap(\.self).filter { !$0.isEmpty }.joined(separator: " ")
                    .trimmingSpaces)
        case "account_id": return account?.id ?? ""
        case "account_name": return SuiteCRMText.shown(account?["name"] ?? "")
        case "currency_name": return "US Dollar"
        case "currency_symbol": return "$"
        case "parent_name":
            let parent = record["parent_id"].flatMap { self.record(module, $0) }
            return SuiteCRMText.shown(parent?["name"] ?? "")
        case "modified_by_name": return Self.userName(record["modified_user_id"])
        case "created_by_name": return Self.userName(record["created_by"])
        case "assigned_user_name": return Self.userName(record["assigned_user_id"])
        case "email1": return SuiteCRMText.shown(emails.first?["email_address"] ?? "")
        case "email2":
            return SuiteCRMText.shown(emails.dropFirst().first?["email_address"] ?? "")
        case "invalid_email": return emails.first.map { $0["invalid_email"] ?? "0" } ?? ""
        case "email_opt_out": return emails.first.map { $0["opt_out"] ?? "0" } ?? ""
        default: return ""
        }
    }

    static func userName(_ id: String?) -> String {
        switch id {
        case "1": "Administrator"
        case "seed_will_id": "Will Westin"
        case "seed_sally_id": "Sally Bronsen"
        default: ""
        }
    }

    /// The addresses a record holds, the primary one first.
    func emails(of holderID: String) -> [SuiteCRMRecord] {
        let held = links.filter { $0.holderID == holderID && !$0.isDeleted }
        let ordered = held.filter(\.isPrimary) + held.filter { !$0.isPrimary }
        var seen: Set<String> = []
        return ordered.compactMap { link in
            guard seen.insert(link.addressID).inserted,
                let address = addresses[link.addressID.lowercased()], !address.isDeleted
            else { return nil }
            return address
        }
    }

    /// Refuses parameters a call does not know, in the option resolver's words.
    static func checkOptions(
        _ json: SandboxJSON, allowed: [String]
    ) throws(SuiteCRMRefusal) {
        let names = (json.members?.map(\.name) ?? json.elements.map { $0.indices.map(String.init) })
        let unknown = (names ?? []).filter { !allowed.contains($0) }.sorted()
        guard !unknown.isEmpty else { return }
        func quoted(_ names: [String]) -> String {
            names.map { "\"\($0)\"" }.joined(separator: ", ")
        }
        let subject =
            unknown.count == 1
            ? "The option \(quoted(unknown)) does not exist."
            : "The options \(quoted(unknown)) do not exist."
        throw .invalid("\(subject) Defined options are: \(quoted(allowed.sorted())).")
    }

    /// The attributes that `fields[M]` asks for; nil for all (fact 36).
    static func fields(
        _ parameter: SandboxJSON?, of module: SuiteCRMModule
    ) throws(SuiteCRMRefusal) -> Set<String>? {
        guard let parameter else { return nil }
        if let text = parameter.string {
            throw .invalid(
                "The option \"fields\" with value \"\(text)\" is expected to be of type "
                    + "\"array\", but is of type \"string\".")
        }
        guard let list = parameter[module.rawValue]?.string else { return [] }
        let names = list.split(separator: ",").map(\.trimmingSpaces)
        for name in names where name != "id" && module.field(name) == nil {
            throw .invalid(
                "The following field in \(module.singular) module is not found: \(name)")
        }
        return Set(names)
    }
}
