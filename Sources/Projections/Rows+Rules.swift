package import Ledger

/// The laws and the code that are in force for an entity.
///
/// Key: the entity's name.
package struct RulesRow: WireMessage, Equatable {
    package var policy: PolicyChanged?
    package var policySetBy: EventID?
    package var adopted: RulesAdopted?
    package var adoptedBy: EventID?
    /// The sequence of the event that changed any of it last.
    package var since: UInt64 = 0
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.message(1, &policy)
        visitor.id(2, &policySetBy)
        visitor.message(3, &adopted)
        visitor.id(4, &adoptedBy)
        visitor.unsigned(5, &since)
    }
}
