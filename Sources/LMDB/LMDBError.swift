import CLMDB
import Glibc

/// What an LMDB environment refused or could not do, where, and whether it happened.
///
/// A missing key is not an error: reads answer `nil`, deletes answer `false`.
package struct LMDBError: Error, Equatable, Sendable {
    /// Why it failed.
    package let code: Code
    /// What was being done, worded to follow "could not", such as `put into events`.
    package let operation: String
    /// The directory of the environment.
    package let path: String
    /// Whether the transaction may have become durable although its commit failed.
    ///
    /// After such an error the environment refuses further use: close it, open it again and verify
    /// its tail before answering anything.
    package let outcomeIsUnknown: Bool

    package init(
        _ code: Code, operation: String, path: String, outcomeIsUnknown: Bool = false
    ) {
        self.code = code
        self.operation = operation
        self.path = path
        self.outcomeIsUnknown = outcomeIsUnknown
    }
}

extension LMDBError {
    /// An open set of reasons: LMDB's own codes, `errno` values (positive), and ours.
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: Int32

        package init(rawValue: Int32) {
            self.rawValue = rawValue
        }
    }

    /// Lets a `catch` name the reason: `catch LMDBError.Code.keyExists`.
    package static func ~= (code: Code, error: LMDBError) -> Bool {
        error.code == code
    }
}

/// Lets a `catch` of any error name the reason: `catch LMDBError.Code.keyExists`.
package func ~= (code: LMDBError.Code, error: any Error) -> Bool {
    (error as? LMDBError)?.code == code
}

extension LMDBError.Code {
    // LMDB's own reasons.
    package static let keyExists = Self(rawValue: MDB_KEYEXIST)
    package static let notFound = Self(rawValue: MDB_NOTFOUND)
    package static let pageNotFound = Self(rawValue: MDB_PAGE_NOTFOUND)
    package static let corrupted = Self(rawValue: MDB_CORRUPTED)
    package static let panic = Self(rawValue: MDB_PANIC)
    package static let versionMismatch = Self(rawValue: MDB_VERSION_MISMATCH)
    package static let invalidFile = Self(rawValue: MDB_INVALID)
    package static let mapFull = Self(rawValue: MDB_MAP_FULL)
    package static let tablesFull = Self(rawValue: MDB_DBS_FULL)
    package static let readersFull = Self(rawValue: MDB_READERS_FULL)
    package static let txnFull = Self(rawValue: MDB_TXN_FULL)
    package static let mapResized = Self(rawValue: MDB_MAP_RESIZED)
    package static let incompatible = Self(rawValue: MDB_INCOMPATIBLE)
    package static let badReaderSlot = Self(rawValue: MDB_BAD_RSLOT)
    package static let badTransaction = Self(rawValue: MDB_BAD_TXN)
    /// A key that is empty or longer than 511 bytes.
    package static let badValueSize = Self(rawValue: MDB_BAD_VALSIZE)

    // The operating system's reasons.
    package static let diskFull = Self(rawValue: ENOSPC)
    package static let ioError = Self(rawValue: EIO)
    package static let fileTooLarge = Self(rawValue: EFBIG)
    package static let outOfMemory = Self(rawValue: ENOMEM)
    package static let accessDenied = Self(rawValue: EACCES)
    package static let notPermitted = Self(rawValue: EPERM)
    package static let readOnly = Self(rawValue: EROFS)
    package static let noSuchFile = Self(rawValue: ENOENT)
    package static let fileExists = Self(rawValue: EEXIST)

    // Ours. They lie outside the ranges of LMDB (-30,799 and up) and of errno.
    /// An append whose key is not above the last key: the caller's sequence is broken.
    package static let sequenceFault = Self(rawValue: -40_001)
    /// An earlier commit ended with its outcome unknown; nothing more is done until a reopen.
    package static let poisoned = Self(rawValue: -40_002)
    /// This process has the environment open already.
    package static let alreadyOpen = Self(rawValue: -40_003)
    /// The environment has been closed.
    package static let closed = Self(rawValue: -40_004)
    /// The environment was opened by the parent of this process.
    package static let forked = Self(rawValue: -40_005)
    /// The directory is on a network or user-space file system.
    package static let remoteFileSystem = Self(rawValue: -40_006)
    /// Less disk is free than the floor the environment was opened with.
    package static let lowDiskSpace = Self(rawValue: -40_007)
    /// A transaction went over its cap of operations or bytes.
    package static let transactionTooLarge = Self(rawValue: -40_008)
    /// A read transaction was kept longer than the environment allows.
    package static let readerExpired = Self(rawValue: -40_009)
    /// The writer did not get to the transaction before its deadline; it has not run.
    package static let writerBusy = Self(rawValue: -40_010)
    /// Transactions of this process did not end in time, so the map could not be replaced.
    package static let transactionsStillOpen = Self(rawValue: -40_011)
    /// The file ends before the last page that is in use.
    package static let cutShort = Self(rawValue: -40_012)
}

extension LMDBError.Code {
    /// Whether the file is not what LMDB wrote, so that only a backup or making it anew helps.
    package var isDamage: Bool {
        [.cutShort, .corrupted, .pageNotFound, .invalidFile].contains(self)
    }

    /// Whether a commit that ends like this may have reached the disk or spoilt the map.
    var leavesOutcomeUnknown: Bool {
        rawValue > 0 || [.panic, .corrupted, .pageNotFound].contains(self)
    }
}
