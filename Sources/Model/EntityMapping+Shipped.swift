import Ledger

/// The mappings that ship.
extension EntityMapping {
    /// The contact as it ships.
    ///
    /// Lengths: Mautic refuses names above 64 and cities above 191 characters (FINDINGS D11);
    /// SuiteCRM cuts at its column widths (fact 7; widths from its meta, recording 02). Its leads have
    /// the company as a text only, until they are converted.
    package static let contact = EntityMapping(
        entity: "contact", keys: ["email"], furtherKinds: [FurtherKind("lead", of: .suitecrm)],
        fields: [
            text("first_name", .profile, "first_name", ("firstname", 64), ("first_name", 100)),
            text("last_name", .profile, "last_name", ("lastname", 64), ("last_name", 100)),
            FieldMapping(
                "email", .contact,
                spellings: [
                    .compass: Spelling("email", FieldCodec(.compass, .email)),
                    .mautic: Spelling("email", FieldCodec(.mautic, .email, maximumLength: 191)),
                    .suitecrm: Spelling("email1", FieldCodec(.suitecrm, .email), call: .email),
                ]),
            text("phone", .contact, "phone", ("phone", 191), ("phone_work", 100)),
            text("mobile", .contact, "mobile", ("mobile", 191), ("phone_mobile", 100)),
            text("title", .profile, "title", ("position", 191), ("title", 100)),
            text("street", .contact, "street", ("address1", 191), ("primary_address_street", 150)),
            text("city", .contact, "city", ("city", 191), ("primary_address_city", 100)),
            text(
                "postcode", .contact, "postcode", ("zipcode", 191),
                ("primary_address_postalcode", 20)),
            FieldMapping(
                "description", .profile,
                spellings: [
                    .compass: Spelling("description", FieldCodec(.compass, .text)),
                    .suitecrm: Spelling("description", FieldCodec(.suitecrm, .text)),
                ]),
            FieldMapping(
                "account", .profile, refers: "account", lackedBy: ["lead"],
                spellings: [
                    .compass: Spelling("client_id", FieldCodec(.compass, .reference)),
                    .mautic: Spelling(
                        "company", FieldCodec(.mautic, .referenceByName), call: .company),
                    .suitecrm: Spelling("account_id", FieldCodec(.suitecrm, .reference)),
                ]),
            FieldMapping(
                "tags", .activity, .union,
                spellings: [
                    .compass: Spelling("tags", FieldCodec(.compass, .tags)),
                    .mautic: Spelling("tags", FieldCodec(.mautic, .tags), form: .elements),
                ]),
            FieldMapping(
                "points", .activity, .sum, prefer: [.mautic],
                spellings: [
                    .compass: Spelling("points", FieldCodec(.compass, .integer)),
                    .mautic: Spelling(
                        "points", FieldCodec(.mautic, .integer), form: .delta, call: .points),
                ]),
            FieldMapping(
                "email_opt_out", .consent, .strictest, address: "email",
                spellings: [
                    .compass: Spelling("email_opt_out", FieldCodec(.compass, .flag)),
                    .mautic: Spelling("dnc_email", FieldCodec(.mautic, .flag), call: .optOut),
                    .suitecrm: Spelling(
                        "email_opt_out", FieldCodec(.suitecrm, .flag), call: .optOut),
                ]),
        ])

    /// The account as it ships: Compass's clients, Mautic's companies and SuiteCRM's accounts, found
    /// by their name.
    ///
    /// Widths of SuiteCRM from its meta (recording 02).
    package static let account = EntityMapping(
        entity: "account", keys: ["name"],
        fields: [
            company("name", "company_name", "companyname", ("name", 150)),
            company("website", "website", "companywebsite", ("website", 255), [.url]),
            company("phone", "phone", "companyphone", ("phone_office", 100)),
            company("street", "street", "companyaddress1", ("billing_address_street", 150)),
            company("city", "city", "companycity", ("billing_address_city", 100)),
            company(
                "postcode", "postcode", "companyzipcode", ("billing_address_postalcode", 20)),
            company(
                "country", "country", "companycountry", ("billing_address_country", 255),
                list: .countries),
            company(
                "industry", "industry", "companyindustry", ("industry", 50), list: .industries),
            FieldMapping(
                "employees", .profile,
                spellings: [
                    .compass: Spelling("employees", FieldCodec(.compass, .integer)),
                    .mautic: Spelling(
                        "companynumber_of_employees", FieldCodec(.mautic, .integer)),
                    .suitecrm: Spelling(
                        "employees", FieldCodec(.suitecrm, .integer, maximumLength: 10)),
                ]),
            FieldMapping(
                "description", .profile,
                spellings: [
                    .compass: Spelling("description", FieldCodec(.compass, .text)),
                    .mautic: Spelling(
                        "companydescription", FieldCodec(.mautic, .text, maximumLength: 191)),
                    .suitecrm: Spelling("description", FieldCodec(.suitecrm, .text)),
                ]),
        ])

    /// The deal as it ships: Compass's deals and SuiteCRM's opportunities, found by their name within
    /// their account.
    ///
    /// SuiteCRM cuts names at 50 characters (recording 05). A deal's probability is not kept in step:
    /// SuiteCRM sets it by the stage when a deal is made, and not when the stage changes (fact 46).
    package static let deal = EntityMapping(
        entity: "deal", keys: ["name"], within: "account",
        fields: [
            sold("name", "name", ("name", FieldCodec(.suitecrm, .text, maximumLength: 50))),
            FieldMapping(
                "account", .profile, refers: "account",
                spellings: [
                    .compass: Spelling("client_id", FieldCodec(.compass, .reference)),
                    .suitecrm: Spelling("account_id", FieldCodec(.suitecrm, .reference)),
                ]),
            sold("amount", "amount", ("amount", FieldCodec(.suitecrm, .money))),
            sold(
                "stage", "stage",
                ("sales_stage", FieldCodec(.suitecrm, .text, maximumLength: 255))),
            sold("close_date", "close_date", ("date_closed", FieldCodec(.suitecrm, .day))),
            sold("description", "description", ("description", FieldCodec(.suitecrm, .text))),
        ])

    private static func sold(
        _ name: String, _ compass: String, _ suitecrm: (String, FieldCodec)
    ) -> FieldMapping {
        FieldMapping(
            name, .profile,
            spellings: [
                .compass: Spelling(compass, FieldCodec(.compass, suitecrm.1.kind)),
                .suitecrm: Spelling(suitecrm.0, suitecrm.1),
            ])
    }

    private static func company(
        _ name: String, _ compass: String, _ mautic: String, _ suitecrm: (String, Int),
        _ functions: [TextFunction] = [], list: WordList? = nil
    ) -> FieldMapping {
        FieldMapping(
            name, .profile,
            spellings: [
                .compass: Spelling(compass, FieldCodec(.compass, .text)),
                .mautic: Spelling(
                    mautic,
                    FieldCodec(
                        .mautic, .text, maximumLength: 191,
                        translation: Translation(
                            functions: functions, words: list?.words ?? []))),
                .suitecrm: Spelling(
                    suitecrm.0, FieldCodec(.suitecrm, .text, maximumLength: suitecrm.1)),
            ])
    }

    private static func text(
        _ name: String, _ category: Category, _ compass: String, _ mautic: (String, Int),
        _ suitecrm: (String, Int)
    ) -> FieldMapping {
        FieldMapping(
            name, category,
            spellings: [
                .compass: Spelling(compass, FieldCodec(.compass, .text)),
                .mautic: Spelling(
                    mautic.0, FieldCodec(.mautic, .text, maximumLength: mautic.1)),
                .suitecrm: Spelling(
                    suitecrm.0, FieldCodec(.suitecrm, .text, maximumLength: suitecrm.1)),
            ])
    }
}
