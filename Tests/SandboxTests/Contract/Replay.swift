import Sandbox

/// What a replay of one recording came to.
struct ReplayReport {
    var recording: String
    var replayed = 0
    /// Those among them whose recorded body is cut: only status and headers were compared.
    var cut = 0
    /// How many exchanges were left out, by reason.
    var skipped: [String: Int] = [:]
    var differences: [Difference] = []

    var summary: String {
        let reasons = skipped.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        let tail = reasons.isEmpty ? "" : " (\(reasons.joined(separator: "; ")))"
        return
            "\(recording): replayed \(replayed) (\(cut) cut), skipped \(skipped.values.reduce(0, +))\(tail), "
            + "\(differences.count) differences"
    }

    /// Compares one answer with its recording.
    mutating func check(
        _ exchange: Exchange, _ emulated: SandboxResponse, headers: [String],
        _ comparison: Comparison
    ) {
        replayed += 1
        if exchange.isCut { cut += 1 }
        var comparison = comparison
        let recorded = exchange.response
        if recorded.status != emulated.status {
            comparison.note(
                "status", "\(recorded.status)", "\(emulated.status) \(emulated.text.prefix(160))")
        }
        for name in headers {
            let (a, b) = (recorded.header(name), emulated.header(name))
            let (x, y) = (a.map(Self.plain) ?? "none", b.map(Self.plain) ?? "none")
            if x != y { comparison.note("header \(name)", x, y) }
        }
        if recorded.status == emulated.status, !exchange.isCut {
            switch (recorded.json, emulated.json) {
            case (let a?, let b?): comparison.compare(a, b)
            case (nil, nil): break
            case (let a, let b):
                comparison.note(
                    "body", a == nil ? "no JSON" : "JSON", b == nil ? "no JSON" : "JSON")
            }
        }
        differences += comparison.found.map {
            Difference(
                recording: recording, index: exchange.index, path: $0.path,
                recorded: $0.recorded, emulated: $0.emulated)
        }
    }

    mutating func skip(_ reason: String) { skipped[reason, default: 0] += 1 }

    /// A header's value without what differs from call to call: host, ids.
    private static func plain(_ value: String) -> String {
        guard let path = value.firstRange(of: "/api/contacts") else { return value }
        return String(value[path.lowerBound...].map { $0.isNumber ? "0" : $0 }.prefix(15))
    }
}
