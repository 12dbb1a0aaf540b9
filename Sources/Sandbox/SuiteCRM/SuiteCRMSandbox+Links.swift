extension SuiteCRMSandbox {
    private static let linkNames = ["email_addresses", "email_addresses_primary"]

    /// GET .../relationships/{link}: the addresses of a contact (fact 42).
    func related(
        _ module: SuiteCRMModule, _ id: String, _ link: String, _ request: SandboxRequest
    ) throws(SuiteCRMRefusal) -> SandboxResponse {
        try Self.checkOptions(
            request.parameters.nested,
            allowed: ["filter", "id", "linkFieldName", "moduleName", "page", "sort"])
        let record = try living(module, id)
        try Self.checkLink(module, link)
        var found = emails(of: record.id)
        if link == "email_addresses_primary" {
            let primary = Set(
                links.filter { $0.contactID == record.id && $0.isPrimary && !$0.isDeleted }
                    .map(\.addressID))
            found = found.filter { primary.contains($0.id) }
        }
        guard !found.isEmpty else {
            return .suiteCRM([
                "meta": ["message": "Request was successful, but there is no result"], "data": [],
            ])
        }
        let data = found.map { address -> SandboxJSON in
            [
                "type": "EmailAddress", "id": .string(address.id),
                "attributes": attributes(address, .emailAddresses, fields: nil),
                "links": ["self": .string("V8/module/EmailAddress/\(address.id)")],
            ]
        }
        return .suiteCRM([
            "meta": [
                "total-records": .int(found.count), "total-pages": 1,
                "records-on-this-page": .int(found.count),
            ],
            "data": .array(data),
        ])
    }

    /// POST .../relationships/{link}: a further address is never the primary one (fact 1).
    mutating func link(
        _ module: SuiteCRMModule,
        _ id: String,
        _ link: String,
        _ request: SandboxRequest,
        now: SandboxTime
    ) throws(SuiteCRMRefusal) -> SandboxResponse {
        let data = SandboxJSON(parsing: request.body)?["data"]
        guard let data else { throw .invalid("The required option \"data\" is missing.") }
        guard let related = data["id"]?.string else {
            throw .invalid("The required option \"id\" is missing.")
        }
        let record = try living(module, id)
        try Self.checkLink(module, link)
        let address = try living(.emailAddresses, related)
        let isPrimary = link == "email_addresses_primary"
        let held = links.contains {
            $0.contactID == record.id && $0.addressID == address.id
                && $0.isPrimary == isPrimary && !$0.isDeleted
        }
        if !held {
            links.append(
                SuiteCRMLink(
                    contactID: record.id, addressID: address.id, isPrimary: isPrimary))
        }
        let message =
            "Email Address record with id \(related) has been related to Contacts record with id "
            + "\(id) using link \(link)"
        return .suiteCRM(
            status: 201,
            [
                "meta": [
                    "message": .string(message), "sourceModule": "Contacts",
                    "sourceModuleLabel": "Contacts", "sourceId": .string(id),
                    "relatedModule": "EmailAddresses", "relatedModuleLabel": "Email Address",
                    "relatedId": .string(related), "relationshipLink": .string(link),
                ],
                "data": [],
            ])
    }

    /// DELETE .../relationships/{link}/{id}; a second time it is refused (fact 42).
    mutating func unlink(
        _ module: SuiteCRMModule,
        _ id: String,
        _ link: String,
        _ relatedID: String,
        now: SandboxTime
    ) throws(SuiteCRMRefusal) -> SandboxResponse {
        let record = try living(module, id)
        try Self.checkLink(module, link)
        let related = addresses[relatedID.lowercased()]?.id ?? relatedID
        let held = links.indices.filter {
            links[$0].contactID == record.id && links[$0].addressID == related
                && !links[$0].isDeleted
        }
        guard !held.isEmpty else {
            throw .failed("Module with \(relatedID) id is not related to Contact")
        }
        for index in held { links[index].isDeleted = true }
        let message =
            "Relationship has been deleted between Contact with id \(id) and EmailAddress with id "
            + relatedID
        return .suiteCRM(["meta": ["message": .string(message)], "data": []])
    }

    private static func checkLink(
        _ module: SuiteCRMModule, _ link: String
    ) throws(SuiteCRMRefusal) {
        guard module == .contacts, linkNames.contains(link) else {
            throw .invalid("Cannot load relationship \(link) for \(module.singular) module")
        }
    }
}
