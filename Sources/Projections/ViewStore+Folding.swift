import LMDB
import Ledger

/// Folding: chunk by chunk, rows and position in one commit, the tree compared on the way.
extension ViewStore {
    /// Folds into a generation up to a sequence of the log.
    ///
    /// `reach` is told the position after each transaction; what it throws ends the fold. In between,
    /// every few thousand events, `isStopped` is told how far they go: if so, what is folded is
    /// committed at once, so that `reach` has its turn.
    ///
    /// - Returns: the position afterwards.
    /// - Throws: `ViewError.otherHistory` when the log's roots are not those of what was folded.
    @discardableResult
    func fold(
        into generation: Generation, through end: UInt64,
        isStopped: (_ folded: UInt64) -> Bool = { _ in false },
        reach: (_ position: UInt64) throws -> Void = { _ in }
    ) throws -> UInt64 {
        var position = try generation.environment.read { try generation.tables.position($0) }
        try foldChunks(
            of: PagesAhead(log, sealer, end: end), from: position.sequence,
            begin: { _ in try Fold(views: FoldedRows(generation)) },
            commit: { fold, chunk in
                try fold.foldStandings()
                let changes = try fold.views.takeChanges()
                position = try commit(chunk.leaves, into: generation, at: chunk.before) {
                    try changes.write($0)
                }
            },
            park: { sequence, _, reason in
                position = try park(sequence, because: reason, in: generation)
            },
            isStopped: { isStopped($0.reached) }, reach: reach)
        return position.sequence
    }

    /// Events that were folded and are not committed yet.
    struct Chunk {
        /// The last event before them.
        let before: UInt64
        /// The last event that was folded or passed over.
        var reached: UInt64
        var events = 0
        var leaves: [Hash] = []
    }

    /// Folds what the pages have behind an event, chunk by chunk.
    ///
    /// An event that does not fold is parked, and so is what it would have changed; those about it are
    /// folded in smaller chunks. `begin` makes the fold that goes on where the rows stand at an event.
    func foldChunks(
        of pages: PagesAhead, from start: UInt64, begin: (_ reached: UInt64) throws -> Fold,
        commit: (Fold, Chunk) throws -> Void,
        park: (_ sequence: UInt64, _ before: UInt64, _ reason: String) throws -> Void,
        isStopped: (Chunk) -> Bool, reach: (_ reached: UInt64) throws -> Void
    ) throws {
        defer { pages.finish() }
        var reached = start
        guard reached < pages.end else { return }
        var fold = try begin(reached)
        var limit = chunk
        while reached < pages.end {
            var chunk = Chunk(before: reached, reached: reached)
            do {
                var isFull = false
                while !isFull {
                    let page = try pages.page(
                        after: chunk.reached, limit: min(limit - chunk.events, Self.mostOfAPage))
                    // By their places: a loop over the events would copy each.
                    for piece in page.pieces {
                        for place in piece.indices { try fold.fold(piece[place]) }
                    }
                    chunk.leaves += page.leaves
                    chunk.events += page.events
                    chunk.reached = page.through
                    isFull =
                        page.isCut || chunk.events >= limit || fold.views.isFull
                        || chunk.reached >= pages.end || isStopped(chunk)
                }
                try commit(fold, chunk)
                limit = min(limit * 2, self.chunk)
                reached = chunk.reached
            } catch  where Self.isTheEvents(error) {
                // What was folded and not written is not what stands there.
                fold = try begin(reached)
                let rest = pages.end - reached
                if limit > 1, rest > 1 {
                    limit = Int(clamping: min(UInt64(limit), rest)) / 2
                    continue
                }
                let event = pages.first(after: reached)
                // In a pass the fault may be that of an event that is passed over.
                if pages.isPass, case .damaged(let sequence)? = error as? LogError,
                    sequence != event
                {
                    throw CannotLoad()
                }
                try park(event, reached, Self.reason(error))
                reached = event
            }
            try reach(reached)
        }
    }

    /// Events that are opened while as many are folded.
    private static var mostOfAPage: Int { 4_000 }

    /// Whether fewer events, or all but one, would fold: not where the disk or the log is at fault.
    static func isTheEvents(_ error: any Error) -> Bool {
        switch error {
        case let error as LMDBError:
            return [.transactionTooLarge, .txnFull, .badValueSize].contains(error.code)
        case let error as LogError:
            if case .damaged = error { return true }
            return false
        default: return error is WireError
        }
    }

    /// The same in every generation, whose paths differ.
    private static func reason(_ error: any Error) -> String {
        guard let error = error as? LMDBError else { return "\(error)" }
        return "its rows cannot be stored (LMDB's error \(error.code.rawValue))"
    }

    /// Keeps an event that does not fold out of the way of the rest; it stays in the log.
    private func park(
        _ sequence: UInt64, because reason: String, in generation: Generation
    ) throws -> PositionRow {
        let row = try parkedRow(sequence, because: reason)
        let leaves = try log.read(from: sequence, limit: 1).map { Merkle.leaf($0.entry) }
        return try commit(leaves, into: generation, at: sequence - 1) { transaction in
            try generation.tables.parked.put(row, bigEndianBytes(sequence), transaction)
        }
    }

    func parkedRow(_ sequence: UInt64, because reason: String) throws -> ParkedRow {
        var row = ParkedRow()
        row.sequence = sequence
        row.reason = reason
        row.type =
            try log.read(from: sequence, limit: 1).first.flatMap {
                try? EntryView($0.entry.span).type
            } ?? 0
        return row
    }

    /// Commits the rows of some events with the position behind them.
    private func commit(
        _ leaves: [Hash], into generation: Generation, at before: UInt64,
        _ body: (borrowing WriteTransaction) throws -> Void
    ) throws -> PositionRow {
        let last = before + UInt64(leaves.count)
        let boundary = try log.root(atOrBefore: last)
        return try generation.environment.write { transaction in
            var (position, frontier) = try generation.state(transaction)
            // Two processes that fold at once would fold these events twice.
            guard position.sequence == before else { throw ViewError.foldedElsewhere }
            for (index, leaf) in leaves.enumerated() {
                frontier.append(leaf: leaf)
                guard let boundary, boundary.sequence == before + UInt64(index) + 1 else {
                    continue
                }
                guard frontier.root == boundary.root else { throw ViewError.otherHistory }
                position.boundary = boundary.sequence
                position.boundaryRoot = boundary.root
            }
            try body(transaction)
            position.sequence = last
            position.root = frontier.root
            position.version = ViewTables.version
            try generation.setState(position, frontier, transaction)
            return position
        }
    }

    /// Why a generation must be folded anew; `nil` where it stands on the log's history as far as this
    /// process knows it, and this code folded it.
    func fault(of generation: Generation) throws -> RebuildReason? {
        let position: PositionRow
        do {
            position = try generation.environment.read { try generation.tables.position($0) }
        } catch ViewError.damagedRow(let table) {
            return .damagedRow(table: table)
        }
        if position.sequence == 0 { return nil }
        guard position.version == ViewTables.version else {
            return .otherVersion(position.version)
        }
        guard position.sequence <= log.end else {
            return .ahead(position: position.sequence, end: log.end)
        }
        // Inside the log's first commit there is no root to compare; the fold goes on and finds one.
        guard position.boundary > 0 else { return nil }
        return try log.root(at: position.boundary) == position.boundaryRoot ? nil : .otherHistory
    }
}
