import Foundation
import Testing

/// The product's first minute, as a program reads it.
@Suite struct `The demo` {
    static let keys = [
        "records", "linked", "ambiguous", "conflictsOpened", "conflictsSettled", "commandsIssued",
        "commandsConfirmed", "commandsUncertain", "apiCalls", "callsPerChange", "events", "root",
        "rebuildIdentical", "converged", "seconds",
    ]

    @Test func `ends with one JSON object that says it converged`() async throws {
        let scratch = try Scratch()
        let result = try await OwnThread.run {
            try Program.lab.run([
                "demo", "--people", "100", "--json", "--ledger", scratch("demo"),
            ])
        }
        #expect(result.code == 0, "\(result.error)")
        let json = try #require(try result.json() as? [String: Any])
        #expect(Set(json.keys) == Set(Self.keys))
        #expect(json["converged"] as? Bool == true)
        #expect(json["rebuildIdentical"] as? Bool == true)
        #expect(json["commandsUncertain"] as? Int == 0)
        #expect((json["records"] as? Int ?? 0) > 0)
        #expect((json["callsPerChange"] as? Double ?? 9) <= 1.2)
        #expect((json["root"] as? String)?.count == 64)
        // Every word for people goes to standard error; standard output is the object alone.
        #expect(result.output.split(separator: "\n").count == 1)
        #expect(result.error.contains("identical"))
        let verified = try Program.syncledger.run([
            "projector", "verify", "--ledger", scratch("demo"),
        ])
        #expect(verified.code == 0, "\(verified.error)")
    }
}
