import LMDB

/// Up to 256 events one after the other in one value, under the key of the last of them.
///
/// All numbers are big-endian. In front stand a mark (one zero byte, with which no message begins),
/// the format (one byte, 1), the count (two bytes), and for each event two offsets of four bytes:
/// where its entry ends among the entries, and where its bodies end among the bodies. Then come all
/// entries, then all bodies: of each event the bytes that stand behind the entry in a `StoredEvent`,
/// as they stood there. So a scan over entries touches nothing else, and the row of an event comes
/// back byte by byte. Bodies above 1,900 bytes stay in the table beside it.
///
/// To take one sealed part out, for an erasure, its bundle is written anew: the bytes of that body
/// leave the event's bodies, the ends behind it move, and the value replaces the old one in a commit
/// of the log. No entry changes by that, so the tree and every proof stay.
struct Bundle {
    let count: Int
    private let entries: Int
    private let bodies: Int
    private let size: Int

    /// The most events of a bundle.
    static var mostEvents: Int { 256 }
    /// A bundle of more bytes has fewer events, but for one event that is larger by itself.
    static var mostBytes: Int { 1 << 20 }

    private static var mark: UInt8 { 0 }
    private static var format: UInt8 { 1 }

    /// Whether a row of the log is a bundle, and not a single event.
    static func isOne(_ value: Span<UInt8>) -> Bool { value.count > 0 && value[0] == mark }

    /// Reads the header; `nil` where it does not fit the value.
    init?(_ value: Span<UInt8>) {
        guard value.count >= 4, value[0] == Self.mark, value[1] == Self.format else { return nil }
        count = Int(value[2]) << 8 | Int(value[3])
        entries = 4 + 8 * count
        size = value.count
        guard 1...Self.mostEvents ~= count, entries <= size else { return nil }
        let entryBytes = Self.number(value, at: entries - 8)
        bodies = entries + entryBytes
        guard bodies <= size, Self.number(value, at: entries - 4) == size - bodies else {
            return nil
        }
    }

    /// Where an event's entry and its bodies stand, by its place in the bundle from 0.
    ///
    /// `nil` where the offsets make no sense.
    func place(of index: Int, in value: Span<UInt8>) -> (entry: Range<Int>, bodies: Range<Int>)? {
        let row = 4 + 8 * index
        let start = index == 0 ? (0, 0) : (offset(row - 8, value), offset(row - 4, value))
        let end = (offset(row, value), offset(row + 4, value))
        guard start.0 <= end.0, end.0 <= bodies - entries, start.1 <= end.1, end.1 <= size - bodies
        else { return nil }
        return (entries + start.0..<entries + end.0, bodies + start.1..<bodies + end.1)
    }

    private func offset(_ position: Int, _ value: Span<UInt8>) -> Int {
        Self.number(value, at: position)
    }

    private static func number(_ value: Span<UInt8>, at position: Int) -> Int {
        Int(value[position]) << 24 | Int(value[position + 1]) << 16
            | Int(value[position + 2]) << 8 | Int(value[position + 3])
    }

    /// A bundle in the making.
    struct Draft {
        private var offsets: [UInt8] = []
        private var entries: [UInt8] = []
        private var bodies: [UInt8] = []
        private(set) var count = 0

        /// Adds an event, unless the bundle is full.
        ///
        /// - Returns: whether it was added.
        mutating func add(entry: Span<UInt8>, bodies rest: Span<UInt8>) -> Bool {
            let size = entries.count + bodies.count + entry.count + rest.count
            guard count < Bundle.mostEvents, count == 0 || size <= Bundle.mostBytes else {
                return false
            }
            entries.append(copying: entry)
            bodies.append(copying: rest)
            appendOffset(entries.count)
            appendOffset(bodies.count)
            count += 1
            return true
        }

        private mutating func appendOffset(_ offset: Int) {
            for shift in [24, 16, 8, 0] {
                offsets.append(UInt8(truncatingIfNeeded: offset >> shift))
            }
        }

        var value: [UInt8] {
            var value = [mark, format, UInt8(count >> 8), UInt8(truncatingIfNeeded: count)]
            value.reserveCapacity(4 + offsets.count + entries.count + bodies.count)
            value += offsets
            value += entries
            value += bodies
            return value
        }
    }
}

extension Array<UInt8> {
    fileprivate mutating func append(copying bytes: Span<UInt8>) {
        bytes.withUnsafeBufferPointer { append(contentsOf: $0) }
    }
}
