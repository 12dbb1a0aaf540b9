import Ledger
import Sandbox
import SandboxServer

/// What people type, each into one of the systems in turn.
extension DemoRun {
    /// Cities in Mautic, titles in SuiteCRM and phone numbers in Compass.
    func editPeople(_ people: ArraySlice<[System: String]>, at now: SandboxTime) {
        server.withWorld { world in
            for (index, person) in people.enumerated() {
                switch index % 3 {
                case 0:
                    world.mautic.personEdits(person[.mautic] ?? "", at: now) {
                        $0.city = "Bergen \(index)"
                    }
                case 1:
                    let id = person[.suitecrm] ?? ""
                    let edit = { (person: inout SandboxPerson) in
                        person.jobTitle = "Head of \(index)"
                    }
                    if !world.suiteCRM.personEdits(id, at: now, edit) {
                        world.suiteCRM.personEditsLead(id, at: now, edit)
                    }
                default:
                    world.compass.personEdits(person[.compass] ?? "", at: now) {
                        $0.phone = "+1-555-01\(10 + index % 80)"
                    }
                }
            }
        }
    }

    /// Cities in Mautic, streets in SuiteCRM and phone numbers in Compass.
    func editAccounts(_ accounts: ArraySlice<[System: String]>, at now: SandboxTime) {
        server.withWorld { world in
            for (index, account) in accounts.enumerated() {
                switch index % 3 {
                case 0:
                    world.mautic.personEditsAccount(account[.mautic] ?? "", at: now) {
                        $0.city = "Bergen \(index)"
                    }
                case 1:
                    world.suiteCRM.personEditsAccount(account[.suitecrm] ?? "", at: now) {
                        $0.street = "Quay \(index)"
                    }
                default:
                    world.compass.personEditsAccount(account[.compass] ?? "", at: now) {
                        $0.phone = "+1-555-01\(10 + index)"
                    }
                }
            }
        }
    }
}
