/// Why PostgREST, or the gateway before it, does not do what it was asked.
struct CompassRefusal: Error {
    var status: Int
    var code: String
    var message: String
    var details: String?
    var hint: String?

    var response: SandboxResponse {
        // PostgREST writes the members in alphabetical order; the gateway has no code.
        let json: SandboxJSON =
            code.isEmpty
            ? ["message": .string(message), "hint": .text(hint)]
            : [
                "code": .string(code), "details": .text(details), "hint": .text(hint),
                "message": .string(message),
            ]
        var headers = [SandboxHeader("Content-Type", "application/json; charset=utf-8")]
        if status == 401, code.hasPrefix("PGRST") {
            headers.insert(
                SandboxHeader(
                    "WWW-Authenticate",
                    "Bearer error=\"invalid_token\", error_description=\"\(message)\""), at: 0)
        }
        return SandboxResponse(status: status, headers: headers, body: Array(json.text().utf8))
    }

    static let noKey = CompassRefusal(
        status: 401, code: "", message: "No API key found in request",
        hint: "No `apikey` request header or url param was found.")
    static let wrongKey = CompassRefusal(
        status: 401, code: "", message: "Invalid API key",
        hint: "Double check your Supabase `anon` or `service_role` API key.")
    static let expired = CompassRefusal(status: 401, code: "PGRST301", message: "JWT expired")

    static func badToken(_ token: String) -> CompassRefusal {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).count
        return CompassRefusal(
            status: 401, code: "PGRST301",
            message: parts == 3
                ? "JWSError JWSInvalidSignature"
                : "JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; "
                    + "got \(parts))")
    }

    static func noTable(_ name: String) -> CompassRefusal {
        CompassRefusal(
            status: 404, code: "PGRST205",
            message: "Could not find the table 'public.\(name)' in the schema cache")
    }

    /// A column of a body that the table does not have.
    static func unknownColumn(_ column: String, _ table: String) -> CompassRefusal {
        CompassRefusal(
            status: 400, code: "PGRST204",
            message: "Could not find the '\(column)' column of '\(table)' in the schema cache")
    }

    /// A column of a filter, an order or a selection that the table does not have.
    static func noColumn(_ column: String, _ table: String) -> CompassRefusal {
        CompassRefusal(
            status: 400, code: "42703", message: "column \(table).\(column) does not exist")
    }

    static func syntax(_ type: CompassType, _ text: String) -> CompassRefusal {
        CompassRefusal(
            status: 400, code: type == .timestamp || type == .date ? "22007" : "22P02",
            message: "invalid input syntax for type \(type.name): \"\(text)\"")
    }

    static func outOfRange(_ text: String, _ type: CompassType) -> CompassRefusal {
        CompassRefusal(
            status: 400, code: "22003",
            message: "value \"\(text)\" is out of range for type \(type.name)")
    }

    static func noSuchDay(_ text: String) -> CompassRefusal {
        CompassRefusal(
            status: 400, code: "22008",
            message: "date/time field value out of range: \"\(text)\"")
    }

    static func array(_ text: String) -> CompassRefusal {
        CompassRefusal(
            status: 400, code: "22P02", message: "malformed array literal: \"\(text)\"",
            details: "Array value must start with \"{\" or dimension information.")
    }

    static func unreadable(_ text: String) -> CompassRefusal {
        CompassRefusal(
            status: 400, code: "PGRST100", message: "failed to parse filter (\(text))",
            details: "unexpected input")
    }

    static let badBody = CompassRefusal(
        status: 400, code: "PGRST102", message: "Empty or invalid json")
    static let unequalKeys = CompassRefusal(
        status: 400, code: "PGRST102", message: "All object keys must match")
    static let method = CompassRefusal(
        status: 405, code: "PGRST117", message: "Unsupported HTTP method")

    static func duplicate(_ table: CompassTable, _ id: String) -> CompassRefusal {
        CompassRefusal(
            status: 409, code: "23505",
            message:
                "duplicate key value violates unique constraint \"\(table.name)_pkey\"",
            details: "Key (id)=(\(id)) already exists.")
    }

    /// A row that names another which is not there.
    static func noReferenced(
        _ table: String, _ column: String, _ id: String, in other: String
    ) -> CompassRefusal {
        CompassRefusal(
            status: 409, code: "23503",
            message: "insert or update on table \"\(table)\" violates foreign key constraint "
                + "\"\(table)_\(column)_fkey\"",
            details: "Key (\(column))=(\(id)) is not present in table \"\(other)\".")
    }

    /// A row that others still name.
    static func stillReferenced(
        _ table: String, _ id: String, by other: String, _ column: String
    ) -> CompassRefusal {
        CompassRefusal(
            status: 409, code: "23503",
            message: "update or delete on table \"\(table)\" violates foreign key constraint "
                + "\"\(other)_\(column)_fkey\" on table \"\(other)\"",
            details: "Key (id)=(\(id)) is still referenced from table \"\(other)\".")
    }

    /// Supabase loads an extension that refuses writes to a whole table.
    static func needsFilter(_ verb: String) -> CompassRefusal {
        CompassRefusal(
            status: 400, code: "21000", message: "\(verb) requires a WHERE clause")
    }

    static let noConstraint = CompassRefusal(
        status: 400, code: "42P10",
        message: "there is no unique or exclusion constraint matching the ON CONFLICT "
            + "specification")

    static func notSingular(_ count: Int) -> CompassRefusal {
        CompassRefusal(
            status: 406, code: "PGRST116",
            message: "JSON object requested, multiple (or no) rows returned",
            details: "The result contains \(count) rows")
    }

    static func range(offset: Int, count: Int) -> CompassRefusal {
        CompassRefusal(
            status: 416, code: "PGRST103", message: "Requested range not satisfiable",
            details: "An offset of \(offset) was requested, but there are only \(count) rows.")
    }
}
