import Connectors
import Ledger
import Model
import Testing
import Transport

/// Changing the primary address in SuiteCRM, which takes several calls (facts 1, 42).
@Suite struct SuiteCRMEmailTests {
    private static func conversation(
        from old: String?, to new: String
    ) -> any Conversation {
        SuiteCRMConnector().write(
            order(
                .update, id: AddressBook.contact, email: old, [change("email1", .text(new), .email)]
            ))
    }

    @Test func `fact 42: further addresses are linked again after the primary one is replaced`() {
        var book = AddressBook("old@x.test", "home@x.test", "work@x.test")
        let talk = Talk(Self.conversation(from: "old@x.test", to: "new@x.test")) {
            book.respond($0)
        }
        #expect(talk.isConfirmed)
        #expect(talk.object?["email1"] == .text("new@x.test"))
        #expect(book.primary == "new@x.test")
        #expect(Set(book.further) == ["home@x.test", "work@x.test"])
    }

    @Test func `fact 1: the contact shows the old address, none, or the new one, never another`() {
        var book = AddressBook("old@x.test", "home@x.test", "work@x.test")
        _ = Talk(Self.conversation(from: "old@x.test", to: "new@x.test")) { book.respond($0) }
        #expect(Set(book.shown) == ["old@x.test", "", "new@x.test"])
    }

    @Test func `an address that is there already is not written again`() {
        var book = AddressBook("New@x.test", "home@x.test")
        let talk = Talk(Self.conversation(from: "old@x.test", to: "new@x.test")) {
            book.respond($0)
        }
        #expect(talk.isConfirmed)
        #expect(talk.lines == ["GET /Api/V8/module/Contacts/\(AddressBook.contact)"])
        #expect(book.further == ["home@x.test"])
    }

    @Test func `a contact without an address gets it in one write`() {
        var book = AddressBook()
        let talk = Talk(Self.conversation(from: nil, to: "new@x.test")) { book.respond($0) }
        #expect(talk.isConfirmed)
        #expect(book.linked.count == 1 && book.primary == "new@x.test")
        #expect(!talk.calls.contains { $0.method == .delete })
    }

    @Test func `a further address that becomes the primary one is linked once`() {
        var book = AddressBook("old@x.test", "new@x.test", "work@x.test")
        let talk = Talk(Self.conversation(from: "old@x.test", to: "new@x.test")) {
            book.respond($0)
        }
        #expect(talk.isConfirmed)
        #expect(book.primary == "new@x.test" && book.further == ["work@x.test"])
        #expect(book.linked.count == Set(book.linked).count)
    }

    /// Every place it can end at: the answer of that call is lost, with or without its effect.
    @Test(arguments: 0..<9, [true, false])
    func `begun anew after an interruption it ends in the same state`(
        place: Int, hasEffect: Bool
    ) {
        var book = AddressBook("old@x.test", "home@x.test")
        var count = 0
        _ = Talk(Self.conversation(from: "old@x.test", to: "new@x.test")) { call in
            defer { count += 1 }
            guard count == place else { return book.respond(call) }
            if hasEffect { _ = book.respond(call) }
            return nil
        }
        let again = Talk(Self.conversation(from: "old@x.test", to: "new@x.test")) {
            book.respond($0)
        }
        #expect(again.isConfirmed)
        #expect(book.primary == "new@x.test")
        #expect(!book.further.contains("old@x.test"))
        #expect(Set(book.shown).isSubset(of: ["old@x.test", "", "new@x.test"]))
    }

    @Test(
        "once an address is unlinked, nothing passes for a refusal",
        arguments: [
            answer(
                400, #"{"errors":{"status":400,"detail":"[SuiteCRM] [AccessDeniedException] "}}"#),
            answer(
                400,
                #"{"errors":{"status":400,"detail":"Property x in Contact module is invalid"}}"#),
            answer(401, "{}"), answer(429), answer(500), unheard, unreached,
        ])
    func nothingPassesForARefusal(bad: HTTPResult) {
        for place in 3...4 {
            var book = AddressBook("old@x.test", "home@x.test")
            var count = 0
            let talk = Talk(Self.conversation(from: "old@x.test", to: "new@x.test")) { call in
                defer { count += 1 }
                return count < place ? book.respond(call) : bad
            }
            #expect(talk.failure?.kind == .unclear, "at \(place)")
        }
    }

    @Test func `before the first unlink a refusal is a refusal`() {
        let denied = answer(
            400, #"{"errors":{"status":400,"detail":"[SuiteCRM] [AccessDeniedException] "}}"#)
        let talk = Talk(Self.conversation(from: "old@x.test", to: "new@x.test"), [denied])
        #expect(talk.failure?.kind == .refused(.permission))
    }

    @Test func `a refused write gives the contact back what it had`() {
        var book = AddressBook("old@x.test", "home@x.test")
        let talk = Talk(Self.conversation(from: "old@x.test", to: "new@x.test")) { call in
            call.method == .patch ? answer(400, "{}") : book.respond(call)
        }
        #expect(talk.failure?.kind == .unclear)
        #expect(book.primary == "old@x.test" && book.further == ["home@x.test"])
    }

    @Test func `fact 1: an address that SuiteCRM ignores leaves the old one, and that is told`() {
        var book = AddressBook("old@x.test", "home@x.test")
        book.ignored = "no address"
        let talk = Talk(Self.conversation(from: "old@x.test", to: "no address")) {
            book.respond($0)
        }
        #expect(talk.object?["email1"] == .text("old@x.test"))
        #expect(book.primary == "old@x.test" && book.further == ["home@x.test"])
    }

    @Test(arguments: [true, false])
    func `a write that was not heard is looked for`(ran: Bool) {
        var book = AddressBook("old@x.test", "home@x.test")
        let talk = Talk(Self.conversation(from: "old@x.test", to: "new@x.test")) { call in
            guard call.method == .patch else { return book.respond(call) }
            if ran { _ = book.respond(call) }
            return unheard
        }
        #expect(talk.isConfirmed == ran)
        if ran {
            #expect(book.further == ["home@x.test"])
        } else {
            #expect(talk.failure?.kind == .unclear)
        }
    }

    @Test(arguments: [1, 2, 100])
    func `what is known is told though linking again fails`(failures: Int) {
        var book = AddressBook("old@x.test", "home@x.test", "work@x.test")
        var failed = 0
        let talk = Talk(Self.conversation(from: "old@x.test", to: "new@x.test")) { call in
            guard call.method == .post, failed < failures else { return book.respond(call) }
            failed += 1
            return answer(500)
        }
        #expect(talk.object?["email1"] == .text("new@x.test"))
        // One failure is made good by a second try; two lose that link and no more.
        #expect(book.further.count == [1: 2, 2: 1, 100: 0][failures])
    }

    @Test func `an address that somebody else wrote meanwhile is not overwritten`() {
        var book = AddressBook("theirs@x.test")
        let talk = Talk(Self.conversation(from: "old@x.test", to: "new@x.test")) {
            book.respond($0)
        }
        #expect(talk.failure?.kind == .refused(.conflict))
        #expect(book.primary == "theirs@x.test")
    }

    @Test func `a blank takes the only address away`() {
        var book = AddressBook("old@x.test")
        let talk = Talk(Self.conversation(from: "old@x.test", to: "")) { book.respond($0) }
        #expect(talk.object?["email1"] == .text(""))
        #expect(book.linked.isEmpty)
    }

    @Test func `a blank is refused where a further address would take its place`() {
        var book = AddressBook("old@x.test", "home@x.test")
        let talk = Talk(Self.conversation(from: "old@x.test", to: "")) { book.respond($0) }
        #expect(talk.failure?.kind == .refused(.validation))
        #expect(book.primary == "old@x.test" && book.further == ["home@x.test"])
    }

    @Test func `fact 6: an address with an entity is known for the one it is`() {
        var book = AddressBook("o&#039;lark@x.test", "home@x.test")
        let talk = Talk(Self.conversation(from: "O'Lark@x.test", to: "new@x.test")) {
            book.respond($0)
        }
        #expect(talk.isConfirmed)
        #expect(book.primary == "new@x.test" && book.further == ["home@x.test"])
    }

    @Test func `an address that is linked in two ways is unlinked once`() {
        let id = AddressBook.contact
        let row = #"{"type":"EmailAddress","id":"a0","attributes":{"email_address":"old@x.test"}}"#
        func contact(_ email: String) -> HTTPResult {
            answer(
                200,
                #"{"data":{"type":"Contact","id":"\#(id)","attributes":{"email1":"\#(email)"}}}"#)
        }
        let talk = Talk(
            Self.conversation(from: "old@x.test", to: "new@x.test"),
            [
                contact("old@x.test"), answer(200, #"{"data":[\#(row),\#(row)]}"#),
                answer(200, #"{"data":[]}"#), contact("new@x.test"),
            ])
        #expect(talk.isConfirmed)
        #expect(talk.calls.filter { $0.method == .delete }.count == 1)
    }

    @Test func `an address that is unlinked already is no refusal`() {
        var book = AddressBook("old@x.test", "home@x.test")
        let talk = Talk(Self.conversation(from: "old@x.test", to: "new@x.test")) { call in
            if call.method == .delete { _ = book.respond(call) }
            return book.respond(call)
        }
        #expect(talk.isConfirmed)
        #expect(book.primary == "new@x.test" && book.further == ["home@x.test"])
    }

    @Test func `another contact's answer is not written to`() {
        let talk = Talk(
            Self.conversation(from: "old@x.test", to: "new@x.test"),
            [answer(200, #"{"data":{"type":"Contact","id":"\#(otherID)","attributes":[]}}"#)])
        #expect(talk.failure?.kind == .refused(.wrongObject))
    }

    @Test func `a contact without an address is known for a change that ended half done`() {
        func isHalfDone(_ order: WriteOrder, _ email: String) -> Bool {
            SuiteCRMConnector().isHalfDone(
                order,
                in: RemoteObject(
                    id: AddressBook.contact, attributes: [("email1", .text(email))], stamp: "",
                    modified: nil))
        }
        func change(from old: String?, to new: Value) -> WriteOrder {
            order(
                .update, id: AddressBook.contact, email: old,
                [ConnectorsTests.change("email1", new, .email)])
        }
        let open = change(from: "old@x.test", to: .text("new@x.test"))
        #expect(isHalfDone(open, ""))
        #expect(!isHalfDone(open, "old@x.test") && !isHalfDone(open, "new@x.test"))
        // Blank is what it had, or what it is to have: nothing was left between.
        #expect(!isHalfDone(change(from: nil, to: .text("new@x.test")), ""))
        #expect(!isHalfDone(change(from: "old@x.test", to: .text("")), ""))
        #expect(
            !MauticConnector().isHalfDone(
                open,
                in: RemoteObject(
                    id: "7", attributes: [("email1", .text(""))], stamp: "", modified: nil)))
    }
}
