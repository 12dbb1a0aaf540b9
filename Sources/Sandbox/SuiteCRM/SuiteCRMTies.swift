/// One end of a relationship: a record and the link field that leads on from it.
struct SuiteCRMEnd: Sendable, Hashable {
    var module: SuiteCRMModule
    /// In lower case.
    var id: String
    var link: String

    init(_ module: SuiteCRMModule, _ id: String, _ link: String) {
        self.module = module
        self.id = id.lowercased()
        self.link = link
    }
}

/// A relationship between two modules, and the link field it has on each.
struct SuiteCRMRelationship: Sendable {
    var left: (module: SuiteCRMModule, link: String)
    var right: (module: SuiteCRMModule, link: String)

    static let all: [SuiteCRMRelationship] = [
        .init(left: (.accounts, "contacts"), right: (.contacts, "accounts")),
        .init(left: (.accounts, "opportunities"), right: (.opportunities, "accounts")),
        .init(left: (.opportunities, "contacts"), right: (.contacts, "opportunities")),
    ]

    /// Where a module's link leads, and the link that leads back.
    static func other(
        _ module: SuiteCRMModule, _ link: String
    ) -> (module: SuiteCRMModule, link: String)? {
        for relation in all {
            if relation.left == (module, link) { return relation.right }
            if relation.right == (module, link) { return relation.left }
        }
        return nil
    }

    /// The module's link to another module; nil where there is none.
    static func link(from module: SuiteCRMModule, to other: SuiteCRMModule) -> String? {
        for relation in all {
            if relation.left.module == module, relation.right.module == other {
                return relation.left.link
            }
            if relation.right.module == module, relation.left.module == other {
                return relation.right.link
            }
        }
        return nil
    }

    /// The links a module has.
    static func links(of module: SuiteCRMModule) -> [String] {
        all.filter { $0.left.module == module }.map(\.left.link)
            + all.filter { $0.right.module == module }.map(\.right.link)
    }
}

/// Linking moves no date on either side (fact 43).
extension SuiteCRMSandbox {
    /// The living records at the other end of a link, in the order they were linked.
    func tied(_ module: SuiteCRMModule, _ id: String, _ link: String) -> [SuiteCRMRecord] {
        guard let other = SuiteCRMRelationship.other(module, link) else { return [] }
        return (ties[SuiteCRMEnd(module, id, link)] ?? []).compactMap {
            record(other.module, $0)
        }.filter { !$0.isDeleted }
    }

    /// Links two records; a second time changes nothing (fact 42).
    mutating func tie(
        _ module: SuiteCRMModule, _ id: String, _ link: String, to relatedID: String
    ) {
        guard let other = SuiteCRMRelationship.other(module, link),
            !isTied(module, id, link, to: relatedID)
        else { return }
        ties[SuiteCRMEnd(module, id, link), default: []].append(relatedID)
        ties[SuiteCRMEnd(other.module, relatedID, other.link), default: []].append(id)
    }

    func isTied(
        _ module: SuiteCRMModule, _ id: String, _ link: String, to relatedID: String
    ) -> Bool {
        ties[SuiteCRMEnd(module, id, link)]?.contains {
            $0.lowercased() == relatedID.lowercased()
        } ?? false
    }

    mutating func untie(
        _ module: SuiteCRMModule, _ id: String, _ link: String, from relatedID: String
    ) {
        guard let other = SuiteCRMRelationship.other(module, link) else { return }
        ties[SuiteCRMEnd(module, id, link)]?.removeAll {
            $0.lowercased() == relatedID.lowercased()
        }
        ties[SuiteCRMEnd(other.module, relatedID, other.link)]?.removeAll {
            $0.lowercased() == id.lowercased()
        }
    }

    /// Takes a deleted record out of every relationship.
    mutating func untieAll(_ id: String, _ module: SuiteCRMModule) {
        for link in SuiteCRMRelationship.links(of: module) {
            for related in ties[SuiteCRMEnd(module, id, link)] ?? [] {
                untie(module, id, link, from: related)
            }
        }
    }

    /// The account whose id and name a contact or deal shows: the last one linked (08).
    func account(of id: String, _ module: SuiteCRMModule) -> SuiteCRMRecord? {
        guard module == .contacts || module == .opportunities else { return nil }
        return tied(module, id, "accounts").last
    }

    /// `account_id` of a write: "" unlinks, and so does an id that is none (fact 44).
    mutating func takeAccount(
        _ attributes: [SandboxJSON.Member], for record: SuiteCRMRecord, _ module: SuiteCRMModule
    ) {
        guard module == .contacts || module == .opportunities,
            let sent = attributes.last(where: { $0.name == "account_id" }),
            sent.value != .null, let id = sent.value.scalarText
        else { return }
        let before = account(of: record.id, module)
        guard before?.id.lowercased() != id.lowercased() else { return }
        if let before { untie(module, record.id, "accounts", from: before.id) }
        if let account = self.record(.accounts, id), !account.isDeleted {
            tie(module, record.id, "accounts", to: account.id)
        }
    }
}
