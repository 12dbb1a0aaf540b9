import Connectors
package import Engine
package import Ledger
import Model
import Projections
import Reconciler
package import Sandbox
package import Transport

#if canImport(Glibc)
    import Glibc
#endif

/// Three sandboxes, a real ledger on disk and the engine's core, with one virtual clock.
///
/// No socket, no thread of its own, no sleep: the world hands requests to the machines and their
/// answers back, in an order its seed decides, and can stop between any two steps as a crash would.
package final class World {
    package var mautic: MauticSandbox
    package var suitecrm: SuiteCRMSandbox
    package var compass: CompassSandbox
    package private(set) var now = Timestamp(seconds: 1_795_000_000)
    package private(set) var workplace: Workplace
    package let directory: String
    private var random: IdentitySource
    /// Called before each request reaches its machine: whether and when the answer is lost.
    package var fault: (HTTPRequest) -> Fault = { _ in .none }
    /// Answers in a machine's place where it gives one.
    package var instead: (HTTPRequest) -> HTTPResponse? = { _ in nil }
    package private(set) var requests = 0
    /// At most so many records are written at once.
    package var portion = 256
    /// How often a run with more to do asks for what changed.
    package var looksEverySeconds: Double = 60
    /// Leave for another run what nothing moved.
    package var takesOnlyChanges = false

    package enum Fault: Sendable {
        case none
        case lostBefore
        case lostAfter
    }

    private let clock: VirtualClock

    package init(directory: String, seed: UInt64) throws {
        self.directory = directory
        mautic = MauticSandbox(seed: seed)
        suitecrm = SuiteCRMSandbox(seed: seed)
        compass = CompassSandbox(seed: seed)
        random = IdentitySource(seed: seed, now: Timestamp(seconds: 0))
        let clock = VirtualClock(now)
        self.clock = clock
        try Workplace.create(at: directory, name: "world")
        workplace = try Workplace(at: directory, clock: { clock.now })
        try connect()
    }

    package func close() throws { try workplace.close() }

    /// Moves the virtual clock.
    package func pass(seconds: Double) {
        now = now.adding(seconds: seconds)
        clock.now = now
    }

    package var time: SandboxTime { SandboxTime(microseconds: now.microseconds) }

    /// As after a crash: everything in memory is gone, everything on disk stays.
    package func restart() throws {
        try workplace.close()
        let clock = clock
        workplace = try Workplace(at: directory, clock: { clock.now })
    }

    private func connect() throws {
        for (system, credentials) in [
            (System.compass, Credentials(clientSecret: compass.settings.serviceKey)),
            (
                .mautic,
                Credentials(
                    clientID: mautic.settings.clients[0].id,
                    clientSecret: mautic.settings.clients[0].secret)
            ),
            (
                .suitecrm,
                Credentials(
                    clientID: suitecrm.settings.clientID,
                    clientSecret: suitecrm.settings.clientSecret)
            ),
        ] {
            var configured = ConnectionConfigured()
            configured.connection = random.id()
            configured.system = system
            configured.label = system.name
            configured.url = "http://127.0.0.1/\(system.name)"
            configured.callsPerMinute = 1_000_000
            try workplace.keep(credentials, for: configured.connection)
            try workplace.append([
                Draft(
                    id: random.id(), stream: .connection(configured.connection),
                    event: .connectionConfigured(configured))
            ])
        }
    }

    /// Changes how a system is connected.
    package func configure(
        _ system: System, _ change: (inout ConnectionConfigured) -> Void
    ) throws {
        try workplace.views.project()
        let row = try workplace.views.read { tables, transaction in
            try tables.connections.all(transaction).first { $0.system == system }
        }
        guard var configured = row?.configured else { return }
        change(&configured)
        try record(.connectionConfigured(configured), on: .connection(configured.connection))
    }

    /// Appends what a person decided beside the records.
    package func record(_ event: Event, on stream: Stream) throws {
        try workplace.append([Draft(id: random.id(), stream: stream, event: event)])
    }

    // MARK: - Running

    /// Runs the engine to its end, or until `stopping` says so after a step (a crash).
    ///
    /// - Returns: the report; `nil` after a crash.
    @discardableResult
    package func run(
        _ verb: RunRequest.Verb = .sync, sweep: Bool = false, approve: Bool = false,
        realign: Bool = false,
        cancelling: Int? = nil,
        cancellingWhen isEnough: () -> Bool = { false },
        stopping: (_ step: Int) -> Bool = { _ in false }
    ) throws -> RunReport? {
        try workplace.views.project()
        var core = EngineCore(
            views: workplace.views, mapping: try workplace.mapping(),
            credentials: try workplace.secrets(), seed: random.next(), end: workplace.log.end,
            now: now)
        var request = RunRequest(
            run: random.id(), verb: verb, isSweep: sweep, approves: approve)
        request.realigns = realign
        request.portion = portion
        request.isOnlyChanges = takesOnlyChanges
        request.looksEverySeconds = looksEverySeconds
        var inputs: [EngineInput] = [.begin(request)]
        var steps = 0
        var wakeAt: Timestamp?
        var isCancelled = false
        while true {
            let input = inputs.isEmpty ? EngineInput.tick : inputs.removeFirst()
            if inputs.isEmpty, case .tick = input, let at = wakeAt {
                pass(seconds: Double(max(0, at.microseconds - now.microseconds)) / 1_000_000)
                wakeAt = nil
            }
            pass(seconds: 0.000_5)
            let effects = try core.step(input, now: now)
            steps += 1
            if stopping(steps) { return nil }
            if !isCancelled, isEnough() || cancelling.map({ steps >= $0 }) ?? false {
                isCancelled = true
                inputs.append(.cancel)
            }
            for effect in effects {
                switch effect {
                case .append(let id, let drafts, let conditions):
                    let expected = try predict(drafts, core)
                    let result = Result {
                        try workplace.log.append(
                            try workplace.sealer.seal(drafts), conditions: conditions)
                    }
                    // The process may die between the append and its folding.
                    steps += 1
                    if stopping(steps) { return nil }
                    try workplace.views.project()
                    if let expected, case .success = result { try compare(expected, core) }
                    inputs.append(.recorded(id, result))
                case .send(let id, let request):
                    let answer = answer(request)
                    let place = Int(random.next() % UInt64(inputs.count + 1))
                    inputs.insert(.answered(id, answer), at: place)
                case .wake(let at): wakeAt = min(wakeAt ?? at, at)
                case .progress: break
                case .finished(let report): return report
                }
            }
            guard steps < 1_000_000 else { throw WorldError.endless }
        }
    }

    // MARK: - The merge and the fold agree

    private struct Prediction {
        var record: RecordID
        var states: [(field: FieldMapping, state: FieldState)]
    }

    /// What the merge says that folding a decision will give.
    private func predict(_ drafts: [Draft], _ core: EngineCore) throws -> Prediction? {
        guard case .decided(let decided)? = drafts.first?.event,
            let snapshot = try core.snapshot(decided.record),
            let reconciler = try core.reconciler(of: decided.entity)
        else { return nil }
        let plan = reconciler.plan(snapshot)
        return Prediction(
            record: decided.record,
            states: decided.fields.map(\.field).uniqued().compactMap { name in
                guard let field = reconciler.ground.mapping.field(name) else { return nil }
                let rulings = plan.rulings.filter { $0.field.name == name }.map(\.ruling)
                return (
                    field,
                    rulings.reduce(reconciler.state(of: field, in: snapshot)) { $0.folding($1) }
                )
            })
    }

    /// Law 4's other side: projectors take a decision as it stands, and must end where the merge
    /// that made it ended.
    private func compare(_ expected: Prediction, _ core: EngineCore) throws {
        guard let snapshot = try core.snapshot(expected.record),
            let reconciler = try core.reconciler(of: snapshot.record.entity)
        else { return }
        for (field, state) in expected.states {
            let folded = reconciler.state(of: field, in: snapshot)
            guard folded.settledForm == state.settledForm else {
                throw WorldError.diverged(
                    "\(field.name): folded \(folded.settledForm), merged \(state.settledForm)")
            }
        }
    }

    private func answer(_ request: HTTPRequest) -> HTTPResult {
        requests += 1
        let fault = fault(request)
        if case .lostBefore = fault { return lost }
        let response = instead(request) ?? respond(request)
        if case .lostAfter = fault { return lost }
        return .response(response)
    }

    private var lost: HTTPResult {
        .failure(
            HTTPFailure(
                kind: .connectionLost, reachedRemote: .maybe, message: "the connection ended"))
    }

    private func respond(_ request: HTTPRequest) -> HTTPResponse {
        let prefix = "http://127.0.0.1/"
        let rest = request.url.dropFirst(prefix.count)
        let system = rest.prefix { $0 != "/" }
        let message = SandboxRequest(
            method: request.method.rawValue, target: String(rest.dropFirst(system.count)),
            headers: request.headers.fields.map { SandboxHeader($0.name, $0.value) },
            body: request.body)
        let response =
            switch system {
            case "mautic": mautic.respond(to: message, now: time)
            case "suitecrm": suitecrm.respond(to: message, now: time)
            default: compass.respond(to: message, now: time)
            }
        return HTTPResponse(
            status: response.status,
            headers: HTTPHeaders(
                response.headers.map { ($0.name, $0.value) } + [("Date", httpDate(now))]),
            body: response.body)
    }

    // MARK: - Comparing

    /// Calls that meant to write, over all systems.
    package var writeCalls: Int { mautic.writeCalls + suitecrm.writeCalls + compass.writeCalls }

    /// The people of each system by e-mail address, for comparing them.
    package func people(_ system: System) -> [SandboxRow] {
        switch system {
        case .mautic: mautic.rows
        case .suitecrm: suitecrm.rows
        default: compass.rows
        }
    }
}

/// An IMF-fixdate (RFC 9110, section 5.6.7), as every server's answer carries it.
private func httpDate(_ moment: Timestamp) -> String {
    let text = Array("\(moment)")
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    let month = months[(Int(String(text[5..<7])) ?? 1) - 1]
    // The day's name is not looked at by anybody.
    return
        "Mon, \(String(text[8..<10])) \(month) \(String(text[0..<4])) \(String(text[11..<19])) GMT"
}

package enum WorldError: Error {
    case endless
    /// The projectors made something else of a decision than the merge that took it.
    case diverged(String)
}

extension FieldState {
    /// The state but for commands, which the same commit may have added.
    fileprivate var settledForm: FieldState {
        var state = self
        for index in state.branches.indices {
            state.branches[index].pending = []
            state.branches[index].addedByUs = []
        }
        return state
    }
}

extension Array where Element: Hashable {
    fileprivate func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}

/// The time of a world.
// Unchecked: a world is used by one thread at a time.
final class VirtualClock: @unchecked Sendable {
    var now: Timestamp
    init(_ now: Timestamp) { self.now = now }
}
