package import Crypto
package import LMDB
package import Ledger
package import Model
import Synchronization

/// The views of a ledger: generations of rows folded from the log, one of which serves.
///
/// `views/<n>/` is one LMDB environment each; the small file `views/serving` names the one in use.
/// Rows and position commit together, with the log's root at that position, so a generation always
/// knows exactly which history it stands on. Any of it can be deleted at any time.
///
/// Any process may read, and follows when another generation is named. Only the holder of the engine
/// lock may project or begin another generation: whatever a reader finds, it leaves in place.
package final class ViewStore: Sendable {
    let directory: ViewDirectory
    let log: EventLog
    let sealer: Sealer
    let blind: SymmetricKey
    let notice: @Sendable (RebuildNotice) -> Void
    /// The most events folded in one transaction; fewer where they are too much for one.
    ///
    /// Each row is judged, sealed and written once in each, so more of them cost less.
    let chunk: Int
    /// How many kilobytes of rows a pass over a long log is about; more make more passes.
    let share: Int
    /// The generation that this process is building.
    let building = Mutex<Generation?>(nil)
    private let state: Mutex<Serving>

    /// The generation in use, with the file that named it.
    private struct Serving {
        var generation: Generation
        var name: ServingName
        var isClosed = false
    }

    /// Opens the serving generation, or makes an empty first one.
    ///
    /// One whose file is damaged is begun anew under the engine lock. `notice` is told, on the thread
    /// that projects, of a rebuild that `project` does.
    ///
    /// - Throws: `LogError.lost` when it knows entries of a log that has none.
    package init(
        directory: String, log: EventLog, sealer: Sealer,
        blind: SymmetricKey, chunk: Int = 256_000, share: Int = 32_000,
        notice: @escaping @Sendable (RebuildNotice) -> Void = { _ in }
    ) throws {
        let directory = try ViewDirectory(ledger: directory)
        self.directory = directory
        self.log = log
        self.sealer = sealer
        self.blind = blind
        self.chunk = chunk
        self.share = share
        self.notice = notice
        func open(_ number: Int) throws -> Generation {
            try Generation(
                number: number, at: directory.path(of: number), sealer: sealer, blind: blind)
        }
        var name = try directory.servingName()
        var generation: Generation
        while true {
            do {
                generation = try open(name.number)
            } catch let error as LMDBError where error.code.isDamage && log.end > 0 {
                try Self.removeDamaged(name.number, of: directory)
                generation = try open(name.number)
            }
            // It may have been taken out of service, and away, while it was opened.
            guard name.isReplaced else { break }
            try generation.environment.close()
            name = try directory.servingName()
        }
        if log.end == 0, let known = try generation.knownEntries() {
            try generation.environment.close()
            throw LogError.lost(.views(entries: known))
        }
        state = Mutex(Serving(generation: generation, name: name))
    }

    package func close() throws {
        let generation = state.withLock { state in
            state.isClosed = true
            return state.generation
        }
        try generation.environment.close()
    }

    /// The number of the generation that serves, as far as this process has noticed.
    package var generation: Int { state.withLock { $0.generation.number } }

    /// Lends the tables and a snapshot of the serving generation.
    ///
    /// A read stays in the generation in which it began; one that begins after another generation was
    /// named, by whatever process, is of that one.
    ///
    /// - Throws: `ViewError.mustBeRebuilt` when another version of the program folded that one.
    package func read<R>(
        _ body: (ViewTables, borrowing ReadTransaction) throws -> R
    ) throws -> R {
        let generation = try serving { opened in
            let position = try opened.environment.read { try opened.tables.position($0) }
            guard position.sequence == 0 || position.version == ViewTables.version else {
                throw ViewError.mustBeRebuilt
            }
        }
        return try generation.environment.read { try body(generation.tables, $0) }
    }

    /// The mapping in force.
    ///
    /// - Throws: `ViewError.unfollowedMapping` where a newer version of the program wrote it so that
    ///   this one cannot follow.
    package func mapping() throws -> Mapping {
        let texts = try read { tables, transaction in
            try Mapping.shipped.entities.map {
                try tables.rules.row(Array($0.entity.utf8), transaction)?.mapping
            }
        }
        var entities: [EntityMapping] = []
        for (shipped, text) in zip(Mapping.shipped.entities, texts) {
            do {
                entities.append(try text.map { try EntityMapping($0, shipped: shipped) } ?? shipped)
            } catch {
                throw ViewError.unfollowedMapping(entity: shipped.entity, "\(error)")
            }
        }
        return Mapping(entities)
    }

    /// Where an event stands in the log; `nil` for none.
    package func sequence(of event: EventID) throws -> UInt64? { try log.sequence(of: event) }

    /// The generation that serves; opens it where another process named another.
    ///
    /// The one before closes with its last reader. `check` looks at one that was just opened, and is
    /// asked again if it refuses.
    func serving(check: (Generation) throws -> Void = { _ in }) throws -> Generation {
        try state.withLock { state in
            while !state.isClosed, state.name.isReplaced {
                let name = try directory.servingName()
                if name.number == state.generation.number {
                    state.name = name
                    continue
                }
                guard directory.holds(name.number) else {
                    if name.isReplaced { continue }
                    // Somebody deletes the views: what is open goes on.
                    break
                }
                let opened = try Generation(
                    number: name.number, at: directory.path(of: name.number), sealer: sealer,
                    blind: blind)
                if name.isReplaced { continue }
                try check(opened)
                state.generation = opened
                state.name = name
            }
            return state.generation
        }
    }

    /// Puts a prepared name in place; from then on every read that begins is of that generation.
    func serve(_ generation: Generation, as name: ServingName) throws {
        try state.withLock { state in
            try directory.serve()
            state.generation = generation
            state.name = name
        }
    }

    /// Folds everything the log holds beyond the serving generation's position.
    ///
    /// A generation that stands on another history, that another program folded, or whose rows the
    /// disk changed, makes way for a new one, as does an empty one before a long log, and `notice` is told
    /// why. A rebuild that was begun before goes on. Only for the holder of the engine lock; blocks for flushes.
    ///
    /// - Returns: the position afterwards.
    /// - Throws: `ViewError.beingRebuilt` when it takes a rebuild, which another process is at.
    @discardableResult
    package func project() throws -> UInt64 {
        let end = try log.refresh()
        let serving = try serving()
        do {
            if let reason = try fault(of: serving) { return try rebuild(because: reason) }
            if try isEmptyBeforeMuch(serving) {
                // Where another process is at that, they are folded in place, slower.
                do { return try rebuild(because: .empty) } catch ViewError.beingRebuilt {}
            }
            return try fold(into: serving, through: end)
        } catch let error as ViewError {
            guard let reason = error.rebuildReason else { throw error }
            return try rebuild(because: reason)
        }
    }

    private func rebuild(because reason: RebuildReason) throws -> UInt64 {
        notice(.began(reason))
        defer { notice(.ended) }
        return try rebuild(holdsEngineLock: true) { notice(.folded($0)) }.position
    }

    /// Whether the serving generation stands on this log's history and was folded by this code.
    package func isSound() throws -> Bool {
        _ = try log.refresh()
        let serving = try serving()
        return try fault(of: serving) == nil && !isEmptyBeforeMuch(serving)
    }

    /// Whether nothing was folded of a log that is better folded as a rebuild does it.
    private func isEmptyBeforeMuch(_ serving: Generation) throws -> Bool {
        try isLong(log.end) && serving.position() == 0
    }

    /// SHA-256 over the decrypted rows of every table in key order: equal content, equal digest.
    package func digest() throws -> Hash { try serving().digest() }

    /// Removes a generation that cannot be opened; the log has all that stood in it.
    ///
    /// - Throws: `ViewError.mustBeRebuilt` while another process holds the engine lock.
    private static func removeDamaged(_ number: Int, of directory: ViewDirectory) throws {
        do {
            let lock = try directory.engineLock()
            try withExtendedLifetime(lock) { try directory.remove(number) }
        } catch EngineLockError.heldElsewhere {
            throw ViewError.mustBeRebuilt
        }
    }
}
