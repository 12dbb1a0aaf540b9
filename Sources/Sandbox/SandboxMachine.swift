/// A person as all three systems could know one; a system keeps the parts it has fields for.
package struct SandboxPerson: Sendable, Hashable {
    package var email: String?
    package var firstName: String?
    package var lastName: String?
    package var phone: String?
    package var mobile: String?
    /// The position in a company: Mautic's `position`, the others' `title`.
    package var jobTitle: String?
    package var street: String?
    package var city: String?
    package var postcode: String?
    /// Free text; Mautic has no field for it.
    package var description: String?
    /// Labels; SuiteCRM has none.
    package var tags: [String]
    /// A score; SuiteCRM has none.
    package var points: Int
    package var emailOptOut: Bool
    /// The account's id in the system that holds the person.
    package var account: String?

    package init(
        email: String? = nil,
        firstName: String? = nil,
        lastName: String? = nil,
        phone: String? = nil,
        mobile: String? = nil,
        jobTitle: String? = nil,
        street: String? = nil,
        city: String? = nil,
        postcode: String? = nil,
        description: String? = nil,
        tags: [String] = [],
        points: Int = 0,
        emailOptOut: Bool = false,
        account: String? = nil
    ) {
        self.email = email
        self.firstName = firstName
        self.lastName = lastName
        self.phone = phone
        self.mobile = mobile
        self.jobTitle = jobTitle
        self.street = street
        self.city = city
        self.postcode = postcode
        self.description = description
        self.tags = tags
        self.points = points
        self.emailOptOut = emailOptOut
        self.account = account
    }
}

/// One of a person's texts, for a table of which field of a system holds it.
typealias SandboxPart = any WritableKeyPath<SandboxPerson, String?> & Sendable

/// One living contact of a machine, for comparing worlds.
package struct SandboxRow: Sendable, Hashable {
    package var id: String
    package var person: SandboxPerson
    package var added: SandboxTime
    package var modified: SandboxTime?
}

/// One emulated system: values in, values out, nothing else.
package protocol SandboxMachine: Sendable {
    /// Answers as the real program would at that moment.
    mutating func respond(to request: SandboxRequest, now: SandboxTime) -> SandboxResponse

    /// Puts a contact there as if it had always been, and returns its id.
    @discardableResult
    mutating func seed(_ person: SandboxPerson, at time: SandboxTime) -> String

    /// Another user changes a contact in the program's own pages; false where there is none.
    @discardableResult
    mutating func personEdits(
        _ id: String, at time: SandboxTime, _ edit: (inout SandboxPerson) -> Void
    ) -> Bool

    /// Another user deletes a contact; false where there is none.
    @discardableResult
    mutating func personDeletes(_ id: String, at time: SandboxTime) -> Bool

    /// The person asks for no more e-mail, in the way this system records it.
    @discardableResult
    mutating func personOptsOut(_ id: String, at time: SandboxTime) -> Bool

    /// All living contacts in id order, as plain values.
    var rows: [SandboxRow] { get }

    /// Puts an account there as if it had always been, and returns its id.
    @discardableResult
    mutating func seed(_ account: SandboxAccount, at time: SandboxTime) -> String

    /// Another user changes an account in the program's own pages; false where there is none.
    @discardableResult
    mutating func personEditsAccount(
        _ id: String, at time: SandboxTime, _ edit: (inout SandboxAccount) -> Void
    ) -> Bool

    /// Another user deletes an account, as far as the program lets them; false where it does not.
    @discardableResult
    mutating func personDeletesAccount(_ id: String, at time: SandboxTime) -> Bool

    /// All living accounts in id order.
    var accountRows: [SandboxAccountRow] { get }

    /// How many calls so far meant to write (POST, PUT, PATCH, DELETE), token requests excluded.
    var writeCalls: Int { get }
}
