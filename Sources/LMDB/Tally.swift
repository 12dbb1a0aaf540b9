/// What the open write transaction has done so far; used on the writer's thread only.
final class Tally {
    /// When a write last looked for dead readers; opening did.
    var readersChecked = Moment.now
    /// How many closures hold data of the transaction just now.
    var lent = 0
    private(set) var failure: LMDBError?
    private var operations = 0
    private var bytes = 0

    func reset() {
        precondition(lent == 0, "a transaction ended while its data was lent")
        (operations, bytes, failure) = (0, 0, nil)
    }

    /// Takes from the caps; `false`, with nothing taken, if that would go over one.
    func spend(_ bytes: Int, _ operations: Int, within options: Options) -> Bool {
        guard self.operations + operations <= options.maximumOperations,
            self.bytes + bytes <= options.maximumBytes
        else { return false }
        self.operations += operations
        self.bytes += bytes
        return true
    }

    /// Keeps the first failure, which is the cause of the later ones.
    func fail(_ error: LMDBError) {
        failure = failure ?? error
    }
}
