/// A field of a SuiteCRM module as its API shows it.
struct SuiteCRMField: Sendable {
    enum Kind: Sendable, Hashable {
        /// Stored text of at most so many characters (fact 7).
        case text(Int)
        /// Stored text of at most 65,535 bytes.
        case longText
        case bool
        case date
        case dateTime
        case number
        /// Worked out when read; writing it does nothing.
        case computed
        /// A link, shown as "".
        case link
        /// A link, shown as `{}` (fact 24).
        case stub
    }

    var name: String
    var kind: Kind
    /// What the field holds when nobody set it, or cleared it (fact 8).
    var initial: String?

    init(_ name: String, _ kind: Kind, initial: String? = nil) {
        self.name = name
        self.kind = kind
        self.initial = initial
    }

    /// Whether the database has a column for it, so that lists can filter and sort by it.
    var isColumn: Bool {
        switch kind {
        case .computed, .link, .stub: false
        default: true
        }
    }
}

/// The modules the sandbox has.
enum SuiteCRMModule: String, Sendable {
    case contacts = "Contacts"
    case emailAddresses = "EmailAddresses"

    /// A module by its name, or by the singular that answers use (fact 24); case counts.
    init?(named name: String) {
        switch name {
        case "Contacts", "Contact": self = .contacts
        case "EmailAddresses", "EmailAddress": self = .emailAddresses
        default: return nil
        }
    }

    /// The `type` of answers.
    var singular: String { self == .contacts ? "Contact" : "EmailAddress" }

    var fields: [SuiteCRMField] { self == .contacts ? Self.contactFields : Self.emailFields }

    func field(_ name: String) -> SuiteCRMField? {
        (self == .contacts ? Self.contactFieldsByName : Self.emailFieldsByName)[name]
    }

    /// The `relationships` block of a record; POST and PATCH forget the module (fact 45).
    func relationships(of id: String, isWrite: Bool) -> SandboxJSON {
        guard self == .contacts else { return [] }
        let base = isWrite ? "V8/module/\(id)" : "V8/module/Contacts/\(id)"
        return .object(
            Self.contactLinks.map { name, link in
                .init(name, ["links": ["related": .string("\(base)/relationships/\(link)")]])
            })
    }

    private static let contactLinks: [(String, String)] = [
        ("AM_ProjectTemplates", "am_projecttemplates_contacts_1"),
        ("AOS_Contracts", "aos_contracts"), ("AOS_Invoices", "aos_invoices"),
        ("AOS_Quotes", "aos_quotes"), ("CampaignLog", "campaigns"),
        ("EmailAddress", "email_addresses"), ("Opportunities", "opportunities"),
        ("Project", "project_contacts_1"), ("ProspectLists", "prospect_lists"),
        ("SecurityGroups", "SecurityGroups"), ("Users", "created_by_link"),
    ]

    private static let contactFieldsByName = Dictionary(
        uniqueKeysWithValues: contactFields.map { ($0.name, $0) })
    private static let emailFieldsByName = Dictionary(
        uniqueKeysWithValues: emailFields.map { ($0.name, $0) })

    private static let emailFields: [SuiteCRMField] = [
        .init("email_address", .text(255)), .init("email_address_caps", .text(255)),
        .init("invalid_email", .bool, initial: "0"), .init("opt_out", .bool, initial: "0"),
        .init("confirm_opt_in", .text(255), initial: "not-opt-in"),
        .init("confirm_opt_in_date", .dateTime), .init("confirm_opt_in_sent_date", .dateTime),
        .init("confirm_opt_in_fail_date", .dateTime), .init("confirm_opt_in_token", .text(255)),
        .init("date_created", .dateTime), .init("date_modified", .dateTime),
        .init("deleted", .bool, initial: "0"),
    ]

    private static let contactFields: [SuiteCRMField] =
        [
            .init("name", .computed), .init("date_entered", .dateTime),
            .init("date_modified", .dateTime), .init("modified_user_id", .text(36)),
            .init("modified_by_name", .computed), .init("created_by", .text(36)),
            .init("created_by_name", .computed), .init("description", .longText),
            .init("deleted", .bool, initial: "0"), .init("created_by_link", .link),
            .init("modified_user_link", .link), .init("assigned_user_id", .text(36)),
            .init("assigned_user_name", .computed), .init("assigned_user_link", .link),
            .init("SecurityGroups", .link), .init("salutation", .text(255)),
            .init("first_name", .text(100)), .init("last_name", .text(100)),
            .init("full_name", .computed), .init("title", .text(100)), .init("photo", .text(255)),
            .init("department", .text(255)), .init("do_not_call", .bool, initial: "0"),
            .init("phone_home", .text(100)), .init("email", .computed),
            .init("phone_mobile", .text(100)), .init("phone_work", .text(100)),
            .init("phone_other", .text(100)), .init("phone_fax", .text(100)),
            .init("email1", .computed), .init("email2", .computed),
            .init("invalid_email", .computed), .init("email_opt_out", .computed),
            .init("lawful_basis", .longText), .init("date_reviewed", .date),
            .init("lawful_basis_source", .text(100)),
        ] + address("primary") + address("alt") + [
            .init("assistant", .text(75)), .init("assistant_phone", .text(100)),
        ] + links("email_addresses_primary", "email_addresses") + [
            .init("email_addresses_non_primary", .computed), .init("email_and_name1", .computed),
            .init("lead_source", .text(255)), .init("account_name", .computed),
            .init("account_id", .computed), .init("opportunity_role_fields", .computed),
            .init("opportunity_role_id", .computed), .init("opportunity_role", .computed),
            .init("reports_to_id", .text(36)), .init("report_to_name", .computed),
            .init("birthdate", .date), .init("accounts", .link), .init("reports_to_link", .stub),
        ]
        + links(
            "opportunities", "bugs", "calls", "cases", "direct_reports", "emails", "documents",
            "leads", "meetings", "notes", "project", "project_resource",
            "am_projecttemplates_resources", "am_projecttemplates_contacts_1", "tasks",
            "tasks_parent", "notes_parent")
        + [
            .init("user_sync", .stub), .init("campaign_id", .text(36)),
            .init("campaign_name", .computed), .init("campaigns", .link),
            .init("campaign_contacts", .stub), .init("c_accept_status_fields", .computed),
            .init("m_accept_status_fields", .computed), .init("accept_status_id", .computed),
            .init("accept_status_name", .computed), .init("prospect_lists", .link),
            .init("sync_contact", .computed), .init("fp_events_contacts", .link),
            .init("aos_quotes", .link), .init("aos_invoices", .link),
            .init("aos_contracts", .link), .init("e_invite_status_fields", .computed),
            .init("event_status_name", .computed), .init("event_invite_id", .computed),
            .init("e_accept_status_fields", .computed), .init("event_accept_status", .computed),
            .init("event_status_id", .computed), .init("project_contacts_1", .link),
            .init("aop_case_updates", .link), .init("joomla_account_id", .text(255)),
            .init("portal_account_disabled", .bool), .init("joomla_account_access", .computed),
            .init("portal_user_type", .text(100), initial: "Single"),
            .init("jjwg_maps_address_c", .text(255)),
            .init("jjwg_maps_geocode_status_c", .text(255)),
            .init("jjwg_maps_lat_c", .number, initial: "0.00000000"),
            .init("jjwg_maps_lng_c", .number, initial: "0.00000000"),
        ]

    private static func address(_ prefix: String) -> [SuiteCRMField] {
        [
            .init("\(prefix)_address_street", .text(150)),
            .init("\(prefix)_address_street_2", .computed),
            .init("\(prefix)_address_street_3", .computed),
            .init("\(prefix)_address_city", .text(100)),
            .init("\(prefix)_address_state", .text(100)),
            .init("\(prefix)_address_postalcode", .text(20)),
            .init("\(prefix)_address_country", .text(255)),
        ]
    }

    private static func links(_ names: String...) -> [SuiteCRMField] {
        names.map { .init($0, .link) }
    }
}
