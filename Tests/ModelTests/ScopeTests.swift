import Ledger
import Testing

@testable import Model

@Suite struct `A scope` {
    private let ann: [String: Value] = [
        "first_name": .text("Ann"), "city": .text("New York"), "tags": .set(["a b", "vip"]),
        "points": .number("5"), "email_opt_out": .bool(true), "email": .text("ann@example.com"),
        "phone": .text(""),
    ]

    private func admits(_ text: String) throws -> Bool {
        try Scope(text, of: .contact).admits { ann[$0] }
    }

    @Test(arguments: [
        "", "  ", "tags has vip", "tags has \"a b\"", "city = \"New York\"", "city != Berlin",
        "city!=Berlin", "city is set", "phone is empty", "mobile is empty", "points = 05",
        "email = ANN@example.com", "email_opt_out = yes", "first_name = Ann and points = 5",
        "points > 4", "points>=5", "points <= 5 and points < 10", "city != <unknown>",
        "city != a<b", "first_name = Bob or points = 5",
        "first_name = Bob and points = 6 or tags has vip",
    ])
    func `lets in whom its words describe`(text: String) throws {
        #expect(try admits(text))
    }

    @Test(arguments: [
        "tags has VIP", "city = Berlin", "city is empty", "phone is set", "mobile is set",
        "email_opt_out = no", "points != 5", "points > 5", "points<5", "points < -1", "points > 10",
        "city = <unknown>", "first_name = Ann and points = 6",
        "first_name = Bob or points = 6",
    ])
    func `leaves out whom they do not`(text: String) throws {
        #expect(try !admits(text))
    }

    @Test(arguments: [
        (
            "stage = lead",
            ScopeError.unknownField("stage", among: EntityMapping.contact.fields.map(\.name))
        ),
        ("tags = vip", .isASet("tags")),
        ("city Berlin", .notATest("city Berlin")),
        ("city = Berlin and", .notATest("")),
        ("city > Berlin", .hasNoOrder("city")),
        ("tags < vip", .hasNoOrder("tags")),
        ("points > many", .badValue("many", field: "points", wanted: "a whole number")),
        ("points > > 5", .notATest("points > > 5")),
        ("points > \"\"", .badValue("", field: "points", wanted: "a whole number")),
        ("<5", .notATest("<5")),
        ("< = 5", .unknownField("<", among: EntityMapping.contact.fields.map(\.name))),
        ("city has Berlin", .notATest("city has Berlin")),
        ("city is big", .notATest("city is big")),
        ("city = New York", .notATest("city = New York")),
        ("city = \"New York", .openQuote),
        ("points = many", .badValue("many", field: "points", wanted: "a whole number")),
        ("email_opt_out = maybe", .badValue("maybe", field: "email_opt_out", wanted: "yes or no")),
        ("! = !", .unknownField("!", among: EntityMapping.contact.fields.map(\.name))),
    ])
    func `that cannot be read says why`(text: String, error: ScopeError) {
        #expect(throws: error) { try Scope(text, of: .contact) }
    }

    @Test(arguments: [
        ("amount < 1000", true), ("amount < 1000.00", true), ("amount >= 999.50", true),
        ("amount > 999.6", false), ("close_date >= 2027-01-31", true),
        ("close_date < 2027-01-31", false), ("close_date < 2027-02-01 or amount > 5000", true),
    ])
    func `compares amounts and days by size`(text: String, isIn: Bool) throws {
        let deal: [String: Value] = [
            "amount": .number("999.5"), "close_date": .text("2027-01-31"),
        ]
        let scope = try Scope(text, of: #require(Mapping.shipped["deal"]))
        #expect(scope.admits { deal[$0] } == isIn)
    }

    @Test(arguments: ["amount < \"\"", "close_date >= \"\""])
    func `refuses to compare with nothing`(text: String) throws {
        let deal = try #require(Mapping.shipped["deal"])
        let error = #expect(throws: ScopeError.self) { try Scope(text, of: deal) }
        #expect(error?.description.contains("with nothing, but it is a") == true)
    }

    @Test(arguments: [nil, Value.null, .text(""), .text("soon"), .number("1e9"), .number("")])
    func `takes what is blank or cannot be read for neither before nor behind`(
        content: Value?
    ) throws {
        let deal = try #require(Mapping.shipped["deal"])
        for text in ["amount", "close_date"] {
            let bound = text == "amount" ? "5" : "2027-01-31"
            for order in Scope.Order.allCases {
                let scope = try Scope("\(text) \(order.rawValue) \(bound)", of: deal)
                #expect(!scope.admits { _ in content })
            }
        }
    }

    @Test func `names the nearest field where it names none`() {
        let error = #expect(throws: ScopeError.self) { try Scope("citty = Oslo", of: .contact) }
        #expect(error?.description.contains("which there is not, did you mean city?") == true)
    }

    @Test func `of a flag that nobody has told takes it for no`() throws {
        #expect(try Scope("email_opt_out = no", of: .contact).admits { _ in nil })
        #expect(try !Scope("email_opt_out != no", of: .contact).admits { _ in nil })
    }
}
