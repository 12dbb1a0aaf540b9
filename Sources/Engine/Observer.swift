import Connectors
package import Ledger
import Model
import Projections

/// Turns what a look showed into events: only what is new, and what it overtakes.
struct Observer: Sendable {
    let mapping: Mapping

    struct Look {
        var connection: ConnectionRow
        var road: Road
        /// The log's last sequence when the request left.
        var lookedAfter: UInt64
        var isComplete = true
        /// What a feed's rows tell of single attributes.
        var evidences: [String: Evidence] = [:]
        var now: Timestamp
        var cause: EventID?
    }

    /// The events for one object; none when nothing is new.
    func observe(
        _ object: RemoteObject, as replica: ReplicaID, known row: ReplicaRow?, _ look: Look,
        ids: inout IdentitySource
    ) -> [Draft] {
        let changed = changes(object, row, look.connection.system)
        let stampMoved = row?.stamp != object.stamp
        let tellsStamp = [.get, .readBack].contains(look.road) && stampMoved
        let isBack = row?.state == .gone
        let converted = conversion(object, as: replica, known: row, look, ids: &ids)
        guard row == nil || !changed.isEmpty || tellsStamp || isBack || row?.needsLook == true
        else {
            return converted
        }
        var payload = Observed()
        payload.replica = replica
        payload.connection = look.connection.id
        payload.entity = object.entity
        payload.furtherKind = object.furtherKind
        if row?.remoteID == nil {
            payload.remoteID = Sealed(
                .text(object.id), subject: replica.subject, category: .identity)
        }
        payload.road = look.road
        payload.complete = look.isComplete
        payload.lookedAfter = look.lookedAfter
        payload.stamp = object.stamp
        if object.born != row?.born { payload.born = object.born }
        payload.codec = FieldCodec.version
        payload.attributes = changed.map { name, value in
            var attribute = ObservedAttribute(
                name,
                Sealed(value, subject: replica.subject, category: category(name, object, look)))
            attribute.evidence = look.evidences[name] ?? evidence(ofPart: name, object, look)
            return attribute
        }
        var draft = Draft(
            id: ids.event(), stream: .replica(replica), event: .observed(payload),
            tags: [Tag(.replica, replica)])
        draft.validAt = evidence(object, look)
        draft.causation = look.cause
        return [draft] + overtaken(draft.id, changed.map(\.0), row, replica, look) + converted
    }

    /// What a look told of an object's conversion, where that is news.
    private func conversion(
        _ object: RemoteObject, as replica: ReplicaID, known row: ReplicaRow?, _ look: Look,
        ids: inout IdentitySource
    ) -> [Draft] {
        let order = LookOrder(lastLook: row?.lastLook ?? 0, lastSettled: row?.lastSettled ?? 0)
        guard let told = object.conversion,
            order.accepts(road: look.road, lookedAfter: look.lookedAfter)
        else { return [] }
        var payload = Converted()
        payload.replica = replica
        payload.lookedAfter = look.lookedAfter
        if case .converted(let into) = told {
            payload.converted = true
            payload.into = into.map {
                Sealed(.text($0), subject: replica.subject, category: .identity)
            }
        }
        guard
            payload.converted != row?.isConverted ?? false
                || payload.into?.value != row?.successor?.value
        else { return [] }
        var draft = Draft(
            id: ids.event(), stream: .replica(replica), event: .converted(payload),
            tags: [Tag(.replica, replica)])
        draft.causation = look.cause
        return [draft]
    }

    /// Attributes whose content differs from what was seen last.
    func changes(
        _ object: RemoteObject, _ row: ReplicaRow?, _ system: System
    ) -> [(String, Value)] {
        told(object, system).compactMap { name, value in
            guard let field = mapping[object.entity]?.field(attribute: name, of: system),
                let codec = field.spellings[system]?.codec
            else { return nil }
            let seen = row?[name].seen?.value
            // A membership's write tells nothing: the next look says that it is as it should be.
            let isOpen = field.refers != nil && row?[name].isUnverified == true
            return seen.map(codec.content) == codec.content(of: value) && !isOpen
                ? nil : (name, value)
        }
    }

    /// What an object told, by the names under which the ledger keeps it: each part of a name is kept
    /// with the whole as it was spelt.
    private func told(
        _ object: RemoteObject, _ system: System
    ) -> [(name: String, value: Value)] {
        guard let entity = mapping[object.entity], entity.hasParts(at: system) else {
            return object.attributes
        }
        return object.attributes.flatMap { name, value in
            [(name, value)]
                + entity.parts(of: name, at: system, kind: object.kind).map {
                    ($0.attribute, value)
                }
        }
    }

    /// A feed tells of the whole.
    private func evidence(
        ofPart attribute: String, _ object: RemoteObject, _ look: Look
    ) -> Evidence? {
        let system = look.connection.system
        guard !look.evidences.isEmpty,
            let spelling = mapping[object.entity]?.field(attribute: attribute, of: system)?
                .spellings[system]
        else { return nil }
        return look.evidences[spelling.remoteName]
    }

    /// What was seen, not decided, and is now replaced; or a look too old to count.
    private func overtaken(
        _ event: EventID, _ changed: [String], _ row: ReplicaRow?, _ replica: ReplicaID,
        _ look: Look
    ) -> [Draft] {
        guard let row else { return [] }
        let order = LookOrder(lastLook: row.lastLook, lastSettled: row.lastSettled)
        guard order.accepts(road: look.road, lookedAfter: look.lookedAfter) else {
            return [
                draft(
                    replica, observation: event, changed, by: row.branches.first?.seenBy ?? event,
                    stale: true, event)
            ]
        }
        let undecided = changed.compactMap { name -> (EventID, String)? in
            guard let field = mapping[row.entity]?.field(attribute: name, of: row.system),
                let branch = row.branch(field), branch.hasChanged, branch.accounted != nil
            else { return nil }
            return (branch.seenBy, name)
        }
        return Dictionary(grouping: undecided, by: \.0).sorted { $0.key < $1.key }.map {
            draft(replica, observation: $0.key, $0.value.map(\.1), by: event, stale: false, event)
        }
    }

    private func draft(
        _ replica: ReplicaID, observation: EventID, _ attributes: [String], by: EventID,
        stale: Bool, _ cause: EventID
    ) -> Draft {
        var payload = Overtaken()
        payload.replica = replica
        payload.observation = observation
        payload.attributes = attributes
        payload.by = by
        payload.stale = stale
        var draft = Draft(
            id: .derived("overtaken", [observation.bytes, cause.bytes]), stream: .replica(replica),
            event: .overtaken(payload), tags: [Tag(.replica, replica)])
        draft.causation = cause
        return draft
    }

    /// The stamp is the upper end; what the last complete walk would have shown is the lower one.
    private func evidence(_ object: RemoteObject, _ look: Look) -> Evidence {
        let earliest = look.connection[object.kind].completeUntil
        if let modified = object.modified, modified >= earliest ?? modified {
            return Evidence(earliest: earliest, latest: modified)
        }
        // The change moved no stamp: it happened before we looked, more is not known.
        return Evidence(earliest: earliest, latest: look.now)
    }

    private func category(
        _ attribute: String, _ object: RemoteObject, _ look: Look
    ) -> Category {
        mapping[object.entity]?.field(attribute: attribute, of: look.connection.system)?.category
            ?? .profile
    }
}

/// Makes ids: from a seed, so that a simulation makes the same ones again.
package struct IdentitySource: RandomNumberGenerator, Sendable {
    private var state: UInt64
    package var now: Timestamp

    package init(seed: UInt64, now: Timestamp) {
        state = seed
        self.now = now
    }

    /// SplitMix64 (Steele, Lea and Flood, 2014).
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    package mutating func event() -> EventID { id() }

    package mutating func id<Kind>() -> Identifier<Kind> {
        let now = now
        return .version7(at: now, using: &self)
    }
}
