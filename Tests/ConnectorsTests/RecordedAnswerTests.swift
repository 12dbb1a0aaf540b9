import Foundation
import Ledger
import Model
import Testing
import Transport

@testable import Connectors

/// Every recorded answer to a call that we make is decoded, and nothing of it is lost.
@Suite struct RecordedAnswerTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("../shared/recordings").standardized

    static let isThere = FileManager.default.fileExists(atPath: folder.path)

    /// One exchange of a recording, as far as it is needed.
    private struct Exchange {
        var name: String
        var method: String
        var path: String
        var body: String
        var answer: HTTPResponse

        /// The answer, read by a reader that is not ours.
        var json: Any? { try? JSONSerialization.jsonObject(with: Data(answer.body)) }
    }

    private static func exchanges(of system: String) throws -> [Exchange] {
        let place = folder.appendingPathComponent(system)
        let files = try FileManager.default.contentsOfDirectory(
            at: place, includingPropertiesForKeys: nil)
        return try files.filter { $0.pathExtension == "har" }.flatMap { file in
            let har = try JSONDecoder().decode(Recording.self, from: Data(contentsOf: file))
            return har.log.entries.enumerated().map { index, entry in
                let text = entry.response.content.text ?? ""
                return Exchange(
                    name: "\(file.lastPathComponent) \(index)", method: entry.request.method,
                    path: URLComponents(string: entry.request.url)?.path ?? "",
                    body: entry.request.postData?.text ?? "",
                    answer: HTTPResponse(
                        status: entry.response.status,
                        headers: HTTPHeaders(
                            entry.response.headers.map { ($0.name, $0.value) }),
                        body: Array(text.utf8)))
            }
        }
    }

    // MARK: - Field lists

    @Test(.enabled(if: isThere))
    func `recorded field lists are read whole`() throws {
        var lists = 0
        for exchange in try Self.exchanges(of: "suitecrm")
        where exchange.path.contains("/meta/fields/") && exchange.answer.status == 200 {
            let answer = HTTPResult.response(exchange.answer)
            let fields = try SuiteCRMConnector().fields(from: answer)
            let data = (exchange.json as? [String: Any])?["data"] as? [String: Any]
            let told = data?["attributes"] as? [String: Any] ?? [:]
            #expect(Set(fields.map(\.name)) == Set(told.keys) && !told.isEmpty, "\(exchange.name)")
            // Lengths and names as the sandbox tells them are those of the program.
            let shipped = [("Contacts", EntityMapping.contact), ("Accounts", .account)]
            for (module, entity) in shipped where exchange.path.hasSuffix("/\(module)") {
                for field in entity.fields {
                    guard let own = field.spellings[.suitecrm], own.call == .object,
                        !own.codec.kind.isReference
                    else { continue }
                    let there = try #require(fields.first { $0.name == own.attribute })
                    if let length = there.longest { #expect(own.codec.maximumLength == length) }
                }
            }
            lists += 1
        }
        for exchange in try Self.exchanges(of: "mautic")
        where exchange.method == "GET" && exchange.path.hasPrefix("/api/fields/")
            && exchange.answer.status == 200
        {
            let told = (exchange.json as? [String: Any])?["fields"] as? [String: Any]
            guard let told else { continue }
            let fields = try MauticConnector().fields(from: .response(exchange.answer))
            #expect(fields.count == told.count, "\(exchange.name)")
            lists += 1
        }
        #expect(lists >= 5)
    }

    // MARK: - Mautic

    @Test(.enabled(if: isThere))
    func `Mautic's recorded answers are decoded without loss`() throws {
        var decoded = 0
        var found = 0
        for exchange in try Self.exchanges(of: "mautic") {
            let parts = exchange.path.split(separator: "/").map(String.init)
            guard parts.starts(with: ["api", "contacts"]) else { continue }
            let answer = HTTPResult.response(exchange.answer)
            switch (exchange.method, parts.count) {
            case ("GET", 2):
                decoded += 1
                // A list in another order than ours is refused as a page: its objects are read.
                let page = try? MauticConnector().page(from: answer, Walk(.sweep))
                let raw = ((exchange.json as? [String: Any])?["contacts"] as? [String: Any]) ?? [:]
                if let page { #expect(page.objects.count == raw.count, "\(exchange.name)") }
                for contact in raw.values {
                    guard let contact = contact as? [String: Any] else { continue }
                    found += try Self.compareMautic(contact, exchange)
                }
            case ("GET", 3), ("PATCH", 4), ("DELETE", 4), ("POST", 3), ("POST", 6):
                decoded += 1
                Self.converse(exchange, MauticConnector(), id: parts[2], parts)
                let raw = (exchange.json as? [String: Any])?["contact"] as? [String: Any]
                if exchange.method == "GET", let id = raw?["id"] as? Int {
                    let looked = try MauticConnector().look(from: answer, asked: parts[2])
                    guard case .found(let object) = looked else {
                        #expect(String(id) != parts[2], "\(exchange.name)")
                        continue
                    }
                    #expect(object.id == parts[2], "\(exchange.name)")
                }
                if let raw, exchange.answer.status < 300 {
                    found += try Self.compareMautic(raw, exchange)
                }
            default: continue
            }
        }
        #expect(decoded > 50, "\(decoded)")
        #expect(found > 400, "\(found)")
    }

    /// Compares id, e-mail and every text field with the raw JSON.
    private static func compareMautic(
        _ raw: [String: Any], _ exchange: Exchange
    ) throws -> Int {
        guard let id = raw["id"] as? Int else { return 0 }
        let bytes = try JSONSerialization.data(withJSONObject: raw)
        let object = try MauticConnector().object(try JSON(parsing: Array(bytes)))
        #expect(object.id == String(id), "\(exchange.name)")
        #expect(object["points"] == (raw["points"] as? Int).map { .number(String($0)) })
        let channels = raw["doNotContact"] as? [[String: Any]]
        #expect(
            object["dnc_email"]
                == channels.map { .bool($0.contains { $0["channel"] as? String == "email" }) })
        for group in (raw["fields"] as? [String: Any] ?? [:]) where group.key != "all" {
            for (alias, entry) in group.value as? [String: [String: Any]] ?? [:]
            where ["email", "firstname", "lastname", "city", "phone"].contains(alias) {
                guard let value = entry["value"] else { continue }
                let told = (value as? String).map(Value.text) ?? .null
                #expect(object[alias] == told, "\(exchange.name) \(alias)")
            }
        }
        return 1
    }

    /// Feeds an answer to every reader that could get it: a value or a failure, never a crash.
    private static func converse(
        _ exchange: Exchange, _ connector: any Connector, id: String, _ parts: [String]
    ) {
        let answer = HTTPResult.response(exchange.answer)
        let isSuccess = (200..<300).contains(exchange.answer.status)
        let orders = [
            order(.create, email: "a@x.test", [change("dnc_email", .bool(true), .optOut)]),
            order(.update, id: id, [change("city", .null)]),
            order(.update, id: id, [change("points", .number("5"), .points, form: .delta)]),
            order(.update, id: id, [change("dnc_email", .bool(true), .optOut)]),
            order(.delete, id: id),
        ]
        for order in orders {
            let talk = Talk(connector.write(order), [answer])
            if !isSuccess { #expect(!talk.isConfirmed || order.operation == .delete) }
        }
        let last = parts.dropFirst(3)
        if last.first == "points", ["plus", "minus"].contains(parts[4]), isSuccess {
            #expect(Talk(connector.write(orders[2]), [answer]).isConfirmed, "\(exchange.name)")
        }
        if last.first == "dnc", parts[4] == "email", isSuccess {
            let order = order(
                .update, id: id, [change("dnc_email", .bool(parts[5] == "add"), .optOut)])
            let talk = Talk(connector.write(order), [answer])
            // A dead id is answered by the survivor (A1).
            let contact = (exchange.json as? [String: Any])?["contact"] as? [String: Any]
            let told = (contact?["id"] as? Int).map(String.init)
            #expect(talk.isConfirmed == (told == id), "\(exchange.name)")
            if told != id { #expect(talk.failure?.kind == .refused(.wrongObject)) }
        }
    }

    // MARK: - SuiteCRM

    @Test(.enabled(if: isThere))
    func `SuiteCRM's recorded answers are decoded without loss`() throws {
        var decoded = 0
        var found = 0
        let connector = SuiteCRMConnector()
        for exchange in try Self.exchanges(of: "suitecrm") {
            let parts = exchange.path.split(separator: "/").map(String.init)
            guard parts.starts(with: ["Api", "V8", "module"]) else { continue }
            let isContact =
                parts.dropFirst(3).first == "Contacts" || exchange.body.contains("\"Contacts\"")
            guard isContact else { continue }
            decoded += 1
            let answer = HTTPResult.response(exchange.answer)
            let raw = (exchange.json as? [String: Any])?["data"]
            switch (exchange.method, parts.count) {
            case ("GET", 4):
                let page = try? connector.page(from: answer, Walk(.sweep))
                let rows = raw as? [[String: Any]] ?? []
                if let page { #expect(page.objects.count == rows.count, "\(exchange.name)") }
                for row in rows { found += try Self.compareSuiteCRM(row, exchange) }
            case ("GET", 7) where parts.last == "email_addresses":
                #expect(try connector.addresses(from: answer).count > 0, "\(exchange.name)")
            default:
                Self.converse(exchange, connector, id: parts.count > 4 ? parts[4] : ourID, parts)
                if let row = raw as? [String: Any], row["type"] as? String == "Contact" {
                    let id = row["id"] as? String ?? ""
                    if exchange.method == "GET" {
                        guard case .found = try connector.look(from: answer, asked: id) else {
                            Issue.record("not found: \(exchange.name)")
                            continue
                        }
                    }
                    found += try Self.compareSuiteCRM(row, exchange)
                }
            }
        }
        #expect(decoded > 50, "\(decoded)")
        #expect(found > 200, "\(found)")
    }

    private static func compareSuiteCRM(
        _ raw: [String: Any], _ exchange: Exchange
    ) throws -> Int {
        guard let id = raw["id"] as? String else { return 0 }
        let bytes = try JSONSerialization.data(withJSONObject: raw)
        let object = try SuiteCRMConnector().object(try JSON(parsing: Array(bytes)))
        #expect(object.id == id, "\(exchange.name)")
        let attributes = raw["attributes"] as? [String: Any] ?? [:]
        for name in ["email1", "first_name", "last_name", "description", "phone_work"] {
            guard let spelt = attributes[name] as? String else { continue }
            // Exactly four entities, once (fact 6), by another way than ours.
            let plain = spelt.replacingOccurrences(of: "&lt;", with: "<")
                .replacingOccurrences(of: "&gt;", with: ">")
                .replacingOccurrences(of: "&quot;", with: "\"")
                .replacingOccurrences(of: "&#039;", with: "'")
            #expect(object[name] == .text(plain), "\(exchange.name) \(name)")
        }
        return 1
    }
}

private struct Recording: Decodable {
    struct Log: Decodable { var entries: [Entry] }
    struct Entry: Decodable {
        var request: Request
        var response: Response
    }
    struct Header: Decodable {
        var name: String
        var value: String
    }
    struct Text: Decodable { var text: String? }
    struct Request: Decodable {
        var method: String
        var url: String
        var postData: Text?
    }
    struct Response: Decodable {
        var status: Int
        var headers: [Header]
        var content: Text
    }

    var log: Log
}
