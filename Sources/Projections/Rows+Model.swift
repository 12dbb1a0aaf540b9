package import Ledger
package import Model

/// Rows hold sealed values, the merge works on clear ones: this is the only way between them.
extension ReplicaRow {
    /// This replica's side of a field; `nil` where its system does not have the field.
    package func branch(_ field: FieldMapping) -> Branch? {
        guard let spelling = field.spelling(at: system, kind: kind) else { return nil }
        let row = self[spelling.attribute]
        var branch = Branch(replica: replica, system: system, spelling: spelling)
        branch.seen = row.seen?.value
        branch.seenBy = row.seenBy
        branch.evidence = row.evidence
        branch.accounted = row.accounted?.value
        if let accepted = row.accepted?.value {
            branch.accepted = .init(version: row.acceptedVersion, spelling: accepted)
        }
        branch.liftsAnswered = Int(row.liftsAnswered)
        branch.refusedVersion = row.refusedVersion
        branch.addedByUs = Set(row.addedByUs?.value?.elements ?? [])
        branch.isUnverified = row.isUnverified
        return branch
    }

    /// What a confirmed write makes of the row.
    package mutating func foldWrite(
        _ change: CommandChange, _ stored: StoredAttribute, mapping: EntityMapping
    ) {
        guard let field = mapping.field(attribute: change.attribute, of: system),
            var branch = branch(field)
        else { return }
        branch.confirm(
            change.form, sent: change.write?.value, stored: stored.value?.value,
            version: stored.outcomeVersion, told: stored.told, by: .none)
        set(branch, category: field.category)
        if field.refers != nil {
            self[change.attribute].referred = referred(by: change, field.category)
        }
    }

    /// What a confirmed write of a reference refers to.
    func referred(by change: CommandChange, _ category: Category) -> Sealed {
        Sealed(
            change.refers.map(Value.reference) ?? .null, subject: replica.subject,
            category: category)
    }

    /// The subject that its values are sealed to; from one of them, since making it takes a hash.
    var subject: SubjectID {
        for branch in branches {
            if let seen = branch.seen { return seen.subject }
        }
        return replica.subject
    }

    /// Takes what a look showed into its branch, in place: what `see` and `set` do, where only the
    /// look itself is to move.
    ///
    /// - Returns: `false`, and nothing changed, where more hangs on it.
    mutating func see(
        _ value: Value, _ known: FieldIndex.Known, _ subject: SubjectID, by observation: EventID,
        _ evidence: Evidence?
    ) -> Bool {
        let attribute = known.spelling.attribute
        var index = 0
        while index < branches.count, branches[index].attribute != attribute { index += 1 }
        if index == branches.count {
            guard known.isPlain else { return false }
            branches.append(BranchRow(attribute: attribute))
        } else {
            guard branches[index].isWhole, known.isPlain || branches[index].shows(value) else {
                return false
            }
        }
        branches[index].seen = Sealed(value, subject: subject, category: known.field.category)
        branches[index].seenBy = observation
        branches[index].evidence = evidence
        return true
    }

    /// What `relinked` and `set` do to a branch, in place.
    ///
    /// - Returns: `false`, and nothing changed, where something of it is erased.
    mutating func relink(_ attribute: String) -> Bool {
        var index = 0
        while index < branches.count, branches[index].attribute != attribute { index += 1 }
        guard index < branches.count else {
            branches.append(BranchRow(attribute: attribute))
            return true
        }
        guard branches[index].isWhole else { return false }
        branches[index].accepted = nil
        branches[index].acceptedVersion = 0
        branches[index].refusedVersion = nil
        return true
    }

    /// Takes a branch back, its values sealed to this replica's subject.
    mutating func set(_ branch: Branch, category: Category) {
        let subject = subject
        func sealed(_ value: Value?) -> Sealed? {
            value.map { Sealed($0, subject: subject, category: category) }
        }
        var row = self[branch.spelling.attribute]
        row.seen = sealed(branch.seen)
        row.seenBy = branch.seenBy
        row.evidence = branch.evidence
        row.accounted = sealed(branch.accounted)
        row.accepted = sealed(branch.accepted?.spelling)
        row.acceptedVersion = branch.accepted?.version ?? 0
        row.liftsAnswered = UInt64(branch.liftsAnswered)
        row.refusedVersion = branch.refusedVersion
        row.addedByUs = branch.addedByUs.isEmpty ? nil : sealed(.set(of: branch.addedByUs))
        row.isUnverified = branch.isUnverified
        self[branch.spelling.attribute] = row
    }
}

extension BranchRow {
    /// Whether nothing of it is erased or unverified: then a look moves only what was seen.
    fileprivate var isWhole: Bool {
        func isErased(_ sealed: Sealed?) -> Bool {
            if case .some(let sealed) = sealed, case .none = sealed.value { true } else { false }
        }
        return !isUnverified && !isErased(accounted) && !isErased(accepted)
            && !isErased(addedByUs)
    }

    fileprivate func shows(_ value: Value) -> Bool { seen?.value == value }
}

extension OutcomeRow {
    /// The outcome in clear text; `nil` once its subject's key is gone.
    package var outcome: Outcome? {
        guard let value = value?.value else { return nil }
        return Outcome(
            value: value, version: version, author: author,
            authorSystem: authorSystem == .unspecified ? nil : authorSystem,
            evidence: evidence, settledByPerson: settledByPerson)
    }
}

extension ContestRow {
    package var contest: Contest {
        Contest(
            sides: Set(
                sides.compactMap { side in
                    side.content?.value.map { .init(replica: side.replica, content: $0) }
                }),
            freezesOnlyInputs: freezesOnlyInputs)
    }
}
