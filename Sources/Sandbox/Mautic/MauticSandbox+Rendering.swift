/// What the answer to a write tells that no later read does.
struct MauticEcho {
    /// Fields a PUT blanked: `""` in the groups.
    var blanks: Set<String> = []
    /// Those among them that held something: null in `all`.
    var cleared: Set<String> = []
    /// The last activity as the fields and as the contact itself still tell it.
    var lastActive: (field: SandboxTime?, contact: SandboxTime?)?
}

/// The ways Mautic spells one and the same contact (C4, C5).
enum MauticForm {
    /// The answer to a create: field ids are numbers, what was not sent is null.
    case created(MauticEcho)
    /// A single read, edit or delete.
    case read(MauticEcho = .init())
    /// An entry of a list or a batch edit: two fields come first.
    case listed
    /// The answers about do-not-contact: no `all`, no nulls, some fields again at the top.
    case channel
}

extension MauticSandbox {
    /// The contact's JSON; `showing` replaces its id, for the null of a deleted one (C9).
    func json(
        _ contact: MauticContact, _ form: MauticForm, showing id: SandboxJSON? = nil
    ) -> SandboxJSON {
        let id = id ?? .int(contact.id)
        var members: [SandboxJSON.Member] = [
            .init("isPublished", true),
            .init("dateAdded", .string(contact.added.iso)),
            .init("dateModified", .text(contact.modified?.iso)),
            .init("createdBy", contact.createdBy?.id.map(SandboxJSON.int) ?? .null),
            .init("createdByUser", .text(contact.createdBy?.name)),
            .init("modifiedBy", contact.modifiedBy?.id.map(SandboxJSON.int) ?? .null),
            .init("modifiedByUser", .text(contact.modifiedBy?.name)),
            .init("id", id), .init("points", .int(contact.points)), .init("color", .null),
        ]
        if case .channel = form {
            members += MauticField.stored.prefix(22).compactMap { field in
                contact[field.alias].map { .init(field.alias, .string($0)) }
            }
        }
        members += [
            .init("fields", fields(contact, form, id: id)),
            .init("lastActive", .text((form.echo.lastActive?.contact ?? contact.lastActive)?.iso)),
            .init("owner", contact.ownerID == 1 ? Self.owner : .null),
            .init("ipAddresses", .array(contact.addresses.map(address))),
            .init("tags", .array(contact.tags.map { tag($0, form) })),
            .init("utmtags", form.isCreated ? .null : []), .init("stage", stage(of: contact)),
            .init("dateIdentified", .text(contact.identified?.iso)),
            .init("preferredProfileImage", .null),
            .init("doNotContact", .array(contact.doNotContact.map { channel($0, form) })),
            .init("frequencyRules", []),
        ]
        let json = SandboxJSON.object(members)
        if case .channel = form { return json.withoutNulls }
        return json
    }

    private func fields(
        _ contact: MauticContact, _ form: MauticForm, id: SandboxJSON
    ) -> SandboxJSON {
        var ordered = MauticField.all
        if case .listed = form { ordered = MauticField.listed }
        var groups: [SandboxJSON.Member] = ["core", "social", "personal", "professional"].map {
            group in
            let entries = ordered.filter { $0.group == group }.map {
                SandboxJSON.Member($0.alias, entry($0, contact, form))
            }
            return .init(group, entries.isEmpty ? [] : .object(entries))
        }
        if case .channel = form { return .object(groups) }
        let shownID = id.int.map { SandboxJSON.string(String($0)) } ?? .null
        let values = ordered.map { field in
            SandboxJSON.Member(
                field.alias,
                field.alias == "points"
                    ? .int(contact.points) : flatValue(field, contact, form))
        }
        groups.append(.init("all", .object([.init("id", shownID)] + values)))
        return .object(groups)
    }

    private func entry(
        _ field: MauticField, _ contact: MauticContact, _ form: MauticForm
    ) -> SandboxJSON {
        let value = value(field, contact, form)
        let normalized = value == .null ? "" : value
        if form.isCreated {
            return [
                "id": .int(field.id), "group": .string(field.group), "label": .string(field.label),
                "alias": .string(field.alias), "type": .string(field.type),
                "properties": field.properties, "value": value, "normalizedValue": normalized,
            ]
        }
        let json: SandboxJSON = [
            "id": .string(String(field.id)), "label": .string(field.label),
            "alias": .string(field.alias), "type": .string(field.type),
            "group": .string(field.group), "object": "lead",
            "is_fixed": field.isFixed ? "1" : "0",
            "properties": .string(field.serializedProperties),
            "default_value": field.alias == "points" ? "0" : .null,
            "value": value, "normalizedValue": normalized,
        ]
        if case .channel = form { return json.withoutNulls }
        return json
    }

    /// A field in `all`, which shows what a PUT emptied as null.
    private func flatValue(
        _ field: MauticField, _ contact: MauticContact, _ form: MauticForm
    ) -> SandboxJSON {
        form.echo.cleared.contains(field.alias) ? .null : value(field, contact, form)
    }

    private func value(
        _ field: MauticField, _ contact: MauticContact, _ form: MauticForm
    ) -> SandboxJSON {
        switch field.alias {
        case "points":
            if case .channel = form { return .number("\(contact.points).0") }
            if form.isCreated, contact.points == 0, form.echo.blanks.isEmpty { return .null }
            return .int(contact.points)
        case "last_active":
            let time = form.echo.lastActive.map(\.field) ?? contact.lastActive
            if let time { return .string(time.sql) }
        case "attribution":
            if let text = contact[field.alias] { return .number(text) }
            return form.echo.blanks.contains(field.alias) ? .number("0.0") : .null
        default: if let text = contact[field.alias] { return .string(text) }
        }
        return form.echo.blanks.contains(field.alias) ? "" : .null
    }

    private func tag(_ name: String, _ form: MauticForm) -> SandboxJSON {
        let json: SandboxJSON = [
            "id": .int(tagIDs[name] ?? 0), "tag": .string(name), "description": .null,
        ]
        if case .channel = form { return json.withoutNulls }
        return json
    }

    private func channel(_ entry: MauticDoNotContact, _ form: MauticForm) -> SandboxJSON {
        if case .channel = form {
            return [
                "id": .int(entry.id), "dateAdded": .string(entry.added.iso),
                "reason": .int(entry.reason), "comments": .string(entry.comments),
                "channel": .string(entry.channel),
            ]
        }
        return [
            "id": entry.id == 0 ? .null : .int(entry.id), "reason": .int(entry.reason),
            "comments": .string(entry.comments), "channel": .string(entry.channel),
            "channelId": .null,
        ]
    }

    private func address(_ text: String) -> SandboxJSON {
        let parts = [
            "city", "region", "zipcode", "country", "latitude", "longitude", "isp",
            "organization", "timezone", "extra",
        ]
        return [
            "ipAddress": .string(text), "id": .int(addressIDs[text] ?? 0),
            "ipDetails": .object(parts.map { .init($0, "") }),
        ]
    }

    private static let owner: SandboxJSON = [
        "createdByUser": .null, "modifiedByUser": .null, "id": 1, "username": "admin",
        "firstName": "Ada", "lastName": "Admin",
    ]
}

extension MauticForm {
    var isCreated: Bool {
        if case .created = self { return true }
        return false
    }

    /// What a write's own answer adds.
    var echo: MauticEcho {
        switch self {
        case .created(let echo), .read(let echo): echo
        case .listed, .channel: .init()
        }
    }
}
