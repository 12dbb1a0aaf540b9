import Connectors
import Engine
import Ledger
import Model
import Transport

/// A few questions to a system outside a run: whether it knows us and answers, and what fields it has.
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
            let headers = try authorized()
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

    /// Asks which fields each kind of object has there; blocks for as long as that takes.
    func fields(of mapping: Model.Mapping) throws(RemoteFailure) -> [String: [RemoteField]] {
        var found: [String: [RemoteField]] = [:]
        let headers = try authorized()
        for entity in mapping.entities(of: configured.system) {
            for kind in entity.kinds(at: configured.system) {
                let connector = Connectors.connector(
                    for: configured.system, of: entity, kind: kind)
                found[kind] =
                    try connector.fields(from: ask(connector.fieldsCall(), headers: headers))
            }
        }
        return found
    }

    /// The stages that there are, as the choices of the field that is told by them; `nil` where none
    /// is written.
    func stages(
        of mapping: Model.Mapping
    ) throws(RemoteFailure) -> (kinds: [String], field: RemoteField)? {
        guard configured.direction != .pull else { return nil }
        for entity in mapping.entities(of: configured.system) {
            let spellings = entity.fields.compactMap { $0.spellings[configured.system] }
            guard
                let stage = spellings.first(where: { $0.call == .stage && $0.direction != .pull }),
                let call = connector.stagesCall()
            else { continue }
            var field = RemoteField(stage.remoteName, .text)
            let answer = ask(call, headers: try authorized())
            field.options = try connector.stages(from: answer).map(\.name)
            return (entity.kinds(at: configured.system), field)
        }
        return nil
    }

    private func authorized() throws(RemoteFailure) -> HTTPHeaders {
        var token: String?
        if let call = connector.tokenCall(credentials) {
            token = try connector.token(from: ask(call, headers: [:])).text
        }
        return connector.authorization(credentials, token: token)
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
