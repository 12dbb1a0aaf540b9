package import Ledger

/// How one canonical field stands at one system.
package struct Spelling: Sendable, Hashable {
    /// What the ledger keeps it under: the remote's own name for it, and behind that the part, where
    /// it is only a part of what stands there.
    ///
    /// Each part has a history of its own, though all are told by one attribute.
    package let attribute: String
    /// The remote's own name for it.
    package let remoteName: String
    package var codec: FieldCodec
    package var form: WriteForm
    /// Which way its values flow, where the connection lets both.
    package var direction = Direction.both
    package var terms: Terms = []
    /// What every object gets that is made there.
    package var constant: String?
    /// Attributes of one call are written together; each other call is a command of its own.
    package var call: Call

    /// How a remote takes an attribute.
    package enum Call: Int, Sendable, Hashable, Comparable {
        /// With the object itself.
        case object = 0
        /// By an endpoint or a sequence of its own.
        case email = 1
        case points = 2
        case optOut = 3
        case company = 4
        case stage = 5

        package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// Whether what is made there is told the outcome.
    ///
    /// Mautic takes a stage by its id, which is looked up once somebody is there.
    package var isToldAtCreate: Bool { direction != .pull && constant == nil && call != .stage }

    /// Whether the mapping keeps the system from being told a blank.
    var takesNoBlank: Bool {
        terms.contains(.silentBlank) || terms.contains(.required) && !hasDefault
    }

    /// Whether something stands there for a blank.
    package var hasDefault: Bool { codec.translation?.blank != nil }

    /// What a mapping may ask of it besides.
    package struct Terms: OptionSet, Sendable, Hashable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// It is written when an object is made, and never again.
        package static let onlyCreate = Terms(rawValue: 1)
        /// No object is made without it.
        package static let required = Terms(rawValue: 2)
        /// A blank there says nothing, and none is written there.
        package static let silentBlank = Terms(rawValue: 4)
    }

    /// How an attribute is written that no field has as it ships.
    static func call(of attribute: String, at system: System, _ entity: String) -> Call {
        (attribute, system, entity) == ("stage", .mautic, EntityMapping.contact.entity)
            ? .stage : .object
    }

    /// Whether it is a part of what stands there, such as the last name in a whole one.
    package var isPart: Bool { attribute != remoteName }

    package init(
        _ remoteName: String, _ codec: FieldCodec, form: WriteForm = .absolute, call: Call = .object
    ) {
        self.remoteName = remoteName
        attribute = Self.attribute(remoteName, part: codec.translation?.part)
        self.codec = codec
        self.form = form
        self.call = call
    }

    /// What the ledger keeps a part of an attribute under, or all of it.
    static func attribute(_ remoteName: String, part: String?) -> String {
        part.map { "\(remoteName) \($0)" } ?? remoteName
    }
}

/// One canonical field of an entity: its law and its spelling at each system that has it.
package struct FieldMapping: Sendable, Hashable {
    package var name: String
    package var category: Category
    package var law: Law
    package var prefer: [System]
    package var spellings: [System: Spelling]
    /// The field whose content this consent belongs to: a new address inherits an opt-out anew.
    package var address: String?
    /// The entity whose records its values are.
    package var refers: String?
    /// The further kinds of object that do not have it.
    package var lackedBy: Set<String>
    /// How it takes its value from another record, or from other fields of its own.
    package var derivation: Derivation?

    package init(
        _ name: String, _ category: Category, _ law: Law = .fieldMerge, prefer: [System] = [],
        address: String? = nil, refers: String? = nil, lackedBy: Set<String> = [],
        spellings: [System: Spelling]
    ) {
        self.name = name
        self.category = category
        self.law = law
        self.prefer = prefer
        self.address = address
        self.refers = refers
        self.lackedBy = lackedBy
        self.spellings = spellings
    }

    /// How it stands at a system's objects of a kind; `nil` where they do not have it.
    ///
    /// A constant is not read: it says nothing of anybody.
    package func spelling(at system: System, kind: String) -> Spelling? {
        guard !lackedBy.contains(kind), let spelling = spellings[system],
            spelling.constant == nil
        else { return nil }
        return spelling
    }
}

/// Objects of another kind that are records of an entity too: SuiteCRM's leads are contacts.
///
/// They spell their fields as the system's ordinary ones, and are never made by us.
package struct FurtherKind: Sendable, Hashable {
    package var name: String
    package var system: System

    package init(_ name: String, of system: System) {
        self.name = name
        self.system = system
    }
}

/// The fields of an entity, in the order people read them.
package struct EntityMapping: Sendable, Hashable {
    package var entity: String
    package var fields: [FieldMapping]
    /// The fields whose equal content makes two objects one person.
    package var keys: [String]
    /// The reference that tells two of one key apart, where both have it.
    package var within: String?
    package var furtherKinds: [FurtherKind]
    /// Who belongs at a system besides what its connections say: expressions of a `Scope`.
    package var scopes: [System: String] = [:]
    /// Who is made at a system, where its connections let anybody be made: `never`, or `when` and an
    /// expression of a `Scope`.
    package var creates: [System: String] = [:]

    package init(
        entity: String, keys: [String], within: String? = nil, furtherKinds: [FurtherKind] = [],
        fields: [FieldMapping]
    ) {
        self.furtherKinds = furtherKinds
        self.entity = entity
        self.within = within
        self.keys = keys
        self.fields = fields
    }

    package func field(_ name: String) -> FieldMapping? { fields.first { $0.name == name } }

    package func field(attribute: String, of system: System) -> FieldMapping? {
        fields.first { $0.spellings[system]?.attribute == attribute }
    }

    /// The fields that tell who is the same.
    package var keyFields: [FieldMapping] { fields.filter { keys.contains($0.name) } }

    /// What its key is called.
    package var keyWords: String {
        keys.map { $0 == "email" ? "e-mail address" : $0 }.joined(separator: " or ")
    }

    /// The consents that belong to the content of a field.
    package func consents(to address: String) -> [FieldMapping] {
        fields.filter { $0.address == address }
    }

    /// Whether it lacks a field that a system makes no object without.
    package func lacksRequired(
        at system: System, _ content: (_ field: String) -> Value?
    ) -> Bool {
        fields.contains { field in
            guard let spelling = field.spellings[system], spelling.terms.contains(.required)
            else { return false }
            guard let value = content(field.name), !value.isBlank else {
                return !spelling.hasDefault
            }
            // What has no word there is not told.
            return !spelling.codec.reads(value)
        }
    }

    /// The attributes that a look at a system must tell.
    package func attributes(of system: System) -> [String] {
        attributes(of: system, kind: entity)
    }

    /// The attributes that a look at an object of a kind must tell, by the system's own names.
    package func attributes(of system: System, kind: String) -> [String] {
        let spellings = fields.compactMap { $0.spelling(at: system, kind: kind) }
        var parted: Set<String> = []
        return spellings.compactMap { spelling in
            guard spelling.isPart else { return spelling.attribute }
            let name = spelling.remoteName
            let isWhole = spellings.contains { !$0.isPart && $0.attribute == name }
            return isWhole || !parted.insert(name).inserted ? nil : name
        }
    }

    /// Whether any field is a part of what stands at a system.
    package func hasParts(at system: System) -> Bool {
        fields.contains { $0.spellings[system]?.isPart ?? false }
    }

    /// The fields that are parts of an attribute, told whole, of a system's objects of a kind.
    package func parts(of remoteName: String, at system: System, kind: String) -> [Spelling] {
        fields.compactMap { field in
            field.spelling(at: system, kind: kind).flatMap {
                $0.isPart && $0.remoteName == remoteName ? $0 : nil
            }
        }
    }

    /// The kinds of object that are its records at a system, the ordinary one first.
    ///
    /// That is the order in which they are read: what a lead became is known before it.
    package func kinds(at system: System) -> [String] {
        guard !attributes(of: system).isEmpty else { return [] }
        return [entity] + furtherKinds.filter { $0.system == system }.map(\.name)
    }
}
