/// A difference from the recordings that somebody has looked at, and why it stays.
struct KnownDifference {
    /// The recording, or the beginning of its name; empty for any.
    var recording: String
    var index: Int?
    /// What the difference's path begins with.
    var path: String
    var reason: String

    init(_ recording: String, _ index: Int? = nil, _ path: String = "", _ reason: String) {
        self.recording = recording
        self.index = index
        self.path = path
        self.reason = reason
    }

    func covers(_ difference: Difference) -> Bool {
        difference.recording.hasPrefix(recording)
            && (index == nil || index == difference.index)
            && difference.path.hasPrefix(path)
    }

    /// The reviewed list for Mautic.
    static let mautic: [KnownDifference] = [
        .init("", nil, "contact.utmtags", "UTM tags are not emulated"),
        .init("", nil, "contacts.1.utmtags", "UTM tags are not emulated"),
        .init("fields.har", 24, "status", "custom fields, here refused choices, are not emulated"),
        .init("fields.har", 25, "status", "custom fields, here refused choices, are not emulated"),
        .init("fields.har", 30, "status", "custom fields, here refused choices, are not emulated"),
        .init(
            "contacts-list.har", 37, "contacts", "its dates were set in the database meanwhile"),
        .init(
            "contacts-list.har", 38, "contacts", "its dates were set in the database meanwhile"),
        .init("datemodified-matrix.har", 26, "contact", "a click in a browser came in between"),
        .init("datemodified-matrix.har", 27, "contact", "a click in a browser came in between"),
        .init("emails.har", 26, "contact.doNotContact", "an unsubscription names its e-mail"),
        .init("forms.har", 13, "header Cache-Control", "the caller also held a browser session"),
        .init("hooks-disabled.har", 4, "", "webhooks, here one that breaks, are not emulated"),
        .init("hooks-failures.har", 10, "", "webhooks, here ones that break, are not emulated"),
        .init("hooks-failures.har", 14, "", "webhooks, here ones that break, are not emulated"),
        .init("hooks.har", 41, "contact", "browser visits and a form came in between"),
        .init("hooks.har", 43, "contact", "browser visits and a form came in between"),
        .init("hooks.har", 44, "contact", "browser visits and a form came in between"),
        .init("hooks.har", 47, "contact", "browser visits and a form came in between"),
        .init("", nil, "contact.preferredProfileImage", "pictures are not emulated"),
        .init("segments.har", 12, "contacts", "segments, here searched for, are not emulated"),
        .init("segments.har", 18, "contacts", "segments, here searched for, are not emulated"),
        .init(
            "merged-and-deleted.har", 21, "status", "the double e-mail was made in the database"),
        .init(
            "merged-and-deleted.har", 22, "status", "the double e-mail was made in the database"),
        .init(
            "merged-and-deleted.har", 23, "contact", "the double e-mail was made in the database"),
        .init(
            "merged-and-deleted.har", 24, "contact", "the double e-mail was made in the database"),
        .init(
            "merged-and-deleted.har", 15, "stats",
            "the rows are about contacts from before the recording"),
        .init(
            "merged-and-deleted.har", 16, "stats",
            "the rows are about contacts from before the recording"),
        .init(
            "merged-and-deleted.har", 17, "stats",
            "the rows are about contacts from before the recording"),
        .init(
            "audit-feed.har", 0, "stats", "the rows are about contacts from before the recording"),
        .init("stats.har", nil, "stats", "the rows are about contacts from before the recording"),
        .init(
            "hooks.har", 45, "stats", "the rows are about contacts from before the recording"),
    ]

    /// The reviewed list for SuiteCRM.
    static let suiteCRM: [KnownDifference] =
        [
            .init("14", nil, "data.attributes order", customFields),
            .init("17", nil, "data.attributes order", customFields),
            .init("18", nil, "data.0.attributes order", customFields),
            .init("18", nil, "data.attributes order", customFields),
            .init("2", nil, "data.attributes order", customFields),
            .init("04-contacts-list.har", 47, "", "no answer shows an empty source"),
            .init("04-accounts-list.har", 47, "", "no answer shows an empty industry"),
            .init("08-relationships.har", 32, "data.", "the order is that of the ids"),
            .init("09-soft-delete.har", 3, "words", "records deleted before the recording"),
            .init("09-soft-delete.har", 4, "words", "records deleted before the recording"),
            .init("09-soft-delete.har", 18, "words", "records deleted before the recording"),
            .init("09-soft-delete.har", 33, "words", "records deleted before the recording"),
            .init("09-soft-delete.har", 77, "", "an administrator restored it in the database"),
            .init("11-paging-stability.har", nil, "", "leads from before the recording"),
            .init("12-dates.har", 2, "", hiddenSeconds),
            .init("12-dates.har", 4, "", hiddenSeconds),
            .init("12-dates.har", nil, "data.attributes.date_closed", preferences),
            .init("12-dates.har", nil, "data.attributes.amount", preferences),
            .init("14-hooks.har", 15, "data.attributes.email1", "changed in the pages"),
            .init("17-charset-utf8.har", nil, "data.attributes.name", "a narrower character set"),
            .init("18", nil, "data.attributes.name", "the database was written to meanwhile"),
            .init("18", nil, "data.attributes.description", "the same"),
            .init("18", nil, "data.attributes.amount_usdollar", preferences),
            .init("18", 45, "data.0.attributes.amount", "another deal comes first"),
            .init("20-verify.har", 12, "", "a deal from before the recording"),
        ]
        + ["accounts", "contacts", "leads", "opportunities"].flatMap { module in
            [
                .init("04-\(module)-list.har", 7, "", "the replay has fewer records"),
                .init("04-\(module)-list.har", 24, "", hiddenSeconds),
                .init("04-\(module)-list.har", 26, "", hiddenSeconds),
                .init("04-\(module)-list.har", 36, "", hiddenSeconds),
            ]
        }

    private static let customFields =
        "after its Repair and Rebuild the program listed four custom fields in another order"
    private static let hiddenSeconds =
        "the seconds of records from before the recording are in no answer (fact 3)"
    private static let preferences = "the user's formats of dates and numbers were changed"
}
