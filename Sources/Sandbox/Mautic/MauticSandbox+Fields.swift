extension MauticSandbox {
    /// GET /api/fields/{contact|company}: objects keyed by id (C1, fields).
    func fieldsCall(_ request: SandboxRequest) -> SandboxResponse? {
        let path = Array(request.segments.dropFirst())
        guard request.method == "GET", path.count == 2, path[0] == "fields",
            ["contact", "company"].contains(path[1])
        else { return nil }
        let all = path[1] == "contact" ? MauticField.all : MauticField.companies
        let limit = request.parameters["limit"].flatMap(Int.init) ?? 30
        let fields = all.prefix(limit).map { field in
            SandboxJSON.Member(
                String(field.id),
                [
                    "id": .int(field.id), "label": .string(field.label),
                    "alias": .string(field.alias), "type": .string(field.type),
                    "group": .string(field.group), "isRequired": false,
                    "isFixed": .bool(field.isFixed),
                    "object": path[1] == "contact" ? "lead" : "company", "properties": .object([]),
                ])
        }
        return .mautic(["total": .int(all.count), "fields": .object(Array(fields))])
    }
}
