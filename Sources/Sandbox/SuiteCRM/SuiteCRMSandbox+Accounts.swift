extension SuiteCRMSandbox {
    private static let accountColumns: [(column: String, part: SandboxAccountPart)] = [
        ("name", \.name), ("website", \.website), ("phone_office", \.phone),
        ("industry", \.industry), ("billing_address_street", \.street),
        ("billing_address_city", \.city), ("billing_address_postalcode", \.postcode),
        ("billing_address_country", \.country), ("description", \.description),
    ]
    private static let dealColumns: [(column: String, part: SandboxDealPart)] = [
        ("name", \.name), ("amount", \.amount), ("sales_stage", \.stage),
        ("date_closed", \.closeDate), ("description", \.description),
    ]

    @discardableResult
    package mutating func seed(_ account: SandboxAccount, at time: SandboxTime) -> String {
        var record = blank(.accounts, at: time)
        for (column, part) in Self.accountColumns { record[column] = account[keyPath: part] }
        record["employees"] = account.employees.map(String.init)
        store(record, in: .accounts)
        replaceAddress(of: record, with: account.email, at: time)
        return record.id
    }

    @discardableResult
    package mutating func seed(_ deal: SandboxDeal, at time: SandboxTime) -> String {
        var record = blank(.opportunities, at: time)
        for (column, part) in Self.dealColumns {
            record[column] = deal[keyPath: part] ?? record[column]
        }
        record["amount_usdollar"] = deal.amount
        record["probability"] = deal.probability.map(String.init)
        store(record, in: .opportunities)
        if let account = deal.account, self.record(.accounts, account) != nil {
            tie(.opportunities, record.id, "accounts", to: account)
        }
        return record.id
    }

    @discardableResult
    package mutating func personEditsAccount(
        _ id: String, at time: SandboxTime, _ edit: (inout SandboxAccount) -> Void
    ) -> Bool {
        guard var record = record(.accounts, id), !record.isDeleted else { return false }
        let before = account(record)
        var after = before
        edit(&after)
        guard after != before else { return true }
        for (column, part) in Self.accountColumns
        where after[keyPath: part] != before[keyPath: part] {
            record[column] = Self.typed(after[keyPath: part], column, .accounts)
        }
        record["employees"] = after.employees.map(String.init) ?? ""
        touch(&record, at: time)
        store(record, in: .accounts)
        if after.email != before.email { replaceAddress(of: record, with: after.email, at: time) }
        return true
    }

    @discardableResult
    package mutating func personEditsDeal(
        _ id: String, at time: SandboxTime, _ edit: (inout SandboxDeal) -> Void
    ) -> Bool {
        guard var record = record(.opportunities, id), !record.isDeleted else { return false }
        let before = deal(record)
        var after = before
        edit(&after)
        guard after != before else { return true }
        for (column, part) in Self.dealColumns where after[keyPath: part] != before[keyPath: part] {
            record[column] = Self.typed(after[keyPath: part], column, .opportunities)
        }
        record["amount_usdollar"] = record["amount"]
        record["probability"] = after.probability.map(String.init) ?? ""
        touch(&record, at: time)
        store(record, in: .opportunities)
        move(record.id, .opportunities, to: after.account)
        return true
    }

    @discardableResult
    package mutating func personDeletesAccount(_ id: String, at time: SandboxTime) -> Bool {
        personDeletes(id, .accounts, at: time)
    }

    @discardableResult
    package mutating func personDeletesDeal(_ id: String, at time: SandboxTime) -> Bool {
        personDeletes(id, .opportunities, at: time)
    }

    /// The living accounts in id order.
    package var accountRows: [SandboxAccountRow] {
        living(in: .accounts).map { record in
            SandboxAccountRow(
                id: record.id, account: account(record),
                added: record.time("date_entered") ?? SandboxTime(seconds: 0),
                modified: record.time("date_modified"))
        }
    }

    /// The living deals in id order.
    package var dealRows: [SandboxDealRow] {
        living(in: .opportunities).map { record in
            SandboxDealRow(
                id: record.id, deal: deal(record),
                added: record.time("date_entered") ?? SandboxTime(seconds: 0),
                modified: record.time("date_modified"))
        }
    }

    private func account(_ record: SuiteCRMRecord) -> SandboxAccount {
        var account = SandboxAccount(
            employees: record["employees"].flatMap { Int($0) },
            email: emails(of: record.id).first?["email_address"])
        for (column, part) in Self.accountColumns {
            account[keyPath: part] = record[column].flatMap { $0.isEmpty ? nil : $0 }
        }
        return account
    }

    private func deal(_ record: SuiteCRMRecord) -> SandboxDeal {
        var deal = SandboxDeal(
            account: account(of: record.id, .opportunities)?.id,
            probability: record["probability"].flatMap { Int($0) })
        for (column, part) in Self.dealColumns {
            deal[keyPath: part] = record[column].flatMap { $0.isEmpty ? nil : $0 }
        }
        return deal
    }
}

/// What a user of the program's own pages does to a record of any module.
extension SuiteCRMSandbox {
    /// Another user of the program; the API acts as user 1.
    private static let personID = "seed_sally_id"

    /// A new record with its module's defaults, made by that user.
    mutating func blank(_ module: SuiteCRMModule, at time: SandboxTime) -> SuiteCRMRecord {
        var record = SuiteCRMRecord(id: newID(), values: [:])
        for field in module.fields where field.isColumn { record[field.name] = field.initial }
        record["date_entered"] = time.sql
        record["date_modified"] = time.sql
        record["created_by"] = Self.personID
        record["modified_user_id"] = Self.personID
        return record
    }

    func touch(_ record: inout SuiteCRMRecord, at time: SandboxTime) {
        record["date_modified"] = time.sql
        record["modified_user_id"] = Self.personID
    }

    /// A text as a form stores it.
    static func typed(_ text: String?, _ column: String, _ module: SuiteCRMModule) -> String {
        let kind = module.field(column)?.kind ?? .longText
        switch kind {
        case .money: return SuiteCRMNumber.decimal(.string(text ?? "0"))
        default: return SuiteCRMText.cut(SuiteCRMText.purified(text ?? ""), to: kind)
        }
    }

    mutating func personDeletes(
        _ id: String, _ module: SuiteCRMModule, at time: SandboxTime
    ) -> Bool {
        guard let record = record(module, id), !record.isDeleted else { return false }
        markDeleted(record, module, now: time)
        return true
    }

    /// Gives a contact or deal another account, or none.
    mutating func move(_ id: String, _ module: SuiteCRMModule, to account: String?) {
        let before = self.account(of: id, module)?.id
        guard before != account else { return }
        if let before { untie(module, id, "accounts", from: before) }
        if let account, let record = record(.accounts, account), !record.isDeleted {
            tie(module, id, "accounts", to: record.id)
        }
    }

    /// The living records of a module in id order.
    func living(in module: SuiteCRMModule) -> [SuiteCRMRecord] {
        table(module).values.filter { !$0.isDeleted }.sorted { $0.id < $1.id }
    }
}

extension SuiteCRMRecord {
    /// A column's moment.
    func time(_ column: String) -> SandboxTime? {
        values[column].flatMap(SandboxTime.init(parsing:))
    }
}
