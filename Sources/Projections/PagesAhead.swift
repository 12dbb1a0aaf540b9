import Dispatch
import Ledger

/// Reads and opens the events of the next chunk while those of the last one are folded.
///
/// For one thread; at most two pages are in memory.
final class PagesAhead {
    /// Some events, and the hashes of their entries.
    struct Page: Sendable {
        /// In the pieces in which they were opened: events are large, and not copied for nothing.
        var pieces: [[LoggedEvent]] = []
        var leaves: [Hash] = []
        /// Whether more events would have been more bytes than a page holds.
        var isCut = false
    }

    private let log: EventLog
    private let sealer: Sealer
    private let end: UInt64
    private var ahead: (after: UInt64, page: Inbox<Result<Page, any Error>>)?

    init(_ log: EventLog, _ sealer: Sealer, end: UInt64) {
        self.log = log
        self.sealer = sealer
        self.end = end
    }

    /// The events behind a sequence, about as many as the limit says, and not beyond the end.
    ///
    /// What was read ahead counts, if it begins there; then the next page is begun.
    func page(after before: UInt64, limit: Int) throws -> Page {
        let page: Page
        if let ahead, ahead.after == before {
            self.ahead = nil
            page = try ahead.page.take().get()
        } else {
            finish()
            page = try Self.read(log, sealer, after: before, upTo: limit, end)
        }
        begin(after: before + UInt64(page.leaves.count), limit: limit)
        return page
    }

    /// Waits until nothing is read ahead any more.
    func finish() {
        _ = ahead?.page.take()
        ahead = nil
    }

    private func begin(after before: UInt64, limit: Int) {
        guard before < end else { return }
        let page = Inbox<Result<Page, any Error>>()
        ahead = (before, page)
        DispatchQueue.global().async { [log, sealer, end] in
            page.put(Result { try Self.read(log, sealer, after: before, upTo: limit, end) })
        }
    }

    /// What the events of a page may take, if there is more than one.
    private static var mostBytes: Int { 16 << 20 }

    private static func read(
        _ log: EventLog, _ sealer: Sealer, after before: UInt64, upTo limit: Int, _ end: UInt64
    ) throws -> Page {
        let wanted = min(limit, Int(clamping: end - before))
        let stored = try log.read(from: before + 1, limit: wanted, bytes: mostBytes)
        let opened = try inPieces(stored) { piece in
            let events = try sealer.openForFold(
                piece, from: before + 1 + UInt64(piece.startIndex))
            return [(events: events, leaves: piece.map { Merkle.leaf($0.entry) })]
        }
        return Page(
            pieces: opened.map(\.events), leaves: opened.flatMap(\.leaves),
            isCut: stored.count < wanted)
    }
}
