/// The modules the sandbox has.
enum SuiteCRMModule: String, Sendable, CaseIterable {
    case accounts = "Accounts"
    case contacts = "Contacts"
    case leads = "Leads"
    case opportunities = "Opportunities"
    case emailAddresses = "EmailAddresses"

    /// A module by its name, or by the singular that answers use (fact 24); case counts.
    init?(named name: String) {
        guard
            let module = Self.allCases.first(where: {
                $0.rawValue == name || $0.singular == name
            })
        else { return nil }
        self = module
    }

    /// The `type` of answers.
    var singular: String {
        switch self {
        case .accounts: "Account"
        case .contacts: "Contact"
        case .leads: "Lead"
        case .opportunities: "Opportunity"
        case .emailAddresses: "EmailAddress"
        }
    }

    /// What a message calls it.
    var label: String { self == .emailAddresses ? "Email Address" : rawValue }

    /// Whether its records hold e-mail addresses.
    var hasAddresses: Bool { self == .accounts || self == .contacts || self == .leads }

    /// Whether a record's name is put together of two.
    var isOfPeople: Bool { self == .contacts || self == .leads }

    /// Whether it has everything a record has: who made it, and a block of relationships.
    var isBean: Bool { self != .emailAddresses }

    var fields: [SuiteCRMField] {
        switch self {
        case .accounts: SuiteCRMField.accounts
        case .contacts: SuiteCRMField.contacts
        case .leads: SuiteCRMField.leads
        case .opportunities: SuiteCRMField.opportunities
        case .emailAddresses: SuiteCRMField.emailAddresses
        }
    }

    func field(_ name: String) -> SuiteCRMField? { Self.fieldsByName[self]?[name] }

    private static let fieldsByName: [SuiteCRMModule: [String: SuiteCRMField]] = Dictionary(
        uniqueKeysWithValues: allCases.map { module in
            (module, Dictionary(uniqueKeysWithValues: module.fields.map { ($0.name, $0) }))
        })

    /// The `relationships` block of a record; POST and PATCH forget the module (fact 45).
    func relationships(of id: String, isWrite: Bool) -> SandboxJSON {
        guard isBean else { return [] }
        let base = isWrite ? "V8/module/\(id)" : "V8/module/\(rawValue)/\(id)"
        return .object(
            shownLinks.map { name, link in
                .init(name, ["links": ["related": .string("\(base)/relationships/\(link)")]])
            })
    }

    private var shownLinks: [(String, String)] {
        switch self {
        case .accounts: Self.accountLinks
        case .contacts: Self.contactLinks
        case .leads: Self.leadLinks
        case .opportunities: Self.opportunityLinks
        case .emailAddresses: []
        }
    }

    private static let accountLinks: [(String, String)] = [
        ("AOS_Contracts", "aos_contracts"), ("AOS_Invoices", "aos_invoices"),
        ("AOS_Quotes", "aos_quotes"), ("Accounts", "members"), ("Bugs", "bugs"),
        ("Calls", "calls"), ("CampaignLog", "campaigns"), ("Cases", "cases"),
        ("Contacts", "contacts"), ("EmailAddress", "email_addresses"), ("Emails", "emails"),
        ("Leads", "leads"), ("Meetings", "meetings"), ("Notes", "notes"),
        ("Opportunities", "opportunities"), ("Project", "project"),
        ("ProspectLists", "prospect_lists"), ("SecurityGroups", "SecurityGroups"),
        ("Tasks", "tasks"), ("Users", "created_by_link"),
    ]
    private static let contactLinks: [(String, String)] = [
        ("AM_ProjectTemplates", "am_projecttemplates_contacts_1"),
        ("AOS_Contracts", "aos_contracts"), ("AOS_Invoices", "aos_invoices"),
        ("AOS_Quotes", "aos_quotes"), ("CampaignLog", "campaigns"),
        ("EmailAddress", "email_addresses"), ("Opportunities", "opportunities"),
        ("Project", "project_contacts_1"), ("ProspectLists", "prospect_lists"),
        ("SecurityGroups", "SecurityGroups"), ("Users", "created_by_link"),
    ]
    private static let leadLinks: [(String, String)] = [
        ("CampaignLog", "campaigns"), ("Contacts", "contacts"),
        ("EmailAddress", "email_addresses"), ("ProspectLists", "prospect_lists"),
        ("SecurityGroups", "SecurityGroups"), ("Users", "created_by_link"),
    ]
    private static let opportunityLinks: [(String, String)] = [
        ("AOS_Contracts", "aos_contracts"), ("AOS_Quotes", "aos_quotes"),
        ("Accounts", "accounts"), ("CampaignLog", "campaigns"), ("Campaigns", "campaign_link"),
        ("Contacts", "contacts"), ("SecurityGroups", "SecurityGroups"),
        ("Users", "created_by_link"),
    ]
}
