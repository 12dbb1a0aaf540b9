import LMDB
import Ledger

/// Loading: a long log folded into an empty generation in passes, each for a part of its records.
extension ViewStore {
    /// Folds the log up to a sequence, if that takes passes, or goes on with passes that were begun.
    ///
    /// Where one pass would do nothing is done. `reach` is told how many events were folded after each
    /// transaction; what it throws ends the passes, which go on from there another time.
    ///
    /// - Throws: `ViewError.otherHistory` when the log's roots are not those of its events;
    ///   `CannotLoad` when the log cannot be folded in passes.
    func load(
        _ generation: Generation, through end: UInt64,
        isStopped: (_ folded: UInt64) -> Bool = { _ in false },
        reach: (_ folded: UInt64) throws -> Void = { _ in }
    ) throws {
        let position = try generation.environment.read { try generation.tables.position($0) }
        guard position.loading != nil || position.sequence == 0 && isLong(end) else { return }
        let passes: Passes
        do {
            passes = try Passes(
                log, through: position.loading == nil ? end : position.sequence,
                share: position.loading.map { Int($0.share) } ?? share,
                meanwhile: { try reach(position.loading?.folded ?? 0) })
        } catch  where Self.isTheEvents(error) {
            guard position.loading == nil else { throw CannotLoad() }
            return
        }
        if position.loading == nil {
            guard passes.count > 1 else { return }
            try begin(passes, in: generation)
        } else if position.root != passes.frontier.root {
            throw ViewError.otherHistory
        } else if position.loading?.division != passes.division {
            // Mended meanwhile, the log says otherwise what belongs together.
            throw CannotLoad()
        }
        do {
            let timelines = Timelines(self, generation, end: passes.end)
            var loading = try loading(in: generation)
            while loading.pass < passes.count {
                try fold(
                    Pass(passes: passes, number: Int(loading.pass)), timelines, in: generation,
                    from: loading, isStopped: isStopped, reach: reach)
                loading = try self.loading(in: generation)
            }
            try foldStandings(of: generation) { try reach(loading.folded) }
        } catch is StrayRow {
            throw CannotLoad()
        }
    }

    /// Whether a log up to there is worth a survey of what could be folded apart.
    func isLong(_ end: UInt64) -> Bool { end > UInt64(share) }

    private func loading(in generation: Generation) throws -> LoadingRow {
        let position = try generation.environment.read { try generation.tables.position($0) }
        guard let loading = position.loading else { throw ViewError.foldedElsewhere }
        return loading
    }

    /// Says of an empty generation where it will stand, and that it does not yet.
    private func begin(_ passes: Passes, in generation: Generation) throws {
        try generation.environment.write { transaction in
            var (position, _) = try generation.state(transaction)
            guard position.sequence == 0 else { throw ViewError.foldedElsewhere }
            position.sequence = passes.end
            position.root = passes.frontier.root
            position.version = ViewTables.version
            if let boundary = passes.boundary {
                position.boundary = boundary.sequence
                position.boundaryRoot = boundary.root
            }
            var loading = LoadingRow()
            loading.share = UInt64(share)
            loading.division = passes.division
            position.loading = loading
            try generation.setState(position, passes.frontier, transaction)
        }
    }

    /// Folds one pass from where it stands.
    private func fold(
        _ pass: Pass, _ timelines: Timelines, in generation: Generation, from start: LoadingRow,
        isStopped: (_ folded: UInt64) -> Bool, reach: (_ folded: UInt64) throws -> Void
    ) throws {
        let pages = PagesAhead(log, sealer, end: pass.passes.end, pass: pass)
        var folded = start.folded
        let before = pass.passes.folded(before: pass.number)
        /// Commits rows with how far the pass has come by them.
        func commit(
            _ from: UInt64, _ reached: UInt64,
            _ write: (borrowing WriteTransaction) throws -> Void
        ) throws {
            let all = before + pass.passes.folded(in: pass.number, through: reached)
            try generation.environment.write { transaction in
                var (position, frontier) = try generation.state(transaction)
                // Two processes that fold at once would fold these events twice.
                guard var loading = position.loading, loading.pass == UInt64(pass.number),
                    loading.reached == from
                else { throw ViewError.foldedElsewhere }
                try write(transaction)
                loading.reached = reached
                loading.folded = all
                if reached == pass.passes.end {
                    loading.pass += 1
                    loading.reached = 0
                }
                position.loading = loading
                try generation.setState(position, frontier, transaction)
            }
            folded = all
        }
        try foldChunks(
            of: pages, from: start.reached,
            begin: { reached in
                var fold = try Fold(
                    views: FoldedRows(generation, pass: pass, timelines: timelines))
                if !pass.isFirst { try foldShared(of: pass, through: reached, with: &fold) }
                return fold
            },
            commit: { fold, chunk in
                var changes = try fold.views.takeChanges()
                if chunk.before == 0, chunk.reached == pages.end {
                    try writeAhead(of: &changes, into: generation)
                }
                try commit(chunk.before, chunk.reached) { try changes.write($0) }
            },
            park: { sequence, from, reason in
                let row = try parkedRow(sequence, because: reason)
                try commit(from, sequence) {
                    try generation.tables.parked.put(row, bigEndianBytes(sequence), $0)
                }
            },
            isStopped: { isStopped(folded + UInt64($0.events)) },
            reach: { _ in try reach(folded) })
    }

    /// Writes what a whole pass made before the pass is said to be done, but for the rows of records and
    /// objects: each row of a large table is on a page of its own, and one transaction would hold all
    /// those pages in memory.
    ///
    /// A pass that is folded again makes these rows again before it reads them: a command is issued
    /// before it is settled, a question raised before it is answered.
    private func writeAhead(of changes: inout RowChanges, into generation: Generation) throws {
        let tables = generation.tables
        let ahead = [
            tables.commands.table, tables.conflicts.table, tables.questions.table, tables.lookups,
            tables.openCommands,
        ]
        for piece in changes.take(from: ahead, atOnce: 4_096) {
            try generation.environment.write { try piece.write($0) }
        }
    }

    /// Brings what every pass folds to where it stood, for it is written by the first one only.
    private func foldShared(
        of pass: Pass, through reached: UInt64, with fold: inout Fold
    ) throws {
        for sequence in pass.passes.shared.prefix(while: { $0 <= reached }) {
            do {
                let stored = try log.read(from: sequence, limit: 1).map {
                    (sequence: sequence, event: $0)
                }
                for event in try sealer.openForFold(stored[...]) { try fold.fold(event) }
            } catch  where Self.isTheEvents(error) {
                // It is parked, and changes nothing.
            }
        }
    }

    /// Says where every record stands, behind the last pass, and that the generation is whole.
    private func foldStandings(of generation: Generation, reach: () throws -> Void) throws {
        let records = generation.tables.records
        var keys: [[UInt8]] = []
        repeat {
            let last = keys.last
            keys = []
            try generation.environment.read { transaction in
                try records.slice(after: last, limit: Self.standingsAtOnce, transaction) { key, _ in
                    keys.append(key.copy())
                }
            }
            let rows = try inPieces(keys) { keys in
                let fold = try Fold(views: FoldedRows(generation))
                for key in keys { fold.touched.insert(RecordID(bytes: key)) }
                try fold.foldStandings()
                return try fold.views.standings.takeChanges().rows
            }
            let table = generation.tables.standings.table
            try generation.environment.write { transaction in
                for row in rows { try transaction.put(table, key: row.key, value: row.value) }
            }
            try reach()
        } while keys.count == Self.standingsAtOnce
        try generation.environment.write { transaction in
            var (position, frontier) = try generation.state(transaction)
            position.loading = nil
            try generation.setState(position, frontier, transaction)
        }
    }

    private static var standingsAtOnce: Int { 16_384 }
}

/// The log cannot be folded in passes: it is folded in one, from its first event.
struct CannotLoad: Error {}
