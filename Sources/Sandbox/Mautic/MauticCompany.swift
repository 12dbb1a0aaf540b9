/// A company as the database holds it.
struct MauticCompany: Sendable, Hashable {
    var id: Int
    /// Alias to text; what is not here is NULL.
    var values: [String: String] = [:]
    var added: SandboxTime
    var createdBy: MauticUser?
    var modified: SandboxTime?
    var modifiedBy: MauticUser?

    subscript(alias: String) -> String? { values[alias] }

    var name: String { values["companyname"] ?? "" }
}

/// A contact's membership in a company; the latest one made is the primary one.
struct MauticCompanyLink: Sendable, Hashable {
    var companyID: Int
    var added: SandboxTime
    var isPrimary: Bool
}

extension MauticField {
    /// The company fields of a fresh installation, in order.
    static let companies: [MauticField] = [
        .init(id: 29, alias: "companyaddress1", label: "Address 1", type: "text"),
        .init(id: 30, alias: "companyaddress2", label: "Address 2", type: "text"),
        .init(id: 31, alias: "companyemail", label: "Company Email", type: "email"),
        .init(id: 32, alias: "companyphone", label: "Phone", type: "tel"),
        .init(id: 33, alias: "companycity", label: "City", type: "text"),
        .init(id: 34, alias: "companystate", label: "State", type: "region"),
        .init(id: 35, alias: "companyzipcode", label: "Zip Code", type: "text"),
        .init(id: 36, alias: "companycountry", label: "Country", type: "country"),
        .init(id: 37, alias: "companyname", label: "Company Name", type: "text"),
        .init(id: 38, alias: "companywebsite", label: "Website", type: "url"),
        professional(
            39, "companynumber_of_employees", "Number of Employees", "number", isFixed: false),
        professional(40, "companyfax", "Fax", "tel", isFixed: false),
        professional(41, "companyannual_revenue", "Annual Revenue", "number", isFixed: false),
        professional(42, "companyindustry", "Industry", "select", isFixed: true),
        professional(43, "companydescription", "Description", "text", isFixed: true),
    ]

    private static func professional(
        _ id: Int, _ alias: String, _ label: String, _ type: String, isFixed: Bool
    ) -> MauticField {
        MauticField(
            id: id, alias: alias, label: label, type: type, group: "professional",
            isFixed: isFixed)
    }

    /// The fields in the order of the database's columns, which lists show.
    static let listedCompanies: [MauticField] = [
        31, 29, 30, 32, 33, 34, 35, 36, 37, 38, 42, 43, 39, 40, 41,
    ].compactMap { id in companies.first { $0.id == id } }

    static let companyAliases = Set(companies.map(\.alias))
}

extension MauticSandbox {
    /// The three ways Mautic spells a company (companies-incremental, audit-feed).
    enum CompanyForm {
        case created, read, listed
    }

    /// The company's JSON, which tells no dates (B10); `showing` replaces its id (C9).
    func json(
        _ company: MauticCompany, _ form: CompanyForm, showing id: SandboxJSON? = nil
    ) -> SandboxJSON {
        let id = id ?? .int(company.id)
        let ordered = form == .listed ? MauticField.listedCompanies : MauticField.companies
        let names =
            form == .created
            ? ["core", "professional", "social", "personal"] : ["core", "professional", "other"]
        var groups: [SandboxJSON.Member] = names.map { group in
            let entries = ordered.filter { $0.group == group }.map {
                SandboxJSON.Member($0.alias, Self.entry($0, company, form))
            }
            return .init(group, entries.isEmpty ? [] : .object(entries))
        }
        let values = ordered.map { SandboxJSON.Member($0.alias, Self.value($0, company)) }
        groups.append(.init("all", .object([.init("id", id)] + values)))
        return ["id": id, "score": 0, "fields": .object(groups)]
    }

    private static func value(_ field: MauticField, _ company: MauticCompany) -> SandboxJSON {
        guard let text = company[field.alias] else { return .null }
        return field.type == "number" ? .number(text) : .string(text)
    }

    private static func entry(
        _ field: MauticField, _ company: MauticCompany, _ form: CompanyForm
    ) -> SandboxJSON {
        let value = value(field, company)
        let normalized = value == .null ? "" : value
        guard form != .created else {
            return [
                "id": .int(field.id), "group": .string(field.group),
                "label": .string(field.label), "alias": .string(field.alias),
                "type": .string(field.type), "value": value, "normalizedValue": normalized,
            ]
        }
        return [
            "id": .string(String(field.id)), "label": .string(field.label),
            "alias": .string(field.alias), "type": .string(field.type),
            "group": .string(field.group), "object": "company",
            "is_fixed": field.isFixed ? "1" : "0",
            "properties": .string(field.serializedProperties), "default_value": .null,
            "value": value, "normalizedValue": normalized,
        ]
    }
}
