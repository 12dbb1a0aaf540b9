import Connectors
package import Ledger
import Model
import Projections

/// What the records hold, beside a mapping and what each system takes.
extension MappingCheck {
    /// Looks at one record: at what stands in each field or, where nothing does, all that could.
    ///
    /// `there` are the connections that have an object of it.
    package mutating func look(
        _ entity: String, at there: Set<String> = [], _ contents: (_ field: String) -> [Value]
    ) {
        noted = []
        lookAtDerived(from: entity, contents)
        guard let mapping = entities.first(where: { $0.entity == entity }) else { return }
        for field in mapping.fields where field.refers == nil {
            // What is derived is not decided before its mapping is in force.
            if let derivation = field.derivation, !derivation.isJoin { continue }
            let join = field.derivation.flatMap { $0.joined { contents($0).first } }
            let values = join.map { [$0] } ?? contents(field.name)
            let told = values.filter { !$0.isBlank }
            for (spelling, connection) in written(field) {
                let place = place(mapping, connection)
                if told.isEmpty, spelling.terms.contains(.required), !spelling.hasDefault,
                    !there.contains(connection.label), isMade(mapping, at: connection, contents)
                {
                    note(
                        place, field.name, isFault: true,
                        "it is blank and required there, so no object is made", records: 1)
                }
                for value in told { look(value, spelling, field, place) }
            }
        }
    }

    /// Where a field is written, and how it is spelt there.
    private func written(_ field: FieldMapping) -> [(Spelling, Connected)] {
        field.spellings.sorted { $0.key < $1.key }.filter { _, spelling in
            spelling.direction != .pull && spelling.constant == nil
        }.flatMap { system, spelling in
            at(system).filter { $0.direction != .pull }.map { (spelling, $0) }
        }
    }

    /// Whether a record without an object there gets one, as far as the mapping and the connection say.
    private func isMade(
        _ mapping: EntityMapping, at connection: Connected,
        _ contents: (_ field: String) -> [Value]
    ) -> Bool {
        guard connection.makes, let made = try? mapping.whoIsMade(at: connection.system),
            let belongs = try? mapping.whoBelongs(at: connection.system)
        else { return false }
        return made.and(belongs).admits { contents($0).first }
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
                for (spelling, connection) in written(target) {
                    for value in values {
                        look(value, spelling, field, place(mapping, connection))
                    }
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
            let (ours, theirs) = (codec.maximumLength ?? .max, there?.longest ?? .max)
            let length = text.unicodeScalars.count
            if length > min(ours, theirs) {
                // We send what fits by the mapping; beyond that SuiteCRM cuts, and Mautic refuses (D11).
                let isRefused = place.system == .mautic && min(length, ours) > theirs
                return note(
                    true,
                    isRefused
                        ? "it is longer than the \(theirs) characters there, so the whole object is refused"
                        : "it is cut at \(min(ours, theirs)) characters there")
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
        let asksForPlaces = check.asksForPlaces
        let labels = Dictionary(
            try views.read { try $0.connections.all($1) }.map { ($0.id, $0.configured.label) }
        ) { one, _ in one }
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
            let objects =
                isDecided && !asksForPlaces ? [] : try record.replicas.compactMap(views.replica)
            let there = objects.filter(\.isActive).compactMap { labels[$0.connection] }
            check.look(record.entity, at: Set(there)) { field in
                guard let outcome = record.outcome(field) else {
                    return isDecided ? [] : shown(field, by: objects)
                }
                return [outcome.value?.value].compactMap(\.self)
            }
            return nil
        }
        let _: [Never] = try views.collect(
            from: \.replicas, where: { $0.record == nil && $0.isActive }
        ) { object in
            let there = Set([labels[object.connection]].compactMap(\.self))
            check.look(object.entity, at: there) { shown($0, by: [object]) }
            return nil
        }
    }
}
