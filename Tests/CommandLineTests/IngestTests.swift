import Foundation
import Testing

/// What `ingest` takes in, what it refuses, and how the figures add up.
@Suite struct `Files` {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private var ledger: String { scratch("ledger") }

    @discardableResult
    private func run(_ arguments: String..., input: String? = nil) throws -> Program.Result {
        try Program.syncledger.run(arguments + ["--ledger", ledger], input: input)
    }

    private func makeLedger() throws { #expect(try run("init").code == 0) }

    private func events() throws -> Int? { try run("projector", "status", "--json").number("end") }

    @Test func `more than one commit holds is linked in several`() throws {
        try makeLedger()
        #expect(try run("connect", "local").code == 0)
        let lines = (1...2_500).map { #"{"id":"c-\#($0)","email":"p\#($0)@example.com"}"# }
        #expect(try run("ingest", "-", input: lines.joined(separator: "\n")).code == 0)
        let before = try #require(try run("scrub", "--json").number("commits"))
        let plan = try run("plan", "--json")
        #expect(try plan.number("newRecords") == 2_500)
        #expect(try plan.number("records") == 2_500)
        let after = try #require(try run("scrub", "--json").number("commits"))
        // Of linking alone three: a thousand at a time.
        #expect(after - before >= 5, "\(after) after \(before)")
        #expect(try run("projector", "verify").code == 0)
    }

    @Test func `a bad line refuses the whole file and is named by its number`() throws {
        try makeLedger()
        #expect(try run("connect", "local").code == 0)
        let before = try events()
        let good = (1...711).map { #"{"id":"c-\#($0)","email":"p\#($0)@example.com"}"# }
        func file(_ last: String) throws -> String {
            try scratch.write((good + [last, good[0]]).joined(separator: "\n"), to: "in.jsonl")
        }
        expect(
            try run("ingest", file(#"{"id":"c-712","email":"#)), says: "line 712 is not JSON",
            "mend that line", "nothing was taken in")
        expect(
            try run("ingest", file(#"{"id":"c-712","emial":"a@example.com"}"#)),
            says: "line 712", "no field \"emial\"", "did you mean \"email\"?",
            "nothing was taken in")
        expect(try run("ingest", file(#"{"email":"a@example.com"}"#)), says: "has no \"id\"")
        expect(
            try run("ingest", file(#"{"id":"c-712","city":{"name":"Oslo"}}"#)),
            says: "\"city\" cannot be an object: it holds a text")
        #expect(try events() == before)
        #expect(try run("ingest", file(#"{"id":"c-712","city":"Oslo"}"#)).code == 0)
    }

    @Test func `a file that is missing, unreadable or empty takes in nothing`() throws {
        try makeLedger()
        expect(try run("ingest", "x.jsonl"), says: "no connection local", "connect local")
        #expect(try run("connect", "local").code == 0)
        let before = try events()
        expect(try run("ingest", scratch("no.jsonl")), says: "cannot be read", "No such file")
        expect(try run("ingest", scratch.path), says: "cannot be read", "Is a directory")
        expect(try run("ingest", scratch.write("\n \n", to: "e.jsonl")), says: "is empty")
        expect(try run("ingest", "-", input: ""), says: "standard input is empty")
        expect(try run("ingest", "-", "--into", "locla", input: "{}"), says: "did you mean local?")
        #expect(try events() == before)
        guard getuid() != 0 else { return }
        let secret = try scratch.write("{}", to: "secret.jsonl")
        chmod(secret, 0)
        expect(try run("ingest", secret), says: "cannot be read", "Permission denied")
    }

    @Test func `a value that its field cannot hold is named with what the field holds`() throws {
        try makeLedger()
        #expect(try run("connect", "local").code == 0)
        let before = try events()
        for (member, words) in [
            (#""points":"many""#, #""points" cannot be "many": it holds a whole number"#),
            (#""points":1.5"#, "cannot be 1.5"), (#""points":1e3"#, "cannot be 1e3"),
            (#""points":true"#, "cannot be true"), (#""points":[1]"#, "cannot be such a list"),
            (#""points":99999999999999999999"#, "it holds a whole number"),
            (#""email_opt_out":"perhaps""#, "it holds true or false"),
            (#""email_opt_out":2"#, "cannot be 2"), (#""city":["a","b"]"#, "it holds a text"),
            (#""city":false"#, "cannot be false"), (#""tags":["a",null]"#, "a list of texts"),
            (#""tags":7"#, "a list of texts"), (#""email":[]"#, "it holds an e-mail address"),
            (#""city":"a","city":"b""#, #"says "city" twice"#),
            (#""id":"c-2""#, #"says "id" twice"#), (#""citty":1"#, "did you mean"),
            (#""xxxxxxxx":1"#, #"no field "xxxxxxxx": `syncledger mapping`"#),
        ] {
            let lines = #"{"id":"c-0"}"# + "\n{\"id\":\"c-1\",\(member)}"
            expect(try run("ingest", "-", input: lines), says: "line 2", words, "nothing was taken")
        }
        for id in ["", " ", "\t"] {
            let line = String(
                decoding: try JSONSerialization.data(withJSONObject: ["id": id]), as: UTF8.self)
            expect(
                try run("ingest", "-", input: line), says: "line 1 has no \"id\", or a blank one")
        }
        #expect(try events() == before)
        let whole =
            #"{"id":7,"points":"12.0","tags":"a, b","email_opt_out":"yes","postcode":10115}"#
        #expect(try run("ingest", "-", input: whole).code == 0)
    }

    @Test func `another encoding is named with how to convert it`() throws {
        try makeLedger()
        #expect(try run("connect", "local").code == 0)
        let line = #"{"id":"c-1","city":"Köln"}"#
        for (encoding, words) in [
            (String.Encoding.utf16, "iconv -f UTF-16"),
            (.utf16LittleEndian, "iconv"), (.utf16BigEndian, "iconv"),
        ] {
            try #require(line.data(using: encoding)).write(
                to: URL(fileURLWithPath: scratch("in.jsonl")))
            expect(try run("ingest", scratch("in.jsonl")), says: "UTF-16", words)
        }
        expect(
            try run("ingest", scratch.write("\u{FEFF}" + line, to: "in.jsonl")),
            says: "byte order mark", "UTF-8 without one")
    }

    @Test func `every line is new, changed, known or repeated`() throws {
        try makeLedger()
        #expect(try run("connect", "local").code == 0)
        func figures(_ lines: [String]) throws -> [String: Int]? {
            let result = try run("ingest", "-", "--json", input: lines.joined(separator: "\n"))
            return try result.json() as? [String: Int]
        }
        // The repeats stand further apart than what is taken in at once.
        let people = (1...600).map { #"{"id":"c-\#($0)","city":"Oslo"}"# }
        let first = try figures(people + [#"{"id":"c-1","city":"Rome"}"#, people[1]])
        #expect(
            first == [
                "lines": 602, "observed": 600, "new": 600, "changed": 0, "unchanged": 0,
                "repeated": 2,
            ])
        let second = try figures(people)
        #expect(
            second == [
                "lines": 600, "observed": 1, "new": 0, "changed": 1, "unchanged": 599,
                "repeated": 0,
            ])
        let words = try run("ingest", "-", input: people[0] + "\n" + people[0]).output
        #expect(words.contains("0 new, 0 changed, 1 known already, 1 more of an id"))
    }

    // MARK: - The disk

    @Test(.enabled(if: geteuid() == 0, "only root can mount a small file system"))
    func `a full disk is said so, and what was taken in before stays`() throws {
        let small = scratch("small")
        try FileManager.default.createDirectory(
            atPath: small, withIntermediateDirectories: false)
        guard try Self.mount("size=96m", at: small) else { return }  // A container may not mount.
        defer { _ = try? Self.unmount(small) }
        func run(_ arguments: String..., input: String? = nil) throws -> Program.Result {
            try Program.syncledger.run(arguments + ["--ledger", small + "/ledger"], input: input)
        }
        #expect(try run("init").code == 0)
        #expect(try run("connect", "local").code == 0)
        #expect(try run("ingest", "-", input: #"{"id":"c-1","email":"a@example.com"}"#).code == 0)
        // The floor that the store keeps free is 64 MiB.
        let ballast = URL(fileURLWithPath: small + "/ballast")
        try Data(count: 40 << 20).write(to: ballast)
        let line = #"{"id":"c-2","email":"b@example.com"}"#
        expect(
            try run("ingest", "-", input: line), says: "64 MiB of disk must stay free",
            "free some space")
        // An index that cannot be written keeps nobody from reading.
        try FileManager.default.removeItem(atPath: small + "/ledger/index")
        #expect(try run("log").output.contains("a@example.com"))
        let status = try run("projector", "status", "--json")
        #expect(status.code == 0, "\(status.error)")
        #expect(try status.number("end") == 2)
        #expect(try run("show", "2").output.contains("a@example.com"))
        // Another test's process may have been born with the file open: removed, it would stay there.
        #expect(truncate(ballast.path, 0) == 0)
        let freed = try run("ingest", "-", input: line)
        #expect(freed.code == 0, "\(freed.error)")
        // Room for some of these, and not for all.
        try Data(count: 20 << 20).write(to: ballast)
        let text = String(repeating: "long ", count: 500)
        let many = (1...6_000).map { #"{"id":"d-\#($0)","description":"\#(text)"}"# }
            .joined(separator: "\n")
        expect(try run("ingest", "-", input: many), says: "of 6000 lines are in", "goes on")
        try FileManager.default.removeItem(at: ballast)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can mount a small file system"))
    func `init on a full disk leaves nothing behind and names the floor`() throws {
        let small = scratch("small")
        try FileManager.default.createDirectory(
            atPath: small, withIntermediateDirectories: false)
        guard try Self.mount("size=32m", at: small) else { return }  // A container may not mount.
        defer { _ = try? Self.unmount(small) }
        func run() throws -> Program.Result {
            try Program.syncledger.run(["init", "--ledger", small + "/ledger"])
        }
        expect(try run(), says: "64 MiB of disk must stay free", "free some space")
        #expect(try FileManager.default.contentsOfDirectory(atPath: small).isEmpty)
        #expect(try Self.mount("remount,size=128m", at: small))
        #expect(try run().code == 0)
    }

    private static func mount(_ options: String, at path: String) throws -> Bool {
        try command("/bin/mount", ["-t", "tmpfs", "-o", options, "small", path])
    }

    private static func unmount(_ path: String) throws -> Bool {
        try command("/bin/umount", ["--lazy", path])
    }

    private static func command(_ path: String, _ arguments: [String]) throws -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
