import Ledger
import Testing

@testable import Model

@Suite struct `What a mapping does to a spelling` {
    private func codec(
        _ system: System = .compass, _ kind: FieldCodec.Kind = .text, _ functions: String...,
        words: [Translation.Word] = [], blank: String? = nil
    ) throws -> FieldCodec {
        FieldCodec(
            system, kind,
            translation: Translation(
                functions: try functions.map { try TextFunction($0) }, words: words, blank: blank))
    }

    @Test(arguments: [
        ("030 / 123 45 67", "+49301234567"), ("+49 (0)30 1234567", "+49301234567"),
        ("0049 30 1234567", "+49301234567"), ("(030) 123-4567", "+49301234567"),
        ("+1 212 555 0100", "+12125550100"), ("call me", "call me"), ("110", "110"),
        ("030 123 ext. 7", "030 123 ext. 7"), ("1234567", "1234567"), ("", nil),
    ])
    func `a phone number gets its one form, or stays as it is`(
        _ spelt: String, _ content: String?
    ) throws {
        let codec = try codec(.mautic, .text, "phone 49")
        #expect(codec.content(of: .text(spelt)) == content.map(Value.text) ?? .null)
    }

    @Test func `a North American number needs no trunk prefix`() throws {
        let codec = try codec(.mautic, .text, "phone 1")
        #expect(codec.content(of: .text("(212) 555-0100")) == .text("+12125550100"))
        let abroad = Value.text("011 49 30 123456")
        #expect(codec.content(of: abroad) == abroad, "what begins otherwise stays as it is")
    }

    @Test func `hundredths are told as hundredths`() throws {
        let codec = try codec(.compass, .money, "cents")
        for (spelt, content) in [
            ("1234", "12.34"), ("5", "0.05"), ("-7", "-0.07"), ("100", "1"), ("0", "0"),
            ("123456789012345678", "1234567890123456.78"),
        ] {
            #expect(codec.content(of: .number(spelt)) == .number(content))
            #expect(codec.spelling(of: .number(content)) == .number(spelt))
        }
    }

    @Test func `the largest of amounts is found digit by digit`() throws {
        let amounts = [
            "-12.5", "-12", "-0.07", "0", "0.5", "0.75", "9.99", "10", "12345678901234567890.01",
        ]
        for (index, low) in amounts.enumerated() {
            for high in amounts[(index + 1)...] {
                #expect(TextRules.isLess(low, than: high) && !TextRules.isLess(high, than: low))
            }
        }
    }

    @Test func `a day is told as the system writes it`() throws {
        let codec = try codec(.compass, .day, "date dd.mm.yyyy")
        #expect(codec.content(of: .text("31.01.2027")) == .text("2027-01-31"))
        #expect(codec.spelling(of: .text("2027-01-31")) == .text("31.01.2027"))
        #expect(codec.held(.text("2027-01-31")) == .text("2027-01-31"))
        #expect(!codec.reads(codec.content(of: .text("31.02.2027"))), "no such day")
        #expect(codec.content(of: .null) == .null)
    }

    @Test(arguments: [System.compass, .suitecrm])
    func `a flag may say the opposite`(_ system: System) throws {
        let codec = try codec(system, .flag, "not")
        for flag in [true, false] {
            #expect(codec.held(.bool(flag)) == .bool(flag))
        }
        #expect(codec.content(of: .text("1")) == .bool(false))
        #expect(codec.content(of: .null) == .bool(false), "what says nothing is no")
    }

    @Test func `entities are told as entities`() throws {
        let codec = try codec(.compass, .text, "html")
        #expect(codec.content(of: .text("Meyer &amp; S&ouml;hne")) == .text("Meyer & S&ouml;hne"))
        #expect(codec.spelling(of: .text("a < b & \"c\"")) == .text("a &lt; b &amp; &quot;c&quot;"))
        #expect(codec.held(.text("a < b & \"c\"")) == .text("a < b & \"c\""))
    }

    @Test func `a lookup goes both ways, and a word without a place there is not spread`() throws {
        let codec = try codec(words: [.init("gold", "Customer"), .init("silver", "Prospect")])
        #expect(codec.content(of: .text("Customer")) == .text("gold"))
        #expect(codec.spelling(of: .text("silver")) == .text("Prospect"))
        #expect(codec.reads(.text("gold")) && codec.reads(.null))
        let unknown = codec.content(of: .text("Partner"))
        #expect(unknown == .text("Partner") && !codec.reads(unknown))
        #expect(codec.spelling(of: .null) == .null)
    }

    @Test(arguments: [System.compass, .mautic, .suitecrm])
    func `a default stands for a blank, and says nothing`(_ system: System) throws {
        let codec = try codec(system, .text, blank: "Unknown")
        #expect(codec.content(of: .text("Unknown")) == .null)
        #expect(codec.spelling(of: .null) == .text("Unknown"))
        #expect(codec.held(.null) == .null)
        #expect(codec.content(of: .text("Lee")) == .text("Lee"))
    }

    @Test(
        arguments: [
            (
                System.compass, FieldCodec.Kind.integer, "7", [.number("7"), .text("07")],
                .number("7")
            ),
            (.mautic, .money, "0.50", [.number("0.5"), .text("0.500")], .number("0.5")),
            (.suitecrm, .money, "-1", [.text("-1.00"), .number("-1")], .number("-1")),
            (.compass, .day, "1900-01-01", [.text("1900-01-01T00:00:00Z")], .text("1900-01-01")),
        ] as [(System, FieldCodec.Kind, String, [Value], Value)])
    func `a default of a number or a day is known however it is spelt`(
        _ one: (
            system: System, kind: FieldCodec.Kind, blank: String, spellings: [Value], told: Value
        )
    ) throws {
        let codec = try codec(one.system, one.kind, blank: one.blank)
        for spelling in one.spellings { #expect(codec.content(of: spelling) == .null) }
        #expect(codec.spelling(of: .null) == one.told && codec.held(.null) == .null)
    }

    @Test(arguments: [
        ("acme.example", "http://acme.example"), ("https://acme.example", "https://acme.example"),
        (" acme.example ", "http://acme.example"), ("svn+ssh://a", "svn+ssh://a"),
        ("acme.example/?to=https://b.example", "http://acme.example/?to=https://b.example"),
        ("not a url", "http://not a url"), ("://a", "http://://a"),
    ])
    func `an address that names no scheme is told with one`(text: String, told: String) throws {
        let codec = try codec(.mautic, .text, "url")
        #expect(codec.spelling(of: .text(text)) == .text(told))
        #expect(codec.held(.text(told)) == codec.held(.text(text)))
    }

    @Test(arguments: ["", " "])
    func `of blank an address is none`(text: String) throws {
        #expect(try codec(.mautic, .text, "url").spelling(of: .text(text)) == .null)
    }

    @Test func `a default stands in the system's own words`() throws {
        let day = try codec(.mautic, .day, "date dd.mm.yyyy", blank: "01.01.1900")
        #expect(day.spelling(of: .null) == .text("01.01.1900"))
        #expect(day.content(of: .text("01.01.1900")) == .null)
        #expect(day.content(of: .text("02.01.1900")) == .text("1900-01-02"))
        let money = try codec(.compass, .money, "cents", blank: "99")
        #expect(money.spelling(of: .null) == .number("99"))
        #expect(money.content(of: .number("99")) == .null)
        #expect(money.content(of: .number("9900")) == .number("99"))
    }

    @Test(arguments: [
        "fone 49", "phone 39", "phone", "phone DE", "trim 3", "date", "date mm/yyyy", "",
    ])
    func `a function that there is not is refused in one sentence`(_ text: String) {
        #expect { try TextFunction(text) } throws: { !"\($0)".contains("\n") }
    }

    @Test(arguments: 0..<300)
    func `what a system holds of a content, read back, is what it would hold of that`(
        _ seed: UInt64
    ) throws {
        var random = SplitMix64(seed: seed)
        let all = ["trim", "lowercase", "uppercase", "url", "phone 49"]
        let system = random.pick(System.real)
        var functions = try (0..<random.below(3)).map { _ in try TextFunction(random.pick(all)) }
        if system == .compass, random.chance(50) { functions.insert(.html, at: 0) }
        let codec = FieldCodec(
            system, .text, maximumLength: random.chance(50) ? 20 : nil,
            translation: Translation(functions: functions))
        let pieces = ["0", "3", "0049", " ", "&", "&amp;", "<b>", "a", "ß", "+", "(0)", "/", "İ"]
        let text = (0..<random.below(10)).map { _ in random.pick(pieces) }.joined()
        let once = codec.held(.text(text))
        #expect(codec.held(once) == once, "\(functions.map(\.text)) \(text)")
    }
}
