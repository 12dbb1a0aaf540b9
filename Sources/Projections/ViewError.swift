#if canImport(Glibc)
    import Glibc
#endif

package enum ViewError: Error, Equatable, CustomStringConvertible {
    case file(String, Int32)
    case foldedElsewhere
    /// The rows were folded from a log that this one is not.
    case otherHistory
    /// The views are another program's, and the engine that could fold them anew is at work.
    case mustBeRebuilt
    /// Another process, or another thread of this one, folds them anew.
    case beingRebuilt(process: Int32)
    /// Somebody ended a rebuild early.
    case cancelled(position: UInt64, end: UInt64)
    /// The disk changed a row after it was written.
    case damagedRow(table: String)
    /// A newer version of the program set a mapping that this one cannot follow.
    case unfollowedMapping(entity: String, String)

    package var description: String {
        switch self {
        case .file(let path, let code): "\(path): \(String(cString: strerror(code)))"
        case .foldedElsewhere:
            "another syncledger is working on this ledger: run the same command again when it is done"
        case .otherHistory:
            "the log is not what the tree committed to: run `syncledger projector verify`, and restore the log from a backup if it says the same"
        case .mustBeRebuilt:
            "the views must be folded anew, and another syncledger is working on this ledger: run the same command again when it is done (`syncledger projector status` says how far it is)"
        case .beingRebuilt(let process):
            "another syncledger (process \(process)) is folding the views anew, and `syncledger projector status` says how far it is: run the same command again when it is done, or stop it and go on with `syncledger projector rebuild`"
        case .cancelled(let position, let end):
            "the rebuild was stopped after \(position) of \(end) events: the views serve as before, and `syncledger projector rebuild` goes on from there"
        case .damagedRow(let table):
            "a row of the view \(table) is not as it was written, so the disk may be failing: `syncledger projector rebuild` folds the views anew from the log"
        case .unfollowedMapping(let entity, let error):
            "this version of syncledger cannot follow the mapping of \(entity)s (\(error)): use the version that set it, or set another one with `syncledger mapping apply`"
        }
    }
}
