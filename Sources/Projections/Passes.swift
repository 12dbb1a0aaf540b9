import LMDB
import Ledger

/// How a long log is folded in several passes, each for a part of what it tells of.
///
/// A fold keeps the rows that it changes in memory until they are written. Where they are more than
/// fit, each event meets a row that was written before and has to be opened again; in passes for some
/// of the people at a time, each row is sealed and written once. Events that share a record, an object
/// or a question are of one pass, so that a pass finds all that its events change.
final class Passes: Sendable {
    /// How many passes there are.
    let count: Int
    /// The hash of which event is of which pass.
    let division: Hash
    /// The sequence up to which the log is divided.
    let end: UInt64
    /// The tree of the log at `end`, and the last commit up to there with its root.
    let frontier: MerkleFrontier
    let boundary: (sequence: UInt64, root: Hash)?
    /// The events that every pass folds: what connections there are and how attributes are mapped.
    let shared: [UInt64]
    /// The pass of each event, by its sequence less one.
    private let passes: [UInt8]
    /// The pass of each record, object and question, in the order of their ids.
    private let members: [(id: Identifier<StreamKind>, pass: UInt8)]

    /// Divides the events of a log up to a sequence, so that a pass has rows of about `share` kilobytes.
    ///
    /// Says the same of the same events each time. Reads the whole log once; `meanwhile` is called every
    /// 65,536 events, and may end that.
    ///
    /// - Throws: `LogError` where it cannot be read, `ViewError.otherHistory` where its events do not
    ///   have the root that it says, and what `meanwhile` throws.
    init(
        _ log: EventLog, through end: UInt64, share: Int, meanwhile: () throws -> Void = {}
    ) throws {
        var survey = Survey()
        var frontier = MerkleFrontier()
        let boundary = try log.root(atOrBefore: end)
        while frontier.size < end {
            try meanwhile()
            let starts = stride(
                from: frontier.size + 1, through: min(end, frontier.size + Self.eventsAtOnce),
                by: Int(Self.eventsInPiece))
            let pieces = try inParallel(Array(starts), atLeast: 1) { first in
                try Survey.Piece(log, first...min(end, first + Self.eventsInPiece - 1))
            }
            for piece in pieces {
                survey.take(piece)
                for leaf in piece.leaves {
                    frontier.append(leaf: leaf)
                    if frontier.size == boundary?.sequence, frontier.root != boundary?.root {
                        throw ViewError.otherHistory
                    }
                }
            }
        }
        self.end = end
        self.frontier = frontier
        self.boundary = boundary
        shared = survey.shared
        (count, passes, members) = survey.divided(into: share)
        division = Merkle.digest(passes)
    }

    private static var eventsInPiece: UInt64 { 4_096 }
    private static var eventsAtOnce: UInt64 { 16 * eventsInPiece }

    /// Whether a pass folds an event.
    func folds(_ sequence: UInt64, in pass: Int) -> Bool {
        let planned = passes[Int(sequence - 1)]
        return planned == UInt8(pass) || planned == Survey.everyPass
    }

    /// How many events the passes before one fold; those of every pass count in the first.
    func folded(before pass: Int) -> UInt64 {
        UInt64(passes.count { pass > 0 && ($0 < UInt8(pass) || $0 == Survey.everyPass) })
    }

    /// How many events a pass folds up to a sequence.
    func folded(in pass: Int, through reached: UInt64) -> UInt64 {
        UInt64(
            passes[..<Int(reached)].count {
                $0 == UInt8(pass) || pass == 0 && $0 == Survey.everyPass
            })
    }

    /// The pass of a record, an object or a question; `nil` for one that the log does not tell of.
    func pass(of id: Identifier<StreamKind>) -> Int? {
        var (low, high) = (0, members.count)
        while low < high {
            let middle = (low + high) / 2
            if members[middle].id < id { low = middle + 1 } else { high = middle }
        }
        guard low < members.count, members[low].id == id else { return nil }
        return Int(members[low].pass)
    }
}

/// One of the passes in which a log is folded.
struct Pass: Sendable {
    let passes: Passes
    let number: Int

    /// Whether it keeps the rows of connections and rules, which every pass folds.
    var isFirst: Bool { number == 0 }

    func folds(_ sequence: UInt64) -> Bool { passes.folds(sequence, in: number) }

    /// Whether the rows of a record, an object or a question are folded in it.
    func holds(_ id: Identifier<some Any>) -> Bool { passes.pass(of: id.cast()) == number }
}

/// Which records, objects and questions share events, as far as the log was read.
private struct Survey {
    /// Stands for the pass of an event that every pass folds.
    static var everyPass: UInt8 { .max }
    private static var inEveryPass: Int32 { -2 }
    private static var inTheFirst: Int32 { -1 }

    private(set) var shared: [UInt64] = []
    /// One of the members that each event names, by its sequence less one.
    private var events: [Int32] = []
    private var index: [Identifier<StreamKind>: Int32] = [:]
    /// The member by which each member's family is known, by way of others.
    private var parents: [Int32] = []

    mutating func take(_ piece: Piece) {
        var start = 0
        for count in piece.counts {
            guard count > 0 else {
                if count < 0 { shared.append(UInt64(events.count + 1)) }
                events.append(count < 0 ? Self.inEveryPass : Self.inTheFirst)
                continue
            }
            events.append(unite(piece.ids[start..<start + Int(count)]))
            start += Int(count)
        }
        for ids in piece.further { _ = unite(ids[...]) }
    }

    private mutating func unite(_ ids: ArraySlice<Identifier<StreamKind>>) -> Int32 {
        var family: Int32?
        for id in ids {
            let other = root(of: member(id))
            if let family, family != other { parents[Int(other)] = family }
            family = family ?? other
        }
        return family ?? Self.inTheFirst
    }

    private mutating func member(_ id: Identifier<StreamKind>) -> Int32 {
        if let known = index[id] { return known }
        let member = Int32(parents.count)
        index[id] = member
        parents.append(member)
        return member
    }

    private mutating func root(of member: Int32) -> Int32 {
        var member = member
        while parents[Int(member)] != member {
            let above = parents[Int(parents[Int(member)])]
            parents[Int(member)] = above
            member = above
        }
        return member
    }

    /// Gives families to passes in the order in which the log first tells of them.
    ///
    /// What rows a family has: one for each member, and of its commands one for some of its events.
    mutating func divided(
        into share: Int
    ) -> (Int, passes: [UInt8], members: [(id: Identifier<StreamKind>, pass: UInt8)]) {
        for member in parents.indices { parents[member] = root(of: Int32(member)) }
        var weights = [Int](repeating: 0, count: parents.count)
        for family in parents { weights[Int(family)] += Self.weightOfMember }
        for event in events where event >= 0 { weights[Int(parents[Int(event)])] += 1 }
        let most = max(
            share * Self.weightOfMember, weights.reduce(0, +) / (Int(Self.everyPass) - 8))
        var passes = [UInt8](repeating: 0, count: parents.count)
        var isPlaced = [Bool](repeating: false, count: parents.count)
        var (pass, weight) = (0, 0)
        for event in events where event >= 0 {
            let family = Int(parents[Int(event)])
            guard !isPlaced[family] else { continue }
            if weight > 0, weight + weights[family] > most, pass < Int(Self.everyPass) - 1 {
                (pass, weight) = (pass + 1, 0)
            }
            isPlaced[family] = true
            passes[family] = UInt8(pass)
            weight += weights[family]
        }
        let planned = events.map { event -> UInt8 in
            switch event {
            case Self.inEveryPass: Self.everyPass
            case Self.inTheFirst: 0
            default: passes[Int(parents[Int(event)])]
            }
        }
        var members = index.map { (id: $0.key, pass: passes[Int(parents[Int($0.value)])]) }
        members.sort { $0.id < $1.id }
        return (pass + 1, planned, members)
    }

    private static var weightOfMember: Int { 8 }

    /// What the entries of a few events name.
    struct Piece: Sendable {
        private(set) var leaves: [Hash] = []
        /// The ids of all its events, one event's behind the other's.
        private(set) var ids: [Identifier<StreamKind>] = []
        /// How many of them are each event's; less than none for one that every pass folds.
        private(set) var counts: [Int32] = []
        /// Ids that belong together by what did not stand in an event's row.
        private(set) var further: [[Identifier<StreamKind>]] = []

        init(_ log: EventLog, _ range: ClosedRange<UInt64>) throws {
            var far: [(sequence: UInt64, id: Identifier<StreamKind>)] = []
            try log.scan(from: range.lowerBound) { sequence, entry, bodies in
                leaves.append(Merkle.leaf(entry))
                let before = ids.count
                let isShared = add(entry, bodies) { far.append((sequence, $0)) }
                counts.append(isShared ? -1 : Int32(ids.count - before))
                return sequence == range.upperBound ? .stop : .next
            }
            for (sequence, id) in far {
                guard let stored = try log.read(from: sequence, limit: 1).first,
                    let view = try? EntryView(stored.entry.span)
                else { continue }
                further.append([id] + Self.named(by: stored, view))
            }
        }

        /// Adds what an event names; answers whether every pass folds it.
        ///
        /// `isFar` is told the id of its stream where its payload stands elsewhere.
        private mutating func add(
            _ entry: Span<UInt8>, _ bodies: Span<UInt8>,
            isFar: (Identifier<StreamKind>) -> Void
        ) -> Bool {
            // One that cannot be read is parked, by the first pass.
            guard let view = try? EntryView(entry), let tags = try? view.tags(entry) else {
                return false
            }
            if view.type == ConnectionConfigured.type || view.type == MappingChanged.type {
                return true
            }
            let stream = view.stream.kind
            if stream == Stream.Kind.replica.rawValue || stream == Stream.Kind.record.rawValue {
                ids.append(view.stream.id)
            }
            for tag in tags where Self.tags.contains(tag.kind) { ids.append(tag.id) }
            guard Self.typesThatName.contains(view.type),
                let stored = try? StoredEvent(entry: entry, bodies: bodies)
            else { return false }
            if stored.body(0) == nil { isFar(view.stream.id) }
            ids += Self.named(by: stored, view)
            return false
        }

        private static func named(
            by stored: StoredEvent, _ view: EntryView
        ) -> [Identifier<StreamKind>] {
            guard let plain = stored.body(0),
                let event = try? Event.read(
                    type: view.type, schema: view.schema, plain: plain, parts: OpenedParts())
            else { return [] }
            return event.named
        }

        private static let tags = Set([Tag.Kind.record, .replica, .question].map(\.rawValue))
        /// Events that name more than their streams and tags need do.
        private static let typesThatName: Set<UInt64> = [
            Linked.type, Unlinked.type, AmbiguityRaised.type, AmbiguitySettled.type, Decided.type,
            Settled.type,
        ]
    }
}

extension Event {
    /// The records, objects and questions that the payload names.
    fileprivate var named: [Identifier<StreamKind>] {
        func ids(_ field: FieldDecision) -> [Identifier<StreamKind>] {
            ([field.author].compactMap(\.self) + field.inputs.map(\.replica)).map { $0.cast() }
        }
        return switch self {
        case .linked(let payload): [payload.record.cast(), payload.replica.cast()]
        case .unlinked(let payload): [payload.record.cast(), payload.replica.cast()]
        case .ambiguityRaised(let payload):
            [payload.question.cast()] + payload.replicas.map { $0.cast() }
        case .ambiguitySettled(let payload): [payload.question.cast()]
        case .decided(let payload): [payload.record.cast()] + payload.fields.flatMap(ids)
        case .settled(let payload): [payload.record.cast()] + ids(payload.field)
        default: []
        }
    }
}
