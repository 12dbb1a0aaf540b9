package import Connectors
package import Ledger
package import Model
import Projections

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
    private var noted: Set<Key> = []
    private let entities: [EntityMapping]
    private let connections: [System: [Connected]]
    private let remote: [Place: [String: RemoteField]]

    /// The objects of one kind at a connection: a contact may be a lead there.
    private struct Place: Hashable {
        var entity: String
        var system: System
        var label: String
        var kind: String
    }

    private struct Key: Hashable {
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
                            checkSpelling(spelling, field, place(entity, connection, kind))
                        }
                    }
                }
            }
        }
    }

    /// Its connections, or one that stands for the system itself.
    private func at(_ system: System) -> [Connected] {
        connections[system] ?? [Connected(system.name, system)]
    }

    private func place(
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

    private mutating func note(
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
        _ spelling: Spelling, _ field: FieldMapping, _ place: Place
    ) {
        checkWords(spelling, field, place)
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
            spelling.codec.maximumLength ?? .max > longest, spelling.direction != .pull
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
        if there.isAddress, spelling.direction != .pull, !functions.contains(.url) {
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
        let own = [spelling.constant, spelling.codec.translation?.blank].compactMap(\.self)
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

    // MARK: - What the records hold

    /// Looks at one record: at what stands in each field or, where nothing does, all that could.
    package mutating func look(_ entity: String, _ contents: (_ field: String) -> [Value]) {
        noted = []
        lookAtDerived(from: entity, contents)
        guard let mapping = entities.first(where: { $0.entity == entity }) else { return }
        for field in mapping.fields where field.refers == nil {
            // What is derived is not decided before its mapping is in force.
            if let derivation = field.derivation, !derivation.isJoin { continue }
            let join = field.derivation.flatMap { $0.joined { contents($0).first } }
            let values = join.map { [$0] } ?? contents(field.name)
            for (system, spelling) in field.spellings.sorted(by: { $0.key < $1.key })
            where spelling.direction != .pull && spelling.constant == nil {
                for connection in at(system) where connection.direction != .pull {
                    look(values, spelling, field, place(mapping, connection))
                }
            }
        }
    }

    /// What would be taken from this record for fields of others.
    private mutating func lookAtDerived(
        from entity: String, _ contents: (_ field: String) -> [Value]
    ) {
        for mapping in entities {
            for field in mapping.fields {
                guard let derivation = field.derivation, derivation.from == entity else { continue }
                let target = derivation.into.flatMap(mapping.field) ?? field
                let values = contents(derivation.take).filter { !$0.isBlank }.map { value in
                    let element = derivation.element(value)
                    return if derivation.into != nil, case .text(let text) = element {
                        Value.set(of: [text])
                    } else {
                        element
                    }
                }
                for (system, spelling) in target.spellings.sorted(by: { $0.key < $1.key })
                where spelling.direction != .pull {
                    for connection in at(system) where connection.direction != .pull {
                        for value in values {
                            look(value, spelling, field, place(mapping, connection))
                        }
                    }
                }
            }
        }
    }

    private mutating func look(
        _ values: [Value], _ spelling: Spelling, _ field: FieldMapping, _ place: Place
    ) {
        let told = values.filter { !$0.isBlank }
        if told.isEmpty, spelling.terms.contains(.required), !spelling.hasDefault {
            note(
                place, field.name, isFault: true,
                "it is blank and required there, so no object is made", records: 1)
        }
        for value in told { look(value, spelling, field, place) }
    }

    private mutating func look(
        _ value: Value, _ spelling: Spelling, _ field: FieldMapping, _ place: Place
    ) {
        let codec = spelling.codec
        func note(_ isFault: Bool, _ sentence: String) {
            self.note(place, field.name, isFault: isFault, sentence, records: 1)
        }
        guard codec.reads(value) else {
            let isWord = codec.translation?.words.isEmpty == false
            return note(
                true,
                isWord
                    ? "the lookup has no word for it, so it is not written there"
                    : "it is no value of kind \(codec.kind.rawValue), so it is not written there")
        }
        let there = remote[place]?[spelling.remoteName]
        if codec.kind == .email, codec.system == .mautic, case .text(let address) = value,
            !TextRules.isMauticAddress(address)
        {
            return note(true, "it is no e-mail address there, so the whole object is refused")
        }
        if case .text(let spelt) = codec.spelling(of: value),
            !(there?.options?.contains(spelt) ?? true)
        {
            return note(true, "it is none of the values that \(spelling.attribute) takes there")
        }
        let held = codec.held(value)
        if case .text(let text) = value {
            let longest = min(codec.maximumLength ?? .max, there?.longest ?? .max)
            if text.unicodeScalars.count > longest {
                // Mautic refuses what is too long, the others cut it; we send what fits.
                return note(true, "it is cut at \(longest) characters there")
            }
            if case .text(let shown) = held, trimmed(shown) == trimmed(text) { return }
            if held == value { return }
            let lost = text.contains("<") || text.contains("&")
            return note(
                lost,
                lost
                    ? "it is cleaned there: < and what follows, or entities, are taken for HTML"
                    : "it takes another form there")
        }
        if case .set(let elements) = value {
            let kept = Set(held.elements)
            if !elements.allSatisfy(kept.contains) {
                note(true, "a tag of it cannot be one there: no leading -, no comma, no <")
            }
            return
        }
        if held != value { note(false, "it takes another form there") }
    }
}

extension Workplace {
    /// Holds a mapping against what all records stand on, and against what objects show of which nothing
    /// was decided yet.
    package func look(with check: inout MappingCheck) throws {
        let mapping = try mapping()
        func shown(_ field: String, by objects: [ReplicaRow]) -> [Value] {
            var values: [Value] = []
            for object in objects where object.isActive {
                guard let mapped = mapping[object.entity]?.field(field),
                    let value = object.branch(mapped)?.seenContent, !values.contains(value)
                else { continue }
                values.append(value)
            }
            return values
        }
        let _: [Never] = try views.collect(from: \.records) { record in
            let fields = mapping[record.entity]?.fields ?? []
            let isDecided = fields.allSatisfy { record.outcome($0.name) != nil }
            let objects = isDecided ? [] : try record.replicas.compactMap(views.replica)
            check.look(record.entity) { field in
                guard let outcome = record.outcome(field) else { return shown(field, by: objects) }
                return [outcome.value?.value].compactMap(\.self)
            }
            return nil
        }
        let _: [Never] = try views.collect(
            from: \.replicas, where: { $0.record == nil && $0.isActive }
        ) { object in
            check.look(object.entity) { shown($0, by: [object]) }
            return nil
        }
    }
}
