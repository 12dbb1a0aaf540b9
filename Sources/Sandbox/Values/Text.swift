extension StringProtocol {
    /// This text without blanks, tabs, line ends and NULs at its ends, as PHP's `trim` does.
    var trimmingSpaces: String {
        let blanks: Set<Unicode.Scalar> = [" ", "\t", "\n", "\r", "\u{0}", "\u{B}"]
        let scalars = unicodeScalars
        guard let start = scalars.firstIndex(where: { !blanks.contains($0) }),
            let end = scalars.lastIndex(where: { !blanks.contains($0) })
        else { return "" }
        return String(self[start...end])
    }

    /// This text with its percent escapes decoded; what is no escape stays as it is.
    func percentDecoded(plusIsSpace: Bool) -> String {
        let bytes = Array(utf8)
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%"), index + 2 < bytes.count,
                let value = UInt8(
                    String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
            {
                out.append(value)
                index += 3
            } else {
                out.append(plusIsSpace && byte == UInt8(ascii: "+") ? 0x20 : byte)
                index += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// This text with everything but letters, digits and `-._~` percent-encoded.
    package var percentEncoded: String {
        var out = ""
        for byte in utf8 {
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII,
                scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                    || "-._~".unicodeScalars.contains(scalar)
            {
                out.unicodeScalars.append(scalar)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                out += byte < 16 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return out
    }

    /// Whether SQL's LIKE pattern, with `%` and `_`, covers this whole text.
    func matchesLike(_ pattern: String) -> Bool {
        let text = Array(unicodeScalars)
        let wanted = Array(pattern.unicodeScalars)
        // Reach: the positions of the pattern that the text read so far can stand at.
        var reach: Set<Int> = closure([0], wanted)
        for scalar in text {
            var next: Set<Int> = []
            for position in reach where position < wanted.count {
                if wanted[position] == "%" {
                    next.insert(position)
                } else if wanted[position] == "_" || wanted[position] == scalar {
                    next.insert(position + 1)
                }
            }
            reach = closure(next, wanted)
            if reach.isEmpty { return false }
        }
        return reach.contains(wanted.count)
    }

    private func closure(_ positions: Set<Int>, _ pattern: [Unicode.Scalar]) -> Set<Int> {
        var all = positions
        for var position in positions {
            while position < pattern.count, pattern[position] == "%" {
                position += 1
                all.insert(position)
            }
        }
        return all
    }
}

/// A text as MariaDB's general collation compares it: no case, no accents, no trailing blanks.
func collated(_ text: String) -> String {
    // Plain letters have no marks to take off; most texts are plain, and some are asked for often.
    if text.utf8.allSatisfy({ $0 < 0x80 }) {
        let lower = text.lowercased()
        return lower.hasSuffix(" ") ? String(lower.reversed().drop { $0 == " " }.reversed()) : lower
    }
    var out = ""
    for character in text.lowercased() {
        let base = character.unicodeScalars.first.flatMap { foldings[$0] }
        if let base { out += base } else { out.append(character) }
    }
    while out.last == " " { out.removeLast() }
    return out
}

/// The Latin letters with marks that the sandbox's people use; a full table is not worth its size.
private let foldings: [Unicode.Scalar: String] = {
    let groups: [(String, String)] = [
        ("a", "àáâãäåāăą"), ("c", "çćĉċč"), ("d", "ďđ"), ("e", "èéêëēĕėęě"), ("g", "ĝğġģ"),
        ("i", "ìíîïĩīĭįı"), ("l", "ĺļľł"), ("n", "ñńņň"), ("o", "òóôõöøōŏő"), ("r", "ŕŗř"),
        ("s", "śŝşšș"), ("t", "ţťț"), ("u", "ùúûüũūŭůűų"), ("y", "ýÿŷ"), ("z", "źżž"),
    ]
    var table: [Unicode.Scalar: String] = [:]
    for (base, letters) in groups {
        for letter in letters.unicodeScalars { table[letter] = base }
    }
    return table
}()
