import Foundation
import Glibc
import Synchronization
import Testing

@testable import Transport

@Suite(.enabled(if: OpenSSL.path != nil, "the openssl command is not installed"))
struct `TLS` {
    @Test func `refuses a certificate that nobody trusted has signed`() async throws {
        let server = try OpenSSL(host: "127.0.0.1")
        let failure = try #require(await HTTPClient().perform(server.request).failure)
        #expect(failure.kind == .tls)
        #expect(failure.reachedRemote == .no)
        #expect(failure.message.contains("certificate"))
    }

    @Test func `accepts a certificate of the client's own authority file`() async throws {
        let server = try OpenSSL(host: "127.0.0.1")
        let client = HTTPClient(.init(authorityFile: server.certificate))
        let response = try #require(await client.perform(server.request).response)
        #expect(response.status == 200)
        #expect(response.text.contains("Cipher"))
        #expect(response.timings.secured >= response.timings.connected)
    }

    @Test func `refuses a trusted certificate of another host`() async throws {
        let server = try OpenSSL(host: "127.0.0.2")
        let client = HTTPClient(.init(authorityFile: server.certificate))
        let failure = try #require(await client.perform(server.request).failure)
        #expect(failure.kind == .tls)
        #expect(failure.reachedRemote == .no)
    }

    @Test func `refuses a protocol older than 1 2`() async throws {
        let server = try OpenSSL(
            host: "127.0.0.1", options: ["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"])
        let client = HTTPClient(.init(authorityFile: server.certificate))
        let failure = try #require(await client.perform(server.request).failure)
        #expect(failure.kind == .tls)
        #expect(failure.reachedRemote == .no)
    }

    @Test func `fails where the authority file is missing`() async throws {
        let server = try OpenSSL(host: "127.0.0.1")
        let client = HTTPClient(.init(authorityFile: server.certificate + ".missing"))
        let failure = try #require(await client.perform(server.request).failure)
        #expect(failure.kind == .tls)
        #expect(failure.reachedRemote == .no)
    }
}

/// A TLS server with a certificate of its own, made and run by the openssl command.
final class OpenSSL {
    static let path = ["/usr/bin/openssl", "/usr/local/bin/openssl", "/opt/homebrew/bin/openssl"]
        .first(where: FileManager.default.isExecutableFile)

    let certificate: String
    let port: Int

    private let folder: URL
    private let server: Process

    init(host: String, options: [String] = []) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let key = folder.appending(path: "key.pem").path
        certificate = folder.appending(path: "certificate.pem").path
        let making = try Self.start([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "2", "-subj", "/CN=\(host)", "-addext", "subjectAltName=IP:\(host)",
            "-keyout", key, "-out", certificate,
        ])
        making.process.waitUntilExit()
        try #require(making.process.terminationStatus == 0)
        let running = try Self.start(
            ["s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key, "-www"]
                + options)
        server = running.process
        guard let port = Self.port(from: running.output) else {
            Self.end(server)
            throw POSIXError(.ECONNREFUSED)
        }
        self.port = port
    }

    deinit {
        Self.end(server)
        try? FileManager.default.removeItem(at: folder)
    }

    var request: HTTPRequest { HTTPRequest(url: "https://127.0.0.1:\(port)/") }

    private static func start(_ arguments: [String]) throws -> (process: Process, output: Pipe) {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: try #require(path))
        process.arguments = arguments
        process.standardInput = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try ChildProcesses.lock.withLock { _ in try process.run() }
        return (process, output)
    }

    /// A child inherits which signals are blocked, and the threads of tasks block SIGTERM.
    private static func end(_ server: Process) {
        kill(server.processIdentifier, SIGKILL)
        server.waitUntilExit()
    }

    /// The server says `ACCEPT 127.0.0.1:PORT` once it listens.
    private static func port(from output: Pipe) -> Int? {
        var text = ""
        while !text.contains("ACCEPT") || !text.hasSuffix("\n") {
            let part = output.fileHandleForReading.availableData
            guard !part.isEmpty else { return nil }
            text += String(decoding: part, as: UTF8.self)
        }
        let line = text.split(separator: "\n").first { $0.contains("ACCEPT") }
        return line?.split(separator: ":").last.flatMap { Int($0) }
    }
}
