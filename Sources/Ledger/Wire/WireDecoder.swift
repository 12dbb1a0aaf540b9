/// Bytes that are not what the schema says.
public struct WireError: Error, Equatable, CustomStringConvertible {
    public var offset: Int
    public var problem: String

    public var description: String { "not a readable message: \(problem) at byte \(offset)" }
}

/// Reads a message in the Protocol Buffers wire format; what it does not know is kept.
public struct WireDecoder: WireVisitor {
    @usableFromInline let input: [UInt8]
    @usableFromInline var walk: FieldWalk
    private let parts: OpenedParts
    @usableFromInline var depth = 0
    @usableFromInline var failure: WireError?

    /// Where the field that the walk is at begins; `nil` at the end.
    @usableFromInline var start: Int?
    /// Whether the field that the walk is at was taken: the next question moves on.
    @usableFromInline var isTaken = false
    /// How many fields were taken in this go over the message.
    @usableFromInline var taken = 0
    public internal(set) var fieldJustRead = 0

    @inlinable public var isDecoding: Bool { true }

    @usableFromInline init(_ input: [UInt8], parts: OpenedParts) {
        self.input = input
        self.walk = FieldWalk(0..<input.count)
        self.parts = parts
    }

    /// Reads a whole message.
    ///
    /// Sealed values are taken from `parts`; one that is not there is `nil`.
    ///
    /// - Throws: `WireError` with the offset of the first byte that makes no sense.
    @inlinable public static func decode<M: WireMessage>(
        _ type: M.Type = M.self, from input: [UInt8], parts: OpenedParts = OpenedParts()
    ) throws(WireError) -> M {
        var decoder = WireDecoder(input, parts: parts)
        var message = M()
        decoder.read(into: &message)
        if let failure = decoder.failure { throw failure }
        return message
    }

    /// Deeper nesting than any of our messages has: a refusal instead of a stack overflow.
    @usableFromInline static var maximumDepth: Int { 32 }

    /// Goes over the message's fields as often as it takes: once, where they stand in the order of
    /// `visit`, as our encoder writes them.
    @inlinable mutating func read(into message: inout some WireMessage) {
        guard depth < Self.maximumDepth else { return fail("nested too deeply") }
        advance()
        while failure == nil, let start {
            beginRound()
            message.visit(&self)
            if isTaken {
                advance()
            } else if taken == 0 {
                message.unknownFields += input[start..<walk.position]
                advance()
            }
        }
    }

    @usableFromInline mutating func advance() {
        isTaken = false
        let position = walk.position
        do throws(WireError) {
            // A copy, since the walk and its bytes are both parts of this decoder.
            var next = walk
            start = try next.next(input.span) ? position : nil
            walk = next
        } catch {
            failure = error
            start = nil
        }
    }

    public mutating func refuse(_ problem: String) { fail(problem) }

    public mutating func leaveUnknown() {
        isTaken = false
        taken -= 1
    }

    @usableFromInline mutating func fail(_ problem: String) {
        if failure == nil { failure = walk.problem(problem) }
    }

    /// Whether the current field is this one, of this type.
    ///
    /// A type that differs leaves it unknown.
    @usableFromInline mutating func takes(_ field: Int, _ wanted: WireType) -> Bool {
        if isTaken { advance() }
        guard start != nil, failure == nil, walk.isAt(field, wanted) else { return false }
        isTaken = true
        taken += 1
        fieldJustRead = field
        return true
    }

    private mutating func text() -> String {
        if let text = String(input.span, walk.payload) { return text }
        fail("text that is not UTF-8")
        return ""
    }

    public mutating func unsigned(_ field: Int, _ value: inout UInt64) {
        if takes(field, .varint) { value = walk.varint }
    }

    public mutating func unsigned(_ field: Int, _ value: inout UInt64?) {
        if takes(field, .varint) { value = walk.varint }
    }

    public mutating func signed(_ field: Int, _ value: inout Int64) {
        if takes(field, .varint) { value = unzigzag(walk.varint) }
    }

    public mutating func bool(_ field: Int, _ value: inout Bool) {
        if takes(field, .varint) { value = walk.varint != 0 }
    }

    public mutating func bool(_ field: Int, _ value: inout Bool?) {
        if takes(field, .varint) { value = walk.varint != 0 }
    }

    public mutating func string(_ field: Int, _ value: inout String) {
        if takes(field, .lengthDelimited) { value = text() }
    }

    public mutating func string(_ field: Int, _ value: inout String?) {
        if takes(field, .lengthDelimited) { value = text() }
    }

    public mutating func strings(_ field: Int, _ value: inout [String]) {
        while takes(field, .lengthDelimited) { value.append(text()) }
    }

    public mutating func bytes(_ field: Int, _ value: inout [UInt8]) {
        if takes(field, .lengthDelimited) { value = Array(input[walk.payload]) }
    }

    public mutating func bytes(_ field: Int, _ value: inout [UInt8]?) {
        if takes(field, .lengthDelimited) { value = Array(input[walk.payload]) }
    }

    public mutating func bytes(_ field: Int, _ value: inout [[UInt8]]) {
        while takes(field, .lengthDelimited) { value.append(Array(input[walk.payload])) }
    }

    @inlinable public mutating func message<M: WireMessage>(_ field: Int, _ value: inout M) {
        if takes(field, .lengthDelimited) { nested(&value) }
    }

    @inlinable public mutating func message<M: WireMessage>(_ field: Int, _ value: inout M?) {
        guard takes(field, .lengthDelimited) else { return }
        var message = value ?? M()
        nested(&message)
        value = message
    }

    @inlinable public mutating func messages<M: WireMessage>(_ field: Int, _ value: inout [M]) {
        while takes(field, .lengthDelimited) {
            var message = M()
            nested(&message)
            value.append(message)
        }
    }

    public mutating func sealed(_ field: Int, _ value: inout Sealed?) {
        guard takes(field, .lengthDelimited) else { return }
        if let place = SealedPlace(plain: input.span, walk.payload) {
            value = parts.value(at: place)
        } else {
            var place = SealedPlace()
            nested(&place)
            value = parts.value(at: place)
        }
    }

    @inlinable public mutating func id<Kind>(_ field: Int, _ value: inout Identifier<Kind>?) {
        if takes(field, .lengthDelimited), let id: Identifier<Kind> = id() { value = id }
    }

    @inlinable public mutating func ids<Kind>(_ field: Int, _ value: inout [Identifier<Kind>]) {
        while takes(field, .lengthDelimited) {
            if let id: Identifier<Kind> = id() { value.append(id) }
        }
    }

    @inlinable mutating func id<Kind>() -> Identifier<Kind>? {
        guard walk.payload.count == 16 else {
            fail("an id of other length")
            return nil
        }
        return Identifier(input.span, at: walk.payload.lowerBound)
    }

    /// Reads the message that the walk is at, and comes back to where it stood.
    @inlinable mutating func nested(_ message: inout some WireMessage) {
        let outer = enter()
        read(into: &message)
        leave(outer)
    }

    /// Where a decoder stands in a message.
    @usableFromInline struct Place {
        fileprivate let walk: FieldWalk
        fileprivate let start: Int?
        fileprivate let taken: Int
        fileprivate let field: Int
    }

    /// Goes into the message that the walk is at.
    @usableFromInline mutating func enter() -> Place {
        let outer = Place(walk: walk, start: start, taken: taken, field: fieldJustRead)
        walk = FieldWalk(walk.payload)
        depth += 1
        return outer
    }

    @usableFromInline mutating func leave(_ outer: Place) {
        depth -= 1
        (walk, start, taken, fieldJustRead) = (outer.walk, outer.start, outer.taken, outer.field)
        isTaken = true
    }

    @usableFromInline mutating func beginRound() { (taken, fieldJustRead) = (0, 0) }
}

/// The sealed parts of one event after an attempt to open them, by part number from 1.
public struct OpenedParts: Sendable {
    public struct Part: Sendable {
        public var subject: SubjectID
        public var category: Category
        /// `nil` when the key or the ciphertext is gone.
        public var values: [Value]?

        public init(subject: SubjectID, category: Category) {
            self.subject = subject
            self.category = category
        }
    }

    public var parts: [Part] = []

    public init(_ parts: [Part] = []) { self.parts = parts }

    /// What stands at a place; `nil` when the event has no such part.
    func value(at place: SealedPlace) -> Sealed? {
        guard let index = Int(exactly: place.part), index >= 1, index <= parts.count else {
            return nil
        }
        let part = parts[index - 1]
        var value: Value?
        if !place.erased, let values = part.values, let slot = Int(exactly: place.slot),
            values.indices.contains(slot)
        {
            value = values[slot]
        }
        var sealed = Sealed(value, subject: part.subject, category: part.category)
        sealed.unknownFields = place.unknownFields
        return sealed
    }
}
