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
            try compare("account", "accounts", accounts) { account, _ in
                [account.name, account.website, account.phone, account.street, account.city]
                    .map(plain)
            },
            try compare("contact", "people", people) { person, system in
                [
                    person.firstName, person.lastName, person.phone, person.mobile,
                    person.jobTitle, person.city,
                ].map(plain) + [
                    plain(person.email).lowercased(), "\(person.emailOptOut)",
                    company(person.account, system),
                ]
            },
            try compare("deal", "deals", deals) { deal, system in
                [
                    plain(deal.name), plain(deal.stage), plain(deal.closeDate),
                    "\(FieldCodec(.compass, .money).content(of: .text(deal.amount ?? "0")))",
                    company(deal.account, system),
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

    /// Whether what stands everywhere shows the same everywhere.
    private func compare<Object>(
        _ entity: String, _ name: String, _ objects: [System: [String: Object]],
        _ shown: (Object, System) -> [String]
    ) throws -> Bool {
        let linked = try fullyLinked(entity)
        let different = linked.count { ids in
            let all = ids.map { system, id in objects[system]?[id].map { shown($0, system) } }
            return all.contains(nil) || Set(all).count > 1
        }
        say("  \(linked.count) \(name) stand in all that have them; \(different) differ")
        return different == 0 && !linked.isEmpty
    }

    private func plain(_ text: String?) -> String { TextRules.mauticCleaned(text ?? "") }
}
