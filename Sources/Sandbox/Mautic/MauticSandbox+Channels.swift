extension MauticSandbox {
    /// POST /api/contacts/{id}/dnc/{channel}/add; any channel is taken, reason 0 is not (D10).
    mutating func addDoNotContact(
        _ id: Int,
        _ channel: String,
        _ request: SandboxRequest,
        caller: MauticCaller,
        now: SandboxTime
    ) throws(MauticRefusal) -> SandboxResponse {
        guard var contact = resolve(id) else { throw .missing }
        guard caller.mayWrite else { throw .forbidden }
        let body = try Self.body(of: request)
        let reason = body["reason"].map { $0.int ?? 0 } ?? 3
        guard reason > 0 else { throw .badReason }
        contact.tags.sort { collated($0) < collated($1) }
        let details = refuse(
            channel, reason: reason, comments: body["comments"]?.string ?? "",
            on: &contact, now: now)
        contact = storeConsent(details, contact, by: caller.user, at: now)
        return .mautic(["contact": json(contact, .channel)])
    }

    mutating func removeDoNotContact(
        _ id: Int, _ channel: String, caller: MauticCaller, now: SandboxTime
    ) throws(MauticRefusal) -> SandboxResponse {
        guard var contact = resolve(id) else { throw .missing }
        guard caller.mayWrite else { throw .forbidden }
        contact.tags.sort { collated($0) < collated($1) }
        let details = stopRefusing(channel, on: &contact)
        contact = storeConsent(details, contact, by: caller.user, at: now)
        return .mautic([
            "recordFound": .bool(details != nil), "contact": json(contact, .channel),
        ])
    }

    mutating func storeConsent(
        _ details: PHPValue?, _ contact: MauticContact, by user: MauticUser, at now: SandboxTime
    ) -> MauticContact {
        var draft = MauticDraft(contact)
        if let details { draft.changes.consent = [details] }
        return store(draft, by: user, via: nil, at: now)
    }

    /// Marks the channel; the audit log's details, or nil where nothing changed.
    mutating func refuse(
        _ channel: String,
        reason: Int,
        comments: String,
        on contact: inout MauticContact,
        now: SandboxTime
    ) -> PHPValue? {
        let comments = encodedForHTML(comments)
        var told: [(String, PHPValue)] = [("reason", .int(reason))]
        if let index = contact.doNotContact.firstIndex(where: { $0.channel == channel }) {
            guard contact.doNotContact[index].reason != reason else { return nil }
            told.append(("old_reason", .int(contact.doNotContact[index].reason)))
            contact.doNotContact[index].reason = reason
            contact.doNotContact[index].comments = comments
        } else {
            contact.doNotContact.append(
                MauticDoNotContact(
                    id: nextDoNotContactID, channel: channel, reason: reason, comments: comments,
                    added: now))
            nextDoNotContactID += 1
        }
        told.append(("comments", .string(comments)))
        return .map([("dnc_channel_status", .map([(channel, .map(told))]))])
    }

    /// Lifts the channel's mark; the audit log's details, or nil where there was none.
    mutating func stopRefusing(
        _ channel: String, on contact: inout MauticContact
    ) -> PHPValue? {
        guard let index = contact.doNotContact.firstIndex(where: { $0.channel == channel }) else {
            return nil
        }
        let old = contact.doNotContact.remove(at: index)
        let told: [(String, PHPValue)] = [
            ("reason", .int(0)), ("old_reason", .int(old.reason)),
            ("comments", .string(old.comments)),
        ]
        return .map([("dnc_channel_status", .map([(channel, .map(told))]))])
    }

    /// POST /api/contacts/{id}/points/{operator}/{delta}; `times` and `divide` work too (D10).
    mutating func changePoints(
        _ id: Int,
        _ operation: String,
        _ delta: String,
        caller: MauticCaller,
        now: SandboxTime
    ) throws(MauticRefusal) -> SandboxResponse {
        guard var contact = resolve(id) else { throw .contactMissing }
        guard caller.mayWrite else { throw .forbidden }
        guard let delta = Int(delta) else { throw .crash(500) }
        let old = contact.points
        switch operation {
        case "minus": contact.points -= delta
        case "times": contact.points *= delta
        case "divide" where delta != 0: contact.points /= delta
        case "plus": contact.points += delta
        default: break
        }
        if contact.points != old {
            contact.modified = SandboxTime(seconds: now.seconds)
            contact.modifiedBy = caller.user
            let details = PHPValue.map([
                ("points", .list([.int(old), .int(contact.points)]))
            ])
            log("update", contact.id, details, by: caller.user, at: now)
        }
        contacts[contact.id] = contact
        return .mautic(["success": 1])
    }
}
