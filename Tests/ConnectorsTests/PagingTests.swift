import Connectors
import Ledger
import Model
import Testing
import Transport

/// Walks: what a page must look like, and that every walk ends.
@Suite struct PagingTests {
    private static func uuid(_ number: Int) -> String {
        let digits = String(number)
        return "00000000-0000-4000-8000-"
            + String(repeating: "0", count: 12 - digits.count) + digits
    }

    /// A page of these ids, as each system writes it.
    private static func page(_ system: System, _ ids: [String]) -> HTTPResult {
        switch system {
        case .mautic:
            let contacts = ids.map { #""\#($0)":{"id":\#($0),"fields":[]}"# }
            return answer(
                200, #"{"total":"9","contacts":{\#(contacts.joined(separator: ","))}}"#)
        case .suitecrm:
            let rows = ids.map { #"{"type":"Contact","id":"\#($0)","attributes":[]}"# }
            return answer(200, #"{"data":[\#(rows.joined(separator: ","))]}"#)
        case .compass, .unspecified:
            let rows = ids.map { #"{"id":"\#($0)"}"# }
            return answer(200, "[\(rows.joined(separator: ","))]")
        }
    }

    private static func id(_ system: System, _ number: Int) -> String {
        system == .mautic ? String(number) : uuid(number)
    }

    private static let systems = [System.compass, .mautic, .suitecrm]

    @Test(arguments: systems)
    func `a walk goes on behind the last id of a full page`(system: System) throws {
        let size = system == .compass ? 500 : 100
        let ids = (1...size).map { Self.id(system, $0) }
        let connector = connector(for: system)
        let page = try connector.page(from: Self.page(system, ids), Walk(.sweep))
        #expect(page.objects.map(\.id) == ids)
        #expect(page.next == Walk(.sweep, after: ids.last))
        let next = connector.pageCall(Walk(.sweep, after: ids.last))
        #expect(next.target.contains(ids.last ?? ""))
        #expect(
            try connector.page(
                from: Self.page(system, [Self.id(system, size + 1)]),
                Walk(.sweep, after: ids.last)
            ).next == nil)
    }

    /// Fact A7: a filter that was not followed answers everything, from the beginning.
    @Test(arguments: systems, [[3, 5], [5], [6, 8, 7], [6, 6], [7, 1]])
    func `fact A7: a page that does not grow beyond the last id is unclear`(
        system: System, numbers: [Int]
    ) {
        let answer = Self.page(system, numbers.map { Self.id(system, $0) })
        let walk = Walk(.sweep, after: Self.id(system, 5))
        #expect(
            failure { () throws(RemoteFailure) in
                try connector(for: system).page(from: answer, walk)
            }?.kind == .unclear)
    }

    @Test func `Mautic's ids grow as numbers, and a text is none`() throws {
        let connector = MauticConnector()
        let page = try connector.page(from: Self.page(.mautic, ["9", "10", "100"]), Walk(.sweep))
        #expect(page.objects.count == 3)
        let odd = answer(200, #"{"contacts":[{"id":"x"},{"id":"y"}]}"#)
        #expect(
            failure { () throws(RemoteFailure) in try connector.page(from: odd, Walk(.sweep)) }?
                .kind == .unclear)
    }

    @Test func `SuiteCRM's ids grow without regard to case; odd ones need only differ`() throws {
        let connector = SuiteCRMConnector()
        for ids in [["0a", "0B", "0c"], ["1", "1-1", "11"], ["seed_b", "seed_a"], ["ä", "b"]] {
            #expect(
                try connector.page(from: Self.page(.suitecrm, ids), Walk(.sweep)).objects.count
                    == ids.count)
        }
        let twice = Self.page(.suitecrm, ["seed_b", "SEED_B"])
        #expect(
            failure { () throws(RemoteFailure) in try connector.page(from: twice, Walk(.sweep)) }?
                .kind == .unclear)
    }

    @Test(arguments: ["[]", "{}"])
    func `fact C1: an empty list is an array or an object`(empty: String) throws {
        let page = try MauticConnector().page(
            from: answer(200, #"{"total":"0","contacts":\#(empty)}"#), Walk(.sweep))
        #expect(page.objects.isEmpty && page.next == nil)
    }

    @Test(arguments: [#""2""#, "2", "null"])
    func `fact C2: a total may be text, and nothing hangs on it`(total: String) throws {
        let page = try MauticConnector().page(
            from: answer(
                200,
                #"{"total":\#(total),"contacts":{"1":{"id":1},"2":{"id":2}}}"#), Walk(.sweep))
        #expect(page.objects.map(\.id) == ["1", "2"])
    }

    @Test(arguments: systems)
    func `a page that is no list is unclear`(system: System) {
        for bad in nonsense + [answer(200, #"{"contacts":null,"data":null}"#)] {
            #expect(
                failure { () throws(RemoteFailure) in
                    try connector(for: system).page(from: bad, Walk(.sweep))
                }?.kind == .unclear)
        }
    }

    // MARK: - What is asked

    private static let changes = Walk(
        .changes(since: Timestamp(seconds: 1_795_000_000)), after: "41")

    @Test func `facts B1, B2, B6, B9: Mautic is asked for both dates, in UTC, in id order`() {
        let call = MauticConnector().pageCall(Self.changes)
        #expect(call.parameter("orderBy") == "id" && call.parameter("orderByDir") == "ASC")
        #expect(call.parameter("where[0][col]") == "date_identified")
        #expect(call.parameter("where[1][expr]") == "gt" && call.parameter("where[1][val]") == "41")
        #expect(call.parameter("where[2][expr]") == "orX")
        let columns = (0...1).map { call.parameter("where[2][val][\($0)][col]") }
        #expect(columns == ["date_modified", "date_added"])
        let moments = (0...1).map { call.parameter("where[2][val][\($0)][val]") }
        #expect(moments == ["2026-11-18 11:06:40", "2026-11-18 11:06:40"])
        #expect(call.target.contains("2026-11-18%2011%3A06%3A40"))
    }

    @Test func `facts 9, 10, 33, 35: SuiteCRM is asked by id in a date window, size and number`() {
        let call = SuiteCRMConnector().pageCall(Self.changes)
        #expect(call.parameter("sort") == "id" && call.parameter("filter[id][gt]") == "41")
        #expect(call.parameter("filter[date_modified][gte]") == "2026-11-18 11:06:40")
        #expect(call.parameter("filter[operator]") == "and")
        #expect(call.parameter("page[size]") == "100" && call.parameter("page[number]") == "1")
        let sweep = SuiteCRMConnector().pageCall(Walk(.sweep))
        #expect(sweep.parameter("filter[operator]") == nil)
    }

    @Test(arguments: systems)
    func `every attribute of the mapping is asked for`(system: System) {
        let target = connector(for: system).pageCall(Walk(.sweep)).target
        // Mautic tells all by itself, and Compass is asked for all columns that it has.
        if system == .compass { #expect(target.contains("select=%2A")) }
        guard system == .suitecrm else { return }
        for name in EntityMapping.contact.attributes(of: system) {
            #expect(target.contains(name))
        }
    }

    @Test func `a system without a feed has nothing to acknowledge`() throws {
        for connector in [MauticConnector(), SuiteCRMConnector()] as [any Connector] {
            #expect(!connector.hasFeed)
            #expect(connector.acknowledgeCall(["1"], now: Timestamp(seconds: 0)) == nil)
            try connector.acknowledged(from: answer(200), [])
            #expect(throws: RemoteFailure.self) {
                try connector.acknowledged(from: answer(500), [])
            }
        }
    }

    // MARK: - Compass

    private static let compass = CompassConnector()

    private static func outbox(_ ids: [Int], total: Int? = nil) -> HTTPResult {
        let rows = ids.map {
            """
            {"table_name":"contacts","id":\($0),"operation":"update","changed_at":"2026-11-24T10:00:0\($0 % 10)+00:00",\
            "before":{"id":"\(uuid(1))","title":"a","city":"b"},\
            "after":{"id":"\(uuid(1))","title":"t\($0)","city":"b"}}
            """
        }
        let headers: HTTPHeaders =
            total.map { ["Content-Range": ids.isEmpty ? "*/\($0)" : "0-\(ids.count - 1)/\($0)"] }
            ?? [:]
        return answer(200, "[\(rows.joined(separator: ","))]", headers)
    }

    @Test func `a feed page goes on behind its last row, acknowledged or not`() throws {
        let page = try Self.compass.page(from: Self.outbox(Array(1...500)), Walk(.feed))
        #expect(page.acknowledge == (1...500).map(String.init))
        #expect(page.next == Walk(.feed, after: "500"))
        let call = Self.compass.pageCall(Walk(.feed, after: "500"))
        #expect(call.parameter("id") == "gt.500")
        #expect(call.parameter("acknowledged_at") == "is.null")
    }

    @Test func `a feed whose rows cannot be acknowledged ends all the same`() throws {
        var walk: Walk? = Walk(.feed)
        var pages = 0
        while let step = walk, pages < 10 {
            // Every unacknowledged row behind the last one, as the table would answer.
            let after = step.after.flatMap { Int($0) } ?? 0
            let rest = Array((1...1_200).filter { $0 > after })
            walk = try Self.compass.page(
                from: Self.outbox(Array(rest.prefix(500)), total: rest.count), step
            ).next
            pages += 1
        }
        #expect(pages == 3 && walk == nil)
    }

    @Test func `feed rows that do not grow are unclear`() {
        for ids in [[3, 2], [2, 2], [5]] {
            #expect(
                failure { () throws(RemoteFailure) in
                    try Self.compass.page(
                        from: Self.outbox(ids), Walk(.feed, after: ids == [5] ? "5" : nil))
                }?.kind == .unclear)
        }
    }

    @Test func `each feed row tells its own columns and its own moment`() throws {
        let page = try Self.compass.page(from: Self.outbox([1, 2]), Walk(.feed))
        #expect(page.changes.map(\.object.attributes.count) == [1, 1])
        #expect(page.changes.map { $0.object["title"] } == [.text("t1"), .text("t2")])
        #expect(
            page.changes.map(\.changedAt)
                == [Timestamp("2026-11-24T10:00:01Z"), Timestamp("2026-11-24T10:00:02Z")])
    }

    @Test func `a project that answers fewer rows than asked for is walked to its end`() throws {
        let ids = (1...100).map(Self.uuid)
        let rows = ids.map { #"{"id":"\#($0)"}"# }.joined(separator: ",")
        let capped = answer(206, "[\(rows)]", ["Content-Range": "0-99/340"])
        #expect(
            try Self.compass.page(from: capped, Walk(.sweep)).next == Walk(.sweep, after: ids.last))
        let last = answer(200, "[\(rows)]", ["Content-Range": "0-99/100"])
        #expect(try Self.compass.page(from: last, Walk(.sweep)).next == nil)
        #expect(Self.compass.pageCall(Walk(.sweep)).headers["Prefer"] == "count=exact")
    }

    @Test func `rows that were not acknowledged are noticed`() throws {
        let call = try #require(
            Self.compass.acknowledgeCall(["1", "2"], now: Timestamp(seconds: 0)))
        #expect(call.headers["Prefer"] == "return=representation")
        #expect(call.parameter("id") == "in.(1,2)")
        try Self.compass.acknowledged(from: answer(200, #"[{"id":2},{"id":1}]"#), ["1", "2"])
        for hidden in [answer(200, "[]"), answer(200, #"[{"id":1}]"#)] {
            #expect(
                failure { () throws(RemoteFailure) in
                    try Self.compass.acknowledged(from: hidden, ["1", "2"])
                }?.kind == .refused(.permission))
        }
        for bad in nonsense + [answer(204)] {
            #expect(
                failure { () throws(RemoteFailure) in
                    try Self.compass.acknowledged(from: bad, ["1"])
                }?.kind == .unclear)
        }
    }

    @Test func `nothing to acknowledge is no call`() {
        #expect(Self.compass.acknowledgeCall([], now: Timestamp(seconds: 0)) == nil)
    }
}
