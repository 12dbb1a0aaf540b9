/// The key of a row where a fold looks it up: mostly one id, so it is hashed by its two ends.
struct RowKey: Hashable, Comparable {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func == (left: Self, right: Self) -> Bool {
        left.bytes.count == right.bytes.count && left.compared(to: right) == 0
    }

    func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { bytes in
            guard bytes.count >= 8 else { return hasher.combine(bytes: bytes) }
            hasher.combine(bytes.loadUnaligned(as: UInt64.self))
            hasher.combine(
                bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self))
        }
    }

    /// In the order of the tables: bytewise, the shorter first.
    static func < (left: Self, right: Self) -> Bool {
        let order = left.compared(to: right)
        return order != 0 ? order < 0 : left.bytes.count < right.bytes.count
    }

    /// By the bytes that both have.
    private func compared(to other: Self) -> Int {
        bytes.withUnsafeBytes { mine in
            other.bytes.withUnsafeBytes { theirs in
                for (one, another) in zip(mine, theirs) where one != another {
                    return Int(one) - Int(another)
                }
                return 0
            }
        }
    }
}
