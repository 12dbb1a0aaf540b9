package import Ledger

/// How a field takes its value from another record, or from other fields of its own.
///
/// The other record is the one that a reference names, or one of those that refer to the same record.
/// A contact's stage may so be that of a deal of its account, and its whole name be its first and its
/// last name. Nobody speaks for such a field; it moves when what it is taken from does.
package struct Derivation: Sendable, Hashable {
    /// The reference of this record that leads there.
    package var by: String
    /// The entity it is taken from.
    package var from: String
    /// The field of that entity.
    package var take: String
    /// Which of several records is taken; `nil` where there can be only one.
    package var pick: Pick?
    /// The set field that holds it as an element, with what stands before it.
    package var into: String?
    package var prefix = ""
    /// The fields of this record that it is made of; then all above is empty.
    package var join: [String] = []
    /// What stands between two of them.
    package var separator = Self.space

    package static var space: String { " " }

    package enum Pick: Sendable, Hashable {
        /// The record with the greatest, or the least, content of a field.
        case greatest(String)
        case least(String)
        /// The one whose value stands first in this list; others come behind.
        case order([String])
    }

    package init(by: String, from: String, take: String, pick: Pick? = nil, into: String? = nil) {
        self.by = by
        self.from = from
        self.take = take
        self.pick = pick
        self.into = into
    }

    /// Texts of this record, joined.
    package init(join: [String], separator: String = Self.space) {
        self.init(by: "", from: "", take: "")
        self.join = join
        self.separator = separator
    }

    /// Whether it is made of other fields of its own record.
    package var isJoin: Bool { !join.isEmpty }

    /// What a join is, from what the fields of the record stand on; blanks are left out, and null
    /// stands where all are blank.
    package func joined(_ content: (_ field: String) -> Value?) -> Value {
        let texts = join.compactMap { name -> String? in
            guard case .text(let text)? = content(name) else { return nil }
            let bare = trimmed(text)
            return bare.isEmpty ? nil : bare
        }
        return texts.isEmpty ? .null : .text(texts.joined(separator: separator))
    }

    /// One of the records that it may be taken from.
    package struct Source: Sendable {
        package var record: RecordID
        package var content: [String: Value]

        package init(record: RecordID, content: [String: Value]) {
            self.record = record
            self.content = content
        }
    }

    /// The value, from records that are there; null where none has one.
    ///
    /// Of two alike it is that of the older record id, so that the order in which they are told does
    /// not count.
    package func value(from sources: [Source]) -> Value {
        let told = sources.filter { !($0.content[take]?.isBlank ?? true) }
            .sorted { $0.record < $1.record }
        let found: Source? =
            switch pick {
            case nil: told.first
            case .greatest(let field): first(of: told, by: field) { Self.isLess($1, than: $0) }
            case .least(let field): first(of: told, by: field) { Self.isLess($0, than: $1) }
            case .order(let words):
                told.enumerated().min { one, other in
                    let (left, right) = (rank(one.element, words), rank(other.element, words))
                    return left == right ? one.offset < other.offset : left < right
                }?.element
            }
        return element(found?.content[take] ?? .null)
    }

    /// What it makes of the other record's value.
    package func element(_ value: Value) -> Value {
        guard !prefix.isEmpty, case .text(let text) = value else { return value }
        return .text(prefix + text)
    }

    private func rank(_ source: Source, _ words: [String]) -> Int {
        guard case .text(let word)? = source.content[take] else { return words.count }
        return words.firstIndex(of: word) ?? words.count
    }

    /// The first among those that have the field at all, else the first of all.
    private func first(
        of told: [Source], by field: String, _ precedes: (Value, Value) -> Bool
    ) -> Source? {
        let known = told.compactMap { source in
            source.content[field].flatMap { $0.isBlank ? nil : (source, $0) }
        }
        guard var best = known.first else { return told.first }
        for next in known.dropFirst() where precedes(next.1, best.1) { best = next }
        return best.0
    }

    private static func isLess(_ one: Value, than other: Value) -> Bool {
        switch (one, other) {
        case (.number(let left), .number(let right)):
            guard let left = TextRules.decimal(left), let right = TextRules.decimal(right) else {
                return false
            }
            return TextRules.isLess(left, than: right)
        case (.text(let left), .text(let right)): return left < right
        case (.bool(let left), .bool(let right)): return !left && right
        default: return false
        }
    }
}

/// What a derived field of a record is now.
package struct Derived: Sendable, Hashable {
    package var value: Value
    /// Whether it, or what led to it, was decided under the rules in force: else they alone would
    /// decide.
    package var isNews: Bool

    package init(value: Value, isNews: Bool) {
        self.value = value
        self.isNews = isNews
    }
}
