/// Text with HTML's entities decoded: the numeric ones and the named ones of Latin text.
func decodedEntities(_ text: String) -> String {
    guard text.contains("&") else { return text }
    var out = ""
    var rest = Substring(text)
    while let mark = rest.firstIndex(of: "&") {
        out += rest[..<mark]
        let tail = rest[rest.index(after: mark)...]
        if let end = tail.prefix(10).firstIndex(of: ";"), let decoded = entity(tail[..<end]) {
            out += decoded
            rest = tail[tail.index(after: end)...]
        } else {
            out += "&"
            rest = tail
        }
    }
    return out + rest
}

private func entity(_ name: Substring) -> String? {
    if name.hasPrefix("#") {
        let digits = name.dropFirst()
        let isHex = digits.first == "x" || digits.first == "X"
        let code = isHex ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        return code.flatMap(Unicode.Scalar.init).map(String.init)
    }
    return namedEntities[String(name)]
}

private let namedEntities: [String: String] = [
    "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": "\u{A0}",
    "copy": "©", "reg": "®", "trade": "™", "euro": "€", "pound": "£", "sect": "§",
    "ndash": "–", "mdash": "—", "hellip": "…", "lsquo": "‘", "rsquo": "’",
    "ldquo": "“", "rdquo": "”", "laquo": "«", "raquo": "»", "deg": "°", "middot": "·",
    "agrave": "à", "aacute": "á", "acirc": "â", "atilde": "ã", "auml": "ä", "aring": "å",
    "aelig": "æ", "ccedil": "ç", "egrave": "è", "eacute": "é", "ecirc": "ê", "euml": "ë",
    "iacute": "í", "icirc": "î", "iuml": "ï", "ntilde": "ñ", "ograve": "ò", "oacute": "ó",
    "ocirc": "ô", "otilde": "õ", "ouml": "ö", "oslash": "ø", "ugrave": "ù", "uacute": "ú",
    "ucirc": "û", "uuml": "ü", "szlig": "ß", "Auml": "Ä", "Ouml": "Ö", "Uuml": "Ü",
    "Eacute": "É", "Aring": "Å", "Oslash": "Ø", "AElig": "Æ",
]
