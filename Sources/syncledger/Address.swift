/// Where a system is: what may stand in the log of it, and nothing that opens it.
enum Address {
    /// The address as it was given, once nothing speaks against it.
    ///
    /// A credential in it is refused and not repeated: the log and the terminal keep what they see.
    static func checked(
        _ url: String?, of system: String, allowsClearText: Bool
    ) throws -> String {
        guard let url else { throw Refusal("say where \(system) is with --url https://…") }
        let scheme = url.lowercased().hasPrefix("http://") ? "http://" : "https://"
        guard url.lowercased().hasPrefix(scheme) else {
            // It may hold anything, so it is not repeated.
            throw Refusal("--url must begin with https://, such as https://crm.example.com")
        }
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { !"/?#\\".contains($0) }
        guard !rest.contains("@") else {
            throw Refusal(
                "--url must not hold a user name or password, for the address stands in the log: leave it out, the secret goes in SYNCLEDGER_SECRET"
            )
        }
        guard !rest.contains(where: { "?#".contains($0) }) else {
            throw Refusal(
                "--url ends at the path: leave out everything from ? or # on; a key goes in SYNCLEDGER_SECRET"
            )
        }
        guard !authority.isEmpty, !url.contains(where: \.isWhitespace) else {
            throw Refusal("--url names no host: write it like https://crm.example.com")
        }
        let host = authority.prefix { $0 != ":" }
        if scheme == "https://" || allowsClearText || host == "localhost" || host.hasPrefix("127.")
        {
            return url
        }
        throw Refusal(
            "\(url) is not encrypted, so anyone on the way can read people's data: use https://, or --clear-text if you accept that"
        )
    }

    /// Whether two addresses differ in their spelling only.
    static func isSame(_ one: String, _ other: String) -> Bool { plain(one) == plain(other) }

    private static func plain(_ url: String) -> String {
        var text = Substring(url)
        while text.hasSuffix("/") { text = text.dropLast() }
        guard let mark = text.firstRange(of: "://") else { return String(text) }
        let authority = text[mark.upperBound...].prefix { $0 != "/" }
        return text[..<authority.endIndex].lowercased() + text[authority.endIndex...]
    }
}
