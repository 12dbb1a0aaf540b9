@testable import Ledger

/// Events made at random from a seed.
enum Samples {
    /// Every known kind of event, filled.
    static let makers: [UInt64: @Sendable (Int) -> Event] = Dictionary(
        uniqueKeysWithValues: [
            maker(Event.connectionConfigured), maker(Event.connectionRemoved),
            maker(Event.writesApproved), maker(Event.policyChanged),
            maker(Event.mappingChanged),
            maker(Event.clockSkewMeasured), maker(Event.observed), maker(Event.gone),
            maker(Event.converted),
            maker(Event.hintReceived), maker(Event.sweepOpened), maker(Event.sweepReached),
            maker(Event.sweepClosed), maker(Event.cursorMoved),
            maker(Event.linked), maker(Event.unlinked), maker(Event.ambiguityRaised),
            maker(Event.ambiguitySettled), maker(Event.decided), maker(Event.settled),
            maker(Event.overtaken), maker(Event.rulesAdopted), maker(Event.commandIssued),
            maker(Event.commandConfirmed),
            maker(Event.commandRefused), maker(Event.commandUncertain),
            maker(Event.commandSuperseded), maker(Event.commandParked),
            maker(Event.consentGiven), maker(Event.runStarted), maker(Event.runFinished),
        ])

    private static func maker<P: EventPayload>(
        _ make: @escaping @Sendable (P) -> Event
    ) -> (UInt64, @Sendable (Int) -> Event) {
        (P.type, { seed in make(Filler.fill(P.self, seed: seed)) })
    }

    static func event(seed: Int) -> Event {
        let types = makers.keys.sorted()
        return event(types[seed % types.count], seed: seed)
    }

    static func event(_ type: UInt64, seed: Int) -> Event {
        makers[type]?(seed) ?? .unrecognized(type: type, schema: 1, plain: [])
    }

    static func payload(_ type: UInt64, seed: Int) -> (plain: [UInt8], sealed: [SealedGroup]) {
        func encode(_ payload: some EventPayload) -> ([UInt8], [SealedGroup]) {
            WireEncoder.encodeWithParts(payload)
        }
        return encode(event(type, seed: seed).payload)
    }
}
