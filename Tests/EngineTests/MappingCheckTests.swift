import Connectors
import Engine
import Ledger
import Model
import Testing

@Suite struct `A check of a mapping` {
    private func contact(_ changes: (String, String)...) throws -> EntityMapping {
        var text = MappingFile.text(of: Mapping([.contact]))
        for (from, to) in changes {
            #expect(text.contains(from), "\(from)")
            text = text.replacing(from, with: to, maxReplacements: 1)
        }
        return try MappingFile(text).entities[0]
    }

    private func findings(
        _ mapping: EntityMapping, there: [RemoteField] = [], at system: System = .mautic,
        _ records: [[String: Value]] = []
    ) -> [String] {
        let connected = MappingCheck.Connected(system.name, system, fields: ["contact": there])
        var check = MappingCheck([mapping], at: there.isEmpty ? [] : [connected])
        for record in records { check.look("contact") { [record[$0]].compactMap(\.self) } }
        return words(check)
    }

    private func words(_ check: MappingCheck) -> [String] {
        check.findings.map { finding in
            "\(finding.isFault ? "! " : "")\(finding.field) \(finding.label)\(finding.kind == finding.entity ? "" : "'s \(finding.kind)s"): \(finding.sentence)"
                + (finding.records > 0 ? " (\(finding.records))" : "")
        }
    }

    @Test func `of what ships and fits has nothing to say`() {
        #expect(findings(.contact, [["first_name": .text("Ann"), "tags": .set(["a"])]]).isEmpty)
    }

    @Test func `names what is cut, cleaned or no tag, and of how many records`() {
        let long = Value.text(String(repeating: "x", count: 70))
        let found = findings(
            .contact,
            [
                ["first_name": long], ["first_name": long], ["city": .text("a <b")],
                ["tags": .set(["-a"])], ["description": .text("tea  ")],
            ])
        #expect(
            found == [
                "! first_name mautic: it is cut at 64 characters there (2)",
                "! city mautic: it is cleaned there: < and what follows, or entities, are taken for HTML (1)",
                "! city suitecrm: it is cleaned there: < and what follows, or entities, are taken for HTML (1)",
                "! tags mautic: a tag of it cannot be one there: no leading -, no comma, no < (1)",
            ])
    }

    @Test func `tells what is cut from what is refused for its length`() throws {
        let mapping = try contact(("mautic: {attribute: city, longest: 191}", "mautic: city"))
        let names = mapping.attributes(of: .mautic).map { RemoteField($0, .text, longest: 64) }
        let long = Value.text(String(repeating: "x", count: 70))
        let found = findings(mapping, there: names, [["first_name": long], ["city": long]])
        #expect(found.contains("! first_name mautic: it is cut at 64 characters there (1)"))
        #expect(
            found.contains(
                "! city mautic: it is longer than the 64 characters there, so the whole object is refused (1)"
            ), "\(found)")
    }

    @Test func `names words that the lookup or the system lacks`() throws {
        let mapping = try contact(
            (
                "mautic: {attribute: position, longest: 191}",
                "mautic: {attribute: position, lookup: {boss: Chief, maker: Engineer}}"
            ))
        var position = RemoteField("position", .text)
        position.options = ["Chief", "Clerk"]
        let others = mapping.fields.compactMap { $0.spellings[.mautic]?.attribute }
            .filter { $0 != "position" }.map { RemoteField($0, .text) }
        #expect(
            findings(
                mapping, there: others + [position],
                [["title": .text("boss")], ["title": .text("maker")], ["title": .text("poet")]])
                == [
                    "! title mautic: Engineer is none of the values that position takes there",
                    "! title mautic: it is none of the values that position takes there (1)",
                    "! title mautic: the lookup has no word for it, so it is not written there (1)",
                ])
    }

    @Test func `holds the mapping against what the system has`() throws {
        let mapping = try contact(
            ("mautic: {attribute: address1, longest: 191}", "mautic: adress1"),
            ("mautic: {attribute: city, longest: 191}", "mautic: city"))
        var city = RemoteField("city", .text, longest: 191)
        city.isRequired = true
        var there = mapping.fields.compactMap { $0.spellings[.mautic]?.attribute }
            .filter { !["city", "adress1", "phone"].contains($0) }.map { RemoteField($0, .text) }
        there += [city, RemoteField("address1", .text), RemoteField("phone", .number)]
        #expect(
            findings(mapping, there: there) == [
                "! phone mautic: phone holds numbers there, not texts",
                "! street mautic: there is no field adress1 there, did you mean address1? (Mautic drops it without a word)",
                "city mautic: it holds 191 characters there: say `longest: 191`",
                "city mautic: no object is made there without it: say `required: true`, or give a default",
            ])
    }

    @Test func `knows a whole name by its own name, and a join before it is in force`() throws {
        let mapping = try contact(
            (
                "compass: first_name",
                "compass: {attribute: full_nam, functions: [split first], direction: pull}"
            ),
            (
                "compass: last_name",
                "compass: {attribute: full_name, functions: [split last], direction: pull}"
            ),
            (
                "    street:\n",
                """
                    whole_name:
                      derive: {join: [first_name, last_name]}
                      suitecrm: {attribute: department, longest: 12, direction: push}
                    street:

                """
            ))
        var whole = RemoteField("full_name", .text, longest: 100)
        whole.isRequired = true
        let others = mapping.attributes(of: .compass).filter { !$0.hasPrefix("full") }
        #expect(
            findings(
                mapping, there: others.map { RemoteField($0, .other) } + [whole], at: .compass,
                [
                    ["first_name": .text("Ada"), "last_name": .text("Lovelace")],
                    ["first_name": .text("Ada"), "last_name": .text("King Lovelace")],
                ]) == [
                    "! first_name compass: there is no field full_nam there, did you mean full_name? (every write with it is refused)",
                    "last_name compass: no object is made there without it, and it is only read: say `create: {compass: never}`",
                    "! whole_name suitecrm: it is cut at 12 characters there (1)",
                ])
    }

    @Test func `looks at the words that the mapping itself has for a system`() throws {
        let mapping = try contact(
            (
                "mautic: {attribute: position, longest: 191}",
                "mautic: {attribute: position, longest: 5, default: Nobody}"
            ),
            (
                "suitecrm: {attribute: title, longest: 100}",
                "suitecrm: {attribute: title, constant: a <b}"
            ))
        #expect(
            findings(mapping) == [
                "! title mautic: Nobody is cut at 5 characters there",
                "! title suitecrm: a <b takes another form there",
            ])
        var position = RemoteField("position", .text)
        position.options = ["Chief"]
        let others = mapping.attributes(of: .mautic).filter { $0 != "position" }
        let found = findings(mapping, there: [position] + others.map { RemoteField($0, .text) })
        #expect(
            found.first == "! title mautic: Nobody is none of the values that position takes there")
    }

    @Test func `counts those who lack what is required, and addresses that are none`() throws {
        let mapping = try contact(
            (
                "suitecrm: {attribute: last_name, longest: 100}",
                "suitecrm: {attribute: last_name, longest: 100, required: true}"
            ))
        #expect(
            findings(
                mapping,
                [
                    ["last_name": .text("")], ["first_name": .text("Ann")],
                    ["last_name": .text("Lee"), "email": .text("lee@home")],
                ]) == [
                    "! last_name suitecrm: it is blank and required there, so no object is made (2)",
                    "! email mautic: it is no e-mail address there, so the whole object is refused (1)",
                ])
    }

    @Test func `holds each connection of a system against the mapping`() throws {
        let mapping = try contact(
            ("suitecrm: {attribute: title,", "suitecrm: {direction: push, attribute: title,"))
        let names = mapping.attributes(of: .mautic).map { RemoteField($0, .text) }
        let check = MappingCheck(
            [mapping],
            at: [
                .init("mautic", .mautic, fields: ["contact": names]),
                .init(
                    "mautic-2", .mautic,
                    fields: ["contact": names.filter { $0.name != "mobile" }]),
                .init("crm", .suitecrm, .pull),
            ])
        #expect(
            words(check) == [
                "! mobile mautic-2: there is no field mobile there (Mautic drops it without a word)",
                "! title crm: it is only written, and crm is connected with --direction pull: nothing of it moves",
            ])
    }

    @Test func `looks at what is derived where it comes from, before it is in force`() throws {
        let mapping = try contact(
            (
                "    street:\n",
                """
                    stage:
                      derive: {from: deal, take: stage, by: account, pick: [Won]}
                      mautic: {attribute: stage, direction: push, lookup: {Won: Customer, Open: Lead}}
                    client:
                      derive: {from: account, take: name, by: account, into: tags, prefix: "client: "}
                    street:

                """
            ))
        var stage = RemoteField("stage", .text)
        stage.options = ["Customer"]
        let there = mapping.attributes(of: .mautic).filter { $0 != "stage" }
        var check = MappingCheck(
            [mapping],
            at: [
                .init(
                    "mautic", .mautic,
                    fields: ["contact": there.map { RemoteField($0, .text) } + [stage]])
            ])
        for name in ["Smith, Jones & Co", "Acme"] {
            check.look("account") { $0 == "name" ? [.text(name)] : [] }
        }
        for word in ["Won", "Open", "Lost"] {
            check.look("deal") { $0 == "stage" ? [.text(word)] : [] }
        }
        #expect(
            words(check) == [
                "! stage mautic: Lead is none of the values that stage takes there",
                "! client mautic: a tag of it cannot be one there: no leading -, no comma, no < (1)",
                "! stage mautic: it is none of the values that stage takes there (1)",
                "! stage mautic: the lookup has no word for it, so it is not written there (1)",
            ])
    }

    @Test func `asks nothing of what is only read, nor of who has an object or gets none`() throws {
        let mapping = try contact(
            (
                "mautic: {attribute: lastname, longest: 64}",
                "mautic: {attribute: lastname, longest: 99, required: true}"
            ),
            ("  fields:\n", "  create: {mautic: when city = Oslo}\n  fields:\n"))
        let names = mapping.attributes(of: .mautic).map { RemoteField($0, .text, longest: 70) }
        let read = MappingCheck(
            [mapping], at: [.init("m", .mautic, .pull, fields: ["contact": names])])
        #expect(words(read).isEmpty)
        var check = MappingCheck([mapping], at: [.init("m", .mautic)])
        check.look("contact", at: ["m"]) { $0 == "city" ? [.text("Oslo")] : [] }
        check.look("contact") { $0 == "city" ? [.text("Bonn")] : [] }
        #expect(words(check).isEmpty)
        check.look("contact") { $0 == "city" ? [.text("Oslo")] : [] }
        #expect(
            words(check) == [
                "! last_name m: it is blank and required there, so no object is made (1)"
            ])
    }
}
