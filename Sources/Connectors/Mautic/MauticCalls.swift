import Ledger
import Model
import Transport

/// The calls that more than one conversation with Mautic makes.
extension MauticConnector {
    func call(_ method: HTTPMethod, _ path: String, _ body: JSON) -> Call {
        Call(method, path, headers: ["Content-Type": "application/json"], body: body.bytes)
    }

    /// Do-not-contact has an endpoint of its own: a contact's own body cannot set it.
    func optOutCall(_ id: String, add: Bool) -> Call {
        call(
            .post, "/api/contacts/\(percentEncoded(id))/dnc/email/\(add ? "add" : "remove")",
            .object(add ? [.init("reason", .number("3"))] : []))
    }

    /// Only changed fields; blanks need `overwriteWithBlank` (A8), and a create has none to send.
    func body(_ changes: [WriteOrder.Change], blanks: Bool) -> JSON {
        var members: [JSON.Member] = []
        for change in changes where change.attribute != "dnc_email" {
            switch change.write {
            case .null:
                if blanks { members.append(.init(change.attribute, .string(""))) }
            case .text(let text): members.append(.init(change.attribute, .string(text)))
            case .number(let text): members.append(.init(change.attribute, .number(text)))
            case .bool(let flag): members.append(.init(change.attribute, .bool(flag)))
            case .set(let elements):
                members.append(.init(change.attribute, .array(elements.map(JSON.string))))
            case .bytes, .unrecognized: break
            }
        }
        // A company's PATCH blanks without it (A8).
        if blanks, !isCompany { members.append(.init("overwriteWithBlank", .bool(true))) }
        return .object(members)
    }

    /// What answers must be what was asked for, or it was written to somebody else (A1).
    func check(_ object: RemoteObject, is id: String?) throws(RemoteFailure) {
        guard object.id == id else {
            throw RemoteFailure(
                .refused(.wrongObject), "the Mautic contact was merged into another one")
        }
    }
}

extension WriteOrder {
    /// Whether it is to make Mautic send the person no more e-mail.
    var wantsOptOut: Bool {
        changes.contains { $0.attribute == "dnc_email" && $0.write == .bool(true) }
    }
    /// The name of the company that is to be made.
    var companyName: String? {
        guard case .text(let name)? = changes.first(where: { $0.attribute == "companyname" })?.write
        else { return nil }
        return name
    }

    /// The changes that a contact shows otherwise than they would leave it.
    func differing(in object: RemoteObject) -> [Change] {
        changes.filter { change in
            guard change.form == .absolute, let told = object[change.attribute],
                let field = [EntityMapping.contact, .account].lazy.compactMap({
                    $0.field(attribute: change.attribute, of: .mautic)
                }).first,
                let codec = field.spellings[.mautic]?.codec
            else { return false }
            return codec.content(of: told) != codec.content(of: change.leaves)
        }
    }
}
