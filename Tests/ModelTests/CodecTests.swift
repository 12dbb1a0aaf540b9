import Ledger
import Model
import Testing

/// What each system makes of a text, whatever the text is.
@Suite struct CodecTests {
    private static let pieces = [
        "a", "Z", "ß", "İ", "é", "e\u{301}", "🦊", "👩‍👩‍👧", "نص", "\u{202E}", " ", "\t", "\n", "\r\n",
        "\u{A0}",
        "\u{3000}", "<", ">", "< ", "<b>", "</b>", "<!--", "&", "&amp;", "&lt;", "&gt;", "&quot;",
        "&#039;", "&#39;", "&copy;", "&nbsp;", "&amp;lt;", "'", "\"", "\\", ";", "\0", ",", "-",
        "0", "1.5",
    ]

    private static func text(_ random: inout SplitMix64) -> String {
        (0..<random.below(14)).map { _ in random.pick(pieces) }.joined()
    }

    private static let spellings = Mapping.shipped.entities.flatMap(\.fields).flatMap { field in
        field.spellings.values.map(\.codec)
    }

    private static func content(_ codec: FieldCodec, _ random: inout SplitMix64) -> Value {
        // What has no word there is neither written nor read.
        if let words = codec.translation?.words.filter({ $0.content == $0.word }), !words.isEmpty {
            return .text(random.pick(words).content)
        }
        return switch codec.kind {
        case .money:
            .number("\(random.below(2_000_000) - 1_000_000).\(random.below(100))")
        case .day: .text("2027-0\(random.below(9) + 1)-1\(random.below(10))")
        case .reference, .referenceByName:
            random.chance(5) ? .null : .text("\(random.below(1_000) + 1)")
        case .text, .email:
            random.chance(5)
                ? .null
                : .text(
                    random.chance(10)
                        ? String(repeating: text(&random), count: 40) : text(&random))
        case .integer: .number(String(random.below(2_000_000) - 1_000_000))
        case .flag: .bool(random.chance(50))
        case .tags: .set(of: (0..<random.below(5)).map { _ in text(&random) })
        }
    }

    @Test(arguments: UInt64(0)..<40)
    func `what a system holds it holds again`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for codec in Self.spellings {
            for _ in 0..<15 {
                let content = Self.content(codec, &random)
                let held = codec.held(content)
                #expect(codec.held(held) == held, "\(codec.system) \(codec.kind) \(content)")
            }
        }
    }

    @Test(arguments: UInt64(0)..<40)
    func `what is stored means what is held, and storing it again changes nothing`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for codec in Self.spellings {
            for _ in 0..<15 {
                let content = Self.content(codec, &random)
                let stored = codec.stored(codec.spelling(of: content))
                #expect(codec.content(of: stored) == codec.held(content))
                let again = codec.stored(stored)
                #expect(
                    codec.content(of: again) == codec.content(of: stored),
                    "\(codec.system) \(content)")
            }
        }
    }

    @Test(arguments: [System.compass, .mautic, .suitecrm])
    func `plain text passes through every system unchanged`(system: System) {
        let codec = FieldCodec(system, .text)
        for text in ["O'Brien & Co", "Zoë \"Z\" Ω", "a\\b", "🦊 fox", "5 > 3"] {
            #expect(codec.held(.text(text)) == .text(text))
        }
    }

    /// Texts that each save unwraps by one level, and no more than that.
    private static let nests: [String] = [
        "&" + String(repeating: "amp;", count: 16_000) + "lt;b>x",
        String(repeating: "&amp;", count: 13_000),
        String(repeating: "&l", count: 9_000) + "<b>" + String(repeating: "t;b>", count: 9_000),
        String(repeating: "&am<b>p;", count: 8_000), String(repeating: "&l<i>t;", count: 9_000),
        String(repeating: "<", count: 65_000), String(repeating: "< ", count: 32_000) + ">",
    ]

    @Test(arguments: nests.indices)
    func `a nest of entities is unwrapped in a few passes, whatever its depth`(nest: Int) {
        for codec in Self.spellings
        where codec.kind == .text && codec.system != .compass
            && codec.translation == nil
        {
            let (text, passes) = codec.stabilized(Self.nests[nest])
            #expect(passes <= 9)
            #expect(codec.stabilized(text).text == text)
            let held = codec.held(.text(text))
            #expect(codec.held(held) == held)
        }
    }

    @Test func `a text that can still be unwrapped by hand is unwrapped to the end`() {
        let codec = FieldCodec(.mautic, .text)
        for (nested, plain) in [
            ("&amp;amp;amp;", "&"), ("&amp;amp;lt;b&gt;x", "x"), ("&am<b>p;", "&"),
            ("a;b&c;", "a;b&c;"),
            ("&&amp;;", "&&;"), ("&amp;#039;", "'"),
        ] {
            #expect(codec.stabilized(nested).text == plain)
        }
    }

    @Test func `what is no number and no word of consent is read as neither nothing nor no`() {
        for system in [System.compass, .mautic, .suitecrm] {
            let count = FieldCodec(system, .integer)
            for spelt in [
                Value.number("9223372036854775808"), .number("-1e400"), .text("many"),
                .unrecognized([58, 0]), .bytes([1]), .set(["1"]),
            ] {
                let content = count.content(of: spelt)
                #expect(content == spelt)
                #expect(!count.reads(content))
                #expect(count.held(content) == content)
            }
            #expect(count.content(of: .text(" ")) == .null)
            #expect(count.content(of: .number("7.9")) == .number("7"))
            let flag = FieldCodec(system, .flag)
            #expect(!flag.reads(flag.content(of: .text("perhaps"))))
            #expect(flag.content(of: .text("TRUE")) == .bool(true))
            #expect(!flag.reads(flag.content(of: .unrecognized([58, 0]))))
            for kind in [FieldCodec.Kind.text, .email, .tags] {
                let codec = FieldCodec(system, kind)
                #expect(codec.content(of: .unrecognized([58, 0])) == .unrecognized([58, 0]))
                #expect(!codec.reads(.unrecognized([58, 0])))
            }
        }
    }

    @Test(arguments: UInt64(0)..<40)
    func `a system holds what can be read, in a form that can be read`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for codec in Self.spellings {
            let content = Self.content(codec, &random)
            #expect(codec.reads(codec.content(of: content)))
            #expect(codec.reads(codec.held(content)))
            guard codec.kind == .tags, codec.system == .mautic else { continue }
            let told = codec.spelling(of: .set(of: content.elements + ["-x", "a,b"])).elements
            #expect(!told.contains { $0.utf8.first == UInt8(ascii: "-") || $0.contains(",") })
        }
    }
}
