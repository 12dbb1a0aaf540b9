import CLMDB
import Glibc
import Testing

@testable import LMDB

@Suite struct ErrorTests {
    @Test func `an error says what, where, why and the fix`() {
        let error = LMDBError(.diskFull, operation: "put into events", path: "/srv/log")
        #expect(
            "\(error)"
                == "Could not put into events in /srv/log: the disk is full; free some space.")
    }

    @Test func `an unknown outcome says what to do`() {
        let error = LMDBError(
            .ioError, operation: "commit", path: "/srv/log", outcomeIsUnknown: true)
        #expect("\(error)".contains("not known whether the transaction became durable"))
        #expect("\(error)".contains("reopen"))
    }

    @Test(arguments: [
        LMDBError.Code.keyExists, .notFound, .pageNotFound, .corrupted, .panic, .versionMismatch,
        .invalidFile, .mapFull, .tablesFull, .readersFull, .txnFull, .mapResized, .incompatible,
        .badReaderSlot, .badTransaction, .badValueSize, .diskFull, .ioError, .fileTooLarge,
        .outOfMemory, .accessDenied, .notPermitted, .readOnly, .noSuchFile, .fileExists,
        .sequenceFault, .poisoned, .alreadyOpen, .closed, .forked, .remoteFileSystem,
        .lowDiskSpace, .transactionTooLarge, .readerExpired, .writerBusy, .transactionsStillOpen,
    ])
    func `every reason is worded`(code: LMDBError.Code) {
        let text = "\(code)"
        #expect(text.count > 5)
        #expect(!text.hasSuffix("."))
        #expect(!text.contains("Unknown error"))
    }

    @Test func `a pattern names the reason`() {
        let error: any Error = LMDBError(.mapFull, operation: "", path: "")
        #expect(LMDBError.Code.mapFull ~= error)
        #expect(!(LMDBError.Code.mapFull ~= Refusal()))
        #expect(!(LMDBError.Code.txnFull ~= error))
    }

    @Test func `only what may have reached the disk is in doubt`() {
        for code in [LMDBError.Code.diskFull, .ioError, .fileTooLarge, .panic, .corrupted] {
            #expect(code.leavesOutcomeUnknown)
        }
        for code in [LMDBError.Code.mapFull, .txnFull, .badTransaction, .keyExists] {
            #expect(!code.leavesOutcomeUnknown)
        }
    }

    @Test func `codes are LMDB's own`() {
        #expect(LMDBError.Code.mapFull.rawValue == MDB_MAP_FULL)
        #expect(LMDBError.Code(rawValue: ENOSPC) == .diskFull)
    }
}
