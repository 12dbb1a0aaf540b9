package import Ledger

/// What is wrong in a mapping, and where.
package struct MappingError: Error, Equatable, CustomStringConvertible {
    package var reason: Reason
    package var place: Place

    package struct Place: Sendable, Equatable {
        package var field: String?
        package var system: System?
        /// The word of the file.
        package var key: String?

        package init(field: String? = nil, system: System? = nil, key: String? = nil) {
            self.field = field
            self.system = system
            self.key = key
        }

        func key(_ key: String) -> Place {
            Place(field: field, system: system, key: key)
        }
    }

    package init(_ reason: Reason, at place: Place) {
        self.reason = reason
        self.place = place
    }

    init(
        _ reason: Reason, field: String? = nil, system: System? = nil, key: String? = nil
    ) {
        self.init(reason, at: Place(field: field, system: system, key: key))
    }

    package enum Reason: Sendable, Equatable {
        case twice
        case noName
        case nowhere
        case noAttribute
        case missing(String)
        case heldFast(String)
        case consentIsFixed
        case keyIsFixed
        case notThere(String)
        case outerSpace(String)
        case kindsAreFixed
        case unknownWord(String, of: [String])
        case function(FunctionError)
        case functionDoesNotFit(String, FieldCodec.Kind)
        case htmlIsFirst
        case otherKind(FieldCodec.Kind, String)
        case sharedAttribute(String, String)
        case partIsPulled
        case partIsWritten(String, String)
        case lacks(System)
        case lawIsFixed(Law)
        case lawDoesNotFit(Law, FieldCodec.Kind)
        case consentCategory
        case nobodyPreferred
        case nobodySpeaks
        case reference
        case address
        case deriveLacks
        case pick(String)
        case pickOfOne
        case pickOfMany
        case noReference(String, among: [String])
        case doesNotRefer(String, String)
        case derivedIsPushed
        case intoNoSet(String, among: [String])
        case joinStandsAlone
        case joinOfOne
        case joinOfTexts(String)
        case joinCategory(String, Category)
        case lookupOfNoText
        case lookupAndFunctions
        case contentTwice(String)
        case wordTwice(String)
        case defaultDoesNotFit(FieldCodec.Kind)
        case wordUnreadable(String, FieldCodec.Kind)
        case readOnly(String)
        case constantStandsAlone
        case toldLater
        case stageIsText
        case noCreate(String)
        case scope(ScopeError)
    }

    package var description: String {
        let names = [place.field, place.system?.name].compactMap(\.self)
        return (names.isEmpty ? "" : names.joined(separator: " at ") + ": ") + reason.sentence
    }
}

extension MappingError.Reason {
    fileprivate var sentence: String {
        switch self {
        case .twice: "it stands there twice"
        case .noName: "a field's name has small letters, digits and _ only"
        case .nowhere: "no system has it: give its attribute at one, such as `compass: city`"
        case .noAttribute: "the name of the system's attribute is missing"
        case .missing(let field):
            "the field \(field) is missing: nothing works without who is the same, who opted out and what belongs together"
        case .heldFast(let attribute):
            "this field must be \(attribute) there: records are found and referred to by it"
        case .consentIsFixed: "a consent goes both ways as it is, and cannot be given other terms"
        case .keyIsFixed:
            "records are found by it, so it goes both ways as it ships, and may only be required"
        case .notThere(let name): "\(name) is not kept there, and cannot be"
        case .outerSpace(let text):
            "\"\(text)\" begins or ends with white space, which systems take away"
        case .kindsAreFixed: "which kinds of object have it is as it ships"
        case .unknownWord(let word, let all):
            "\(word) is not known"
                + didYouMean(word, among: all)
                + " " + Self.list(all)
        case .function(let error): "\(error)"
        case .functionDoesNotFit(let function, let kind):
            "the function \(function) is not for a field of kind \(kind.rawValue)"
        case .htmlIsFirst:
            "html is for Compass alone, the others decode by themselves; and it stands first"
        case .otherKind(let kind, let attribute):
            "\(attribute) is of kind \(kind.rawValue) there"
        case .sharedAttribute(let attribute, let other):
            "the field \(other) has the attribute \(attribute) there already"
        case .partIsPulled:
            "a split has no way back, so what it reads is never written: give it `direction: pull`; to write a whole name, make a field with `derive: {join: [first_name, last_name]}`"
        case .partIsWritten(let attribute, let other):
            "\(attribute) is split, and the field \(other) writes it: what is joined does not always come apart the same (Ada and King Lovelace would come back as Ada King and Lovelace), so let one of the two go"
        case .lacks(let system): "\(system.name) is preferred and does not have it"
        case .lawIsFixed(let law): "it is decided by \(law.rawValue) and by nothing else"
        case .lawDoesNotFit(let law, let kind):
            "the law \(law.rawValue) is not for a field of kind \(kind.rawValue)"
        case .consentCategory:
            "the category consent and the law strictest belong together, and to the shipped consents alone"
        case .nobodyPreferred: "the law prefer needs `prefer` with one system or several"
        case .nobodySpeaks:
            "every system is only written (push), so nobody would ever say what: let one speak"
        case .reference:
            "references are as they ship: give the field its shipped `kind` and `refers`, and no terms"
        case .deriveLacks:
            "derive needs `from`, `take` and `by`, or `join` with fields of this record"
        case .pick(let text):
            "pick is `greatest` or `least` and a field, such as `greatest close_date`, or a list of values; not \(text)"
        case .pickOfOne: "there is only one such record: leave out pick"
        case .pickOfMany: "there may be several such records: say which with pick"
        case .noReference(let name, let references):
            "\(name) is no reference of this entity to go by\(didYouMean(name, among: references)) \(Self.list(references))"
        case .doesNotRefer(let entity, let other): "a \(entity) does not refer to the \(other)"
        case .derivedIsPushed:
            "a derived field is only written: give every system `direction: push`"
        case .intoNoSet(let name, let sets):
            sets.contains(name)
                ? "what is put into \(name) has no attribute of its own: leave out the systems"
                : "\(name) is no field of tags to put it into\(didYouMean(name, among: sets)) \(Self.list(sets))"
        case .joinStandsAlone:
            "join is of this record's own fields and has only `with` beside it: what stands between them"
        case .joinOfOne: "a join is of two fields or more, such as [first_name, last_name]"
        case .joinOfTexts(let name):
            "\(name) is no field of kind text that systems tell, and a join is of such"
        case .joinCategory(let name, let category):
            "\(name) is of category \(category), and a join is erased with its fields: give it their category"
        case .address: "which consent belongs to which address is as it ships"
        case .lookupOfNoText: "a lookup is for a field of kind text"
        case .lookupAndFunctions: "a lookup and functions cannot stand together"
        case .contentTwice(let text): "the lookup has two words for \(text)"
        case .wordTwice(let word):
            "the lookup has the word \(word) for two contents, so nobody could read it: let the direction be push"
        case .defaultDoesNotFit(let kind):
            kind == .integer
                ? "a sum is never blank, so nothing stands for a blank"
                : "a default is for a field of kind text, email, integer, money or day, not \(kind.rawValue)"
        case .wordUnreadable(let text, let kind):
            "\(text) cannot be read as a value of kind \(kind.rawValue)"
                + (kind == .day ? ", such as 1900-01-01" : "")
        case .readOnly(let key): "\(key) is about writing, but the direction is pull"
        case .stageIsText:
            "a stage is a text, and told by its very name: give it a lookup where the names differ"
        case .toldLater:
            "a stage is told only once somebody is there: leave this out"
        case .constantStandsAlone:
            "a constant is given to what is made and stands alone: no functions, lookup, direction or terms"
        case .noCreate(let text):
            "create is `always`, `never` or `when` and an expression, not \(text)"
        case .scope(let error): "\(error)"
        }
    }

    /// The words there are, behind the question whether one of them was meant.
    private static func list(_ words: [String]) -> String {
        words.isEmpty ? "there is none" : "take one of " + words.joined(separator: ", ")
    }
}
