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

    private static let spellings = EntityMapping.contact.fields.flatMap { field in
        field.spellings.values.map(\.codec)
    }

    private static func content(_ kind: FieldCodec.Kind, _ random: inout SplitMix64) -> Value {
        switch kind {
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
                let content = Self.content(codec.kind, &random)
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
                let content = Self.content(codec.kind, &random)
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
}
