import Crypto
import Ledger

extension EntityMapping {
    /// Tells one mapping from another: SHA-256 over everything in it that can change a decision or a
    /// write, one line a spelling.
    package var digest: [UInt8] {
        let lines = fields.flatMap { field in
            field.spellings.sorted { $0.key < $1.key }.map { system, spelling in
                [
                    field.name, "\(field.category.rawValue)", field.law.rawValue,
                    field.prefer.map(\.name).joined(separator: ","), field.address ?? "",
                    field.refers ?? "",
                    system.name, spelling.attribute, spelling.codec.kind.rawValue,
                    spelling.codec.maximumLength.map(String.init) ?? "",
                    "\(spelling.form.rawValue)", "\(spelling.call.rawValue)",
                ].joined(separator: "|")
            }
        }
        let text = ([entity, keys.joined(separator: ","), within ?? ""] + lines).joined(
            separator: "\n")
        return SHA256.hash(data: Array(text.utf8)).withUnsafeBytes { [UInt8]($0) }
    }
}
