import Ledger
import Transport

/// The answer of a system that has too much to do and ran nothing, if this is one.
///
/// A 429 always is; a 503 only where it says when to come back, for a bare one may stand behind a
/// proxy that gave up on a request that ran.
func tooBusy(_ response: HTTPResponse, _ name: String, unsaid seconds: Double) -> RemoteFailure? {
    let asked = retryAfter(response)
    switch response.status {
    case 429:
        return RemoteFailure(
            .again(afterSeconds: asked ?? seconds), status: 429, "\(name)'s rate limit is reached")
    case 503:
        return asked.map {
            RemoteFailure(
                .again(afterSeconds: $0), status: 503, "\(name) is busy and asks to wait")
        }
    default: return nil
    }
}

/// How long `Retry-After` asks to wait, in seconds from 1 to 3,600; `nil` where it says nothing
/// that can be read.
///
/// RFC 9110, section 10.2.3: a number of seconds, or a date, which is measured against the answer's
/// own `Date`, since our clock may differ.
func retryAfter(_ response: HTTPResponse) -> Double? {
    guard let text = response.headers["Retry-After"] else { return nil }
    if let seconds = Double(text), seconds.isFinite { return clamped(seconds, to: 1...3_600) }
    guard let until = httpDate(text), let now = response.headers["Date"].flatMap(httpDate) else {
        return nil
    }
    return clamped(
        Double(until.microseconds - now.microseconds) / 1_000_000, to: 1...3_600)
}

/// How long a token lives, in seconds from a minute to 30 days; an hour where nothing readable is
/// said, as both programs have it (Mautic E2, SuiteCRM fact 12).
func tokenLifetime(_ json: JSON) -> Double {
    guard let seconds = json["expires_in"]?.text.flatMap(Double.init), seconds.isFinite else {
        return 3_600
    }
    return clamped(seconds, to: 60...30 * 86_400)
}

private func clamped(_ seconds: Double, to range: ClosedRange<Double>) -> Double {
    min(max(seconds, range.lowerBound), range.upperBound)
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7); the obsolete forms are `nil`.
func httpDate(_ text: String) -> Timestamp? {
    let words = text.split(separator: " ").map(String.init)
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    guard words.count == 6, words[5] == "GMT", words[1].utf8.count == 2, words[3].utf8.count == 4,
        words[4].utf8.count == 8, let month = months.firstIndex(of: words[2])
    else { return nil }
    let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
    return Timestamp("\(words[3])-\(number)-\(words[1])T\(words[4])Z")
}

/// Demands that a page's ids grow, from beyond the last one of the page before.
///
/// A system that does not understand a filter may answer everything (Mautic A7): a walk would then
/// go round for ever, or leave somebody out unseen.
func checkGrowth(
    of ids: [String], after: String?, _ name: String, precedes: (String, String) -> Bool
) throws(RemoteFailure) {
    var last = after
    for id in ids {
        if let last, !precedes(last, id) {
            throw RemoteFailure(
                .unclear, status: 200,
                "\(name) answered a page out of order: its filter or sorting was not followed")
        }
        last = id
    }
}
