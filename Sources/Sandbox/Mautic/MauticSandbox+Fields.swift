extension MauticSandbox {
    /// GET /api/fields/{contact|company}: objects keyed by id (C1, fields).
    func fieldsCall(_ request: SandboxRequest) -> SandboxResponse? {
        let path = Array(request.segments.dropFirst())
        guard request.method == "GET", path.count == 2, path[0] == "fields",
            ["contact", "company"].contains(path[1])
        else { return nil }
        let all = path[1] == "contact" ? MauticField.all : MauticField.companies
        let limit = request.parameters["limit"].flatMap(Int.init) ?? 30
        let object: SandboxJSON = path[1] == "contact" ? "lead" : "company"
        let fields = all.enumerated().prefix(limit).map { order, field in
            SandboxJSON.Member(String(field.id), field.listed(order + 1, object))
        }
        return .mautic(["total": .int(all.count), "fields": .object(Array(fields))])
    }
}

extension MauticField {
    /// As the list of fields shows it; of properties only those of `title` were recorded there, and those
    /// of the industry in the answer to a create.
    fileprivate func listed(_ order: Int, _ object: SandboxJSON) -> SandboxJSON {
        let isShort = ["firstname", "lastname", "email"].contains(alias)
        return [
            "isPublished": true, "dateAdded": .null, "dateModified": .null, "createdBy": .null,
            "createdByUser": .null, "modifiedBy": .null, "modifiedByUser": .null,
            "id": .int(id), "label": .string(label), "alias": .string(alias),
            "type": .string(type), "group": .string(group), "order": .int(order),
            "object": object, "defaultValue": .null, "isRequired": false,
            "isFixed": .bool(isFixed), "isListable": true, "isVisible": true,
            "isShortVisible": .bool(isShort), "isUniqueIdentifier": .bool(alias == "email"),
            "isPubliclyUpdatable": false,
            "properties": ["title", "companyindustry"].contains(alias) ? properties : .object([]),
        ]
    }
}
