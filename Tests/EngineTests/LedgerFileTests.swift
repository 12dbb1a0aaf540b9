import Foundation
import Testing

@testable import Engine

@Suite struct `The file that names a ledger` {
    @Test(.enabled(if: geteuid() == 0, "only root can become another user"))
    func `a file that this user may not read says what to grant`() async throws {
        let directory = scratch()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Workplace.create(at: directory, name: "mine")
        await #expect(processExitsWith: .success) { [directory = directory as String] in
            guard seteuid(65_534) == 0 else { exit(2) }
            do {
                _ = try LedgerFile(directory: directory)
                exit(3)
            } catch let error as WorkplaceError {
                let isClear =
                    error == .unreadable(directory + "/ledger")
                    && "\(error)".contains("run chmod u+r on it")
                exit(isClear ? 0 : 4)
            }
        }
    }
}
