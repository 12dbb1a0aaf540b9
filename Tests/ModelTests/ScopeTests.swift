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
        "first_name = Bob or points = 5", "first_name = Bob and points = 6 or tags has vip",
    ])
    func `lets in whom its words describe`(text: String) throws {
        #expect(try admits(text))
    }

    @Test(arguments: [
        "tags has VIP", "city = Berlin", "city is empty", "phone is set", "mobile is set",
        "email_opt_out = no", "points != 5", "first_name = Ann and points = 6",
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
        ("city > Berlin", .notATest("city > Berlin")),
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

    @Test func `names the nearest field where it names none`() {
        let error = #expect(throws: ScopeError.self) { try Scope("citty = Oslo", of: .contact) }
        #expect(error?.description.contains("which there is not, did you mean city?") == true)
    }

    @Test func `of a flag that nobody has told takes it for no`() throws {
        #expect(try Scope("email_opt_out = no", of: .contact).admits { _ in nil })
        #expect(try !Scope("email_opt_out != no", of: .contact).admits { _ in nil })
    }
}
