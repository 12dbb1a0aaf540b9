import Foundation

/// A temporary directory that is removed with the last reference to it.
final class Scratch: Sendable {
    let path: String

    init() throws {
        let root = FileManager.default.temporaryDirectory
        path = root.appendingPathComponent("ledger-tests-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// A path in it.
    func callAsFunction(_ name: String) -> String { path + "/" + name }
}
