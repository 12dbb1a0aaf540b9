/// Which keys a scan visits, in byte order.
package struct KeyRange: Sendable, Hashable {
    enum Edge: Hashable { case including([UInt8]), excluding([UInt8]) }

    var lower: Edge?
    var upper: Edge?

    /// Every key.
    package static let all = KeyRange()

    /// The keys at or above one, and if `through` is given at or below that.
    package static func from(_ key: [UInt8], through last: [UInt8]? = nil) -> KeyRange {
        KeyRange(lower: .including(key), upper: last.map(Edge.including))
    }

    /// The keys above one, and if `through` is given at or below that.
    package static func after(_ key: [UInt8], through last: [UInt8]? = nil) -> KeyRange {
        KeyRange(lower: .excluding(key), upper: last.map(Edge.including))
    }

    /// The keys at or below one.
    package static func through(_ key: [UInt8]) -> KeyRange {
        KeyRange(upper: .including(key))
    }

    /// The keys below one.
    package static func below(_ key: [UInt8]) -> KeyRange {
        KeyRange(upper: .excluding(key))
    }

    /// The keys that begin with these bytes.
    package static func prefix(_ bytes: [UInt8]) -> KeyRange {
        if bytes.isEmpty { return .all }
        var next = bytes
        while next.last == 0xFF { next.removeLast() }
        if let last = next.popLast() { next.append(last + 1) }
        return KeyRange(lower: .including(bytes), upper: next.isEmpty ? nil : .excluding(next))
    }

    /// The integer keys from one through another.
    package static func from(_ first: BigEndianKey, through last: BigEndianKey? = nil) -> KeyRange {
        .from(first.bytes.span.copy(), through: last.map { $0.bytes.span.copy() })
    }

    /// What is left of the range once a scan in that direction has visited `key`.
    func resumed(after key: [UInt8], reversed: Bool) -> KeyRange {
        reversed
            ? KeyRange(lower: lower, upper: .excluding(key))
            : KeyRange(lower: .excluding(key), upper: upper)
    }
}

/// Whether a scan goes on.
package enum ScanStep: Sendable {
    case next
    case stop
}
