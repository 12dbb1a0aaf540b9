import Connectors
import Ledger
import Model
import Projections
import Transport

/// The live side of a connection: its token, its pace and what waits for them.
struct Session: Sendable {
    var row: ConnectionRow
    /// The system's own: its token, its feed.
    let connector: any Connector
    private let connectors: [String: any Connector]
    let credentials: Credentials
    private(set) var token: String?
    private var tokenEnds = Timestamp(microseconds: 0)
    private(set) var isFetchingToken = false
    /// Token calls in a row that brought none.
    private(set) var tokenTries = 0
    private var restsUntil = Timestamp(microseconds: 0)
    /// How far the system's clock is from ours, from the dates of its answers.
    var clock = RemoteClock()
    private var bucket: TokenBucket
    /// Calls that wait for a token, for pace or for a free place.
    private(set) var waiting: [CallID] = []
    private(set) var inFlight = 0
    /// Not to be sent to again in this run.
    var failure: String?

    /// Calls at once to one connection: enough to hide latency, few enough to be polite.
    private static var concurrency: Int { 4 }

    init(
        row: ConnectionRow, credentials: Credentials, mapping: Mapping = .shipped, now: Timestamp
    ) {
        self.row = row
        self.credentials = credentials
        connector = Connectors.connector(for: row.system)
        connectors = Dictionary(
            mapping.entities.flatMap { entity in
                entity.kinds(at: row.system).map {
                    ($0, Connectors.connector(for: row.system, of: entity, kind: $0))
                }
            }, uniquingKeysWith: { one, _ in one })
        bucket = TokenBucket(perMinute: Int(clamping: row.configured.callsPerMinute), now: now)
    }

    /// The system's clock minus ours, as this run heard it, or else as it was measured before.
    var skew: RemoteClock.Reading? { clock.reading ?? row.skew }

    /// The earliest moment of the system's clock that a moment of ours can have been; the same where
    /// its clock was never heard.
    func earliest(_ moment: Timestamp) -> Timestamp {
        guard let skew else { return moment }
        let behind = skew.skewMicroseconds - skew.uncertaintyMicroseconds
        return moment.adding(seconds: Double(behind) / 1_000_000)
    }

    /// For the objects of one kind.
    func connector(of kind: String) -> any Connector { connectors[kind] ?? connector }

    /// Whether it could be sent something and has nothing.
    var isIdle: Bool { failure == nil && waiting.isEmpty && inFlight == 0 }

    mutating func enqueue(_ call: CallID) { waiting.append(call) }

    mutating func enqueueFirst(_ call: CallID) { waiting.insert(call, at: 0) }

    enum Turn {
        case send(CallID)
        case fetchToken
        case wait(until: Timestamp)
        case nothing
    }

    /// What may happen next.
    mutating func turn(now: Timestamp) -> Turn {
        guard failure == nil, !waiting.isEmpty, inFlight < Self.concurrency else { return .nothing }
        if now < restsUntil { return .wait(until: restsUntil) }
        if connector.tokenCall(credentials) != nil, token == nil || tokenEnds <= now {
            if isFetchingToken { return .nothing }
            if let wait = bucket.take(now: now) { return .wait(until: wait) }
            isFetchingToken = true
            return .fetchToken
        }
        if let wait = bucket.take(now: now) { return .wait(until: wait) }
        inFlight += 1
        return .send(waiting.removeFirst())
    }

    mutating func ended() { inFlight -= 1 }

    /// A token is used until a minute before it ends.
    mutating func take(_ fetched: Token?, now: Timestamp) {
        isFetchingToken = false
        tokenTries = fetched == nil ? tokenTries + 1 : 0
        token = fetched?.text
        tokenEnds = now.adding(seconds: max(1, (fetched?.lifetimeSeconds ?? 0) - 60))
    }

    mutating func dropWaiting() { waiting = [] }

    /// Nothing is sent before this moment.
    mutating func rest(until moment: Timestamp) { restsUntil = max(restsUntil, moment) }

    /// Whether the system asked for a pause that is not over.
    func isResting(_ now: Timestamp) -> Bool { now < restsUntil }

    mutating func dropToken() { token = nil }

    func request(_ call: Call, isTokenCall: Bool = false) -> HTTPRequest {
        var headers = call.headers
        if !isTokenCall {
            for field in connector.authorization(credentials, token: token).fields {
                headers[field.name] = field.value
            }
        }
        var url = row.configured.url
        while url.hasSuffix("/") { url.removeLast() }
        return HTTPRequest(
            method: call.method, url: url + call.target, headers: headers, body: call.body,
            allowsClearText: row.configured.allowsClearText)
    }
}

/// So many calls a minute, with a burst of a tenth of that.
struct TokenBucket: Sendable {
    private let perMicrosecond: Double
    private let capacity: Double
    private var level: Double
    private var updated: Timestamp

    init(perMinute: Int, now: Timestamp) {
        perMicrosecond = Double(max(1, perMinute)) / 60_000_000
        capacity = max(1, Double(perMinute) / 10)
        level = capacity
        updated = now
    }

    /// Takes one, or says when there will be one.
    mutating func take(now: Timestamp) -> Timestamp? {
        let passed = max(0, now.microseconds - updated.microseconds)
        level = min(capacity, level + Double(passed) * perMicrosecond)
        // A clock that was set back goes on from there: nobody waits until it has caught up.
        updated = now
        guard level < 1 else {
            level -= 1
            return nil
        }
        return Timestamp(
            microseconds: now.microseconds + Int64(((1 - level) / perMicrosecond).rounded(.up)))
    }
}
