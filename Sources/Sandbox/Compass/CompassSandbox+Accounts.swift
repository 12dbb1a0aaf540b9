extension CompassSandbox {
    private static let accountColumns: [(column: String, part: SandboxAccountPart)] = [
        ("company_name", \.name), ("website", \.website), ("phone", \.phone),
        ("industry", \.industry), ("street", \.street), ("city", \.city),
        ("postcode", \.postcode), ("country", \.country), ("description", \.description),
    ]
    private static let dealColumns: [(column: String, part: SandboxDealPart)] = [
        ("name", \.name), ("client_id", \.account), ("stage", \.stage),
        ("close_date", \.closeDate), ("description", \.description),
    ]

    private static func cells(_ account: SandboxAccount) -> [String: SandboxJSON] {
        var cells: [String: SandboxJSON] = [
            "employees": account.employees.map(SandboxJSON.int) ?? .null
        ]
        for (column, part) in accountColumns { cells[column] = .text(account[keyPath: part]) }
        return cells
    }

    private static func account(_ row: CompassRow) -> SandboxAccount {
        var account = SandboxAccount(employees: row["employees"].int)
        for (column, part) in accountColumns { account[keyPath: part] = row[column].string }
        return account
    }

    private static func cells(_ deal: SandboxDeal) -> [String: SandboxJSON] {
        let amount = deal.amount.flatMap(CompassNumeric.init)
        var cells: [String: SandboxJSON] = [
            "amount": amount.map { .number($0.text) } ?? .null,
            "probability": deal.probability.map(SandboxJSON.int) ?? .null,
        ]
        for (column, part) in dealColumns { cells[column] = .text(deal[keyPath: part]) }
        return cells
    }

    private static func deal(_ row: CompassRow) -> SandboxDeal {
        var deal = SandboxDeal(probability: row["probability"].int)
        if row["amount"] != .null { deal.amount = row["amount"].scalarText }
        for (column, part) in dealColumns { deal[keyPath: part] = row[column].string }
        return deal
    }

    @discardableResult
    package mutating func seed(_ account: SandboxAccount, at time: SandboxTime) -> String {
        seed(Self.cells(account), in: .clients, at: time)
    }

    @discardableResult
    package mutating func seed(_ deal: SandboxDeal, at time: SandboxTime) -> String {
        seed(Self.cells(deal), in: .deals, at: time)
    }

    @discardableResult
    package mutating func personEditsAccount(
        _ id: String, at time: SandboxTime, _ edit: (inout SandboxAccount) -> Void
    ) -> Bool {
        guard let index = clients.firstIndex(where: { $0["id"].string == id }) else {
            return false
        }
        var account = Self.account(clients[index])
        edit(&account)
        _ = change(index, Self.cells(account), .clients, now: time)
        return true
    }

    @discardableResult
    package mutating func personEditsDeal(
        _ id: String, at time: SandboxTime, _ edit: (inout SandboxDeal) -> Void
    ) -> Bool {
        guard let index = deals.firstIndex(where: { $0["id"].string == id }) else { return false }
        var deal = Self.deal(deals[index])
        edit(&deal)
        _ = change(index, Self.cells(deal), .deals, now: time)
        return true
    }

    /// False too where contacts or deals still name it: the foreign keys hold.
    @discardableResult
    package mutating func personDeletesAccount(_ id: String, at time: SandboxTime) -> Bool {
        guard let row = clients.first(where: { $0["id"].string == id }) else { return false }
        do throws(CompassRefusal) {
            try checkUnreferenced(row, of: .clients)
        } catch { return false }
        remove(row, from: .clients, now: time)
        return true
    }

    @discardableResult
    package mutating func personDeletesDeal(_ id: String, at time: SandboxTime) -> Bool {
        guard let row = deals.first(where: { $0["id"].string == id }) else { return false }
        remove(row, from: .deals, now: time)
        return true
    }

    /// The accounts in id order.
    package var accountRows: [SandboxAccountRow] {
        clients.map { row in
            SandboxAccountRow(
                id: row["id"].string ?? "", account: Self.account(row),
                added: row.time("created_at") ?? SandboxTime(seconds: 0),
                modified: row.time("updated_at"))
        }.sorted { $0.id < $1.id }
    }

    /// The deals in id order.
    package var dealRows: [SandboxDealRow] {
        deals.map { row in
            SandboxDealRow(
                id: row["id"].string ?? "", deal: Self.deal(row),
                added: row.time("created_at") ?? SandboxTime(seconds: 0),
                modified: row.time("updated_at"))
        }.sorted { $0.id < $1.id }
    }
}

extension CompassRow {
    /// A column's moment.
    func time(_ column: String) -> SandboxTime? {
        self[column].string.flatMap(SandboxTime.init(parsing:))
    }
}
