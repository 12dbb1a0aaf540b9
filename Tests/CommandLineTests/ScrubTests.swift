import Foundation
import Testing

/// `syncledger scrub` on files that are whole, and on those that a disk changed.
@Suite struct `Scrubbing` {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        #expect(try run("init").code == 0)
        #expect(try run("connect", "local").code == 0)
        let lines = (1...40).map { #"{"id":"c-\#($0)","email":"p\#($0)@example.com"}"# }
        #expect(try run("ingest", "-", input: lines.joined(separator: "\n")).code == 0)
    }

    @discardableResult
    private func run(_ arguments: String..., input: String? = nil) throws -> Program.Result {
        try Program.syncledger.run(arguments + ["--ledger", scratch("ledger")], input: input)
    }

    @Test func `a ledger that is whole is clean, and what that leaves out is said`() throws {
        let text = try run("scrub")
        #expect(text.code == 0, "\(text.error)")
        #expect(text.output.contains("Clean: the log is what its tree committed to."))
        #expect(text.output.contains("Not covered: whether the log ends where it ended"))
        let json = try run("scrub", "--json")
        #expect(json.code == 0)
        #expect(json.output.contains(#""clean":true"#))
        #expect(json.output.contains(#""damages":[]"#))
    }

    @Test func `what the disk changed is named with its fix, and the exit code is 1`() throws {
        let path = scratch("ledger/log/data.mdb")
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let word = Data("contact".utf8)
        var found = bytes.range(of: word)
        while let range = found {
            bytes[range.lowerBound] ^= 1
            found = bytes.range(of: word, in: range.upperBound..<bytes.endIndex)
        }
        try bytes.write(to: URL(fileURLWithPath: path))
        let text = try run("scrub")
        #expect(text.code == 1)
        #expect(
            text.output.contains("has a part 0 that is not what its entry says: restore the log"))
        #expect(text.output.contains("keep a copy of the directory"))
        let json = try run("scrub", "--json")
        #expect(json.code == 1)
        #expect(json.output.contains(#""clean":false"#))
    }

    @Test func `without its master key the log is read all the same, and the key named`() throws {
        try FileManager.default.removeItem(atPath: scratch("ledger/master-1.key"))
        let text = try run("scrub")
        #expect(text.code == 1)
        #expect(text.output.contains("the master key cannot be used: there is no master key at"))
        #expect(text.output.contains("1 damaged"))
    }

    @Test func `where there is no ledger it says so`() throws {
        let result = try Program.syncledger.run(["scrub", "--ledger", scratch("nothing")])
        #expect(result.code == 1)
        #expect(result.error.contains("there is no ledger in"))
    }
}
