package import Crypto
package import LMDB
package import Ledger
package import Model
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// The views of a ledger: generations of rows folded from the log, one of which serves.
///
/// `views/<n>/` is one LMDB environment each; the small file `views/serving` names the one in use.
/// Rows and position commit together, with the log's root at that position, so a generation always
/// knows exactly which history it stands on. Any of it can be deleted at any time.
///
/// Any process may read. Only the holder of the engine lock may project, rebuild or begin another
/// generation: whatever a reader finds, it leaves in place.
package final class ViewStore: Sendable {
    private let directory: String
    let log: EventLog
    let sealer: Sealer
    let mapping: Mapping
    private let blind: SymmetricKey
    private let current: Mutex<Generation>

    /// Events folded in one transaction; halved where they are too much for one.
    static var chunk: Int { 1_000 }

    /// Opens the serving generation, or makes an empty first one.
    ///
    /// One whose file is damaged is begun anew under the engine lock.
    ///
    /// - Throws: `LogError.lost` when it knows entries of a log that has none.
    package init(
        directory: String, log: EventLog, sealer: Sealer, mapping: Mapping,
        blind: SymmetricKey
    ) throws {
        self.directory = directory + "/views"
        self.log = log
        self.sealer = sealer
        self.mapping = mapping
        self.blind = blind
        guard mkdir(self.directory, 0o700) == 0 || errno == EEXIST else {
            throw ViewError.file(self.directory, errno)
        }
        let number = Self.servingNumber(self.directory) ?? 1
        var opened: Generation?
        do {
            opened = try Generation(
                number: number, directory: self.directory, sealer: sealer, blind: blind)
        } catch let error as LMDBError where error.code.isDamage && log.end > 0 {
            try Self.removeDamaged(number, of: directory)
        }
        let generation =
            try opened
            ?? Generation(number: number, directory: self.directory, sealer: sealer, blind: blind)
        if log.end == 0, let known = try generation.knownEntries() {
            try generation.environment.close()
            throw LogError.lost(.views(entries: known))
        }
        current = Mutex(generation)
    }

    package func close() throws { try serving.environment.close() }

    var serving: Generation { current.withLock { $0 } }

    /// The number of the generation that serves.
    package var generation: Int { serving.number }

    /// Lends the tables and a snapshot of the serving generation.
    package func read<R>(
        _ body: (ViewTables, borrowing ReadTransaction) throws -> R
    ) throws -> R {
        let generation = serving
        return try generation.environment.read { try body(generation.tables, $0) }
    }

    /// Folds everything the log holds beyond the serving generation's position.
    ///
    /// A generation that stands on another history, that an older program folded, or whose rows the
    /// disk changed, makes way for a new one. Only for the holder of the engine lock; blocks for flushes.
    ///
    /// - Returns: the position afterwards.
    @discardableResult
    package func project(progress: (Progress) -> Void = { _ in }) throws -> UInt64 {
        let end = try log.refresh()
        do {
            guard try stands(serving) else { throw ViewError.otherHistory }
            return try fold(into: serving, through: end, progress: progress)
        } catch let error as ViewError where error.isMendedByFolding {
            try rebuild(progress: progress)
            return try serving.environment.read { try serving.tables.position($0).sequence }
        }
    }

    /// Whether the serving generation stands on this log's history and was folded by this code.
    package func isSound() throws -> Bool {
        _ = try log.refresh()
        return try stands(serving)
    }

    package struct Progress: Sendable {
        package var position: UInt64
        package var end: UInt64
    }

    package struct Status: Sendable {
        package var generation: Int
        package var position: UInt64
        package var end: UInt64
        package var root: Hash
        /// Events that could not be folded, and stand in the log for another try.
        package var parked: Int
        package var rows: [(table: String, count: Int)]
    }

    /// Where the serving generation stands, and how many rows each table has.
    package func status() throws -> Status {
        let generation = serving
        return try generation.environment.read { transaction in
            let position = try generation.tables.position(transaction)
            return Status(
                generation: generation.number, position: position.sequence, end: log.end,
                root: position.root,
                parked: try transaction.count(generation.environment.table("parked")),
                rows: try ViewTables.names.map { name in
                    (name, try transaction.count(generation.environment.table(name)))
                })
        }
    }

    /// Folds the whole log into a fresh generation and swaps it in; the old one is removed.
    ///
    /// Only for the holder of the engine lock. Readers go on in the old one until the swap.
    package func rebuild(progress: (Progress) -> Void = { _ in }) throws {
        let old = serving
        let fresh = try makeFresh(beside: old)
        do {
            _ = try fold(into: fresh, through: try log.refresh(), progress: progress)
            try setServing(fresh)
        } catch {
            try fresh.environment.close()
            throw error
        }
        current.withLock { $0 = fresh }
        try old.environment.close()
        try removeGeneration(old.number)
    }

    package struct Verification: Sendable {
        package var position: UInt64
        package var serving: Hash
        package var rebuilt: Hash
        package var isIdentical: Bool { serving == rebuilt }
    }

    /// Rebuilds beside the serving generation and compares the digests of their decrypted rows.
    ///
    /// Both at one position, whatever is appended meanwhile. Only for the holder of the engine lock.
    package func verify(progress: (Progress) -> Void = { _ in }) throws -> Verification {
        let end = try project()
        let fresh = try makeFresh(beside: serving)
        let position = try fold(into: fresh, through: end, progress: progress)
        let rebuilt = try fresh.digest()
        try fresh.environment.close()
        try removeGeneration(fresh.number)
        return Verification(
            position: position, serving: try serving.digest(), rebuilt: rebuilt)
    }

    /// SHA-256 over the decrypted rows of every table in key order: equal content, equal digest.
    package func digest() throws -> Hash { try serving.digest() }

    private func makeFresh(beside old: Generation) throws -> Generation {
        try removeGeneration(old.number + 1)
        return try Generation(
            number: old.number + 1, directory: directory, sealer: sealer, blind: blind)
    }

    // MARK: - Files

    private static func servingNumber(_ directory: String) -> Int? {
        guard let file = fopen(directory + "/serving", "r") else { return nil }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 32)
        guard fgets(&buffer, 32, file) != nil else { return nil }
        let digits = buffer.prefix { (48...57).contains($0) }.map { UInt8(bitPattern: $0) }
        return Int(String(decoding: digits, as: UTF8.self))
    }

    /// Names the serving generation: written beside, flushed, then renamed into place.
    private func setServing(_ generation: Generation) throws {
        let path = directory + "/serving"
        try writeFile("\(generation.number)\n", to: path + ".new")
        guard rename(path + ".new", path) == 0 else { throw ViewError.file(path, errno) }
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw ViewError.file(directory, errno) }
        defer { Glibc.close(folder) }
        guard fsync(folder) == 0 else { throw ViewError.file(directory, errno) }
    }

    /// Removes a generation that cannot be opened; the log has all that stood in it.
    ///
    /// - Throws: `ViewError.mustBeRebuilt` while another process holds the engine lock.
    private static func removeDamaged(_ number: Int, of ledger: String) throws {
        do {
            let lock = try EngineLock(path: ledger + "/engine.lock")
            try withExtendedLifetime(lock) { try remove("\(ledger)/views/\(number)") }
        } catch EngineLockError.heldElsewhere {
            throw ViewError.mustBeRebuilt
        }
    }

    private func removeGeneration(_ number: Int) throws {
        try Self.remove("\(directory)/\(number)")
    }

    private static func remove(_ path: String) throws {
        for name in ["data.mdb", "lock.mdb"] where unlink("\(path)/\(name)") != 0 {
            guard errno == ENOENT else { throw ViewError.file(path, errno) }
        }
        guard rmdir(path) == 0 || errno == ENOENT else { throw ViewError.file(path, errno) }
    }

    private func writeFile(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw ViewError.file(path, errno) }
        defer { Glibc.close(file) }
        let bytes = Array(text.utf8)
        guard write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0 else {
            throw ViewError.file(path, errno)
        }
    }
}

package enum ViewError: Error, Equatable, CustomStringConvertible {
    case file(String, Int32)
    case foldedElsewhere
    /// The rows were folded from a log that this one is not.
    case otherHistory
    /// The views are another program's, and the engine that could fold them anew is at work.
    case mustBeRebuilt
    /// The disk changed a row after it was written.
    case damagedRow(table: String)

    /// Whether folding the log anew is all that it takes.
    var isMendedByFolding: Bool {
        switch self {
        case .otherHistory, .damagedRow: true
        case .file, .foldedElsewhere, .mustBeRebuilt: false
        }
    }

    package var description: String {
        switch self {
        case .file(let path, let code): "\(path): \(String(cString: strerror(code)))"
        case .foldedElsewhere:
            "another syncledger is working on this ledger: run the same command again when it is done"
        case .otherHistory:
            "the log is not what the tree committed to: run `syncledger projector verify`, and restore the log from a backup if it says the same"
        case .damagedRow(let table):
            "a row of the view \(table) is not as it was written, so the disk may be failing: `syncledger projector rebuild` folds the views anew from the log"
        case .mustBeRebuilt:
            "the views must be folded anew, and another syncledger is working on this ledger: run the same command again when it is done"
        }
    }
}
