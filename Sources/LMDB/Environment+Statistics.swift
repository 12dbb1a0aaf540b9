import CLMDB
import Glibc

/// How large an environment is and who holds it up.
package struct Statistics: Sendable, Equatable {
    package var pageSize = 0
    /// Pages of the file, free ones included; the file never shrinks.
    package var pages = 0
    /// Bytes of the pages that hold live data.
    package var liveBytes = 0
    package var mapSize = 0
    /// The number of the last commit.
    package var lastTransaction = 0
    package var maxReaders = 0
    /// Reader slots taken, over all processes, idle ones included.
    package var readersUsed = 0
    /// How many commits the oldest reader of any process is behind; pages freed since are not reused.
    package var oldestReaderLag = 0
    /// How long the oldest open read of this process has lasted.
    package var oldestReaderAge: Duration?
    /// How long the writer's thread has been at its current job; long means stuck.
    package var writerBusyFor: Duration?
    /// Jobs that wait for the writer's thread.
    package var writerQueueLength = 0
    /// What an ordinary user may still write to the file system.
    package var freeDiskBytes = 0

    /// Bytes of the file that are in use or free for reuse.
    package var fileBytes: Int { pages * pageSize }
}

extension Environment {
    /// Takes the gauges; walks the reader slots and reads one page a table.
    package func statistics() throws -> Statistics {
        var result = try read { transaction in
            var result = Statistics()
            var information = unsafe MDB_envinfo()
            try store.check(unsafe mdb_env_info(store.pointer, &information), "take statistics")
            unsafe result.pages = information.me_last_pgno + 1
            unsafe result.mapSize = information.me_mapsize
            unsafe result.lastTransaction = information.me_last_txnid
            unsafe result.maxReaders = Int(information.me_maxreaders)
            // The unnamed table (1) lists the named ones.
            for handle in [1] + allTables.map(\.handle) {
                var table = MDB_stat()
                try store.check(
                    unsafe mdb_stat(transaction.access.transaction, handle, &table),
                    "take statistics")
                result.pageSize = Int(table.ms_psize)
                let pages = table.ms_branch_pages + table.ms_leaf_pages + table.ms_overflow_pages
                result.liveBytes += pages * result.pageSize
            }
            return result
        }
        let slots = try readerSlots()
        result.readersUsed = slots.count
        result.oldestReaderLag =
            slots.compactMap(\.transaction).min().map { max(result.lastTransaction - $0, 0) } ?? 0
        result.oldestReaderAge = gate.oldestReaderAge
        result.writerBusyFor = writer?.busyFor
        result.writerQueueLength = writer?.queueLength ?? 0
        result.freeDiskBytes = try store.freeBytes()
        return result
    }

    /// The number of the last commit of any process; looked up in the map, so it is cheap.
    package func lastCommit() throws(LMDBError) -> Int {
        let ticket = try enter(.inspection, "ask for the last commit")
        defer { gate.leave(ticket) }
        var information = unsafe MDB_envinfo()
        try store.check(
            unsafe mdb_env_info(store.pointer, &information), "ask for the last commit")
        return unsafe information.me_last_txnid
    }

    /// How many commits the oldest reader of any process is behind.
    package func oldestReaderLag() throws -> Int {
        try statistics().oldestReaderLag
    }

    /// How long the writer's thread has been at its current job; `nil` when it is idle.
    package var writerBusyFor: Duration? { writer?.busyFor }

    /// A taken reader slot: whose it is, and the snapshot it holds unless it is idle.
    struct ReaderSlot: Equatable {
        let process: Int
        let transaction: Int?
    }

    /// Lists the reader slots of all processes.
    func readerSlots() throws(LMDBError) -> [ReaderSlot] {
        let ticket = try enter(.inspection, "list the readers")
        defer { gate.leave(ticket) }
        let listing = Listing()
        let status = withExtendedLifetime(listing) {
            unsafe mdb_reader_list(
                store.pointer,
                { text, context in
                    guard let text = unsafe text, let context = unsafe context else { return 0 }
                    let listing = unsafe Unmanaged<Listing>.fromOpaque(context)
                    unsafe listing.takeUnretainedValue().text += String(cString: text)
                    return 0
                }, Unmanaged.passUnretained(listing).toOpaque())
        }
        // LMDB answers what the callback answered, so anything below zero is its own error.
        if status < 0 { try store.check(status, "list the readers") }
        return Self.parse(listing.text)
    }

    private final class Listing {
        var text = ""
    }

    /// Reads LMDB's table of readers: process, thread, and snapshot or a dash.
    static func parse(_ listing: String) -> [ReaderSlot] {
        listing.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count == 3, let process = Int(fields[0]) else { return nil }
            return ReaderSlot(process: process, transaction: Int(fields[2]))
        }
    }
}
