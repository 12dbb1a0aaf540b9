package import Ledger

/// Mappings in the words of a mapping file, and back.
extension EntityMapping {
    /// The mapping that an event set, for an entity that ships.
    ///
    /// What a file cannot say is as it ships: how an attribute is written, who is the same, and which
    /// kinds of object there are.
    ///
    /// - Throws: `MappingError`, which says what is wrong where.
    package init(_ text: MappingChanged, shipped: EntityMapping) throws(MappingError) {
        self = shipped
        fields = []
        for field in text.fields {
            guard self.field(field.field) == nil else {
                throw MappingError(.twice, field: field.field)
            }
            fields.append(try FieldMapping(field, of: shipped))
        }
        for place in text.places {
            if !place.scope.isEmpty { scopes[place.system] = place.scope }
            if !place.create.isEmpty, place.create != "always" {
                creates[place.system] = place.create
            }
        }
        try check(against: shipped)
    }

    /// The event that sets this mapping.
    package var event: MappingChanged {
        var event = MappingChanged()
        event.entity = entity
        event.fields = fields.map(\.text)
        event.places = System.real.filter { scopes[$0] != nil || creates[$0] != nil }.map {
            var place = MappingChanged.PlaceText()
            place.system = $0
            place.scope = scopes[$0] ?? ""
            place.create = creates[$0] ?? ""
            return place
        }
        return event
    }

    /// Whether a system would be told or asked otherwise than by another mapping of the entity.
    package func differs(from other: EntityMapping, at system: System) -> Bool {
        func spellings(_ mapping: EntityMapping) -> [String: Spelling] {
            mapping.fields.reduce(into: [:]) { $0[$1.name] = $1.spellings[system] }
        }
        return spellings(self) != spellings(other) || scopes[system] != other.scopes[system]
            || creates[system] != other.creates[system]
    }
}

extension FieldMapping {
    fileprivate init(_ text: FieldMappingText, of shipped: EntityMapping) throws(MappingError) {
        let place = MappingError.Place(field: text.field)
        let kind = try choice(text.kind, .text, FieldCodec.Kind.allCases, place, "kind") {
            $0.rawValue
        }
        var spellings: [System: Spelling] = [:]
        for spelling in text.spellings {
            spellings[spelling.system] = try Spelling(spelling, kind, place, of: shipped)
        }
        var prefer: [System] = []
        for name in text.prefer {
            prefer.append(
                try choice(name, .unspecified, System.real, place, "prefer") { $0.name })
        }
        self.init(
            text.field,
            try choice(text.category, .profile, Category.ofFields, place, "category") { "\($0)" },
            try choice(text.law, .fieldMerge, Law.allCases, place, "law") { $0.rawValue },
            prefer: prefer, address: text.address.isEmpty ? nil : text.address,
            refers: text.refers.isEmpty ? nil : text.refers, lackedBy: Set(text.lackedBy),
            spellings: spellings)
        derivation = try text.derivation.map { text throws(MappingError) in
            try Derivation(text, place)
        }
    }

    /// In the words of a mapping file; what is as a field has it by itself is left out.
    package var text: FieldMappingText {
        var text = FieldMappingText()
        text.field = name
        text.category = category == .profile ? "" : "\(category)"
        text.kind = kind == .text ? "" : kind.rawValue
        text.law = law == .fieldMerge ? "" : law.rawValue
        text.prefer = prefer.map(\.name)
        text.address = address ?? ""
        text.refers = refers ?? ""
        text.lackedBy = lackedBy.sorted()
        text.spellings = System.real.compactMap { system in
            spellings[system].map { $0.text(at: system) }
        }
        text.derivation = derivation?.text
        return text
    }

    /// What kind of values it has; Mautic tells a reference by its name.
    package var kind: FieldCodec.Kind {
        let kinds = spellings.values.map(\.codec.kind)
        return kinds.contains(where: \.isReference) ? .reference : kinds.first ?? .text
    }
}

extension Derivation {
    fileprivate init(
        _ text: FieldMappingText.DerivationText, _ field: MappingError.Place
    ) throws(MappingError) {
        let place = field.key("derive")
        if !text.join.isEmpty || !text.separator.isEmpty {
            let others = [text.from, text.take, text.by, text.pick, text.into, text.prefix]
            guard !text.join.isEmpty, others.allSatisfy(\.isEmpty), text.order.isEmpty else {
                throw MappingError(.joinStandsAlone, at: place)
            }
            self.init(
                join: text.join, separator: text.separator.isEmpty ? Self.space : text.separator)
            return
        }
        guard !text.from.isEmpty, !text.take.isEmpty, !text.by.isEmpty else {
            throw MappingError(.deriveLacks, at: place)
        }
        self.init(
            by: text.by, from: text.from, take: text.take,
            into: text.into.isEmpty ? nil : text.into)
        prefix = text.prefix
        if !text.order.isEmpty { pick = .order(text.order) }
        guard !text.pick.isEmpty else { return }
        let words = text.pick.split(separator: " ").map(String.init)
        guard words.count == 2, text.order.isEmpty, ["greatest", "least"].contains(words[0]) else {
            throw MappingError(.pick(text.pick), at: field.key("pick"))
        }
        pick = words[0] == "greatest" ? .greatest(words[1]) : .least(words[1])
    }

    var text: FieldMappingText.DerivationText {
        var text = FieldMappingText.DerivationText()
        text.from = from
        text.take = take
        text.by = by
        switch pick {
        case .greatest(let field): text.pick = "greatest \(field)"
        case .least(let field): text.pick = "least \(field)"
        case .order(let words): text.order = words
        case nil: break
        }
        text.into = into ?? ""
        text.prefix = prefix
        text.join = join
        text.separator = separator == Self.space ? "" : separator
        return text
    }

    /// The fields of the entity it is taken from that it looks at.
    package var looksAt: Set<String> {
        switch pick {
        case .greatest(let field), .least(let field): [take, field]
        case .order, nil: [take]
        }
    }
}

extension Category {
    /// Those that a field may have.
    fileprivate static var ofFields: [Category] {
        [.profile, .contact, .consent, .activity, .content]
    }
}

extension SpellingText {
    /// What the ledger keeps it under, as `Spelling.attribute`.
    package var place: String {
        let functions = functions.compactMap { try? TextFunction($0) }
        return Spelling.attribute(
            attribute, part: Translation(functions: functions)?.part)
    }
}

extension Spelling {
    fileprivate init(
        _ text: SpellingText, _ kind: FieldCodec.Kind, _ field: MappingError.Place,
        of shipped: EntityMapping
    ) throws(MappingError) {
        var place = field
        place.system = text.system
        guard !text.attribute.isEmpty else { throw MappingError(.noAttribute, at: place) }
        // How an attribute is written does not depend on the field that it holds.
        let own = shipped.field(attribute: text.attribute, of: text.system)?.spellings[text.system]
        let ownKind = own?.codec.kind ?? kind
        guard ownKind == kind || ownKind == .referenceByName && kind == .reference else {
            throw MappingError(.otherKind(ownKind, text.attribute), at: place)
        }
        var functions: [TextFunction] = []
        for name in text.functions {
            do {
                functions.append(try TextFunction(name))
            } catch {
                throw MappingError(.function(error), at: place.key("functions"))
            }
        }
        let words = text.lookup.map { Translation.Word($0.content, $0.word) }
        let translation = Translation(
            functions: functions, words: words,
            blank: text.standsForBlank.isEmpty ? nil : text.standsForBlank)
        self.init(
            text.attribute,
            FieldCodec(
                text.system, ownKind,
                maximumLength: text.longest == 0 ? nil : Int(clamping: text.longest),
                translation: translation),
            form: own?.form ?? .absolute,
            call: own?.call ?? Self.call(of: text.attribute, at: text.system, shipped.entity))
        direction = text.direction
        if text.onlyCreate { terms.insert(.onlyCreate) }
        if text.isRequired { terms.insert(.required) }
        if text.blankIsSilent { terms.insert(.silentBlank) }
        constant = text.constant.isEmpty ? nil : text.constant
    }

    fileprivate func text(at system: System) -> SpellingText {
        var text = SpellingText()
        text.system = system
        text.attribute = remoteName
        text.longest = UInt64(codec.maximumLength ?? 0)
        text.functions = codec.translation?.functions.map(\.text) ?? []
        text.lookup = codec.translation?.words.map { .init($0.content, $0.word) } ?? []
        text.direction = direction
        text.onlyCreate = terms.contains(.onlyCreate)
        text.isRequired = terms.contains(.required)
        text.standsForBlank = codec.translation?.blank ?? ""
        text.blankIsSilent = terms.contains(.silentBlank)
        text.constant = constant ?? ""
        return text
    }
}

/// One of some words; `unsaid` for none.
private func choice<Choice>(
    _ text: String, _ unsaid: Choice, _ all: [Choice], _ place: MappingError.Place, _ key: String,
    _ name: (Choice) -> String
) throws(MappingError) -> Choice {
    if text.isEmpty { return unsaid }
    if let choice = all.first(where: { name($0) == text }) { return choice }
    throw MappingError(.unknownWord(text, of: all.map(name)), at: place.key(key))
}
