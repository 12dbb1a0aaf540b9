extension MauticSandbox {
    /// The alias that holds each part of a person.
    private static let aliases: [(alias: String, part: SandboxPart)] = [
        ("email", \.email), ("firstname", \.firstName), ("lastname", \.lastName),
        ("phone", \.phone), ("mobile", \.mobile), ("position", \.jobTitle),
        ("address1", \.street), ("city", \.city), ("zipcode", \.postcode),
    ]

    @discardableResult
    package mutating func seed(_ person: SandboxPerson, at time: SandboxTime) -> String {
        var contact = MauticContact(id: nextContactID, added: time, createdBy: .admin)
        nextContactID += 1
        var changes = MauticChanges()
        for field in MauticField.stored {
            guard let part = Self.aliases.first(where: { $0.alias == field.alias })?.part,
                let text = person[keyPath: part], !text.isEmpty
            else { continue }
            contact.values[field.alias] = text
            changes.fields.append(
                .init(alias: field.alias, old: .null, new: .string(text)))
        }
        for tag in person.tags {
            contact.tags.append(tag)
            tagIDs[tag] = tagIDs[tag] ?? tagIDs.count + 1
        }
        changes.addedTags = person.tags
        contact.points = person.points
        if contact.isKnown {
            contact.identified = time
            changes.identified = time
        }
        if person.emailOptOut,
            let details = refuse(
                "email", reason: 1, comments: "User unsubscribed.", on: &contact, now: time)
        {
            changes.consent = [details]
        }
        contacts[contact.id] = contact
        log(changes, "create", contact.id, by: .admin, via: "lead:lead", at: time)
        if let company = person.account.flatMap(Int.init).flatMap({ companies[$0] }) {
            add(contact.id, to: company, at: time)
            contacts[contact.id]?.modified = nil
        }
        return String(contact.id)
    }

    @discardableResult
    package mutating func personEdits(
        _ id: String, at time: SandboxTime, _ edit: (inout SandboxPerson) -> Void
    ) -> Bool {
        guard let known = Int(id).flatMap({ contacts[$0] }) else { return false }
        let before = person(known)
        var after = before
        edit(&after)
        var draft = MauticDraft(known)
        for field in MauticField.stored {
            guard let part = Self.aliases.first(where: { $0.alias == field.alias })?.part,
                after[keyPath: part] != before[keyPath: part]
            else { continue }
            if let text = after[keyPath: part], !text.isEmpty {
                draft.set(field.alias, text)
            } else {
                draft.blank(field.alias, showing: false)
            }
        }
        editTags(from: before.tags, to: after.tags, in: &draft)
        if after.points != before.points {
            draft.changes.fields.append(
                .init(
                    alias: "points", old: .int(before.points),
                    new: .double(String(after.points))))
            draft.contact.points = after.points
        }
        if after.emailOptOut != before.emailOptOut {
            let details =
                after.emailOptOut
                ? refuse("email", reason: 3, comments: "", on: &draft.contact, now: time)
                : stopRefusing("email", on: &draft.contact)
            if let details { draft.changes.consent = [details] }
        }
        if draft.contact.identified == nil, draft.contact.isKnown {
            draft.contact.identified = time
            draft.changes.identified = time
        }
        _ = store(draft, by: .admin, via: "lead", at: time)
        move(known.id, to: after.account, at: time)
        return true
    }

    private mutating func editTags(
        from old: [String], to new: [String], in draft: inout MauticDraft
    ) {
        draft.changes.removedTags = old.filter { !new.contains($0) }
        draft.changes.addedTags = new.filter { !old.contains($0) }
        draft.contact.tags.removeAll { !new.contains($0) }
        for tag in draft.changes.addedTags {
            draft.contact.tags.append(tag)
            tagIDs[tag] = tagIDs[tag] ?? tagIDs.count + 1
        }
    }

    @discardableResult
    package mutating func personDeletes(_ id: String, at time: SandboxTime) -> Bool {
        guard let contact = Int(id).flatMap({ contacts[$0] }) else { return false }
        remove(contact, by: .admin, at: time)
        return true
    }

    /// The unsubscribe link of an e-mail: reason 1, by nobody in particular.
    @discardableResult
    package mutating func personOptsOut(_ id: String, at time: SandboxTime) -> Bool {
        guard var contact = Int(id).flatMap({ contacts[$0] }) else { return false }
        let details = refuse(
            "email", reason: 1, comments: "User unsubscribed.", on: &contact, now: time)
        _ = storeConsent(details, contact, by: .system, at: time)
        return true
    }

    /// Mautic finds two contacts to be one person: the old id dies, and from then on answers as the
    /// survivor (A1).
    ///
    /// Values of the survivor win, gaps are filled, points add up.
    @discardableResult
    package mutating func mauticMerges(
        _ old: String, into new: String, at time: SandboxTime
    ) -> Bool {
        guard let loser = Int(old).flatMap({ contacts[$0] }),
            let winner = Int(new).flatMap({ contacts[$0] }), loser.id != winner.id
        else { return false }
        let memberships = companyLinks[loser.id]
        var draft = MauticDraft(winner)
        for field in MauticField.stored where winner[field.alias] == nil {
            if let text = loser[field.alias] { draft.set(field.alias, text) }
        }
        if loser.points != 0 {
            let sum = winner.points + loser.points
            draft.changes.fields.append(
                .init(alias: "points", old: .int(winner.points), new: .int(sum)))
            draft.contact.points = sum
        }
        editTags(
            from: winner.tags,
            to: winner.tags + loser.tags.filter { !winner.tags.contains($0) }, in: &draft)
        let channels = Set(winner.doNotContact.map(\.channel))
        draft.contact.doNotContact += loser.doNotContact.filter { !channels.contains($0.channel) }
        draft.contact.identified = winner.identified ?? loser.identified
        if !draft.changes.isEmpty {
            log(draft.changes, "update", winner.id, by: .system, via: nil, at: time)
        }
        draft.contact.modified = SandboxTime(seconds: time.seconds)
        draft.contact.modifiedBy = .nobody
        contacts[winner.id] = draft.contact
        log("merge", loser.id, .map([("merged_into", .int(winner.id))]), by: .system, at: time)
        remove(loser, by: .system, at: time)
        survivors[loser.id] = winner.id
        if companyLinks[winner.id]?.isEmpty ?? true { companyLinks[winner.id] = memberships }
        return true
    }

    /// The living contacts in id order.
    package var rows: [SandboxRow] {
        contacts.values.sorted { $0.id < $1.id }.map {
            SandboxRow(
                id: String($0.id), person: person($0), added: $0.added, modified: $0.modified)
        }
    }

    private func person(_ contact: MauticContact) -> SandboxPerson {
        var person = SandboxPerson(
            tags: contact.tags.sorted(),
            points: contact.points,
            emailOptOut: contact.doNotContact.contains { $0.channel == "email" },
            account: primaryCompany(of: contact.id).map { String($0.id) })
        for (alias, part) in Self.aliases { person[keyPath: part] = contact[alias] }
        return person
    }
}
