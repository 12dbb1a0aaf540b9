/// What the items of a batch came to, by position.
private struct BatchAnswer {
    var contacts: [(position: Int, json: SandboxJSON)] = []
    var statuses: [(position: Int, status: Int)] = []
    var errors: [(position: Int, json: SandboxJSON)] = []

    mutating func refuse(_ position: Int, _ refusal: MauticRefusal) {
        errors.append((position, refusal.batchBody))
        statuses.append((position, refusal.status))
    }

    /// Positions become an array where they run from 0, else an object keyed by them (D4).
    private static func keyed(_ items: [(position: Int, json: SandboxJSON)]) -> SandboxJSON {
        let isList = items.enumerated().allSatisfy { $0.element.position == $0.offset }
        return isList
            ? .array(items.map(\.json))
            : .object(items.map { .init(String($0.position), $0.json) })
    }

    func json() -> SandboxJSON {
        var members: [SandboxJSON.Member] = [
            .init("contacts", Self.keyed(contacts)),
            .init(
                "statusCodes",
                .array(
                    statuses.sorted { $0.position < $1.position }.map { .int($0.status) })),
        ]
        if !errors.isEmpty { members.append(.init("errors", Self.keyed(errors))) }
        return .object(members)
    }
}

extension MauticSandbox {
    /// The items of a batch body; not a list of objects is a bug, more than 200 a refusal (D3).
    private static func items(_ request: SandboxRequest) throws(MauticRefusal) -> [SandboxJSON] {
        let body = try Self.body(of: request)
        if body == [:] { return [] }
        guard let items = body.elements, items.allSatisfy({ $0.members != nil || $0 == [] }) else {
            throw .crash(500)
        }
        guard items.count <= 200 else { throw .batchTooLarge }
        return items
    }

    /// POST /api/contacts/batch/new answers 201 even where every item failed (D4).
    mutating func createBatch(
        _ request: SandboxRequest, caller: MauticCaller, now: SandboxTime
    ) throws(MauticRefusal) -> SandboxResponse {
        guard caller.mayWrite else { throw .forbidden }
        var answer = BatchAnswer()
        for (position, item) in try Self.items(request).enumerated() {
            do throws(MauticRefusal) {
                let (status, contact) = try createOrEdit(
                    item, by: caller.user, via: "api-batch", at: now)
                answer.contacts.append((position, contact.json))
                answer.statuses.append((position, status))
            } catch {
                answer.refuse(position, error)
            }
        }
        return .mautic(status: 201, answer.json())
    }

    /// PATCH or PUT /api/contacts/batch/edit.
    ///
    /// Contacts are matched by their place among the items that have an id, not by the id itself,
    /// so one without shifts the rest (A6).
    mutating func editBatch(
        _ request: SandboxRequest, caller: MauticCaller, now: SandboxTime
    ) throws(MauticRefusal) -> SandboxResponse {
        let items = try Self.items(request)
        var answer = BatchAnswer()
        var matched: [Int: Int] = [:]
        var place = 0
        for (position, item) in items.enumerated() {
            guard let id = item["id"]?.int else {
                answer.errors.append(
                    (
                        position,
                        ["message": "mautic.api.call.id_missing", "code": 400, "type": "api"]
                    ))
                continue
            }
            if contacts[id] != nil { matched[place] = id }
            place += 1
        }
        var results: [(position: Int, id: Int, form: MauticForm)] = []
        var written: [Int: Int] = [:]
        for (position, item) in items.enumerated() {
            guard let id = matched[position] else {
                try replaceMissing(
                    item, at: position, request, caller: caller, now: now,
                    &answer, &results)
                continue
            }
            guard caller.mayWrite else {
                answer.refuse(position, .forbidden)
                continue
            }
            do throws(MauticRefusal) {
                let (stored, form) = try editItem(
                    item, id, isAgain: written[id] != nil, request, caller: caller, now: now)
                for index in results.indices where results[index].id == id && stored != id {
                    results[index].id = stored
                }
                written[id] = stored
                results.append((position, stored, form))
                let isIDMissing = answer.errors.contains { $0.position == position }
                answer.statuses.append((position, isIDMissing ? 400 : 200))
            } catch {
                answer.refuse(position, error)
            }
        }
        answer.contacts = results.compactMap { result in
            contacts[result.id].map { (result.position, json($0, result.form)) }
        }
        return .mautic(answer.json())
    }

    /// An item without a contact at its place: 404, or a new contact for a PUT (D6).
    private mutating func replaceMissing(
        _ item: SandboxJSON,
        at position: Int,
        _ request: SandboxRequest,
        caller: MauticCaller,
        now: SandboxTime,
        _ answer: inout BatchAnswer,
        _ results: inout [(position: Int, id: Int, form: MauticForm)]
    ) throws(MauticRefusal) {
        guard request.method == "PUT" else {
            answer.refuse(position, .missing)
            return
        }
        guard caller.mayWrite else {
            answer.refuse(position, .forbidden)
            return
        }
        do throws(MauticRefusal) {
            let made = try insert(item, .put, by: caller.user, via: "api-batch", at: now)
            results.append((position, made.id, made.form))
            answer.statuses.append((position, 201))
        } catch {
            answer.refuse(position, error)
        }
    }

    /// One item's edit.
    ///
    /// The same id a second time becomes a row of its own, a copy with another id (contacts-batch,
    /// "the same id twice").
    private mutating func editItem(
        _ item: SandboxJSON,
        _ id: Int,
        isAgain: Bool,
        _ request: SandboxRequest,
        caller: MauticCaller,
        now: SandboxTime
    ) throws(MauticRefusal) -> (id: Int, form: MauticForm) {
        guard let known = contacts[id] else { throw .missing }
        let mode: MauticWrite = request.method == "PUT" ? .put : .patch
        var draft = try draft(item, mode, on: known, now: now)
        if isAgain {
            draft.contact.id = nextContactID
            nextContactID += 1
        }
        let stored = store(draft, by: caller.user, via: "api-batch", at: now)
        return (stored.id, mode == .put ? .read(draft.echo) : .listed)
    }

    /// DELETE /api/contacts/batch/delete takes ids from the query only (D3).
    mutating func deleteBatch(
        _ request: SandboxRequest, caller: MauticCaller, now: SandboxTime
    ) throws(MauticRefusal) -> SandboxResponse {
        guard caller.mayWrite else { throw .forbidden }
        let sent = request.parameters.nested["ids"]
        let ids =
            sent?.elements?.compactMap(\.int)
            ?? sent?.string?.split(separator: ",").compactMap { Int($0) } ?? []
        var gone: [SandboxJSON] = []
        for contact in ids.compactMap({ contacts[$0] }) {
            gone.append(json(contact, .listed))
            remove(contact, by: caller.user, at: now)
        }
        return .mautic(["contacts": .array(gone)])
    }
}
