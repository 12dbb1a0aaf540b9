import Connectors
import Ledger
import Transport

/// A few questions to a system before its connection is kept: whether it knows us and answers.
struct FirstCall {
    private let configured: ConnectionConfigured
    private let credentials: Credentials
    private let client = HTTPClient()
    private var connector: any Connector { Connectors.connector(for: configured.system) }

    init(_ configured: ConnectionConfigured, _ credentials: Credentials) {
        self.configured = configured
        self.credentials = credentials
    }

    /// Gets a token where one is needed, and reads one page; blocks for as long as that takes.
    ///
    /// - Throws: a `Refusal` with what the system said, in our words.
    func tryOut() throws {
        do throws(RemoteFailure) {
            var token: String?
            if let call = connector.tokenCall(credentials) {
                token = try connector.token(from: ask(call, headers: [:])).text
            }
            let headers = connector.authorization(credentials, token: token)
            // Compass's outbox is asked for as well: a change feed that is not installed says so now.
            let walks = (connector.hasFeed ? [Walk(.feed)] : []) + [Walk(.sweep)]
            for walk in walks {
                _ = try connector.page(from: ask(connector.pageCall(walk), headers: headers), walk)
            }
        } catch {
            throw Refusal(
                "\(configured.label) cannot be used: \(error.message); nothing was stored (--no-check stores it untried)"
            )
        }
    }

    private func ask(_ call: Call, headers: HTTPHeaders) -> HTTPResult {
        var all = call.headers
        for field in headers.fields { all[field.name] = field.value }
        var url = configured.url
        while url.hasSuffix("/") { url.removeLast() }
        let answer = Inbox<HTTPResult>()
        client.start(
            HTTPRequest(
                method: call.method, url: url + call.target, headers: all, body: call.body,
                allowsClearText: configured.allowsClearText)
        ) { answer.put($0) }
        return answer.take()
    }
}
