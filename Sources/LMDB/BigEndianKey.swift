/// An integer as a key of eight bytes whose byte order is its numeric order.
package struct BigEndianKey: Sendable, Hashable, Comparable {
    package let value: UInt64

    package init(_ value: UInt64) {
        self.value = value
    }

    /// Reads a key back; `nil` unless it has exactly eight bytes.
    package init?(_ bytes: Span<UInt8>) {
        guard bytes.count == 8, let value = bytes.bigEndianInteger(at: 0) else { return nil }
        self.value = value
    }

    /// The eight bytes, most significant first.
    package var bytes: [8 of UInt8] {
        .init { UInt8(truncatingIfNeeded: value >> (56 - 8 * UInt64($0))) }
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.value < right.value
    }
}

extension Span<UInt8> {
    /// Reads eight bytes as a big-endian integer, byte by byte, wherever they lie.
    ///
    /// Most values in a map are not aligned to eight bytes, so nothing is ever bound to a wider type.
    ///
    /// - Returns: `nil` where there are not eight bytes: a row that was damaged is no reason to trap.
    package func bigEndianInteger(at offset: Int) -> UInt64? {
        guard offset >= 0, offset <= count - 8 else { return nil }
        var value: UInt64 = 0
        for index in offset..<offset + 8 { value = value << 8 | UInt64(self[index]) }
        return value
    }

    /// Copies the bytes, to keep them beyond the closure they were lent to.
    package func copy() -> [UInt8] {
        unsafe withUnsafeBufferPointer { unsafe Array($0) }
    }
}
