import Crypto
import Ledger

extension EntityMapping {
    /// Tells one mapping from another: SHA-256 over everything in it that can change a decision or a
    /// write.
    ///
    /// Each text stands behind its length and each list behind its count, so that no two mappings give
    /// the same bytes, whatever their words are.
    package var digest: [UInt8] {
        var bytes = Lengthened()
        bytes.add([entity, within ?? ""])
        bytes.add(keys)
        bytes.add(furtherKinds.flatMap { [$0.system.name, $0.name] })
        bytes.add(scopes.sorted { $0.key < $1.key }.flatMap { [$0.key.name, $0.value] })
        bytes.add(creates.sorted { $0.key < $1.key }.flatMap { [$0.key.name, $0.value] })
        bytes.add(count: fields.count)
        for field in fields {
            bytes.add([
                field.name, "\(field.category.rawValue)", field.law.rawValue, field.address ?? "",
                field.refers ?? "",
            ])
            bytes.add(field.prefer.map(\.name))
            bytes.add(field.lackedBy.sorted())
            bytes.add(field.derivation.map { [$0.parts, $0.text.order, $0.join] } ?? [])
            bytes.add(
                field.spellings.sorted { $0.key < $1.key }.flatMap { system, spelling in
                    [[system.name] + spelling.parts] + spelling.translated
                })
        }
        return bytes.digest
    }
}

/// Texts and lists that can be told apart from their bytes alone.
private struct Lengthened {
    private var bytes: [UInt8] = []

    mutating func add(count: Int) { bytes += bigEndianBytes(UInt64(count)) }

    mutating func add(_ texts: [String]) {
        add(count: texts.count)
        for text in texts {
            add(count: text.utf8.count)
            bytes += Array(text.utf8)
        }
    }

    mutating func add(_ lists: [[String]]) {
        add(count: lists.count)
        for list in lists { add(list) }
    }

    var digest: [UInt8] { SHA256.hash(data: bytes).withUnsafeBytes { [UInt8]($0) } }
}

extension Derivation {
    fileprivate var parts: [String] {
        let text = text
        return [text.from, text.take, text.by, text.pick, text.into, text.prefix, text.separator]
    }
}

extension Spelling {
    /// Its name and kind, and what a mapping asks of it beyond them.
    fileprivate var parts: [String] {
        [
            remoteName, codec.kind.rawValue, codec.maximumLength.map(String.init) ?? "",
            "\(form.rawValue)", "\(call.rawValue)", "\(direction.rawValue)", "\(terms.rawValue)",
            constant ?? "", codec.translation?.blank ?? "",
        ]
    }

    /// What it does to texts: functions, contents, and the words for them.
    fileprivate var translated: [[String]] {
        let words = codec.translation?.words ?? []
        return [
            codec.translation?.functions.map(\.text) ?? [], words.map(\.content), words.map(\.word),
        ]
    }
}

// MARK: - Before

extension EntityMapping {
    /// The digest as it was made before each text had its length: words with a bar in them could make
    /// two mappings the same.
    ///
    /// It stands in the ledgers of those versions, and is compared with nothing else.
    package var formerDigest: [UInt8] {
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
                    + text.order + [text.into, text.prefix]).joined(separator: "|")
            }
        }
        let text = (head + lines).joined(separator: "\n")
        return SHA256.hash(data: Array(text.utf8)).withUnsafeBytes { [UInt8]($0) }
    }
}

extension Spelling {
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
