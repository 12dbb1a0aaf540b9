import Ledger
import Model
package import Transport

/// A field as a system itself says that it has it.
package struct RemoteField: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case text
        case number
        case flag
        case day
        /// Something that no text, number, flag or day is told to.
        case other
    }

    package var name: String
    package var kind: Kind
    /// The most characters that it stores, where that is told.
    package var longest: Int?
    /// Whether the system refuses an object without it.
    package var isRequired = false
    /// The only values that it takes, where it is a choice.
    package var options: [String]?
    /// Whether it is a web address, and made one.
    package var isAddress = false

    package init(_ name: String, _ kind: Kind, longest: Int? = nil) {
        self.name = name
        self.kind = kind
        self.longest = longest
    }
}

/// A stage that contacts can be in.
package struct RemoteStage: Sendable, Equatable {
    package var id: String
    package var name: String
}

extension MauticConnector {
    /// Objects keyed by id; a list is thirty fields long unless more are asked for (C1, fields).
    package func fieldsCall() -> Call {
        Call(.get, "/api/fields/\(isCompany ? "company" : "contact")", query: [("limit", "1000")])
    }

    package func fields(from answer: HTTPResult) throws(RemoteFailure) -> [RemoteField] {
        guard case .object(let members)? = try success(answer)["fields"] else {
            throw RemoteFailure(.unclear, "Mautic's answer is no list of fields")
        }
        return members.compactMap { member -> RemoteField? in
            guard let name = member.value["alias"]?.text else { return nil }
            let type = member.value["type"]?.text ?? ""
            let kind: RemoteField.Kind =
                switch type {
                case "number": .number
                case "boolean": .flag
                case "date", "datetime": .day
                case "multiselect", "time": .other
                default: .text
                }
            var field = RemoteField(name, kind)
            field.isRequired = member.value["isRequired"] == .bool(true)
            field.isAddress = type == "url"
            // The list tells no lengths: names hold 64 characters and other columns 191 (D11).
            if kind == .text, !["textarea", "html"].contains(type) {
                field.longest = ["firstname", "lastname"].contains(name) ? 64 : 191
            }
            // A lookup only suggests; of a select and a country, another value is refused (A14). Which
            // countries there are the list does not tell.
            if type == "select", let list = member.value["properties"]?["list"] {
                field.options = list.elements.compactMap { $0.text ?? $0["value"]?.text }
            } else if type == "country" {
                field.options = WordList.countries.words.map(\.word) + ["Unknown"]
            }
            return field
        }
    }

    package func stagesCall() -> Call? { Self.allStages }

    /// An array of all stages that there are (C1).
    static let allStages = Call(.get, "/api/stages", query: [("limit", "1000")])

    package func stages(from answer: HTTPResult) throws(RemoteFailure) -> [RemoteStage] {
        do {
            return try success(answer)["stages"]?.elements.compactMap { stage in
                guard let id = stage["id"]?.text, let name = stage["name"]?.text else { return nil }
                return RemoteStage(id: id, name: name)
            } ?? []
        } catch  where error.kind == .refused(.permission) {
            throw RemoteFailure(
                error.kind, status: error.status,
                "the API user may not see Mautic's stages: let its role view them")
        }
    }
}

extension SuiteCRMConnector {
    package func fieldsCall() -> Call { Call(.get, "/Api/V8/meta/fields/\(module)") }

    /// Lengths are numbers or texts; what is required there is not enforced by the API, and the
    /// options of an enum are not told (facts 7, 18, 47).
    package func fields(from answer: HTTPResult) throws(RemoteFailure) -> [RemoteField] {
        guard case .object(let members)? = try success(answer)["data"]?["attributes"] else {
            throw RemoteFailure(.unclear, "SuiteCRM's answer is no list of fields")
        }
        return members.map { member in
            let type = member.value["dbType"]?.text ?? member.value["type"]?.text ?? ""
            let kind: RemoteField.Kind =
                switch type {
                case "int", "decimal", "double", "float", "currency", "tinyint", "long": .number
                case "bool": .flag
                case "date", "datetime": .day
                case "link", "relate": .other
                default: .text
                }
            let isStored = member.value["source"]?.text != "non-db"
            let longest = member.value["len"]?.text.flatMap(Int.init)
            return RemoteField(
                member.name, kind, longest: isStored && kind == .text ? longest : nil)
        }
    }
}

extension CompassConnector {
    /// PostgREST describes its tables at its root, as OpenAPI.
    package func fieldsCall() -> Call { Call(.get, "/rest/v1/") }

    package func fields(from answer: HTTPResult) throws(RemoteFailure) -> [RemoteField] {
        let response = try readable(answer)
        guard response.status == 200,
            let table = (try? JSON(parsing: response.body))?["definitions"]?[
                String(path.dropFirst("/rest/v1/".count))],
            case .object(let members)? = table["properties"]
        else {
            throw RemoteFailure(
                .unclear, status: response.status, "Compass did not describe its tables")
        }
        return members.map { member in
            let kind: RemoteField.Kind =
                switch (member.value["type"]?.text ?? "", member.value["format"]?.text ?? "") {
                case ("integer", _), ("number", _): .number
                case ("boolean", _): .flag
                case ("string", "date"), ("string", "timestamp with time zone"),
                    ("string", "timestamp without time zone"):
                    .day
                case ("string", _): .text
                default: .other
                }
            var field = RemoteField(
                member.name, kind, longest: member.value["maxLength"]?.text.flatMap(Int.init))
            field.options = member.value["enum"]?.elements.compactMap(\.text)
            if field.options?.isEmpty ?? false { field.options = nil }
            return field
        }
    }
}
