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
        /// Which kind of object there; the entity's name for the ordinary one.
        package var kind: String
        /// Whether something would be refused or lost; else it is only otherwise there.
        package var isFault: Bool
        package var sentence: String
        /// How many records it is about; 0 where it is about the mapping itself.
        package var records: Int
    }

    private var found: [Key: Int] = [:]
    private var order: [Key] = []
    /// What was said of the record that is looked at.
    private var noted: Set<Key> = []
    private let entities: [EntityMapping]
    private let remote: [Place: [String: RemoteField]]

    /// The objects of an entity at a system, of one kind: a contact may be a lead there.
    package struct Place: Hashable, Sendable {
        package var entity: String
        package var system: System
        package var kind: String

        package init(_ entity: String, _ system: System, kind: String? = nil) {
            self.entity = entity
            self.system = system
            self.kind = kind ?? entity
        }
    }

    private struct Key: Hashable {
        var place: Place
        var field: String
        var isFault: Bool
        var sentence: String
    }

    /// `remote` has what each system says that its objects have, where it was asked.
    package init(_ entities: [EntityMapping], remote: [Place: [RemoteField]]) {
        self.entities = entities
        self.remote = remote.mapValues { fields in
            Dictionary(fields.map { ($0.name, $0) }, uniquingKeysWith: { one, _ in one })
        }
        for entity in entities {
            for field in entity.fields {
                for (system, spelling) in field.spellings.sorted(by: { $0.key < $1.key }) {
                    for kind in entity.kinds(at: system) where !field.lackedBy.contains(kind) {
                        let place = Place(entity.entity, system, kind: kind)
                        checkSpelling(spelling, field, place)
                    }
                }
            }
        }
    }

    /// In the order of the mapping: what it is about, and how much.
    package var findings: [Finding] {
        order.map { key in
            Finding(
                entity: key.place.entity, field: key.field, system: key.place.system,
                kind: key.place.kind, isFault: key.isFault, sentence: key.sentence,
                records: found[key] ?? 0)
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

    private mutating func checkSpelling(
        _ spelling: Spelling, _ field: FieldMapping, _ place: Place
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
        let words = spelling.codec.translation?.words.map(\.word) ?? []
        for word in words + (spelling.constant.map { [$0] } ?? [])
        where !(there.options?.contains(word) ?? true) {
            note(
                place, field.name, isFault: true,
                "\(word) is none of the values that \(attribute) takes there")
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
        guard let mapping = entities.first(where: { $0.entity == entity }) else { return }
        noted = []
        for field in mapping.fields where field.refers == nil {
            // A join is not decided before its mapping is in force.
            let join = field.derivation.flatMap {
                $0.isJoin ? $0.joined { contents($0).first } : nil
            }
            for value in join.map({ [$0] }) ?? contents(field.name) where !value.isBlank {
                for (system, spelling) in field.spellings.sorted(by: { $0.key < $1.key })
                where spelling.direction != .pull && spelling.constant == nil {
                    look(value, spelling, field, Place(entity, system))
                }
            }
        }
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
        let there = remote[place]?[spelling.attribute]
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
