/// CRC-32C (Castagnoli, as in RFC 3720): tells a row that the disk changed from one that was written.
///
/// LMDB has no checksums of its own. Eight bytes a step, by tables made once.
enum Checksum {
    /// Of a key and its value, so that neither passes for another's.
    static func of(_ key: [UInt8], _ value: ArraySlice<UInt8>) -> UInt32 {
        ~update(update(~0, key[...]), value)
    }

    private static func update(_ start: UInt32, _ bytes: ArraySlice<UInt8>) -> UInt32 {
        var crc = start
        let span = bytes.span
        var index = 0
        while index + 8 <= span.count {
            var next: UInt32 = 0
            for offset in 0..<8 {
                let byte =
                    span[index + offset]
                    ^ (offset < 4 ? UInt8(truncatingIfNeeded: crc >> UInt32(8 * offset)) : 0)
                next ^= tables[(7 - offset) << 8 | Int(byte)]
            }
            crc = next
            index += 8
        }
        while index < span.count {
            crc = crc >> 8 ^ tables[Int(UInt8(truncatingIfNeeded: crc) ^ span[index])]
            index += 1
        }
        return crc
    }

    /// Table `n` steps a byte over `n` more.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
            tables[byte] = crc
        }
        for index in 256..<8 * 256 {
            let before = tables[index - 256]
            tables[index] = before >> 8 ^ tables[Int(before & 0xFF)]
        }
        return tables
    }()
}
