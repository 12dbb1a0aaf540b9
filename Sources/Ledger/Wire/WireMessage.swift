/// A Protocol Buffers message that is written down once: `visit` names every field, and the same
/// list encodes, decodes and describes.
///
/// The wire format is that of `Schemas/syncledger/ledger/v1/*.proto`; scalar fields follow proto3
/// (the zero value is not written), optional ones have explicit presence. Fields that this code
/// does not know are kept in `unknownFields` and written after the known ones.
///
/// This and the two visitors are `public` though nobody outside the package is meant: only then does the
/// compiler make them anew for the messages of another room, and not read those through witness tables.
public protocol WireMessage: Sendable {
    init()
    mutating func visit(_ visitor: inout some WireVisitor)
    var unknownFields: [UInt8] { get set }
}

/// What walks over the fields of a message: an encoder or a decoder.
///
/// Field numbers are those of the `.proto` files. None of these throws: a decoder remembers its
/// first error and reports it when the walk is over.
public protocol WireVisitor {
    var isDecoding: Bool { get }
    /// While decoding, the number of the field that was taken last; 0 before any, and while encoding.
    var fieldJustRead: Int { get }

    mutating func unsigned(_ field: Int, _ value: inout UInt64)
    mutating func unsigned(_ field: Int, _ value: inout UInt64?)
    /// A signed number in zigzag form (`sint64`).
    mutating func signed(_ field: Int, _ value: inout Int64)
    mutating func bool(_ field: Int, _ value: inout Bool)
    mutating func bool(_ field: Int, _ value: inout Bool?)
    mutating func string(_ field: Int, _ value: inout String)
    mutating func string(_ field: Int, _ value: inout String?)
    mutating func strings(_ field: Int, _ value: inout [String])
    mutating func bytes(_ field: Int, _ value: inout [UInt8])
    mutating func bytes(_ field: Int, _ value: inout [UInt8]?)
    mutating func bytes(_ field: Int, _ value: inout [[UInt8]])
    mutating func message<M: WireMessage>(_ field: Int, _ value: inout M)
    mutating func message<M: WireMessage>(_ field: Int, _ value: inout M?)
    mutating func messages<M: WireMessage>(_ field: Int, _ value: inout [M])
    /// A value for one subject's eyes: it goes into a sealed part, and its place into the message.
    mutating func sealed(_ field: Int, _ value: inout Sealed?)
    /// An identifier as 16 bytes; absent is `nil`.
    mutating func id<Kind>(_ field: Int, _ value: inout Identifier<Kind>?)
    /// Several identifiers, each as 16 bytes.
    mutating func ids<Kind>(_ field: Int, _ value: inout [Identifier<Kind>])
    /// While decoding: what was just read makes no sense, so neither does the message.
    mutating func refuse(_ problem: String)
    /// While decoding: what was just read is from a newer writer and stays among the unknown fields.
    mutating func leaveUnknown()
}

extension WireVisitor {
    @inlinable public mutating func refuse(_ problem: String) {}
    @inlinable public mutating func leaveUnknown() {}

    /// A number that is written even when it is zero, since one that is left out means another.
    @inlinable public mutating func always(_ field: Int, _ value: inout UInt64) {
        var raw: UInt64? = isDecoding ? nil : value
        unsigned(field, &raw)
        if let raw { value = raw }
    }

    /// A moment, as microseconds since 1970 in zigzag form; absent is `nil`.
    @inlinable public mutating func time(_ field: Int, _ value: inout Timestamp?) {
        var raw: UInt64? = value.map { zigzag($0.microseconds) }
        unsigned(field, &raw)
        value = raw.map { Timestamp(microseconds: unzigzag($0)) }
    }

    /// An identifier that always stands; all zero stands for one that was left out.
    @inlinable public mutating func id<Kind>(_ field: Int, _ value: inout Identifier<Kind>) {
        var optional: Identifier<Kind>? = isDecoding ? nil : value
        id(field, &optional)
        if let optional { value = optional }
    }

    /// A closed choice, as its raw number; one that this code does not know stays unknown.
    @inlinable public mutating func choice<C: WireChoice>(_ field: Int, _ value: inout C) {
        var raw = value.rawValue
        unsigned(field, &raw)
        guard isDecoding, raw != value.rawValue else { return }
        if let known = C(rawValue: raw) { value = known } else { leaveUnknown() }
    }
}

/// An enumeration on the wire.
///
/// Raw value 0 is the one that is not written.
public protocol WireChoice: RawRepresentable, Sendable, Hashable where RawValue == UInt64 {}

extension Identifier {
    /// All zero: a field that was left out.
    @inlinable public static var none: Self { Self(high: 0, low: 0) }
    @inlinable public var isNone: Bool { high == 0 && low == 0 }
}

@inlinable public func zigzag(_ value: Int64) -> UInt64 {
    UInt64(bitPattern: value << 1 ^ value >> 63)
}

@inlinable public func unzigzag(_ value: UInt64) -> Int64 {
    Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
}

/// A value that only its subject's key opens.
public struct Sealed: Hashable, Sendable {
    public var subject: SubjectID
    public var category: Category
    /// `nil` once the key or the part is gone (erased), or while nobody opened it.
    public var value: Value?
    /// What a newer writer says of the place where the value stands.
    public var unknownFields: [UInt8] = []

    public init(_ value: Value?, subject: SubjectID, category: Category) {
        self.value = value
        self.subject = subject
        self.category = category
    }
}

/// What kind of personal data a sealed part holds: each has a key of its own for each subject.
public enum Category: UInt64, WireChoice, CaseIterable {
    case unspecified = 0
    /// Remote ids and links.
    case identity = 1
    /// Name, title, texts.
    case profile = 2
    /// E-mail, phone, address.
    case contact = 3
    /// What the person agreed to.
    case consent = 4
    /// Scores, tags, counts.
    case activity = 5
    /// What could not be decoded yet.
    case intake = 6
    /// Templates, mails, documents.
    case content = 7
}
