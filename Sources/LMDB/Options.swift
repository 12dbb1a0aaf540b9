/// How an environment is opened and where its limits are.
package struct Options: Sendable {
    /// The address space to reserve, in bytes; no memory and no disk is taken by it.
    ///
    /// Halved until it fits where the process has an address space limit.
    package var mapSize = 256 << 30
    /// How far the map may grow when it is full, in bytes.
    package var maximumMapSize = 16 << 40
    /// Reader slots over all processes; each open or pooled read transaction takes one.
    package var maxReaders = 1024
    /// Tells the kernel that reads are random, for environments larger than memory.
    package var noReadAhead = false
    /// Opens without a writer; tables must exist.
    package var readOnly = false
    /// The file system space below which writes are refused, in bytes.
    package var minimumFreeBytes = 64 << 20
    /// The age at which a read transaction refuses its next operation.
    package var readerAgeLimit = Duration.seconds(30)
    /// How long after a look for dead readers the next write looks again.
    package var readerCheckAge = Duration.seconds(60)
    /// The age, or number of rows, after which a renewing scan takes a new snapshot.
    package var renewalAge = Duration.seconds(2)
    /// The number of rows after which a renewing scan takes a new snapshot.
    package var renewalRows = 10_000
    /// How long a write waits for its turn before it is given up without having run.
    package var writerDeadline = Duration.seconds(60)
    /// How long no write must have come for the writer to count as quiet.
    package var quietAge = Duration.milliseconds(100)
    /// How long growth and `close` wait for the transactions of this process to end.
    package var drainDeadline = Duration.seconds(30)
    /// The most puts and deletes of one transaction.
    package var maximumOperations = 50_000
    /// The most bytes of keys and values of one transaction.
    package var maximumBytes = 64 << 20

    package init() {}
}
