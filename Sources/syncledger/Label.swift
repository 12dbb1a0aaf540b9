/// What a connection is called here: one word, as it stands in tables, options and sentences.
enum Label {
    private static let longest = 40

    static func check(_ label: String) throws {
        let isWord = label.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-_.".utf8.contains(byte)
            }
        }
        guard isWord, (1...longest).contains(label.utf8.count) else {
            throw Refusal(
                "--label is 1 to \(longest) letters from a to z, digits, -, _ and ., such as mautic-events"
            )
        }
    }
}
