import Crypto

/// A 128-bit identifier of our own making; it never holds anything personal.
///
/// `Kind` only keeps the compiler from taking a record for a replica; it is not stored. Text form:
/// 32 lower-case hexadecimal digits in the grouping of a UUID (RFC 9562).
public struct Identifier<Kind>: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let high: UInt64
    public let low: UInt64

    @inlinable public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads 16 bytes, or fails.
    @inlinable public init?(bytes: ArraySlice<UInt8>) {
        guard bytes.count == 16 else { return nil }
        self.init(bytes.span, at: 0)
    }

    /// Reads 16 bytes, or fails.
    @inlinable public init?(bytes: [UInt8]) { self.init(bytes: bytes[...]) }

    /// Reads the 16 bytes that begin at an offset.
    @usableFromInline init(_ bytes: Span<UInt8>, at start: Int) {
        let halves = bytes.extracting(start..<start + 16).withUnsafeBytes { bytes in
            (
                bytes.loadUnaligned(as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            )
        }
        self.init(high: UInt64(bigEndian: halves.0), low: UInt64(bigEndian: halves.1))
    }

    /// Reads the text form, with or without hyphens.
    public init?(_ text: some StringProtocol) {
        let digits = text.utf8.filter { $0 != UInt8(ascii: "-") }
        guard digits.count == 32 else { return nil }
        var halves: [UInt64] = [0, 0]
        for (index, digit) in digits.enumerated() {
            guard let value = hexadecimalValue(digit) else { return nil }
            halves[index / 16] = halves[index / 16] << 4 | UInt64(value)
        }
        self.init(high: halves[0], low: halves[1])
    }

    /// A UUIDv7 (RFC 9562, section 5.7): milliseconds since 1970, then 74 random bits.
    public static func version7(
        at time: Timestamp, using random: inout some RandomNumberGenerator
    ) -> Self {
        let milliseconds = UInt64(max(0, time.microseconds / 1_000)) & 0xFFFF_FFFF_FFFF
        return Self(
            high: milliseconds << 16 | 0x7000 | random.next() & 0x0FFF,
            low: 0x8000_0000_0000_0000 | random.next() >> 2)
    }

    /// The identifier that this cause always gives: UUIDv8 over SHA-256 of its labelled parts.
    ///
    /// Each part is preceded by its length, so no two lists of parts look the same to the hash.
    public static func derived(_ label: String, _ parts: [[UInt8]]) -> Self {
        var hash = SHA256()
        for part in [Array(label.utf8)] + parts {
            hash.update(data: bigEndianBytes(UInt64(part.count)))
            hash.update(data: part)
        }
        var halves: (UInt64, UInt64) = (0, 0)
        for (index, byte) in hash.finalize().prefix(16).enumerated() {
            if index < 8 {
                halves.0 = halves.0 << 8 | UInt64(byte)
            } else {
                halves.1 = halves.1 << 8 | UInt64(byte)
            }
        }
        return Self(
            high: halves.0 & ~0xF000 | 0x8000,
            low: halves.1 & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
    }

    /// The 16 bytes, most significant first.
    @inlinable public var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            let target = UnsafeMutableRawBufferPointer(buffer)
            target.storeBytes(of: high.bigEndian, as: UInt64.self)
            target.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            count = 16
        }
    }

    public var description: String {
        let digits = bytes.map(hexadecimal).joined()
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append("-") }
            text.append(digit)
        }
        return text
    }

    /// The first eight digits of the random end: enough for people to tell two apart.
    public var short: String { String(description.suffix(8)) }

    @inlinable public static func < (left: Self, right: Self) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    /// The same 128 bits, said to be of another kind.
    @inlinable public func cast<Other>(to kind: Other.Type = Other.self) -> Identifier<Other> {
        Identifier<Other>(high: high, low: low)
    }
}

public enum EventKind {}
public enum LedgerKind {}
public enum ConnectionKind {}
public enum ReplicaKind {}
public enum RecordKind {}
public enum SubjectKind {}
public enum RunKind {}
public enum CommandKind {}
public enum QuestionKind {}
public enum StreamKind {}

public typealias EventID = Identifier<EventKind>
public typealias LedgerID = Identifier<LedgerKind>
public typealias ConnectionID = Identifier<ConnectionKind>
public typealias ReplicaID = Identifier<ReplicaKind>
public typealias RecordID = Identifier<RecordKind>
public typealias SubjectID = Identifier<SubjectKind>
public typealias RunID = Identifier<RunKind>
public typealias CommandID = Identifier<CommandKind>
public typealias QuestionID = Identifier<QuestionKind>

extension ReplicaID {
    /// The data subject whose keys seal this replica's values: one a replica, fixed at first sight.
    public var subject: SubjectID { .derived("subject", [bytes]) }
}

@inlinable public func bigEndianBytes(_ value: UInt64) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { [UInt8]($0) }
}

@usableFromInline func appendBigEndian(_ value: UInt64, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
}

/// Reads 8 bytes, most significant first; `nil` for any other length.
public func bigEndianInteger(_ bytes: some Collection<UInt8>) -> UInt64? {
    bytes.count == 8 ? bytes.reduce(0) { $0 << 8 | UInt64($1) } : nil
}

/// Two lower-case hexadecimal digits.
public func hexadecimal(_ byte: UInt8) -> String {
    let digits = Array("0123456789abcdef")
    return String([digits[Int(byte >> 4)], digits[Int(byte & 15)]])
}

private func hexadecimalValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
}
