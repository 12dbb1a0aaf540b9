import Foundation
import Ledger
import Model
import Testing

@testable import Engine

@Suite struct `A mapping file` {
    private static let shipped = MappingFile.text(of: .shipped)

    @Test func `says the mapping as it ships, and reads as it again`() throws {
        let file = try MappingFile(Self.shipped)
        #expect(Mapping(file.entities) == .shipped)
        #expect(MappingFile.text(of: Mapping(file.entities)) == Self.shipped)
    }

    @Test func `may say everything that a mapping can`() throws {
        let text = """
            # Comments are for people.
            contact:
              scope: {mautic: phone is set}
              create: {suitecrm: when phone is set, mautic: never}
              fields:
                email: {category: contact, kind: email, compass: email, mautic: {attribute: email, longest: 191}, suitecrm: email1}
                email_opt_out:
                  category: consent
                  kind: flag
                  law: strictest
                  address: email
                  compass: email_opt_out
                  mautic: dnc_email
                  suitecrm: email_opt_out
                account:
                  kind: reference
                  refers: account
                  without: [lead]
                  compass: client_id
                  mautic: company
                  suitecrm: account_id
                phone:
                  category: contact
                  law: prefer
                  prefer: suitecrm
                  compass: phone
                  suitecrm: {attribute: phone_work, functions: [trim, phone 49], longest: 100}
                tier:
                  compass: tier
                  suitecrm:
                    attribute: department
                    lookup: {gold: "Customer: Gold", "no": None}
                    only_create: true
                    required: true
                    default: "?"
                    blank: silent
                source: {suitecrm: {attribute: lead_source, constant: Web}}
                note: {compass: {attribute: note, direction: pull}, mautic: {attribute: note, direction: push}}
            """
        let file = try MappingFile(text)
        let contact = try #require(file.entities.first)
        #expect(contact.fields.map(\.name).suffix(3) == ["tier", "source", "note"])
        #expect(contact.creates == [.suitecrm: "when phone is set", .mautic: "never"])
        #expect(
            contact.field("tier")?.spellings[.suitecrm]?.terms == [
                .onlyCreate, .required, .silentBlank,
            ])
        let again = try MappingFile(MappingFile.text(of: Mapping(file.entities)))
        #expect(again.entities == file.entities)
        let event = try WireDecoder.decode(
            MappingChanged.self, from: WireEncoder.encode(contact.event))
        #expect(try EntityMapping(event, shipped: .contact) == contact)
        #expect(contact.digest != EntityMapping.contact.digest)
    }

    /// What is changed in the shipped file and into what, some words of the sentence, and the text that
    /// its line and column point at.
    static let wrong: [(from: String, to: String, words: String, at: String)] = [
        ("account:\n", "acount:\n", "did you mean account?", "acount"),
        ("  fields:\n", "  feilds:\n", "did you mean fields?", "feilds"),
        ("compass: company_name", "compas: company_name", "did you mean compass?", "compas:"),
        ("191}", "many}", "a number of characters", "many"),
        ("longest: 191}", "longest: 191", "this is no YAML", ": {attribute: name"),
        (
            "{attribute: companyname", "{atribute: companyname", "did you mean attribute?",
            "atribute"
        ),
        ("  compass: company_name", "  law: newset", "did you mean newest?", "law"),
        ("  compass: website", "  kind: texts", "did you mean text?", "kind"),
        (
            "compass: website", "compass: phone", "has the attribute phone there already",
            "compass: phone"
        ),
        (
            "companyphone,", "companyphone, functions: [trimm],", "did you mean trim?",
            "functions"
        ),
        (
            "companyphone,", "companyphone, functions: [cents],",
            "not for a field of kind text", "functions"
        ),
        (
            "companyphone,", "companyphone, functions: [html],", "is for Compass alone",
            "functions"
        ),
        (
            "companyphone,", "companyphone, direction: pull, only_create: true,",
            "the direction is pull", "only_create"
        ),
        (
            "companyphone,", "companyphone, direction: in,", "take one of both, pull, push",
            "in,"
        ),
        (
            "companyphone,", "companyphone, lookup: {a: X, b: X},", "nobody could read it",
            "lookup"
        ),
        (
            "companyphone,", "companyphone, constant: x, functions: [trim],", "stands alone",
            "constant"
        ),
        ("companyphone,", "companyphone, required: perhaps,", "true or false", "perhaps"),
        ("  fields:\n", "  scope: {mautic: nmae = x}\n  fields:\n", "names a field nmae", "mautic"),
        (
            "  fields:\n", "  create: {mautic: whenever}\n  fields:\n",
            "`always`, `never` or `when`", "mautic"
        ),
        ("    website:\n", "    phone:\n", "twice", ""),
        (
            "suitecrm: date_closed", "suitecrm: {attribute: date_closed, default: soon}",
            "soon cannot be read as a value of kind day, such as 1900-01-01", "default"
        ),
        (
            "mautic: points", "mautic: {attribute: points, default: 5}", "a sum is never blank",
            "default"
        ),
        (
            "compass: points", "compass: {attribute: points, default: 5}", "a sum is never blank",
            "default"
        ),
        ("lookup: countries", "lookup: contries", "did you mean countries?", "contries"),
        (
            "  fields:\n", "  scope: {mautic: city > A}\n  fields:\n",
            "only numbers and days have one", "mautic"
        ),
        ("companyname", "companyname2", "must be companyname there", "mautic"),
    ]

    @Test(arguments: wrong)
    func `that is wrong names the line, the column and the nearest word`(
        _ wrong: (from: String, to: String, words: String, at: String)
    ) throws {
        let text = Self.shipped.replacing(wrong.from, with: wrong.to, maxReplacements: 1)
        #expect(text != Self.shipped)
        do {
            _ = try MappingFile(text)
            Issue.record("it was read")
        } catch let error as MappingFileError {
            #expect(error.message.contains(wrong.words), "\(error)")
            #expect(!error.message.contains("\n"))
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let (line, column) = (try #require(error.line), try #require(error.column))
            let pointedAt = lines[line - 1].dropFirst(column - 1)
            #expect(pointedAt.hasPrefix(wrong.at), "\(error)")
        }
    }

    @Test(arguments: [
        ("", "the file is empty"), ("- a\n", "here stands an entity"),
        ("contact: 5\n", "a part of an entity"),
        ("contact: {fields: {}}\n", "the field email is missing"),
        ("contact: {fields: {email: {}}}\n", "no system has it"),
    ])
    func `that says too little is refused`(_ text: String, _ words: String) {
        #expect { try MappingFile(text) } throws: { "\($0)".contains(words) }
    }

    @Test func `cannot loosen a consent or change who is the same`() {
        for (from, to) in [
            ("suitecrm: email_opt_out", "suitecrm: {attribute: email_opt_out, direction: pull}"),
            ("mautic: dnc_email", "mautic: {attribute: dnc_email, functions: [not]}"),
            ("law: strictest", "law: newest"), ("mautic: dnc_email\n", "\n"),
            // Nor change who is the same.
            ("mautic: {attribute: email, longest: 191}", "mautic: {attribute: email, longest: 5}"),
            ("suitecrm: email1", "suitecrm: {attribute: email1, default: a@example.com}"),
            ("    email:\n", "    email:\n      without: [lead]\n"),
        ] {
            let text = Self.shipped.replacing(from, with: to)
            #expect(text != Self.shipped)
            #expect(throws: MappingFileError.self) { try MappingFile(text) }
        }
    }

    @Test func `has a JSON Schema that knows the same words`() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../Schemas/mapping.schema.json")
        let schema = try JSONSerialization.jsonObject(with: Data(contentsOf: path))
        func at(_ path: String...) -> Any? {
            path.reduce(schema as Any?) { found, key in
                if let list = found as? [Any] { return Int(key).map { list[$0] } }
                return (found as? [String: Any])?[key]
            }
        }
        func keys(_ object: Any?) -> Set<String> { Set((object as? [String: Any] ?? [:]).keys) }
        func words(_ list: Any?) -> Set<String> { Set(list as? [String] ?? []) }
        let systems = System.real.map(\.name)
        #expect(keys(at("properties")) == Set(Mapping.shipped.entities.map(\.entity)))
        #expect(keys(at("$defs", "entity", "properties")) == Set(MappingFile.entityWords))
        #expect(keys(at("$defs", "field", "properties")) == Set(MappingFile.fieldWords + systems))
        #expect(keys(at("$defs", "derive", "properties")) == Set(MappingFile.deriveWords))
        #expect(
            keys(at("$defs", "spelling", "anyOf", "1", "properties"))
                == Set(MappingFile.spellingWords))
        #expect(
            words(at("$defs", "field", "properties", "law", "enum"))
                == Set(Law.allCases.map(\.rawValue)))
        #expect(
            words(at("$defs", "field", "properties", "kind", "enum"))
                == Set(FieldCodec.Kind.allCases.filter { $0 != .referenceByName }.map(\.rawValue)))
        #expect(
            words(at("$defs", "function", "anyOf", "0", "enum"))
                == Set(TextFunction.names.filter { !["phone", "date", "split"].contains($0) }))
    }
}
