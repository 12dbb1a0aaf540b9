package import Ledger

/// How far a generation has folded, and the log's root there.
package struct PositionRow: ViewRow, Equatable {
    package var sequence: UInt64 = 0
    package var root: [UInt8] = []
    package var version: UInt64 = 0
    /// The last commit of the log that was folded whole, and its root: what is compared with the log.
    package var boundary: UInt64 = 0
    package var boundaryRoot: [UInt8] = []
    /// Present while the log is folded in passes up to `sequence`, and the rows are not whole yet.
    package var loading: LoadingRow?
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.unsigned(1, &sequence)
        visitor.bytes(2, &root)
        visitor.unsigned(3, &version)
        visitor.unsigned(4, &boundary)
        visitor.bytes(5, &boundaryRoot)
        visitor.message(6, &loading)
    }
}

/// How far the passes over a log have come.
package struct LoadingRow: WireMessage, Equatable {
    /// Of which size the passes are.
    package var share: UInt64 = 0
    /// The hash of which event is of which pass.
    package var division: [UInt8] = []
    package var pass: UInt64 = 0
    /// The last event that this pass has folded or passed over.
    package var reached: UInt64 = 0
    /// How many events were folded in all.
    package var folded: UInt64 = 0
    package var unknownFields: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.unsigned(1, &share)
        visitor.unsigned(2, &pass)
        visitor.unsigned(3, &reached)
        visitor.unsigned(4, &folded)
        visitor.bytes(5, &division)
    }
}
