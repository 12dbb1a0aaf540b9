/// Opening many events for who folds them.
extension Sealer {
    /// Opens many events; the keys are those of one moment.
    ///
    /// What their entries say of the parts is checked and then left out, as is what this code does not
    /// know of an entry: nobody folds it.
    ///
    /// - Throws: as for the first of them that cannot be opened.
    package func openForFold(
        _ stored: ArraySlice<PlacedEvent>
    ) throws -> [LoggedEvent] {
        var names: Set<KeyRing.Name> = []
        var views: [EntryView] = []
        views.reserveCapacity(stored.count)
        for (sequence, event) in stored {
            guard let view = try? EntryView(event.entry.span), view.sequence == sequence else {
                throw LogError.damaged(sequence: sequence)
            }
            views.append(view)
            var isFirst = true
            do {
                try view.eachPart(event.entry.span) { part in
                    if !isFirst { names.insert(part.keyName) }
                    isFirst = false
                }
            } catch {
                throw LogError.damaged(sequence: sequence)
            }
        }
        let found = names.isEmpty ? [:] : try keys.existing(names)
        var events: [LoggedEvent] = []
        events.reserveCapacity(stored.count)
        for (place, view) in zip(stored, views) {
            events.append(try open(place.event, view, found))
        }
        return events
    }

    private func open(
        _ stored: StoredEvent, _ view: EntryView, _ keys: [KeyRing.Name: PartKeys]
    ) throws -> LoggedEvent {
        let damaged = LogError.damaged(sequence: view.sequence)
        guard let entry = try? Entry(withoutParts: stored.entry.span) else { throw damaged }
        var plain: [UInt8] = []
        var parts: [OpenedParts.Part] = []
        var index = 0
        try view.eachPart(stored.entry.span) { head in
            defer { index += 1 }
            guard index == 0 else {
                parts.append(try open(index, head, of: stored, entry, keys))
                return
            }
            guard let body = stored.body(0) ?? (head.length == 0 ? [] : nil),
                Merkle.digest(body).elementsEqual(stored.entry[head.sha256])
            else { throw damaged }
            plain = body
        }
        guard index > 0 else { throw damaged }
        let event = try Event.read(
            type: entry.type, schema: entry.schema, plain: plain, parts: OpenedParts(parts))
        return LoggedEvent(entry: entry, event: event)
    }

    /// Opens one sealed part; its values are `nil` once the key or the body is gone.
    private func open(
        _ index: Int, _ head: PartView, of stored: StoredEvent, _ entry: Entry,
        _ keys: [KeyRing.Name: PartKeys]
    ) throws -> OpenedParts.Part {
        let name = head.keyName
        var part = OpenedParts.Part(subject: name.subject, category: name.category)
        guard let body = stored.body(index), let keys = keys[name] else { return part }
        let context = PartSeal.context(
            ledger: ledger, event: entry.id, part: index, subject: name.subject,
            category: name.category, schema: entry.schema)
        do {
            let clear = try PartSeal.open(body, context: context, keys: keys)
            part.values = try SealedBody.values(in: clear)
        } catch {
            // An intact body under a younger key: its own was erased, and the subject came back.
            guard !(error is WireError),
                Merkle.digest(body).elementsEqual(stored.entry[head.sha256])
            else { throw LogError.damaged(sequence: entry.sequence) }
        }
        return part
    }
}

extension PartView {
    /// What the key of a sealed part is found by.
    fileprivate var keyName: KeyRing.Name {
        .init(subject: subject ?? .none, category: Category(rawValue: category) ?? .unspecified)
    }
}

extension Entry {
    /// Reads all that is known of an entry but its parts.
    ///
    /// - Throws: `WireError` when its bytes make no sense.
    init(withoutParts bytes: Span<UInt8>) throws(WireError) {
        self.init()
        var walk = FieldWalk(0..<bytes.count)
        while try walk.next(bytes) {
            switch (walk.number, walk.type) {
            case (1, .varint): sequence = walk.varint
            case (2, .lengthDelimited): id = try walk.id(bytes)
            case (3, .varint): receivedAt = walk.time
            case (4, .varint): recordedAt = walk.time
            case (5, .lengthDelimited): stream = try Self.read(bytes, walk.payload)
            case (6, .varint): streamVersion = walk.varint
            case (7, .varint): type = walk.varint
            case (8, .varint): schema = walk.varint
            case (9, .lengthDelimited): actor = try Self.read(bytes, walk.payload)
            case (10, .lengthDelimited): run = try walk.id(bytes)
            case (11, .lengthDelimited): correlation = try walk.id(bytes)
            case (12, .lengthDelimited): causation = try walk.id(bytes)
            case (13, .lengthDelimited):
                validAt = try WireDecoder.decode(from: bytes.extracting(walk.payload).copied)
            case (14, .lengthDelimited): tags.append(try Self.read(bytes, walk.payload))
            default: break
            }
        }
    }
}

extension Entry {
    /// Reads a message of an entry.
    private static func read<M: HandledByKind>(
        _ bytes: Span<UInt8>, _ range: Range<Int>
    ) throws(WireError) -> M {
        var walk = FieldWalk(range)
        var message = M()
        while try walk.next(bytes) {
            switch (walk.number, walk.type) {
            case (1, .varint) where message.takeKind(walk.varint): break
            case (2, .lengthDelimited): message.takeID(try walk.id(bytes))
            // What a newer writer says of it is kept, which the slower reader does.
            default: return try WireDecoder.decode(from: bytes.extracting(range).copied)
            }
        }
        return message
    }
}

/// A message of a kind and an id, as most of an entry's are.
private protocol HandledByKind: WireMessage {
    /// Answers `false` where this code does not know the kind.
    mutating func takeKind(_ kind: UInt64) -> Bool
    mutating func takeID(_ id: Identifier<StreamKind>)
}

extension Stream: HandledByKind {
    fileprivate mutating func takeKind(_ number: UInt64) -> Bool {
        guard let known = Kind(rawValue: number) else { return false }
        kind = known
        return true
    }

    fileprivate mutating func takeID(_ id: Identifier<StreamKind>) { self.id = id }
}

extension Actor: HandledByKind {
    fileprivate mutating func takeKind(_ number: UInt64) -> Bool {
        guard let known = Kind(rawValue: number) else { return false }
        kind = known
        return true
    }

    fileprivate mutating func takeID(_ id: Identifier<StreamKind>) { self.id = id.cast() }
}

extension Tag: HandledByKind {
    fileprivate mutating func takeKind(_ number: UInt64) -> Bool {
        guard let known = Kind(rawValue: number) else { return false }
        kind = known
        return true
    }

    fileprivate mutating func takeID(_ id: Identifier<StreamKind>) { self.id = id }
}

extension FieldWalk {
    /// The id that the walk stands on.
    fileprivate func id<Kind>(_ bytes: Span<UInt8>) throws(WireError) -> Identifier<Kind> {
        guard payload.count == 16 else { throw problem("an id of other length") }
        return Identifier(bytes, at: payload.lowerBound)
    }

    /// The moment that the walk stands on.
    fileprivate var time: Timestamp { Timestamp(microseconds: unzigzag(varint)) }
}

extension Span<UInt8> {
    fileprivate var copied: [UInt8] { withUnsafeBufferPointer { Array($0) } }
}
