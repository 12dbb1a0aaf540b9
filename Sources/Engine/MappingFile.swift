import Ledger
package import Model
import Yams

/// A mapping file: YAML, one block an entity.
///
/// `Schemas/mapping.schema.json` is its JSON Schema, for editors. What a file says of an entity is the
/// whole of it: a field that it leaves out is no longer mapped. Entities that it leaves out stay as
/// they are.
package struct MappingFile {
    package var entities: [EntityMapping] = []
    private var blocks: [String: Block] = [:]

    static let entityWords = ["scope", "create", "fields"]
    static let fieldWords = [
        "category", "kind", "law", "prefer", "address", "refers", "without", "derive",
    ]
    static let deriveWords = ["from", "take", "by", "pick", "into", "prefix", "join", "with"]
    static let spellingWords = [
        "attribute", "longest", "functions", "lookup", "direction", "only_create", "required",
        "default", "blank", "constant",
    ]

    /// - Throws: `MappingFileError` with the line and the column of the first thing that is wrong.
    package init(_ text: String) throws {
        let root: Node?
        do {
            root = try compose(yaml: text)
        } catch let error as YamlError {
            throw MappingFileError(error)
        }
        guard let root, root != .scalar(.init("")) else {
            throw MappingFileError(
                nil, "the file is empty: `syncledger mapping show --yaml` writes one")
        }
        let shipped = Mapping.shipped
        for (name, key, node) in try Self.members(root, "an entity", shipped.entities.map(\.entity))
        {
            guard let ships = shipped[name] else { continue }
            let block = try Block(name, key, node)
            blocks[name] = block
            do {
                let entity = try EntityMapping(block.event, shipped: ships)
                try entity.checkNews()
                entities.append(entity)
            } catch {
                throw MappingFileError(block.mark(of: error.place), "\(error)")
            }
        }
    }

    /// An error that only the ledger knows, with where in the file it is.
    package func placed(
        _ error: WorkplaceMappingError, of entity: String
    ) -> MappingFileError {
        MappingFileError(blocks[entity]?.mark(of: error.place), "\(error)")
    }

    /// One entity's block, and where each of its parts stands.
    private struct Block {
        var event = MappingChanged()
        private var marks: [(place: MappingError.Place, mark: Mark?)] = []
        private let head: Mark?

        init(_ entity: String, _ key: Node, _ node: Node) throws {
            event.entity = entity
            head = key.mark
            for (name, key, node) in try MappingFile.members(
                node, "a part of an entity", MappingFile.entityWords)
            {
                if name == "fields" {
                    for (field, key, node) in try MappingFile.members(node, "a field", nil) {
                        try read(field, key, node)
                    }
                } else {
                    try readPlaces(name, key, node)
                }
            }
        }

        /// The most exact mark of a place.
        func mark(of place: MappingError.Place) -> Mark? {
            let tries = [
                place, .init(field: place.field, system: place.system),
                .init(field: place.field, key: place.key),
                .init(
                    field: place.field,
                    key: place.key.map(MappingFile.deriveWords.contains) == true ? "derive" : nil),
                .init(field: place.field),
                .init(system: place.system, key: place.key),
            ]
            return tries.lazy.compactMap { wanted in
                marks.first { $0.place == wanted }?.mark
            }.first ?? head
        }

        private mutating func readPlaces(_ part: String, _ key: Node, _ node: Node) throws {
            for (name, key, node) in try MappingFile.members(
                node, "a system", System.real.map(\.name))
            {
                guard let system = System(name: name) else { continue }
                marks.append((.init(system: system, key: part), key.mark))
                let text = try MappingFile.text(node)
                if let index = event.places.firstIndex(where: { $0.system == system }) {
                    event.places[index].set(part, text)
                } else {
                    var place = MappingChanged.PlaceText()
                    place.system = system
                    place.set(part, text)
                    event.places.append(place)
                }
            }
        }

        private mutating func read(_ name: String, _ key: Node, _ node: Node) throws {
            var field = FieldMappingText()
            field.field = name
            marks.append((.init(field: name), key.mark))
            for (word, key, node) in try MappingFile.members(
                node, "a word of a field", MappingFile.fieldWords + System.real.map(\.name))
            {
                marks.append((.init(field: name, key: word), key.mark))
                switch word {
                case "category": field.category = try MappingFile.text(node)
                case "kind": field.kind = try MappingFile.text(node)
                case "law": field.law = try MappingFile.text(node)
                case "prefer": field.prefer = try MappingFile.texts(node)
                case "address": field.address = try MappingFile.text(node)
                case "refers": field.refers = try MappingFile.text(node)
                case "without": field.lackedBy = try MappingFile.texts(node)
                case "derive": field.derivation = try derivation(of: name, node)
                default:
                    guard let system = System(name: word) else { continue }
                    marks.append((.init(field: name, system: system), key.mark))
                    field.spellings.append(try spelling(system, of: name, node))
                }
            }
            event.fields.append(field)
        }

        private mutating func derivation(
            of field: String, _ node: Node
        ) throws -> FieldMappingText.DerivationText {
            var text = FieldMappingText.DerivationText()
            for (word, key, node) in try MappingFile.members(
                node, "a word of derive", MappingFile.deriveWords)
            {
                marks.append((.init(field: field, key: word), key.mark))
                switch word {
                case "from": text.from = try MappingFile.text(node)
                case "take": text.take = try MappingFile.text(node)
                case "by": text.by = try MappingFile.text(node)
                case "pick" where node.sequence != nil: text.order = try MappingFile.texts(node)
                case "pick": text.pick = try MappingFile.text(node)
                case "into": text.into = try MappingFile.text(node)
                case "prefix": text.prefix = try MappingFile.text(node)
                case "join": text.join = try MappingFile.texts(node)
                case "with": text.separator = try MappingFile.text(node)
                default: break
                }
            }
            return text
        }

        private mutating func spelling(
            _ system: System, of field: String, _ node: Node
        ) throws -> SpellingText {
            var spelling = SpellingText()
            spelling.system = system
            if node.scalar != nil {
                spelling.attribute = try MappingFile.text(node)
                return spelling
            }
            for (word, key, node) in try MappingFile.members(
                node, "a word of a spelling", MappingFile.spellingWords)
            {
                marks.append((.init(field: field, system: system, key: word), key.mark))
                switch word {
                case "attribute": spelling.attribute = try MappingFile.text(node)
                case "longest": spelling.longest = try MappingFile.count(node)
                case "functions": spelling.functions = try MappingFile.texts(node)
                case "lookup" where node.scalar != nil:
                    let name = try MappingFile.word(node, WordList.allCases.map(\.rawValue))
                    spelling.lookup =
                        WordList(rawValue: name)?.words.map { .init($0.content, $0.word) } ?? []
                case "lookup":
                    spelling.lookup = try MappingFile.members(node, "a content", nil).map {
                        .init($0.name, try MappingFile.text($0.value))
                    }
                case "direction":
                    let word = try MappingFile.word(node, ["both", "pull", "push"])
                    spelling.direction = word == "pull" ? .pull : word == "push" ? .push : .both
                case "only_create": spelling.onlyCreate = try MappingFile.flag(node)
                case "required": spelling.isRequired = try MappingFile.flag(node)
                case "default": spelling.standsForBlank = try MappingFile.text(node)
                case "blank":
                    spelling.blankIsSilent =
                        try MappingFile.word(node, ["speaks", "silent"]) == "silent"
                case "constant": spelling.constant = try MappingFile.text(node)
                default: break
                }
            }
            return spelling
        }
    }

    // MARK: - Nodes

    /// The members of a block in the order of the file; with `known`, no others.
    private static func members(
        _ node: Node, _ kind: String, _ known: [String]?
    ) throws -> [(name: String, key: Node, value: Node)] {
        guard let mapping = node.mapping else {
            throw MappingFileError(
                node.mark, "here stands \(kind), as a name, a colon and what it is")
        }
        return try mapping.map { key, value in
            let name = try text(key)
            if let known, !known.contains(name) {
                throw MappingFileError(
                    key.mark,
                    "\(name) is not known as \(kind)"
                        + didYouMean(name, among: known)
                        + " there are " + known.joined(separator: ", "))
            }
            return (name, key, value)
        }
    }

    private static func text(_ node: Node) throws -> String {
        guard let text = node.scalar?.string, !text.isEmpty else {
            throw MappingFileError(node.mark, "here stands one word or text")
        }
        return text
    }

    /// Several words, or one.
    private static func texts(_ node: Node) throws -> [String] {
        guard let sequence = node.sequence else { return [try text(node)] }
        return try sequence.map(text)
    }

    private static func word(_ node: Node, _ known: [String]) throws -> String {
        let word = try text(node)
        guard known.contains(word) else {
            throw MappingFileError(
                node.mark,
                "\(word) is not known"
                    + didYouMean(word, among: known)
                    + " take one of " + known.joined(separator: ", "))
        }
        return word
    }

    private static func flag(_ node: Node) throws -> Bool {
        guard let flag = node.bool else {
            throw MappingFileError(node.mark, "here stands true or false")
        }
        return flag
    }

    private static func count(_ node: Node) throws -> UInt64 {
        guard let count = UInt64(try text(node)), count > 0 else {
            throw MappingFileError(node.mark, "here stands a number of characters, 1 or more")
        }
        return count
    }
}

extension MappingChanged.PlaceText {
    fileprivate mutating func set(_ part: String, _ text: String) {
        if part == "scope" { scope = text } else { create = text }
    }
}

/// What is wrong in a mapping file, and where.
package struct MappingFileError: Error, Equatable, CustomStringConvertible {
    package var line: Int?
    package var column: Int?
    package var message: String

    fileprivate init(_ mark: Mark?, _ message: String) {
        line = mark?.line
        column = mark?.column
        self.message = message
    }

    fileprivate init(_ error: YamlError) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            self.init(mark, "this is no YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            self.init(
                context.mark,
                "the same name stands there twice: " + duplicates.joined(separator: ", "))
        default: self.init(nil, "this is no YAML")
        }
    }

    package var description: String {
        if let line, let column { "line \(line), column \(column): \(message)" } else { message }
    }
}
