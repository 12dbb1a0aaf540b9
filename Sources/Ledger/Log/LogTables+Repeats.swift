import LMDB

/// What an event that stands in the log is to a draft of the same id.
enum Repeat {
    /// The same event.
    case same
    /// The same event as far as anybody can tell: a key under which a part was sealed is gone.
    case unverified
    /// Another event.
    case other
}

extension LogTables {
    /// Holds a draft against the event of its id at a sequence.
    ///
    /// Their parts are the same when their MACs are. MACs under two keys differ in any case, so
    /// where they do, the stored part is opened with the draft's key: if that succeeds, the contents
    /// differ.
    ///
    /// - Throws: `LogError.damaged` when no such event stands there, or not as it was committed to.
    func compare(
        _ draft: SealedDraft, at sequence: UInt64,
        _ transaction: borrowing some Reading & ~Copyable
    ) throws -> Repeat {
        let found = try event(at: sequence, transaction) { bytes, bodies in
            let entry = try EntryView(bytes)
            guard entry.sequence == sequence, entry.id == draft.entry.id else {
                throw LogError.damaged(sequence: sequence)
            }
            guard entry.stream == HandleKey(draft.entry.stream), entry.type == draft.entry.type,
                let unlike = try unlikeParts(draft.entry.parts, entry, bytes)
            else { return (repeat: Repeat.other, stored: StoredEvent(), unlike: [Int]()) }
            return unlike.isEmpty
                ? (.same, StoredEvent(), [])
                : (.unverified, try StoredEvent(entry: bytes, bodies: bodies), unlike)
        }
        guard var found else { throw LogError.damaged(sequence: sequence) }
        guard !found.unlike.isEmpty else { return found.repeat }
        try addLargeParts(to: &found.stored, sequence: sequence, transaction)
        let entry = try WireDecoder.decode(Entry.self, from: found.stored.entry)
        for part in found.unlike {
            // A part is only dropped when its key is gone too.
            guard let body = found.stored.body(part) else { continue }
            if draft.opens(body, part: part, schema: entry.schema) { return .other }
            guard Merkle.digest(body) == entry.parts[part].sha256 else {
                throw LogError.damaged(sequence: sequence)
            }
        }
        return .unverified
    }

    /// The parts whose MACs differ, though all else that is said of them is the same.
    ///
    /// `nil` where more than a MAC differs.
    private func unlikeParts(
        _ parts: [PartHead], _ entry: EntryView, _ bytes: Span<UInt8>
    ) throws -> [Int]? {
        guard entry.partCount == parts.count else { return nil }
        var unlike: [Int] = []
        for (index, part) in parts.enumerated() {
            guard let stored = try entry.part(index, bytes) else { return nil }
            let likeness = part.likeness
            if stored.likeness.count == likeness.count,
                zip(stored.likeness, likeness).allSatisfy({ bytes[$0] == $1 })
            {
                continue
            }
            // Sealing keeps the length, so another one is another content under any key.
            guard !part.mac.isEmpty, !stored.mac.isEmpty, part.subject == stored.subject,
                part.category.rawValue == stored.category, part.length == stored.length
            else { return nil }
            unlike.append(index)
        }
        return unlike
    }
}
