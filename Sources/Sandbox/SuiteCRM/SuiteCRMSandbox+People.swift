extension SuiteCRMSandbox {
    private static let columns: [(column: String, part: SandboxPart)] = [
        ("first_name", \.firstName), ("last_name", \.lastName), ("phone_work", \.phone),
        ("phone_mobile", \.mobile), ("title", \.jobTitle), ("primary_address_street", \.street),
        ("primary_address_city", \.city), ("primary_address_postalcode", \.postcode),
        ("description", \.description),
    ]

    @discardableResult
    package mutating func seed(_ person: SandboxPerson, at time: SandboxTime) -> String {
        let id = seed(person, in: .contacts, at: time)
        move(id, .contacts, to: person.account)
        return id
    }

    mutating func seed(
        _ person: SandboxPerson, in module: SuiteCRMModule, at time: SandboxTime
    ) -> String {
        var record = blank(module, at: time)
        for (column, part) in Self.columns { record[column] = person[keyPath: part] }
        store(record, in: module)
        if let email = person.email, !email.isEmpty {
            let id = addressID(for: email, now: time)
            links.append(SuiteCRMLink(holderID: record.id, addressID: id, isPrimary: true))
            if person.emailOptOut { addresses[id.lowercased()]?["opt_out"] = "1" }
        }
        return record.id
    }

    /// What a column of a contact holds, whether or not a `SandboxPerson` has it.
    package func column(_ name: String, of id: String) -> String? {
        record(.contacts, id)?[name]
    }

    /// The same of a lead.
    package func leadColumn(_ name: String, of id: String) -> String? {
        record(.leads, id)?[name]
    }

    /// The program's own form: unlike the API it does change the address, and an edit of the
    /// address alone moves the contact's date too (fact 41).
    @discardableResult
    package mutating func personEdits(
        _ id: String, at time: SandboxTime, _ edit: (inout SandboxPerson) -> Void
    ) -> Bool {
        personEdits(id, in: .contacts, at: time, edit)
    }

    /// Somebody types into a column of a contact, whether or not a `SandboxPerson` has it.
    package mutating func personTypes(
        _ text: String, into column: String, of id: String, at time: SandboxTime
    ) {
        guard var record = record(.contacts, id), !record.isDeleted else { return }
        record[column] = text
        touch(&record, at: time)
        store(record, in: .contacts)
    }

    mutating func personEdits(
        _ id: String, in module: SuiteCRMModule, at time: SandboxTime,
        _ edit: (inout SandboxPerson) -> Void
    ) -> Bool {
        guard var record = record(module, id), !record.isDeleted else {
            return false
        }
        let before = person(record, in: module)
        var after = before
        edit(&after)
        guard after != before else { return true }
        for (column, part) in Self.columns where after[keyPath: part] != before[keyPath: part] {
            record[column] = Self.typed(after[keyPath: part], column, module)
        }
        touch(&record, at: time)
        store(record, in: module)
        if module == .contacts { move(record.id, module, to: after.account) }
        if after.email != before.email { replaceAddress(of: record, with: after.email, at: time) }
        if after.emailOptOut != before.emailOptOut {
            setOptOut(of: record, to: after.emailOptOut, at: time)
        }
        return true
    }

    mutating func replaceAddress(
        of record: SuiteCRMRecord, with email: String?, at time: SandboxTime
    ) {
        for index in links.indices
        where links[index].holderID == record.id && links[index].isPrimary {
            links[index].isDeleted = true
        }
        guard let email, !email.isEmpty else { return }
        let id = addressID(for: email, now: time)
        links.append(SuiteCRMLink(holderID: record.id, addressID: id, isPrimary: true))
    }

    private mutating func setOptOut(
        of record: SuiteCRMRecord, to value: Bool, at time: SandboxTime
    ) {
        guard let address = emails(of: record.id).first else { return }
        addresses[address.id.lowercased()]?["opt_out"] = value ? "1" : "0"
        addresses[address.id.lowercased()]?["date_modified"] = time.sql
    }

    @discardableResult
    package mutating func personDeletes(_ id: String, at time: SandboxTime) -> Bool {
        personDeletes(id, .contacts, at: time)
    }

    /// The opt-out stands on the address, for everybody who shares it, and moves no contact's
    /// date (fact 41a); false where the contact has no address.
    @discardableResult
    package mutating func personOptsOut(_ id: String, at time: SandboxTime) -> Bool {
        guard let record = contacts[id.lowercased()], !record.isDeleted,
            !emails(of: record.id).isEmpty
        else { return false }
        setOptOut(of: record, to: true, at: time)
        return true
    }

    /// The living contacts in id order.
    package var rows: [SandboxRow] { rows(in: .contacts) }

    func rows(in module: SuiteCRMModule) -> [SandboxRow] {
        living(in: module).map { record in
            SandboxRow(
                id: record.id, person: person(record, in: module),
                added: record.time("date_entered") ?? SandboxTime(seconds: 0),
                modified: record.time("date_modified"))
        }
    }

    private func person(_ record: SuiteCRMRecord, in module: SuiteCRMModule) -> SandboxPerson {
        let address = emails(of: record.id).first
        var person = SandboxPerson(
            email: address?["email_address"], emailOptOut: address?["opt_out"] == "1",
            account: module == .contacts ? account(of: record.id, module)?.id : nil)
        for (column, part) in Self.columns {
            person[keyPath: part] = record[column].flatMap { $0.isEmpty ? nil : $0 }
        }
        return person
    }
}
