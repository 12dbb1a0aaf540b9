extension CompassSandbox {
    /// What PostgREST tells of its tables at its root: OpenAPI 2.
    static var description: SandboxResponse {
        let tables = CompassTable.all.map { table in
            SandboxJSON.Member(
                table.name,
                [
                    "type": "object",
                    "properties": .object(
                        table.columns.map { .init($0.name, property($0.type)) }),
                ])
        }
        let json: SandboxJSON = ["swagger": "2.0", "definitions": .object(tables)]
        return SandboxResponse(
            status: 200,
            headers: [SandboxHeader("Content-Type", "application/openapi+json; charset=utf-8")],
            body: Array(json.text().utf8))
    }

    private static func property(_ type: CompassType) -> SandboxJSON {
        let word: SandboxJSON =
            switch type {
            case .integer, .bigint: "integer"
            case .numeric: "number"
            case .bool: "boolean"
            case .textArray: "array"
            default: "string"
            }
        return ["type": word, "format": .string(type.name)]
    }
}
