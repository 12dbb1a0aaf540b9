/// The two parts of a person's name that stands in one text.
///
/// `Ada King Lovelace` is Ada King and Lovelace, and so is `Lovelace, Ada King`. Nobody can tell all
/// names apart; these are the rules, and the same text always gives the same parts:
///
/// - The last word is the last name, and a particle that stands before it begins it: Vincent and van
///   Gogh. One word alone is a last name.
/// - What stands before a comma is the last name. Particles that end what is behind the comma go in
///   front of it: `Gogh, Vincent van`.
/// - Titles in front and degrees behind (Dr., Mrs., PhD) are no part of a name and are left out.
///   Jr., Sr., II, III and IV tell a father from his child and stay with the last name.
/// - White space between words is one space.
package struct NameParts: Sendable, Hashable {
    /// Empty where there is none.
    package var first: String
    package var last: String

    /// Reads a whole name; both parts are empty where the text is blank.
    package init(_ text: String) {
        var pieces = text.split(separator: ",").map { Self.words($0) }.filter { !$0.isEmpty }
        var suffixes: [String] = []
        // `King, Jr.` is no first name behind a last name.
        while pieces.count > 1, let end = pieces.last, end.allSatisfy(Self.isBehind) {
            suffixes = end.filter(Self.isSuffix) + suffixes
            pieces.removeLast()
        }
        guard var head = pieces.first else {
            (first, last) = ("", "")
            return
        }
        Self.strip(&head, &suffixes)
        var (given, family): ([String], [String])
        if pieces.count > 1 {
            given = pieces.dropFirst().flatMap(\.self)
            Self.strip(&given, &suffixes)
            family = head
            while given.count > 1, let word = given.last, Self.isParticle(word) {
                family.insert(word, at: 0)
                given.removeLast()
            }
        } else {
            let start = Self.lastName(in: head)
            (given, family) = (Array(head[..<start]), Array(head[start...]))
        }
        first = given.joined(separator: " ")
        last = (family + suffixes).joined(separator: " ")
    }

    /// The words of a text with one space between them.
    static func words(_ text: Substring) -> [String] {
        text.split { $0.isWhitespace }.map(String.init)
    }

    /// Takes titles and degrees away, and suffixes apart; one word always stays.
    private static func strip(_ words: inout [String], _ suffixes: inout [String]) {
        while words.count > 1, let word = words.first, titles.contains(bare(word)) {
            words.removeFirst()
        }
        while words.count > 1, let word = words.last, isBehind(word) {
            if isSuffix(word) { suffixes.insert(word, at: 0) }
            words.removeLast()
        }
    }

    /// Where the last name begins: at the first particle that has a word on both sides, or that
    /// begins the text in small letters; else at the last word.
    private static func lastName(in words: [String]) -> Int {
        if words.count > 1, let word = words.first, isParticle(word), word == word.lowercased() {
            return 0
        }
        return words.indices.dropFirst().dropLast().first { isParticle(words[$0]) }
            ?? words.count - 1
    }

    private static func isBehind(_ word: String) -> Bool {
        isSuffix(word) || degrees.contains(bare(word))
    }
    private static func isSuffix(_ word: String) -> Bool { suffixes.contains(bare(word)) }
    private static func isParticle(_ word: String) -> Bool { particles.contains(bare(word)) }

    /// Without full stops and in small letters, as the lists below have it.
    private static func bare(_ word: String) -> String {
        word.lowercased().replacing(".", with: "").replacing("’", with: "'")
    }

    private static let particles: Set<String> = [
        "af", "al", "auf", "av", "ben", "bin", "bint", "da", "dal", "das", "de", "del", "dela",
        "della", "delle", "den", "der", "des", "di", "do", "dos", "du", "el", "ibn", "la", "las",
        "le", "les", "lo", "los", "op", "'t", "te", "ten", "ter", "thoe", "tot", "van", "ver",
        "vom", "von", "zu", "zum", "zur",
    ]
    private static let titles: Set<String> = [
        "dame", "dipl-ing", "dr", "frau", "hr", "herr", "ing", "lady", "lord", "madame", "mag",
        "miss", "mlle", "mme", "monsieur", "mr", "mrs", "ms", "mx", "prof", "professor", "rev",
        "señor", "señora", "signor", "signora", "sir", "sra",
    ]
    private static let degrees: Set<String> = [
        "ba", "bsc", "dds", "dphil", "esq", "jd", "llb", "llm", "ma", "mba", "md", "msc", "phd",
    ]
    private static let suffixes: Set<String> = ["jr", "sr", "ii", "iii", "iv"]
}
