extension SuiteCRMSandbox {
    /// GET /Api/V8/meta/fields/{module}: type, length, required and nothing else (fact 47).
    func fieldList(of module: SuiteCRMModule) throws(SuiteCRMRefusal) -> SandboxResponse {
        guard module.isBean else { throw .invalid("Module \(module.rawValue) does not exist") }
        let fields = module.fields.map { field in
            SandboxJSON.Member(field.name, Self.meta(field))
        }
        return .suiteCRM([
            "data": ["type": "fields", "attributes": .object(fields)]
        ])
    }

    private static func meta(_ field: SuiteCRMField) -> SandboxJSON {
        let (type, dbType, length): (String, String, Int?) =
            switch field.kind {
            case .text(let limit): ("varchar", "varchar", limit)
            case .longText: ("text", "text", nil)
            case .bool: ("bool", "bool", nil)
            case .date: ("date", "date", nil)
            case .dateTime: ("datetime", "datetime", nil)
            case .number: ("float", "float", nil)
            case .money: ("currency", "double", nil)
            case .integer: ("int", "int", nil)
            case .computed: ("varchar", "varchar", 255)
            case .link, .stub: ("link", "link", nil)
            }
        var members: [SandboxJSON.Member] = [
            .init("type", .string(type)), .init("dbType", .string(dbType)),
            .init("required", false),
        ]
        if !field.isColumn { members.append(.init("source", "non-db")) }
        // Lengths are numbers here and texts there.
        if let length {
            members.append(.init("len", length == 255 ? .string("255") : .int(length)))
        }
        return .object(members)
    }
}
