import Engine
import Ledger
import Model
import Projections
import Sandbox
import SandboxServer

/// Looking past the ledger: whether the systems hold the same.
extension DemoRun {
    struct LinkedObjects {
        var compass: String
        var mautic: String
        var suitecrm: String
    }

    func fullyLinked(_ entity: String) throws -> [LinkedObjects] {
        try workplace.views.read { tables, transaction in
            try tables.records.all(transaction).compactMap { record in
                guard record.entity == entity else { return nil }
                var ids: [System: String] = [:]
                for id in record.replicas {
                    guard let row = try tables.replicas.row(id.bytes, transaction),
                        row.state == .live
                    else { continue }
                    ids[row.system] = row.remoteIDText
                }
                guard record.contests.isEmpty, let compass = ids[.compass],
                    let mautic = ids[.mautic], let suitecrm = ids[.suitecrm]
                else { return nil }
                return LinkedObjects(compass: compass, mautic: mautic, suitecrm: suitecrm)
            }
        }
    }

    /// Looks into the systems themselves, past the ledger, whether they hold the same people.
    func compareSystems() throws -> Bool {
        step("The three systems compared with each other")
        let rows = server.withWorld { world in
            (
                Dictionary(uniqueKeysWithValues: world.compass.rows.map { ($0.id, $0.person) }),
                Dictionary(uniqueKeysWithValues: world.mautic.rows.map { ($0.id, $0.person) }),
                Dictionary(uniqueKeysWithValues: world.suiteCRM.rows.map { ($0.id, $0.person) })
            )
        }
        let people = try fullyLinked("contact")
        var different = 0
        for person in people {
            let all = [
                rows.0[person.compass], rows.1[person.mautic], rows.2[person.suitecrm],
            ].compactMap { $0 }
            let isSame = all.count == 3 && all.dropFirst().allSatisfy { isAlike($0, all[0]) }
            if !isSame { different += 1 }
        }
        say("  \(people.count) people stand in all three; \(different) differ")
        let accountsDiffer = try compareAccounts()
        return different == 0 && !accountsDiffer && people.count > 0
    }

    private func compareAccounts() throws -> Bool {
        let rows = server.withWorld { world in
            [world.compass.accountRows, world.mautic.accountRows, world.suiteCRM.accountRows].map {
                Dictionary(uniqueKeysWithValues: $0.map { ($0.id, $0.account) })
            }
        }
        func plain(_ account: SandboxAccount) -> [String] {
            [account.name, account.website, account.phone, account.street, account.city].map {
                TextRules.mauticCleaned($0 ?? "")
            }
        }
        let accounts = try fullyLinked("account")
        let different = accounts.count { linked in
            let all = [
                rows[0][linked.compass], rows[1][linked.mautic], rows[2][linked.suitecrm],
            ].compactMap { $0.map(plain) }
            return all.count < 3 || Set(all).count > 1
        }
        say("  \(accounts.count) accounts stand in all three; \(different) differ")
        return different > 0
    }

    private func isAlike(_ one: SandboxPerson, _ other: SandboxPerson) -> Bool {
        func plain(_ text: String?) -> String {
            TextRules.mauticCleaned(text ?? "")
        }
        return plain(one.email).lowercased() == plain(other.email).lowercased()
            && plain(one.firstName) == plain(other.firstName)
            && plain(one.lastName) == plain(other.lastName)
            && plain(one.phone) == plain(other.phone) && plain(one.mobile) == plain(other.mobile)
            && plain(one.jobTitle) == plain(other.jobTitle) && plain(one.city) == plain(other.city)
            && one.emailOptOut == other.emailOptOut
    }
}
