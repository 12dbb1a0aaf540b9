import CLMDB
import Glibc
import Synchronization

/// An LMDB environment: one directory, its named tables, and one thread that writes.
///
/// Reading and writing are synchronous closures, and both block: reads on page faults, writes until
/// the disk has the commit. Neither belongs on Swift's cooperative thread pool.
///
/// Any number of processes may have an environment open, each of them once.
// Unchecked: LMDB's handle may be shared by threads; everything that changes is behind a lock, but
// for the tally, which only the writer's thread touches.
package final class Environment: @unchecked Sendable {
    package let options: Options
    let store: Store
    let gate = Gate()
    let writer: Writer?
    let tally = Tally()
    let idleReaders = Monitor<[IdleReader]>([])
    /// Tells the tables of this environment from those of others.
    let number: UInt64
    private let tables: [String: Table]

    /// Opens an environment and its tables, creating what is missing; blocks.
    ///
    /// - Parameters:
    ///   - directory: The directory; its parent must exist. It is not on a network file system.
    ///   - tables: The names of all tables that will be used.
    ///   - optional: Those of them that a read-only opening goes without where they do not exist.
    ///   - options: Limits and ways of opening.
    /// - Throws: `LMDBError`, such as `alreadyOpen` when this process has it open.
    package init(
        at directory: String, tables: [String], optional: Set<String> = [],
        options: Options = Options()
    ) throws(LMDBError) {
        let store = try Store(at: directory, tables: tables.count, options: options)
        let number = Self.opened.add(1, ordering: .relaxed).newValue
        try store.checkReaders()
        self.tables = try store.openTables(tables, optional: optional).reduce(into: [:]) {
            tables, entry in
            tables[entry.key] = Table(name: entry.key, handle: entry.value, owner: number)
        }
        self.store = store
        self.number = number
        self.options = options
        self.writer =
            options.readOnly ? nil : try Writer(for: directory, quietAge: options.quietAge)
    }

    private static let opened = Atomic<UInt64>(0)

    /// Whether a directory holds an environment; nothing is opened or made.
    ///
    /// An empty data file is none, for LMDB begins a new environment in it.
    package static func exists(at directory: String) -> Bool {
        var status = stat()
        return unsafe stat(directory + "/data.mdb", &status) == 0 && status.st_size > 0
    }

    deinit {
        guard !store.isForked else { return }
        writer?.stop()
        dropIdleReaders()
    }

    /// The directory it was opened at.
    package var path: String { store.path }

    /// A table that was named at the opening; traps on any other name.
    package func table(_ name: String) -> Table {
        guard let table = tables[name] else {
            preconditionFailure("the table \(name) was not named when \(path) was opened")
        }
        return table
    }

    /// An optional table; `nil` where the environment was opened read-only and has none.
    package func optionalTable(_ name: String) -> Table? { tables[name] }

    var allTables: some Collection<Table> { tables.values }

    /// Ends the writer after its queue has run, and refuses further use; again does nothing.
    ///
    /// Blocks until the transactions of this process have ended; throws `transactionsStillOpen`, with
    /// only the writer stopped, if they do not.
    package func close() throws(LMDBError) {
        try refuseFork("close the environment")
        precondition(
            !gate.isInside(.read) && !gate.isInside(.write),
            "an environment was closed inside one of its transactions")
        if gate.isClosed { return }
        writer?.stop()
        let closed: Void? = gate.alone(within: options.drainDeadline) {
            dropIdleReaders()
            gate.refuse(.closed)
            store.close()
        }
        if closed == nil { throw error(.transactionsStillOpen, "close the environment") }
    }

    func error(_ code: LMDBError.Code, _ operation: String) -> LMDBError {
        LMDBError(code, operation: operation, path: path)
    }

    func refuseFork(_ operation: StaticString) throws(LMDBError) {
        if store.isForked { throw error(.forked, "\(operation)") }
    }

    /// Takes a ticket through the gate, in this process only.
    func enter(_ kind: Gate.Kind, _ operation: StaticString) throws(LMDBError) -> Gate.Ticket {
        try refuseFork(operation)
        do throws(Gate.Refusal) {
            return try gate.enter(kind)
        } catch {
            throw self.error(error == .closed ? .closed : .poisoned, "\(operation)")
        }
    }
}
