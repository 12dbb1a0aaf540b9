package import Connectors
package import Ledger
package import Model

/// What a mapping would come to: what each system would refuse, cut, clean or mangle of what the records
/// hold, and where the mapping names what a system does not have.
package struct MappingCheck {
    package struct Finding: Sendable, Equatable {
        package var entity: String
        package var field: String
        package var system: System
        /// The connection that it is about; the system's name where none was asked.
        package var label: String
        /// Which kind of object there; the entity's name for the ordinary one.
        package var kind: String
        /// Whether something would be refused or lost; else it is only otherwise there.
        package var isFault: Bool
        package var sentence: String
        /// How many records it is about; 0 where it is about the mapping itself.
        package var records: Int
    }

    /// A connected system, and what it says that its objects have.
    package struct Connected: Sendable {
        package var label: String
        package var system: System
        /// What the connection does at all.
        package var direction: Direction
        /// Whether it lets anything be made there.
        package var makes = true
        /// By kind of object; empty where it was not asked.
        package var fields: [String: [RemoteField]]

        package init(
            _ label: String, _ system: System, _ direction: Direction = .both,
            fields: [String: [RemoteField]] = [:]
        ) {
            self.label = label
            self.system = system
            self.direction = direction
            self.fields = fields
        }
    }

    private var found: [Key: Int] = [:]
    private var order: [Key] = []
    /// What was said of the record that is looked at.
    var noted: Set<Key> = []
    let entities: [EntityMapping]
    private let connections: [System: [Connected]]
    let remote: [Place: [String: RemoteField]]

    /// The objects of one kind at a connection: a contact may be a lead there.
    struct Place: Hashable {
        var entity: String
        var system: System
        var label: String
        var kind: String
    }

    struct Key: Hashable {
        var place: Place
        var field: String
        var isFault: Bool
        var sentence: String
    }

    /// `connected` is what is connected; a system that is not is held against the mapping alone.
    package init(_ entities: [EntityMapping], at connected: [Connected] = []) {
        self.entities = entities
        connections = Dictionary(grouping: connected, by: \.system)
        var remote: [Place: [String: RemoteField]] = [:]
        for connection in connected {
            for entity in entities {
                for kind in entity.kinds(at: connection.system) {
                    guard let fields = connection.fields[kind] else { continue }
                    let place = Place(
                        entity: entity.entity, system: connection.system, label: connection.label,
                        kind: kind)
                    remote[place] = Dictionary(fields.map { ($0.name, $0) }) { one, _ in one }
                }
            }
        }
        self.remote = remote
        for entity in entities {
            for field in entity.fields {
                for (system, spelling) in field.spellings.sorted(by: { $0.key < $1.key }) {
                    for connection in at(system) {
                        checkDirection(spelling, field, connection, entity)
                        for kind in entity.kinds(at: system) where !field.lackedBy.contains(kind) {
                            let place = place(entity, connection, kind)
                            let isWritten =
                                spelling.direction != .pull && connection.direction != .pull
                            checkSpelling(spelling, field, place, isWritten: isWritten)
                            if isWritten { checkWords(spelling, field, place) }
                        }
                    }
                }
            }
        }
    }

    /// Whether it asks where a record stands already.
    var asksForPlaces: Bool {
        entities.contains { entity in
            entity.fields.contains { field in
                field.spellings.values.contains { $0.terms.contains(.required) }
            }
        }
    }

    /// Its connections, or one that stands for the system itself.
    func at(_ system: System) -> [Connected] {
        connections[system] ?? [Connected(system.name, system)]
    }

    func place(
        _ entity: EntityMapping, _ connection: Connected, _ kind: String? = nil
    ) -> Place {
        Place(
            entity: entity.entity, system: connection.system, label: connection.label,
            kind: kind ?? entity.entity)
    }

    /// In the order of the mapping: what it is about, and how much.
    package var findings: [Finding] {
        order.map { key in
            Finding(
                entity: key.place.entity, field: key.field, system: key.place.system,
                label: key.place.label, kind: key.place.kind, isFault: key.isFault,
                sentence: key.sentence, records: found[key] ?? 0)
        }
    }

    mutating func note(
        _ place: Place, _ field: String, isFault: Bool, _ sentence: String, records: Int = 0
    ) {
        let key = Key(place: place, field: field, isFault: isFault, sentence: sentence)
        // Of one record the same is said once, whatever of it is so.
        guard records == 0 || noted.insert(key).inserted else { return }
        if found[key] == nil { order.append(key) }
        found[key, default: 0] += records
    }

    // MARK: - The mapping beside the field lists

    private mutating func checkDirection(
        _ spelling: Spelling, _ field: FieldMapping, _ connection: Connected,
        _ entity: EntityMapping
    ) {
        let (own, whole) = (spelling.direction, connection.direction)
        guard own != .both, whole != .both, own != whole else { return }
        let words = [Direction.pull: "read", .push: "written"]
        note(
            place(entity, connection), field.name, isFault: true,
            "it is only \(words[own] ?? ""), and \(connection.label) is connected with --direction \(whole.name): nothing of it moves"
        )
    }

    private mutating func checkSpelling(
        _ spelling: Spelling, _ field: FieldMapping, _ place: Place, isWritten: Bool
    ) {
        // What has a call of its own, and Mautic's tags, are no fields of an object.
        guard let fields = remote[place], spelling.call == .object, field.kind != .tags else {
            return
        }
        let attribute = spelling.remoteName
        guard let there = fields[attribute] else {
            let near = nearest(attribute, in: fields.keys.sorted())
            let does = [System.mautic: "Mautic drops it without a word"][place.system]
            note(
                place, field.name, isFault: true,
                "there is no field \(attribute) there"
                    + (near.map { ", did you mean \($0)?" } ?? "")
                    + " (\(does ?? "every write with it is refused"))")
            return
        }
        if let longest = there.longest, field.kind == .text || field.kind == .email,
            spelling.codec.maximumLength ?? .max > longest, isWritten
        {
            note(
                place, field.name, isFault: false,
                "it holds \(longest) characters there: say `longest: \(longest)`")
        }
        if let wanted = Self.kind(of: field.kind), wanted != there.kind, there.kind != .other,
            wanted == .text || there.kind != .text
        {
            note(
                place, field.name, isFault: true,
                "\(attribute) holds \(Self.words(there.kind)) there, not \(Self.words(wanted))")
        }
        if there.isRequired, !spelling.terms.contains(.required), !spelling.hasDefault,
            spelling.constant == nil
        {
            note(
                place, field.name, isFault: false,
                spelling.direction == .pull
                    ? "no object is made there without it, and it is only read: say `create: {\(place.system.name): never}`"
                    : "no object is made there without it: say `required: true`, or give a default")
        }
        let functions = spelling.codec.translation?.functions ?? []
        if there.isAddress, isWritten, !functions.contains(.url) {
            note(
                place, field.name, isFault: true,
                "http:// is put before what names no scheme there, and would look like an edit: say `functions: [url]`"
            )
        }
    }

    /// The words that the mapping itself has for a system.
    private mutating func checkWords(
        _ spelling: Spelling, _ field: FieldMapping, _ place: Place
    ) {
        let there = remote[place]?[spelling.remoteName]
        // Nobody makes objects of a further kind, and a constant is told to what is made.
        let constant = place.kind == place.entity ? spelling.constant : nil
        let own = [constant, spelling.codec.translation?.blank].compactMap(\.self)
        let lookup = spelling.codec.translation?.words.map(\.word) ?? []
        for word in lookup + own where !(there?.options?.contains(word) ?? true) {
            note(
                place, field.name, isFault: true,
                "\(word) is none of the values that \(spelling.remoteName) takes there")
        }
        let longest = min(spelling.codec.maximumLength ?? .max, there?.longest ?? .max)
        for word in lookup + own {
            if word.unicodeScalars.count > longest {
                note(
                    place, field.name, isFault: true,
                    "\(word) is cut at \(longest) characters there")
            } else if spelling.codec.stored(spelling.codec.spelt(word))
                != spelling.codec.spelt(word)
            {
                note(place, field.name, isFault: true, "\(word) takes another form there")
            }
        }
    }

    private static func kind(of kind: FieldCodec.Kind) -> RemoteField.Kind? {
        switch kind {
        case .text, .email: .text
        case .integer, .money: .number
        case .flag: .flag
        case .day: .day
        case .tags, .reference, .referenceByName: nil
        }
    }

    private static func words(_ kind: RemoteField.Kind) -> String {
        switch kind {
        case .text: "texts"
        case .number: "numbers"
        case .flag: "yes or no"
        case .day: "days"
        case .other: "something else"
        }
    }
}
