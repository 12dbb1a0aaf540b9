/// The three systems together, with what goes wrong on the way to them: pure, like they are.
package struct SandboxWorld: Sendable {
    package typealias System = SandboxPopulation.System

    package var mautic: MauticSandbox
    package var suiteCRM: SuiteCRMSandbox
    package var compass: CompassSandbox
    /// What is to go wrong, in order; a fault is used up by the calls it hits.
    package var faults: [SandboxFault] = []
    /// How many calls came, by system, method and shape of path; dropped ones count too.
    package private(set) var calls: [SandboxCall: Int] = [:]

    package init(mautic: MauticSandbox, suiteCRM: SuiteCRMSandbox, compass: CompassSandbox) {
        self.mautic = mautic
        self.suiteCRM = suiteCRM
        self.compass = compass
    }

    /// Three empty systems that derive all their randomness from one seed.
    package init(seed: UInt64) {
        self.init(
            mautic: MauticSandbox(seed: seed), suiteCRM: SuiteCRMSandbox(seed: seed),
            compass: CompassSandbox(seed: seed))
    }

    /// Three systems with a population in them.
    package init(seed: UInt64, population: SandboxPopulation, at time: SandboxTime) {
        self.init(seed: seed)
        let companies = population.settleAccounts(in: &mautic, as: .mautic, from: time)
        let accounts = population.settleAccounts(in: &suiteCRM, as: .suitecrm, from: time)
        let clients = population.settleAccounts(in: &compass, as: .compass, from: time)
        population.settle(in: &mautic, as: .mautic, from: time, accounts: companies)
        population.settle(in: &suiteCRM, as: .suitecrm, from: time, accounts: accounts)
        population.settle(in: &compass, as: .compass, from: time, accounts: clients)
        population.settleDeals(in: &suiteCRM, as: .suitecrm, from: time, accounts: accounts)
        population.settleDeals(in: &compass, as: .compass, from: time, accounts: clients)
    }

    /// What a caller comes to hear; nil where the connection ends without an answer.
    package mutating func respond(
        _ system: System, to request: SandboxRequest, now: SandboxTime
    ) -> SandboxResponse? {
        let call = SandboxCall(system: system, request)
        calls[call, default: 0] += 1
        guard let index = faults.firstIndex(where: { $0.hits(call) }) else {
            return answer(system, request, now)
        }
        let kind = faults[index].kind
        faults[index].remaining -= 1
        if faults[index].remaining <= 0 { faults.remove(at: index) }
        switch kind {
        case .dropBeforeEffect: return nil
        case .dropAfterEffect:
            _ = answer(system, request, now)
            return nil
        case .answer(let response): return response
        case .answerAfterEffect(let response):
            _ = answer(system, request, now)
            return response
        }
    }

    private mutating func answer(
        _ system: System, _ request: SandboxRequest, _ now: SandboxTime
    ) -> SandboxResponse {
        switch system {
        case .mautic: mautic.respond(to: request, now: now)
        case .suitecrm: suiteCRM.respond(to: request, now: now)
        case .compass: compass.respond(to: request, now: now)
        }
    }

    /// How many calls came to one system, or to all.
    package func callCount(_ system: System? = nil) -> Int {
        calls.filter { system == nil || $0.key.system == system }.values.reduce(0, +)
    }
}

/// A call without its ids: `mautic PATCH /api/contacts/{id}/edit`.
package struct SandboxCall: Sendable, Hashable, CustomStringConvertible {
    package var system: SandboxPopulation.System
    package var method: String
    package var shape: String

    package init(system: SandboxPopulation.System, _ request: SandboxRequest) {
        self.system = system
        method = request.method
        shape = request.path.split(separator: "/", omittingEmptySubsequences: false).map { part in
            let isNumber = !part.isEmpty && part.allSatisfy { $0.isASCII && $0.isNumber }
            return isNumber || SuiteCRMSandbox.isUUID(String(part)) ? "{id}" : String(part)
        }.joined(separator: "/")
    }

    package var description: String { "\(system.rawValue) \(method) \(shape)" }
}

/// Something that goes wrong for the next calls it fits.
package struct SandboxFault: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// The connection ends; the system never saw the call.
        case dropBeforeEffect
        /// The connection ends; the system did what was asked.
        case dropAfterEffect
        /// Another answer, and the system never saw the call.
        case answer(SandboxResponse)
        /// Another answer, though the system did what was asked.
        case answerAfterEffect(SandboxResponse)
    }

    package var kind: Kind
    /// Nil for any.
    package var system: SandboxPopulation.System?
    package var method: String?
    /// What the path's shape begins with.
    package var shape: String
    /// How many more calls it hits.
    package var remaining: Int

    package init(
        _ kind: Kind,
        system: SandboxPopulation.System? = nil,
        method: String? = nil,
        shape: String = "",
        times: Int = 1
    ) {
        self.kind = kind
        self.system = system
        self.method = method
        self.shape = shape
        remaining = times
    }

    func hits(_ call: SandboxCall) -> Bool {
        remaining > 0 && (system == nil || system == call.system)
            && (method == nil || method == call.method) && call.shape.hasPrefix(shape)
    }
}

extension SandboxFault.Kind {
    /// An answer of a proxy or a tired server, without the system having seen the call.
    package static func status(_ status: Int, retryAfter seconds: Int? = nil) -> Self {
        var headers = [SandboxHeader("Content-Type", "text/html; charset=UTF-8")]
        if let seconds { headers.append(SandboxHeader("Retry-After", String(seconds))) }
        return .answer(
            SandboxResponse(
                status: status, headers: headers, body: Array("<h1>\(status)</h1>\n".utf8)))
    }

    /// Mautic's own 429, which names no time to come back (D8).
    package static let mauticLimit = Self.answer(
        SandboxResponse(
            status: 429,
            headers: [SandboxHeader("Content-Type", "application/json")],
            body: Array(
                """
                { "errors": [ { "code": 429, "message": "You exceeded the rate limit of 100 API \
                calls per hour.", "details": [] } ]}
                """.utf8)))

    /// Mautic's report of a database deadlock: a 400 that did nothing and may be sent again (A11).
    package static let mauticDeadlock = Self.answer(
        .mautic(
            status: 400,
            [
                "errors": [
                    [
                        "code": 400,
                        "message": .string(
                            "An exception occurred while executing a query: SQLSTATE[40001]: "
                                + "Serialization failure: 1213 Deadlock found when trying to get "
                                + "lock; try restarting transaction"),
                        "details": [],
                    ]
                ]
            ]))
}
