import CLMDB
import Glibc

extension LMDBError: CustomStringConvertible {
    /// One sentence: what could not be done, where, why, and the fix where there is one.
    package var description: String {
        let doubt =
            outcomeIsUnknown
            ? "; it is not known whether the transaction became durable, "
                + "so close and reopen the environment and verify its tail"
            : ""
        return "Could not \(operation) in \(path): \(code)\(doubt)."
    }
}

extension LMDBError.Code: CustomStringConvertible {
    /// The reason and its fix, worded to stand behind a colon.
    package var description: String {
        ownReason ?? systemReason ?? libraryReason
    }

    private var ownReason: String? {
        switch self {
        case .sequenceFault:
            "the appended key is not above the last one; stop, and verify the sequence"
        case .poisoned:
            "the outcome of an earlier commit is unknown; close and reopen the environment, "
                + "and verify its tail"
        case .alreadyOpen:
            "this process has it open already; share that environment"
        case .closed:
            "the environment has been closed"
        case .forked:
            "it was opened before a fork; open it again in this process"
        case .remoteFileSystem:
            "the directory is on a network or user-space file system, where LMDB's locks and map "
                + "do not hold; move it to a local disk"
        case .cutShort:
            "the file is cut short; restore it from a backup"
        case .lowDiskSpace:
            "less disk is free than the configured floor; free some space"
        case .transactionTooLarge:
            "the transaction is over its cap of operations or bytes; split the batch"
        case .readerExpired:
            "the read transaction was kept too long; read in shorter slices"
        case .writerBusy:
            "the writer was busy until the deadline and the transaction has not run; "
                + "look for a stuck write"
        case .transactionsStillOpen:
            "transactions of this process did not end in time; shorten them and try again"
        default:
            nil
        }
    }

    private var systemReason: String? {
        switch self {
        case .diskFull:
            return "the disk is full; free some space"
        case .accessDenied, .notPermitted:
            return "permission denied; the user needs read and write access to the directory, "
                + "data.mdb and lock.mdb"
        case .readOnly:
            return "it is open, or mounted, read-only"
        case .outOfMemory:
            return "there is no memory or address space for the map; raise the limit (ulimit -v) "
                + "or use a smaller map"
        default:
            guard rawValue > 0, let text = unsafe strerror(rawValue) else { return nil }
            return unsafe String(cString: text)
        }
    }

    private var libraryReason: String {
        switch self {
        case .mapFull:
            return "the map is full and may not grow; raise its maximum size"
        case .mapResized:
            return "another process grew the map while this thread holds a transaction; "
                + "end it and try again"
        case .readersFull:
            return "all reader slots are taken; end idle readers or raise the maximum"
        case .badValueSize:
            return "a key has 1 to 511 bytes; hash longer ones and keep the original in the value"
        case .corrupted, .pageNotFound, .invalidFile:
            return "the file is damaged; restore it from a backup or rebuild it"
        case .versionMismatch:
            return "the file was written by an incompatible version of LMDB"
        case .txnFull:
            return "the transaction has too many dirty pages; split the batch"
        default:
            guard let text = unsafe mdb_strerror(rawValue) else { return "code \(rawValue)" }
            return unsafe String(cString: text)
        }
    }
}
