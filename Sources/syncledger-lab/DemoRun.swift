import Connectors
import Engine
import Foundation
import Ledger
import Model
import Projections
import Sandbox
import SandboxServer
import Transport

/// The demo, step by step, on a real ledger and real sockets.
final class DemoRun {
    let workplace: Workplace
    private let directory: String
    let server: SandboxServer
    private let client = HTTPClient()
    private let started = systemNow()
    private var random: IdentitySource
    private var calls = 0
    private var pairs = 0
    private var totals = Totals()
    private var quiet = false

    private struct Totals {
        var records = 0
        var linked = 0
        var ambiguous = 0
        var opened = 0
        var settled = 0
        var issued = 0
        var confirmed = 0
        var uncertain = 0
    }

    init(directory: String, ports: SandboxServer.Ports, server: SandboxServer, seed: UInt64) throws
    {
        self.directory = directory
        self.server = server
        random = IdentitySource(seed: seed, now: systemNow())
        try Workplace.create(at: directory, name: "demo")
        workplace = try Workplace(at: directory)
        try connect(ports)
    }

    func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    func step(_ title: String) { say("\n\u{25B8} \(title)") }

    private func connect(_ ports: SandboxServer.Ports) throws {
        let secrets = server.withWorld { world in
            (
                world.mautic.settings.clients[0].id, world.mautic.settings.clients[0].secret,
                world.suiteCRM.settings.clientID, world.suiteCRM.settings.clientSecret,
                world.compass.settings.serviceKey
            )
        }
        for (system, url, credentials) in [
            (System.compass, ports.url(of: .compass), Credentials(clientSecret: secrets.4)),
            (
                .mautic, ports.url(of: .mautic),
                Credentials(clientID: secrets.0, clientSecret: secrets.1)
            ),
            (
                .suitecrm, ports.url(of: .suitecrm),
                Credentials(clientID: secrets.2, clientSecret: secrets.3)
            ),
        ] {
            var configured = ConnectionConfigured()
            configured.connection = workplace.eventID().cast()
            configured.system = system
            configured.label = system.name
            configured.url = url
            configured.callsPerMinute = 10_000_000
            configured.credentialFingerprint = workplace.fingerprint(credentials)
            try workplace.keep(credentials, for: configured.connection)
            try workplace.append([
                Draft(
                    id: workplace.eventID(), stream: .connection(configured.connection),
                    event: .connectionConfigured(configured))
            ])
        }
    }

    /// Runs every step.
    ///
    /// - Returns: whether everything came out as it must.
    func run(json: Bool, keeps: Bool) throws -> Bool {
        try firstContact()
        try firstWrites()
        try lifeGoesOn()
        try settleEverything()
        try history()
        let identical = try proveViews()
        let converged = try compareSystems() && quiet
        let seconds = Double(systemNow().microseconds - started.microseconds) / 1_000_000
        try finish(identical, converged, seconds, json: json, keeps: keeps)
        let callsPerChange = pairs == 0 ? 0 : Double(calls) / Double(pairs)
        return identical && converged && totals.uncertain == 0 && callsPerChange <= 1.2
    }

    private func engine(
        _ verb: RunRequest.Verb, sweep: Bool = false, approve: Bool = false
    ) throws -> RunReport {
        let report = try workplace.run(
            RunRequest(run: workplace.newRun(), verb: verb, isSweep: sweep, approves: approve),
            client: client)
        calls += report.calls
        pairs += report.pairsChanged
        totals.linked += report.linked
        totals.ambiguous += report.ambiguous
        totals.issued += report.issued
        totals.confirmed += report.confirmed
        totals.uncertain += report.uncertain
        if report.records > 0 { totals.records = report.records }
        for failure in report.failures { say("  \(failure.connection): \(failure.reason)") }
        if report.refused + report.parked > 0 {
            say("  \(report.refused) refused, \(report.parked) parked")
        }
        return report
    }

    // MARK: - Steps

    private func firstContact() throws {
        let counts = server.withWorld { world in
            [
                (world.compass.rows.count, world.compass.accountRows.count),
                (world.mautic.rows.count, world.mautic.accountRows.count),
                (
                    world.suiteCRM.rows.count + world.suiteCRM.leadRows.count,
                    world.suiteCRM.accountRows.count
                ),
            ].map { "\($0.0) people, \($0.1) accounts" }
                + [world.compass.dealRows.count, world.suiteCRM.dealRows.count].map {
                    ", \($0) deals"
                }
        }
        let leads = server.withWorld { $0.suiteCRM.leadRows.count }
        step(
            "First contact: \(counts[0])\(counts[3]) in Compass, \(counts[1]) in Mautic, \(counts[2])\(counts[4]) in SuiteCRM, \(leads) of the people there leads. Nothing is written."
        )
        let report = try engine(.plan)
        say(
            "  \(report.linked) linked by e-mail or name, \(report.newRecords) known to one system only,"
        )
        say("  \(report.ambiguous) ambiguous: a person is asked, nobody guesses.")
        step("The plan")
        for (what, count) in report.proposals.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }
        )
        .prefix(12) {
            say("  \(count) × \(what)")
        }
    }

    private func firstWrites() throws {
        step("Apply: each write is durable as an intent before it leaves")
        let report = try engine(.sync, approve: true)
        say("  \(report.confirmed) of \(report.issued) writes confirmed, \(report.calls) calls")
        totals.opened += report.contested
        say("  \(report.contested) fields differ and no law decides: they wait for a person")
    }

    private func lifeGoesOn() throws {
        step("Life goes on: people type on all sides at once")
        let linked = try fullyLinked("contact").shuffled(using: &random)
        let accounts = try fullyLinked("account").shuffled(using: &random).prefix(12)
        let edits = min(40, linked.count / 6)
        let now = SandboxTime(microseconds: systemNow().microseconds)
        editPeople(linked.prefix(edits * 3), at: now)
        editAccounts(accounts, at: now)
        let clients = try fullyLinked("account")
        let deals = try editDeals(clients, at: now)
        let converted = server.withWorld { world in
            world.suiteCRM.leadRows.prefix(5).compactMap {
                world.suiteCRM.personConverts($0.id, at: now)
            }.count
        }
        // Leads have no account, and are not what these edits are about.
        let leads = Set(server.withWorld { $0.suiteCRM.leadRows.map(\.id) })
        let rest = linked.dropFirst(edits * 3).filter { !leads.contains($0[.suitecrm] ?? "") }
        guard rest.count >= 5 else { return }
        server.withWorld { world in
            world.mautic.personEdits(rest[0][.mautic] ?? "", at: now) { $0.mobile = "+1-555-0191" }
            world.suiteCRM.personEdits(rest[0][.suitecrm] ?? "", at: now) {
                $0.mobile = "+1-555-0192"
            }
            world.mautic.personOptsOut(rest[1][.mautic] ?? "", at: now)
            world.compass.personEdits(rest[1][.compass] ?? "", at: now) {
                $0.account = clients.first?[.compass]
            }
            world.suiteCRM.personDeletes(rest[2][.suitecrm] ?? "", at: now)
            _ = world.mautic.mauticMerges(
                rest[3][.mautic] ?? "", into: rest[4][.mautic] ?? "", at: now)
        }
        say(
            "  \(edits * 3) edits of people, \(accounts.count) of accounts and \(deals) of deals, one mobile number changed in two places, one opt-out,"
        )
        say(
            "  \(converted) leads converted and one person deleted in SuiteCRM, two merged in Mautic"
        )
        let report = try engine(.sync, sweep: true)
        totals.opened += report.contested + report.gone + report.ambiguous
        say("  \(report.confirmed) of \(report.issued) writes confirmed, \(report.calls) calls")
        say(
            "  \(report.conflicted) people ask for you, \(report.gone) deleted, \(report.merged) merged"
        )
    }

    /// Returns how many deals were edited: sums and accounts in Compass, stages in SuiteCRM.
    private func editDeals(_ clients: [[System: String]], at now: SandboxTime) throws -> Int {
        let deals = try fullyLinked("deal").shuffled(using: &random).prefix(20)
        server.withWorld { world in
            for (index, deal) in deals.enumerated() {
                let account = clients.isEmpty ? nil : clients[index % clients.count]
                if index % 2 == 0 {
                    world.compass.personEditsDeal(deal[.compass] ?? "", at: now) {
                        $0.amount = "\(1_000 + index).25"
                        $0.account = account?[.compass]
                    }
                } else {
                    world.suiteCRM.personEditsDeal(deal[.suitecrm] ?? "", at: now) {
                        $0.stage = "Closed Won"
                    }
                }
            }
        }
        return deals.count
    }

    private func settleEverything() throws {
        step("The differences side by side, settled")
        let (records, replicas) = try workplace.views.read { tables, transaction in
            (
                try tables.records.all(transaction).filter { !$0.contests.isEmpty },
                try tables.replicas.all(transaction)
            )
        }
        for (index, record) in records.enumerated() {
            for contest in record.contests {
                if index < 3 {
                    say(
                        "  \(contest.field): "
                            + contest.sides.map {
                                "\($0.system.name) says \(words($0.content?.value))"
                            }.joined(separator: ", "))
                }
                guard let side = contest.sides.first else { continue }
                try workplace.settle(record.record, contest.field, as: .system(side.system))
                totals.settled += 1
            }
        }
        if records.count > 3 { say("  … and \(records.count - 3) more") }
        for row in replicas where row.state == .gone && row.goneProof != .merged {
            guard let record = row.record else { continue }
            say("  deleted in \(row.system.name): deleted everywhere, as the person wished")
            try workplace.answerDeletion(record, keep: false)
            totals.settled += 1
        }
        for question in try questionsOfMerges() {
            say("  two people merged in mautic: kept apart, and made there again")
            try workplace.keepApart(question)
            totals.settled += 1
        }
        var report = try engine(.sync)
        say("  \(report.confirmed) of \(report.issued) writes confirmed")
        report = try engine(.sync)
        quiet = report.issued == 0 && report.decisions == 0 && report.writeCalls == 0
        say(
            quiet
                ? "  and a second sync decides nothing and writes nothing"
                : "  but a second sync still has \(report.issued) writes, \(report.decisions) decisions, \(report.writeCalls) write calls"
        )
    }

    /// Open questions about people who stand in records already: a system merged them.
    private func questionsOfMerges() throws -> [QuestionID] {
        try workplace.views.read { tables, transaction in
            try tables.questions.all(transaction).filter { question in
                try !question.isSettled
                    && question.raised.replicas.allSatisfy {
                        try tables.replicas.row($0.bytes, transaction)?.record != nil
                    }
            }.map(\.raised.question)
        }
    }

    private func history() throws {
        let record = try workplace.views.read { tables, transaction in
            try tables.conflicts.all(transaction).last?.record
                ?? tables.records.all(transaction).first?.record
        }
        guard let record else { return }
        step("One person's history")
        let replicas = try workplace.views.read { tables, transaction in
            try tables.records.row(record.bytes, transaction)?.replicas ?? []
        }
        var sequences = Set(try workplace.log.sequences(tagged: Tag(.record, record)))
        for replica in replicas {
            sequences.formUnion(try workplace.log.sequences(tagged: Tag(.replica, replica)))
        }
        for sequence in sequences.sorted().suffix(12) {
            guard let stored = try workplace.log.read(from: sequence, limit: 1).first else {
                continue
            }
            let event = try workplace.sealer.open(stored, sequence: sequence)
            say("  \(sequence)  \(event.event.name)")
        }
    }

    private func proveViews() throws -> Bool {
        step("Every view rebuilt from the log, and compared row by row")
        let result = try workplace.views.verify()
        say(result.isIdentical ? "  identical" : "  DIFFERENT")
        return result.isIdentical
    }

    private func words(_ value: Value?) -> String {
        switch value {
        case .text(let text): text.isEmpty ? "nothing" : "“\(text)”"
        case .number(let text): text
        case .bool(let flag): flag ? "yes" : "no"
        case .set(let elements): elements.joined(separator: ", ")
        default: "nothing"
        }
    }

    private func finish(
        _ identical: Bool, _ converged: Bool, _ seconds: Double, json: Bool, keeps: Bool
    ) throws {
        let head = try workplace.log.head()
        let callsPerChange = pairs == 0 ? 0 : Double(calls) / Double(pairs)
        say(
            "\n\(head.size) events, \(calls) calls for \(pairs) changes, \(String(format: "%.1f", seconds)) s"
        )
        if keeps {
            say("Look around: syncledger conflicts --ledger \(directory)")
            say("             syncledger links --ledger \(directory)")
            say("             syncledger log --ledger \(directory)")
        } else {
            say("Try next: tools/demo --ledger /tmp/demo, then syncledger links --ledger /tmp/demo")
        }
        try workplace.close()
        guard json else { return }
        func number(_ name: String, _ value: Int) -> JSON.Member {
            .init(name, .number("\(value)"))
        }
        let result = JSON.object([
            number("records", totals.records), number("linked", totals.linked),
            number("ambiguous", totals.ambiguous), number("conflictsOpened", totals.opened),
            number("conflictsSettled", totals.settled), number("commandsIssued", totals.issued),
            number("commandsConfirmed", totals.confirmed),
            number("commandsUncertain", totals.uncertain), number("apiCalls", calls),
            .init("callsPerChange", .number(String(format: "%.3f", callsPerChange))),
            number("events", Int(head.size)),
            .init("root", .string(head.root.map(hexadecimal).joined())),
            .init("rebuildIdentical", .bool(identical)), .init("converged", .bool(converged)),
            .init("seconds", .number(String(format: "%.1f", seconds))),
        ])
        print(String(decoding: result.bytes, as: UTF8.self))
    }
}
