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
                return parts.joined(separator: "|")
            }
        }
        let kinds = furtherKinds.map { "\($0.system.name) \($0.name)" }
        let head = [
            entity, keys.joined(separator: ","), within ?? "", kinds.joined(separator: ","),
        ]
        let text = (head + lines).joined(separator: "\n")
        return SHA256.hash(data: Array(text.utf8)).withUnsafeBytes { [UInt8]($0) }
    }
}
