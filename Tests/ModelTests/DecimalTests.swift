import Ledger
import Testing

@testable import Model

@Suite struct `Amounts` {
    @Test(arguments: [
        ("1234.50", "1234.5"), ("0", "0"), ("-0.00", "0"), ("007", "7"), (".5", "0.5"),
        ("-12.340", "-12.34"), ("+3", "3"), ("99999999999999999999.01", "99999999999999999999.01"),
    ])
    func `are the same however their zeros are written`(told: String, plain: String) {
        #expect(TextRules.decimal(told) == plain)
        #expect(FieldCodec(.compass, .money).content(of: .text(told)) == .number(plain))
        #expect(FieldCodec(.compass, .money).content(of: .number(told)) == .number(plain))
    }

    @Test(arguments: ["", "-", ".", "1.2.3", "1,5", "twelve", "1e3", "0x10", "٣"])
    func `that are none are kept as they are told`(text: String) {
        #expect(TextRules.decimal(text) == nil)
        let content = FieldCodec(.compass, .money).content(of: .text(text))
        #expect(text.isEmpty ? content == .null : !FieldCodec(.compass, .money).reads(content))
    }

    @Test(arguments: [
        ("12345678901234.56", "12345678901235"), ("12345678901.25", "12345678901.25"),
        ("99999999999999.9", "100000000000000"), ("0.000123456789012345", "0.00012345678901235"),
        ("-12345678901234.5", "-12345678901235"), ("12345678901234567", "12345678901235000"),
    ])
    func `keep fourteen digits in SuiteCRM`(amount: String, shown: String) {
        #expect(FieldCodec(.suitecrm, .money).stored(.number(amount)) == .number(shown))
    }

    @Test func `of nothing are SuiteCRM's 0`() {
        let codec = FieldCodec(.suitecrm, .money)
        #expect(codec.content(of: .text("0")) == .null)
        #expect(codec.held(.null) == .null && codec.held(.number("0")) == .null)
        #expect(codec.held(.number("0.5")) == .number("0.5"))
    }
}
