import Foundation
import Sandbox
import SandboxServer
import Testing

/// `mapping` and `policy --entity`: shown, written out, checked and put in force.
@Suite struct `A mapping` {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        #expect(try run("init").code == 0)
    }

    @discardableResult
    private func run(_ arguments: String..., input: String? = nil) throws -> Program.Result {
        try Program.syncledger.run(arguments + ["--ledger", scratch("ledger")], input: input)
    }

    /// The mapping in force as a file, with a text of it replaced.
    private func file(_ from: String = "", _ to: String = "") throws -> String {
        let text = try run("mapping", "show", "--yaml").output
        #expect(from.isEmpty || text.contains(from))
        return try scratch.write(
            from.isEmpty ? text : text.replacingOccurrences(of: from, with: to), to: "m.yaml")
    }

    @Test func `that is written out is what is in force`() throws {
        let result = try run("mapping", "apply", try file(), "--yes")
        #expect(result.code == 0 && result.output.contains("nothing to change"))
        #expect(try run("projector", "status", "--json").number("end") == 0, "and no event")
    }

    @Test func `is put in force only with --yes, and shown then`() throws {
        let file = try file("compass: title", "compass: {attribute: title, functions: [trim]}")
        let asked = try run("mapping", "apply", file)
        #expect(asked.code == 2 && asked.output.contains("contact, otherwise: title"))
        #expect(try run("mapping").output.contains("title (trim)") == false)
        #expect(try run("mapping", "apply", file, "--yes").code == 0)
        #expect(try run("mapping").output.contains("title (trim)"))
        #expect(try run("log").output.contains("mapping changed  contact"))
        #expect(try run("mapping", "apply", file).code == 0, "it is in force")
        #expect(try run("projector", "verify").code == 0)
    }

    @Test func `that is wrong changes nothing and says where`() throws {
        let wrong = try run("mapping", "apply", try file("law: union", "law: onion"), "--yes")
        #expect(wrong.code == 1 && wrong.output.isEmpty)
        #expect(wrong.error.contains("m.yaml, line "))
        #expect(wrong.error.contains("onion is not known, did you mean union?"))
        let missing = try run("mapping", "apply", scratch("nowhere.yaml"))
        #expect(missing.code == 1 && missing.error.contains("name a mapping file"))
        #expect(try run("mapping", "show", "--entity", "del").error.contains("did you mean deal?"))
        #expect(try run("projector", "status", "--json").number("end") == 0)
    }

    @Test func `is checked against what stands in the ledger`() throws {
        #expect(try run("connect", "local").code == 0)
        let line = #"{"id":"c-1","email":"ann@example.com","first_name":"Ann"}"#
        #expect(try run("ingest", "-", input: line).code == 0)
        #expect(try run("sync").code == 0)
        #expect(try run("mapping", "check").output.contains("Nothing would be refused"))
        let tight = try file("firstname, longest: 64", "firstname, longest: 2")
        let found = try run("mapping", "check", tight)
        #expect(found.code == 2)
        #expect(
            found.output.contains(
                "contact first_name at mautic: it is cut at 2 characters there (1 record)"))
    }

    @Test func `is checked against what was read, though nothing of it is decided yet`() throws {
        #expect(try run("connect", "local").code == 0)
        let line = #"{"id":"c-1","email":"ann@example.com","first_name":"Ann"}"#
        #expect(try run("ingest", "-", input: line).code == 0)
        let tight = try file("firstname, longest: 64", "firstname, longest: 2")
        let told = "contact first_name at mautic: it is cut at 2 characters there (1 record)"
        #expect(try run("mapping", "check", tight).output.contains(told), "of an object alone")
        _ = try run("plan")
        #expect(try run("mapping", "check", tight).output.contains(told), "of a record")
    }

    @Test func `that could not be put in force is refused by check, too`() throws {
        let file = try file("    first_name:", "    frist_name:")
        let check = try run("mapping", "check", file)
        let apply = try run("mapping", "apply", file, "--yes")
        #expect(check.code == 1 && apply.code == 1)
        #expect(check.error == apply.error)
        #expect(check.error.contains("first_name"), "\(check.error)")
    }

    @Test func `names the nearest field where a law is for none`() throws {
        #expect(
            try run("policy", "set", "citty", "manual", "--yes").error
                .contains("there is no field citty, did you mean city?"))
    }

    @Test func `may have whole names, which a file is taken in by`() throws {
        #expect(try run("connect", "local").code == 0)
        var text = try run("mapping", "show", "--yaml").output
        for part in ["first", "last"] {
            text = text.replacingOccurrences(
                of: "compass: \(part)_name",
                with:
                    "compass: {attribute: full_name, functions: [split \(part)], direction: pull}")
        }
        let file = try scratch.write(text, to: "m.yaml")
        #expect(try run("mapping", "apply", file, "--yes").code == 0)
        #expect(try run("mapping").output.contains("full_name (pull, split first)"))
        let line = #"{"id":"c-1","email":"ada@example.com","full_name":"Lovelace, Dr. Ada"}"#
        #expect(try run("ingest", "-", input: line).code == 0)
        #expect(try run("ingest", "-", "--json", input: line).number("unchanged") == 1)
        #expect(try run("sync").code == 0)
        let links = try run("links", "--json").json() as? [String: Any]
        let records = links?["records"] as? [[String: Any]]
        let record = try #require(records?.first?["record"] as? String)
        let shown = try run("show", record).output
        #expect(shown.contains("Ada") && shown.contains("Lovelace"), "\(shown)")
        // A part has no column of its own.
        let part = #"{"id":"c-1","first_name":"Ada"}"#
        #expect(try run("ingest", "-", input: part).error.contains("there is no field"))
        #expect(try run("projector", "verify").code == 0)
    }

    @Test func `that takes another field's attribute is refused where it stands`() throws {
        let file = try file("    street:\n", "    road:\n")
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        let road = try #require(lines.firstIndex { $0 == "    road:" })
        let compass = try #require(lines[road...].firstIndex { $0.hasPrefix("      compass:") })
        for verb in ["check", "apply"] {
            let refused = try run("mapping", verb, file)
            #expect(refused.code == 1)
            #expect(
                refused.error.contains(
                    "line \(compass + 1), column 7: road at compass: street is the attribute of the field street"
                ), "\(refused.error)")
        }
    }

    @Test func `keeps of a field's law what is not said anew`() throws {
        func line(_ field: String) throws -> String {
            let lines = try run("policy").output.split(separator: "\n")
            return lines.first { $0.hasPrefix(field + " ") }.map(String.init) ?? ""
        }
        #expect(try line("points").contains("mautic"), "as it ships")
        #expect(try run("policy", "set", "points", "sum", "--enforce", "--yes").code == 0)
        #expect(try line("points").contains("mautic"))
        #expect(try line("points").contains("enforced"))
        #expect(try run("policy", "set", "points", "sum", "--prefer", "", "--yes").code == 0)
        #expect(try line("points").contains("mautic") == false)
        #expect(try line("points").contains("enforced"))
        #expect(try run("policy", "set", "points", "sum", "--no-enforce", "--yes").code == 0)
        #expect(try line("points").contains("enforced") == false)
        for what in [["preset", "manual"], ["existence", "ask"]] {
            let refused = try run("policy", "set", "--prefer", "mautic", what[0], what[1])
            #expect(refused.code == 1 && refused.error.contains("are of a field"))
        }
    }

    @Test func `has laws for each entity`() throws {
        #expect(
            try run("policy", "set", "stage", "manual", "--yes").code == 1,
            "of people there is none")
        #expect(try run("policy", "set", "--entity", "deal", "stage", "manual", "--yes").code == 0)
        #expect(try run("policy", "--entity", "deal").output.contains("set here"))
        #expect(try run("policy").output.contains("set here") == false)
        #expect(try run("policy", "set", "--entity", "deal", "amount", "max", "--yes").code == 0)
    }
}

/// `mapping check` with the three systems at hand.
@Suite struct `A mapping beside the systems` {
    @Test func `that ships asks nothing of them that they have not`() async throws {
        try await town { town in
            let check = try town.run("mapping", "check")
            #expect(check.code == 0, "\(check.error)")
            #expect(check.output == "Nothing would be refused, cut or cleaned.\n")
        }
    }

    @Test func `is told what each of them lacks, holds otherwise, or cuts`() async throws {
        try await town { town in
            var text = try town.run("mapping", "show", "--yaml").output
            for (old, new) in [
                ("attribute: firstname", "attribute: fristname"),
                ("{attribute: lastname, longest: 64}", "{attribute: lastname, longest: 90}"),
                ("primary_address_city, longest: 100", "primary_address_town, longest: 100"),
                ("{attribute: title, longest: 100}", "{attribute: title, longest: 120}"),
                ("compass: close_date", "compass: closed"),
                ("lookup: industries", "lookup: {Bank: Banks}"),
                ("lookup: countries", "lookup: {Deutschland: Deutschland}"),
                (
                    "    street:\n      category: contact",
                    """
                        stage:
                          derive: {from: deal, take: stage, by: account, pick: [Won]}
                          mautic: {attribute: stage, direction: push, lookup: {Won: Buyer}}
                        street:
                          category: contact
                    """
                ),
            ] {
                #expect(text.contains(old))
                text = text.replacingOccurrences(of: old, with: new)
            }
            let file = try town.scratch.write(text, to: "m.yaml")
            let check = try town.run("mapping", "check", file)
            #expect(check.code == 2, "\(check.error)")
            for line in [
                "! contact first_name at mautic: there is no field fristname there, did you mean firstname? (Mautic drops it without a word)",
                "! contact city at suitecrm: there is no field primary_address_town there",
                "! contact city at suitecrm's leads: there is no field primary_address_town there",
                "· contact title at suitecrm: it holds 100 characters there: say `longest: 100`",
                "· contact title at suitecrm's leads: it holds 100 characters there",
                "! deal close_date at compass: there is no field closed there",
                "! contact stage at mautic: Buyer is none of the values that stage takes there",
                "! account country at mautic: Deutschland is none of the values that companycountry takes there",
                "! account industry at mautic: Banks is none of the values that companyindustry takes there",
                "· contact last_name at mautic: it holds 64 characters there: say `longest: 64`",
                "7 things would be refused or lost, 3 would only be otherwise there.",
            ] {
                #expect(check.output.contains(line), "\(check.output)")
            }
        }
    }

    @Test func `says which system could not be asked, and checks the others`() async throws {
        try await town { town in
            town.server.withWorld { $0.mautic.settings.clients[0].secret = "another" }
            let check = try town.run("mapping", "check")
            #expect(check.code == 1)
            #expect(check.output.contains("mautic was not asked: Mautic refused the client id"))
            #expect(check.output.contains("Nothing else would be refused"), "\(check.output)")
        }
    }

    private func town(_ body: @escaping @Sendable (Town) throws -> Void) async throws {
        let world = SandboxWorld(
            seed: 3, population: SandboxPopulation(seed: 3, people: 5), at: Town.now())
        try await Town.open(world) { town in
            try town.connect()
            try body(town)
        }
    }
}
