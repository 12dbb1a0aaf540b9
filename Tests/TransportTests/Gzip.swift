/// Writes gzip by hand, so that the tests need no compressor (RFC 1951 and 1952).
enum Gzip {
    private static let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]

    /// A valid file of one stored block: nothing is compressed, everything is checked.
    static func stored(_ bytes: [UInt8]) -> [UInt8] {
        precondition(bytes.count <= Int(UInt16.max))
        let length = UInt16(bytes.count)
        return header + [1] + littleEndian(length) + littleEndian(~length) + bytes
            + littleEndian(checksum(bytes)) + littleEndian(UInt32(bytes.count))
    }

    /// A small file that unpacks to about `count` zeros: one literal, then copies of 258 bytes.
    ///
    /// It has no end: who reads it is expected to stop before.
    static func bomb(count: Int) -> [UInt8] {
        var bits = BitWriter()
        bits.write(0b011, count: 3)  // last block, fixed codes
        bits.writeCode(0b0011_0000, count: 8)  // the literal 0
        for _ in 0..<(count / 258) {
            bits.writeCode(0b1100_0101, count: 8)  // length 258
            bits.writeCode(0, count: 5)  // distance 1
        }
        return header + bits.bytes
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var sum = ~UInt32(0)
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 {
                let polynomial: UInt32 = sum & 1 == 1 ? 0xEDB8_8320 : 0
                sum = (sum >> 1) ^ polynomial
            }
        }
        return ~sum
    }

    private static func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }
}

private struct BitWriter {
    var bytes: [UInt8] = []
    private var used = 0

    /// Numbers go in from their lowest bit.
    mutating func write(_ value: Int, count: Int) {
        for bit in 0..<count {
            if used % 8 == 0 { bytes.append(0) }
            bytes[bytes.count - 1] |= UInt8(value >> bit & 1) << (used % 8)
            used += 1
        }
    }

    /// Codes go in from their highest bit.
    mutating func writeCode(_ code: Int, count: Int) {
        for bit in (0..<count).reversed() { write(code >> bit & 1, count: 1) }
    }
}
