import Crypto
import Synchronization

/// The keys of one subject and category: one seals, one recognises.
package struct PartKeys: Sendable {
    let seal: SymmetricKey
    private let recogniser: Recogniser

    /// Made when it is first asked for: who only opens needs none.
    var recognise: KeyedHash { recogniser.hash }

    /// Both come from the data key by HKDF (RFC 5869), so that neither tells the other.
    init(dataKey: SymmetricKey) {
        let expansion = KeyedHash(
            key: Self.extraction.code(of: dataKey.withUnsafeBytes { [UInt8]($0) }))
        seal = SymmetricKey(data: Self.expand(expansion, "syncledger seal"))
        recogniser = Recogniser(expansion)
    }

    /// HKDF without salt.
    private static let extraction = KeyedHash(key: [UInt8](repeating: 0, count: 32))

    /// The first and only block of a key: 32 bytes.
    private static func expand(_ expansion: KeyedHash, _ purpose: String) -> [UInt8] {
        expansion.code(of: Array(purpose.utf8) + [1])
    }

    private final class Recogniser: Sendable {
        private let expansion: KeyedHash
        private let made = Mutex<KeyedHash?>(nil)

        init(_ expansion: KeyedHash) { self.expansion = expansion }

        var hash: KeyedHash {
            made.withLock { made in
                if let made { return made }
                let hash = KeyedHash(key: expand(expansion, "syncledger mac"))
                made = hash
                return hash
            }
        }
    }
}

/// Sealing and opening of bytes under a part's keys: AES-256-GCM.
///
/// The nonce is the beginning of the MAC of context and clear text, so sealing needs no randomness:
/// other content or context gives another nonce, the same gives the same bytes.
package enum PartSeal {
    package struct Closed: Sendable, Equatable {
        /// Nonce, ciphertext, tag.
        package var bytes: [UInt8]
        /// HMAC-SHA256 over context and clear text.
        package var mac: [UInt8]
    }

    package static func seal(
        _ clear: [UInt8], context: [UInt8], keys: PartKeys
    ) throws -> Closed {
        let mac = mac(clear, context: context, keys: keys)
        let box = try AES.GCM.seal(
            clear, using: keys.seal, nonce: AES.GCM.Nonce(data: mac.prefix(12)),
            authenticating: context)
        guard let combined = box.combined else { throw CryptoKitError.incorrectParameterSize }
        return Closed(bytes: [UInt8](combined), mac: mac)
    }

    /// The clear text.
    ///
    /// - Throws: `CryptoKitError.authenticationFailure` when bytes, context or key were changed.
    package static func open(
        _ bytes: [UInt8], context: [UInt8], keys: PartKeys
    ) throws -> [UInt8] {
        Array(
            try AES.GCM.open(
                AES.GCM.SealedBox(combined: bytes), using: keys.seal, authenticating: context))
    }

    package static func mac(_ clear: [UInt8], context: [UInt8], keys: PartKeys) -> [UInt8] {
        // In one piece: each piece costs more than copying it.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 + context.count + clear.count)
        appendBigEndian(UInt64(context.count), to: &bytes)
        bytes.append(contentsOf: context)
        bytes.append(contentsOf: clear)
        return keys.recognise.code(of: bytes)
    }

    /// What an event's sealed part is bound to.
    ///
    /// Not the sequence: sealing comes before the writer.
    package static func context(
        ledger: LedgerID, event: EventID, part: Int, subject: SubjectID, category: Category,
        schema: UInt64
    ) -> [UInt8] {
        var bytes: [UInt8] = [1]
        bytes.reserveCapacity(73)
        for half in [
            ledger.high, ledger.low, event.high, event.low, UInt64(part), subject.high,
            subject.low, category.rawValue, schema,
        ] {
            appendBigEndian(half, to: &bytes)
        }
        return bytes
    }
}
