import CLMDB

/// A named table of one environment, opened together with it.
///
/// Keys are ordered as unsigned bytes. There are no duplicate or native-integer keys.
package struct Table: Sendable, Hashable {
    package let name: String
    let handle: MDB_dbi
    /// The environment it belongs to, so that a mix-up traps instead of touching another table.
    let owner: UInt64
}
