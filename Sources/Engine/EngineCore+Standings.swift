package import Ledger
import Model
package import Projections
package import Reconciler

/// Reading records and planning them, many at a time.
extension EngineCore {
    package func snapshot(_ record: RecordID) throws -> RecordSnapshot? {
        try reader.snapshot(record)
    }

    var reader: SnapshotReader {
        SnapshotReader(
            views: views, mapping: mapping,
            places: sessions.values.map { ($0.row.id, $0.row.system) })
    }

    /// Some records and what each plan says as things stand, made on all cores, in their order.
    ///
    /// A record that is not there, or of an entity that nobody decides for, is left out.
    func plans(
        of records: ArraySlice<RecordID>, by reconcilers: [String: Reconciler]
    ) throws -> [(snapshot: RecordSnapshot, plan: RecordPlan)] {
        try inParallel(Array(records)) { [reader] record in
            guard let snapshot = try reader.snapshot(record),
                let reconciler = reconcilers[snapshot.record.entity]
            else { return nil }
            return (snapshot, reconciler.plan(snapshot))
        }.compactMap(\.self)
    }

    /// So many that their snapshots together are some megabytes.
    static func batches(_ records: [RecordID]) -> [ArraySlice<RecordID>] {
        let size = 512
        return stride(from: 0, to: records.count, by: size).map {
            records[$0..<min($0 + size, records.count)]
        }
    }

    /// All records, in their order.
    func recordIDs() throws -> [RecordID] {
        try views.keys(of: \.records).compactMap { RecordID(bytes: $0) }
    }

    /// Begins to sum up every record's verdict: each record stands in exactly one count.
    mutating func beginCounting() throws {
        phase = .counting
        let records = try recordIDs()
        toCount = records[...]
        report.records = records.count
        let lone = try LoneObjects(views)
        (report.apart, report.asked, report.unlinked) = (lone.apart, lone.asked, lone.unlinked)
        report.objects = lone.objects
        standings.keepOnly(try reconcilers().mapValues(\.ground), end: end)
    }

    /// Sums up some; answers whether those were the last.
    mutating func countSome() throws -> Bool {
        let reconcilers = try reconcilers()
        let those = toCount.prefix(recordsPerStep)
        toCount = toCount.dropFirst(those.count)
        for some in Self.batches(Array(those)) {
            let unknown = some.filter { standings[$0] == nil }
            let planned = try plans(of: unknown[...], by: reconcilers)
            for (snapshot, plan) in planned { count(.init(plan, snapshot)) }
            // No rule of the mapping in force is about the others.
            report.excluded += unknown.count - planned.count
            for record in some { if let standing = standings[record] { count(standing) } }
        }
        guard toCount.isEmpty else {
            breathe(.counting)
            return false
        }
        standings = KnownStandings()
        return true
    }

    private mutating func count(_ standing: KnownStandings.Standing) {
        report.realignable += standing.realignable
        report.open += standing.open
        switch standing.verdict {
        case .conflict: report.conflicted += 1
        case .failing: report.failing += 1
        case .write, .wait: report.waiting += 1
        case .excluded: report.excluded += 1
        case .inSync: report.inSync += 1
        }
    }
}

/// Where records stood when a run that only plans planned them: true until anything moves.
struct KnownStandings {
    struct Standing {
        var verdict: Verdict.Standing
        var realignable: Int
        /// How many commands of it are open.
        var open: Int

        init(_ plan: RecordPlan, _ snapshot: RecordSnapshot) {
            verdict = plan.standing
            realignable = plan.realignable
            open = snapshot.openCommands.count
        }
    }

    /// What planning stood on, by entity, before anything was to be made.
    private var grounds: [String: Ground] = [:]
    private var end: UInt64 = 0
    private var isKept = false
    private var records: [RecordID: (entity: String, standing: Standing)] = [:]

    init() {}

    /// Without `isKept` nothing is noted: what a run writes moves where records stand.
    init(grounds: [String: Ground], end: UInt64, isKept: Bool) {
        self.grounds = grounds
        self.end = end
        self.isKept = isKept
    }

    subscript(record: RecordID) -> Standing? { records[record]?.standing }

    /// Takes note of a record, unless its plan counts on what is yet to be made.
    mutating func note(
        _ plan: RecordPlan, of snapshot: RecordSnapshot, by reconciler: Reconciler
    ) {
        guard isKept, reconciler.ground.beingMade.isEmpty else { return }
        records[plan.record] = (plan.entity, Standing(plan, snapshot))
    }

    /// Forgets what was planned on other ground, or before the log's last event.
    mutating func keepOnly(_ now: [String: Ground], end: UInt64) {
        guard self.end == end else {
            records = [:]
            return
        }
        let same = Set(grounds.keys.filter { grounds[$0] == now[$0] })
        records = records.filter { same.contains($0.value.entity) }
    }
}

/// Reads records with everything that planning looks at, on any thread.
struct SnapshotReader: Sendable {
    let views: ViewStore
    let mapping: Mapping
    /// Where this run could make somebody.
    let places: [(connection: ConnectionID, system: System)]

    func snapshot(_ record: RecordID) throws -> RecordSnapshot? {
        let found = try views.read { tables, transaction -> RecordSnapshot? in
            guard let row = try tables.records.row(record.bytes, transaction) else { return nil }
            let replicas = try row.replicas.compactMap {
                try tables.replicas.row($0.bytes, transaction)
            }
            let creating = try row.creating.compactMap {
                try tables.replicas.row($0.bytes, transaction)
            }
            let commands = try (replicas + creating).flatMap(\.openCommands).compactMap {
                try tables.commands.row($0.bytes, transaction)
            }
            return RecordSnapshot(
                record: row, replicas: replicas, openCommands: commands,
                creating: Set(creating.map(\.connection)))
        }
        guard var snapshot = found, let entity = mapping[snapshot.record.entity] else {
            return nil
        }
        if lacksPlace(snapshot, entity) {
            snapshot.namesakes = try views.namesakes(of: snapshot.record, entity, among: mapping)
        }
        snapshot.references = try References(
            of: snapshot.record, snapshot.replicas, entity, among: mapping, views)
        snapshot.derived = try derived(snapshot.record, entity)
        return snapshot
    }

    /// Whether it could be made somewhere, so that it matters who else is there.
    private func lacksPlace(_ snapshot: RecordSnapshot, _ entity: EntityMapping) -> Bool {
        let taken = Set(snapshot.replicas.map(\.connection))
        return places.isEmpty
            || places.contains {
                !taken.contains($0.connection) && !entity.attributes(of: $0.system).isEmpty
            }
    }
}

/// Living objects that are no record's, by why: with the objects of all records they are all there are.
package struct LoneObjects: Sendable {
    /// All living objects, those of records among them.
    package var objects = 0
    /// A person keeps them apart.
    package var apart = 0
    /// A question about them is open.
    package var asked = 0
    /// What they are told apart by is not known, or their kind was not read whole.
    package var unlinked = 0

    package init(_ views: ViewStore) throws {
        let questions = try views.collect(from: \.questions, where: { !$0.isSettled }) {
            $0.raised.replicas
        }
        let asked = Set(questions.joined())
        let living = try views.collect(
            unopenedFrom: \.replicas, where: { $0.state == .live }
        ) { row in row.record == nil ? (replica: row.replica, isApart: row.isApart) : nil }
        objects = living.count
        for case let object? in living {
            if object.isApart {
                apart += 1
            } else if asked.contains(object.replica) {
                self.asked += 1
            } else {
                unlinked += 1
            }
        }
    }
}
