package import Crypto
import LMDB
import Synchronization

/// The data keys of a ledger, one for each subject and category.
///
/// They live wrapped by the epoch's master key in a small LMDB environment of their own; clear they
/// are only in memory. A key is durable before `keys(for:)` returns it, thus before any event that
/// uses it. Destroying a key makes everything sealed under it unreadable, backups included.
package final class KeyRing: Sendable {
    package struct Name: Hashable, Sendable {
        package var subject: SubjectID
        package var category: Category

        package init(subject: SubjectID, category: Category) {
            self.subject = subject
            self.category = category
        }

        package func hash(into hasher: inout Hasher) {
            // A subject is a hash already.
            hasher.combine(subject.low ^ category.rawValue)
        }

        var key: [UInt8] { subject.bytes + [UInt8(truncatingIfNeeded: category.rawValue)] }
    }

    private let environment: Environment
    private let table: Table
    private let ledger: LedgerID
    private let master: MasterKey
    private let cache = Mutex(Cache())

    /// Keys as of a commit; another process's commit may have destroyed any of them.
    ///
    /// Each is about 500 bytes. They are kept in two halves, and the half that was asked for longer
    /// ago goes when the other is full: who goes over more people than fit in keeps the last ones.
    private struct Cache {
        private(set) var commit = 0
        private var young: [Name: PartKeys] = [:]
        private var old: [Name: PartKeys] = [:]
        private static var half: Int { 25_000 }

        mutating func reach(_ commit: Int) {
            if self.commit != commit { self = Cache(commit: commit) }
        }

        /// Goes on behind a commit that destroyed none.
        mutating func pass(_ commit: Int) { if self.commit == commit { self.commit += 1 } }

        mutating func keys(_ name: Name) -> PartKeys? {
            if let keys = young[name] { return keys }
            guard let keys = old[name] else { return nil }
            keep(keys, name)
            return keys
        }

        mutating func keep(_ keys: PartKeys, _ name: Name) {
            if young.count >= Self.half { (old, young) = (young, [:]) }
            young[name] = keys
        }

        init(commit: Int = 0) { self.commit = commit }
    }

    /// New keys of one transaction, well below what one may hold.
    private static var keysPerCommit: Int { 16_384 }

    /// Opens the keys of a ledger; where its log has no events yet, they are made.
    ///
    /// Beside events, keys that are not there were lost, and everybody would read as erased.
    ///
    /// - Throws: `KeyError.missingKeys`, `KeyError.wrongMasterKey`, `LMDBError`.
    package init(
        directory: String, ledger: LedgerID, master: MasterKey, isNew: Bool = true
    ) throws {
        guard isNew || Environment.exists(at: directory) else { throw KeyError.missingKeys }
        environment = try Self.environment(directory)
        table = environment.table("keys")
        self.ledger = ledger
        self.master = master
        try checkMaster(isNew: isNew)
    }

    /// Throws `LogError.lost` where there are keys of people, though there is no log.
    ///
    /// The log is made before any key is. To be called before this process opens the keys.
    package static func refuseKeysWithoutLog(in ledger: String) throws {
        guard !Environment.exists(at: ledger + "/log"), Environment.exists(at: ledger + "/keys")
        else { return }
        let environment = try environment(ledger + "/keys")
        let count = try environment.read { try $0.count(environment.table("keys")) } - 1
        try environment.close()
        guard count <= 0 else { throw LogError.lost(.keys(count: count)) }
    }

    private static func environment(_ directory: String) throws -> Environment {
        var options = Options()
        options.mapSize = 16 << 30
        return try Environment(at: directory, tables: ["keys"], options: options)
    }

    package func close() throws { try environment.close() }

    /// The keys of these subjects and categories, made and written where they do not exist yet.
    ///
    /// Blocks for one flush when any is new.
    package func keys(for names: Set<Name>) throws -> [Name: PartKeys] {
        var found = try existing(names)
        guard found.count < names.count else { return found }
        let missing = names.subtracting(found.keys)
        var wrapped: [(key: [UInt8], value: [UInt8])] = []
        for name in missing {
            wrapped.append((name.key, try wrap(SymmetricKey(size: .bits256), name)))
        }
        for start in stride(from: 0, to: wrapped.count, by: Self.keysPerCommit) {
            let some = wrapped[start..<min(start + Self.keysPerCommit, wrapped.count)]
            let before = try environment.write { transaction in
                let before = try environment.lastCommit()
                var isChanged = false
                for row in some where try !transaction.contains(table, key: row.key) {
                    try transaction.put(table, key: row.key, value: row.value)
                    isChanged = true
                }
                return isChanged ? before : nil
            }
            // A commit of our own only adds; one that put nothing has no number.
            if let before { cache.withLock { $0.pass(before) } }
        }
        // Another process may have been first: what is stored counts, not what we made.
        for (name, keys) in try existing(missing) { found[name] = keys }
        return found
    }

    /// The keys of a subject and category if they exist.
    package func key(for name: Name) throws -> PartKeys? { try existing(inOrder: [name])[0] }

    /// The keys of some subjects and categories, each where it exists, in their order.
    package func existing(inOrder names: [Name]) throws -> [PartKeys?] {
        var found = [PartKeys?](repeating: nil, count: names.count)
        var unknown: [Int] = []
        let commit = try environment.lastCommit()
        cache.withLock { cache in
            cache.reach(commit)
            for (index, name) in names.enumerated() {
                found[index] = cache.keys(name)
                if found[index] == nil { unknown.append(index) }
            }
        }
        guard !unknown.isEmpty else { return found }
        try environment.read { transaction in
            for index in unknown {
                let name = names[index]
                guard let bytes = try transaction.bytes(table, key: name.key) else { continue }
                found[index] = PartKeys(dataKey: try unwrap(bytes, name))
            }
        }
        cache.withLock { cache in
            // Read before somebody else's commit, they may be gone by now.
            guard cache.commit == commit else { return }
            for index in unknown { if let keys = found[index] { cache.keep(keys, names[index]) } }
        }
        return found
    }

    /// The keys of these subjects and categories, as far as they exist.
    package func existing(_ names: Set<Name>) throws -> [Name: PartKeys] {
        let names = Array(names)
        var found = Dictionary(minimumCapacity: names.count) as [Name: PartKeys]
        for (name, keys) in zip(names, try existing(inOrder: names)) { found[name] = keys }
        return found
    }

    private func wrap(_ key: SymmetricKey, _ name: Name) throws -> [UInt8] {
        let clear = key.withUnsafeBytes { Array($0) }
        let box = try AES.GCM.seal(clear, using: master.key, authenticating: context(name))
        return Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
    }

    private func unwrap(_ bytes: [UInt8], _ name: Name) throws -> SymmetricKey {
        do {
            return SymmetricKey(
                data: try AES.GCM.open(
                    AES.GCM.SealedBox(combined: bytes), using: master.key,
                    authenticating: context(name)))
        } catch {
            // The master key was tried when the ring was opened, so another's row is at fault itself.
            throw name == Self.probe
                ? KeyError.wrongMasterKey(epoch: master.epoch)
                : KeyError.damagedKey(name.subject)
        }
    }

    private func context(_ name: Name) -> [UInt8] {
        ledger.bytes + name.key + [1] + bigEndianBytes(master.epoch)
    }

    /// Refuses a master key that is not the one this ledger was made with, before anything is sealed.
    private func checkMaster(isNew: Bool) throws {
        let stored = try environment.read { transaction in
            try transaction.bytes(table, key: Self.probe.key)
        }
        if let stored {
            _ = try unwrap(stored, Self.probe)
        } else {
            guard isNew else { throw KeyError.missingKeys }
            _ = try keys(for: [Self.probe])
        }
    }

    /// The key of nobody, by which a master key is tried.
    static let probe = Name(subject: .none, category: .unspecified)
}

/// The key that wraps all data keys of an epoch.
///
/// It never enters an LMDB file.
package struct MasterKey: Sendable {
    package var epoch: UInt64
    let key: SymmetricKey

    package init(epoch: UInt64, bytes: [UInt8]) throws {
        guard bytes.count == 32 else { throw KeyError.badMasterKey }
        self.epoch = epoch
        key = SymmetricKey(data: bytes)
    }

    /// A key for the ledger's own secrets or lookups, by its purpose.
    package func derived(_ purpose: String, ledger: LedgerID) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key, salt: ledger.bytes, info: Array(purpose.utf8),
            outputByteCount: 32)
    }
}

package enum KeyError: Error, Equatable, CustomStringConvertible {
    case wrongMasterKey(epoch: UInt64)
    case badMasterKey
    case missingMasterKey(path: String)
    case exposedMasterKey(path: String)
    /// Events stand beside a key ring that holds nothing.
    case missingKeys
    /// The master key fits, but not this row.
    case damagedKey(SubjectID)

    package var description: String {
        switch self {
        case .wrongMasterKey(let epoch):
            "the master key of epoch \(epoch) does not open this ledger's keys: put back the key file that belongs to it"
        case .badMasterKey:
            "the master key must be 32 bytes, written as 64 hexadecimal digits"
        case .missingMasterKey(let path):
            "there is no master key at \(path): restore it from where you keep it, or set SYNCLEDGER_MASTER_KEY"
        case .exposedMasterKey(let path):
            "others may read \(path): run chmod 600 on it"
        case .missingKeys:
            "the keys of this ledger are missing: restore keys/ from a backup"
        case .damagedKey(let subject):
            "the key of subject \(subject) is damaged: restore keys/ from a backup"
        }
    }
}
