package import Ledger
package import Model

extension Scope {
    /// The scope of a connection and of the mapping; nobody, where a newer version wrote it so that we
    /// cannot read it.
    package init(of connection: ConnectionConfigured, mapping: EntityMapping) {
        // The fields of a connection's scope are those of people; what else there is belongs there.
        let isOfPeople = mapping.entity == EntityMapping.contact.entity
        guard let own = try? Scope(isOfPeople ? connection.scope : "", of: mapping),
            let mapped = try? mapping.whoBelongs(at: connection.system)
        else {
            self = .nobody
            return
        }
        self = own.and(mapped)
    }

    /// Who is made at a connection; `nil` for nobody.
    package init?(making connection: ConnectionConfigured, mapping: EntityMapping) {
        guard connection.create == .always,
            let made = (try? mapping.whoIsMade(at: connection.system)).flatMap(\.self)
        else { return nil }
        self = made
    }

    /// Whether somebody belongs: as the record stands, or as the object itself shows.
    ///
    /// Either is enough. So who is let out by an edit on one side is still told to the other, and
    /// who is let in on one side is at once let in on both.
    package func admits(_ record: RecordRow, _ replica: ReplicaRow?, _ mapping: EntityMapping)
        -> Bool
    {
        if self == .everybody { return true }
        if admits({ record.outcome($0)?.value?.value }) { return true }
        guard let replica else { return false }
        return admits { name in
            guard let field = mapping.field(name), let branch = replica.branch(field) else {
                // What the system does not have is as the record stands.
                return record.outcome(name)?.value?.value
            }
            return branch.seenContent
        }
    }
}
