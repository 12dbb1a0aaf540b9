import Ledger
import Model
import Projections
import Reconciler

/// Where one active object of a record may stand: a kind at a connection.
private struct Seat: Hashable {
    var record: RecordID
    var place: KindPlace

    init(_ record: RecordID, _ row: ReplicaRow) {
        self.record = record
        place = KindPlace(connection: row.connection, kind: row.kind)
    }
}

/// Linking: which objects are one record; nobody guesses.
extension EngineCore {
    /// Finds a record for every replica that has none, entity by entity: what tells two of one name
    /// apart is linked first.
    mutating func link() throws {
        effects.append(progress(.linking))
        // Everything is planned in a run's first round: what an earlier run left is found so.
        // What was not read whole then kept some from being made.
        if request.isOnlyChanges {
            if looks == 1 { try markEditsDirty() }
        } else if looks == 1 || unfinished != plannedUnfinished {
            try markAllDirty()
        }
        plannedUnfinished = unfinished
        let approvals = request.approves ? try approvals() : []
        let asked = try views.collect(from: \.questions) { $0.isSettled ? nil : $0.raised.replicas }
        let waiting = Set(asked.joined())
        askedAbout = []
        // Those that a person keeps apart are linked by a person only.
        let rows = try views.collect(
            unopenedFrom: \.replicas,
            where: { [unfinished, shown, request] row in
                row.record == nil && row.state == .live && !row.isApart
                    && !waiting.contains(row.replica)
                    && (!request.isOnlyChanges || shown.contains(row.replica))
                    && !unfinished.contains(KindPlace(connection: row.connection, kind: row.kind))
            }
        ) { (replica: $0.replica, entity: $0.entity, isConverted: $0.isConverted) }
        // Those that were converted go along with what is linked by then.
        unlinked = mapping.entities.flatMap { entity in
            [false, true].flatMap { converted in
                slices(
                    of: rows.filter { $0.entity == entity.entity && $0.isConverted == converted }
                        .map(\.replica).sorted())
            }
        }
        if approvals.isEmpty { try linkNext() } else { append(approvals, then: .linked) }
    }

    /// As many as are held in memory at once; what is linked of some the next ones see in the views.
    private func slices(of replicas: [ReplicaID]) -> [ArraySlice<ReplicaID>] {
        let most = 1_000
        return stride(from: 0, to: replicas.count, by: most).map {
            replicas[$0..<min(replicas.count, $0 + most)]
        }
    }

    mutating func linkNext() throws {
        while !unlinked.isEmpty {
            let rows = try unlinked.removeFirst().compactMap(views.replica)
            let drafts = try links(of: rows.filter { $0.record == nil && $0.state == .live })
            guard drafts.isEmpty else { return append(drafts, then: .linked) }
        }
        phase = .planning
        nextLook = max(nextLook, now.adding(seconds: request.looksEverySeconds / 2))
        try planNext(dirty)
    }

    private mutating func links(of rows: [ReplicaRow]) throws -> [Draft] {
        var drafts: [Draft] = []
        var done: Set<ReplicaID> = []
        var taken: Set<Seat> = []
        for row in rows where !done.contains(row.replica) && !askedAbout.contains(row.replica) {
            guard try !isNameless(row), try !isNowhere(row) else { continue }
            // Of what is not read whole yet nobody is linked: there may be another one.
            let alike = try self.alike(row).filter {
                $0.record != nil
                    || !unfinished.contains(KindPlace(connection: $0.connection, kind: $0.kind))
            }
            // What it became waits for a person's word, and it with that.
            if row.isConverted, alike.contains(where: { $0.record == nil }) { continue }
            let match = try Identity().match(row, alike: alike) { record in
                guard !row.isConverted else { return false }
                return try taken.contains(Seat(record, row)) || isTaken(record, row)
            }
            switch match {
            case .join(let record):
                report.linked += 1
                if !row.isConverted { taken.insert(Seat(record, row)) }
                let origins = try row.isConverted ? [] : conversions(of: row)
                drafts.append(
                    linked(
                        row.replica, row.entity, to: record, origins.isEmpty ? .key : .conversion))
                done.insert(row.replica)
            case .found(let replicas):
                let record = Identity.record(replicas, entity: row.entity)
                if replicas.count > 1 { report.linked += 1 } else { report.newRecords += 1 }
                for replica in replicas {
                    drafts.append(
                        linked(replica, row.entity, to: record, replicas.count > 1 ? .key : .new))
                }
                done.formUnion(replicas)
            case .ambiguous(let replicas):
                report.ambiguous += 1
                drafts.append(question(replicas, row.entity))
                askedAbout.formUnion(replicas)
            }
        }
        return drafts
    }

    /// Lets every connection be written to from now on, but for what could not be read: of that
    /// nobody has seen a plan.
    private func approvals() throws -> [Draft] {
        let connections = try views.read { tables, transaction in
            try tables.connections.all(transaction)
        }
        return connections.filter { !$0.isRemoved }.compactMap { row in
            if !row.configured.url.isEmpty, !isUsable(row.id) { return nil }
            let entities = row.unapproved(in: mapping).filter {
                let place = KindPlace(connection: row.id, kind: $0)
                return !unreadable.contains(place) && !unfinished.contains(place)
            }
            guard !entities.isEmpty else { return nil }
            var approved = WritesApproved()
            approved.connection = row.id
            approved.entities = entities
            return Draft(
                id: .derived(
                    "writes approved",
                    [row.id.bytes, request.run.bytes, bigEndianBytes(UInt64(looks))]),
                stream: .connection(row.id), event: .writesApproved(approved))
        }
    }

    private func alike(_ row: ReplicaRow) throws -> [ReplicaRow] {
        guard let entity = mapping[row.entity] else { return [] }
        let conversions = try conversions(of: row)
        if row.isConverted, !conversions.isEmpty { return conversions }
        var found = try views.read { tables, transaction in
            var found: [ReplicaRow] = []
            for field in entity.keyFields {
                guard let branch = row.branch(field),
                    case .text(let content)? = branch.seenContent, !content.isEmpty
                else { continue }
                let ids = try tables.replicas(
                    field: field.name, content: content, entity: row.entity, transaction)
                for id in ids
                where id != row.replica && !found.contains(where: { $0.replica == id }) {
                    if let other = try tables.replicas.row(id.bytes, transaction),
                        other.isActive || other.state == .live && other.record != nil
                    {
                        found.append(other)
                    }
                }
            }
            return found
        }
        if row.isConverted { found = found.filter { $0.record != nil } }
        if !conversions.isEmpty {
            found = conversions + found.filter { $0.isActive && !conversions.contains($0) }
        }
        guard entity.within != nil else { return found }
        // Of one name within one account is the same; elsewhere it is another, and where that is not
        // known, nobody guesses.
        let own = try views.within(row, entity, among: mapping)
        let places = try found.map { try views.within($0, entity, among: mapping) }
        let same = zip(found, places).filter { $0.1 == own && own != .unknown }
        guard same.isEmpty || own == .nothing else { return same.map(\.0) }
        return zip(found, places).filter { own == .nothing ? $0.1 != .unknown : $0.1 == .nothing }
            .map(\.0)
    }

    /// What an object was converted into, or from which linked ones, as the system tells.
    private func conversions(of row: ReplicaRow) throws -> [ReplicaRow] {
        try views.read { tables, transaction in
            var same: [ReplicaID] = []
            if let id = row.successorText {
                same += try [
                    tables.replica(
                        remoteID: id, kind: row.entity, connection: row.connection, transaction)
                ].compactMap(\.self)
            } else if row.furtherKind.isEmpty, let id = row.remoteIDText {
                same = try tables.replicas(
                    convertedInto: id, entity: row.entity, connection: row.connection, transaction)
            }
            let rows = try same.compactMap { try tables.replicas.row($0.bytes, transaction) }
            return rows.filter {
                $0.state == .live && $0.replica != row.replica
                    && (row.isConverted || $0.record != nil)
            }
        }
    }

    /// Whether it names something to be told apart by that nobody knows yet: linked once it is known.
    private func isNowhere(_ row: ReplicaRow) throws -> Bool {
        guard let entity = mapping[row.entity], entity.within != nil else { return false }
        return try views.within(row, entity, among: mapping) == .unknown
    }

    /// Whether an edit told of an object before it was ever read whole, so that nobody knows its key:
    /// it is linked once a sweep has shown it.
    private func isNameless(_ row: ReplicaRow) throws -> Bool {
        let keys = (mapping[row.entity]?.keyFields ?? []).compactMap { row.branch($0) }
        guard !keys.isEmpty, keys.allSatisfy({ $0.seen == nil }) else { return false }
        return try views.read { tables, transaction in
            let connection = try tables.connections.row(row.connection.bytes, transaction)
            // Files are told once, and whole.
            guard let connection, !connection.configured.url.isEmpty else { return false }
            return connection[row.kind].lastSweep == nil
        }
    }

    private func isTaken(_ record: RecordID, _ row: ReplicaRow) throws -> Bool {
        guard let snapshot = try snapshot(record) else { return false }
        return row.furtherKind.isEmpty && snapshot.creating.contains(row.connection)
            || snapshot.replicas.contains { $0.isActive && Seat(record, $0) == Seat(record, row) }
    }

    private mutating func linked(
        _ replica: ReplicaID, _ entity: String, to record: RecordID, _ reason: LinkReason
    ) -> Draft {
        dirty.insert(record)
        return Draft(
            id: .derived("linked", [record.bytes, replica.bytes, request.run.bytes]),
            stream: .record(record),
            event: .linked(
                Linked(record: record, entity: entity, replica: replica, reason: reason)),
            tags: [Tag(.record, record), Tag(.replica, replica)])
    }

    func question(_ replicas: [ReplicaID], _ entity: String) -> Draft {
        var payload = AmbiguityRaised()
        payload.question = Identity.question(replicas)
        payload.entity = entity
        payload.replicas = replicas
        return Draft(
            id: .derived("ambiguity", [payload.question.bytes]),
            stream: Stream(.ledger, payload.question), event: .ambiguityRaised(payload),
            tags: replicas.map { Tag(.replica, $0) } + [Tag(.question, payload.question)])
    }

    /// Whoever was decided about before, and waits for more than being made somewhere.
    private mutating func markEditsDirty() throws {
        let known = Set(
            try views.collect(unopenedFrom: \.records, where: { !$0.outcomes.isEmpty }) {
                $0.record
            })
        dirty.formUnion(
            try views.collect(from: \.standings) { row in
                let waits = row.parts.contains {
                    $0.bucket == .waiting && $0.reason != StandingRow.toBeMade
                }
                return waits && known.contains(row.record) ? row.record : nil
            })
    }

    private mutating func markAllDirty() throws {
        dirty.formUnion(try recordIDs())
    }
}
