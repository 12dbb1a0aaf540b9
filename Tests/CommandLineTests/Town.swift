import Foundation
import Sandbox
import SandboxServer

/// Three sandboxes on sockets, and a ledger whose program is told to keep them in step.
struct Town: Sendable {
    let server: SandboxServer
    let ports: SandboxServer.Ports
    let scratch: Scratch
    var ledger: String { scratch("ledger") }

    /// Opens the sandboxes and lends the town to `body`, which may block.
    static func open<R: Sendable>(
        _ world: SandboxWorld,
        ports: SandboxServer.Ports = .init(mautic: 0, suiteCRM: 0, compass: 0),
        _ body: @escaping @Sendable (Town) throws -> R
    ) async throws -> R {
        let scratch = try Scratch()
        let server = SandboxServer(world: world) { now() }
        return try await server.run(ports: ports) { ports in
            try await OwnThread.run {
                try body(Town(server: server, ports: ports, scratch: scratch))
            }
        }
    }

    static func now() -> SandboxTime {
        SandboxTime(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
    }

    /// A ledger with all three systems connected, and nothing read yet.
    func connect() throws {
        try expectZero(run("init"))
        let world = server.withWorld { ($0.mautic.settings, $0.suiteCRM.settings) }
        let key = server.withWorld { $0.compass.settings.serviceKey }
        let client = world.0.clients[0]
        for (system, id, secret) in [
            (SandboxWorld.System.mautic, client.id, client.secret),
            (.suitecrm, world.1.clientID, world.1.clientSecret), (.compass, "", key),
        ] {
            try expectZero(
                run(
                    "connect", system.rawValue, "--url", ports.url(of: system), "--client-id", id,
                    "--calls-per-minute", "1000000", secret: secret))
        }
    }

    private func expectZero(_ result: Program.Result) throws {
        guard result.code == 0 else { throw TownError(result.error + result.output) }
    }

    /// Runs `syncledger` on the town's ledger and reads its JSON.
    func json(_ arguments: String...) throws -> Any {
        let result = try Program.syncledger.run(arguments + ["--json", "--ledger", ledger])
        guard result.code != 1 else { throw TownError(result.error + result.output) }
        return try result.json()
    }

    /// Runs `syncledger` on the town's ledger.
    @discardableResult
    func run(_ arguments: String..., secret: String = "") throws -> Program.Result {
        try Program.syncledger.run(
            Self.settling(arguments) + ["--ledger", ledger],
            environment: ["SYNCLEDGER_SECRET": secret])
    }

    /// Starts `syncledger` and returns at once.
    func start(_ arguments: String...) throws -> RunningProgram {
        try Program.syncledger.start(Self.settling(arguments) + ["--ledger", ledger])
    }

    /// The sandbox answers at once or never, so nothing is waited for that may still take effect.
    private static func settling(_ arguments: [String]) -> [String] {
        let writes = arguments.first == "sync" || arguments.first == "apply"
        return writes ? arguments + ["--settle-after", "0.2"] : arguments
    }
}

struct TownError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Randomness that a test's seed gives.
struct Dice: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func roll(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self) }
}
