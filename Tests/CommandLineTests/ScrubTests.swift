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
        try spoilEvents()
        let text = try run("scrub")
        #expect(text.code == 1)
        #expect(
            text.output.contains("has a part 0 that is not what its entry says: restore the log"))
        #expect(text.output.contains("keep a copy of the directory"))
        let json = try run("scrub", "--json")
        #expect(json.code == 1)
        #expect(json.output.contains(#""clean":false"#))
    }

    @Test func `hash tiles that the disk changed are made anew on request, and nothing else is`()
        throws
    {
        let lines = (41...900).map { #"{"id":"c-\#($0)","email":"p\#($0)@example.com"}"# }
        #expect(try run("ingest", "-", input: lines.joined(separator: "\n")).code == 0)
        #expect(try run("scrub", "--mend").code == 0)
        // The tiles are made when the writer is quiet, which a short verb may not wait for.
        let deadline = ContinuousClock.now + .seconds(60)
        while try run("scrub", "--json").number("tiles") == 0, ContinuousClock.now < deadline {
            #expect(try run("plan").code != 1)
        }
        let proof = try #require(
            try (run("show", "9", "--proof", "--json").json() as? [String: Any])?["proof"]
                as? [String: Any])
        let step = try #require((proof["path"] as? [String])?.first)
        try spoil(
            Data(
                stride(from: 0, to: 64, by: 2).compactMap { place in
                    UInt8(step.dropFirst(place).prefix(2), radix: 16)
                }))
        let refused = try run("show", "9", "--proof")
        #expect(refused.code == 1)
        #expect(refused.error.contains("`syncledger scrub` names what is damaged"))
        let text = try run("scrub")
        #expect(text.code == 1)
        #expect(text.output.contains("Damaged: the hash tile 0/0 over events 1 to 256"))
        #expect(text.output.contains("`syncledger scrub --mend` makes the tiles anew"))
        let mended = try run("scrub", "--mend")
        #expect(mended.code == 0, "\(mended.output)")
        #expect(mended.output.contains("Made the hash tiles of events 1 to "))
        #expect(try run("scrub", "--json").output.contains(#""clean":true"#))
        #expect(try run("show", "9", "--proof").code == 0)
        // Of a damaged event nothing is made.
        try spoilEvents()
        let left = try run("scrub", "--mend")
        #expect(left.code == 1)
        #expect(left.output.contains("Nothing was mended: more than hash tiles is damaged."))
    }

    @Test func `without its master key the log is read all the same, and the key named`() throws {
        try FileManager.default.removeItem(atPath: scratch("ledger/master-1.key"))
        let text = try run("scrub")
        #expect(text.code == 1)
        #expect(text.output.contains("the master key cannot be used: there is no master key at"))
        #expect(text.output.contains("1 damaged"))
    }

    /// Changes a word that stands in many events, wherever it stands.
    private func spoilEvents() throws { try spoil(Data("contact".utf8)) }

    /// Changes every place of the log's file where these bytes stand.
    private func spoil(_ word: Data) throws {
        let path = scratch("ledger/log/data.mdb")
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        var found = bytes.range(of: word)
        #expect(found != nil)
        while let range = found {
            bytes[range.lowerBound] ^= 1
            found = bytes.range(of: word, in: range.upperBound..<bytes.endIndex)
        }
        try bytes.write(to: URL(fileURLWithPath: path))
    }

    @Test func `where there is no ledger it says so`() throws {
        let result = try Program.syncledger.run(["scrub", "--ledger", scratch("nothing")])
        #expect(result.code == 1)
        #expect(result.error.contains("there is no ledger in"))
    }
}
