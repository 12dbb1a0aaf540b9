package import Ledger
import Model
import Projections
import Reconciler

/// What people decide: each a reversible event, refused when the ground moved meanwhile.
extension Workplace {
    /// Which side of a difference stands.
    package enum Choice: Sendable, Equatable {
        case system(System)
        /// What the record stood on before.
        case standing
        case value(Value)
    }

    /// Settles a contested field.
    ///
    /// - Throws: `PersonError`; `LogError.conditionFailed` when the record moved meanwhile.
    package func settle(_ record: RecordID, _ field: String, as choice: Choice) throws {
        let (row, replicas) = try recordAndReplicas(record)
        let fields = try mapping()[row.entity]?.fields ?? []
        guard let mapping = fields.first(where: { $0.name == field }) else {
            throw PersonError.unknownField(field, among: fields.map(\.name))
        }
        guard let contest = row.contest(field) else { throw PersonError.notContested(field) }
        let standing = row.outcome(field)
        let value: Value
        var author: ReplicaID?
        switch choice {
        case .system(let system):
            guard let side = contest.sides.first(where: { $0.system == system }),
                let content = side.content?.value
            else {
                if standing?.authorSystem == system, let content = standing?.value?.value {
                    value = content
                    author = standing?.author
                    break
                }
                throw PersonError.noSuchSide(system)
            }
            value = content
            author = side.replica
        case .standing:
            guard let content = standing?.value?.value else { throw PersonError.nothingStands }
            value = content
            author = standing?.author
        case .value(let given): value = given
        }
        guard let author = author ?? contest.sides.first?.replica else {
            throw PersonError.nothingStands
        }
        var decision = FieldDecision()
        decision.field = field
        decision.kind = .settled
        decision.law = Reason.personDecided.rawValue
        let isNew = standing?.value?.value != value
        decision.version = (standing?.version ?? 0) + (isNew ? 1 : 0)
        decision.outcome = Sealed(value, subject: author.subject, category: mapping.category)
        decision.author = author
        let all = try self.mapping()
        let references = try all[row.entity].map {
            try References(of: row, replicas, $0, among: all, views)
        }
        decision.inputs = contest.sides.compactMap { side in
            input(side, mapping, replicas, references, won: side.content?.value == value)
        }
        var settled = Settled()
        settled.record = record
        settled.entity = row.entity
        settled.field = decision
        var draft = Draft(
            id: eventID(), stream: .record(record), event: .settled(settled),
            tags: [Tag(.record, record)])
        draft.actor = Actor(.person)
        draft.causation = contest.raisedBy
        try append([draft], conditions: [.streamVersion(.record(record), row.version)])
    }

    private func input(
        _ side: ContestRow.Side, _ field: FieldMapping, _ replicas: [ReplicaRow],
        _ references: References?, won: Bool
    ) -> DecisionInput? {
        guard let replica = replicas.first(where: { $0.replica == side.replica }),
            let branch = replica.branch(field, references ?? References())
        else { return nil }
        var input = DecisionInput()
        input.replica = side.replica
        input.observation = side.observation
        input.attribute = branch.spelling.attribute
        // The content that was put to the person; if the system moved on, that difference stays.
        let isSame = !branch.refersToUnknown && branch.seenContent == side.content?.value
        // A record has no spelling of its own: what the system says now is not decided by this.
        if field.refers != nil, !isSame { return nil }
        input.spelt =
            isSame
            ? replica[branch.spelling.attribute].seen
            : side.content.map {
                Sealed(
                    $0.value.map(branch.spelling.codec.spelling), subject: $0.subject,
                    category: $0.category)
            }
        input.canonical = side.content
        input.role = won ? .won : .lost
        return input
    }

    /// Answers what becomes of a record one of whose objects was deleted.
    ///
    /// Keeping, the record lives, and the object is made again where that is allowed; otherwise the
    /// objects that are left are deleted too, by the next run.
    package func answerDeletion(_ record: RecordID, keep: Bool) throws {
        let (row, replicas) = try recordAndReplicas(record)
        let gone = replicas.filter(\.isDeleted)
        guard !gone.isEmpty else { throw PersonError.nothingGone }
        var drafts: [Draft] = []
        if keep {
            for replica in gone { drafts.append(unlinked(replica.replica, from: record)) }
        } else {
            let writable = try writableConnections(row.entity)
            let deletable = replicas.filter { replica in
                replica.isActive
                    && writable.contains { $0.id == replica.connection && $0.hears(replica) }
            }
            guard !deletable.isEmpty else { throw PersonError.nothingDeletable }
            for replica in deletable {
                var command = CommandIssued()
                command.record = record
                command.replica = replica.replica
                command.connection = replica.connection
                command.entity = row.entity
                command.furtherKind = replica.furtherKind
                command.operation = .delete
                command.command = .derived(
                    "delete", [replica.replica.bytes, bigEndianBytes(replica.lastSettled)])
                var draft = Draft(
                    id: .derived("command issued", [command.command.bytes]),
                    stream: .replica(replica.replica), event: .commandIssued(command),
                    tags: [Tag(.command, command.command), Tag(.record, record)])
                draft.actor = Actor(.person)
                drafts.append(draft)
            }
        }
        try append(drafts, conditions: [.streamVersion(.record(record), row.version)])
    }

    /// Lets a command that was given up or refused be decided anew by the next run.
    package func retry(_ command: CommandID) throws {
        let row = try views.read { tables, transaction in
            try tables.commands.row(command.bytes, transaction)
        }
        guard let row, row.state == .parked || row.state == .refused else {
            throw PersonError.nothingToRetry
        }
        var payload = CommandSuperseded()
        payload.command = command
        payload.reason = "a person asked to try again"
        var draft = Draft(
            id: eventID(), stream: .replica(row.issue.replica),
            event: .commandSuperseded(payload),
            tags: [Tag(.command, command), Tag(.record, row.issue.record)])
        draft.actor = Actor(.person)
        try append([draft])
    }

    private func writableConnections(_ entity: String) throws -> [ConnectionRow] {
        try views.read { tables, transaction in
            try tables.connections.all(transaction).filter {
                !$0.isRemoved && $0.approved.contains(entity)
                    && $0.configured.direction != .pull
            }
        }
    }

    /// Answers a question with "nobody of these": they stay unlinked until a person links them.
    ///
    /// Whom a system took for another, who is kept apart, is missing there, and may be made anew.
    package func keepApart(_ question: QuestionID) throws {
        let row = try views.read { tables, transaction in
            try tables.questions.row(question.bytes, transaction)
        }
        guard let row, !row.isSettled else { throw PersonError.noSuchQuestion }
        let merged = try views.read { tables, transaction in
            let asked = try row.raised.replicas.compactMap {
                try tables.replicas.row($0.bytes, transaction)?.record
            }
            return try Set(asked).sorted().flatMap { record in
                try (tables.records.row(record.bytes, transaction)?.replicas ?? []).compactMap {
                    try tables.replicas.row($0.bytes, transaction)
                }
            }.filter { $0.mergedInto.map(row.raised.replicas.contains) ?? false }
        }
        let unlinkings = merged.compactMap { replica in
            replica.record.map { unlinked(replica.replica, from: $0) }
        }
        try append(unlinkings + [answered(question)])
    }

    private func answered(_ question: QuestionID) -> Draft {
        var settled = AmbiguitySettled()
        settled.question = question
        var draft = Draft(
            id: eventID(), stream: Stream(.ledger, question),
            event: .ambiguitySettled(settled), tags: [Tag(.question, question)])
        draft.actor = Actor(.person)
        return draft
    }

    /// Takes a replica out of its record, and keeps it apart until a person links it again.
    package func unlink(_ replica: ReplicaID) throws {
        guard
            let row = try views.read({ tables, transaction in
                try tables.replicas.row(replica.bytes, transaction)
            }), let record = row.record
        else { throw PersonError.notLinked }
        try append([unlinked(replica, from: record)])
    }

    /// Says that these replicas are one person: they become one record.
    ///
    /// Objects of another record follow to the first one's only in answer to a question that names
    /// them. Refused where the record would have two objects of one kind at one connection.
    package func link(_ replicas: [ReplicaID], answering question: QuestionID?) throws {
        let rows = try views.read { tables, transaction in
            try replicas.compactMap { try tables.replicas.row($0.bytes, transaction) }
        }
        guard rows.count == replicas.count, let entity = rows.first?.entity,
            rows.allSatisfy({ $0.entity == entity })
        else { throw PersonError.unknownReplica }
        let record =
            rows.lazy.compactMap(\.record).first
            ?? Identity.record(replicas, entity: entity)
        let joining = rows.filter { $0.record != record }
        guard question != nil || joining.allSatisfy({ $0.record == nil }) else {
            throw PersonError.twoRecords
        }
        let standing: [ReplicaRow] = try views.read { tables, transaction in
            let row = try tables.records.row(record.bytes, transaction)
            return try ((row?.replicas ?? []) + (row?.creating ?? [])).compactMap {
                try tables.replicas.row($0.bytes, transaction)
            }
        }
        let taken = (standing + joining).filter { $0.state != .gone && !$0.isConverted }
        let places = taken.map { KindPlace(connection: $0.connection, kind: $0.kind) }
        guard Set(places).count == places.count else { throw PersonError.twoOfOneSystem }
        let leaving = joining.compactMap { row in
            row.record.map { unlinked(row.replica, from: $0) }
        }
        var drafts = leaving
        for row in joining {
            let linked = Linked(
                record: record, entity: entity, replica: row.replica, reason: .person)
            var draft = Draft(
                id: eventID(), stream: .record(record), event: .linked(linked),
                tags: [Tag(.record, record), Tag(.replica, row.replica)])
            draft.actor = Actor(.person)
            drafts.append(draft)
        }
        if let question { drafts.append(answered(question)) }
        try append(drafts)
    }

    private func unlinked(_ replica: ReplicaID, from record: RecordID) -> Draft {
        var draft = Draft(
            id: eventID(), stream: .record(record),
            event: .unlinked(Unlinked(record: record, replica: replica)),
            tags: [Tag(.record, record), Tag(.replica, replica)])
        draft.actor = Actor(.person)
        return draft
    }

    private func recordAndReplicas(_ record: RecordID) throws -> (RecordRow, [ReplicaRow]) {
        try views.read { tables, transaction in
            guard let row = try tables.records.row(record.bytes, transaction) else {
                throw PersonError.unknownRecord
            }
            return (
                row,
                try row.replicas.compactMap { try tables.replicas.row($0.bytes, transaction) }
            )
        }
    }

    package func eventID() -> EventID {
        var random = SystemRandomNumberGenerator()
        return .version7(at: now(), using: &random)
    }
}

package enum PersonError: Error, Equatable, CustomStringConvertible {
    case unknownField(String, among: [String])
    case notContested(String)
    case noSuchSide(System)
    case nothingStands
    case nothingGone
    case nothingDeletable
    case noSuchQuestion
    case nothingToRetry
    case notLinked
    case unknownReplica
    case unknownRecord
    case twoOfOneSystem
    case twoRecords

    package var description: String {
        switch self {
        case .unknownField(let name, let fields):
            "there is no field \(name)\(didYouMean(name, among: fields)) `syncledger mapping` lists them"
        case .notContested(let name):
            "\(name) is not contested: `syncledger conflicts` lists what is"
        case .noSuchSide(let system): "\(system.name) is no side of this difference"
        case .nothingStands: "nothing stood there before: choose a system or a value"
        case .nothingGone: "nothing of this record was deleted"
        case .nothingDeletable:
            "the systems that still have this person are only read, or not approved yet: delete them there, or approve writing with `syncledger apply`"
        case .nothingToRetry:
            "no command with this id was given up or refused: `syncledger commands` lists them"
        case .noSuchQuestion:
            "no such question is open: `syncledger links` lists those that are"
        case .notLinked: "that object belongs to no record"
        case .unknownReplica: "there is no such object: `syncledger links` shows their ids"
        case .unknownRecord: "there is no such record: `syncledger links` shows their ids"
        case .twoOfOneSystem:
            "two of these objects are in the same system: merge them there first, then sync"
        case .twoRecords: "these objects belong to two records: unlink one of them first"
        }
    }
}
