import Ledger

/// The key of a row where a fold looks it up: mostly one id, which is held without an array.
struct RowKey: Hashable, Comparable {
    /// The first sixteen bytes, zeros behind them.
    private let high: UInt64
    private let low: UInt64
    private let count: Int
    /// All bytes, where they are more than sixteen.
    private let long: [UInt8]

    init<Kind>(_ id: Identifier<Kind>) {
        (high, low, count, long) = (id.high, id.low, 16, [])
    }

    init(_ bytes: [UInt8]) {
        func word(_ start: Int) -> UInt64 {
            (start..<start + 8).reduce(0) { $0 << 8 | ($1 < bytes.count ? UInt64(bytes[$1]) : 0) }
        }
        (high, low, count) = (word(0), word(8), bytes.count)
        long = bytes.count > 16 ? bytes : []
    }

    /// The id that the key is.
    var id: Identifier<StreamKind> { Identifier(high: high, low: low) }

    var bytes: [UInt8] {
        guard long.isEmpty else { return long }
        let all = id.bytes
        return count == 16 ? all : Array(all.prefix(count))
    }

    static func == (left: Self, right: Self) -> Bool {
        left.high == right.high && left.low == right.low && left.count == right.count
            && (left.count <= 16 || left.long == right.long)
    }

    /// By its two ends.
    func hash(into hasher: inout Hasher) {
        hasher.combine(high)
        guard count > 16 else { return hasher.combine(low) }
        long.withUnsafeBytes { bytes in
            hasher.combine(
                bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self))
        }
    }

    /// In the order of the tables: bytewise, the shorter first.
    static func < (left: Self, right: Self) -> Bool {
        if left.high != right.high { return left.high < right.high }
        if left.low != right.low { return left.low < right.low }
        guard left.count > 16, right.count > 16 else { return left.count < right.count }
        return left.long.lexicographicallyPrecedes(right.long)
    }
}
