package import Ledger

/// Who belongs at a connection: tests of canonical fields.
///
/// Written as `tags has newsletter and city = "New York" or points >= 100`; `and` binds closer than
/// `or`. Empty means everybody.
package struct Scope: Sendable, Hashable {
    /// One comparison with what a field holds; a field that nobody has told is empty.
    package enum Test: Sendable, Hashable {
        case equals(field: String, Value)
        case differs(field: String, Value)
        /// Of a set: whether it holds the element.
        case has(field: String, String)
        /// Of a number or a day; a field that is empty is neither before nor behind anything.
        case compares(field: String, Order, Value)
        case isSet(field: String)
        case isEmpty(field: String)
    }

    package enum Order: String, Sendable, Hashable, CaseIterable {
        case less = "<"
        case atMost = "<="
        case greater = ">"
        case atLeast = ">="

        fileprivate func holds(_ content: Value, _ bound: Value) -> Bool {
            switch self {
            case .less: content.precedes(bound) == true
            case .atMost: bound.precedes(content) == false
            case .greater: bound.precedes(content) == true
            case .atLeast: content.precedes(bound) == false
            }
        }
    }

    /// Somebody belongs when all tests of at least one group hold.
    package var groups: [[Test]]

    package static var everybody: Scope { Scope(groups: [[]]) }
    /// What a scope that this version cannot read lets in: nothing is written on a guess.
    package static var nobody: Scope { Scope(groups: []) }

    private init(groups: [[Test]]) { self.groups = groups }

    /// - Throws: `ScopeError`, which says what is wrong where.
    package init(_ text: String, of mapping: EntityMapping) throws {
        let words = try Self.words(text)
        guard !words.isEmpty else {
            self = .everybody
            return
        }
        groups = try words.split(separator: .bare("or"), omittingEmptySubsequences: false).map {
            try $0.split(separator: .bare("and"), omittingEmptySubsequences: false).map {
                try Self.test(Array($0), mapping)
            }
        }
    }

    /// Who belongs here and there.
    package func and(_ other: Scope) -> Scope {
        if self == .everybody { return other }
        if other == .everybody { return self }
        return Scope(groups: groups.flatMap { group in other.groups.map { group + $0 } })
    }

    package func admits(_ content: (_ field: String) -> Value?) -> Bool {
        groups.contains { group in
            group.allSatisfy { test in
                switch test {
                case .equals(let field, let value): Self.same(content(field), value)
                case .differs(let field, let value): !Self.same(content(field), value)
                case .has(let field, let element):
                    content(field)?.elements.contains(element) ?? false
                case .compares(let field, let order, let bound):
                    content(field).map { order.holds($0, bound) } ?? false
                case .isSet(let field): !(content(field)?.isBlank ?? true)
                case .isEmpty(let field): content(field)?.isBlank ?? true
                }
            }
        }
    }

    private static func same(_ content: Value?, _ value: Value) -> Bool {
        let content = content ?? .null
        // A flag that nobody has told is not set.
        return content == value || content == .null && value == .bool(false)
    }

    // MARK: - Reading

    private enum Word: Hashable {
        case bare(String)
        case quoted(String)

        var text: String {
            switch self {
            case .bare(let text), .quoted(let text): text
            }
        }
    }

    private static func words(_ text: String) throws -> [Word] {
        var words: [Word] = []
        var rest = text[...]
        while let first = rest.first {
            if first.isWhitespace {
                rest.removeFirst()
            } else if first == "\"" {
                let inside = rest.dropFirst()
                guard let end = inside.firstIndex(of: "\"") else { throw ScopeError.openQuote }
                words.append(.quoted(String(inside[..<end])))
                rest = inside[inside.index(after: end)...]
            } else if let sign = Self.sign(at: rest, behind: words) {
                words.append(.bare(sign))
                rest = rest.dropFirst(sign.count)
            } else {
                let beginsTest = Self.beginsTest(behind: words)
                var word = String(rest.removeFirst())
                while let next = rest.first, !next.isWhitespace, next != "\"", next != "=",
                    !rest.hasPrefix("!="), !beginsTest || next != "<" && next != ">"
                {
                    word.append(rest.removeFirst())
                }
                words.append(.bare(word))
            }
        }
        return words
    }

    /// The sign that the rest begins with.
    ///
    /// `<` and `>` are signs behind a field alone: elsewhere they
    /// are letters, as in `city = <unknown>`.
    private static func sign(at rest: Substring, behind words: [Word]) -> String? {
        let isBehindField = words.last.map { _ in beginsTest(behind: words.dropLast()) } ?? false
        let orders = isBehindField ? ["<=", ">=", "<", ">"] : []
        return (["!=", "="] + orders).first { rest.hasPrefix($0) }
    }

    private static func beginsTest(behind words: some BidirectionalCollection<Word>) -> Bool {
        [nil, .bare("and"), .bare("or")].contains(words.last)
    }

    private static func test(_ words: [Word], _ mapping: EntityMapping) throws -> Test {
        guard words.count == 3, case .bare(let name) = words[0], case .bare(let verb) = words[1]
        else { throw ScopeError.notATest(words.map(\.text).joined(separator: " ")) }
        guard let kind = mapping.field(name)?.kind else {
            throw ScopeError.unknownField(name, among: mapping.fields.map(\.name))
        }
        let word = words[2].text
        switch (verb, kind) {
        case ("is", _) where word == "set": return .isSet(field: name)
        case ("is", _) where word == "empty": return .isEmpty(field: name)
        case ("has", .tags): return .has(field: name, word)
        case ("=", .tags), ("!=", .tags): throw ScopeError.isASet(name)
        case ("=", .reference), ("!=", .reference), ("=", .referenceByName),
            ("!=", .referenceByName):
            throw ScopeError.isAReference(name)
        case ("=", _): return .equals(field: name, try value(word, of: name, kind))
        case ("!=", _): return .differs(field: name, try value(word, of: name, kind))
        default: break
        }
        guard let order = Order(rawValue: verb) else {
            throw ScopeError.notATest(words.map(\.text).joined(separator: " "))
        }
        guard [.integer, .money, .day].contains(kind) else { throw ScopeError.hasNoOrder(name) }
        let bound = try value(word, of: name, kind)
        guard !bound.isBlank else {
            throw ScopeError.badValue(
                "nothing", field: name, wanted: kind == .day ? "a day, 2027-01-31" : "a number")
        }
        return .compares(field: name, order, bound)
    }

    private static func value(
        _ word: String, of field: String, _ kind: FieldCodec.Kind
    ) throws -> Value {
        let codec = FieldCodec(.compass, kind)
        switch kind {
        case .flag:
            guard let flag = ["true": true, "yes": true, "false": false, "no": false][word] else {
                throw ScopeError.badValue(word, field: field, wanted: "yes or no")
            }
            return .bool(flag)
        case .integer:
            guard Int64(word) != nil else {
                throw ScopeError.badValue(word, field: field, wanted: "a whole number")
            }
            return codec.content(of: .number(word))
        case .money, .day, .text, .email, .tags, .reference, .referenceByName:
            let content = codec.content(of: .text(word))
            guard codec.reads(content) else {
                throw ScopeError.badValue(
                    word, field: field, wanted: kind == .money ? "a number" : "a day, 2027-01-31")
            }
            return content
        }
    }
}

extension Value {
    /// Whether it stands before another number, or day as ISO 8601 writes it; `nil` where one of them is
    /// neither.
    fileprivate func precedes(_ other: Value) -> Bool? {
        switch (self, other) {
        case (.number(let one), .number(let other)):
            guard let one = TextRules.decimal(one), let other = TextRules.decimal(other) else {
                return nil
            }
            return TextRules.isLess(one, than: other)
        case (.text(let one), .text(let other)):
            let day = FieldCodec(.compass, .day)
            return day.reads(self) && day.reads(.text(other)) ? one < other : nil
        default: return nil
        }
    }
}

package enum ScopeError: Error, Equatable, CustomStringConvertible {
    case unknownField(String, among: [String])
    case notATest(String)
    case isASet(String)
    case hasNoOrder(String)
    case isAReference(String)
    case badValue(String, field: String, wanted: String)
    case openQuote

    package var description: String {
        switch self {
        case .unknownField(let name, let fields):
            "the scope names a field \(name), which there is not\(didYouMean(name, among: fields)) `syncledger mapping` lists them"
        case .notATest(let text):
            "the scope cannot be read at `\(text)`: write tests such as `tags has newsletter`, `city = Berlin`, `city != \"New York\"`, `points >= 100`, `phone is set` or `phone is empty`, joined by `and` and `or`"
        case .isAReference(let name):
            "\(name) refers to another record: write `\(name) is set` or `\(name) is empty` in the scope"
        case .hasNoOrder(let name):
            "the scope compares \(name) by size, but only numbers and days have one: write `\(name) = …` or `\(name) is set` in the scope"
        case .isASet(let name): "\(name) holds several: write `\(name) has …` in the scope"
        case .badValue(let word, let field, let wanted):
            "the scope compares \(field) with \(word), but it is \(wanted)"
        case .openQuote: "the scope has a quotation mark that nothing closes"
        }
    }
}
