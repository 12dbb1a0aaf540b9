/// A user as Mautic names the author of a change; a client of client credentials has no id (E2).
struct MauticUser: Sendable, Hashable {
    var id: Int?
    var name: String

    static let admin = MauticUser(id: 1, name: "Ada Admin")
    /// The author of what tracking, forms and cron commands do to a contact (F8).
    static let nobody = MauticUser(id: nil, name: " ")
    /// The same, as the audit log names it.
    static let system = MauticUser(id: nil, name: "System")
}

/// One channel's opt-out.
struct MauticDoNotContact: Sendable, Hashable {
    var id: Int
    var channel: String
    /// 1 unsubscribed, 2 bounced, 3 set by a user.
    var reason: Int
    var comments: String
    var added: SandboxTime
}

/// A contact as the database holds it.
struct MauticContact: Sendable, Hashable {
    var id: Int
    /// Alias to text, for every field but points and last activity; what is not here is NULL.
    var values: [String: String] = [:]
    var points = 0
    /// Names in the order they were added; a later read sorts them.
    var tags: [String] = []
    var doNotContact: [MauticDoNotContact] = []
    var ownerID: Int?
    var stageID: Int?
    var addresses: [String] = []
    var added: SandboxTime
    /// Nobody for a visitor whom tracking found.
    var createdBy: MauticUser?
    var modified: SandboxTime?
    var modifiedBy: MauticUser?
    var lastActive: SandboxTime?
    /// Null for an anonymous visitor (B9).
    var identified: SandboxTime?

    subscript(alias: String) -> String? { values[alias] }

    /// Whether it has any of the values that make a visitor somebody.
    var isKnown: Bool {
        ["firstname", "lastname", "company", "email"].contains { values[$0]?.isEmpty == false }
    }

    /// The name the audit log keeps of a deleted contact.
    var displayName: String {
        let name = [values["firstname"], values["lastname"]].compactMap(\.self)
            .joined(separator: " ")
        return name.isEmpty ? values["email"] ?? "" : name
    }
}

/// A field of Mautic's contact as it is delivered.
struct MauticField: Sendable {
    var id: Int
    var alias: String
    var label: String
    var type: String
    var group = "core"
    var isFixed = true

    /// The fields of a fresh installation, in order.
    static let all: [MauticField] = [
        .init(id: 1, alias: "title", label: "Title", type: "lookup"),
        .init(id: 2, alias: "firstname", label: "First Name", type: "text"),
        .init(id: 3, alias: "lastname", label: "Last Name", type: "text"),
        .init(id: 4, alias: "company", label: "Primary company", type: "text"),
        .init(id: 5, alias: "position", label: "Position", type: "text"),
        .init(id: 6, alias: "email", label: "Email", type: "email"),
        .init(id: 7, alias: "mobile", label: "Mobile", type: "tel"),
        .init(id: 8, alias: "phone", label: "Phone", type: "tel"),
        .init(id: 9, alias: "points", label: "Points", type: "number"),
        .init(id: 10, alias: "fax", label: "Fax", type: "tel", isFixed: false),
        .init(id: 11, alias: "address1", label: "Address Line 1", type: "text"),
        .init(id: 12, alias: "address2", label: "Address Line 2", type: "text"),
        .init(id: 13, alias: "city", label: "City", type: "text"),
        .init(id: 14, alias: "state", label: "State", type: "region"),
        .init(id: 15, alias: "zipcode", label: "Zip Code", type: "text"),
        .init(id: 16, alias: "country", label: "Country", type: "country"),
        .init(id: 17, alias: "preferred_locale", label: "Preferred Locale", type: "locale"),
        .init(id: 18, alias: "timezone", label: "Preferred Timezone", type: "timezone"),
        .init(id: 19, alias: "last_active", label: "Date Last Active", type: "datetime"),
        .init(id: 20, alias: "attribution_date", label: "Attribution Date", type: "datetime"),
        .init(id: 21, alias: "attribution", label: "Attribution", type: "number"),
        .init(id: 22, alias: "website", label: "Website", type: "url", isFixed: false),
        social(23, "facebook", "Facebook"), social(24, "foursquare", "Foursquare"),
        social(25, "instagram", "Instagram"), social(26, "linkedin", "mautic.lead.field.linkedin"),
        social(27, "skype", "Skype"), social(28, "twitter", "Twitter"),
    ]

    private static func social(_ id: Int, _ alias: String, _ label: String) -> MauticField {
        MauticField(
            id: id, alias: alias, label: label, type: "text", group: "social", isFixed: false)
    }

    /// The fields in the order of the database's columns, which lists and batch edits show.
    static let listed: [MauticField] = {
        let core = [
            "points", "last_active", "title", "firstname", "lastname", "company", "position",
            "email", "phone", "mobile", "address1", "address2", "city", "state", "zipcode",
            "timezone", "country", "fax", "preferred_locale", "attribution_date", "attribution",
            "website",
        ]
        return core.compactMap { alias in all.first { $0.alias == alias } }
            + all.filter { $0.group == "social" }
    }()

    /// The fields whose text a contact's `values` hold.
    static let stored = all.filter { $0.alias != "points" && $0.alias != "last_active" }

    static let aliases = Set(all.map(\.alias))

    private static let industries = PHPValue.map([
        (
            "list",
            .list(
                mauticIndustries.map {
                    .map([("label", .string($0)), ("value", .string($0))])
                })
        )
    ]).serialized

    /// The longest text, in characters (D11).
    var limit: Int { alias == "firstname" || alias == "lastname" ? 64 : 191 }

    /// `properties` as the answer to a create spells it.
    var properties: SandboxJSON {
        switch alias {
        case "title": ["list": ["Mr", "Mrs", "Miss"]]
        case "attribution", "companyannual_revenue": ["roundmode": 4, "scale": 2]
        case "companynumber_of_employees": ["roundmode": 4, "scale": 0]
        case "companyindustry":
            [
                "list": .array(
                    mauticIndustries.map { ["label": .string($0), "value": .string($0)] })
            ]
        default: []
        }
    }

    /// `properties` as a read spells it.
    var serializedProperties: String {
        switch alias {
        case "title":
            #"a:1:{s:4:"list";a:3:{i:0;s:2:"Mr";i:1;s:3:"Mrs";i:2;s:4:"Miss";}}"#
        case "attribution", "companyannual_revenue":
            #"a:2:{s:9:"roundmode";i:4;s:5:"scale";i:2;}"#
        case "companynumber_of_employees": #"a:2:{s:9:"roundmode";i:4;s:5:"scale";i:0;}"#
        case "companyindustry": Self.industries
        default: "a:0:{}"
        }
    }
}
