import Ledger
package import Model

/// Mappings as a mapping file, for people to change.
extension MappingFile {
    /// The file that says these mappings; reading it gives the same ones.
    package static func text(of mapping: Mapping) -> String {
        mapping.entities.map { text(of: $0) }.joined(separator: "\n")
    }

    private static func text(of entity: EntityMapping) -> String {
        let event = entity.event
        var lines = ["\(entity.entity):"]
        for (part, text) in [("scope", \MappingChanged.PlaceText.scope), ("create", \.create)] {
            let said = event.places.filter { !$0[keyPath: text].isEmpty }
            if !said.isEmpty { lines.append("  \(part):") }
            lines += said.map { "    \($0.system.name): \(quoted($0[keyPath: text]))" }
        }
        lines.append("  fields:")
        for field in event.fields {
            lines.append("    \(field.field):")
            lines += words(of: field).map { "      " + $0 }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func words(of field: FieldMappingText) -> [String] {
        let words = [
            ("category", field.category), ("kind", field.kind), ("law", field.law),
            ("address", field.address), ("refers", field.refers),
        ].filter { !$0.1.isEmpty }.map { "\($0.0): \(quoted($0.1))" }
        let lists = [("prefer", field.prefer), ("without", field.lackedBy)]
            .filter { !$0.1.isEmpty }.map { "\($0.0): [\(list($0.1))]" }
        return words + lists + (field.derivation.map { [derive($0)] } ?? [])
            + field.spellings.map { spelling in
                let terms = terms(of: spelling)
                let attribute = quoted(spelling.attribute)
                return "\(spelling.system.name): "
                    + (terms.isEmpty
                        ? attribute
                        : "{attribute: \(attribute), \(terms.joined(separator: ", "))}")
            }
    }

    private static func derive(_ text: FieldMappingText.DerivationText) -> String {
        var words = [
            ("from", text.from), ("take", text.take), ("by", text.by), ("pick", text.pick),
            ("into", text.into), ("prefix", text.prefix),
        ].filter { !$0.1.isEmpty }.map { "\($0.0): \(quoted($0.1))" }
        if !text.order.isEmpty { words.append("pick: [\(list(text.order))]") }
        if !text.join.isEmpty { words.append("join: [\(list(text.join))]") }
        if !text.separator.isEmpty { words.append("with: \(quoted(text.separator))") }
        return "derive: {\(words.joined(separator: ", "))}"
    }

    private static func terms(of spelling: SpellingText) -> [String] {
        var terms: [String] = []
        if spelling.longest > 0 { terms.append("longest: \(spelling.longest)") }
        if !spelling.functions.isEmpty { terms.append("functions: [\(list(spelling.functions))]") }
        let lookup = spelling.lookup.map { Translation.Word($0.content, $0.word) }
        if let list = WordList(lookup) {
            terms.append("lookup: \(list.rawValue)")
        } else if !lookup.isEmpty {
            let words = lookup.map { "\(quoted($0.content)): \(quoted($0.word))" }
            terms.append("lookup: {\(words.joined(separator: ", "))}")
        }
        if spelling.direction != .both { terms.append("direction: \(spelling.direction.name)") }
        if spelling.onlyCreate { terms.append("only_create: true") }
        if spelling.isRequired { terms.append("required: true") }
        if !spelling.standsForBlank.isEmpty {
            terms.append("default: \(quoted(spelling.standsForBlank))")
        }
        if spelling.blankIsSilent { terms.append("blank: silent") }
        if !spelling.constant.isEmpty { terms.append("constant: \(quoted(spelling.constant))") }
        return terms
    }

    private static func list(_ texts: [String]) -> String {
        texts.map(quoted).joined(separator: ", ")
    }

    /// A text as YAML reads it back: plain where it is one plain word, else between quotation marks
    /// with JSON's escapes, which YAML 1.2 shares.
    private static func quoted(_ text: String) -> String {
        let isPlain =
            text.utf8.first.map { (97...122).contains($0) || (65...90).contains($0) } ?? false
            && text.utf8.allSatisfy {
                (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0)
                    || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
            }
        // What YAML 1.1 takes for a truth value or for nothing.
        let words = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
        if isPlain, !words.contains(text.lowercased()) { return text }
        let escaped = text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            case _ where scalar.value < 32 || scalar.value == 127:
                "\\x" + hexadecimal(scalar.value)
            default: String(scalar)
            }
        }
        return "\"" + escaped.joined() + "\""
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return digits.count < 2 ? "0" + digits : digits
    }
}
