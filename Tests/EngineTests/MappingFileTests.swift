import Engine
import Ledger
import Model
import Testing

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
              scope: {mautic: tags has newsletter}
              create: {suitecrm: when phone is set, mautic: never}
              fields:
                email: {category: contact, kind: email, compass: email, mautic: email, suitecrm: email1}
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
        #expect(contact.field("tier")?.spellings[.suitecrm]?.terms == [.onlyCreate, .required, .silentBlank])
        let again = try MappingFile(MappingFile.text(of: Mapping(file.entities)))
        #expect(again.entities == file.entities)
        let event = try WireDecoder.decode(
            MappingChanged.self, from: WireEncoder.encode(contact.event))
        #expect(try EntityMapping(event, shipped: .contact) == contact)
        #expect(contact.digest != EntityMapping.contact.digest)
    }

    /// What is changed in the shipped file, where it is wrong then, and some words of the sentence.
    static let wrong: [(from: String, to: String, line: Int, column: Int, words: String)] = [
        ("account:\n", "acount:\n", 1, 1, "did you mean account?"),
        ("  fields:\n    name:", "  feilds:\n    name:", 2, 3, "did you mean fields?"),
        ("      compass: company_name", "      compas: company_name", 4, 7, "did you mean compass?"),
        ("longest: 191}", "longest: many}", 5, 48, "a number of characters"),
        ("longest: 191}", "longest: 191", 7, 7, "this is no YAML"),
        ("{attribute: companyname, l", "{atribute: companyname, l", 5, 16, "did you mean attribute?"),
        ("      compass: company_name", "      compass: company_name\n      law: newset", 5, 7, "did you mean newest?"),
        ("      compass: website", "      kind: texts\n      compass: website", 8, 7, "did you mean text?"),
        ("      compass: website", "      compass: company_name", 8, 7, "has the attribute company_name there already"),
        ("{attribute: companywebsite, ", "{attribute: companywebsite, functions: [trimm], ", 9, 44, "did you mean trim?"),
        ("{attribute: companywebsite, ", "{attribute: companywebsite, functions: [cents], ", 9, 44, "not for a field of kind text"),
        ("{attribute: companywebsite, ", "{attribute: companywebsite, direction: pull, only_create: true, ", 9, 61, "the direction is pull"),
        ("{attribute: companywebsite, ", "{attribute: companywebsite, direction: in, ", 9, 55, "take one of both, pull, push"),
        ("{attribute: companywebsite, ", "{attribute: companywebsite, lookup: {a: X, b: X}, ", 9, 44, "nobody could read it"),
        ("{attribute: companywebsite, ", "{attribute: companywebsite, constant: x, functions: [trim], ", 9, 44, "stands alone"),
        ("  fields:\n    name:", "  scope: {mautic: nmae = x}\n  fields:\n    name:", 2, 11, "names a field nmae"),
        ("  fields:\n    name:", "  create: {mautic: whenever}\n  fields:\n    name:", 2, 12, "`always`, `never` or `when`"),
        ("    website:\n", "    phone:\n", 1, 1, "twice"),
        ("companyname", "companyname2", 5, 7, "must be companyname there"),
    ]

    @Test(arguments: wrong)
    func `that is wrong names the line, the column and the nearest word`(
        _ wrong: (from: String, to: String, line: Int, column: Int, words: String)
    ) throws {
        let range = try #require(Self.shipped.ranges(of: wrong.from).first)
        let text = Self.shipped.replacingCharacters(in: range, with: wrong.to)
        do {
            _ = try MappingFile(text)
            Issue.record("it was read")
        } catch let error as MappingFileError {
            #expect(error.message.contains(wrong.words), "\(error)")
            #expect(error.line == wrong.line && error.column == wrong.column, "\(error)")
            #expect(!error.message.contains("\n"))
        }
    }

    @Test(arguments: [
        ("", "the file is empty"), ("- a\n", "here stands an entity"), ("contact: 5\n", "a part of an entity"),
        ("contact: {fields: {}}\n", "the field email is missing"),
        ("contact: {fields: {email: {}}}\n", "no system has it"),
    ])
    func `that says too little is refused`(_ text: String, _ words: String) {
        #expect { try MappingFile(text) } throws: { "\($0)".contains(words) }
    }

    @Test func `cannot loosen a consent`() {
        for (from, to) in [
            ("suitecrm: email_opt_out", "suitecrm: {attribute: email_opt_out, direction: pull}"),
            ("mautic: dnc_email", "mautic: {attribute: dnc_email, functions: [not]}"),
            ("law: strictest", "law: newest"), ("mautic: dnc_email\n", "\n"),
        ] {
            let text = Self.shipped.replacing(from, with: to)
            #expect(text != Self.shipped)
            #expect(throws: MappingFileError.self) { try MappingFile(text) }
        }
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
        self[..<range.lowerBound] + text + self[range.upperBound...]
    }
}
