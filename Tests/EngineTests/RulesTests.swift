import Ledger
import Model
import Projections
import Sandbox
import Simulation
import Testing

@testable import Engine

@Suite struct `The rules that decide` {
    @Test func `are said once, and every decision names them and its policy`() throws {
        let world = try World(directory: scratch(), seed: 61)
        defer { end(world) }
        world.mautic.seed(person("ann@example.com", "Ann", "Lee", phone: nil), at: world.time)
        var policy = PolicyChanged()
        policy.entity = "contact"
        policy.preset = Law.manual.rawValue
        try world.record(.policyChanged(policy), on: Stream(.ledger, EventID.none))
        for _ in 0..<3 {
            world.pass(seconds: 60)
            _ = try world.run(.sync, approve: true)
        }
        var policyID: EventID?
        var adopted: [LoggedEvent] = []
        var decided: [Decided] = []
        for (index, stored) in try world.workplace.log.read(from: 1, limit: .max).enumerated() {
            let event = try world.workplace.sealer.open(stored, sequence: UInt64(index) + 1)
            switch event.event {
            case .policyChanged: policyID = event.id
            case .rulesAdopted: adopted.append(event)
            case .decided(let payload): decided.append(payload)
            default: break
            }
        }
        #expect(adopted.count == 1)
        #expect(!decided.isEmpty)
        #expect(decided.allSatisfy { $0.mapping == adopted.first?.id && $0.policy == policyID })
        guard case .rulesAdopted(let rules)? = adopted.first?.event else { return }
        #expect(rules.mapping == EntityMapping.contact.digest)
    }

    @Test func `differ when anything in a mapping does`() {
        var other = EntityMapping.contact
        other.fields[0].prefer = [.mautic]
        #expect(other.digest != EntityMapping.contact.digest)
        other = .contact
        other.fields[0].spellings[.mautic]?.codec.maximumLength = 63
        #expect(other.digest != EntityMapping.contact.digest)
    }
}
