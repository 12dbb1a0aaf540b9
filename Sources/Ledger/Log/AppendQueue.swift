import LMDB
import Synchronization

/// A batch that waits for the writer, and whom to tell.
struct AppendRequest: Sendable {
    let drafts: [SealedDraft]
    let conditions: [AppendCondition]
    /// Rows that putting it may take.
    let rows: Int
    /// Bytes that putting it may take, at most.
    let bytes: Int
    let complete: @Sendable (Result<Receipt, any Error>) -> Void

    /// The largest batch: what one transaction of the log may hold, less the head.
    static var mostRows: Int { 49_000 }
    static var mostBytes: Int { 60 << 20 }

    /// - Throws: `LogError.batchTooLarge`.
    init(
        _ drafts: [SealedDraft], _ conditions: [AppendCondition],
        complete: @escaping @Sendable (Result<Receipt, any Error>) -> Void
    ) throws {
        self.drafts = drafts
        self.conditions = conditions
        self.complete = complete
        var rows = 0
        var bytes = 0
        for draft in drafts {
            rows += 1
            // An entry's own fields take at most 256 bytes, a part's head 112, a tag 24.
            bytes += 256 + 24 * draft.entry.tags.count + draft.entry.unknownFields.count
            for body in draft.bodies {
                if body.count > LogCommit.largestInlineBody { rows += 1 }
                bytes += 112 + 16 + body.count
            }
        }
        guard rows <= Self.mostRows, bytes <= Self.mostBytes else {
            throw LogError.batchTooLarge(events: drafts.count, bytes: bytes)
        }
        self.rows = rows
        self.bytes = bytes
    }
}

/// What waits for the writer thread, and whether it has been called.
struct AppendQueue {
    private var waiting: [AppendRequest] = []
    private var isDraining = false

    /// A commit takes whole requests up to these, so that one flush stays bounded.
    private static var mostRows: Int { 8_192 }
    private static var mostBytes: Int { 16 << 20 }

    var count: Int { waiting.count }

    /// Adds a request; `true` when the writer thread must be called.
    mutating func add(_ request: AppendRequest) -> Bool {
        waiting.append(request)
        if isDraining { return false }
        isDraining = true
        return true
    }

    /// The next commit's requests; `nil` ends the draining.
    mutating func takeAll() -> [AppendRequest]? {
        guard !waiting.isEmpty else {
            isDraining = false
            return nil
        }
        var rows = 0
        var bytes = 0
        var count = 0
        for request in waiting {
            rows += request.rows
            bytes += request.bytes
            if count > 0, rows > Self.mostRows || bytes > Self.mostBytes { break }
            count += 1
        }
        defer { waiting.removeFirst(count) }
        return Array(waiting.prefix(count))
    }
}
