import Engine
import Ledger
import Model
import Projections
import Transport

/// Plans over people who are linked in three systems; nothing is called.
///
/// Everybody stands in all three with eight fields, which nobody has decided yet; for one in ten a
/// system lacks the city, for one in ten it says another. What is measured is a whole `plan` run of the engine on connections
/// without an address: every record is read, merged field by field, its commands are derived, and
/// every verdict is counted at the end.
struct Planning {
    let directory: String
    let people: Int
    private let systems: [System] = [.compass, .mautic, .suitecrm]

    func figures() throws -> Figures {
        try Workplace.create(at: directory, name: "bench")
        let workplace = try Workplace(at: directory)
        try workplace.append(systems.indices.map(configured))
        for first in stride(from: 0, to: people, by: 500) {
            let drafts = (first..<min(first + 500, people)).flatMap(person)
            _ = try workplace.log.append(try workplace.sealer.seal(drafts))
        }
        try workplace.views.project()
        let client = HTTPClient()
        var report = RunReport(run: .none)
        let took = try timed {
            report = try workplace.run(
                RunRequest(run: workplace.newRun(), verb: .plan), client: client)
        }
        guard report.records == people, report.wouldWrite > 0, report.contested > 0 else {
            throw ChildProcess.Failure.wrongResult("a plan of \(report.records) records")
        }
        try workplace.close()
        return [
            "planSeconds": took, "planPeople": Double(people),
            "planWouldWrite": Double(report.wouldWrite), "planContested": Double(report.contested),
        ]
    }

    private func configured(_ index: Int) -> Draft {
        var configured = ConnectionConfigured()
        configured.connection = connection(index)
        configured.system = systems[index]
        configured.label = systems[index].name
        return Draft(
            id: EventID(high: 8, low: UInt64(index)), stream: .connection(configured.connection),
            event: .connectionConfigured(configured))
    }

    /// Three looks at one person, and the links between them.
    private func person(_ number: Int) -> [Draft] {
        let record = RecordID(high: 3, low: UInt64(number))
        let looks = systems.indices.map { observed(number, $0) }
        let links = systems.indices.map { index in
            let replica = replica(number, index)
            let linked = Linked(record: record, entity: "contact", replica: replica, reason: .key)
            return Draft(
                id: EventID(high: 10, low: replica.low), stream: .record(record),
                event: .linked(linked), tags: [Tag(.record, record), Tag(.replica, replica)])
        }
        return looks + links
    }

    private func observed(_ number: Int, _ index: Int) -> Draft {
        let replica = replica(number, index)
        var observed = Observed()
        observed.replica = replica
        observed.connection = connection(index)
        observed.entity = "contact"
        observed.remoteID = Sealed(
            .text("\(number)"), subject: replica.subject, category: .identity)
        observed.road = .fetch
        observed.complete = true
        let isOdd = index == number / 10 % systems.count
        let city = !isOdd || number % 10 > 1 ? "London" : number % 10 == 0 ? "" : "Turin"
        let values = [
            "first_name": "Ada \(number)", "last_name": "Lovelace", "title": "Analyst",
            "email": "ada\(number)@example.org", "phone": "+1-555-01\(number % 90 + 10)",
            "street": "12 St James's Square", "city": city,
            "postcode": "SW1Y 4JH",
        ]
        observed.attributes = EntityMapping.contact.fields.compactMap { field in
            guard let text = values[field.name],
                let attribute = field.spellings[systems[index]]?.attribute
            else { return nil }
            return ObservedAttribute(
                attribute,
                Sealed(.text(text), subject: replica.subject, category: field.category))
        }
        return Draft(
            id: EventID(high: 9, low: replica.low), stream: .replica(replica),
            event: .observed(observed), tags: [Tag(.replica, replica)])
    }

    private func connection(_ index: Int) -> ConnectionID {
        ConnectionID(high: 1, low: UInt64(index + 1))
    }

    private func replica(_ number: Int, _ index: Int) -> ReplicaID {
        ReplicaID(high: 2, low: UInt64(number * systems.count + index))
    }
}
