extension SuiteCRMSandbox {
    /// `data` of a write, checked as the option resolver does (facts 19, 27).
    private struct Write {
        var module: SuiteCRMModule
        var id: String?
        var attributes: [SandboxJSON.Member]
    }

    private static func write(
        _ request: SandboxRequest, needsID: Bool
    ) throws(SuiteCRMRefusal) -> Write {
        let body = body(of: request)
        try checkOptions(body ?? [:], allowed: ["data"])
        guard let data = body?["data"] else {
            throw .invalid("The required option \"data\" is missing.")
        }
        let names = data.members?.map(\.name) ?? []
        if names.contains("relationships") || data["attributes"]?.parts.isEmpty == true {
            throw .invalid("The option \"data\" with value array is invalid.")
        }
        try checkOptions(data, allowed: ["attributes", "id", "type"])
        guard let type = data["type"]?.string else {
            throw .invalid("The required option \"type\" is missing.")
        }
        let id = data["id"]?.scalarText
        if needsID, id == nil { throw .invalid("The required option \"id\" is missing.") }
        if let id, needsID ? (try? validID(id)) == nil : !isUUID(id) {
            throw .invalid("The option \"id\" with value \"\(id)\" is invalid.")
        }
        let module = try module(type)
        let attributes = data["attributes"]?.members ?? []
        for member in attributes where member.name != "id" && module.field(member.name) == nil {
            throw .invalid("Property \(member.name) in \(module.singular) module is invalid")
        }
        for member in attributes where member.value.scalarText == nil {
            throw .invalid("Expected argument of type \"string\", \"array\" given")
        }
        return Write(module: module, id: id, attributes: attributes)
    }

    /// The body where its type is JSON or a form; anything else counts as empty (05).
    private static func body(of request: SandboxRequest) -> SandboxJSON? {
        switch request.mediaType {
        case "application/vnd.api+json", "application/json":
            SandboxJSON(parsing: request.body)
        case "application/x-www-form-urlencoded":
            Parameters(String(decoding: request.body, as: UTF8.self)).nested
        default: nil
        }
    }

    /// POST /Api/V8/module.
    ///
    /// The client may name the id, once (fact 26).
    mutating func create(
        _ request: SandboxRequest, now: SandboxTime
    ) throws(SuiteCRMRefusal) -> SandboxResponse {
        let write = try Self.write(request, needsID: false)
        let module = write.module
        if let id = write.id, record(module, id) != nil {
            throw .failed("Bean \(module.rawValue) with id \(id) is already exist")
        }
        var record = SuiteCRMRecord(id: write.id ?? newID(), values: [:])
        for field in module.fields where field.isColumn {
            record[field.name] = field.initial
        }
        set(write.attributes, on: &record, module)
        if let id = write.attributes.first(where: { $0.name == "id" })?.value.string {
            // The program takes this for an edit of a row that is not there (fact 26).
            record.id = id
            return .suiteCRM(
                status: 201, ["data": unstored(record, module, write.attributes, now: now)])
        }
        finish(&record, module, write.attributes, isNew: true)
        let author = module.isBean ? "1" : nil
        let entered = module.isBean ? "date_entered" : "date_created"
        if module.isBean, record[entered]?.isEmpty ?? true { record[entered] = now.sql }
        if record["date_modified"]?.isEmpty ?? true { record["date_modified"] = now.sql }
        if let author {
            record["created_by"] = record["created_by"] ?? author
            record["modified_user_id"] = record["modified_user_id"] ?? author
        }
        store(record, in: module)
        takeAccount(write.attributes, for: record, module)
        if module.hasAddresses { takeAddresses(write.attributes, for: record, now: now) }
        return .suiteCRM(status: 201, ["data": json(record, module, isWrite: true)])
    }

    /// PATCH /Api/V8/module: the date always moves, and every other text is purified once more
    /// (facts 5, 28).
    mutating func update(
        _ request: SandboxRequest, now: SandboxTime
    ) throws(SuiteCRMRefusal) -> SandboxResponse {
        let write = try Self.write(request, needsID: true)
        let module = write.module
        let id = write.id ?? ""
        var record = try living(module, id)
        let wasPortalUnset = record["portal_account_disabled"] == nil
        rewrite(&record, module)
        record["date_modified"] = nil
        set(write.attributes, on: &record, module)
        if record["date_modified"]?.isEmpty ?? true { record["date_modified"] = now.sql }
        if module.isBean, !write.attributes.contains(where: { $0.name == "modified_user_id" }) {
            record["modified_user_id"] = "1"
        }
        finish(&record, module, write.attributes, isNew: false)
        store(record, in: module)
        takeAccount(write.attributes, for: record, module)
        if module.hasAddresses, emails(of: record.id).isEmpty {
            takeAddresses(write.attributes, for: record, now: now)
        }
        guard record.isDeleted else {
            return .suiteCRM(status: 201, ["data": json(record, module, isWrite: true)])
        }
        defer { untieAll(record.id, module) }
        // Deleting this way answers with the values in memory (fact 29).
        var data = json(record, module, isWrite: true)
        data.replace("date_entered", with: "")
        data.replace("deleted", with: 1)
        data.replace("date_modified", with: .string(now.iso))
        data.replace("modified_by_name", with: "admin")
        // So does the link to its account (14, "API PATCH deleted=1").
        if account(of: record.id, module) != nil { data.replace("accounts", with: [:]) }
        if wasPortalUnset { data.replace("portal_account_disabled", with: false) }
        return .suiteCRM(status: 201, ["data": data])
    }

    /// What a PATCH does to the columns it was not asked to change.
    private func rewrite(_ record: inout SuiteCRMRecord, _ module: SuiteCRMModule) {
        for field in module.fields {
            guard let text = record[field.name] else {
                if field.name == "portal_account_disabled" { record[field.name] = "0" }
                continue
            }
            switch field.kind {
            case .text, .longText: record[field.name] = SuiteCRMText.purified(text)
            case .dateTime where !["date_entered", "date_modified"].contains(field.name):
                record[field.name] = String(text.dropLast(2) + "00")
            default: break
            }
        }
    }

    private func set(
        _ attributes: [SandboxJSON.Member], on record: inout SuiteCRMRecord,
        _ module: SuiteCRMModule
    ) {
        for member in attributes {
            guard let field = module.field(member.name), field.isColumn,
                member.value != .null || field.kind == .money
            else { continue }
            record[field.name] = Self.stored(member.value, in: field)
        }
    }

    /// The text a value becomes in its column; nothing is validated (facts 7, 8, 21, 25).
    private static func stored(_ value: SandboxJSON, in field: SuiteCRMField) -> String {
        let text = value.scalarText ?? ""
        switch field.kind {
        case .bool: return ["", "0", "off", "false"].contains(text.lowercased()) ? "0" : "1"
        case .date: return date(text)
        case .dateTime:
            let isPlain = !text.contains("T") && !text.contains("+")
            return isPlain ? SandboxTime(parsing: text)?.sql ?? "" : ""
        case .money: return text.isEmpty ? field.initial ?? "" : SuiteCRMNumber.decimal(value)
        case .integer: return text.isEmpty ? field.initial ?? "" : SuiteCRMNumber.whole(value)
        case .number: return text.isEmpty ? field.initial ?? "0" : text
        default:
            let kept = SuiteCRMText.cut(SuiteCRMText.purified(text), to: field.kind)
            return kept.isEmpty ? field.initial ?? "" : kept
        }
    }

    /// A date in the database's form, or in the API user's `m/d/Y`, where a month of 31 counts
    /// on into later years (fact 21).
    private static func date(_ text: String) -> String {
        if let time = SandboxTime(parsing: text), !text.contains("T") { return time.date }
        let parts = text.split(separator: "/").compactMap { Int($0) }
        guard parts.count == 3, parts[0] > 0 else { return "" }
        let month = parts[0] - 1
        let first = SandboxTime(parts[2] + month / 12, month % 12 + 1, 1)
        return first.adding(seconds: Int64(parts[1] - 1) * 86_400).date
    }

    /// What saving a deal works out: its amount in the base currency, and on creation the
    /// probability of its stage (fact 46).
    private func finish(
        _ record: inout SuiteCRMRecord,
        _ module: SuiteCRMModule,
        _ attributes: [SandboxJSON.Member],
        isNew: Bool
    ) {
        guard module == .opportunities else { return }
        if attributes.contains(where: { $0.name == "amount" }) {
            record["amount_usdollar"] = record["amount"]
        }
        guard isNew, record["probability"]?.isEmpty ?? true else { return }
        record["probability"] = Self.probabilities[record["sales_stage"] ?? ""]
    }

    private static let probabilities = [
        "Prospecting": "10", "Qualification": "20", "Needs Analysis": "25",
        "Value Proposition": "30", "Id. Decision Makers": "40", "Perception Analysis": "50",
        "Proposal/Price Quote": "65", "Negotiation/Review": "80", "Closed Won": "100",
        "Closed Lost": "0",
    ]

    /// Gives a record without addresses those of a write: `email1`, `email2`, and the first
    /// one's opt-out (facts 1, 40).
    private mutating func takeAddresses(
        _ attributes: [SandboxJSON.Member], for record: SuiteCRMRecord, now: SandboxTime
    ) {
        func text(_ name: String) -> String? {
            attributes.last { $0.name == name }?.value.scalarText
        }
        for (name, isPrimary) in [("email1", true), ("email2", false)] {
            let address = SuiteCRMText.purified(text(name) ?? "")
            guard MauticSandbox.isEmail(address) else { continue }
            let id = addressID(for: address, now: now)
            links.append(
                SuiteCRMLink(holderID: record.id, addressID: id, isPrimary: isPrimary))
            if isPrimary, let flag = text("email_opt_out"), flag == "1" || flag == "true" {
                addresses[id.lowercased()]?["opt_out"] = "1"
            }
        }
    }

    /// The record of an address, shared by everybody who has it; made where there is none.
    mutating func addressID(for address: String, now: SandboxTime) -> String {
        let caps = address.uppercased()
        let known = addresses.values.filter {
            $0["email_address_caps"] == caps && !$0.isDeleted
        }.map(\.id).min()
        if let known { return known }
        var record = SuiteCRMRecord(id: newID(), values: [:])
        for field in SuiteCRMModule.emailAddresses.fields { record[field.name] = field.initial }
        record["email_address"] = address
        record["email_address_caps"] = caps
        record["date_created"] = now.sql
        record["date_modified"] = now.sql
        addresses[record.id.lowercased()] = record
        return record.id
    }

    /// The normal-looking answer to a create with `attributes.id`, which stores nothing.
    private func unstored(
        _ record: SuiteCRMRecord,
        _ module: SuiteCRMModule,
        _ attributes: [SandboxJSON.Member],
        now: SandboxTime
    ) -> SandboxJSON {
        var data = json(record, module, isWrite: true)
        for member in attributes where module.field(member.name) != nil {
            data.replace(member.name, with: member.value)
        }
        for field in module.fields {
            let isSent = attributes.contains { $0.name == field.name }
            if field.kind == .stub { data.replace(field.name, with: "") }
            if field.kind == .bool, !isSent { data.replace(field.name, with: false) }
        }
        data.replace("portal_account_disabled", with: "")
        data.replace("date_modified", with: .string(now.iso))
        data.replace("modified_user_id", with: "1")
        data.replace("modified_by_name", with: "admin")
        data.replace("deleted", with: 0)
        data.replace("jjwg_maps_lat_c", with: 0)
        data.replace("jjwg_maps_lng_c", with: 0)
        return data
    }
}

extension SandboxJSON {
    /// Puts another value at an attribute, where there is one.
    fileprivate mutating func replace(_ attribute: String, with value: SandboxJSON) {
        guard var members, let place = members.firstIndex(where: { $0.name == "attributes" }),
            var attributes = members[place].value.members,
            let index = attributes.firstIndex(where: { $0.name == attribute })
        else { return }
        attributes[index].value = value
        members[place].value = .object(attributes)
        self = .object(members)
    }
}
