/// How a write treats what it is given.
enum MauticWrite {
    case create
    /// Blanks and zero are no statement, unless the body says otherwise (A8).
    case patch
    /// What is not sent becomes blank; tags and owner stay (A8).
    case put
}

/// What a body did to a contact, before it is stored.
struct MauticDraft {
    var contact: MauticContact
    var changes = MauticChanges()
    var echo = MauticEcho()
    fileprivate var violations: [MauticViolation] = []

    init(_ contact: MauticContact) { self.contact = contact }
}

extension MauticSandbox {
    /// Applies a body to a contact; nothing is stored, but tags and addresses get their ids.
    mutating func draft(
        _ body: SandboxJSON, _ mode: MauticWrite, on contact: MauticContact, now: SandboxTime
    ) throws(MauticRefusal) -> MauticDraft {
        var draft = MauticDraft(contact)
        draft.contact.tags.sort { collated($0) < collated($1) }
        let overwrites = body["overwriteWithBlank"]?.scalarText == "1"
        let keepsBlanks = mode == .put || overwrites
        applyTags(body, to: &draft)
        for field in MauticField.stored {
            let sent = body[field.alias]
            guard sent != nil || mode == .put else { continue }
            let text = try Self.text(sent ?? "", for: field, mode, &draft.violations)
            guard let text, !text.isEmpty else {
                if keepsBlanks { draft.blank(field.alias, showing: mode == .put) }
                continue
            }
            draft.set(field.alias, text)
        }
        applyPoints(body, mode, overwrites: overwrites, to: &draft)
        applyOwner(body, to: &draft)
        applyStage(body, to: &draft)
        draft.moveLastActive(to: body["lastActive"]?.string, mode)
        if let text = body["ipAddress"]?.string, !draft.contact.addresses.contains(text) {
            draft.contact.addresses.append(text)
            addressIDs[text] = addressIDs[text] ?? addressIDs.count + 1
        }
        applyConsent(body, to: &draft, now: now)
        checkUniqueness(&draft)
        guard draft.violations.isEmpty else { throw .invalid(draft.violations) }
        if draft.contact.identified == nil, draft.contact.isKnown {
            draft.contact.identified = now
            draft.changes.identified = now
        }
        return draft
    }

    /// The text a field would hold, nil for none; complaints go into `violations`.
    static func text(
        _ value: SandboxJSON, for field: MauticField, _ mode: MauticWrite,
        _ violations: inout [MauticViolation]
    ) throws(MauticRefusal) -> String? {
        guard let raw = value.scalarText else {
            if field.type == "email" { throw .crash(500) }
            violations.append(.invalid(field.alias))
            return nil
        }
        guard !raw.unicodeScalars.contains("\u{0}") else { throw .crash(500) }
        var text = cleaned(raw)
        // A value that is nothing but an unknown tag passes the first time (A13).
        if text.isEmpty, mode == .create { text = raw.trimmingSpaces }
        guard !text.isEmpty else { return nil }
        switch field.type {
        case "email":
            if !isEmail(text) {
                violations.append(
                    MauticViolation(field: field.alias, message: "\(text) is invalid."))
            }
        case "number":
            guard let number = Double(text) else {
                violations.append(.invalid(field.alias))
                return nil
            }
            if field.alias == "companynumber_of_employees" {
                text = String(Int(number.rounded()))
                break
            }
            let cents = (abs(number) * 100).rounded()
            text = "\(number < 0 ? -cents / 100 : cents / 100)"
        case "country" where !mauticCountries.contains(text):
            violations.append(.invalid(field.alias))
        case "select" where !mauticIndustries.contains(text):
            violations.append(.invalid(field.alias))
        case "url" where !text.contains("://"): text = "http://\(text)"
        case "datetime":
            // Seconds are lost; what is no date is ignored (A14).
            guard let time = SandboxTime(parsing: text) else { return nil }
            text = time.sql.dropLast(2) + "00"
        default: break
        }
        if text.unicodeScalars.count > field.limit {
            // Beyond 191 characters the database's limit answers first (contacts-create).
            let limit = text.unicodeScalars.count > 191 ? 191 : field.limit
            violations.append(
                MauticViolation(
                    field: field.alias,
                    message:
                        "This value is too long. It should have \(limit) characters or less."))
        }
        return text
    }

    /// One `@` with something before it and a domain with a dot behind it.
    static func isEmail(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !text.contains(where: \.isWhitespace) else {
            return false
        }
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        return labels.count > 1 && labels.allSatisfy { !$0.isEmpty }
    }

    /// Tags add; `-tag` removes; nothing replaces (D10).
    ///
    /// They are encoded, not cleaned (A13).
    private mutating func applyTags(_ body: SandboxJSON, to draft: inout MauticDraft) {
        let sent = body["tags"]
        let names =
            sent?.elements?.compactMap(\.scalarText)
            ?? sent?.string?.split(separator: ",").map(String.init) ?? []
        for name in names {
            let plain = name.trimmingSpaces
            if plain.hasPrefix("-") {
                let gone = encodedForHTML(String(plain.dropFirst()).trimmingSpaces)
                guard let index = draft.contact.tags.firstIndex(of: gone) else { continue }
                draft.contact.tags.remove(at: index)
                draft.changes.removedTags.append(gone)
            } else {
                let tag = encodedForHTML(plain)
                guard !tag.isEmpty, !draft.contact.tags.contains(tag) else { continue }
                draft.contact.tags.append(tag)
                tagIDs[tag] = tagIDs[tag] ?? tagIDs.count + 1
                draft.changes.addedTags.append(tag)
            }
        }
    }

    private func applyPoints(
        _ body: SandboxJSON, _ mode: MauticWrite, overwrites: Bool, to draft: inout MauticDraft
    ) {
        let sent: SandboxJSON? = body["points"] ?? (mode == .put ? 0 : nil)
        guard let text = sent?.scalarText, !text.isEmpty else { return }
        guard let number = Double(text), abs(number) < 1e9 else {
            draft.violations.append(.invalid("points"))
            return
        }
        let points = Int(number)
        // Zero is dropped like a blank (A8).
        if points == 0, mode != .put, !overwrites { return }
        guard points != draft.contact.points else { return }
        let pair = MauticChanges.Pair(
            alias: "points", old: .int(draft.contact.points), new: .double(String(points)))
        // Points stand in the order of the fields.
        let later = draft.changes.fields.firstIndex {
            (MauticField.all.firstIndex(alias: $0.alias) ?? 0) > 8
        }
        draft.changes.fields.insert(pair, at: later ?? draft.changes.fields.count)
        draft.contact.points = points
    }

    private func applyOwner(_ body: SandboxJSON, to draft: inout MauticDraft) {
        guard let sent = body["owner"] else { return }
        let owner = sent == .null || sent.scalarText == "" ? nil : sent.int ?? -1
        guard owner == nil || owner == MauticUser.admin.id else {
            draft.violations.append(.invalid("owner"))
            return
        }
        guard owner != draft.contact.ownerID else { return }
        draft.changes.ownerChanged = (draft.contact.ownerID, owner)
        draft.contact.ownerID = owner
    }

    /// A stage is named by its id (contacts-edit).
    private func applyStage(_ body: SandboxJSON, to draft: inout MauticDraft) {
        guard let sent = body["stage"], sent != .null else { return }
        guard let id = sent.int, stages[id] != nil else {
            draft.violations.append(.invalid("stage"))
            return
        }
        draft.changes.isStageMoved = draft.contact.stageID != id
        draft.contact.stageID = id
    }

    private mutating func applyConsent(
        _ body: SandboxJSON, to draft: inout MauticDraft, now: SandboxTime
    ) {
        for entry in body["doNotContact"]?.elements ?? [] {
            guard let channel = entry["channel"]?.string,
                let reason = entry["reason"]?.int
            else { continue }
            if reason == 0 {
                if let details = stopRefusing(channel, on: &draft.contact) {
                    draft.changes.consent.append(details)
                }
            } else if let details = refuse(
                channel, reason: reason, comments: entry["comments"]?.string ?? "",
                on: &draft.contact, now: now)
            {
                draft.changes.consent.append(details)
            }
        }
    }

    private func checkUniqueness(_ draft: inout MauticDraft) {
        guard let email = draft.contact["email"] else { return }
        let others = holders(of: email).filter { $0 != draft.contact.id }
        guard !others.isEmpty else { return }
        let index = draft.violations.firstIndex {
            (MauticField.all.firstIndex(alias: $0.field) ?? .max) > 5
        }
        draft.violations.insert(
            MauticViolation(
                field: "email", message: "This field must be unique.", isUniqueness: true),
            at: index ?? draft.violations.count)
    }

    /// The ids of the contacts with that e-mail, in any case, in id order.
    func holders(of email: String) -> [Int] {
        let wanted = collated(email)
        return contacts.values.filter { $0["email"].map(collated) == wanted }.map(\.id).sorted()
    }
}

extension MauticDraft {
    mutating func set(_ alias: String, _ text: String) {
        guard contact.values[alias] != text else { return }
        changes.fields.append(.init(alias: alias, old: .text(contact[alias]), new: .string(text)))
        contact.values[alias] = text
    }

    /// Sets the last activity, which the answer's fields do not show yet.
    ///
    /// A PUT without one empties it, which the answer's contact does not show yet.
    mutating func moveLastActive(to text: String?, _ mode: MauticWrite) {
        let old = contact.lastActive
        if let time = text.flatMap(SandboxTime.init(parsing:)) {
            contact.lastActive = time
            echo.lastActive = (old, time)
        } else if mode == .put {
            contact.lastActive = nil
            echo.lastActive = (nil, old)
            echo.blanks.insert("last_active")
            if old != nil { echo.cleared.insert("last_active") }
        }
    }

    mutating func blank(_ alias: String, showing: Bool) {
        if showing { echo.blanks.insert(alias) }
        guard let old = contact.values.removeValue(forKey: alias) else { return }
        echo.cleared.insert(alias)
        changes.fields.append(.init(alias: alias, old: .string(old), new: .string("")))
    }
}

extension [MauticField] {
    func firstIndex(alias: String) -> Int? { firstIndex { $0.alias == alias } }
}

/// Text as Mautic cleans it: entities decoded, tags and everything behind a bare `<` gone (A13).
func cleaned(_ text: String) -> String {
    var out = ""
    var rest = Substring(decodedEntities(text))
    while let open = rest.firstIndex(of: "<") {
        out += rest[..<open]
        guard let close = rest[open...].firstIndex(of: ">") else { return out.trimmingSpaces }
        rest = rest[rest.index(after: close)...]
    }
    return (out + rest).trimmingSpaces
}

/// Text with `<`, `>`, `&` and both quotes as decimal entities.
func encodedForHTML(_ text: String) -> String {
    text.map { "<>&\"'".contains($0) ? "&#\($0.unicodeScalars.first?.value ?? 0);" : String($0) }
        .joined()
}
