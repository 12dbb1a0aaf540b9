extension SuiteCRMSandbox {
    private static let addressLinks = ["email_addresses", "email_addresses_primary"]

    /// GET .../relationships/{link}: the records at its other end (fact 42).
    func related(
        _ module: SuiteCRMModule, _ id: String, _ link: String, _ request: SandboxRequest
    ) throws(SuiteCRMRefusal) -> SandboxResponse {
        let query = request.parameters.nested
        try Self.checkOptions(
            query,
            allowed: [
                "filter", "id", "linkFieldName", "moduleName", "page", "sort", "sourceBean",
            ])
        let record = try source(module, id)
        let other = try Self.target(of: link, in: module)
        let page = try Self.page(query["page"])
        let filter = try SuiteCRMFilter(query["filter"], other)
        let sort = try Self.sort(query["sort"], other)
        let all =
            other == .emailAddresses
            ? held(record, link)
            : tied(module, record.id, link).sorted { $0.id.lowercased() < $1.id.lowercased() }
        let found = selected(all, filter, sort, other)
        let size = page?.size ?? max(found.count, 1)
        let shown = found.dropFirst((max(page?.number ?? 1, 1) - 1) * size).prefix(size)
        guard !shown.isEmpty else {
            let message =
                other == .emailAddresses
                ? "Request was successful, but there is no result"
                : "There is no relationship set in \(module.singular) module with \(link) link "
                    + "field"
            return .suiteCRM(["meta": ["message": .string(message)], "data": []])
        }
        let data = shown.map { entry -> SandboxJSON in
            [
                "type": .string(other.singular), "id": .string(entry.id),
                "attributes": attributes(entry, other, fields: nil),
                "links": ["self": .string("V8/module/\(other.singular)/\(entry.id)")],
            ]
        }
        let pages = (found.count + size - 1) / size
        var members: [SandboxJSON.Member] = [
            .init(
                "meta",
                [
                    "total-records": .int(found.count), "total-pages": .int(pages),
                    "records-on-this-page": .int(shown.count),
                ]), .init("data", .array(data)),
        ]
        if let page {
            let path = "\(module.singular)/\(record.id)/relationships/\(link)"
            members.append(.init("links", Self.links(path, query, page, pages: pages)))
        }
        return .suiteCRM(.object(members))
    }

    /// A living record, looked for while the options are read (08, "link to unknown id").
    private func source(
        _ module: SuiteCRMModule, _ id: String
    ) throws(SuiteCRMRefusal) -> SuiteCRMRecord {
        guard let record = record(module, id), !record.isDeleted else {
            throw .invalid("\(module.rawValue) module with id \(id) is not found")
        }
        return record
    }

    /// The addresses behind one of the two links that lead to them.
    private func held(_ record: SuiteCRMRecord, _ link: String) -> [SuiteCRMRecord] {
        let found = emails(of: record.id)
        guard link == "email_addresses_primary" else { return found }
        let primary = Set(
            links.filter { $0.holderID == record.id && $0.isPrimary && !$0.isDeleted }
                .map(\.addressID))
        return found.filter { primary.contains($0.id) }
    }

    /// POST .../relationships/{link}, or without the link's name, which the type then tells.
    ///
    /// A further address is never the primary one (fact 1).
    mutating func link(
        _ module: SuiteCRMModule,
        _ id: String,
        _ link: String?,
        _ request: SandboxRequest
    ) throws(SuiteCRMRefusal) -> SandboxResponse {
        let data = SandboxJSON(parsing: request.body)?["data"]
        guard let data else { throw .invalid("The required option \"data\" is missing.") }
        try Self.checkOptions(data, allowed: ["id", "type"])
        guard let relatedID = data["id"]?.string else {
            throw .invalid("The required option \"id\" is missing.")
        }
        let record = try source(module, id)
        let named = data["type"]?.string.flatMap(SuiteCRMModule.init(named:))
        guard let link else { return try add(record, module, named, relatedID) }
        let other = try Self.target(of: link, in: module)
        let related = try source(named ?? other, relatedID)
        if other == .emailAddresses {
            hold(related, by: record, isPrimary: link == "email_addresses_primary")
        } else {
            tie(module, record.id, link, to: related.id)
        }
        let message =
            "\(other.label) record with id \(relatedID) has been related to \(module.rawValue) "
            + "record with id \(id) using link \(link)"
        return .suiteCRM(
            status: 201,
            [
                "meta": [
                    "message": .string(message), "sourceModule": .string(module.rawValue),
                    "sourceModuleLabel": .string(module.label), "sourceId": .string(id),
                    "relatedModule": .string(other.rawValue),
                    "relatedModuleLabel": .string(other.label),
                    "relatedId": .string(relatedID), "relationshipLink": .string(link),
                ],
                "data": [],
            ])
    }

    private mutating func add(
        _ record: SuiteCRMRecord, _ module: SuiteCRMModule, _ other: SuiteCRMModule?,
        _ relatedID: String
    ) throws(SuiteCRMRefusal) -> SandboxResponse {
        guard let other, let link = SuiteCRMRelationship.link(from: module, to: other) else {
            throw .invalid("Cannot load relationship for \(module.singular) module")
        }
        let related = try source(other, relatedID)
        tie(module, record.id, link, to: related.id)
        let message =
            "\(other.singular) with id \(relatedID) has been added to \(module.singular) with id "
            + record.id
        return .suiteCRM(status: 201, ["meta": ["message": .string(message)], "data": []])
    }

    private mutating func hold(
        _ address: SuiteCRMRecord, by record: SuiteCRMRecord, isPrimary: Bool
    ) {
        let held = links.contains {
            $0.holderID == record.id && $0.addressID == address.id
                && $0.isPrimary == isPrimary && !$0.isDeleted
        }
        guard !held else { return }
        links.append(
            SuiteCRMLink(holderID: record.id, addressID: address.id, isPrimary: isPrimary))
    }

    /// DELETE .../relationships/{link}/{id}; a second time it is refused (fact 42).
    mutating func unlink(
        _ module: SuiteCRMModule, _ id: String, _ link: String, _ relatedID: String
    ) throws(SuiteCRMRefusal) -> SandboxResponse {
        let record = try living(module, id)
        let other = try Self.target(of: link, in: module)
        let isHeld =
            other == .emailAddresses
            ? release(relatedID, by: record) : isTied(module, record.id, link, to: relatedID)
        guard isHeld else {
            throw .failed("Module with \(relatedID) id is not related to \(module.singular)")
        }
        if other != .emailAddresses { untie(module, record.id, link, from: relatedID) }
        let message =
            "Relationship has been deleted between \(module.singular) with id \(id) and "
            + "\(other.singular) with id \(relatedID)"
        return .suiteCRM(["meta": ["message": .string(message)], "data": []])
    }

    /// Ends a record's hold on an address; false where there was none.
    private mutating func release(_ addressID: String, by record: SuiteCRMRecord) -> Bool {
        let known = addresses[addressID.lowercased()]?.id ?? addressID
        let held = links.indices.filter {
            links[$0].holderID == record.id && links[$0].addressID == known
                && !links[$0].isDeleted
        }
        for index in held { links[index].isDeleted = true }
        return !held.isEmpty
    }

    /// The module a link leads to.
    private static func target(
        of link: String, in module: SuiteCRMModule
    ) throws(SuiteCRMRefusal) -> SuiteCRMModule {
        if module.hasAddresses, addressLinks.contains(link) { return .emailAddresses }
        guard let other = SuiteCRMRelationship.other(module, link) else {
            throw .invalid("Cannot load relationship \(link) for \(module.singular) module")
        }
        return other.module
    }
}
