import Connectors
import Ledger
import Model
import Testing
import Transport

/// Inserts, updates and deletes in Compass, a step a line.
@Suite struct CompassWriteTests {
    private static func talk(_ order: WriteOrder, _ answers: HTTPResult...) -> Talk {
        Talk(CompassConnector().write(order), answers)
    }

    private static func rows(_ ids: String...) -> HTTPResult {
        let rows = ids.map {
            #"{"id":"\#($0)","first_name":"Ann","updated_at":"2026-11-24T10:00:00+00:00"}"#
        }
        return answer(200, "[\(rows.joined(separator: ","))]")
    }

    private static let create = order(.create, [change("first_name", .text("Ann"))])
    private static let update = order(
        .update, id: otherID, stamp: "2026-11-24T09:00:00.5+00:00",
        [change("first_name", .text("Ann")), change("title", .null)])

    @Test func `an insert names our id and our command`() {
        let talk = Self.talk(Self.create, Self.rows(ourID))
        #expect(talk.lines == ["POST /rest/v1/contacts"])
        #expect(
            talk.calls[0].json
                == .object([
                    .init("id", .string(ourID)), .init("first_name", .string("Ann")),
                    .init("sync_command", .string(command.description)),
                ]))
        #expect(talk.remoteID == ourID && talk.object?["first_name"] == .text("Ann"))
    }

    @Test func `an update compares and sets only what changed`() {
        let talk = Self.talk(Self.update, Self.rows(otherID))
        #expect(talk.lines == ["PATCH /rest/v1/contacts"])
        #expect(talk.calls[0].parameter("id") == "eq.\(otherID)")
        #expect(talk.calls[0].parameter("updated_at") == "eq.2026-11-24T09:00:00.5+00:00")
        #expect(talk.calls[0].target.contains("00.5%2B00%3A00"))
        #expect(talk.calls[0].json?.members.map(\.name) == ["first_name", "title", "sync_command"])
        #expect(talk.calls[0].json?["title"] == .null)
    }

    @Test func `a row that moved since we looked is a conflict`() {
        #expect(Self.talk(Self.update, answer(200, "[]")).failure?.kind == .refused(.conflict))
    }

    @Test func `numbers, flags and sets keep their kind`() {
        let talk = Self.talk(
            order(
                .update, id: otherID,
                [
                    change("points", .number("0")), change("email_opt_out", .bool(false)),
                    change("tags", .set([])),
                ]), Self.rows(otherID))
        let json = talk.calls[0].json
        #expect(json?["points"] == .number("0") && json?["email_opt_out"] == .bool(false))
        #expect(json?["tags"] == .array([]))
    }

    @Test func `another row's answer is refused`() {
        #expect(Self.talk(Self.update, Self.rows(ourID)).failure?.kind == .refused(.wrongObject))
        #expect(
            Self.talk(Self.update, Self.rows(otherID, ourID)).failure?.kind
                == .refused(.wrongObject))
        #expect(
            Self.talk(Self.create, Self.rows(otherID)).failure?.kind == .refused(.wrongObject))
    }

    private static let duplicate = answer(
        409, #"{"code":"23505","details":null,"hint":null,"message":"duplicate key value"}"#)

    @Test func `a duplicate is looked up, and is ours where our id is found`() {
        let talk = Self.talk(Self.create, Self.duplicate, Self.rows(ourID))
        #expect(talk.lines == ["POST /rest/v1/contacts", "GET /rest/v1/contacts"])
        #expect(talk.calls.last?.parameter("id") == "eq.\(ourID)")
        #expect(talk.remoteID == ourID && talk.object?["first_name"] == .text("Ann"))
    }

    @Test func `a duplicate of another unique column is a conflict`() {
        let talk = Self.talk(Self.create, Self.duplicate, answer(200, "[]"))
        #expect(talk.failure?.kind == .refused(.conflict))
        #expect(Self.talk(Self.update, Self.duplicate).failure?.kind == .refused(.conflict))
    }

    @Test func `a delete that finds no row looks whether it is gone or hidden`() {
        let delete = order(.delete, id: otherID)
        #expect(Self.talk(delete, Self.rows(otherID)).calls.count == 1)
        #expect(Self.talk(delete, Self.rows(otherID)).isConfirmed)
        #expect(Self.talk(delete, answer(200, "[]"), answer(200, "[]")).isConfirmed)
        #expect(
            Self.talk(delete, answer(200, "[]"), Self.rows(otherID)).failure?.kind
                == .refused(.permission))
    }

    @Test func `a look that another row answers is unclear`() {
        let connector = CompassConnector()
        for bad in [Self.rows(ourID), Self.rows(otherID, ourID)] {
            #expect(
                failure { () throws(RemoteFailure) in
                    try connector.look(from: bad, asked: otherID)
                }?.kind == .unclear)
        }
        #expect((try? connector.look(from: answer(200, "[]"), asked: otherID)) == .gone)
    }

    @Test(arguments: nonsense)
    func `nonsense is never taken for success or refusal`(bad: HTTPResult) {
        #expect(Self.talk(Self.create, bad).failure?.kind == .unclear)
        #expect(Self.talk(Self.update, bad).failure?.kind == .unclear)
        #expect(
            failure { () throws(RemoteFailure) in
                try CompassConnector().look(from: bad, asked: otherID)
            }?.kind == .unclear)
    }
}
