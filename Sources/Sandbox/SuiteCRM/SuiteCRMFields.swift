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
        /// An amount of money, as a decimal number (facts 8, 22).
        case money
        /// A whole number.
        case integer
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

    /// Whether it compares as a number.
    var isNumeric: Bool { kind == .money || kind == .integer }

    /// Whether the database has a column for it, so that lists can filter and sort by it.
    var isColumn: Bool {
        switch kind {
        case .computed, .link, .stub: false
        default: true
        }
    }
}

/// The fields of each module, in the order in which answers show them.
extension SuiteCRMField {
    static let emailAddresses: [SuiteCRMField] = [
        .init("email_address", .text(255)), .init("email_address_caps", .text(255)),
        .init("invalid_email", .bool, initial: "0"), .init("opt_out", .bool, initial: "0"),
        .init("confirm_opt_in", .text(255), initial: "not-opt-in"),
        .init("confirm_opt_in_date", .dateTime), .init("confirm_opt_in_sent_date", .dateTime),
        .init("confirm_opt_in_fail_date", .dateTime), .init("confirm_opt_in_token", .text(255)),
        .init("date_created", .dateTime), .init("date_modified", .dateTime),
        .init("deleted", .bool, initial: "0"),
    ]

    static let contacts: [SuiteCRMField] = joined([
        person, computed("email_and_name1"), texts(255, "lead_source"),
        computed(
            "account_name", "account_id", "opportunity_role_fields", "opportunity_role_id",
            "opportunity_role"),
        texts(36, "reports_to_id"), computed("report_to_name"), [.init("birthdate", .date)],
        links("accounts"), [.init("reports_to_link", .stub)],
        links(
            "opportunities", "bugs", "calls", "cases", "direct_reports", "emails", "documents",
            "leads", "meetings", "notes", "project", "project_resource",
            "am_projecttemplates_resources", "am_projecttemplates_contacts_1", "tasks",
            "tasks_parent", "notes_parent"),
        [.init("user_sync", .stub)], texts(36, "campaign_id"), computed("campaign_name"),
        links("campaigns"), [.init("campaign_contacts", .stub)],
        computed(
            "c_accept_status_fields", "m_accept_status_fields", "accept_status_id",
            "accept_status_name"),
        links("prospect_lists"), computed("sync_contact"),
        links("fp_events_contacts", "aos_quotes", "aos_invoices", "aos_contracts"),
        computed(
            "e_invite_status_fields", "event_status_name", "event_invite_id",
            "e_accept_status_fields", "event_accept_status", "event_status_id"),
        links("project_contacts_1", "aop_case_updates"), texts(255, "joomla_account_id"),
        [.init("portal_account_disabled", .bool)], computed("joomla_account_access"),
        [.init("portal_user_type", .text(100), initial: "Single")], map,
    ])

    static let leads: [SuiteCRMField] = joined([
        person, [.init("converted", .bool, initial: "0")], texts(100, "refered_by", "lead_source"),
        longTexts("lead_source_description"), [.init("status", .text(100), initial: "New")],
        longTexts("status_description"), texts(36, "reports_to_id"), computed("report_to_name"),
        links("reports_to_link", "reportees", "contacts"), texts(255, "account_name"),
        links("accounts"), longTexts("account_description"), texts(36, "contact_id"),
        links("contact"), texts(36, "account_id", "opportunity_id"), links("opportunity"),
        texts(255, "opportunity_name"), texts(50, "opportunity_amount"), texts(36, "campaign_id"),
        computed("campaign_name"), [.init("campaign_leads", .stub)],
        computed(
            "c_accept_status_fields", "m_accept_status_fields", "accept_status_id",
            "accept_status_name", "webtolead_email1", "webtolead_email2",
            "webtolead_email_opt_out", "webtolead_invalid_email"),
        [.init("birthdate", .date)], texts(255, "portal_name", "portal_app", "website"),
        links(
            "tasks", "notes", "meetings", "calls", "oldmeetings", "oldcalls", "emails",
            "campaigns", "prospect_lists", "fp_events_leads_1"),
        computed(
            "e_invite_status_fields", "event_status_name", "event_invite_id",
            "e_accept_status_fields", "event_accept_status", "event_status_id"),
        map,
    ])

    static let accounts: [SuiteCRMField] = joined([
        record(name: .text(150)), texts(50, "account_type", "industry"),
        texts(100, "annual_revenue", "phone_fax"), address("billing", lines: 4),
        texts(100, "rating", "phone_office", "phone_alternate"), texts(255, "website"),
        texts(100, "ownership"), texts(10, "employees", "ticker_symbol"),
        address("shipping", lines: 4), computed("email1"),
        links("email_addresses_primary", "email_addresses"),
        computed("email_addresses_non_primary"), texts(36, "parent_id"), texts(10, "sic_code"),
        computed("parent_name"), links("members"), [.init("member_of", .stub)],
        computed("email_opt_out", "invalid_email"), links("cases"), computed("email"),
        links(
            "tasks", "notes", "meetings", "calls", "emails", "documents", "bugs", "contacts",
            "opportunities", "project", "leads", "campaigns"),
        [.init("campaign_accounts", .stub)], texts(36, "campaign_id"), computed("campaign_name"),
        links("prospect_lists", "aos_quotes", "aos_invoices", "aos_contracts"), map,
    ])

    static let opportunities: [SuiteCRMField] = joined([
        record(name: .text(50)), texts(255, "opportunity_type"),
        computed("account_name", "account_id"), texts(36, "campaign_id"),
        computed("campaign_name"), [.init("campaign_opportunities", .stub)],
        texts(50, "lead_source"),
        [
            .init("amount", .money, initial: "0"), .init("amount_usdollar", .money),
            .init("currency_id", .text(36), initial: "-99"),
        ],
        computed("currency_name", "currency_symbol"), [.init("date_closed", .date)],
        texts(100, "next_step"), texts(255, "sales_stage"), [.init("probability", .integer)],
        [.init("accounts", .stub)],
        links(
            "contacts", "tasks", "notes", "meetings", "calls", "emails", "documents", "project",
            "leads", "campaigns", "campaign_link", "currencies", "aos_quotes", "aos_contracts"),
        map,
    ])

    /// What every record begins with.
    private static func record(name kind: Kind) -> [SuiteCRMField] {
        [
            .init("name", kind), .init("date_entered", .dateTime),
            .init("date_modified", .dateTime), .init("modified_user_id", .text(36)),
            .init("modified_by_name", .computed), .init("created_by", .text(36)),
            .init("created_by_name", .computed), .init("description", .longText),
            .init("deleted", .bool, initial: "0"), .init("created_by_link", .link),
            .init("modified_user_link", .link), .init("assigned_user_id", .text(36)),
            .init("assigned_user_name", .computed), .init("assigned_user_link", .link),
            .init("SecurityGroups", .link),
        ]
    }

    /// What a contact and a lead begin with.
    private static let person: [SuiteCRMField] = joined([
        record(name: .computed), texts(255, "salutation"), texts(100, "first_name", "last_name"),
        computed("full_name"), texts(100, "title"), texts(255, "photo", "department"),
        [.init("do_not_call", .bool, initial: "0")], texts(100, "phone_home"), computed("email"),
        texts(100, "phone_mobile", "phone_work", "phone_other", "phone_fax"),
        computed("email1", "email2", "invalid_email", "email_opt_out"), longTexts("lawful_basis"),
        [.init("date_reviewed", .date)], texts(100, "lawful_basis_source"),
        address("primary", lines: 3), address("alt", lines: 3), texts(75, "assistant"),
        texts(100, "assistant_phone"), links("email_addresses_primary", "email_addresses"),
        computed("email_addresses_non_primary"),
    ])

    /// The fields of the maps add-on.
    private static let map: [SuiteCRMField] = [
        .init("jjwg_maps_address_c", .text(255)), .init("jjwg_maps_geocode_status_c", .text(255)),
        .init("jjwg_maps_lat_c", .number, initial: "0.00000000"),
        .init("jjwg_maps_lng_c", .number, initial: "0.00000000"),
    ]

    private static func address(_ prefix: String, lines: Int) -> [SuiteCRMField] {
        joined([
            texts(150, "\(prefix)_address_street"),
            (2...lines).map { .init("\(prefix)_address_street_\($0)", .computed) },
            texts(100, "\(prefix)_address_city", "\(prefix)_address_state"),
            texts(20, "\(prefix)_address_postalcode"), texts(255, "\(prefix)_address_country"),
        ])
    }

    private static func joined(_ parts: [[SuiteCRMField]]) -> [SuiteCRMField] {
        parts.flatMap(\.self)
    }

    private static func texts(_ limit: Int, _ names: String...) -> [SuiteCRMField] {
        names.map { .init($0, .text(limit)) }
    }

    private static func longTexts(_ names: String...) -> [SuiteCRMField] {
        names.map { .init($0, .longText) }
    }

    private static func computed(_ names: String...) -> [SuiteCRMField] {
        names.map { .init($0, .computed) }
    }

    private static func links(_ names: String...) -> [SuiteCRMField] {
        names.map { .init($0, .link) }
    }
}
