import LMDB

/// Which data keys are there; none is unwrapped, so no master key is needed.
struct KeyAudit {
    private var environment: Environment?
    private var table: Table?
    private var problem: String?
    private var known: [KeyRing.Name: Bool] = [:]

    /// Above this the names that were looked up are forgotten.
    private static var mostNames: Int { 100_000 }

    /// Opens the keys for reading, if they are there.
    init(directory: String) {
        guard Environment.exists(at: directory) else {
            problem = "the keys of this ledger are missing"
            return
        }
        var options = Options()
        options.mapSize = 16 << 30
        options.readOnly = true
        do {
            let environment = try Environment(at: directory, tables: ["keys"], options: options)
            let table = environment.table("keys")
            (self.environment, self.table) = (environment, table)
            if try environment.read({ try $0.firstKey(table) }) != KeyRing.probe.key {
                problem =
                    "the keys of this ledger have lost the one that the master key is tried by"
            }
        } catch {
            problem = "the keys of this ledger cannot be read: \(error)"
        }
    }

    /// Whether there is a key of this name; `nil` where that cannot be told.
    mutating func contains(_ subject: SubjectID, _ category: UInt64) -> Bool? {
        guard problem == nil, let environment, let table,
            let category = Category(rawValue: category)
        else { return nil }
        let name = KeyRing.Name(subject: subject, category: category)
        if let isThere = known[name] { return isThere }
        let isThere = try? environment.read { try $0.contains(table, key: name.key) }
        if known.count >= Self.mostNames { known = [:] }
        known[name] = isThere
        return isThere
    }

    /// Closes the keys; keys that are missing are a damage where something was sealed.
    func finish(sealedParts: UInt64, _ report: inout ScrubReport) {
        try? environment?.close()
        if let problem, sealedParts > 0 { report.add(nil, problem, fix: .keys) }
        if problem == nil { report.leaveOut("data keys: that they are there, not that they open") }
    }
}
