import Engine
import Ledger
import Model
import Projections
import Sandbox
import SandboxServer

/// Looking past the ledger: whether the systems hold the same.
extension DemoRun {
    /// The objects of one record, by system, where all systems that have such objects hold one and
    /// nobody is asked about it.
    func fullyLinked(_ entity: String) throws -> [[System: String]] {
        let mapping = try workplace.mapping()
        let systems = [System.compass, .mautic, .suitecrm].filter {
            mapping[entity]?.attributes(of: $0).isEmpty == false
        }
        return try workplace.views.read { tables, transaction in
            try tables.records.all(transaction).compactMap { record in
                guard record.entity == entity, record.contests.isEmpty else { return nil }
                var ids: [System: String] = [:]
                for id in record.replicas {
                    guard let row = try tables.replicas.row(id.bytes, transaction),
                        row.isActive
                    else { continue }
                    ids[row.system] = row.remoteIDText
                }
                return systems.allSatisfy { ids[$0] != nil } ? ids : nil
            }
        }
    }

    /// Looks into the systems themselves, past the ledger, whether they hold the same.
    func compareSystems() throws -> Bool {
        step("The systems compared with each other")
        let accounts = server.withWorld { world in
            table(world.compass.accountRows, world.mautic.accountRows, world.suiteCRM.accountRows) {
                ($0.id, $0.account)
            }
        }
        let people = server.withWorld { world in
            table(
                world.compass.rows, world.mautic.rows,
                world.suiteCRM.rows + world.suiteCRM.leadRows
            ) { ($0.id, $0.person) }
        }
        let deals = server.withWorld { world in
            table(world.compass.dealRows, [], world.suiteCRM.dealRows) { ($0.id, $0.deal) }
        }
        func company(_ id: String?, _ system: System) -> String {
            plain(id.flatMap { accounts[system]?[$0]?.name })
        }
        let equal = [
            try compare("account", "accounts", accounts) { account, system in
                [
                    "name": plain(account.name), "phone": plain(account.phone),
                    "website": plain(account.website), "street": plain(account.street),
                    "city": plain(account.city), "postcode": plain(account.postcode),
                    "country": plain(account.country), "industry": plain(account.industry),
                    "employees": "\(account.employees ?? -1)",
                    "description": plain(account.description),
                ]
            },
            try compare("contact", "people", people) { person, system in
                var shown = [
                    "first name": plain(person.firstName), "last name": plain(person.lastName),
                    "phone": plain(person.phone), "mobile": plain(person.mobile),
                    "title": plain(person.jobTitle), "street": plain(person.street),
                    "city": plain(person.city), "postcode": plain(person.postcode),
                    "email": plain(person.email).lowercased(), "opt-out": "\(person.emailOptOut)",
                    "company": company(person.account, system),
                ]
                // What only two of the systems have.
                if system != .mautic { shown["description"] = plain(person.description) }
                if system != .suitecrm {
                    shown["points"] = "\(person.points)"
                    shown["tags"] = person.tags.map(plain).sorted().joined(separator: ", ")
                }
                return shown
            },
            try compare("deal", "deals", deals) { deal, system in
                [
                    "name": plain(deal.name), "stage": plain(deal.stage),
                    "close date": plain(deal.closeDate), "description": plain(deal.description),
                    "amount":
                        "\(FieldCodec(.compass, .money).content(of: .text(deal.amount ?? "0")))",
                    "company": company(deal.account, system),
                ]
            },
        ]
        return equal.allSatisfy { $0 }
    }

    private func table<Row, Object>(
        _ compass: [Row], _ mautic: [Row], _ suitecrm: [Row], _ pair: (Row) -> (String, Object)
    ) -> [System: [String: Object]] {
        [System.compass: compass, .mautic: mautic, .suitecrm: suitecrm].mapValues {
            Dictionary(uniqueKeysWithValues: $0.map(pair))
        }
    }

    /// Whether each field shows the same in all systems that have it.
    private func compare<Object>(
        _ entity: String, _ name: String, _ objects: [System: [String: Object]],
        _ shown: (Object, System) -> [String: String]
    ) throws -> Bool {
        let linked = try fullyLinked(entity)
        var different = 0
        var fields: [String: Int] = [:]
        for ids in linked {
            let all = ids.map { system, id in
                let object = objects[system]?[id]
                return (object.map { shown($0, system) } ?? [:]).merging(
                    ["object": object == nil ? "missing" : "there"]) { $1 }
            }
            let names = Set(all.flatMap(\.keys))
            let differing =
                names.filter { name in Set(all.compactMap { $0[name] }).count > 1 }
                + (all.allSatisfy { $0["object"] == "missing" } ? ["object"] : [])
            if !differing.isEmpty { different += 1 }
            for name in differing { fields[name, default: 0] += 1 }
        }
        say("  \(linked.count) \(name) stand in all that have them; \(different) differ")
        for (field, count) in fields.sorted(by: { $0.key < $1.key }) {
            say("    \(count) in \(field)")
        }
        return different == 0 && !linked.isEmpty
    }

    private func plain(_ text: String?) -> String { TextRules.mauticCleaned(text ?? "") }
}
