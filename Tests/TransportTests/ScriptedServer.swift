import Foundation
import Glibc
import Synchronization

/// A server on loopback whose every byte is written by the test.
///
/// The script runs once a connection, on a thread of its own, and the connection is closed when it
/// returns. It waits for the client by reading, never by the clock.
final class ScriptedServer: Sendable {
    typealias Script = @Sendable (ServerConnection) -> Void

    private struct State {
        var requests: [ReceivedRequest] = []
        var connections = 0
    }

    let port: UInt16

    /// Each request as it is read, for tests that must act while it is under way.
    let arrivals: AsyncStream<ReceivedRequest>

    /// The index of each connection when it has been closed by its script's end.
    let endings: AsyncStream<Int>

    private let state = Mutex(State())
    private let arrival: AsyncStream<ReceivedRequest>.Continuation
    private let ending: AsyncStream<Int>.Continuation
    private let listener: Int32
    private let stopSignal = Pipe()
    private let threads = DispatchGroup()

    init(_ script: @escaping Script) throws {
        (arrivals, arrival) = AsyncStream.makeStream()
        (endings, ending) = AsyncStream.makeStream()
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        port = try Self.listen(on: listener)
        threads.enter()
        Thread.detachNewThread {
            self.acceptAll(script)
            self.threads.leave()
        }
    }

    var url: String { "http://127.0.0.1:\(port)" }

    var requests: [ReceivedRequest] { state.withLock(\.requests) }

    var connections: Int { state.withLock(\.connections) }

    /// Accepts what clients have opened so far and returns when every script is through.
    func stop() async {
        stopSignal.fileHandleForWriting.write(Data([0]))
        await withCheckedContinuation { continuation in
            threads.notify(queue: .global()) { continuation.resume() }
        }
        arrival.finish()
        ending.finish()
    }

    private static func listen(on listener: Int32) throws -> UInt16 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(listener, generic, size) + Glibc.listen(listener, 512)
                    + getsockname(listener, generic, &size)
            }
        }
        guard code == 0 else { throw POSIXError(.EADDRNOTAVAIL) }
        return UInt16(bigEndian: address.sin_port)
    }

    private func acceptAll(_ script: @escaping Script) {
        var waiting = [
            pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
            pollfd(
                fd: stopSignal.fileHandleForReading.fileDescriptor, events: Int16(POLLIN),
                revents: 0),
        ]
        while poll(&waiting, 2, -1) >= 0 {
            // A stop still takes what is in the queue, so that no late connection goes unseen.
            guard waiting[0].revents != 0 else { break }
            let descriptor = ChildProcesses.lock.withLock { _ in
                let descriptor = accept(listener, nil, nil)
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
                return descriptor
            }
            guard descriptor >= 0 else { break }
            serve(descriptor, script)
        }
        close(listener)
    }

    private func serve(_ descriptor: Int32, _ script: @escaping Script) {
        let index = state.withLock { state in
            state.connections += 1
            return state.connections
        }
        let connection = ServerConnection(descriptor, index: index) { request in
            self.state.withLock { $0.requests.append(request) }
            self.arrival.yield(request)
        }
        threads.enter()
        Thread.detachNewThread {
            script(connection)
            connection.end()
            self.ending.yield(index)
            self.threads.leave()
        }
    }
}

/// A request as it came over the wire.
struct ReceivedRequest: Sendable {
    var line: String
    var headers: [String]
    var body: [UInt8]

    /// The values of a header, in order.
    func values(_ name: String) -> [String] {
        headers.filter { $0.lowercased().hasPrefix(name.lowercased() + ":") }
            .map { String($0.dropFirst(name.count + 1)).trimmingCharacters(in: .whitespaces) }
    }
}

/// One accepted connection, used by one script on one thread.
final class ServerConnection: Sendable {
    /// Counts from one.
    let index: Int

    private let descriptor: Int32
    private let received: @Sendable (ReceivedRequest) -> Void

    init(_ descriptor: Int32, index: Int, received: @escaping @Sendable (ReceivedRequest) -> Void) {
        self.descriptor = descriptor
        self.index = index
        self.received = received
    }

    /// The next request with its body, or nil when the client has closed.
    @discardableResult
    func readRequest() -> ReceivedRequest? {
        var head: [UInt8] = []
        while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            guard let byte = read(1) else { return nil }
            head += byte
        }
        let lines = String(decoding: head.dropLast(4), as: UTF8.self)
            .components(separatedBy: "\r\n")
        var request = ReceivedRequest(line: lines[0], headers: Array(lines.dropFirst()), body: [])
        let length = request.values("content-length").first.flatMap { Int($0) } ?? 0
        guard let body = read(length) else { return nil }
        request.body = body
        received(request)
        return request
    }

    func send(_ text: String) {
        send(Array(text.utf8))
    }

    /// Sends what the client is willing to take; a client that closes early is no error here.
    func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Sends a whole response with its length.
    func respond(_ body: String = "", status: String = "200 OK", headers: [String] = []) {
        respond(Array(body.utf8), status: status, headers: headers)
    }

    func respond(_ body: [UInt8], status: String = "200 OK", headers: [String] = []) {
        let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.count)"] + headers
        send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body)
    }

    /// Returns when the client has closed.
    func waitForClose() {
        while read(1) != nil {}
    }

    /// Closes with a reset instead of an orderly end.
    func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    }

    func end() {
        close(descriptor)
    }

    private func read(_ count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let part = [UInt8](unsafeUninitializedCapacity: count - bytes.count) { buffer, got in
                got = max(0, recv(descriptor, buffer.baseAddress, buffer.count, 0))
            }
            guard !part.isEmpty else { return nil }
            bytes += part
        }
        return bytes
    }
}
