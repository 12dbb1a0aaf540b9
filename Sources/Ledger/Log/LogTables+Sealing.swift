import LMDB

/// Sealing runs of single events into bundles.
extension LogTables {
    /// The newest events that always stand one a row.
    static var newestRun: Int { 256 }
    /// Bundles of one transaction: 4,096 events and 16 MiB, well within what one may hold.
    static var bundlesPerSealing: Int { 16 }

    /// The last sequence that stands in a bundle; 0 where there is none.
    func sealed(_ transaction: borrowing some Reading & ~Copyable) throws -> UInt64 {
        guard let bytes = try transaction.bytes(meta, key: Self.sealedKey) else { return 0 }
        guard let sequence = BigEndianKey(bytes.span)?.value else {
            throw LogError.damaged(sequence: 0)
        }
        return sequence
    }

    /// Whether, of so many events, a full run stands single before the newest one.
    static func hasRun(sealed: UInt64, of size: UInt64) -> Bool {
        sealed <= size && size - sealed >= UInt64(Bundle.mostEvents + newestRun)
    }

    /// Seals the oldest full runs, as many as one transaction takes.
    ///
    /// Bytes are moved as they stand. With the first bundle the log takes on the format that knows of
    /// them.
    ///
    /// - Returns: the last sequence that stands in a bundle afterwards.
    /// - Throws: `LogError.gap`, `LogError.damaged`; what cannot be read stays as it is.
    func seal(_ transaction: borrowing WriteTransaction) throws -> UInt64 {
        let size = try head(transaction).size
        var last = try sealed(transaction)
        var bundles = 0
        while bundles < Self.bundlesPerSealing, Self.hasRun(sealed: last, of: size) {
            last = try sealRun(from: last + 1, transaction)
            bundles += 1
        }
        guard bundles > 0 else { return last }
        try transaction.put(meta, key: Self.sealedKey, value: bigEndianBytes(last))
        try transaction.put(meta, key: Self.formatKey, value: bigEndianBytes(Self.format))
        return last
    }

    /// Puts a bundle in the place of the events that it holds.
    private func sealRun(
        from first: UInt64, _ transaction: borrowing WriteTransaction
    ) throws -> UInt64 {
        var draft = Bundle.Draft()
        try scan(from: first, transaction) { _, entry, bodies in
            draft.add(entry: entry, bodies: bodies) && draft.count < Bundle.mostEvents
                ? .next : .stop
        }
        let last = first + UInt64(draft.count) - 1
        for sequence in first..<last {
            // Under its own key: none of them stood in a bundle.
            guard try transaction.delete(events, key: BigEndianKey(sequence)) else {
                throw LogError.damaged(sequence: sequence)
            }
        }
        try transaction.put(events, key: BigEndianKey(last), value: draft.value)
        return last
    }
}
