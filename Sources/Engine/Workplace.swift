package import Connectors
import Crypto
package import Ledger
package import Model
package import Projections
package import Transport

#if canImport(Glibc)
    import Glibc
#endif

/// A ledger's directory, opened: its log, keys, views and secrets.
///
/// `ledger` names it, `master-1.key` holds its master key (or `SYNCLEDGER_MASTER_KEY`), `log/`,
/// `index/`, `keys/` and `views/` are LMDB environments, `secrets` is sealed under the master key.
package final class Workplace {
    package let directory: String
    package let identity: LedgerFile
    package let log: EventLog
    package let sealer: Sealer
    package let views: ViewStore
    private let keys: KeyRing
    private let master: MasterKey
    private let clock: @Sendable () -> Timestamp

    /// Opens a ledger and folds what its views lack.
    ///
    /// Without `folds` the views are left as they are: for who rebuilds them or asks how they are.
    /// `notice` is told, on any thread that folds, of a rebuild that nobody asked for.
    package init(
        at directory: String, folds: Bool = true,
        notice: @escaping @Sendable (RebuildNotice) -> Void = { _ in },
        clock: @escaping @Sendable () -> Timestamp = { systemNow() }
    ) throws {
        self.directory = directory
        self.clock = clock
        identity = try LedgerFile(directory: directory)
        master = try MasterKey(epoch: 1, bytes: try Self.masterBytes(directory))
        try KeyRing.refuseKeysWithoutLog(in: directory)
        log = try EventLog(directory: directory, ledger: identity.id, clock: clock)
        keys = try KeyRing(
            directory: directory + "/keys", ledger: identity.id, master: master,
            isNew: log.end == 0)
        sealer = Sealer(ledger: identity.id, keys: keys)
        views = try ViewStore(
            directory: directory, log: log, sealer: sealer,
            blind: master.derived("blind lookups", ledger: identity.id), notice: notice)
        if folds { try catchUp() }
    }

    /// Folds what the views lack, unless another process is at work, whose task that is.
    private func catchUp() throws {
        do {
            let lock = try engineLock()
            withExtendedLifetime(lock) {}
        } catch EngineLockError.heldElsewhere {
            guard try views.isSound() else { throw ViewError.mustBeRebuilt }
        }
    }

    package func close() throws {
        try views.close()
        try log.close()
        try keys.close()
    }

    /// Taken by everything that decides, projects or sends; the views are folded up to the log's end
    /// before it is handed out.
    package func engineLock() throws -> EngineLock {
        let lock = try EngineLock(path: directory + "/engine.lock")
        try views.project()
        return lock
    }

    /// Appends events that a person's command makes, and folds them.
    @discardableResult
    package func append(
        _ drafts: [Draft], conditions: [AppendCondition] = []
    ) throws -> Receipt {
        let receipt = try log.append(try sealer.seal(drafts), conditions: conditions)
        try views.project()
        return receipt
    }

    /// One run of the engine; blocks until it is over.
    ///
    /// `stop` may be told, from any thread, that nothing new is to be begun: what was sent is still
    /// heard, and the rest is left to the next run.
    package func run(
        _ request: RunRequest, client: HTTPClient, stop: StopSignal = StopSignal(),
        progress: (RunProgress) -> Void = { _ in }
    ) throws -> RunReport {
        try views.project()
        let core = EngineCore(
            views: views, mapping: try views.mapping(), credentials: try secrets(),
            seed: UInt64.random(in: 0...UInt64.max), end: log.end, now: clock())
        let shell = EngineShell(
            log: log, sealer: sealer, views: views, core: core, client: client, clock: clock)
        stop.reaches(shell)
        return try shell.run(request, progress: progress)
    }

    /// The mapping in force.
    package func mapping() throws -> Mapping { try views.mapping() }

    package func newRun() -> RunID {
        var random = SystemRandomNumberGenerator()
        return .version7(at: clock(), using: &random)
    }

    package func now() -> Timestamp { clock() }

    // MARK: - Secrets

    /// The credentials of every connection, out of their sealed file.
    package func secrets() throws -> [ConnectionID: Credentials] {
        let path = directory + "/secrets"
        guard access(path, F_OK) == 0 else { return [:] }
        let clear: [UInt8]
        do {
            clear = Array(
                try AES.GCM.open(
                    AES.GCM.SealedBox(combined: try readFile(path)), using: secretsKey,
                    authenticating: identity.id.bytes))
        } catch is CryptoKitError {
            throw WorkplaceError.unreadableSecrets
        }
        let stored = try WireDecoder.decode(StoredSecrets.self, from: clear)
        return Dictionary(
            stored.entries.map {
                ($0.connection, Credentials(clientID: $0.clientID, clientSecret: $0.clientSecret))
            }, uniquingKeysWith: { $1 })
    }

    /// Those that can be read: a file that cannot is written anew by connecting again.
    package func readableSecrets() throws -> [ConnectionID: Credentials] {
        do {
            return try secrets()
        } catch WorkplaceError.unreadableSecrets {
            return [:]
        }
    }

    /// Keeps the credentials of a connection; the file is replaced whole.
    package func keep(_ credentials: Credentials, for connection: ConnectionID) throws {
        var all = try readableSecrets()
        all[connection] = credentials
        var stored = StoredSecrets()
        stored.entries = all.sorted { $0.key < $1.key }.map { connection, credentials in
            var entry = StoredSecrets.Entry()
            entry.connection = connection
            entry.clientID = credentials.clientID
            entry.clientSecret = credentials.clientSecret
            return entry
        }
        let box = try AES.GCM.seal(
            WireEncoder.encode(stored), using: secretsKey, authenticating: identity.id.bytes)
        try writeBytes(
            Array(box.nonce) + Array(box.ciphertext) + Array(box.tag), to: directory + "/secrets")
    }

    /// What events may hold of credentials: enough to see that they changed.
    package func fingerprint(_ credentials: Credentials) -> String {
        var code = HMAC<SHA256>(key: master.derived("fingerprints", ledger: identity.id))
        code.update(data: Array((credentials.clientID + "\0" + credentials.clientSecret).utf8))
        return Array(code.finalize()).prefix(6).map(hexadecimal).joined()
    }

    private var secretsKey: SymmetricKey { master.derived("secrets", ledger: identity.id) }

    static func masterBytes(_ directory: String) throws -> [UInt8] {
        let path = directory + "/master-1.key"
        let text: String
        if let value = getenv("SYNCLEDGER_MASTER_KEY") {
            text = String(cString: value)
        } else {
            var status = stat()
            guard stat(path, &status) == 0 else { throw KeyError.missingMasterKey(path: path) }
            guard status.st_mode & 0o077 == 0 else { throw KeyError.exposedMasterKey(path: path) }
            text = String(decoding: try readFile(path), as: UTF8.self)
        }
        let digits = Array(text.utf8.filter { $0 > 32 })
        guard digits.count == 64 else { throw KeyError.badMasterKey }
        let bytes = stride(from: 0, to: 64, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
        guard bytes.count == 32 else { throw KeyError.badMasterKey }
        return bytes
    }
}

private struct StoredSecrets: WireMessage {
    struct Entry: WireMessage {
        var connection: ConnectionID = .none
        var clientID = ""
        var clientSecret = ""
        var unknownFields: [UInt8] = []
        mutating func visit(_ visitor: inout some WireVisitor) {
            visitor.id(1, &connection)
            visitor.string(2, &clientID)
            visitor.string(3, &clientSecret)
        }
    }

    var entries: [Entry] = []
    var unknownFields: [UInt8] = []
    mutating func visit(_ visitor: inout some WireVisitor) { visitor.messages(1, &entries) }
}

/// The wall clock.
package func systemNow() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
}
