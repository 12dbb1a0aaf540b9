/// A stage that contacts may stand in, one at a time.
struct MauticStage: Sendable, Hashable {
    var id: Int
    var name: String
    var weight: Int
    var description: String?
    var added: SandboxTime
    var createdBy: MauticUser
}

extension MauticSandbox {
    /// The calls under `/api/stages`; nil where the route does not exist.
    mutating func stageCall(
        _ request: SandboxRequest, caller: MauticCaller, now: SandboxTime
    ) throws(MauticRefusal) -> SandboxResponse? {
        let path = Array(request.segments.dropFirst())
        guard path.first == "stages" else { return nil }
        switch (request.method, path.count) {
        case ("GET", 1):
            let all = stages.values.sorted { $0.id < $1.id }
            return .mautic(["total": .int(all.count), "stages": .array(all.map(Self.json))])
        case ("POST", 2) where path[1] == "new":
            guard caller.mayWrite else { throw .forbidden }
            let body = try Self.body(of: request)
            let stage = insertStage(
                body["name"]?.string ?? "", weight: body["weight"]?.int ?? 0,
                body["description"]?.string, by: caller.user, at: now)
            return .mautic(
                status: 201, ["stage": Self.json(stage)],
                headers: [SandboxHeader("Location", "/api/stages/\(stage.id)")])
        case ("POST", 5) where path[2] == "contact":
            return try changeStage(path[1], of: path[3], path[4], caller: caller, now: now)
        default: return nil
        }
    }

    /// POST /api/stages/{id}/contact/{contactId}/add and /remove: a contact goes to a lower stage,
    /// too, and out of one that it is not in (G3).
    private mutating func changeStage(
        _ id: String, of contactID: String, _ verb: String, caller: MauticCaller, now: SandboxTime
    ) throws(MauticRefusal) -> SandboxResponse? {
        guard verb == "add" || verb == "remove", let id = Int(id), let contactID = Int(contactID)
        else { return nil }
        guard stages[id] != nil else { throw .missing }
        guard caller.mayWrite else { throw .forbidden }
        guard let contact = resolve(contactID) else { throw .missing }
        if verb == "add" {
            stand(contact.id, in: id, by: caller.user, at: now)
        } else if contact.stageID == id {
            stand(contact.id, in: nil, by: caller.user, at: now)
        }
        return .mautic(["success": 1])
    }

    private mutating func stand(
        _ contactID: Int, in stage: Int?, by user: MauticUser?, at now: SandboxTime
    ) {
        guard contacts[contactID]?.stageID != stage else { return }
        contacts[contactID]?.stageID = stage
        contacts[contactID]?.modified = SandboxTime(seconds: now.seconds)
        contacts[contactID]?.modifiedBy = user
    }

    @discardableResult
    private mutating func insertStage(
        _ name: String, weight: Int, _ description: String?, by user: MauticUser,
        at now: SandboxTime
    ) -> MauticStage {
        let stage = MauticStage(
            id: nextStageID, name: name, weight: weight, description: description, added: now,
            createdBy: user)
        stages[stage.id] = stage
        nextStageID = stage.id + 1
        return stage
    }

    private static func json(_ stage: MauticStage) -> SandboxJSON {
        [
            "isPublished": true, "dateAdded": .string(stage.added.iso), "dateModified": .null,
            "createdBy": stage.createdBy.id.map(SandboxJSON.int) ?? .null,
            "createdByUser": .string(stage.createdBy.name), "modifiedBy": .null,
            "modifiedByUser": .null, "id": .int(stage.id), "name": .string(stage.name),
            "category": .null, "weight": .int(stage.weight),
            "description": .text(stage.description), "publishUp": .null, "publishDown": .null,
        ]
    }

    /// A contact's stage as the contact shows it.
    func stage(of contact: MauticContact) -> SandboxJSON {
        guard let stage = contact.stageID.flatMap({ stages[$0] }) else { return .null }
        return [
            "createdByUser": .string(stage.createdBy.name), "modifiedByUser": .null,
            "id": .int(stage.id), "name": .string(stage.name), "category": .null,
            "weight": .int(stage.weight), "description": .text(stage.description),
        ]
    }

    // MARK: - What people do

    /// Somebody makes a stage.
    package mutating func addStage(_ name: String, at now: SandboxTime) {
        insertStage(name, weight: stages.count * 10, nil, by: .admin, at: now)
    }

    /// Somebody puts a contact into a stage, or out of any.
    package mutating func personPuts(_ id: String, in name: String?, at now: SandboxTime) {
        guard let contactID = Int(id) else { return }
        let stage = stages.values.first { $0.name == name }
        stand(contactID, in: stage?.id, by: .admin, at: now)
    }

    /// The name of the stage that a contact stands in.
    package func stageName(of id: String) -> String? {
        Int(id).flatMap { contacts[$0]?.stageID }.flatMap { stages[$0]?.name }
    }
}
