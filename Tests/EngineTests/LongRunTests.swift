import Ledger
import Model
import Projections
import Sandbox
import Simulation
import Testing
import Transport

@testable import Engine

@Suite struct `A long run` {
    /// Many people in Mautic, which shows a hundred a page.
    private func crowd(_ count: Int, seed: UInt64) throws -> (World, [String]) {
        let world = try World(directory: scratch(), seed: seed)
        let ids = (0..<count).map { number in
            world.mautic.seed(
                person("p\(number)@example.com", "First\(number)", "Last\(number)", phone: nil),
                at: world.time)
        }
        return (world, ids)
    }

    private func isPage(_ request: HTTPRequest, of system: System, _ path: String) -> Bool {
        request.method == .get && request.url.contains("/\(system.name)/")
            && request.url.contains(path) && request.url.contains("limit=100")
    }

    @Test(arguments: [false, true])
    func `takes over what was typed behind its reading, however long it read`(
        isSweep: Bool
    ) throws {
        let (world, ids) = try crowd(250, seed: 1_001)
        defer { end(world) }
        if !isSweep {
            _ = try world.run(.plan)
            world.pass(seconds: 600)
            for id in ids { world.mautic.personEdits(id, at: world.time) { $0.city = "Ulm" } }
        }
        var typed = ""
        var pages = 0
        world.fault = { request in
            guard isPage(request, of: .mautic, "/api/contacts"), request.url.contains("orderBy=id"),
                !request.url.contains("%5Bval%5D=0&")
            else { return .none }
            pages += 1
            // Behind the walk, and then before it: its highest stamp is the later one.
            world.pass(seconds: 900)
            typed = "Bonn \(pages)"
            world.mautic.personEdits(ids[3], at: world.time) { $0.city = typed }
            world.pass(seconds: 900)
            world.mautic.personEdits(ids[249], at: world.time) { $0.city = typed }
            return .none
        }
        _ = try world.run(.plan)
        #expect(pages >= 2)
        #expect(try city(ids[3], in: world) != "Ulm", "what was typed long before its end is seen")
        world.fault = { _ in .none }
        world.pass(seconds: 60)
        _ = try world.run(.plan)
        #expect(try city(ids[3], in: world) == typed)
        #expect(try city(ids[249], in: world) == typed)
    }

    @Test(arguments: [false, true])
    func `that is stopped in its first reading is followed by one that goes on there`(
        isCrash: Bool
    ) throws {
        let (world, ids) = try crowd(350, seed: 1_002)
        defer { end(world) }
        world.pass(seconds: 86_400)
        var asked: [String] = []
        world.fault = { request in
            if isPage(request, of: .mautic, "/api/contacts") { asked.append(request.url) }
            return .none
        }
        if isCrash {
            #expect(try world.run(.sync, stopping: { _ in asked.count == 3 }) == nil)
            try world.restart()
        } else {
            let report = try world.run(.sync, cancellingWhen: { asked.count == 3 })
            #expect(report?.wasStopped == true)
        }
        // Behind the walk somebody is deleted, and somebody else is another in the city.
        world.pass(seconds: 7_200)
        let isDeleted = world.mautic.personDeletes(ids[5], at: world.time)
        world.mautic.personEdits(ids[7], at: world.time) { $0.city = "Bonn" }
        world.pass(seconds: 7_200)
        asked = []
        let report = try #require(try world.run(.plan))
        #expect(isDeleted && report.failures.isEmpty)
        let firstHundreds = asked.filter { $0.contains("%5Bval%5D=0&") && !$0.contains("orX") }
        #expect(firstHundreds.isEmpty, "it does not begin anew")
        #expect(report.objectsSeen[.mautic, default: 0] < 350)
        #expect(try city(ids[7], in: world) == "Bonn")
        #expect(try city(ids[349], in: world) == nil)
        let known = try world.workplace.views.read { tables, transaction in
            try tables.replicas.all(transaction)
        }
        #expect(known.count == 350 && known.allSatisfy { $0.state == .live })
        world.pass(seconds: 600)
        #expect(try #require(try world.run(.plan, sweep: true)).gone == 1)
        #expect(try world.workplace.views.verify().isIdentical)
    }

    @Test func `with much to write takes over and tells what is typed meanwhile`() throws {
        let world = try World(directory: scratch(), seed: 1_003)
        defer { end(world) }
        world.mautic.seed(person("ann@example.com", "Ann", "Lee", phone: nil), at: world.time)
        _ = try syncToRest(world)
        try world.configure(.suitecrm) { $0.callsPerMinute = 30 }
        for number in 0..<150 {
            world.mautic.seed(
                person("p\(number)@example.com", "First\(number)", "Last\(number)", phone: nil),
                at: world.time)
        }
        let began = world.now
        let ann = try #require(world.compass.rows.first { $0.person.email == "ann@example.com" })
        var typedAt: Timestamp?
        var toldAt: Timestamp?
        var madeBefore = 0
        world.fault = { _ in
            if typedAt == nil, world.now > began.adding(seconds: 90) {
                typedAt = world.now
                world.compass.personEdits(ann.id, at: world.time) { $0.city = "Bonn" }
            }
            let isTold = world.people(.suitecrm).contains { $0.person.city == "Bonn" }
            if isTold, toldAt == nil {
                toldAt = world.now
                madeBefore = world.people(.suitecrm).count
            }
            return .none
        }
        let report = try #require(try world.run(.sync))
        let typed = try #require(typedAt)
        let told = try #require(toldAt)
        #expect(world.people(.suitecrm).count == 151 && world.people(.mautic).count == 151)
        #expect(report.uncertain == 0 && report.refused == 0 && report.inSync == 151)
        #expect(world.now > began.adding(seconds: 300), "it was a long run")
        #expect(told < typed.adding(seconds: 240), "\(typed) \(told) \(world.now)")
        #expect(madeBefore < 120)
        world.fault = { _ in .none }
        world.pass(seconds: 300)
        let quiet = try syncToRest(world)
        #expect(quiet.inSync == 151)
    }

    @Test func `with much to read writes meanwhile what changed, and makes nobody twice`() throws {
        let world = try World(directory: scratch(), seed: 1_004)
        defer { end(world) }
        // Ann is in step in two systems; then Mautic comes, full of people.
        try world.configure(.mautic) { $0.url = "" }
        world.suitecrm.seed(person("ann@example.com", "Ann", "Lee", phone: nil), at: world.time)
        world.suitecrm.seed(
            person("p140@example.com", "First140", "Last140", phone: nil), at: world.time)
        _ = try syncToRest(world)
        for number in 0..<250 {
            world.mautic.seed(
                person("p\(number)@example.com", "First\(number)", "Last\(number)", phone: nil),
                at: world.time)
        }
        try world.configure(.mautic) { $0.url = "http://127.0.0.1/mautic" }
        let ann = try #require(world.compass.rows.first { $0.person.email == "ann@example.com" })
        var pages = 0
        var toldAfter: Int?
        world.fault = { request in
            if isPage(request, of: .mautic, "/api/contacts"), request.url.contains("orderBy=id") {
                pages += 1
                world.pass(seconds: 45)
                if pages == 1 {
                    world.compass.personEdits(ann.id, at: world.time) { $0.city = "Bonn" }
                    world.suitecrm.seed(
                        person("p200@example.com", "First200", "Last200", phone: nil),
                        at: world.time)
                }
            }
            let isTold = world.people(.suitecrm).contains { $0.person.city == "Bonn" }
            if isTold, toldAfter == nil { toldAfter = pages }
            return .none
        }
        let report = try #require(try world.run(.sync, approve: true))
        #expect(report.failures.isEmpty)
        #expect(try #require(toldAfter) < 3, "before Mautic was read")
        world.fault = { _ in .none }
        world.pass(seconds: 300)
        let quiet = try syncToRest(world)
        #expect(quiet.inSync == 251)
        for system in System.real { #expect(world.people(system).count == 251) }
    }

    @Test func `that sweeps reads the others whole beside a first walk that rests`() throws {
        let world = try World(directory: scratch(), seed: 1_005)
        defer { end(world) }
        try world.configure(.mautic) { $0.url = "" }
        for (email, name) in [("ann@example.com", "Ann"), ("zed@example.com", "Zed")] {
            world.suitecrm.seed(person(email, name, "Lee", phone: nil), at: world.time)
        }
        _ = try syncToRest(world)
        for number in 0..<250 {
            world.mautic.seed(
                person("p\(number)@example.com", "First\(number)", "Last\(number)", phone: nil),
                at: world.time)
        }
        try world.configure(.mautic) { $0.url = "http://127.0.0.1/mautic" }
        world.pass(seconds: 86_400)
        // What no date tells: only who reads everybody finds it.
        let zed = try #require(world.suitecrm.rows.first { $0.person.firstName == "Zed" })
        let isDeleted = world.suitecrm.personDeletes(zed.id, at: world.time)
        let ann = try #require(world.compass.rows.first { $0.person.firstName == "Ann" })
        world.pass(seconds: 86_400)
        var pages = 0
        var toldAfter: Int?
        world.fault = { request in
            let isTold = world.people(.suitecrm).contains { $0.person.city == "Bonn" }
            if isTold, toldAfter == nil { toldAfter = pages }
            if isPage(request, of: .mautic, "/api/contacts"), request.url.contains("orderBy=id") {
                pages += 1
                world.pass(seconds: 45)
                if pages == 1 {
                    world.compass.personEdits(ann.id, at: world.time) { $0.city = "Bonn" }
                }
            }
            return .none
        }
        let report = try #require(try world.run(.sync, sweep: true, approve: true))
        #expect(isDeleted && report.failures.isEmpty)
        #expect(try #require(toldAfter) < 3, "Mautic's walk was laid aside")
        #expect(report.gone == 1 && report.conflicted == 1, "\(report)")
        #expect(world.people(.compass).count == 252 && world.people(.suitecrm).count == 251)
    }

    @Test func `that is stopped leaves little begun, and what changed can be taken up alone`()
        throws
    {
        let world = try World(directory: scratch(), seed: 1_005)
        defer { end(world) }
        world.portion = 8
        world.suitecrm.seed(person("ann@example.com", "Ann", "Lee", phone: nil), at: world.time)
        _ = try syncToRest(world)
        for number in 0..<60 {
            world.mautic.seed(
                person("p\(number)@example.com", "First\(number)", "Last\(number)", phone: nil),
                at: world.time)
        }
        let stopped = try #require(
            try world.run(.sync, cancellingWhen: { world.people(.suitecrm).count > 20 }))
        #expect(stopped.wasStopped && stopped.open <= 64, "\(stopped.open)")
        let made = world.people(.suitecrm).count
        #expect(made < 40)
        world.pass(seconds: 300)
        let ann = try #require(world.mautic.rows.first { $0.person.email == "ann@example.com" })
        world.mautic.personEdits(ann.id, at: world.time) { $0.city = "Bonn" }
        world.takesOnlyChanges = true
        let changes = try #require(try world.run(.sync))
        #expect(changes.failures.isEmpty)
        #expect(world.people(.suitecrm).contains { $0.person.city == "Bonn" })
        // What the stop left begun is ended first; the others wait.
        #expect(world.people(.suitecrm).count <= made + 16)
        #expect(changes.waiting > 0)
        world.takesOnlyChanges = false
        world.pass(seconds: 300)
        let quiet = try syncToRest(world)
        #expect(quiet.inSync == 61)
        for system in System.real { #expect(world.people(system).count == 61) }
    }

    @Test func `takes up only what changed and reads no more than a page of what is new`() throws {
        let (world, _) = try crowd(250, seed: 1_006)
        defer { end(world) }
        world.pass(seconds: 86_400)
        world.takesOnlyChanges = true
        for pages in 1...2 {
            let report = try #require(try world.run(.sync, approve: true))
            #expect(report.failures.isEmpty)
            #expect(report.objectsSeen[.mautic] == 100, "page \(pages)")
            #expect(report.records == 0 && report.issued == 0, "nobody is linked by half a walk")
            world.pass(seconds: 600)
        }
        let report = try #require(try world.run(.sync))
        #expect(report.records == 50, "those of the last page; the others wait for a whole run")
    }

    @Test func `whose last portion has nothing to write ends all the same`() throws {
        for portion in 1...4 {
            let world = try World(directory: scratch(), seed: UInt64(1_010 + portion))
            defer { end(world) }
            world.portion = portion
            // Decided, and written nowhere: nobody has approved it.
            for number in 0..<5 {
                world.mautic.seed(
                    person("p\(number)@example.com", "First\(number)", "Last", phone: nil),
                    at: world.time)
            }
            for number in 0..<5 {
                world.suitecrm.seed(SandboxAccount(name: "Account \(number)"), at: world.time)
            }
            for _ in 0..<3 {
                let report = try #require(try world.run(.sync))
                #expect(report.failures.isEmpty && report.records == 10)
                world.pass(seconds: 60)
            }
            // Written there, until one system refuses the token.
            world.instead = { request in
                request.url.contains("/suitecrm/") && world.people(.suitecrm).count > 1
                    ? HTTPResponse(status: 401, headers: [:], body: []) : nil
            }
            let failed = try #require(try world.run(.sync, approve: true))
            #expect(!failed.failures.isEmpty)
            world.instead = { _ in nil }
            _ = try syncToRest(world, sweep: true)
            for system in System.real { #expect(world.people(system).count == 5) }
        }
    }

    @Test func `of planning and counting hears a stop between two steps, and adds up all the same`()
        throws
    {
        let (world, _) = try crowd(120, seed: 1_020)
        defer { end(world) }
        world.portion = 1
        // Everybody is read and linked; from here on each plan takes the same steps.
        _ = try world.run(.plan)
        var steps = 0
        let whole = try #require(
            try world.run(
                .plan,
                stopping: {
                    steps = $0
                    return false
                }))
        #expect(whole.records == 120)
        #expect(whole.wouldWrite > 0)
        // Sixteen a step: eight of planning and eight of counting at its end.
        for before in [4, 6, 10, 13] {
            var last = 0
            let stopped = try #require(
                try world.run(
                    .plan, cancelling: steps - before,
                    stopping: {
                        last = $0
                        return false
                    }))
            // Who stops the counting stops nothing: all was planned.
            #expect(stopped.wasStopped == (before > 8))
            if before <= 8 { #expect(stopped.wouldWrite == whole.wouldWrite) }
            #expect(last >= steps - before)
            #expect(stopped.records == 120)
            #expect(
                stopped.inSync + stopped.waiting + stopped.conflicted + stopped.excluded
                    + stopped.failing == 120)
            #expect(stopped.wouldWrite <= whole.wouldWrite)
        }
        let again = try #require(try world.run(.plan))
        #expect(again.wouldWrite == whole.wouldWrite)
        #expect(again.proposals == whole.proposals)
    }

    private func city(_ id: String, in world: World) throws -> String? {
        let row = try world.workplace.views.read { tables, transaction in
            try tables.replicas.all(transaction).first {
                $0.remoteIDText == id && $0.system == .mautic
            }
        }
        guard case .text(let text)? = row?["city"].seen?.value else { return nil }
        return text
    }
}
