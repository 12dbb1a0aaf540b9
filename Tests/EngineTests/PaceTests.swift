import Ledger
import Projections
import Testing

@testable import Connectors
@testable import Engine

@Suite struct `The pace of calls` {
    private let start = Timestamp(seconds: 1_000_000)

    @Test(arguments: [1, 7, 60, 100, 300])
    func `never exceeds a burst and so many a minute, and reaches them`(perMinute: Int) throws {
        var bucket = TokenBucket(perMinute: perMinute, now: start)
        let end = start.adding(seconds: 600)
        var (now, taken) = (start, [Timestamp]())
        while now < end {
            if let wait = bucket.take(now: now) {
                #expect(wait > now)
                now = wait
            } else {
                taken.append(now)
            }
        }
        let burst = max(1, perMinute / 10)
        for (index, first) in taken.enumerated() {
            let within = taken[index...].prefix { $0 < first.adding(seconds: 60) }.count
            #expect(within <= perMinute + burst)
        }
        #expect(taken.count >= perMinute * 10)
    }

    @Test func `a clock that is set back gives no calls away`() {
        var bucket = TokenBucket(perMinute: 60, now: start)
        for _ in 0..<6 { #expect(bucket.take(now: start) == nil) }
        #expect(bucket.take(now: start.adding(seconds: -60)) != nil)
        #expect(bucket.take(now: start.adding(seconds: -58.9)) == nil, "and stalls nobody")
        #expect(bucket.take(now: start.adding(seconds: -58.9)) != nil)
    }

    @Test func `a limit beyond all bounds is no trap`() {
        var row = ConnectionRow()
        row.configured.system = .mautic
        row.configured.callsPerMinute = .max
        var session = Session(
            row: row, credentials: Credentials(clientID: "1", clientSecret: "s"), now: start)
        session.enqueue(1)
        session.take(Token(text: "t", lifetimeSeconds: 3_600), now: start)
        #expect(word(session.turn(now: start)) == "send 1")
    }

    private func session() -> Session {
        var row = ConnectionRow()
        row.configured.system = .mautic
        row.configured.url = "https://mautic.example"
        row.configured.callsPerMinute = 6_000
        return Session(
            row: row, credentials: Credentials(clientID: "1", clientSecret: "s"), now: start)
    }

    private func word(_ turn: Session.Turn) -> String {
        switch turn {
        case .send(let id): "send \(id)"
        case .fetchToken: "token"
        case .wait(let moment): "wait \((moment.microseconds - start.microseconds) / 1_000_000)"
        case .nothing: "nothing"
        }
    }

    @Test func `one token is fetched however many calls wait, and again before it ends`() {
        var session = session()
        for call in 1...9 { session.enqueue(call) }
        #expect(word(session.turn(now: start)) == "token")
        #expect(word(session.turn(now: start)) == "nothing", "everybody waits for the one")
        session.take(Token(text: "t", lifetimeSeconds: 3_600), now: start)
        let sent = (0..<6).map { _ in word(session.turn(now: start)) }
        #expect(sent == ["send 1", "send 2", "send 3", "send 4", "nothing", "nothing"])
        session.ended()
        #expect(word(session.turn(now: start)) == "send 5")
        session.ended()
        #expect(word(session.turn(now: start.adding(seconds: 3_539))) == "send 6")
        session.ended()
        #expect(word(session.turn(now: start.adding(seconds: 3_541))) == "token")
    }

    @Test func `nothing is sent while the system asked for rest`() {
        var session = session()
        session.enqueue(1)
        session.take(Token(text: "t", lifetimeSeconds: 3_600), now: start)
        session.rest(until: start.adding(seconds: 30))
        session.rest(until: start.adding(seconds: 10))
        #expect(word(session.turn(now: start.adding(seconds: 29))) == "wait 30")
        #expect(word(session.turn(now: start.adding(seconds: 30))) == "send 1")
    }
}
