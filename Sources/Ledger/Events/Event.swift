/// The vocabulary of the ledger: everything that can stand in the log.
///
/// Each case carries its payload; `Schemas/syncledger/ledger/v1/events.proto` is the same list for
/// other languages. An event type or schema that this code does not know survives as
/// `unrecognized`.
package enum Event: Sendable, Equatable {
    case connectionConfigured(ConnectionConfigured)
    case connectionRemoved(ConnectionRemoved)
    case writesApproved(WritesApproved)
    case policyChanged(PolicyChanged)
    case mappingChanged(MappingChanged)
    case clockSkewMeasured(ClockSkewMeasured)
    case observed(Observed)
    case gone(Gone)
    case converted(Converted)
    case hintReceived(HintReceived)
    case sweepOpened(SweepOpened)
    case sweepReached(SweepReached)
    case sweepClosed(SweepClosed)
    case cursorMoved(CursorMoved)
    case linked(Linked)
    case unlinked(Unlinked)
    case ambiguityRaised(AmbiguityRaised)
    case ambiguitySettled(AmbiguitySettled)
    case decided(Decided)
    case settled(Settled)
    case overtaken(Overtaken)
    case rulesAdopted(RulesAdopted)
    case commandIssued(CommandIssued)
    case commandConfirmed(CommandConfirmed)
    case commandRefused(CommandRefused)
    case commandUncertain(CommandUncertain)
    case commandSuperseded(CommandSuperseded)
    case commandParked(CommandParked)
    case consentGiven(ConsentGiven)
    case runStarted(RunStarted)
    case runFinished(RunFinished)
    case unrecognized(type: UInt64, schema: UInt64, plain: [UInt8])

    /// The number on the wire; families are a hundred apart.
    package var type: UInt64 {
        switch self {
        case .unrecognized(let type, _, _): type
        default: Swift.type(of: payload).type
        }
    }

    /// The payload's schema version.
    package var schema: UInt64 {
        if case .unrecognized(_, let schema, _) = self { schema } else { 1 }
    }

    /// The payload of a known event.
    package var payload: any EventPayload {
        switch self {
        case .connectionConfigured(let payload): payload
        case .connectionRemoved(let payload): payload
        case .writesApproved(let payload): payload
        case .policyChanged(let payload): payload
        case .mappingChanged(let payload): payload
        case .clockSkewMeasured(let payload): payload
        case .observed(let payload): payload
        case .gone(let payload): payload
        case .converted(let payload): payload
        case .hintReceived(let payload): payload
        case .sweepOpened(let payload): payload
        case .sweepReached(let payload): payload
        case .sweepClosed(let payload): payload
        case .cursorMoved(let payload): payload
        case .linked(let payload): payload
        case .unlinked(let payload): payload
        case .ambiguityRaised(let payload): payload
        case .ambiguitySettled(let payload): payload
        case .decided(let payload): payload
        case .settled(let payload): payload
        case .overtaken(let payload): payload
        case .rulesAdopted(let payload): payload
        case .commandIssued(let payload): payload
        case .commandConfirmed(let payload): payload
        case .commandRefused(let payload): payload
        case .commandUncertain(let payload): payload
        case .commandSuperseded(let payload): payload
        case .commandParked(let payload): payload
        case .consentGiven(let payload): payload
        case .runStarted(let payload): payload
        case .runFinished(let payload): payload
        case .unrecognized(let type, let schema, let plain):
            Unrecognized(type: type, schema: schema, plain: plain)
        }
    }

    /// Every known payload, for reading by type number.
    package static let readers: [UInt64: @Sendable ([UInt8], OpenedParts) throws -> Event] =
        Dictionary(
            uniqueKeysWithValues: [
                reader(Event.connectionConfigured), reader(Event.connectionRemoved),
                reader(Event.writesApproved), reader(Event.policyChanged),
                reader(Event.mappingChanged),
                reader(Event.clockSkewMeasured), reader(Event.observed), reader(Event.gone),
                reader(Event.converted),
                reader(Event.hintReceived), reader(Event.sweepOpened), reader(Event.sweepReached),
                reader(Event.sweepClosed), reader(Event.cursorMoved),
                reader(Event.linked), reader(Event.unlinked), reader(Event.ambiguityRaised),
                reader(Event.ambiguitySettled), reader(Event.decided), reader(Event.settled),
                reader(Event.overtaken), reader(Event.rulesAdopted),
                reader(Event.commandIssued), reader(Event.commandConfirmed),
                reader(Event.commandRefused), reader(Event.commandUncertain),
                reader(Event.commandSuperseded), reader(Event.commandParked),
                reader(Event.consentGiven), reader(Event.runStarted), reader(Event.runFinished),
            ])

    private static func reader<P: EventPayload>(
        _ make: @escaping @Sendable (P) -> Event
    ) -> (UInt64, @Sendable ([UInt8], OpenedParts) throws -> Event) {
        (
            P.type,
            { bytes, parts in
                make(try WireDecoder.decode(P.self, from: bytes, parts: parts))
            }
        )
    }

    /// Reads a payload; a type or a newer schema that this code does not know is kept whole.
    ///
    /// - Throws: `WireError` when the bytes of a known type make no sense.
    package static func read(
        type: UInt64, schema: UInt64, plain: [UInt8], parts: OpenedParts
    ) throws -> Event {
        guard schema <= 1, let read = readers[type] else {
            return .unrecognized(type: type, schema: schema, plain: plain)
        }
        return try read(plain, parts)
    }
}

/// The content of one kind of event.
package protocol EventPayload: WireMessage, Equatable {
    /// The number on the wire.
    static var type: UInt64 { get }
    /// The word for people and for `--json`.
    static var name: String { get }
    /// Its bytes, and what it keeps in sealed parts.
    func encodedWithParts() -> (plain: [UInt8], sealed: [SealedGroup])
}

extension EventPayload {
    // One for each kind, so that none is encoded without its kind being known.
    package func encodedWithParts() -> (plain: [UInt8], sealed: [SealedGroup]) {
        WireEncoder.encodeWithParts(self)
    }
}

/// An event of a type that this code does not know, kept byte for byte.
struct Unrecognized: EventPayload {
    static var type: UInt64 { 0 }
    static var name: String { "unrecognized" }
    var number: UInt64 = 0
    var schema: UInt64 = 0
    var unknownFields: [UInt8] = []

    init() {}
    init(type: UInt64, schema: UInt64, plain: [UInt8]) {
        number = type
        self.schema = schema
        unknownFields = plain
    }

    mutating func visit(_ visitor: inout some WireVisitor) {}
}

extension Event {
    /// The word for people, of a type on the wire.
    package static func name(ofType type: UInt64) -> String {
        let event = try? read(type: type, schema: 1, plain: [], parts: OpenedParts())
        return event?.name ?? "type \(type)"
    }

    /// The word for people.
    package var name: String {
        if case .unrecognized(let type, _, _) = self { return "type \(type)" }
        return Swift.type(of: payload).name
    }
}
