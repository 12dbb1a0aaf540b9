import Foundation
import Sandbox
import SandboxServer
import Testing

/// Bad input: one clear sentence with the fix, exit code 1, and nothing lost.
@Suite struct `What is refused` {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private var ledger: String { scratch("ledger") }

    @discardableResult
    private func run(
        _ arguments: String..., secret: String = "s3cr3t-word", input: String? = nil
    ) throws -> Program.Result {
        try Program.syncledger.run(
            arguments + ["--ledger", ledger],
            environment: ["SYNCLEDGER_SECRET": secret], input: input)
    }

    private func makeLedger() throws { #expect(try run("init").code == 0) }

    /// The last event's number and the whole ledger's shape: what must not move.
    private func events() throws -> Int? { try run("projector", "status", "--json").number("end") }

    // MARK: - Words

    @Test func `a verb or an option that does not exist ends with 1`() throws {
        expect(try run("snyc"), says: "there is no verb snyc, did you mean sync?", "help")
        expect(try run("frobnicate"), says: "there is no verb frobnicate", "help")
        for arguments in [
            ["sync", "--fast"], ["log", "--limit", "many"], ["show"], ["plan", "x"],
        ] {
            let result = try Program.syncledger.run(arguments)
            #expect(result.code == 1, "\(arguments)")
            #expect(result.error.hasPrefix("Error: "))
            #expect(result.output.isEmpty)
        }
    }

    @Test func `the ledger may be named before the verb`() throws {
        try makeLedger()
        let result = try Program.syncledger.run(["--ledger", ledger, "--json", "connections"])
        #expect(result.code == 0, "\(result.error)")
        #expect(result.output == "[]\n")
        let equals = try Program.syncledger.run(["--ledger=\(ledger)", "conflicts", "list"])
        #expect(equals.code == 0, "\(equals.error)")
    }

    @Test func `a law that a field cannot have is refused, and one that it can needs a yes`() throws
    {
        try makeLedger()
        for (words, part) in [
            (["city", "newst"], "did you mean newest?"), (["points", "newest"], "always joins"),
            (["city", "sum"], "cannot join"), (["city", "prefer"], "--prefer"),
            (["city", "max"], "numbers"), (["preset", "max"], "no preset"),
            (["existence", "newest"], "known as a law of existence"), (["town", "manual"], "town"),
            (["town", "foo"], "there is no field town"),
            (["city", "foo"], "take one of field-merge, newest, prefer, manual, last-write-wins"),
            (["points", "foo"], "known as a law of points: take one of sum"),
            (["preset", "foo"], "take one of field-merge, manual, last-write-wins"),
        ] {
            let result = try Program.syncledger.run(["policy", "set", "--ledger", ledger] + words)
            expect(result, says: part)
        }
        let told = try run("policy", "set", "city", "manual")
        #expect(told.code == 2)
        #expect(told.output.contains("Would change what decides city: 0 values of 0 records"))
        #expect(try events() == 0)
        #expect(try run("policy", "set", "city", "manual", "--yes").code == 0)
        #expect(try run("policy").output.contains("set here"))
        #expect(try run("policy", "reset", "city", "--yes").code == 0)
        #expect(try !run("policy").output.contains("set here"))
    }

    @Test func `a scope that cannot be read says where, and stores nothing`() throws {
        try makeLedger()
        for (scope, words) in [
            ("stage = lead", "a field stage"), ("tags = vip", "tags has"),
            ("city Berlin", "`city Berlin`"), ("points = many", "a whole number"),
        ] {
            expect(
                try run(
                    "connect", "mautic", "--url", "https://m.example", "--no-check", "--scope",
                    scope), says: "scope", words)
        }
        #expect(try events() == 0)
        #expect(
            try run(
                "connect", "mautic", "--url", "https://m.example", "--no-check", "--scope",
                "tags has vip"
            ).code == 0)
        #expect(try run("connections").output.contains("only where tags has vip"))
    }

    @Test func `figures outside their bounds are named with the bounds`() throws {
        try makeLedger()
        expect(try run("log", "--limit", "0"), says: "1 to 10,000")
        expect(try run("log", "--from", "0"), says: "numbered from 1")
        expect(try run("log", "--from", "-1"), says: "numbered from 1", "not -1")
        expect(try run("log", "--from", "99"), says: "the log ends at event 0")
        expect(try run("commands", "--limit", "-3"), says: "1 to 10,000, not -3")
        expect(try run("commands", "--state", "lost"), says: "issued, confirmed, refused")
        for calls in ["0", "1000001"] {
            expect(
                try run(
                    "connect", "mautic", "--url", "https://m.example", "--calls-per-minute",
                    calls), says: "1 to 1,000,000")
        }
    }

    @Test func `what nobody has is said to be unknown, with where to look`() throws {
        try makeLedger()
        let id = "01a210d2-6446-7c53-974d-b58cce2b4750"
        expect(try run("show", id), says: "nothing in this ledger has the id", "links")
        expect(try run("show", "zero"), says: "is no event number and no id", "syncledger log")
        expect(try run("show", id, "--proof"), says: "only events have a proof", "syncledger log")
        for number in ["0", "7"] {
            expect(try run("show", number), says: "there is no event \(number)", "empty")
        }
        expect(try run("conflicts", "take", id, "city", "mautic"), says: "syncledger links")
        expect(try run("conflicts", "take", "x", "city", "mautic"), says: "syncledger links")
        expect(try run("conflicts", "take", id, "city", "mautik"), says: "did you mean mautic?")
        expect(try run("conflicts", "set", id, "citty", "Oslo"), says: "syncledger mapping")
        expect(try run("conflicts", "set", id, "points", "many"), says: "no whole number")
        expect(try run("conflicts", "set", id, "email", "nobody"), says: "no e-mail address")
        expect(try run("conflicts", "set", id, "email_opt_out", "?"), says: "yes or no")
        expect(try run("conflicts", "keep", id), says: "syncledger links")
        expect(try run("links", "merge", id, id), says: "two different objects")
        expect(try run("links", "merge", "a", "b"), says: "there is no such object")
        expect(try run("links", "unlink", id), says: "belongs to no record")
        expect(try run("log", "--record", id), says: "there is no such record")
    }

    // MARK: - Ledgers

    @Test func `a ledger without a name or a connection is told what it lacks`() throws {
        let nameless = try Program.syncledger.run(["status", "--ledger", ""])
        #expect(nameless.code == 1)
        #expect(nameless.error.hasPrefix("Error: --ledger is empty: name a directory"))
        try makeLedger()
        for verb in ["plan", "sync", "apply"] {
            expect(try run(verb), says: "nothing is connected yet: run `syncledger connect")
        }
        let version = try Program.syncledger.run(["--version"])
        #expect(version.code == 0 && version.output == "syncledger 0.1.0\n")
    }

    @Test func `no ledger, somebody else's and a newer one are told apart`() throws {
        expect(try run("status"), says: "there is no ledger in", "syncledger init", "--ledger")
        try makeLedger()
        expect(try run("init"), says: "already", "another directory")
        let file = ledger + "/ledger"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try text.replacing("syncledger 1", with: "syncledger 2").write(
            toFile: file, atomically: true, encoding: .utf8)
        expect(try run("sync"), says: "format 2", "newer syncledger", "update this program")
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try run("status").code == 0)
    }

    @Test func `the master key must be there, private and the right one`() throws {
        try makeLedger()
        let path = ledger + "/master-1.key"
        let key = try String(contentsOfFile: path, encoding: .utf8)
        chmod(path, 0o644)
        expect(try run("status"), says: "others may read", "chmod 600")
        try String(key.reversed()).write(toFile: path, atomically: true, encoding: .utf8)
        chmod(path, 0o600)
        expect(try run("status"), says: "does not open this ledger's keys")
        try "abc".write(toFile: path, atomically: true, encoding: .utf8)
        chmod(path, 0o600)
        expect(try run("status"), says: "64 hexadecimal digits")
        try FileManager.default.removeItem(atPath: path)
        expect(try run("status"), says: "no master key", "SYNCLEDGER_MASTER_KEY")
        let word = key.trimmingCharacters(in: .whitespacesAndNewlines)
        let again = try Program.syncledger.run(
            ["status", "--ledger", ledger], environment: ["SYNCLEDGER_MASTER_KEY": word])
        #expect(again.code == 0, "\(again.error)")
    }

    @Test func `a lock held by another process is named with its process`() throws {
        try makeLedger()
        #expect(try run("connect", "local").code == 0)
        let file = open(ledger + "/engine.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(file) }
        #expect(flock(file, LOCK_EX | LOCK_NB) == 0)
        let pid = "4242"
        #expect(ftruncate(file, 0) == 0 && pwrite(file, pid, pid.utf8.count, 0) == 4)
        let line = #"{"id":"c-1","email":"ann@example.com"}"#
        for verb in [["sync"], ["plan"], ["apply"], ["projector", "verify"], ["ingest", "-"]] {
            let result = try Program.syncledger.run(verb + ["--ledger", ledger], input: line)
            expect(result, says: "process 4242", "wait for it to finish, or stop it")
        }
        // Looking needs no lock.
        #expect(try run("status").code == 0)
        flock(file, LOCK_UN)
        #expect(try run("ingest", "-", input: line).code == 0)
    }
}

/// One sentence on standard error, exit code 1, and nothing else.
func expect(
    _ result: Program.Result, says parts: String...,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(result.code == 1, sourceLocation: sourceLocation)
    #expect(result.output.isEmpty, sourceLocation: sourceLocation)
    let sentences = result.error.split(separator: "\n")
    #expect(
        sentences.first?.hasPrefix("Error: ") == true, "\(result.error)",
        sourceLocation: sourceLocation)
    for part in parts {
        #expect(
            sentences.first?.contains(part) == true, "\(result.error)",
            sourceLocation: sourceLocation)
    }
}
