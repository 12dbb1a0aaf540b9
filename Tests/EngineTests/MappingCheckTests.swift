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
        let place = MappingCheck.Place("contact", system)
        var check = MappingCheck([mapping], remote: there.isEmpty ? [:] : [place: there])
        for record in records { check.look("contact") { [record[$0]].compactMap(\.self) } }
        return check.findings.map { finding in
            "\(finding.isFault ? "! " : "")\(finding.field) \(finding.system.name): \(finding.sentence)"
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
}
