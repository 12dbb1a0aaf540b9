/// A company as all three systems could know one; a system keeps the parts it has fields for.
package struct SandboxAccount: Sendable, Hashable {
    package var name: String?
    package var website: String?
    package var phone: String?
    package var industry: String?
    package var street: String?
    package var city: String?
    package var postcode: String?
    package var country: String?
    /// How many people work there.
    package var employees: Int?
    package var description: String?
    /// Compass has no field for it.
    package var email: String?

    package init(
        name: String? = nil,
        website: String? = nil,
        phone: String? = nil,
        industry: String? = nil,
        street: String? = nil,
        city: String? = nil,
        postcode: String? = nil,
        country: String? = nil,
        employees: Int? = nil,
        description: String? = nil,
        email: String? = nil
    ) {
        self.name = name
        self.website = website
        self.phone = phone
        self.industry = industry
        self.street = street
        self.city = city
        self.postcode = postcode
        self.country = country
        self.employees = employees
        self.description = description
        self.email = email
    }
}

/// One of an account's texts, for a table of which field of a system holds it.
typealias SandboxAccountPart = any WritableKeyPath<SandboxAccount, String?> & Sendable

/// One living account of a machine, for comparing worlds.
package struct SandboxAccountRow: Sendable, Hashable {
    package var id: String
    package var account: SandboxAccount
    package var added: SandboxTime
    package var modified: SandboxTime?
}

/// A deal as Compass and SuiteCRM know one.
package struct SandboxDeal: Sendable, Hashable {
    package var name: String?
    /// The account's id in the system that holds the deal.
    package var account: String?
    /// A decimal number's text, `1234.5`.
    package var amount: String?
    package var stage: String?
    /// A day, `2027-01-31`.
    package var closeDate: String?
    /// In per cent.
    package var probability: Int?
    package var description: String?

    package init(
        name: String? = nil,
        account: String? = nil,
        amount: String? = nil,
        stage: String? = nil,
        closeDate: String? = nil,
        probability: Int? = nil,
        description: String? = nil
    ) {
        self.name = name
        self.account = account
        self.amount = amount
        self.stage = stage
        self.closeDate = closeDate
        self.probability = probability
        self.description = description
    }
}

/// One of a deal's texts, for a table of which field of a system holds it.
typealias SandboxDealPart = any WritableKeyPath<SandboxDeal, String?> & Sendable

/// One living deal of a machine, for comparing worlds.
package struct SandboxDealRow: Sendable, Hashable {
    package var id: String
    package var deal: SandboxDeal
    package var added: SandboxTime
    package var modified: SandboxTime?
}

/// An emulated system that has deals: Compass and SuiteCRM.
package protocol SandboxDealMachine: SandboxMachine {
    /// Puts a deal there as if it had always been, and returns its id.
    @discardableResult
    mutating func seed(_ deal: SandboxDeal, at time: SandboxTime) -> String

    /// Another user changes a deal in the program's own pages; false where there is none.
    @discardableResult
    mutating func personEditsDeal(
        _ id: String, at time: SandboxTime, _ edit: (inout SandboxDeal) -> Void
    ) -> Bool

    /// Another user deletes a deal; false where there is none.
    @discardableResult
    mutating func personDeletesDeal(_ id: String, at time: SandboxTime) -> Bool

    /// All living deals in id order.
    var dealRows: [SandboxDealRow] { get }
}
