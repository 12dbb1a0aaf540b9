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
        var fold = try Fold(views: FoldedRows(generation))
        var limit = chunk
        let pages = PagesAhead(log, sealer, end: end)
        defer { pages.finish() }
        while position.sequence < end {
            let before = position.sequence
            do {
                var leaves: [Hash] = []
                var isFull = false
                while !isFull {
                    let page = try pages.page(
                        after: before + UInt64(leaves.count),
                        limit: min(limit - leaves.count, Self.mostOfAPage))
                    // By their places: a loop over the events would copy each.
                    for piece in page.pieces {
                        for place in piece.indices { try fold.fold(piece[place]) }
                    }
                    leaves += page.leaves
                    let reached = before + UInt64(leaves.count)
                    isFull =
                        page.isCut || leaves.count >= limit || fold.views.isFull || reached >= end
                        || isStopped(reached)
                }
                try fold.foldStandings()
                let changes = try fold.views.takeChanges()
                limit = min(limit * 2, chunk)
                position = try commit(leaves, into: generation, at: before) {
                    try changes.write($0)
                }
            } catch  where Self.isTheEvents(error) {
                // What was folded and not written is not what stands there.
                fold = try Fold(views: FoldedRows(generation))
                if limit > 1, end - before > 1 {
                    limit = Int(clamping: min(UInt64(limit), end - before)) / 2
                    continue
                }
                position = try park(before + 1, because: Self.reason(error), in: generation)
            }
            try reach(position.sequence)
        }
        return position.sequence
    }

    /// Events that are opened while as many are folded.
    private static var mostOfAPage: Int { 4_000 }

    /// Whether fewer events, or all but one, would fold: not where the disk or the log is at fault.
    private static func isTheEvents(_ error: any Error) -> Bool {
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
        let stored = try log.read(from: sequence, limit: 1)
        let leaves = stored.map { Merkle.leaf($0.entry) }
        return try commit(leaves, into: generation, at: sequence - 1) { transaction in
            var row = ParkedRow()
            row.sequence = sequence
            row.reason = reason
            row.type = stored.first.flatMap { try? EntryView($0.entry.span).type } ?? 0
            try generation.tables.parked.put(row, bigEndianBytes(sequence), transaction)
        }
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
