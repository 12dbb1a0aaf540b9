/// FCMO Compass: a Supabase project's tables behind PostgREST 12, with the outbox trigger.
package struct CompassSandbox: SandboxDealMachine {
    package struct Settings: Sendable, Hashable {
        /// The key that both `apikey` and the bearer token must carry.
        package var serviceKey: String
        /// Tokens that were good once.
        package var expiredTokens: Set<String>
        /// Supabase answers no more rows than this at once.
        package var maxRows: Int

        package init(
            serviceKey: String = "sandbox.service.key",
            expiredTokens: Set<String> = [],
            maxRows: Int = 1_000
        ) {
            self.serviceKey = serviceKey
            self.expiredTokens = expiredTokens
            self.maxRows = maxRows
        }
    }

    package var settings: Settings
    var random: SandboxRandom
    /// Rows in the order they were inserted.
    var contacts: [CompassRow] = []
    var clients: [CompassRow] = []
    var deals: [CompassRow] = []
    var outbox: [CompassRow] = []
    /// The last stamp the trigger gave; stamps never repeat, so `updated_at` tells versions apart.
    var lastStamp = SandboxTime(microseconds: .min)
    /// How many of the next changes commit late, and the outbox rows that wait with them.
    var lateCommits = 0
    var lateRows: [CompassRow] = []
    var nextOutboxID = 1
    package internal(set) var writeCalls = 0

    /// An empty project; everything random derives from the seed.
    package init(seed: UInt64, settings: Settings = Settings()) {
        self.settings = settings
        random = SandboxRandom(seed: seed ^ 0x434F_4D50_4153)
    }

    package mutating func respond(
        to request: SandboxRequest, now: SandboxTime
    ) -> SandboxResponse {
        var response: SandboxResponse
        do throws(CompassRefusal) {
            response = try route(request, now: now)
        } catch {
            response = error.response
        }
        response.headers.insert(SandboxHeader("Date", now.http), at: 0)
        if request.method == "HEAD" { response.body = [] }
        return response
    }

    private mutating func route(
        _ request: SandboxRequest, now: SandboxTime
    ) throws(CompassRefusal) -> SandboxResponse {
        try authenticate(request)
        var path = request.segments
        if path.starts(with: ["rest", "v1"]) { path.removeFirst(2) }
        if path.isEmpty, request.method == "GET" { return Self.description }
        guard path.count == 1,
            let table = CompassTable.all.first(where: { $0.name == path[0] })
        else { throw .noTable(path.joined(separator: "/")) }
        let call = try CompassCall(request, table)
        switch request.method {
        case "GET", "HEAD": return try read(call)
        case "POST", "PATCH", "DELETE": writeCalls += 1
        default: throw .method
        }
        // What a failed statement did so far is rolled back.
        let before = self
        do throws(CompassRefusal) {
            switch request.method {
            case "POST": return try insert(call, request, now: now)
            case "PATCH": return try update(call, request, now: now)
            default: return try delete(call, now: now)
            }
        } catch {
            let calls = writeCalls
            self = before
            writeCalls = calls
            throw error
        }
    }

    private func authenticate(_ request: SandboxRequest) throws(CompassRefusal) {
        guard let key = request.header("apikey") ?? request.parameters["apikey"] else {
            throw .noKey
        }
        guard key == settings.serviceKey else { throw .wrongKey }
        guard let header = request.header("Authorization"), header.hasPrefix("Bearer ") else {
            return
        }
        let token = header.dropFirst(7).trimmingSpaces
        if token == settings.serviceKey { return }
        throw settings.expiredTokens.contains(token) ? .expired : .badToken(token)
    }

    /// The rows of a table.
    func rows(of table: CompassTable) -> [CompassRow] {
        self[keyPath: table.rows]
    }

    /// A moment no earlier change was stamped with.
    mutating func stamp(_ now: SandboxTime) -> SandboxTime {
        lastStamp = max(
            now, lastStamp.microseconds == .min ? now : lastStamp.adding(microseconds: 1))
        return lastStamp
    }
}

/// What a request asks of a table: the parts of its query and of its `Prefer` headers.
struct CompassCall {
    var table: CompassTable
    var filter: CompassFilter
    var columns: [(alias: String, column: String)]
    var order: [(column: String, isDescending: Bool, nullsFirst: Bool)]
    var limit: Int?
    var offset: Int
    var preferences: [String: String] = [:]
    var conflict: String?
    var onlyColumns: Set<String>?
    var wantsObject: Bool

    init(_ request: SandboxRequest, _ table: CompassTable) throws(CompassRefusal) {
        let parameters = request.parameters
        self.table = table
        filter = try CompassFilter(parameters, table)
        columns = try Self.selection(parameters["select"] ?? "*", table)
        order = try Self.order(parameters["order"] ?? "", table)
        limit = parameters["limit"].flatMap(Int.init)
        offset = parameters["offset"].flatMap(Int.init) ?? 0
        conflict = parameters["on_conflict"]
        onlyColumns = parameters["columns"].map { Set($0.split(separator: ",").map(String.init)) }
        wantsObject = request.header("Accept")?.contains("vnd.pgrst.object") == true
        for header in request.headers where header.name.lowercased() == "prefer" {
            for part in header.value.split(separator: ",") {
                let pair = part.split(separator: "=", maxSplits: 1).map(\.trimmingSpaces)
                if pair.count == 2 { preferences[pair[0]] = pair[1] }
            }
        }
        if request.method == "GET", limit == nil, let range = request.header("Range") {
            let bounds = range.split(separator: "-", omittingEmptySubsequences: false)
            offset = bounds.first.flatMap { Int($0) } ?? 0
            limit = bounds.last.flatMap { Int($0) }.map { $0 - offset + 1 }
        }
    }

    private static func selection(
        _ text: String, _ table: CompassTable
    ) throws(CompassRefusal) -> [(alias: String, column: String)] {
        var columns: [(alias: String, column: String)] = []
        for part in text.split(separator: ",").map(\.trimmingSpaces) {
            if part == "*" {
                columns += table.columns.map { ($0.name, $0.name) }
                continue
            }
            let names = part.split(separator: ":").map(String.init)
            let column = names.last ?? ""
            guard table.type(column) != nil else { throw .noColumn(column, table.name) }
            columns.append((names.first ?? column, column))
        }
        return columns
    }

    private static func order(
        _ text: String, _ table: CompassTable
    ) throws(CompassRefusal) -> [(column: String, isDescending: Bool, nullsFirst: Bool)] {
        var order: [(column: String, isDescending: Bool, nullsFirst: Bool)] = []
        for part in text.split(separator: ",") {
            let words = part.split(separator: ".").map(String.init)
            let column = words.first ?? ""
            guard table.type(column) != nil else { throw .noColumn(column, table.name) }
            let isDescending = words.contains("desc")
            let nullsFirst =
                words.contains("nullsfirst") || (isDescending && !words.contains("nullslast"))
            order.append((column, isDescending, nullsFirst))
        }
        return order
    }

    /// The preferences that were followed, in the order PostgREST names them.
    var applied: [SandboxHeader] {
        let names = ["resolution", "missing", "return", "count"]
        let told = names.compactMap { name in preferences[name].map { "\(name)=\($0)" } }
        return told.isEmpty
            ? [] : [SandboxHeader("Preference-Applied", told.joined(separator: ", "))]
    }
}
