import Crypto

/// A 128-bit identifier of our own making; it never holds anything personal.
///
/// `Kind` only keeps the compiler from taking a record for a replica; it is not stored. Text form:
/// 32 lower-case hexadecimal digits in the grouping of a UUID (RFC 9562).
package struct Identifier<Kind>: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads 16 bytes, or fails.
    package init?(bytes: ArraySlice<UInt8>) {
        guard bytes.count == 16 else { return nil }
        self.init(bytes.span, at: 0)
    }

    /// Reads 16 bytes, or fails.
    package init?(bytes: [UInt8]) { self.init(bytes: bytes[...]) }

    /// Reads the 16 bytes that begin at an offset.
    init(_ bytes: Span<UInt8>, at start: Int) {
        let halves = bytes.extracting(start..<start + 16).withUnsafeBytes { bytes in
            (
                bytes.loadUnaligned(as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            )
        }
        self.init(high: UInt64(bigEndian: halves.0), low: UInt64(bigEndian: halves.1))
    }

    /// Reads the text form, with or without hyphens.
    package init?(_ text: some StringProtocol) {
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
    package static func version7(
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
    package static func derived(_ label: String, _ parts: [[UInt8]]) -> Self {
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
    package var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            let target = UnsafeMutableRawBufferPointer(buffer)
            target.storeBytes(of: high.bigEndian, as: UInt64.self)
            target.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            count = 16
        }
    }

    package var description: String {
        let digits = bytes.map(hexadecimal).joined()
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append("-") }
            text.append(digit)
        }
        return text
    }

    /// The first eight digits of the random end: enough for people to tell two apart.
    package var short: String { String(description.suffix(8)) }

    package static func < (left: Self, right: Self) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    /// The same 128 bits, said to be of another kind.
    package func cast<Other>(to kind: Other.Type = Other.self) -> Identifier<Other> {
        Identifier<Other>(high: high, low: low)
    }
}

package enum EventKind {}
package enum LedgerKind {}
package enum ConnectionKind {}
package enum ReplicaKind {}
package enum RecordKind {}
package enum SubjectKind {}
package enum RunKind {}
package enum CommandKind {}
package enum QuestionKind {}
package enum StreamKind {}

package typealias EventID = Identifier<EventKind>
package typealias LedgerID = Identifier<LedgerKind>
package typealias ConnectionID = Identifier<ConnectionKind>
package typealias ReplicaID = Identifier<ReplicaKind>
package typealias RecordID = Identifier<RecordKind>
package typealias SubjectID = Identifier<SubjectKind>
package typealias RunID = Identifier<RunKind>
package typealias CommandID = Identifier<CommandKind>
package typealias QuestionID = Identifier<QuestionKind>

extension ReplicaID {
    /// The data subject whose keys seal this replica's values: one a replica, fixed at first sight.
    package var subject: SubjectID { .derived("subject", [bytes]) }
}

package func bigEndianBytes(_ value: UInt64) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { [UInt8]($0) }
}

func appendBigEndian(_ value: UInt64, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
}

/// Reads 8 bytes, most significant first; `nil` for any other length.
package func bigEndianInteger(_ bytes: some Collection<UInt8>) -> UInt64? {
    bytes.count == 8 ? bytes.reduce(0) { $0 << 8 | UInt64($1) } : nil
}

/// Two lower-case hexadecimal digits.
package func hexadecimal(_ byte: UInt8) -> String {
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
