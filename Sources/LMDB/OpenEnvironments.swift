import Synchronization

/// The environments this process has open.
///
/// Opening one twice in a process drops its locks when either is closed, without any error, so it is
/// refused here, whatever path leads to it.
enum OpenEnvironments {
    private static let claimed = Monitor<Set<FileIdentity>>([])
    private static let turn = Mutex(())

    /// Runs one opening or closing at a time, so that a claim stands exactly as long as its files are
    /// open; may block while another environment is opened.
    static func inTurn<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        try turn.withLock { (_) throws(E) in try body() }
    }

    /// The claim on an environment's directory and data file, until it goes out of scope.
    struct Claim: ~Copyable {
        private let path: String
        private var identities: Set<FileIdentity> = []

        init(path: String) {
            self.path = path
        }

        deinit {
            let identities = identities
            OpenEnvironments.claimed.update { $0.subtract(identities) }
        }

        /// Adds a file to the claim, which this one may hold already.
        mutating func add(_ identity: FileIdentity) throws(LMDBError) {
            if identities.contains(identity) { return }
            guard OpenEnvironments.claimed.update({ $0.insert(identity).inserted }) else {
                throw LMDBError(.alreadyOpen, operation: "open the environment", path: path)
            }
            identities.insert(identity)
        }
    }
}
