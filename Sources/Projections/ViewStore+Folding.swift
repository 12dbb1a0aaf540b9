import LMDB
import Ledger

/// Folding: chunk by chunk, rows and position in one commit, the tree compared on the way.
extension ViewStore {
    /// Folds into a generation up to a sequence of the log.
    ///
    /// `reach` is told the position after each transaction; what it throws ends the fold.
    ///
    /// - Returns: the position afterwards.
    /// - Throws: `ViewError.otherHistory` when the log's roots are not those of what was folded.
    @discardableResult
    func fold(
        into generation: Generation, through end: UInt64,
        reach: (_ position: UInt64) throws -> Void = { _ in }
    ) throws -> UInt64 {
        var position = try generation.environment.read { try generation.tables.position($0) }
        var limit = chunk
        while position.sequence < end {
            do {
                let wanted = min(limit, Int(clamping: end - position.sequence))
                position = try foldChunk(of: wanted, into: generation, at: position.sequence)
                limit = min(limit * 2, chunk)
            } catch  where limit > 1 && Self.isTheEvents(error) {
                limit /= 2
            } catch  where Self.isTheEvents(error) {
                position = try park(
                    position.sequence + 1, because: Self.reason(error), in: generation)
            }
            try reach(position.sequence)
        }
        return position.sequence
    }

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

    /// What the events of a chunk may take in memory, if there is more than one.
    private static var chunkBytes: Int { 16 << 20 }

    private func foldChunk(
        of limit: Int, into generation: Generation, at before: UInt64
    ) throws -> PositionRow {
        let stored = try log.read(from: before + 1, limit: limit, bytes: Self.chunkBytes)
        let events = try stored.enumerated().map { index, event in
            try sealer.open(event, sequence: before + UInt64(index) + 1)
        }
        let fold = Fold(views: generation.tables, mapping: mapping)
        return try commit(stored, into: generation, at: before) { transaction in
            for event in events { try fold.fold(event, transaction) }
            try fold.foldStandings(transaction)
        }
    }

    /// Keeps an event that does not fold out of the way of the rest; it stays in the log.
    private func park(
        _ sequence: UInt64, because reason: String, in generation: Generation
    ) throws -> PositionRow {
        let stored = try log.read(from: sequence, limit: 1)
        return try commit(stored, into: generation, at: sequence - 1) { transaction in
            var row = ParkedRow()
            row.sequence = sequence
            row.reason = reason
            try generation.tables.parked.put(row, bigEndianBytes(sequence), transaction)
        }
    }

    /// Commits the rows of some events with the position behind them.
    private func commit(
        _ stored: [StoredEvent], into generation: Generation, at before: UInt64,
        _ body: (borrowing WriteTransaction) throws -> Void
    ) throws -> PositionRow {
        let last = before + UInt64(stored.count)
        let boundary = try log.root(atOrBefore: last)
        return try generation.environment.write { transaction in
            var (position, frontier) = try generation.state(transaction)
            // Two processes that fold at once would fold these events twice.
            guard position.sequence == before else { throw ViewError.foldedElsewhere }
            for (index, event) in stored.enumerated() {
                frontier.append(leaf: Merkle.leaf(event.entry))
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
