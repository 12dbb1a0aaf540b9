import Connectors
import Ledger
import Model
import Testing
import Transport

/// Creates, updates, deletes and opt-outs in SuiteCRM, a step a line.
@Suite struct SuiteCRMWriteTests {
    private static func contact(_ id: String, _ attributes: String = "") -> String {
        #"{"data":{"type":"Contact","id":"\#(id)","attributes":{\#(attributes)}}}"#
    }

    private static func refused(_ text: String) -> HTTPResult {
        answer(400, #"{"errors":{"status":400,"title":null,"detail":"\#(text)"}}"#)
    }

    private static func talk(_ order: WriteOrder, _ answers: HTTPResult...) -> Talk {
        Talk(SuiteCRMConnector().write(order), answers)
    }

    // MARK: - The contact itself

    @Test func `fact 26: a create names our id and sends what it was given`() {
        let talk = Self.talk(
            order(.create, [change("last_name", .text("Lark")), change("title", .text(""))]),
            answer(201, Self.contact(ourID, #""last_name":"Lark","title":"""#)))
        let data = talk.calls[0].json?["data"]
        #expect(talk.lines == ["POST /Api/V8/module"])
        #expect(data?["type"]?.text == "Contacts" && data?["id"]?.text == ourID)
        #expect(data?["attributes"]?.members.map(\.name) == ["last_name", "title"])
        #expect(talk.remoteID == ourID)
    }

    @Test func `an update sends only the changed fields, blanks as empty text`() {
        let talk = Self.talk(
            order(
                .update, id: otherID, [change("title", .null), change("phone_work", .text("1"))]),
            answer(201, Self.contact(otherID, #""title":"""#)))
        let data = talk.calls[0].json?["data"]
        #expect(talk.lines == ["PATCH /Api/V8/module"])
        #expect(data?["id"]?.text == otherID)
        #expect(
            data?["attributes"]
                == .object([.init("title", .string("")), .init("phone_work", .string("1"))]))
        #expect(talk.object?["title"] == .text(""))
    }

    @Test func `fact 6: entities are decoded exactly once`() {
        let talk = Self.talk(
            order(.update, id: otherID, [change("title", .text("x"))]),
            answer(201, Self.contact(otherID, #""title":"&lt;A&amp;B&gt; &amp;lt; O&#039;Lark""#)))
        #expect(talk.object?["title"] == .text("<A&amp;B> &amp;lt; O'Lark"))
    }

    @Test(arguments: [Operation.create, .update])
    func `another contact's answer is refused`(operation: Operation) {
        let talk = Self.talk(
            order(operation, id: operation == .create ? nil : ourID, [change("title", .null)]),
            answer(201, Self.contact(otherID)))
        #expect(talk.failure?.kind == .refused(.wrongObject))
    }

    @Test func `ids are compared without regard to case`() {
        let talk = Self.talk(
            order(.update, id: otherID.uppercased(), [change("title", .null)]),
            answer(201, Self.contact(otherID)))
        #expect(talk.isConfirmed)
    }

    @Test func `fact 26: an id that exists is looked up, and is ours where it is found`() {
        let talk = Self.talk(
            order(.create, [change("last_name", .text("Lark"))]),
            Self.refused("Bean Contacts with id \(ourID) is already exist"),
            answer(200, Self.contact(ourID, #""last_name":"Lark""#)))
        #expect(talk.lines.last == "GET /Api/V8/module/Contacts/\(ourID)")
        #expect(talk.remoteID == ourID)
        #expect(talk.object?["last_name"] == .text("Lark"))
    }

    @Test func `fact 26: an id that a deleted contact has had is a conflict`() {
        let talk = Self.talk(
            order(.create, [change("last_name", .text("Lark"))]),
            Self.refused("Bean Contacts with id \(ourID) is already exist"),
            Self.refused("Contact module with id \(ourID) is not found"))
        #expect(talk.failure?.kind == .refused(.conflict))
    }

    @Test func `an update that meets a conflict looks nothing up`() {
        let talk = Self.talk(
            order(.update, id: otherID, [change("title", .null)]), Self.refused("already exist"))
        #expect(talk.calls.count == 1)
        #expect(talk.failure?.kind == .refused(.conflict))
    }

    @Test func `a contact that is gone already is deleted`() {
        let gone = Self.refused("Contact module with id \(otherID) is not found")
        #expect(Self.talk(order(.delete, id: otherID), gone).isConfirmed)
        let talk = Self.talk(order(.delete, id: otherID), answer(200, #"{"meta":{},"data":[]}"#))
        #expect(talk.lines == ["DELETE /Api/V8/module/Contacts/\(otherID)"])
        #expect(talk.isConfirmed)
    }

    @Test(arguments: [Operation.create, .update, .delete], nonsense)
    func `nonsense is never taken for success or refusal`(operation: Operation, bad: HTTPResult) {
        let id = operation == .create ? nil : otherID
        let talk = Self.talk(order(operation, id: id, [change("title", .text("x"))]), bad)
        #expect(talk.failure?.kind == .unclear)
    }

    // MARK: - Opt-out

    private static let optOut = order(
        .update, id: otherID, email: "o'lark@x.test",
        [change("email_opt_out", .text("1"), .optOut)])

    private static func list(_ addresses: String...) -> HTTPResult {
        let rows = addresses.enumerated().map {
            #"{"type":"EmailAddress","id":"a\#($0)","attributes":{"email_address":"\#($1)"}}"#
        }
        return answer(200, #"{"data":[\#(rows.joined(separator: ","))]}"#)
    }

    private static func address(_ id: String) -> HTTPResult {
        answer(201, #"{"data":{"type":"EmailAddress","id":"\#(id)","attributes":{"opt_out":"1"}}}"#)
    }

    @Test func `facts 6, 41a: the opt-out is written on the very address, decoded first`() {
        let talk = Self.talk(
            Self.optOut, Self.list("first@x.test", "O&#039;Lark@x.test"), Self.address("a1"),
            answer(200, Self.contact(otherID, #""email_opt_out":"1""#)))
        let data = talk.calls[1].json?["data"]
        #expect(data?["type"]?.text == "EmailAddresses" && data?["id"]?.text == "a1")
        #expect(data?["attributes"] == .object([.init("opt_out", .string("1"))]))
        #expect(talk.object?["email_opt_out"] == .text("1"))
    }

    @Test(arguments: [["first@x.test"], []])
    func `fact 41a: no other address is opted out in its place`(addresses: [String]) {
        let list = addresses.isEmpty ? answer(200, #"{"data":[]}"#) : Self.list(addresses[0])
        let talk = Self.talk(Self.optOut, list)
        #expect(talk.calls.count == 1)
        #expect(talk.failure?.kind == .refused(.conflict))
    }

    @Test func `an order that names no address opts nobody out`() {
        var order = Self.optOut
        order.email = nil
        let talk = Self.talk(order, Self.list(""))
        #expect(talk.failure?.kind == .refused(.conflict))
    }

    @Test func `another address's answer is refused`() {
        let talk = Self.talk(Self.optOut, Self.list("o'lark@x.test"), Self.address("a7"))
        #expect(talk.failure?.kind == .refused(.wrongObject))
    }

    @Test(arguments: nonsense + [answer(403), answer(429)])
    func `an opt-out that cannot be read back is unclear`(bad: HTTPResult) {
        let talk = Self.talk(Self.optOut, Self.list("o'lark@x.test"), Self.address("a0"), bad)
        #expect(talk.failure?.kind == .unclear)
    }
}
