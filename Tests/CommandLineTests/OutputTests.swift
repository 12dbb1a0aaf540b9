import Foundation
import Testing

/// What reaches a terminal, and what happens where nothing can be written.
@Suite struct `Output` {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func run(_ arguments: String..., input: String? = nil) throws -> Program.Result {
        try Program.syncledger.run(arguments + ["--ledger", scratch("ledger")], input: input)
    }

    /// Ends the screen's line, colours, turns the direction, joins and hides.
    private static let hostile =
        "A\u{1B}[31mnn\u{0}\n\u{202E}x\u{2066}\u{200F}\u{7F}\u{9B}2J\u{AD}\u{2028}\u{E0041}é"

    /// A ledger with one person whose every text is hostile.
    private func settle() throws {
        #expect(try run("init").code == 0)
        #expect(try run("connect", "local").code == 0)
        let person = [
            "id": "c\(Self.hostile)", "first_name": Self.hostile, "email": "ann@x.example",
        ]
        let line = String(decoding: try JSONEncoder().encode(person), as: UTF8.self)
        let result = try run("ingest", "-", input: line)
        #expect(result.code == 0, "\(result.error)")
        #expect(try run("plan").code == 0)
    }

    private func expectVisible(
        _ text: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let hidden = text.unicodeScalars.filter {
            $0 != "\n"
                && [.control, .format, .lineSeparator].contains($0.properties.generalCategory)
        }
        #expect(hidden.isEmpty, "\(text.debugDescription)", sourceLocation: sourceLocation)
    }

    @Test func `spells out what would steer the terminal or hide`() throws {
        try settle()
        let links = try run("links", "--json").json() as? [String: Any]
        let records = links?["records"] as? [[String: Any]]
        let record = try #require(records?.first?["record"] as? String)
        for words in [["log"], ["show", record], ["show", "2"], ["links"], ["status"]] {
            let text = try Program.syncledger.run(words + ["--ledger", scratch("ledger")]).output
            expectVisible(text)
            #expect(words == ["status"] || text.contains(#"A\u{1B}[31mnn\u{0}\n\u{202E}x"#))
        }
    }

    @Test func `JSON escapes the same characters and keeps the value`() throws {
        try settle()
        let result = try run("log", "--json")
        expectVisible(result.output)
        let events = try result.json() as? [[String: Any]]
        let summaries = events?.compactMap { $0["summary"] as? String } ?? []
        #expect(summaries.contains { $0.unicodeScalars.contains("\u{E0041}") })
        #expect(summaries.contains { $0.contains(Self.hostile) })
    }

    @Test func `an error spells out what it quotes, on one line`() throws {
        for words in [["s\u{1B}[2J\nx"], ["log", "--\u{1B}[31m"], ["ingest", "\u{1B}["]] {
            let result = try Program.syncledger.run(words + ["--ledger", "\u{1B}["])
            #expect(result.code == 1)
            expectVisible(result.error)
            #expect(result.error.contains(#"\u{1B}["#))
        }
        #expect(try Program.syncledger.run(["s\nx"]).error.contains(#"no verb s\nx"#))
    }

    @Test func `that cannot be written ends with 1 and says so, a closed pager is quiet`() throws {
        #expect(try run("init").code == 0)
        let program = Program.syncledger.path
        let ledger = scratch("ledger")
        func shell(_ script: String) throws -> Program.Result {
            try Program.shell.run(["-c", script, program, ledger])
        }
        for words in ["status --ledger \"$1\"", "status --json --ledger \"$1\"", "help"] {
            let full = try shell("\"$0\" \(words) > /dev/full")
            #expect(full.code == 1, "\(words)")
            #expect(full.error.hasPrefix("Error: the output could not be written (No space left"))
        }
        for trap in ["", "trap '' PIPE;"] {
            let closed = try shell("\(trap) { sleep 0.3; \"$0\" status --ledger \"$1\"; } | true")
            #expect(closed.error.isEmpty && closed.code == 0, "\(closed.error)")
        }
    }
}
