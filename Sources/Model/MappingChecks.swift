package import Ledger

/// What a mapping must not say: what contradicts itself, and what the program holds fast.
extension EntityMapping {
    func check(against shipped: EntityMapping) throws(MappingError) {
        for field in fields { try field.check(in: self, shipped) }
        for own in shipped.fields where isHeldFast(own, in: shipped) {
            guard let field = field(own.name) else {
                throw MappingError(.missing(own.name))
            }
            if let more = System.real.first(where: {
                field.spellings[$0] != nil && own.spellings[$0] == nil
            }) {
                throw MappingError(.notThere(own.name), field: own.name, system: more)
            }
            for (system, spelling) in own.spellings.sorted(by: { $0.key < $1.key }) {
                guard let other = field.spellings[system], other.attribute == spelling.attribute
                else {
                    throw MappingError(
                        .heldFast(spelling.attribute), field: own.name, system: system)
                }
                if own.law == .strictest, other != spelling {
                    throw MappingError(.consentIsFixed, field: own.name, system: system)
                }
                if shipped.keys.contains(own.name),
                    other.direction != .both || other.codec != spelling.codec
                        || !other.terms.isSubset(of: .required)
                {
                    throw MappingError(.keyIsFixed, field: own.name, system: system)
                }
            }
            if field.lackedBy != own.lackedBy {
                throw MappingError(.kindsAreFixed, field: own.name, key: "without")
            }
        }
        for (system, text) in scopes.sorted(by: { $0.key < $1.key }) {
            _ = try scope(text, system, "scope")
        }
        for system in creates.keys.sorted() { _ = try whoIsMade(at: system) }
    }

    /// What a mapping that was set before may say, and a new one must not.
    package func checkNews() throws(MappingError) {
        for field in fields {
            for (system, spelling) in field.spellings.sorted(by: { $0.key < $1.key }) {
                guard let constant = spelling.constant, !spelling.codec.readsWord(constant) else {
                    continue
                }
                throw MappingError(
                    .wordUnreadable(constant, spelling.codec.kind), field: field.name,
                    system: system, key: "constant")
            }
        }
    }

    /// Who is the same, and who opted out: nothing else works without those.
    private func isHeldFast(_ field: FieldMapping, in shipped: EntityMapping) -> Bool {
        shipped.keys.contains(field.name) || shipped.within == field.name
            || field.law == .strictest || field.refers != nil
    }

    /// Who is made at a system, where its connections let anybody be made; `nil` for nobody.
    package func whoIsMade(at system: System) throws(MappingError) -> Scope? {
        let text = creates[system] ?? ""
        switch text {
        case "", "always": return .everybody
        case "never": return nil
        default:
            guard text.hasPrefix("when ") else {
                throw MappingError(.noCreate(text), system: system, key: "create")
            }
            return try scope(String(text.dropFirst(5)), system, "create")
        }
    }

    /// Who belongs at a system besides what its connections say.
    package func whoBelongs(at system: System) throws(MappingError) -> Scope {
        try scope(scopes[system] ?? "", system, "scope")
    }

    private func scope(
        _ text: String, _ system: System, _ key: String
    ) throws(MappingError) -> Scope {
        do {
            return try Scope(text, of: self)
        } catch let error as ScopeError {
            throw MappingError(.scope(error), system: system, key: key)
        } catch {
            throw MappingError(.noCreate(text), system: system, key: key)
        }
    }
}

extension FieldMapping {
    fileprivate func check(
        in mapping: EntityMapping, _ shipped: EntityMapping
    ) throws(MappingError) {
        let place = MappingError.Place(field: name)
        guard let first = name.utf8.first, (97...122).contains(first),
            name.utf8.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == 95 })
        else { throw MappingError(.noName, at: place) }
        if let derivation {
            try check(derivation, in: mapping, place.key("derive"))
        } else if spellings.isEmpty {
            throw MappingError(.nowhere, at: place)
        }
        try checkLaw(place, shipped.field(name))
        for other in prefer where spellings[other] == nil {
            throw MappingError(.lacks(other), at: place.key("prefer"))
        }
        for kind in lackedBy where !shipped.furtherKinds.contains(where: { $0.name == kind }) {
            throw MappingError(
                .unknownWord(kind, of: shipped.furtherKinds.map(\.name)), at: place.key("without"))
        }
        for (system, spelling) in spellings.sorted(by: { $0.key < $1.key }) {
            var place = place
            place.system = system
            if let twin = mapping.fields.first(where: {
                $0.name != name && $0.spellings[system]?.attribute == spelling.attribute
            }) {
                throw MappingError(.sharedAttribute(spelling.attribute, twin.name), at: place)
            }
            if spelling.isPart {
                try checkPart(spelling, at: system, in: mapping, place)
            }
            try spelling.check(place)
            // Zero would be told as the default, and the next sum begin from there.
            if law == .sum, spelling.hasDefault {
                throw MappingError(.defaultDoesNotFit(kind), at: place.key("default"))
            }
        }
        let speakers = spellings.values.filter { $0.direction != .push && $0.constant == nil }
        let isConstant = spellings.values.contains { $0.constant != nil }
        if speakers.isEmpty, !isConstant, derivation == nil {
            throw MappingError(.nobodySpeaks, at: place)
        }
    }

    /// What is read in parts is never written there, by this field or by another: parts put together do
    /// not always come apart the same, and then nobody's edit would move them.
    private func checkPart(
        _ spelling: Spelling, at system: System, in mapping: EntityMapping,
        _ place: MappingError.Place
    ) throws(MappingError) {
        guard spelling.direction == .pull else {
            throw MappingError(.partIsPulled, at: place.key("functions"))
        }
        let writer = mapping.fields.first { other in
            guard let one = other.spellings[system], one.remoteName == spelling.remoteName else {
                return false
            }
            return one.direction != .pull || one.constant != nil
        }
        if let writer {
            throw MappingError(.partIsWritten(spelling.remoteName, writer.name), at: place)
        }
    }

    private func check(
        _ derivation: Derivation, in mapping: EntityMapping, _ place: MappingError.Place
    ) throws(MappingError) {
        if derivation.isJoin { return try check(join: derivation, in: mapping, place) }
        guard let reference = mapping.field(derivation.by), let refers = reference.refers else {
            let references = mapping.fields.filter { $0.refers != nil }.map(\.name)
            throw MappingError(
                .noReference(derivation.by, among: references), at: place.key("by"))
        }
        let names = Mapping.shipped.entities.map(\.entity)
        guard let source = Mapping.shipped[derivation.from], source.entity != mapping.entity else {
            throw MappingError(.unknownWord(derivation.from, of: names), at: place.key("from"))
        }
        if source.entity == refers {
            if derivation.pick != nil { throw MappingError(.pickOfOne, at: place.key("pick")) }
        } else {
            guard source.fields.contains(where: { $0.refers == refers }) else {
                throw MappingError(
                    .doesNotRefer(source.entity, refers), at: place.key("from"))
            }
            if derivation.pick == nil { throw MappingError(.pickOfMany, at: place) }
        }
        let known = source.fields.map(\.name)
        if let lacking = derivation.looksAt.sorted().first(where: { !known.contains($0) }) {
            let key = lacking == derivation.take ? "take" : "pick"
            throw MappingError(.unknownWord(lacking, of: known), at: place.key(key))
        }
        try checkPushed(place)
        if let into = derivation.into {
            guard mapping.field(into)?.kind == .tags, spellings.isEmpty else {
                let sets = mapping.fields.filter { $0.kind == .tags }.map(\.name)
                throw MappingError(.intoNoSet(into, among: sets), at: place.key("into"))
            }
        } else if spellings.isEmpty {
            throw MappingError(.nowhere, at: place)
        }
    }

    private func checkPushed(_ place: MappingError.Place) throws(MappingError) {
        guard let told = spellings.filter({ $0.value.direction != .push }).keys.min() else {
            return
        }
        var place = place
        place.system = told
        throw MappingError(.derivedIsPushed, at: place)
    }

    /// A join is made of texts that people type, and erased together with them.
    private func check(
        join derivation: Derivation, in mapping: EntityMapping, _ place: MappingError.Place
    ) throws(MappingError) {
        let list = place.key("join")
        let known = mapping.fields.filter { $0.kind == .text && $0.derivation == nil }
        for name in derivation.join {
            guard let part = mapping.field(name) else {
                throw MappingError(.unknownWord(name, of: known.map(\.name)), at: list)
            }
            guard known.contains(part) else { throw MappingError(.joinOfTexts(name), at: list) }
            guard part.category == category else {
                throw MappingError(.joinCategory(name, part.category), at: list)
            }
        }
        guard Set(derivation.join).count > 1 else { throw MappingError(.joinOfOne, at: list) }
        guard kind == .text else { throw MappingError(.joinOfTexts(name), at: place) }
        if spellings.isEmpty { throw MappingError(.nowhere, at: place) }
        try checkPushed(place)
    }

    private func checkLaw(
        _ place: MappingError.Place, _ own: FieldMapping?
    ) throws(MappingError) {
        let place = place.key("law")
        if let own, own.law.isJoin || law.isJoin, law != own.law {
            throw MappingError(.lawIsFixed(own.law), at: place)
        }
        if refers != own?.refers || kind.isReference != (refers != nil) {
            throw MappingError(.reference, at: place.key("refers"))
        }
        if address != own?.address { throw MappingError(.address, at: place.key("address")) }
        let joins: [FieldCodec.Kind: Law] = [.tags: .union, .integer: .sum, .flag: .strictest]
        if law.isJoin, joins[kind] != law || law == .strictest && own == nil {
            throw MappingError(.lawDoesNotFit(law, kind), at: place)
        }
        if kind == .tags, law != .union {
            throw MappingError(.lawDoesNotFit(law, kind), at: place)
        }
        if [.max, .min].contains(law), kind != .integer, kind != .money {
            throw MappingError(.lawDoesNotFit(law, kind), at: place)
        }
        if law == .prefer, prefer.isEmpty {
            throw MappingError(.nobodyPreferred, at: place.key("prefer"))
        }
        if (law == .strictest) != (category == .consent) {
            throw MappingError(.consentCategory, at: place.key("category"))
        }
    }
}

extension Spelling {
    fileprivate func check(_ place: MappingError.Place) throws(MappingError) {
        try checkFunctions(place)
        try checkWords(place)
        if direction == .pull {
            let asked: [(Bool, String)] = [
                (terms.contains(.onlyCreate), "only_create"),
                (terms.contains(.required), "required"), (constant != nil, "constant"),
                (hasDefault, "default"),
            ]
            for (isAsked, key) in asked where isAsked {
                throw MappingError(.readOnly(key), at: place.key(key))
            }
        }
        if call == .stage { try checkStage(place) }
        if constant != nil,
            codec.translation != nil || !terms.isEmpty || direction != .both
                || codec.kind.isReference || form != .absolute
        {
            throw MappingError(.constantStandsAlone, at: place.key("constant"))
        }
        if codec.kind.isReference, codec.translation != nil || terms.contains(.required) {
            throw MappingError(.reference, at: place)
        }
    }

    private func checkFunctions(_ place: MappingError.Place) throws(MappingError) {
        let functions = codec.translation?.functions ?? []
        for function in functions where !function.fits(codec.kind) {
            throw MappingError(
                .functionDoesNotFit(function.text, codec.kind), at: place.key("functions"))
        }
        // Elsewhere entities are read by the program itself, and behind another function not as such.
        if let index = functions.firstIndex(of: .html), index > 0 || codec.system != .compass {
            throw MappingError(.htmlIsFirst, at: place.key("functions"))
        }
    }

    /// Of the lookup and the default.
    private func checkWords(_ place: MappingError.Place) throws(MappingError) {
        let (words, blank) = (codec.translation?.words ?? [], codec.translation?.blank)
        let texts = words.flatMap { [$0.content, $0.word] } + [blank].compactMap(\.self)
        if let text = texts.first(where: { trimmed($0) != $0 }) {
            throw MappingError(.outerSpace(text), at: place)
        }
        if let blank, words.contains(where: { $0.word == blank }) {
            throw MappingError(.wordTwice(blank), at: place.key("default"))
        }
        if !words.isEmpty {
            let place = place.key("lookup")
            guard codec.kind == .text else { throw MappingError(.lookupOfNoText, at: place) }
            guard codec.translation?.functions.isEmpty ?? true else {
                throw MappingError(.lookupAndFunctions, at: place)
            }
            if let twice = firstTwice(words.map(\.content)) {
                throw MappingError(.contentTwice(twice), at: place)
            }
            if direction != .push, let twice = firstTwice(words.map(\.word)) {
                throw MappingError(.wordTwice(twice), at: place)
            }
        }
        guard let blank else { return }
        let place = place.key("default")
        guard form == .absolute, [.text, .email, .integer, .money, .day].contains(codec.kind) else {
            throw MappingError(.defaultDoesNotFit(codec.kind), at: place)
        }
        guard codec.readsWord(blank) else {
            throw MappingError(.wordUnreadable(blank, codec.kind), at: place)
        }
    }

    /// Of Mautic's stage, which is told by its name once somebody is there.
    private func checkStage(_ place: MappingError.Place) throws(MappingError) {
        let asked: [(Bool, String)] = [
            (constant != nil, "constant"), (hasDefault, "default"),
            (terms.contains(.required), "required"), (terms.contains(.onlyCreate), "only_create"),
        ]
        for (isAsked, key) in asked where isAsked {
            throw MappingError(.toldLater, at: place.key(key))
        }
        let functions = codec.translation?.functions ?? []
        if codec.kind != .text || direction != .pull && !functions.isEmpty {
            throw MappingError(.stageIsText, at: place)
        }
    }

    private func firstTwice(_ texts: [String]) -> String? {
        texts.enumerated().first { texts[..<$0.offset].contains($0.element) }?.element
    }
}
