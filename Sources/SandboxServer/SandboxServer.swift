import HTTPTypes
import Hummingbird
import Logging
import NIOCore
package import Sandbox
import Synchronization

/// The three emulated systems on loopback ports of their own.
///
/// Calls are answered one at a time, whatever system they are for; tests look into the world, and
/// reach into it, through `withWorld`.
package final class SandboxServer: Sendable {
    /// Where the systems listen.
    package struct Ports: Sendable, Hashable {
        package var mautic: Int
        package var suiteCRM: Int
        package var compass: Int
        /// The loopback address that all three are at.
        package var host = "127.0.0.1"

        package init(mautic: Int, suiteCRM: Int, compass: Int, host: String = "127.0.0.1") {
            self.mautic = mautic
            self.suiteCRM = suiteCRM
            self.compass = compass
            self.host = host
        }

        /// The base address of one system.
        package func url(of system: SandboxWorld.System) -> String {
            let port =
                switch system {
                case .mautic: mautic
                case .suitecrm: suiteCRM
                case .compass: compass
                }
            return "http://\(host):\(port)"
        }
    }

    private let world: Mutex<SandboxWorld>
    private let clock: @Sendable () -> SandboxTime

    /// A server around a world that takes its time from `clock`.
    package init(world: SandboxWorld, clock: @escaping @Sendable () -> SandboxTime) {
        self.world = Mutex(world)
        self.clock = clock
    }

    /// Lends the world; no call is answered meanwhile, so the closure must not wait for one.
    package func withWorld<Result: Sendable>(
        _ body: (inout sending SandboxWorld) throws -> sending Result
    ) rethrows -> Result {
        try world.withLock(body)
    }

    /// Listens while `body` runs, then stops: on free ports where the wanted are 0.
    ///
    /// - Throws: what `body` throws, or why a port cannot be listened on.
    package func run<Result: Sendable>(
        ports wanted: Ports = Ports(mautic: 0, suiteCRM: 0, compass: 0),
        _ body: @Sendable (Ports) async throws -> Result
    ) async throws -> Result {
        let (opened, continuation) = AsyncStream<(SandboxWorld.System, Int)>.makeStream()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            let systems: [(SandboxWorld.System, Int)] = [
                (.mautic, wanted.mautic), (.suitecrm, wanted.suiteCRM),
                (.compass, wanted.compass),
            ]
            for (system, port) in systems {
                let application = application(
                    for: system, host: wanted.host, port: port
                ) { port in
                    continuation.yield((system, port))
                }
                group.addTask {
                    // A server ends by cancellation; one that cannot start ends the waiting.
                    do { try await application.run() } catch {
                        continuation.finish()
                        throw error
                    }
                }
            }
            var found: [SandboxWorld.System: Int] = [:]
            for await (system, port) in opened {
                found[system] = port
                if found.count == systems.count { break }
            }
            guard let mautic = found[.mautic], let suiteCRM = found[.suitecrm],
                let compass = found[.compass]
            else {
                try await group.waitForAll()
                throw CancellationError()
            }
            let result = try await body(
                Ports(mautic: mautic, suiteCRM: suiteCRM, compass: compass, host: wanted.host))
            group.cancelAll()
            while let ended = await group.nextResult() { _ = ended }
            return result
        }
    }

    private func application(
        for system: SandboxWorld.System,
        host: String,
        port: Int,
        opened: @escaping @Sendable (Int) -> Void
    ) -> some ApplicationProtocol {
        var logger = Logger(label: "sandbox.\(system.rawValue)")
        logger.logLevel = .critical
        return Application(
            responder: SandboxResponder(system: system, server: self),
            configuration: .init(address: .hostname(host, port: port)),
            onServerRunning: { channel in opened(channel.localAddress?.port ?? 0) },
            logger: logger)
    }

    fileprivate func answer(
        _ system: SandboxWorld.System, _ request: SandboxRequest
    ) -> SandboxResponse? {
        world.withLock { $0.respond(system, to: request, now: clock()) }
    }
}

/// Turns one call into values and back, or ends its connection without an answer.
private struct SandboxResponder: HTTPResponder {
    /// Knows the connection, so that it can be ended.
    struct Context: RequestContext {
        var coreContext: CoreRequestContextStorage
        let channel: any Channel

        init(source: ApplicationRequestContextSource) {
            coreContext = .init(source: source)
            channel = source.channel
        }
    }

    let system: SandboxWorld.System
    let server: SandboxServer

    private static let bodyLimit = 32 * 1_024 * 1_024

    func respond(to request: Request, context: Context) async throws -> Response {
        let body = try await request.body.collect(upTo: Self.bodyLimit)
        var headers = request.headers.map { SandboxHeader($0.name.rawName, $0.value) }
        if let host = request.head.authority { headers.append(SandboxHeader("Host", host)) }
        let message = SandboxRequest(
            method: request.method.rawValue, target: request.head.path ?? "/", headers: headers,
            body: Array(body.readableBytesView))
        guard let answer = server.answer(system, message) else {
            try? await context.channel.close()
            throw CancellationError()
        }
        var fields = HTTPFields()
        // The front writes these itself.
        let own: Set<String> = ["date", "connection", "content-length"]
        for header in answer.headers where !own.contains(header.name.lowercased()) {
            guard let name = HTTPField.Name(header.name) else { continue }
            fields.append(HTTPField(name: name, value: header.value))
        }
        return Response(
            status: .init(code: answer.status), headers: fields,
            body: .init(byteBuffer: ByteBuffer(bytes: answer.body)))
    }
}
