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
        /// Empty in a pass, which leaves others out.
        var leaves: [Hash] = []
        var events = 0
        /// The sequence up to which all that are wanted were read.
        var through: UInt64 = 0
        /// Whether more events would have been more bytes than a page holds.
        var isCut = false
    }

    /// The sequence behind which nothing is read.
    let end: UInt64
    private let log: EventLog
    private let sealer: Sealer
    private let pass: Pass?
    private var ahead: (after: UInt64, page: Inbox<Result<Page, any Error>>)?

    /// All events up to `end`, or those of a pass.
    init(_ log: EventLog, _ sealer: Sealer, end: UInt64, pass: Pass? = nil) {
        self.log = log
        self.sealer = sealer
        self.end = end
        self.pass = pass
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
            page = try Self.read(log, sealer, pass, after: before, upTo: limit, end)
        }
        begin(after: page.through, limit: limit)
        return page
    }

    /// Waits until nothing is read ahead any more.
    func finish() {
        _ = ahead?.page.take()
        ahead = nil
    }

    var isPass: Bool { pass != nil }

    /// The first event behind a sequence.
    func first(after before: UInt64) -> UInt64 {
        guard let pass else { return before + 1 }
        return (before + 1...end).first { pass.folds($0) } ?? end
    }

    private func begin(after before: UInt64, limit: Int) {
        guard before < end else { return }
        let page = Inbox<Result<Page, any Error>>()
        ahead = (before, page)
        DispatchQueue.global().async { [log, sealer, pass, end] in
            page.put(
                Result { try Self.read(log, sealer, pass, after: before, upTo: limit, end) })
        }
    }

    /// What the events of a page may take, if there is more than one.
    private static var mostBytes: Int { 16 << 20 }

    private static func read(
        _ log: EventLog, _ sealer: Sealer, _ pass: Pass?, after before: UInt64, upTo limit: Int,
        _ end: UInt64
    ) throws -> Page {
        let (stored, through, isCut) = try log.read(
            before + 1...end, limit: limit, bytes: mostBytes, where: { pass?.folds($0) ?? true })
        let opened = try inPieces(stored) { piece in
            let leaves = pass == nil ? piece.map { Merkle.leaf($0.event.entry) } : []
            return [(events: try sealer.openForFold(piece), leaves: leaves)]
        }
        return Page(
            pieces: opened.map(\.events), leaves: opened.flatMap(\.leaves), events: stored.count,
            through: through, isCut: isCut)
    }
}
