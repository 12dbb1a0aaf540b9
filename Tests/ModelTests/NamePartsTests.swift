import Ledger
import Testing

@testable import Model

@Suite struct `The parts of a name` {
    @Test(arguments: [
        ("Ada  King Lovelace", "Ada King", "Lovelace"), (" Ada\tLovelace ", "Ada", "Lovelace"),
        ("Lovelace, Ada", "Ada", "Lovelace"), ("King Lovelace,Ada", "Ada", "King Lovelace"),
        ("Lovelace", "", "Lovelace"), ("Lovelace,", "", "Lovelace"), (", Ada", "", "Ada"),
        ("", "", ""), (" , ", "", ""),
    ])
    func `are told by the last word or by a comma`(_ text: String, _ first: String, _ last: String)
    {
        #expect(NameParts(text).first == first)
        #expect(NameParts(text).last == last)
    }

    @Test(arguments: [
        ("Vincent van Gogh", "Vincent", "van Gogh"), ("VINCENT VAN GOGH", "VINCENT", "VAN GOGH"),
        ("Gogh, Vincent van", "Vincent", "van Gogh"), ("van Gogh", "", "van Gogh"),
        ("Otto von Bismarck", "Otto", "von Bismarck"), ("Robert De Niro", "Robert", "De Niro"),
        ("Johann Wolfgang von Goethe", "Johann Wolfgang", "von Goethe"),
        ("Juan Carlos de la Cruz y García", "Juan Carlos", "de la Cruz y García"),
        ("Karl Theodor zu Guttenberg", "Karl Theodor", "zu Guttenberg"),
        ("Hr. Hendrik van 't Hoff", "Hendrik", "van 't Hoff"),
        // A first name that looks like one, and a last word that does.
        ("Van Morrison", "Van", "Morrison"), ("Al Pacino", "Al", "Pacino"),
        ("Ngo Thi Van", "Ngo Thi", "Van"), ("Anna Vanderbilt", "Anna", "Vanderbilt"),
    ])
    func `leave particles with the last name`(_ text: String, _ first: String, _ last: String) {
        #expect(NameParts(text).first == first)
        #expect(NameParts(text).last == last)
    }

    @Test(arguments: [
        ("Dr. Ada Lovelace", "Ada", "Lovelace"), ("Prof. Dr. Lise Meitner", "Lise", "Meitner"),
        ("Meitner, Dr. Lise", "Lise", "Meitner"), ("Dr. Meitner", "", "Meitner"),
        ("Lise Meitner, PhD", "Lise", "Meitner"), ("Lise Meitner M.D.", "Lise", "Meitner"),
        ("Martin Luther King, Jr.", "Martin Luther", "King Jr."),
        ("King, Martin Luther, Jr.", "Martin Luther", "King Jr."),
        ("King Jr., Martin Luther", "Martin Luther", "King Jr."),
        ("Martin Luther King Jr. PhD", "Martin Luther", "King Jr."),
        ("Thurston Howell III", "Thurston", "Howell III"),
        // Something always stays.
        ("Dr.", "", "Dr."), ("Dr. Jr.", "", "Jr."), ("Jr.", "", "Jr."),
    ])
    func `leave out titles and degrees, and keep who is the younger`(
        _ text: String, _ first: String, _ last: String
    ) {
        #expect(NameParts(text).first == first)
        #expect(NameParts(text).last == last)
    }

    @Test func `never come to nothing, and are made of the words of the text`() {
        let words = ["Dr.", "van", "Ada", "Jr.", "PhD", ",", "de", "King", "O'Neill"]
        var random = SplitMix64(seed: 7)
        for _ in 0..<5_000 {
            let text = (0..<Int.random(in: 1...6, using: &random)).map { _ in
                words.randomElement(using: &random) ?? ""
            }.joined(separator: " ")
            let parts = NameParts(text)
            #expect(text.allSatisfy { " ,".contains($0) } == parts.last.isEmpty, "\(text)")
            for word in (parts.first + " " + parts.last).split(separator: " ") {
                #expect(text.contains(word), "\(text)")
            }
            #expect(!(parts.first + parts.last).contains(","), "\(text)")
            // A part is in the form that it would be told in.
            #expect(parts == NameParts("  " + text.replacing(" ", with: " \t")), "\(text)")
        }
    }

    @Test(arguments: System.real)
    func `are read as two contents, and neither is read anew`(_ system: System) throws {
        func codec(_ functions: String...) throws -> FieldCodec {
            FieldCodec(
                system, .text,
                translation: Translation(functions: try functions.map { try TextFunction($0) }))
        }
        let (first, last) = (try codec("split first"), try codec("split last"))
        let spelt = Value.text("Vincent van Gogh")
        #expect(first.content(of: spelt) == .text("Vincent"))
        #expect(last.content(of: spelt) == .text("van Gogh"))
        #expect(first.held(.text("Vincent")) == .text("Vincent"), "it stays the first name")
        #expect(last.held(.text("King  Lovelace ")) == .text("King Lovelace"))
        #expect(first.content(of: .text("Gogh")) == .null && first.held(.null) == .null)
        #expect(first.content(of: .null) == .null && last.content(of: .text(" ")) == .null)
        #expect(try codec("split last", "uppercase").content(of: spelt) == .text("VAN GOGH"))
    }

    @Test func `are named exactly`() {
        #expect {
            try TextFunction("split lats")
        } throws: { "\($0)".hasSuffix("not lats: did you mean last?") }
        #expect(throws: FunctionError.noPart("")) { try TextFunction("split") }
    }
}
