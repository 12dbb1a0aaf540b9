import Crypto
import Ledger

extension EntityMapping {
    /// Tells one mapping from another: SHA-256 over everything in it that can change a decision or a
    /// write, one line a spelling.
    package var digest: [UInt8] {
        let lines: [String] = fields.flatMap { (field) -> [String] in
            field.spellings.sorted { $0.key < $1.key }.map { (system, spelling) -> String in
                let parts: [String] = [
                    field.name, "\(field.category.rawValue)", field.law.rawValue,
                    field.prefer.map(\.name).joined(separator: ","), field.address ?? "",
                    field.refers ?? "",
                    field.lackedBy.sorted().joined(separator: ","),
                    system.name, spelling.attribute, spelling.codec.kind.rawValue,
                    spelling.codec.maximumLength.map(String.init) ?? "",
                    "\(spelling.form.rawValue)", "\(spelling.call.rawValue)",
                ]
                return (parts + spelling.asked).joined(separator: "|")
            }
        }
        let kinds = furtherKinds.map { "\($0.system.name) \($0.name)" }
        var head = [
            entity, keys.joined(separator: ","), within ?? "", kinds.joined(separator: ","),
        ]
        head += scopes.sorted { $0.key < $1.key }.map { "scope \($0.key.name) \($0.value)" }
        head += creates.sorted { $0.key < $1.key }.map { "create \($0.key.name) \($0.value)" }
        head += fields.compactMap { field in
            field.derivation.map { derivation in
                let text = derivation.text
                return
                    (["derived", field.name, text.from, text.take, text.by, text.pick]
                    + text.order + [text.into, text.prefix]
                    + (text.join.isEmpty ? [] : ["join", text.separator] + text.join))
                    .joined(separator: "|")
            }
        }
        let text = (head + lines).joined(separator: "\n")
        return SHA256.hash(data: Array(text.utf8)).withUnsafeBytes { [UInt8]($0) }
    }
}

extension Spelling {
    /// What a mapping asks of it beyond its name and kind; empty where that is nothing.
    fileprivate var asked: [String] {
        let translation = codec.translation
        let asked =
            (translation?.functions ?? []).map { "function \($0.text)" }
            + (translation?.words ?? []).map { "word \($0.content)\u{0}\($0.word)" }
            + (translation?.blank.map { ["blank \($0)"] } ?? [])
            + (constant.map { ["constant \($0)"] } ?? [])
        let isOrdinary = direction == .both && terms.isEmpty
        return isOrdinary
            ? asked : asked + ["direction \(direction.rawValue)", "terms \(terms.rawValue)"]
    }
}
