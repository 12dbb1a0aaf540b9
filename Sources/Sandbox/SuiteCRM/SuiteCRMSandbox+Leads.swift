/// People who are leads: known, and not yet contacts.
extension SuiteCRMSandbox {
    @discardableResult
    package mutating func seedLead(_ person: SandboxPerson, at time: SandboxTime) -> String {
        seed(person, in: .leads, at: time)
    }

    @discardableResult
    package mutating func personEditsLead(
        _ id: String, at time: SandboxTime, _ edit: (inout SandboxPerson) -> Void
    ) -> Bool {
        personEdits(id, in: .leads, at: time, edit)
    }

    @discardableResult
    package mutating func personDeletesLead(_ id: String, at time: SandboxTime) -> Bool {
        personDeletes(id, .leads, at: time)
    }

    /// The interface's conversion: a contact with what the lead holds, and a lead that says so.
    ///
    /// Not recorded: the API cannot do it (fact 46). The lead's columns for it are those of
    /// recording 03.
    ///
    /// - Returns: the contact's id; `nil` where there is no such lead.
    @discardableResult
    package mutating func personConverts(
        _ id: String, account: String? = nil, at time: SandboxTime
    ) -> String? {
        guard var lead = leads[id.lowercased()], !lead.isDeleted,
            var person = leadRows.first(where: { $0.id == lead.id })?.person
        else { return nil }
        person.account = account
        let contact = seed(person, at: time)
        lead["converted"] = "1"
        lead["status"] = "Converted"
        lead["contact_id"] = contact
        touch(&lead, at: time)
        store(lead, in: .leads)
        return contact
    }

    /// The living leads in id order, converted ones too.
    package var leadRows: [SandboxRow] { rows(in: .leads) }
}
