import Connectors
import Ledger
import Model
import Testing
import Transport

/// Creates, edits, points, opt-outs and deletes in Mautic, a step a line.
@Suite struct MauticWriteTests {
    /// A contact as Mautic shows it: fields in groups, the rest beside them.
    private static func contact(
        _ id: Int, _ fields: [String: String] = [:], points: Int? = nil, dnc: Bool? = nil,
        more: String = ""
    ) -> String {
        let entries = fields.sorted { $0.key < $1.key }.map {
            #""\#($0.key)":{"alias":"\#($0.key)","value":\#($0.value)}"#
        }
        let channels = dnc.map {
            #","doNotContact":[\#($0 ? #"{"channel":"email","reason":3}"# : "")]"#
        }
        return """
            {"contact":{"id":\(id)\(points.map { ",\"points\":\($0)" } ?? "")\(channels ?? "")\
            ,"fields":{"core":{\(entries.joined(separator: ","))},"social":[]}}\(more)}
            """
    }

    private static func talk(_ order: WriteOrder, _ answers: HTTPResult...) -> Talk {
        Talk(MauticConnector().write(order), answers)
    }

    private static let missing = answer(
        404, #"{"errors":[{"code":404,"message":"Item was not found.","details":[]}]}"#)

    // MARK: - Create

    private static let newcomer = order(
        .create, email: "lark@x.test",
        [change("email", .text("lark@x.test")), change("dnc_email", .bool(true), .optOut)])

    private static let created = answer(
        201, contact(7, ["email": #""lark@x.test""#], points: 0, dnc: false))

    @Test func `a create posts its fields and leaves do-not-contact to a call of its own`() {
        let talk = Self.talk(
            Self.newcomer, Self.created,
            answer(200, Self.contact(7, ["email": #""lark@x.test""#], dnc: true)))
        #expect(
            talk.lines == ["POST /api/contacts/new", "POST /api/contacts/7/dnc/email/add"])
        #expect(talk.calls[0].json == .object([.init("email", .string("lark@x.test"))]))
        #expect(talk.calls[1].json == .object([.init("reason", .number("3"))]))
        #expect(talk.remoteID == "7")
    }

    @Test func `fact C4: what is told of an opt-out is what its own answer says`() {
        for state in [true, false] {
            let talk = Self.talk(
                Self.newcomer, Self.created, answer(200, Self.contact(7, dnc: state)))
            #expect(talk.object?["dnc_email"] == .bool(state))
            #expect(talk.object?.unsettled == [])
        }
    }

    @Test(
        "an opt-out that is not heard is not told, and the create stands",
        arguments: nonsense + [
            missing, answer(403), answer(429), unreached, answer(200, #"{"contact":{"id":7}}"#),
            answer(200, #"{"contact":{"id":8,"doNotContact":[{"channel":"email"}]}}"#),
        ])
    func anUnheardOptOut(bad: HTTPResult) {
        let talk = Self.talk(Self.newcomer, Self.created, bad)
        #expect(talk.remoteID == "7")
        #expect(talk.object?["email"] == .text("lark@x.test"))
        #expect(talk.object?["dnc_email"] == nil)
        #expect(talk.object?.unsettled == ["dnc_email"])
    }

    @Test func `who is opted out already is not opted out again`() {
        let talk = Self.talk(
            Self.newcomer,
            answer(200, Self.contact(7, ["email": #""Lark@x.test""#], dnc: true)))
        #expect(talk.calls.count == 1)
        #expect(talk.object?["dnc_email"] == .bool(true))
    }

    @Test func `fact A9: a create that meets somebody confirms only what was stored`() {
        let order = order(
            .create, email: "lark@x.test",
            [
                change("email", .text("lark@x.test")), change("firstname", .text("Ann")),
                change("city", .null), change("points", .number("0")),
            ])
        let talk = Self.talk(
            order,
            answer(
                200,
                Self.contact(
                    7, ["email": #"" LARK@x.test ""#, "firstname": #""Ann""#, "city": #""Oslo""#],
                    points: 12)))
        #expect(talk.remoteID == "7")
        #expect(talk.object?["firstname"] == .text("Ann"))
        #expect(talk.object?["city"] == nil && talk.object?["points"] == nil)
        #expect(talk.object?.unsettled == ["city", "points"])
    }

    @Test(arguments: [#""other@x.test""#, "null"])
    func `fact A9: a create that meets somebody else is refused`(email: String) {
        let talk = Self.talk(Self.newcomer, answer(200, Self.contact(7, ["email": email])))
        #expect(talk.calls.count == 1)
        #expect(talk.failure?.kind == .refused(.wrongObject))
    }

    @Test func `facts A7, A9: an unheard create is found by its address, and only that`() throws {
        func find(_ contacts: String) throws -> RemoteObject? {
            try MauticConnector().found(
                from: answer(200, #"{"total":"1","contacts":\#(contacts)}"#), Self.newcomer)
        }
        let fields = #""fields":{"core":{"email":{"alias":"email","value":"Lark@x.test"}}}"#
        let found = try #require(try find(#"{"7":{"id":7,"doNotContact":[],\#(fields)}}"#))
        #expect(found.id == "7" && found["email"] == .text("Lark@x.test"))
        // It had not come to the opt-out.
        #expect(found["dnc_email"] == nil && found.unsettled == ["dnc_email"])
        #expect(try find("[]") == nil)
        let other = fields.split(separator: "Lark").joined(separator: "Finch")
        #expect(try find(#"{"7":{"id":7,\#(other)}}"#) == nil)
    }

    @Test func `a new contact may have its address spelt in Mautic's own way`() {
        let order = order(.create, email: "lark@x.test", [change("email", .text("Lark@x.test"))])
        let talk = Self.talk(order, answer(201, Self.contact(7, ["email": #""lark@x.test""#])))
        #expect(talk.object?["email"] == .text("lark@x.test"))
    }

    @Test func `fact A10: an address that is taken is a conflict`() {
        let taken = answer(
            422,
            #"{"errors":[{"code":422,"message":"email: taken","details":{"email":["taken"]}}]}"#)
        #expect(Self.talk(Self.newcomer, taken).failure?.kind == .refused(.conflict))
    }

    // MARK: - Update

    @Test func `fact A8: an edit sends only what changed, and blanks are meant`() {
        let talk = Self.talk(
            order(.update, id: "7", [change("city", .null), change("firstname", .text("Ann"))]),
            answer(200, Self.contact(7, ["city": "null", "firstname": #""Ann""#])))
        #expect(talk.lines == ["PATCH /api/contacts/7/edit"])
        #expect(
            talk.calls[0].json
                == .object([
                    .init("city", .string("")), .init("firstname", .string("Ann")),
                    .init("overwriteWithBlank", .bool(true)),
                ]))
        #expect(talk.object?["city"] == .null)
    }

    @Test func `tags are sent element by element`() {
        let talk = Self.talk(
            order(
                .update, id: "7",
                [change("tags", .set(["-old", "new"]), form: .elements)]),
            answer(200, #"{"contact":{"id":7,"fields":[],"tags":[{"tag":"new"}]}}"#))
        #expect(
            talk.calls[0].json?["tags"] == .array([.string("-old"), .string("new")]))
        #expect(talk.object?["tags"] == .set(["new"]))
    }

    @Test(arguments: [
        (5, "plus/5"), (-3, "minus/3"), (0, "plus/0"), (Int64.min, "minus/9223372036854775808"),
    ])
    func `fact D10: points are added or taken`(delta: Int64, path: String) {
        let talk = Self.talk(
            order(
                .update, id: "7",
                [change("points", .number(String(delta)), .points, form: .delta)]),
            answer(200, #"{"success":1}"#))
        #expect(talk.lines == ["POST /api/contacts/7/points/\(path)"])
        #expect(talk.isConfirmed && talk.object == nil)
    }

    @Test func `zero is reached by taking away, since Mautic drops a zero that is set`() {
        let talk = Self.talk(
            order(
                .update, id: "7",
                [change("points", .number("-12"), .points, form: .delta, leaves: .number("0"))]),
            answer(200, #"{"success":1}"#))
        #expect(talk.lines == ["POST /api/contacts/7/points/minus/12"])
    }

    private static let points = order(
        .update, id: "7", [change("points", .number("5"), .points, form: .delta)])

    @Test func `points for another contact are refused, and no success is no answer`() {
        let talk = Self.talk(Self.points, answer(200, Self.contact(8)))
        #expect(talk.failure?.kind == .refused(.wrongObject))
        #expect(Self.talk(Self.points, answer(200, #"{"success":0}"#)).failure?.kind == .unclear)
        #expect(Self.talk(Self.points, answer(200, "{}")).failure?.kind == .unclear)
    }

    @Test(arguments: [(true, "add"), (false, "remove")])
    func `an opt-out and its end are told to the channel`(isOut: Bool, verb: String) {
        let order = order(.update, id: "7", [change("dnc_email", .bool(isOut), .optOut)])
        let talk = Self.talk(order, answer(200, Self.contact(7, dnc: isOut)))
        #expect(talk.lines == ["POST /api/contacts/7/dnc/email/\(verb)"])
        #expect(talk.isConfirmed)
        // An answer that tells the contrary is told.
        let other = Self.talk(order, answer(200, Self.contact(7, ["city": "1"], dnc: !isOut)))
        #expect(other.object?.attributes.map(\.name) == ["dnc_email"])
        #expect(other.object?["dnc_email"] == .bool(!isOut))
    }

    @Test(arguments: [
        order(.update, id: "7", [change("city", .text("Oslo"))]),
        order(.update, id: "7", [change("dnc_email", .bool(true), .optOut)]),
        points,
    ])
    func `fact A1: an answer from the survivor of a merge is refused`(order: WriteOrder) {
        let talk = Self.talk(order, answer(200, Self.contact(8, dnc: true)))
        #expect(talk.failure?.kind == .refused(.wrongObject))
    }

    @Test func `fact A1: an id that was not seen is looked at first and a dead one left alone`() {
        let order = order(.update, id: "7", needsLook: true, [change("city", .text("Oslo"))])
        #expect(
            Self.talk(order, answer(200, Self.contact(7)), answer(200, Self.contact(7))).lines
                == ["GET /api/contacts/7", "PATCH /api/contacts/7/edit"])
        for dead in [answer(200, Self.contact(8)), Self.missing] {
            let talk = Self.talk(order, dead)
            #expect(talk.calls.count == 1)
            #expect(talk.failure?.kind == .refused(.wrongObject))
        }
    }

    // MARK: - Delete

    @Test func `facts A1, C9: a delete looks whose id it is, and hears of none afterwards`() {
        let talk = Self.talk(
            order(.delete, id: "7"), answer(200, Self.contact(7)),
            answer(200, #"{"contact":{"id":null}}"#))
        #expect(talk.lines == ["GET /api/contacts/7", "DELETE /api/contacts/7/delete"])
        #expect(talk.isConfirmed)
    }

    @Test func `fact A1: a dead id never deletes the survivor`() {
        let talk = Self.talk(order(.delete, id: "7"), answer(200, Self.contact(8)))
        #expect(talk.lines == ["GET /api/contacts/7"])
        #expect(talk.failure?.kind == .refused(.wrongObject))
    }

    @Test func `what is gone is deleted, before the delete and with it`() {
        #expect(Self.talk(order(.delete, id: "7"), Self.missing).isConfirmed)
        let late = Self.talk(
            order(.delete, id: "7"), answer(200, Self.contact(7)), Self.missing)
        #expect(late.isConfirmed)
    }

    @Test func `a wrong address proves nobody gone`() {
        let unknown = answer(
            404, #"{"errors":[{"message":"Requested URL not found","code":404,"type":null}]}"#)
        for bad in [unknown, answer(404, "<h1>Not Found</h1>")] {
            #expect(Self.talk(order(.delete, id: "7"), bad).failure?.kind == .unclear)
            #expect(
                failure { () throws(RemoteFailure) in
                    try MauticConnector().look(from: bad, asked: "7")
                }?.kind == .unclear)
        }
    }

    @Test(arguments: nonsense)
    func `nonsense is never taken for success or refusal`(bad: HTTPResult) {
        #expect(Self.talk(Self.newcomer, bad).failure?.kind == .unclear)
        #expect(Self.talk(Self.points, bad).failure?.kind == .unclear)
        let edit = order(.update, id: "7", [change("city", .text("Oslo"))])
        #expect(Self.talk(edit, bad).failure?.kind == .unclear)
    }
}
