import Foundation
import Testing

/// Several ledgers in one directory.
@Suite struct `A house` {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func ledger(_ name: String, people: Int) throws {
        func run(_ arguments: String..., input: String? = nil) throws {
            let result = try Program.syncledger.run(
                arguments + ["--ledger", scratch("house/" + name)], input: input)
            #expect(result.code == 0, "\(result.error)")
        }
        try run("init")
        try run("connect", "local")
        let lines = (0..<people).map { #"{"id":"\#($0)","email":"p\#($0)@example.com"}"# }
        try run("ingest", "-", input: lines.joined(separator: "\n"))
    }

    @Test func `tells of each of its ledgers, and goes on behind one that fails`() throws {
        let house = scratch("house")
        expect(
            try Program.syncledger.run(["house", "status", house]), says: "No such file")
        try FileManager.default.createDirectory(
            atPath: house + "/empty", withIntermediateDirectories: true)
        _ = try scratch.write("", to: "house/notes.txt")
        expect(
            try Program.syncledger.run(["house", "status", house]),
            says: "there is no ledger in a subdirectory", "init --ledger")
        try ledger("acme", people: 3)
        try ledger("zenith", people: 5)
        for name in ["acme", "zenith"] {
            let result = try Program.syncledger.run(["sync", "--ledger", house + "/" + name])
            #expect(result.code == 0, "\(result.error)")
        }
        var status = try Program.syncledger.run(["house", "status", house])
        #expect(status.code == 0 && status.error.isEmpty)
        let lines = status.output.split(separator: "\n")
        #expect(lines.count == 3 && lines[1].hasPrefix("acme") && lines[2].hasPrefix("zenith"))
        // One loses its file; the other one is told of and synced all the same.
        try FileManager.default.removeItem(atPath: house + "/acme/ledger")
        status = try Program.syncledger.run(["house", "status", house])
        #expect(status.code == 1)
        #expect(status.output.contains("acme: the file ledger is missing"))
        #expect(status.output.contains("zenith"))
        let sync = try Program.syncledger.run(["house", "sync", house, "--json"])
        #expect(sync.code == 1)
        #expect(sync.output.contains(#""ledger":"acme","error":"#))
        #expect(sync.output.contains(#""ledger":"zenith","run":"#))
        #expect(sync.output.contains(#""records":5"#))
    }
}
