package import Crypto

/// HMAC-SHA256 (RFC 2104) under one key, whose two blocks are hashed once and not for every code.
///
/// The library's `HMAC` is generic and compiled apart from here, and so goes through witness tables
/// for each piece: nearly a quarter of all sealing was in it.
package struct KeyedHash: Sendable {
    private let inner: SHA256
    private let outer: SHA256

    /// - Parameter key: at most 64 bytes.
    package init(key: [UInt8]) {
        precondition(key.count <= SHA256.blockByteCount, "a longer key would have to be hashed")
        func begun(_ pad: UInt8) -> SHA256 {
            var block = [UInt8](repeating: pad, count: SHA256.blockByteCount)
            for (index, byte) in key.enumerated() { block[index] ^= byte }
            var hash = SHA256()
            hash.take(block)
            return hash
        }
        inner = begun(0x36)
        outer = begun(0x5c)
    }

    /// - Parameter key: of at most 512 bits.
    package init(key: SymmetricKey) { self.init(key: key.withUnsafeBytes { [UInt8]($0) }) }

    /// 32 bytes.
    package func code(of message: [UInt8]) -> [UInt8] {
        var (hash, code) = (inner, outer)
        hash.take(message)
        hash.finalize().withUnsafeBytes { code.update(bufferPointer: $0) }
        return code.finalize().withUnsafeBytes { [UInt8]($0) }
    }
}

extension SHA256 {
    /// Without the library's generic way over the regions of any data.
    mutating func take(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update(bufferPointer: $0) }
    }
}
