package import Ledger
package import Transport

/// What a run is to do.
package struct RunRequest: Sendable, Equatable {
    package enum Verb: String, Sendable {
        /// Look, link, and say what would be done.
        case plan
        /// Look, link, decide and write.
        case sync
    }

    package var run: RunID
    package var verb: Verb
    /// Walk over every object, which finds what moved no date and what is gone.
    package var isSweep: Bool
    /// Let the connections that wait for their first approval be written to from now on.
    package var approves: Bool
    /// How long a call that was not heard may still take effect: the longest that the systems' web
    /// servers let one request run.
    package var settlesAfterSeconds: Double = 30
    /// Take up only what changed: what was never read whole, and who is still to be decided about or
    /// made for the first time, stay for another run.
    package var isOnlyChanges = false
    /// How often what changed is asked for again while a run has more to do than that.
    package var looksEverySeconds: Double = 60
    /// At most so many records are decided and written at once.
    package var portion = 256
    /// Let changed rules decide and write what stood before them.
    package var realigns = false

    package init(run: RunID, verb: Verb, isSweep: Bool = false, approves: Bool = false) {
        self.run = run
        self.verb = verb
        self.isSweep = isSweep
        self.approves = approves
    }
}

/// What the core is told.
///
/// Everything from outside comes this way: time, answers, durability.
package enum EngineInput: Sendable {
    case begin(RunRequest)
    case answered(CallID, HTTPResult)
    /// An append is durable and the views have folded it, or it was refused.
    case recorded(AppendID, Result<Receipt, any Error>)
    /// A moment that was asked for has come.
    case tick
    /// Send nothing new, settle what is under way, and finish.
    case cancel
}

/// What the core wants done.
///
/// The shell does it; a simulation does it, too.
package enum EngineEffect: Sendable {
    case append(AppendID, [Draft], [AppendCondition])
    case send(CallID, HTTPRequest)
    case wake(Timestamp)
    case progress(RunProgress)
    case finished(RunReport)
}

package typealias CallID = Int
package typealias AppendID = Int

/// Where a run stands, for a progress line.
package struct RunProgress: Sendable, Equatable {
    package enum Phase: String, Sendable {
        case looking
        case linking
        case planning
        case writing
        /// Where every record stands, for the summary.
        case counting
    }

    package var phase: Phase
    package var objects: Int
    /// About how many more are to come, as far as the systems told.
    package var objectsLeft: Int
    /// What is being read: a connection's label and a kind of object each.
    package var reading: [String]
    package var commandsDone: Int
    /// Of the records that a run decides about, those with nothing left to plan or write for now; of
    /// all, those that were counted.
    package var recordsDone: Int
    package var recordsTotal: Int
}

/// What a run did; the verdicts add up to the records it looked at.
package struct RunReport: Sendable {
    package var run: RunID
    package var objectsSeen: [System: Int] = [:]
    package var observations = 0
    package var linked = 0
    package var newRecords = 0
    package var ambiguous = 0
    package var decisions = 0
    package var contested = 0
    package var records = 0
    package var inSync = 0
    package var waiting = 0
    package var conflicted = 0
    package var excluded = 0
    /// Records with a part at a system that could not be read.
    package var failing = 0
    /// Living objects that are known at its end: those of records, and the three kinds that follow.
    package var objects = 0
    /// Objects that could be one of several people: a question is open.
    package var asked = 0
    /// Objects that a person keeps apart.
    package var apart = 0
    /// Objects that are no record's yet: what they are told apart by is not known, or their kind was not
    /// read whole.
    package var unlinked = 0
    /// Questions that the rules as they are now would answer, had they not been asked before.
    package var realignable = 0
    package var wouldWrite = 0
    package var issued = 0
    package var confirmed = 0
    package var refused = 0
    package var uncertain = 0
    package var superseded = 0
    package var parked = 0
    package var gone = 0
    package var merged = 0
    package var calls = 0
    package var writeCalls = 0
    package var pairsChanged = 0
    /// Whether it was stopped before its end; the next run goes on.
    package var wasStopped = false
    /// Writes that were decided, in this run or before, and stand open at its end.
    package var open = 0
    /// Connections that could not be read, with the reason and its fix.
    package var failures: [(connection: String, reason: String)] = []
    /// What a system does not have and never had: said, and no failure.
    package var notes: [(connection: String, reason: String)] = []
    /// What the first plans would write, grouped for people: system, operation, field → count.
    package var proposals: [String: Int] = [:]

    package init(run: RunID) { self.run = run }

    /// Living objects that are a record's.
    package var objectsOfRecords: Int { objects - asked - apart - unlinked }

    /// Calls over pairs of record and replica whose content was altered or taken up (design §8).
    package var callsPerChange: Double {
        pairsChanged == 0 ? 0 : Double(calls) / Double(pairsChanged)
    }
}

/// What ends a run before its time.
package enum EngineError: Error, Equatable, CustomStringConvertible {
    case stuck(String)

    package var description: String {
        switch self {
        case .stuck(let state):
            "the engine stopped making progress (\(state)): please report this; nothing is lost, and `syncledger sync` goes on where it was"
        }
    }
}
