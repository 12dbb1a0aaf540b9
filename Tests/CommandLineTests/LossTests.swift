import Foundation
import Testing

/// Parts of a ledger that were lost or cut: said with the fix, and nothing else is lost with them.
@Suite struct `What was lost` {
    private let scratch: Scratch
    private let files = FileManager.default

    init() throws {
        scratch = try Scratch()
        #expect(try run("init").code == 0)
        #expect(try run("connect", "local").code == 0)
        let lines = (1...40).map { #"{"id":"c-\#($0)","email":"p\#($0)@example.com"}"# }
        #expect(try run("ingest", "-", input: lines.joined(separator: "\n")).code == 0)
    }

    private func path(_ name: String) -> String { scratch("ledger/" + name) }

    @discardableResult
    private func run(_ arguments: String..., input: String? = nil) throws -> Program.Result {
        try Program.syncledger.run(arguments + ["--ledger", scratch("ledger")], input: input)
    }

    private func bytes(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: path(name)))
    }

    /// Every verb refuses with one sentence that has these parts.
    private func expectRefusal(
        _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for verb in [["status"], ["log"], ["connections"], ["plan"], ["projector", "verify"]] {
            let result = try Program.syncledger.run(verb + ["--ledger", scratch("ledger")])
            #expect(result.code == 1, "\(verb) \(result.error)", sourceLocation: sourceLocation)
            for part in parts {
                #expect(
                    result.error.contains(part), "\(verb) \(result.error)",
                    sourceLocation: sourceLocation)
            }
        }
    }

    // MARK: - Missing

    @Test(arguments: [["index"], ["keys"], ["index", "keys", "views"]], [true, false])
    func `a lost log is refused whatever knows of it, and nothing is deleted`(
        witnesses: [String], isCut: Bool
    ) throws {
        try files.copyItem(atPath: path("log"), toPath: scratch("backup"))
        if isCut {
            #expect(truncate(path("log/data.mdb"), 0) == 0)
        } else {
            try files.removeItem(atPath: path("log"))
        }
        for name in ["index", "keys", "views"] where !witnesses.contains(name) {
            try files.moveItem(atPath: path(name), toPath: scratch(name))
        }
        let index = try? bytes("index/data.mdb")
        try expectRefusal("the log of this ledger is missing or empty", "from a backup")
        #expect(try index == nil || bytes("index/data.mdb") == index)
        if !isCut { #expect(!files.fileExists(atPath: path("log"))) }

        for name in ["index", "keys", "views"] where !witnesses.contains(name) {
            try? files.removeItem(atPath: path(name))
            try files.moveItem(atPath: scratch(name), toPath: path(name))
        }
        try? files.removeItem(atPath: path("log"))
        try files.moveItem(atPath: scratch("backup"), toPath: path("log"))
        #expect(try run("projector", "verify").code == 0)
    }

    @Test(arguments: [true, false])
    func `lost keys are refused beside a log, not shown as erased people`(isCut: Bool) throws {
        try files.copyItem(atPath: path("keys"), toPath: scratch("backup"))
        if isCut {
            #expect(truncate(path("keys/data.mdb"), 0) == 0)
        } else {
            try files.removeItem(atPath: path("keys"))
        }
        try expectRefusal("the keys of this ledger are missing", "restore keys/ from a backup")
        if !isCut { #expect(!files.fileExists(atPath: path("keys"))) }
        try? files.removeItem(atPath: path("keys"))
        try files.moveItem(atPath: scratch("backup"), toPath: path("keys"))
        #expect(try run("projector", "verify").code == 0)
    }

    // MARK: - Cut short

    @Test(arguments: ["log", "keys"], [0.5, 0.05])
    func `a log or keys that were cut short are refused with what is missing`(
        name: String, rest: Double
    ) throws {
        let whole = try bytes(name + "/data.mdb")
        #expect(truncate(path(name + "/data.mdb"), Int(Double(whole.count) * rest)) == 0)
        try expectRefusal("/ledger/\(name): the file is ", "restore it from a backup")
        try whole.write(to: URL(fileURLWithPath: path(name + "/data.mdb")))
        #expect(try run("projector", "verify").code == 0)
    }

    @Test(arguments: ["index", "views/1"], [0.5, 0.05])
    func `an index or views that were cut short are made anew`(name: String, rest: Double) throws {
        let size = try bytes(name + "/data.mdb").count
        #expect(truncate(path(name + "/data.mdb"), Int(Double(size) * rest)) == 0)
        #expect(try run("status").code == 0)
        #expect(try run("projector", "verify").code == 0)
        #expect(try run("log", "--limit", "500").output.contains("p40@example.com"))
    }

    @Test func `views ahead of a log put back are folded anew, and it is said why, once`() throws {
        try files.copyItem(atPath: path("log"), toPath: scratch("backup"))
        let line = #"{"id":"c-41","email":"p41@example.com"}"#
        #expect(try run("ingest", "-", input: line).code == 0)
        for name in ["log", "index"] { try files.removeItem(atPath: path(name)) }
        try files.moveItem(atPath: scratch("backup"), toPath: path("log"))
        let asked = try run("projector", "status")
        #expect(asked.code == 0 && asked.error.isEmpty, "\(asked.error)")
        let first = try run("status")
        #expect(first.code == 0)
        #expect(
            first.error.hasPrefix("Folding the views anew from the log, for the views know event"),
            "\(first.error)")
        #expect(try run("status").error.isEmpty)
        #expect(try run("projector", "verify").code == 0)
    }

    // MARK: - The file that names the ledger

    @Test func `a ledger file that is gone, cut or shut says which and what to do`() throws {
        let text = try bytes("ledger")
        try files.removeItem(atPath: path("ledger"))
        try expectRefusal("the file ledger is missing", "restore it from a backup")
        try Data("syncledger 1\nid 0".utf8).write(to: URL(fileURLWithPath: path("ledger")))
        try expectRefusal("the file ledger is cut or damaged", "restore it from a backup")
        try Data().write(to: URL(fileURLWithPath: path("ledger")))
        try expectRefusal("the file ledger is cut or damaged", "restore it from a backup")
        try text.write(to: URL(fileURLWithPath: path("ledger")))
        #expect(try run("projector", "verify").code == 0)
        try files.createDirectory(
            atPath: scratch("empty"), withIntermediateDirectories: false)
        let other = try Program.syncledger.run(["status", "--ledger", scratch("empty")])
        #expect(other.error.contains("there is no ledger in"), "\(other.error)")
    }
}
