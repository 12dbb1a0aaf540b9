import Foundation
import Testing

/// `syncledger show EVENT --proof`, followed with nothing but `sha256sum`.
@Suite struct `Proofs` {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        #expect(try run("init").code == 0)
        #expect(try run("connect", "local").code == 0)
        let lines = (1...300).map { #"{"id":"c-\#($0)","email":"p\#($0)@example.com"}"# }
        #expect(try run("ingest", "-", input: lines.joined(separator: "\n")).code == 0)
    }

    @discardableResult
    private func run(_ arguments: String..., input: String? = nil) throws -> Program.Result {
        try Program.syncledger.run(arguments + ["--ledger", scratch("ledger")], input: input)
    }

    @Test func `lead from an event's bytes to the root of the log`() throws {
        var roots: Set<String> = []
        for event in [1, 2, 150, 257, 300] {
            let result = try run("show", "\(event)", "--proof", "--json")
            #expect(result.code == 0, "\(result.error)")
            let shown = try #require(try result.json() as? [String: Any])
            #expect(shown["sequence"] as? Int == event)
            let proof = try #require(shown["proof"] as? [String: Any])
            let leaf = try #require(proof["leaf"] as? String)
            #expect(proof["index"] as? Int == event - 1)
            let size = try #require(proof["size"] as? Int)
            #expect(size > 300)
            #expect(try sha256("00" + #require(proof["entry"] as? String)) == leaf)
            let path = try #require(proof["path"] as? [String])
            let root = try #require(proof["root"] as? String)
            #expect(try followed(path, from: leaf, at: event - 1, of: size) == root)
            roots.insert(root)
        }
        #expect(roots.count == 1)
    }

    @Test func `are shown to people with the word that they were followed`() throws {
        let text = try run("show", "7", "--proof").output
        let proof = try #require(
            try (run("show", "7", "--proof", "--json").json() as? [String: Any])?["proof"]
                as? [String: Any])
        for name in ["leaf", "root"] {
            #expect(text.contains("  \(name)       \(proof[name] as? String ?? "?")"))
        }
        for step in proof["path"] as? [String] ?? [] { #expect(text.contains(step)) }
        #expect(text.contains("  index      6, of "))
        #expect(text.contains("Checked: the path leads from the leaf to the root"))
        #expect(try !run("show", "7").output.contains("Checked"))
    }

    @Test func `of what is no event are refused`() throws {
        let result = try run("show", "1", "--json")
        let event = try #require(try result.json() as? [String: Any])
        let stream = try #require((event["stream"] as? [String: Any])?["id"] as? String)
        let refused = try run("show", stream, "--proof")
        #expect(refused.code == 1)
        #expect(refused.error.contains("is no event, and only events have a proof"))
    }

    // MARK: - RFC 9162, section 2.1.3.2

    private func followed(
        _ path: [String], from leaf: String, at index: Int, of size: Int
    ) throws -> String {
        var (position, last, hash) = (index, size - 1, leaf)
        for step in path {
            if position % 2 == 1 || position == last {
                hash = try sha256("01" + step + hash)
                while position % 2 == 0, position != 0 {
                    (position, last) = (position / 2, last / 2)
                }
            } else {
                hash = try sha256("01" + hash + step)
            }
            (position, last) = (position / 2, last / 2)
        }
        return hash
    }

    /// The hash of bytes that are written in hexadecimal, by the machine's own tool.
    private func sha256(_ digits: String) throws -> String {
        let digits = Array(digits)
        // Three octal digits each, so that a digit behind is none of it.
        let format = stride(from: 0, to: digits.count, by: 2).map { place in
            let octal = String(UInt8(String(digits[place...place + 1]), radix: 16) ?? 0, radix: 8)
            return "\\" + String(repeating: "0", count: 3 - octal.count) + octal
        }
        let result = try Program.shell.run(["-c", "printf '\(format.joined())' | sha256sum"])
        return String(result.output.prefix(64))
    }
}

/// `syncledger show RECORD --as-of EVENT`.
@Suite struct `The past of a record` {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        #expect(try run("init").code == 0)
        #expect(try run("connect", "local").code == 0)
    }

    @discardableResult
    private func run(_ arguments: String..., input: String? = nil) throws -> Program.Result {
        try Program.syncledger.run(arguments + ["--ledger", scratch("ledger")], input: input)
    }

    private func takeIn(_ name: String) throws -> Int {
        let line = #"{"id":"c-1","email":"ann@example.com","first_name":"\#(name)"}"#
        #expect(try run("ingest", "-", input: line).code == 0)
        #expect(try run("sync").code == 0)
        return try #require(try run("projector", "status", "--json").number("end"))
    }

    @Test func `is shown as it stood, and refused where there was none`() throws {
        let first = try takeIn("Ann")
        _ = try takeIn("Zoe")
        let links = try run("links", "--json").json() as? [String: Any]
        let records = links?["records"] as? [[String: Any]]
        let record = try #require(records?.first?["record"] as? String)
        let now = try run("show", record).output
        #expect(now.contains("Zoe") && !now.contains("Ann "))
        let then = try run("show", record, "--as-of", "\(first)")
        #expect(then.code == 0, "\(then.error)")
        #expect(then.output.hasPrefix("as of event \(first) ("))
        #expect(then.output.contains("Ann ") && !then.output.contains("Zoe"), "\(then.output)")
        let json = try run("show", record, "--as-of", "\(first)", "--json")
        #expect(try json.number("asOf") == first)
        #expect(try run("show", record, "--as-of", "1").error.contains("nothing was known of"))
        #expect(try run("show", record, "--as-of", "9999").error.contains("the log holds 1 to"))
        #expect(try run("show", "7", "--as-of", "2").error.contains("is no record"))
        let both = try run("show", record, "--as-of", "2", "--proof")
        #expect(both.code == 1 && both.error.contains("choose one"), "\(both.error)")
    }
}
