import Testing

@testable import Ledger

/// The events that the index keeps in memory until it writes them.
@Suite struct `The tail of the index` {
    private func events(_ numbers: ClosedRange<Int>) throws -> [IndexedEvent] {
        let stream = HandleKey(Ledger.Stream(.run, RunID(high: 1, low: 1)))
        return numbers.map { number in
            var entry = Entry()
            entry.id = EventID(high: 5, low: UInt64(number))
            return IndexedEvent(entry, stream, at: UInt64(number), version: UInt64(number))
        }
    }

    /// Whether an event is found by who opens the index anew, with nothing in memory.
    private func isWritten(_ number: Int, in scratch: Scratch) throws -> Bool {
        let index = try LogIndex(directory: scratch.path)
        defer { try? index.close() }
        return try index.sequence(of: EventID(high: 5, low: UInt64(number))) != nil
    }

    @Test
    func `is bounded: an append waits for the index once a quarter million events stand in it`()
        throws
    {
        let scratch = try Scratch()
        let most = LogIndex.largestTail
        let index = try LogIndex(directory: scratch.path)
        try index.take(events(1...(most - 1)))
        try index.makeRoom()
        try index.close()
        #expect(try !isWritten(1, in: scratch), "there is room")
        let full = try LogIndex(directory: scratch.path)
        try full.take(events(1...most))
        try full.makeRoom()
        // What was let go of in memory is found in the environment.
        #expect(try full.sequence(of: EventID(high: 5, low: 1)) == 1)
        try full.take(events((most + 1)...(most + 2)))
        #expect(try full.sequence(of: EventID(high: 5, low: UInt64(most + 2))) == UInt64(most + 2))
        try full.close()
        #expect(try isWritten(1, in: scratch) && isWritten(most, in: scratch))
        #expect(try !isWritten(most + 1, in: scratch))
    }
}
