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
package final class ViewStore: Sendable {
    private let directory: String
    private let log: EventLog
    private let sealer: Sealer
    private let mapping: EntityMapping
    private let blind: SymmetricKey
    private let current: Mutex<Generation>

    /// Events folded in one transaction: at most about ten rows each, far below LMDB's spill size.
    private static var chunk: Int { 1_000 }

    /// Opens the serving generation, or begins a first one; what it lacks is folded by `project`.
    ///
    /// A generation that stands on another history, or that an older program folded, is left and a
    /// new one begun.
    package init(
        directory: String, log: EventLog, sealer: Sealer, mapping: EntityMapping,
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
        let found = try Generation(
            number: number, directory: self.directory, sealer: sealer, blind: blind)
        current = Mutex(found)
        if try !stands(found) {
            try found.environment.close()
            let next = try Generation(
                number: number + 1, directory: self.directory, sealer: sealer, blind: blind)
            try setServing(next)
            current.withLock { $0 = next }
            try removeGeneration(number)
        } else {
            try setServing(found)
        }
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
    /// - Returns: the position afterwards.
    @discardableResult
    package func project(progress: (Progress) -> Void = { _ in }) throws -> UInt64 {
        try fold(into: serving, progress: progress)
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
                rows: try ViewTables.names.map { name in
                    (name, try transaction.count(generation.environment.table(name)))
                })
        }
    }

    /// Folds the whole log into a fresh generation and swaps it in; the old one is removed.
    package func rebuild(progress: (Progress) -> Void = { _ in }) throws {
        let old = serving
        let fresh = try makeFresh(beside: old)
        _ = try fold(into: fresh, progress: progress)
        try setServing(fresh)
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
    package func verify(progress: (Progress) -> Void = { _ in }) throws -> Verification {
        try project()
        let fresh = try makeFresh(beside: serving)
        _ = try fold(into: fresh, progress: progress)
        let rebuilt = try fresh.digest()
        let position = try fresh.environment.read { try fresh.tables.position($0).sequence }
        try fresh.environment.close()
        try removeGeneration(fresh.number)
        return Verification(
            position: position, serving: try serving.digest(), rebuilt: rebuilt)
    }

    /// SHA-256 over the decrypted rows of every table in key order: equal content, equal digest.
    package func digest() throws -> Hash { try serving.digest() }

    // MARK: - Folding

    private func fold(
        into generation: Generation, progress: (Progress) -> Void
    ) throws -> UInt64 {
        let fold = Fold(views: generation.tables, mapping: mapping)
        var position = try generation.environment.read { try generation.tables.position($0) }
        let end = try log.refresh()
        while position.sequence < end {
            let stored = try log.read(from: position.sequence + 1, limit: Self.chunk)
            guard !stored.isEmpty else { break }
            let events = try stored.enumerated().map { index, event in
                try sealer.open(event, sequence: position.sequence + UInt64(index) + 1)
            }
            var frontier = generation.frontier(at: position)
            for event in stored { frontier.append(leaf: Merkle.leaf(event.entry)) }
            var next = PositionRow()
            next.sequence = position.sequence + UInt64(events.count)
            next.root = frontier.root
            next.version = ViewTables.version
            let before = position.sequence
            try generation.environment.write { transaction in
                // Two processes that fold at once would fold these events twice.
                guard try generation.tables.position(transaction).sequence == before else {
                    throw ViewError.foldedElsewhere
                }
                for event in events { try fold.fold(event, transaction) }
                try generation.tables.positions.put(next, ViewTables.positionKey, transaction)
                try transaction.put(
                    generation.environment.table("meta"), key: Generation.frontierKey,
                    value: WireEncoder.encode(frontier))
            }
            generation.keep(frontier)
            position = next
            progress(Progress(position: position.sequence, end: end))
        }
        return position.sequence
    }

    /// Whether a generation stands on this log's history and was folded by this code.
    private func stands(_ generation: Generation) throws -> Bool {
        let position = try generation.environment.read { try generation.tables.position($0) }
        if position.sequence == 0 { return true }
        guard position.version == ViewTables.version, position.sequence <= log.end else {
            return false
        }
        if let root = try log.root(at: position.sequence) { return root == position.root }
        // The position lies inside a commit: the commit before it must be a part of our history.
        return position.sequence < log.end
    }

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
    }

    private func removeGeneration(_ number: Int) throws {
        let path = "\(directory)/\(number)"
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

    package var description: String {
        switch self {
        case .file(let path, let code): "\(path): \(String(cString: strerror(code)))"
        case .foldedElsewhere:
            "another syncledger is working on this ledger: run the same command again when it is done"
        }
    }
}
